"""Numbers and what stands among them, drawn for the tests of reading: several hands, on several papers."""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.datasets.synthetic.handwriting import curve

HANDS = {
    "school": ({"1": 0, "4": 1, "7": 0, "9": 0, "2": 2, "5": 3, "3": 0, "6": 0, "8": 1}, 4, 0.0),
    "thin": ({"1": 2, "4": 4, "7": 1, "9": 0, "2": 0, "5": 1, "3": 3, "6": 2, "8": 0}, 2, 0.1),
    "bold": ({"1": 5, "4": 5, "7": 2, "9": 3, "2": 3, "5": 0, "3": 1, "6": 1, "8": 4}, 7, 0.15),
}
"""Who writes: the form of each digit in ``handwriting.FORMS``, the pen's width in pixels, the slant."""

PAPERS = ("white", "grey", "squared", "dark")

MARKS = {
    "÷": "0,50 56,48; 26,22 29,26; 27,74 30,79",
    ":": "0,28 3,33; 0,72 3,77",
    "|": "2,-22 2,122",
}
"""Marks that are no digits, as in ``handwriting.FORMS`` but of straight strokes."""

SIZE = 44
"""Height of a digit in pixels."""


def strokes(text: str, hand: str = "school", gap: float = 0.18, wide: float = 0.5) -> tuple[list[Floats], float]:
    """The strokes of a text from (0, 0) on, in pixels, and its width; a space is ``wide`` digit heights wide."""
    forms, _, slant = HANDS[hand]
    rng = np.random.default_rng(len(text))
    drawn: list[Floats] = []
    x = 0.0
    for character in text:
        if character == " ":
            x += SIZE * wide
            continue
        if character in MARKS:
            shape = [np.array([p.split(",") for p in s.split()], np.float32) / 100 for s in MARKS[character].split(";")]
        else:
            shape = curve(character, forms.get(character, 0), rng, 0.01)
        shape = [SIZE * (stroke + (0.5 - stroke[:, 1:]) * np.array([slant, 0.0])) for stroke in shape]
        left, right = (float(f(np.concatenate(shape)[:, 0])) for f in (np.min, np.max))
        drawn += [np.asarray(stroke + np.array([x - left, 0.0]), np.float32) for stroke in shape]
        x += right - left + SIZE * gap
    return drawn, x - SIZE * gap


def page(
    shape: tuple[int, int], placed: list[tuple[str, float, float]], hand: str = "school", **spread: float
) -> Levels:
    """Ink uint8 (h, w), 255 = pen: each text with its left upper corner at (x, y)."""
    ink = np.zeros(shape, np.uint8)
    for text, x, y in placed:
        drawn = [
            np.rint((stroke + np.array([x, y])) * 16).astype(np.int32)[:, None]
            for stroke in strokes(text, hand, **spread)[0]
        ]
        cv2.polylines(ink, drawn, False, 255, HANDS[hand][1], cv2.LINE_AA, 4)
    return ink


def line(text: str, hand: str = "school", **spread: float) -> Levels:
    """Ink uint8 (88, w), 255 = pen, of one line of text with a margin."""
    return page(
        (2 * SIZE, round(strokes(text, hand, **spread)[1]) + SIZE), [(text, SIZE / 2, SIZE / 2)], hand, **spread
    )


def on_paper(ink: Levels, paper: str = "white", seed: int = 0) -> Levels:
    """Ink on a paper of ``PAPERS``, uint8 (h, w) grey."""
    height, width = ink.shape
    rng = np.random.default_rng(seed)
    sheet = np.full((height, width), 250, np.float32)
    if paper == "grey":
        sheet = np.linspace(215, 165, width, dtype=np.float32) + rng.normal(0, 4, (height, width))
    if paper == "squared":
        sheet[::22] = sheet[:, 5::22] = 205
    drawn = sheet * (1 - 0.8 * ink.astype(np.float32) / 255)
    levels = cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), 0.7).clip(0, 255).astype(np.uint8)
    return np.asarray(255 - levels if paper == "dark" else levels, np.uint8)
