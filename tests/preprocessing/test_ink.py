"""Ink is found whatever paper, pen and light are, and makes the field MNIST would have made."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitscope.datasets.mnist import load_mnist
from digitscope.io.elements import Box
from digitscope.preprocessing.field import Field, field_of
from digitscope.preprocessing.ink import LONGEST, find_ink, is_several

PAPERS = {
    "black on white": ((250, 250, 250), (20, 20, 20)),
    "white on black": ((10, 10, 10), (245, 245, 245)),
    "red on blue": ((150, 180, 235), (190, 40, 50)),
    "blue on yellow": ((250, 240, 160), (40, 60, 170)),
    "pencil": ((205, 200, 190), (160, 157, 150)),
    "chalk": ((50, 70, 60), (150, 165, 155)),
    "red on green of the same brightness": ((90, 150, 90), (212, 97, 60)),
}


@cache
def digits() -> np.ndarray:
    """Training images, uint8 (200, 28, 28)."""
    return load_mnist()[0][0][:200]


def alpha(digit: np.ndarray, side: int) -> np.ndarray:
    """An MNIST image enlarged, float32 (side, side) 0..1."""
    return np.clip(cv2.resize(digit.astype(np.float32) / 255, (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)


def page(ink: np.ndarray, colours: str = "black on white", light: np.ndarray | float = 1.0) -> np.ndarray:
    """Ink as RGB pixels on paper, with a little grain."""
    paper, pen = (np.array(colour, np.float32) for colour in PAPERS[colours])
    pixels = (paper * (1 - ink[..., None]) + pen * ink[..., None]) * np.atleast_3d(light)
    grain = np.random.default_rng(0).normal(0, 1.5, pixels.shape)
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def plain_field(digit: np.ndarray) -> np.ndarray:
    return field_from(digit).pixels


def field_from(pixels: np.ndarray) -> Field:
    found = find_ink(pixels)
    assert found.box is not None
    return field_of(found.ink, found.box)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two fields; the best of shifts by a pixel, since centring rounds to whole pixels."""
    shifted = [np.roll(other, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return max(float(np.corrcoef(one.ravel(), field.ravel())[0, 1]) for field in shifted)


def test_a_field_of_mnist_comes_back():
    same = [likeness(plain_field(digit), digit / 255) for digit in digits()]
    assert np.mean(same) > 0.97 and np.quantile(same, 0.01) > 0.88, "one has a speck in its corner, which is dropped"


@pytest.mark.parametrize("colours", PAPERS)
def test_colours_and_polarity_change_nothing(colours):
    same = [
        likeness(field_from(page(alpha(digit, 112), colours)).pixels, plain_field(digit)) for digit in digits()[:60]
    ]
    assert np.mean(same) > 0.96 and min(same) > 0.8


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 199), st.integers(40, 300), st.integers(0, 2**32 - 1))
def test_any_size_place_and_light(index, side, seed):
    rng = np.random.default_rng(seed)
    ink = np.zeros((round(side * 1.5), round(side * 1.7)), np.float32)
    top, left = rng.integers(0, ink.shape[0] - side + 1), rng.integers(0, ink.shape[1] - side + 1)
    ink[top : top + side, left : left + side] = alpha(digits()[index], side)
    light = np.linspace(rng.uniform(0.5, 1), rng.uniform(0.5, 1), ink.shape[1])[None].repeat(ink.shape[0], 0)
    found = find_ink(page(ink, light=light))
    rows, columns = np.nonzero(ink > 0.5)
    expected = Box(columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
    near = 3 + side / 20
    assert abs(found.box.x - expected.x) <= near and abs(found.box.y - expected.y) <= near
    assert abs(found.box.width - expected.width) <= 2 * near and abs(found.box.height - expected.height) <= 2 * near
    assert likeness(field_of(found.ink, found.box).pixels, plain_field(digits()[index])) > 0.7


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 199), st.floats(0, 1))
def test_a_field_has_mnists_form(index, upright):
    found = find_ink(page(alpha(digits()[index], 80)))
    field = field_of(found.ink, found.box, upright)
    assert field.pixels.shape == (28, 28) and field.pixels.dtype == np.float32
    assert field.pixels.min() >= 0 and field.pixels.max() <= 1
    assert max(field.fitted.shape) == 20
    total = field.pixels.sum()
    middle = [field.pixels.sum(axis=axis) @ np.arange(28) / total for axis in (0, 1)]
    assert np.allclose(middle, 14, atol=0.5 + 1e-3), "MNIST's centre of mass is pixel 14, to half a pixel"


def test_thin_and_bold_pens_become_mnists_stroke():
    widths = []
    for pen in (2, 6, 14, 26):
        canvas = np.zeros((200, 200), np.uint8)
        cv2.ellipse(canvas, (100, 100), (45, 70), 0, 0, 360, 255, pen, cv2.LINE_AA)
        field = field_from(page(canvas / np.float32(255))).pixels
        widths.append(float((field[14] > 0.5).sum()) / 2)
    assert min(widths) >= 1.5 and max(widths) <= 4.5


def test_slant_is_taken_out():
    canvas = np.zeros((120, 120), np.float32)
    cv2.line(canvas, (80, 15), (40, 105), 1.0, 9, cv2.LINE_AA)
    found = find_ink(page(canvas))
    wide, half, full = (field_of(found.ink, found.box, upright).fitted.shape[1] for upright in (0.0, 0.5, 1.0))
    assert wide > half > full and full <= 4


def draw_grid(pixels: np.ndarray, step: int, colour: tuple[int, int, int], across: bool) -> np.ndarray:
    for place in range(step // 2, max(pixels.shape[:2]), step):
        cv2.line(pixels, (0, place), (pixels.shape[1], place), colour, 1)
        if across:
            cv2.line(pixels, (place, 0), (place, pixels.shape[0]), colour, 1)
    return pixels


@pytest.mark.parametrize("kind", ["ruled", "squared", "cell", "corner"])
def test_printed_lines_are_no_ink(kind):
    same = []
    for digit in digits()[:40]:
        ink = np.zeros((150, 150), np.float32)
        ink[20:132, 20:132] = alpha(digit, 112)
        pixels = page(ink)
        if kind in ("ruled", "squared"):
            empty = draw_grid(np.full_like(pixels, 250), 40, (150, 180, 230), kind == "squared")
            pixels = np.minimum(pixels, empty)
        elif kind == "cell":
            cv2.rectangle(pixels, (4, 4), (145, 145), (60, 60, 60), 3)
        else:
            cv2.line(pixels, (0, 6), (150, 3), (40, 40, 40), 4)
            cv2.line(pixels, (5, 0), (8, 150), (40, 40, 40), 4)
        found = find_ink(pixels)
        assert found.box is not None
        same.append(likeness(field_of(found.ink, found.box).pixels, plain_field(digit)))
    assert np.mean(same) > 0.93 and np.mean(np.array(same) > 0.8) >= 0.95


def cut_to_its_box(digit: np.ndarray, side: int) -> np.ndarray:
    """The ink of a digit without any margin, float32 (h, w), its longer side ``side`` pixels."""
    ink = alpha(digit, 8 * 28)
    rows, columns = np.nonzero(ink > 0.5)
    box = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = side / max(box.shape)
    return np.clip(cv2.resize(box, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), 0, 1)


@pytest.mark.parametrize("colours", ["black on white", "white on black", "red on blue"])
@pytest.mark.parametrize("side", [60, 140, 300])
def test_a_digit_without_margin_is_found_as_well_as_one_with_a_margin(side: int, colours: str):
    """Whatever fills its picture: every program that cuts digits out by their outline makes such pictures."""
    same = []
    for digit in digits()[:50]:
        found = find_ink(page(cut_to_its_box(digit, side), colours))
        same.append(0.0 if found.box is None else likeness(field_of(found.ink, found.box).pixels, plain_field(digit)))
    assert np.mean(np.array(same) > 0.85) >= 0.9


def bar_of_a_four(reach: float, pen: int, lighter: float = 1.0) -> np.ndarray:
    """A 4 whose bar ends near the rim, or is ruling that crosses a 1: float32 (200, 160)."""
    canvas = np.zeros((200, 160), np.float32)
    cv2.line(canvas, (round(160 * reach), 120), (round(160 * (1 - reach)), 116), lighter, pen, cv2.LINE_AA)
    cv2.line(canvas, (95, 40), (88, 165), 1.0, 9, cv2.LINE_AA)
    return canvas


def test_a_line_that_strokes_hang_on_may_be_theirs():
    """Of the pen's width and strength it may; a hair of ruling, or a frame in both directions, is printed."""
    bar = find_ink(page(bar_of_a_four(0.02, 9)))
    assert bar.with_line is not None and bar.with_line.box is not None
    assert bar.with_line.box.width > 2 * bar.box.width, "with the line it is wider"
    ruling = find_ink(page(bar_of_a_four(-0.1, 2)))
    assert ruling.with_line is None and ruling.box.width < 40, "only the 1 is left"
    faint = find_ink(page(bar_of_a_four(-0.1, 9, lighter=0.35)))
    assert faint.with_line is None
    framed = bar_of_a_four(-0.1, 9)
    cv2.line(framed, (20, 0), (22, 200), 1.0, 9, cv2.LINE_AA)
    assert find_ink(page(framed)).with_line is None


def blank_pages() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:120, 0:100] / 100
    white = np.full((120, 100), 220.0)
    cell = page(np.zeros((120, 100), np.float32))
    cv2.rectangle(cell, (3, 4), (96, 114), (50, 50, 50), 3)
    dust = page(np.zeros((120, 100), np.float32))
    dust[50:53, 40:44] = 60
    return {
        "white": np.full((120, 100, 3), 255, np.uint8),
        "black": np.zeros((120, 100), np.uint8),
        "grain": rng.normal(200, 6, (120, 100, 3)).clip(0, 255).astype(np.uint8),
        "noise": rng.integers(0, 256, (120, 100), np.uint8),
        "light": (white * (0.6 + 0.4 * x)).astype(np.uint8),
        "soft shadow": (white * (1 - 0.4 / (1 + np.exp(-(x + y / 2 - 0.8) / 0.06)))).astype(np.uint8),
        "hard shadow": cv2.GaussianBlur(white * np.where(x + y / 3 > 0.7, 0.6, 1), (0, 0), 1).astype(np.uint8),
        "cell": cell,
        "ruled": draw_grid(page(np.zeros((120, 100), np.float32)), 30, (150, 180, 230), False),
        "squared": draw_grid(page(np.zeros((120, 100), np.float32)), 25, (150, 180, 230), True),
        "dust": dust,
        "28x28": np.full((28, 28), 7, np.uint8),
    }


@pytest.mark.parametrize("name", blank_pages())
def test_blank_paper_has_no_ink(name):
    found = find_ink(blank_pages()[name])
    assert found.box is None and not found.ink.any()


@pytest.mark.parametrize("form", ["drop", "long stain", "stain with a soft edge"])
def test_a_blot_is_no_ink_and_its_outline_is(form: str):
    """Of the same size and place: what fills the shape makes it a stain, not its outline."""

    def drawn(thickness: int) -> np.ndarray:
        canvas = np.zeros((160, 120), np.float32)
        if form == "drop":
            cv2.circle(canvas, (60, 80), 22, 1.0, thickness, cv2.LINE_AA)
        else:
            cv2.ellipse(canvas, (60, 80), (18, 25), 20, 0, 360, 1.0, thickness, cv2.LINE_AA)
        return cv2.GaussianBlur(canvas, (0, 0), 5 if form == "stain with a soft edge" and thickness < 0 else 0.7)

    stain, zero = find_ink(page(drawn(-1))), find_ink(page(drawn(5)))
    assert stain.box is None and not stain.ink.any()
    assert zero.box is not None and zero.ink.any()


@pytest.mark.parametrize("depth", [0.2, 0.6])
def test_a_soft_shadow_as_narrow_as_a_stroke_is_no_ink_and_a_sharp_stroke_is(depth: float):
    """Both wind down the picture from rim to rim; only their edges differ."""
    y, x = np.mgrid[0:160, 0:120] / 120

    def winding(width: float) -> np.ndarray:
        return np.exp(-(((x - 0.5 - 0.1 * np.sin(4 * y)) / width) ** 2))

    light = (1 - depth * winding(0.12))[..., None]
    shadow = find_ink(page(np.zeros((160, 120), np.float32), light=light))
    assert shadow.box is None and not shadow.ink.any()
    stroke = find_ink(page(depth * (winding(0.03) > 0.5).astype(np.float32)))
    assert stroke.box is not None and stroke.box.height == 160, "a stroke that reaches the rim is still one"


def test_several_digits_stand_side_by_side():
    several = single = 0
    for one, other in zip(digits()[:60], digits()[60:120], strict=True):
        pair = find_ink(page(np.concatenate([alpha(one, 80), alpha(other, 80)], axis=1)))
        several += is_several(pair.ink, pair.box)
        alone = find_ink(page(alpha(one, 80)))
        single += is_several(alone.ink, alone.box)
    assert several >= 57 and single == 0


def test_a_broken_five_is_one_digit():
    canvas = np.zeros((120, 100), np.float32)
    cv2.line(canvas, (45, 15), (75, 13), 1.0, 6, cv2.LINE_AA)
    cv2.line(canvas, (38, 22), (34, 52), 1.0, 6, cv2.LINE_AA)
    cv2.ellipse(canvas, (45, 75), (25, 27), 0, -110, 130, 1.0, 6, cv2.LINE_AA)
    found = find_ink(page(canvas))
    assert not is_several(found.ink, found.box)
    assert found.box.y <= 15 and found.box.y + found.box.height >= 98, "no stroke is lost"


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([1, 3]), st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_any_pixels_at_all(height, width, channels, seed, kind):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, channels), np.uint8)
    if kind == 1:
        pixels = (pixels > 127).astype(np.uint8) * np.uint8(255)
    elif kind == 2:
        pixels = np.full_like(pixels, pixels[0, 0, 0])
        pixels[rng.integers(height) :, rng.integers(width) :] = rng.integers(256)
    elif kind == 3:
        pixels = cv2.blur(pixels, (9, 9)).reshape(pixels.shape)
    pixels = pixels[..., 0] if channels == 1 else pixels
    found = find_ink(pixels)
    assert found.ink.shape == (height, width) and found.ink.dtype == np.float32
    assert np.isfinite(found.contrast).all() and found.ink.min() >= 0 and found.ink.max() <= 1
    if found.box is not None:
        assert found.box.width > 0 and found.box.height > 0
        assert found.box.x >= 0 and found.box.x + found.box.width <= width
        assert found.box.y >= 0 and found.box.y + found.box.height <= height
        assert np.isfinite(field_of(found.ink, found.box, 0.5).pixels).all()
        is_several(found.ink, found.box)


@pytest.mark.parametrize("shape", [(1, LONGEST), (LONGEST, 1), (2, 300), (LONGEST, 3)])
def test_slivers(shape):
    find_ink(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
