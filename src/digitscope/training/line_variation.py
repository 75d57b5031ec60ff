"""How a line is varied each time the line network sees it, so that no batch is seen twice."""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.training.line_batches import Batch, Classes

BENT, BEND, BEND_STEP = 0.5, 0.8, 8
"""Share of the lines that are bent when they are seen; standard deviation in pixels of the way that each knot of a grid
goes, across and up or down, and the pixels between knots."""

THICKER, THINNER = 0.1, 0.1
"""Shares of the bent lines whose strokes become a pixel wider, or narrower."""

LEAN, STRETCH, SHIFT = 0.08, (0.88, 1.08), 1.0
"""How lines are varied when they are seen: standard deviation of their lean in widths per height, range of their height
as a share, standard deviation of the way up or down in pixels."""


def varied(batch: Batch, rng: np.random.Generator) -> tuple[Floats, Classes]:
    """A batch as the network takes it, so changed that no batch is seen twice.

    Some lines are bent. Each line is leaned, stretched and moved up or down a little, and its ink made weaker or
    stronger. All of that leaves its characters in their columns, or close to them.
    """
    height, width = batch[0].shape[1:]
    leans, sizes = rng.normal(0, LEAN, len(batch[0])), rng.uniform(*STRETCH, len(batch[0]))
    shifts = rng.normal(0, SHIFT, len(batch[0]))
    moved = np.empty_like(batch[0])
    bent = [_bent(line, rng) if rng.random() < BENT else line for line in batch[0]]
    for line, out, lean, size, shift in zip(bent, moved, leans, sizes, shifts, strict=True):
        middle = (height - 1) / 2
        matrix = np.array([[1, lean, -lean * middle], [0, size, middle * (1 - size) + shift]])
        cv2.warpAffine(line, matrix, (width, height), dst=out)
    power = rng.uniform(0.75, 1.35, (len(moved), 1, 1)).astype(np.float32)
    fields = (moved.astype(np.float32) * np.float32(1 / 255)) ** power
    return fields[..., None], np.concatenate(batch[1:], axis=1)


def _bent(line: Levels, rng: np.random.Generator) -> Levels:
    """A line uint8 (HEIGHT, w) whose parts go different ways, some with wider or narrower strokes.

    Smooth random displacements make other hands of the ones at hand (Simard, Steinkraus and Platt 2003).
    """
    height, width = line.shape
    knots = (2, height // BEND_STEP, width // BEND_STEP)
    across, down = (
        cv2.resize(way.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for way in rng.normal(0, BEND, knots)
    )
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    bent = cv2.remap(line, columns + across, rows + down, cv2.INTER_LINEAR)
    kind, square = rng.random(), np.ones((2, 2), np.uint8)
    if kind < THICKER:
        bent = cv2.dilate(bent, square)
    elif kind < THICKER + THINNER:
        bent = cv2.erode(bent, square)
    return np.asarray(bent, np.uint8)
