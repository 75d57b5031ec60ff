"""A cut-out line of writing as the line reader sees it: pixels in, a field of ink out."""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels

HEIGHT = 32
"""Pixels of height of a line field."""


REACH = 11
"""Pixels, of a field's height, that a stroke is narrower than: what an opening of this size takes away is pen."""


NEAR = 21
"""Pixels of the neighbourhood in which the rarer of dark and light is the pen; of 21, 33, 41 and 65 the surest on
made-up lines (1.1 % wrong)."""


FAINT = 12.0
"""Grey levels that are full pen at least, so that blank paper stays blank."""


CLEAN_HEIGHT, CLEAN_INK, CLEAN_FROM, CLEAN_OVER = 96, 220.0, 0.3, 0.5
"""Height of a line with clean paper, grey levels that its pen is darker than its paper, the share of full pen from
which on it is drawn, and the share over which it grows to all of it."""


def line_field(pixels: Levels) -> Floats:
    """A cut-out line as the network sees it: 0 = paper, 1 = pen, whatever the colours and the light.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).

    Returns:
        float32 (HEIGHT, w') 0..1, the proportions kept, w' even and at least 8.
    """
    height, width = pixels.shape[:2]
    return _pen(pixels, (max(8, 2 * round(width * HEIGHT / height / 2)), HEIGHT), NEAR, REACH)


def clean(pixels: Levels) -> Levels:
    """A cut-out line as dark pen on white paper, uint8 (``CLEAN_HEIGHT``, w), the proportions kept.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
    """
    height, width = pixels.shape[:2]
    size = max(8, round(width * CLEAN_HEIGHT / height)), CLEAN_HEIGHT
    scale = CLEAN_HEIGHT // HEIGHT
    pen = _pen(pixels, size, NEAR * scale, REACH * scale)
    return np.asarray(255 - CLEAN_INK * np.clip((pen - CLEAN_FROM) / CLEAN_OVER, 0, 1), np.uint8)


def _pen(pixels: Levels, size: tuple[int, int], near: int, reach: int) -> Floats:
    """Pixels of another size (width, height) as pen 0..1: what a broad brush takes away."""
    way = cv2.INTER_AREA if pixels.shape[0] > size[1] else cv2.INTER_LINEAR
    grey = one_grey(np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8), near)
    paper = cv2.blur(cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((reach, reach), np.uint8)), (reach, reach))
    contrast = grey - paper
    pen = np.partition(contrast, int(0.985 * contrast.size), axis=None)[int(0.985 * contrast.size)]
    return np.asarray(np.clip(contrast / max(float(pen), FAINT), 0, 1), np.float32)


def one_grey(pixels: Levels, near: int) -> Floats:
    """Float32 (h, w) that grows towards the pen: along the colours' main direction, the rarer side up."""
    values = pixels.astype(np.float32)
    if values.ndim == 3:
        away = (values - cv2.blur(values, (near, near))).reshape(-1, 3)
        values = values @ np.linalg.eigh(away.T @ away)[1][:, -1].astype(np.float32)
    away = values - cv2.blur(values, (near, near))
    return values if float((away * away * away).sum()) > 0 else -values


ALPHABET = "0123456789.,-/="
"""The characters a line reader answers with, in the order of its classes 1, 2, ...; class 0 is the CTC blank."""


CLASSES = 1 + len(ALPHABET)
