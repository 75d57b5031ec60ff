"""Finding lines of writing on pages made here, and the field that the line reader sees."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import line_drawings
from digitscope.datasets.mnist import load_mnist
from digitscope.preprocessing.line import HEIGHT, line_field
from digitscope.reading.detection import Strip, find_lines, levelled


def page(rows: int, seed: int = 0, slope: float = 0.0, shape: tuple[int, int] = (700, 600)) -> np.ndarray:
    """Grey paper with rows of five digits, 50 pixels high; uint8."""
    digits, _ = load_mnist()[1]
    ink = np.zeros(shape, np.float32)
    for row in range(rows):
        for column in range(5):
            x, y = 60 + 90 * column, 60 + 110 * row + int(slope * 90 * column)
            digit = cv2.resize(digits[seed + 5 * row + column], (56, 56), interpolation=cv2.INTER_CUBIC)
            part = ink[y : y + 56, x : x + 56]
            np.maximum(part, digit.astype(np.float32) / 255, out=part)
    light = np.linspace(230, 150, shape[1], dtype=np.float32)
    noise = np.random.default_rng(seed).normal(0, 2, shape)
    return np.clip(light * (1 - 0.7 * ink) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_every_row_is_a_line_from_top_to_bottom(rows: int):
    found = find_lines(page(rows))
    assert len(found) == rows
    for row, strip in enumerate(found):
        middle = strip.box.y + strip.box.height / 2
        assert abs(middle - (88 + 110 * row)) < 20
        assert strip.box.x < 100 and strip.box.x + strip.box.width > 420


@pytest.mark.parametrize("slope", [-0.12, 0.12])
def test_a_slanting_line_is_made_level(slope: float):
    start = page(1, slope=slope) if slope > 0 else page(1, slope=0.12)[:, ::-1]
    (strip,) = find_lines(np.ascontiguousarray(start))
    assert strip.pixels.shape[0] < 110  # level: about one digit high with its margins


def test_rules_and_squares_are_not_writing():
    ruled = page(2)
    ruled[40::37] = ruled[40::37] * 0.6
    assert len(find_lines(ruled)) == 2
    blank = np.full((600, 500), 220, np.uint8)
    blank[::40] = blank[:, ::40] = 150
    assert find_lines(blank) == []


@pytest.mark.parametrize("kind", ["white", "black", "noise", "gradient"])
def test_nothing_written_is_no_line_or_little(kind: str):
    rng = np.random.default_rng(0)
    pixels = {
        "white": np.full((300, 400), 255, np.uint8),
        "black": np.zeros((300, 400, 3), np.uint8),
        "noise": rng.integers(0, 256, (300, 400), np.uint8),
        "gradient": np.tile(np.linspace(40, 220, 400).astype(np.uint8), (300, 1)),
    }[kind]
    assert find_lines(pixels) == []


def test_light_on_dark_is_the_same_line():
    there, inverted = find_lines(page(1)), find_lines(255 - page(1))
    assert len(there) == len(inverted) == 1
    assert abs(there[0].box.x - inverted[0].box.x) < 4


@pytest.mark.parametrize(
    ("heights", "left"),
    [((16, 50), 100), ((14, 50), 130), ((12, 20, 50), 100), ((10, 20, 50), 130), ((12, 19, 50), 130)],
    ids=str,
)
def test_a_low_mark_counts_from_0_3_of_the_usual_height(heights: tuple[int, ...], left: int):
    """Usual is the median of the parts that are at least 0.4 as high as the highest."""
    pixels = np.full((200, 400), 235, np.uint8)
    for place, height in enumerate(heights):
        pixels[130 - height : 130, 100 + 30 * place : 102 + 30 * place] = 20
    (strip,) = find_lines(pixels)
    assert strip.box.x == left, "the first mark is speck or writing"


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 90), st.integers(1, 300), st.booleans(), st.integers(0, 1000))
def test_any_picture_has_a_field(height: int, width: int, colour: bool, seed: int):
    shape = (height, width, 3) if colour else (height, width)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    made = line_field(pixels)
    assert made.shape[0] == HEIGHT and made.shape[1] % 2 == 0 and made.shape[1] >= 8
    assert made.dtype == np.float32 and made.min() >= 0 and made.max() <= 1
    find_lines(pixels)


def test_a_field_forgets_polarity_and_light():
    crop = page(1)[40:140, 30:520]
    made, inverted = line_field(crop), line_field(255 - crop)
    assert np.abs(made - inverted).mean() < 0.02
    assert made.max() == 1 and np.median(made) < 0.1


def test_blank_paper_stays_blank():
    assert line_field(np.full((40, 200), 180, np.uint8)).max() == 0


def test_the_whole_picture_as_a_line():
    strip = Strip.of(np.zeros((30, 80), np.uint8))
    assert (strip.box.width, strip.box.height) == (80, 30)
    assert strip.field is strip.field, "computed once"
    np.testing.assert_array_equal(strip.field, line_field(strip.pixels))


def test_numbers_across_slanting_rules_are_found_whole():
    ink = line_drawings.page((400, 620), [("7853", 150, 140)], "school", gap=0.4)
    for y in (60, 150, 172, 300):
        cv2.line(ink, (0, y - 28), (620, y + 28), 255, 2, cv2.LINE_AA)
    (strip,) = find_lines(line_drawings.on_paper(ink, "grey"))
    assert abs(strip.box.x - 150) < 8 and abs(strip.box.y - 140) < 8
    assert 130 < strip.box.width < 220 and 40 < strip.box.height < 62


@pytest.mark.parametrize("paper", line_drawings.PAPERS)
def test_a_row_of_dashes_is_no_line_and_joined_digits_are_one(paper: str):
    ink = np.zeros((400, 500), np.uint8)
    for x in range(60, 440, 70):
        cv2.line(ink, (x, 120), (x + 36, 121), 255, 4)
        cv2.line(ink, (x, 300), (x + 36, 302), 255, 5)
    assert find_lines(line_drawings.on_paper(ink, paper)) == []
    ink = line_drawings.page((400, 500), [("888", 100, 150)], gap=-0.05)
    assert len(find_lines(line_drawings.on_paper(ink, paper))) == 1


@pytest.mark.parametrize(("x", "blot", "torn"), [(150, None, (False, False)), (150, 115, (True, False)),
                                                 (150, 60, (False, False)), (150, 312, (False, True)),
                                                 (-12, None, (True, False)), (372, None, (False, True))])  # fmt: skip
def test_a_line_knows_where_something_may_be_missing(x: int, blot: int | None, torn: tuple[bool, bool]):
    """It touches the rim, or a blot as high as its digits stands right beside it."""
    ink = line_drawings.page((400, 500), [("8060", x, 150)], "school", gap=0.2)
    if blot is not None:
        cv2.circle(ink, (blot, 172), 16, 255, -1)
    (strip,) = find_lines(line_drawings.on_paper(ink))
    assert strip.torn == torn


def test_a_rising_line_is_made_level_by_shear_and_by_rotation():
    ink = line_drawings.page((300, 400), [("3586", 110, 120)], gap=0.2)
    turned = cv2.warpAffine(ink, cv2.getRotationMatrix2D((200, 150), 24, 1.0), (400, 300))
    whole = Strip.of(line_drawings.on_paper(turned))
    sheared, rotated = levelled(whole, 0.1)
    for strip in (sheared, rotated):
        assert strip.pixels.shape[0] < 150 < whole.pixels.shape[0], "the line is level"
        height, width = strip.pixels.shape[:2]
        middle = strip.matrix @ [width / 2, height / 2, 1]
        assert np.abs(middle - [200, 150]).max() < 60, "the matrix leads back to the picture"
    assert levelled(Strip.of(line_drawings.on_paper(ink)), 0.1) == []
    assert levelled(Strip.of(np.full((60, 200), 200, np.uint8)), 0.1) == []
