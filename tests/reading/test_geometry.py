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


def test_an_engine_may_place_a_character_beyond_the_page():
    picture = Picture(np.zeros((10, 10), np.uint8), 10, 10)
    assert source_box((-5, -5, -1, 30), picture) == Box(0, 0, 1, 10)
    assert source_box((12, 3, 15, 4), picture) == Box(9, 3, 1, 1)


def test_a_miss_by_a_rounding_error_adds_no_pixel():
    picture = Picture(np.zeros((9, 9), np.uint8), 9, 9)
    assert source_box((2 - 1e-9, 3 + 1e-9, 5 + 1e-9, 6 - 1e-9), picture) == Box(2, 3, 3, 3)
