"""Items of a review queue for tests: a drawn number with its place in a page."""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.io.elements import Box
from digitscope.review.items import DIGIT, LINE, Item


def drawn(text: str, size: float = 2.0) -> np.ndarray:
    """A text in dark grey on light paper, with its margin."""
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 4)
    paper = np.full((height + 60, width + 60), 235, np.uint8)
    cv2.putText(paper, text, (30, height + 30), cv2.FONT_HERSHEY_SIMPLEX, size, 40, 4, cv2.LINE_AA)
    return paper


def item(number: int, guess: str = "12", kind: str = LINE, written: str | None = None, **other: object) -> Item:
    """An item whose crop shows what is written, by default what the guess says."""
    pixels = drawn(guess if written is None else written)
    height, width = pixels.shape
    values: dict[str, object] = {
        "file": f"scan-{number}.png", "page": 1, "box": Box(3, 4, 50, 20), "kind": kind, "guess": guess,
        "confidence": 0.75, "reason": "too uncertain", "crop": cv2.imencode(".png", pixels)[1].tobytes(),
        "frame": Box(20, 20, width - 40, height - 40),
    }  # fmt: skip
    return Item(**(values | other))  # type: ignore[arg-type]


def digit(number: int, guess: str = "7", **other: object) -> Item:
    """An item of a single digit."""
    return item(number, guess, DIGIT, **other)  # type: ignore[arg-type]
