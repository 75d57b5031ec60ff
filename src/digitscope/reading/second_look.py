"""A second look at a digit that is a number by itself: the network for single digits must not be sure of another one.

The network for lines reads a digit best among its neighbours; alone, the other one knows more forms of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from digitscope.arraytypes import Levels
from digitscope.io.elements import Box, Number
from digitscope.io.pixels import Picture
from digitscope.models.model import Model
from digitscope.reading.digit import read_digit
from digitscope.reading.page import UNCERTAIN

MARGIN = 0.2
"""Paper around the digit that is shown to the other network, in sides of its box."""


def second_look(number: Number, picture: Picture, degrees: int, model: Model) -> Number:
    """A number of one digit, refused if the network for single digits is sure of another one.

    Args:
        number: accepted, on a page.
        picture: the page.
        degrees: 0 | 90 | 180 | 270 by which it was turned counter-clockwise to be read.
        model: a classifier of 28x28 digits.
    """
    if number.box is None:
        return number
    cut = np.ascontiguousarray(np.rot90(_cut(picture, number.box), degrees // 90))
    other = read_digit(Picture(cut, cut.shape[1], cut.shape[0]), model).text
    return number if other in (None, number.text) else replace(number, text=None, reason=UNCERTAIN)


def _cut(picture: Picture, box: Box) -> Levels:
    """The pixels in a box of the source, and a margin around it."""
    height, width = picture.pixels.shape[:2]
    x, y = width / picture.width, height / picture.height
    margin = MARGIN * max(box.width, box.height)
    left, top = round((box.x - margin) * x), round((box.y - margin) * y)
    right, bottom = round((box.x + box.width + margin) * x), round((box.y + box.height + margin) * y)
    return picture.pixels[max(top, 0) : bottom, max(left, 0) : right]
