"""The second look at a digit that is a number by itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from digitscope.io.elements import Box, Digit, Number
from digitscope.io.image import load_picture
from digitscope.io.pixels import Picture
from digitscope.models.model import Model, load
from digitscope.reading.geometry import source_box
from digitscope.reading.page import LONGEST, UNCERTAIN
from digitscope.reading.reader import DIGIT_MODEL
from digitscope.reading.second_look import second_look
from line_drawings import SIZE, on_paper, page


@pytest.fixture(scope="module")
def model() -> Model:
    return load(DIGIT_MODEL)


def seen(said: str, box: Box) -> Number:
    """A number that was read surely."""
    return Number(said, said, said, 0.99, 1.0, box, None, (Digit(said, box, (0.1,) * 10),))


def drawn(digit: str) -> tuple[Picture, Box]:
    """A page with a digit and, further away, another one."""
    ink = page((200, 300), [(digit, 60, 70), ("8", 220, 70)])
    part = np.argwhere(ink[:, :150])
    (top, left), (bottom, right) = part.min(axis=0), part.max(axis=0)
    box = Box(int(left), int(top), int(right - left) + 1, int(bottom - top) + 1)
    return load_picture(on_paper(ink), LONGEST), box


@pytest.mark.parametrize("digit", "0123456789")
def test_another_digit_is_refused_and_the_same_kept(model: Model, digit: str):
    picture, box = drawn(digit)
    assert box.height > SIZE / 2
    kept = second_look(seen(digit, box), picture, 0, model)
    assert kept.text == digit and kept.reason is None
    other = str((int(digit) + 3) % 10)
    refused = second_look(seen(other, box), picture, 0, model)
    assert (refused.text, refused.best_guess, refused.reason) == (None, other, UNCERTAIN)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_page_is_turned_back_first(model: Model, turns: int):
    """A page that was turned by so many quarters counter-clockwise to be read; its box is on the page as it came."""
    upright, box = drawn("7")
    pixels = np.ascontiguousarray(np.rot90(upright.pixels, -turns))
    came = Picture(pixels, pixels.shape[1], pixels.shape[0])
    there = source_box((box.x, box.y, box.x + box.width, box.y + box.height), came, 90 * turns)
    assert second_look(seen("7", there), came, 90 * turns, model).text == "7"
    assert second_look(seen("2", there), came, 90 * turns, model).text is None


def test_a_reduced_page_keeps_its_places(model: Model):
    picture, box = drawn("5")
    wide = dataclasses.replace(picture, width=2 * picture.width, height=2 * picture.height)
    large = Box(2 * box.x, 2 * box.y, 2 * box.width, 2 * box.height)
    assert second_look(seen("5", large), wide, 0, model).text == "5"
    assert second_look(seen("3", large), wide, 0, model).text is None
