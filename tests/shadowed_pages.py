"""Photos of several digits on a sheet that lies partly in shadow: behind a straight edge, or below a hand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from digitscope.datasets.mnist import load_mnist

sys.path.append(str(Path(__file__).parents[1] / "examples"))

from make_digits import PENS, paper, write

SIDE = 110
"""Pixels of the square in which a digit is written."""


class Photo(NamedTuple):
    """A photo, uint8 (h, w, 3); the digits on it, and the middle (x, y) of each, in reading order."""

    pixels: np.ndarray
    digits: list[int]
    middles: list[tuple[float, float]]


def shadow(kind: str, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Where a shadow lies, float32 (h, w) 0..1: ``half`` of the sheet behind an edge, or a ``hand`` and its arm.

    A finger is about half as wide as a digit's square.
    """
    lies = np.zeros((height, width), np.float32)
    if kind == "half":
        angle, (x, y) = rng.uniform(0, 2 * np.pi), (rng.uniform(0.35, 0.65) * width, rng.uniform(0.35, 0.65) * height)
        rows, columns = np.mgrid[:height, :width]
        lies[(columns - x) * np.cos(angle) + (rows - y) * np.sin(angle) > 0] = 1
        return cv2.GaussianBlur(lies, (0, 0), rng.uniform(0.6, 3))
    palm = np.array([rng.uniform(0.25, 0.75) * width, rng.uniform(0.85, 1.1) * height])
    ends = [(np.array([rng.uniform(-0.2, 0.2) * width, height]), 1.6)]
    for degrees, long in zip(rng.uniform(-8, 8) + np.array([-140, -108, -88, -68]), (1.5, 2, 2.1, 1.8), strict=True):
        ends.append((long * SIDE * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]), 0.55))
    cv2.circle(lies, palm.astype(int).tolist(), int(0.95 * SIDE), 1, -1)
    for end, wide in ends:
        cv2.line(lies, palm.astype(int).tolist(), (palm + end).astype(int).tolist(), 1, int(wide * SIDE))
    return cv2.GaussianBlur(lies, (0, 0), rng.uniform(1, 5))


def photo(kind: str, depth: float, seed: int, sheet: str = "plain") -> Photo:
    """A photo of four to eight of MNIST's training digits in two rows.

    Args:
        kind: of the shadow.
        depth: share 0..1 of the light that it takes.
        seed: of what is left to chance.
        sheet: the paper, as ``examples/make_digits.py`` names it.
    """
    (images, labels), _ = load_mnist()
    rng = np.random.default_rng(seed)
    pen = list(PENS)[int(rng.integers(3))]
    rows, columns = 2, int(rng.integers(2, 5))
    chosen = rng.integers(0, len(images), rows * columns)
    page = paper(sheet, max(columns, rows) * SIDE + 40, rng)[: rows * SIDE + 40, : columns * SIDE + 40]
    middles = []
    for i, index in enumerate(chosen):
        top, left = 20 + i // columns * SIDE, 20 + i % columns * SIDE
        square = page[top : top + SIDE, left : left + SIDE]
        square[:] = write(square, images[index], pen, rng)
        middles.append((left + SIDE / 2, top + SIDE / 2))
    lies = shadow(kind, *page.shape[:2], rng)
    page = page * (1 - depth * lies)[..., None] + rng.normal(0, 2, page.shape)
    return Photo(np.clip(page, 0, 255).astype(np.uint8), labels[chosen].tolist(), middles)
