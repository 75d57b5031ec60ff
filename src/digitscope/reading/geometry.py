"""Coordinates: from a rectangle on a picture that was reduced and turned, back to a box in pixels of its source."""

from __future__ import annotations

import math

from digitscope.io.elements import Box
from digitscope.io.pixels import Picture

Rectangle = tuple[float, float, float, float]
"""Left, top, right and bottom of a rectangle, in pixels."""

ROUNDING_ERROR = 1e-6
"""Pixels by which a computed side may miss a whole number."""


def source_box(rectangle: Rectangle, picture: Picture, degrees: int = 0) -> Box:
    """The box of a rectangle in pixels of the source: rounded outwards, within the source, never empty.

    Args:
        rectangle: in pixels of the picture after it was turned.
        picture: the picture before it was turned, with the size of its source.
        degrees: 0 | 90 | 180 | 270 by which it was turned counter-clockwise.

    >>> import numpy as np
    >>> source_box((1, 2, 3.4, 4), Picture(np.zeros((10, 20), np.uint8), width=40, height=20))
    Box(x=2, y=4, width=5, height=4)
    """
    height, width = picture.pixels.shape[:2]
    left, top, right, bottom = _turned_back(rectangle, degrees, width, height)
    x, across = _whole_pixels(left, right, width, picture.width)
    y, down = _whole_pixels(top, bottom, height, picture.height)
    return Box(x, y, across, down)


def turned_box(box: Box, degrees: int, width: int, height: int) -> Box:
    """A box on a picture of ``width`` x ``height``, on the same picture turned by ``degrees`` counter-clockwise.

    >>> turned_box(Box(1, 2, 3, 4), 90, 20, 10), turned_box(Box(1, 2, 3, 4), 270, 20, 10)
    (Box(x=2, y=16, width=4, height=3), Box(x=4, y=1, width=4, height=3))
    """
    right, bottom = width - box.x - box.width, height - box.y - box.height
    if degrees == 90:
        return Box(box.y, right, box.height, box.width)
    if degrees == 180:
        return Box(right, bottom, box.width, box.height)
    if degrees == 270:
        return Box(bottom, box.x, box.height, box.width)
    return box


def _turned_back(rectangle: Rectangle, degrees: int, width: int, height: int) -> Rectangle:
    """A rectangle on a turned picture, on the picture of ``width`` x ``height`` as it was before."""
    left, top, right, bottom = rectangle
    if degrees == 90:
        return width - bottom, left, width - top, right
    if degrees == 180:
        return width - right, height - bottom, width - left, height - top
    if degrees == 270:
        return top, height - right, bottom, height - left
    return rectangle


def _whole_pixels(low: float, high: float, side: int, source: int) -> tuple[int, int]:
    """First pixel and number of pixels of a span along one side, which has ``source`` pixels in the source."""
    first = min(max(0, math.floor(low * source / side + ROUNDING_ERROR)), source - 1)
    end = min(math.ceil(high * source / side - ROUNDING_ERROR), source)
    return first, max(1, end - first)
