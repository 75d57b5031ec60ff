"""Boxes found on a picture that was reduced and turned come back in pixels of its source."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitscope.io.elements import Box
from digitscope.io.pixels import Picture
from digitscope.reading.geometry import source_box


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_boxes_come_back_from_a_turned_and_reduced_page(degrees: int, scale: int):
    page = np.zeros((40, 60), np.uint8)
    page[5:9, 20:30] = 255  # x=20 y=5 10x4
    ys, xs = np.nonzero(np.rot90(page, degrees // 90))
    sides = int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1
    expected = Box(20 * scale, 5 * scale, 10 * scale, 4 * scale)
    assert source_box(sides, Picture(page, 60 * scale, 40 * scale), degrees) == expected


@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.tuples(st.integers(0, 2000), st.integers(0, 2000)),
    st.sampled_from([0, 90, 180, 270]),
    st.tuples(*[st.floats(-20, 120)] * 4),
)
def test_a_box_holds_the_rectangle_and_stays_within_the_source(
    shape: tuple[int, int], more: tuple[int, int], degrees: int, sides: tuple[float, float, float, float]
):
    height, width = shape
    left, right, top, bottom = *sorted(sides[:2]), *sorted(sides[2:])
    picture = Picture(np.zeros(shape, np.uint8), width + more[0], height + more[1])
    box = source_box((left, top, right, bottom), picture, degrees)
    assert 0 <= box.x < box.x + box.width <= picture.width and 0 <= box.y < box.y + box.height <= picture.height
    if degrees == 0 and left >= 0 and top >= 0 and right <= width and bottom <= height:
        across, down = picture.width / width, picture.height / height
        assert box.x <= left * across + 1e-4 and right * across - 1e-4 <= box.x + box.width <= right * across + 2
        assert box.y <= top * down + 1e-4 and bottom * down - 1e-4 <= box.y + box.height <= bottom * down + 2


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ((2.25, 3.75, 5.75, 6.25), Box(2, 3, 4, 4)),  # to the nearest would be 2, 4, 4, 2; inwards 3, 4, 2, 2
        ((2.75, 3.25, 5.25, 6.75), Box(2, 3, 4, 4)),
        ((0.25, 0.75, 0.5, 0.875), Box(0, 0, 1, 1)),
        ((4, 5, 6, 7), Box(4, 5, 2, 2)),
    ],
)
def test_a_box_is_rounded_outwards_however_the_page_was_turned(
    sides: tuple[float, float, float, float], expected: Box, degrees: int
):
    """No pixel that the rectangle touches is lost, and none is added."""
    left, top, right, bottom = sides
    width, height = 11, 9
    turned = {
        0: sides,
        90: (top, width - right, bottom, width - left),
        180: (width - right, height - bottom, width - left, height - top),
        270: (height - bottom, left, height - top, right),
    }
    assert source_box(turned[degrees], Picture(np.zeros((height, width), np.uint8), width, height), degrees) == expected


@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.tuples(st.integers(0, 2000), st.integers(0, 2000)),
    st.tuples(*[st.floats(0, 1)] * 4),
)
def test_a_rectangle_on_the_picture_lies_within_its_box_and_touches_each_side_of_it(
    shape: tuple[int, int], more: tuple[int, int], shares: tuple[float, float, float, float]
):
    height, width = shape
    picture = Picture(np.zeros(shape, np.uint8), width + more[0], height + more[1])
    (left, right), (top, bottom) = sorted(shares[:2]), sorted(shares[2:])
    box = source_box((left * width, top * height, right * width, bottom * height), picture)
    for low, high, start, size, side in (
        (left, right, box.x, box.width, picture.width),
        (top, bottom, box.y, box.height, picture.height),
    ):
        assert start <= low * side + 2e-6 and high * side - 2e-6 <= start + size
        assert size == 1 or (low * side < start + 1 + 2e-6 and high * side > start + size - 1 - 2e-6)


def test_an_engine_may_place_a_character_beyond_the_page():
    picture = Picture(np.zeros((10, 10), np.uint8), 10, 10)
    assert source_box((-5, -5, -1, 30), picture) == Box(0, 0, 1, 10)
    assert source_box((12, 3, 15, 4), picture) == Box(9, 3, 1, 1)


def test_a_miss_by_a_rounding_error_adds_no_pixel():
    picture = Picture(np.zeros((9, 9), np.uint8), 9, 9)
    assert source_box((2 - 1e-9, 3 + 1e-9, 5 + 1e-9, 6 - 1e-9), picture) == Box(2, 3, 3, 3)
