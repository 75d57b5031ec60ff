"""Finding lines of writing on pages made here, and the field that the line reader sees."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitscope.datasets.mnist import load_mnist
from digitscope.preprocessing.line import HEIGHT, line_field
from digitscope.reading.detection import Strip, find_lines


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
