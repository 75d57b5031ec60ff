"""Printed words and boxes of forms beside handwritten numbers: the numbers are read without them, or refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitscope.arraytypes import Levels
from digitscope.io.image import load_picture
from digitscope.reading.page import LONGEST, PageReader
from line_drawings import HANDS, on_paper, page

FORM = (("Total", "2486"), ("Phone", "95302"), ("Zip code", "8057"))
"""Labels, and what is written beside them."""


@pytest.fixture(scope="module")
def reader() -> PageReader:
    return PageReader()


def printed(ink: Levels, words: list[tuple[str, float, float]], size: float = 30) -> Levels:
    """Ink uint8 (h, w) with words printed into it, each with its left upper corner at (x, y)."""
    image = Image.fromarray(ink)
    for word, x, y in words:
        ImageDraw.Draw(image).text((x, y), word, 255, font=ImageFont.load_default(size))
    return np.asarray(image)


def said(reader: PageReader, pixels: Levels) -> list[str]:
    """The numbers that are answered, from top to bottom."""
    return [number.text for number in reader.numbers(load_picture(pixels, LONGEST))[1] if number.text is not None]


@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize("paper", ["white", "grey"])
def test_labels_left_of_the_fields_are_no_part_of_the_numbers(reader: PageReader, hand: str, paper: str):
    ink = page((420, 700), [(text, 260.0, 60.0 + 120 * row) for row, (_, text) in enumerate(FORM)], hand, gap=0.25)
    ink = printed(ink, [(label + ":", 40, 70 + 120 * row) for row, (label, _) in enumerate(FORM)])
    answers = said(reader, on_paper(ink, paper))
    assert set(answers) <= {text for _, text in FORM}
    assert len(answers) >= 2


@pytest.mark.parametrize("hand", HANDS)
def test_labels_above_boxes_are_no_part_of_the_numbers(reader: PageReader, hand: str):
    ink = page((460, 520), [(text, 90.0, 80.0 + 145 * row) for row, (_, text) in enumerate(FORM)], hand, gap=0.25)
    for row in range(len(FORM)):
        cv2.rectangle(ink, (60, 62 + 145 * row), (440, 142 + 145 * row), 200, 2)
    ink = printed(ink, [(label, 62, 32 + 145 * row) for row, (label, _) in enumerate(FORM)], 22)
    answers = said(reader, on_paper(ink))
    assert set(answers) <= {text for _, text in FORM}
    assert len(answers) >= 2


@pytest.mark.parametrize("paper", ["white", "squared"])
@pytest.mark.parametrize("hand", HANDS)
def test_a_word_in_the_row_of_a_table_parts_the_numbers(reader: PageReader, hand: str, paper: str):
    ink = page((110, 640), [("25", 40.0, 33.0), ("948", 400.0, 33.0)], hand, gap=0.25)
    pixels = on_paper(printed(ink, [("Meter kg", 170, 38)], 36), paper)
    found = reader.numbers(load_picture(pixels, LONGEST))[1]
    assert [number.best_guess for number in found] == ["25", "948"]


def test_a_page_of_print_without_numbers_has_none(reader: PageReader):
    words = ["Amount payable", "Name of student", "Date and place", "Signature"]
    ink = printed(np.zeros((420, 560), np.uint8), [(word, 50, 40 + 90 * row) for row, word in enumerate(words)], 34)
    assert said(reader, on_paper(ink)) == []
