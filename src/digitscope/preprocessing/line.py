"""From a cut-out line of writing to what a line reader sees: a field of ink 32 pixels high, or the line cleaned.

It finds no lines and reads none.
"""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels

SEPARATORS = ".,-/="
"""What may stand inside a number as it is written."""

OTHER = "?"
"""A mark that is neither digit nor separator, such as a letter, a plus sign or the rule between two columns."""

ALPHABET = "0123456789" + SEPARATORS + OTHER
"""The characters a line reader answers with, in the order of its classes 1, 2, ...; class 0 is the CTC blank."""

CLASSES = 1 + len(ALPHABET)

HEIGHT = 32
"""Height of a line field in pixels."""

REACH = 11
"""Pixels of a field; every stroke is narrower, so that what an opening of this size takes away is pen."""

NEAR = 21
"""Pixels of the neighbourhood in which the rarer of dark and light is the pen. Of 21, 33, 41 and 65 the most reliable
on synthetic lines (1.1 % wrong)."""

FULL, FAINT = 0.985, 12.0
"""Quantile of the contrast that counts as full pen, and the fewest grey levels for that, so that blank paper
stays blank."""

CLEAN_HEIGHT, CLEAN_INK, CLEAN_FROM, CLEAN_OVER = 96, 220.0, 0.3, 0.5
"""Of a cleaned line: its height, how many grey levels its pen is darker than its paper, the share of full pen at which
drawing starts, and the range of shares over which it grows to all of it."""


def line_field(pixels: Levels) -> Floats:
    """A cut-out line as the network sees it: 0 = paper, 1 = pen, whatever the colours and the light.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).

    Returns:
        float32 (``HEIGHT``, w') 0..1, in the same proportions, w' even and at least 8.
    """
    height, width = pixels.shape[:2]
    return _pen(pixels, (max(8, 2 * round(width * HEIGHT / height / 2)), HEIGHT), NEAR, REACH)


def clean(pixels: Levels) -> Levels:
    """A cut-out line as dark pen on white paper, uint8 (``CLEAN_HEIGHT``, w'), in the same proportions.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
    """
    height, width = pixels.shape[:2]
    size = max(8, round(width * CLEAN_HEIGHT / height)), CLEAN_HEIGHT
    scale = CLEAN_HEIGHT // HEIGHT
    pen = _pen(pixels, size, NEAR * scale, REACH * scale)
    return np.asarray(255 - CLEAN_INK * np.clip((pen - CLEAN_FROM) / CLEAN_OVER, 0, 1), np.uint8)


def one_grey(pixels: Levels, near: int) -> Floats:
    """One grey that grows towards the pen, float32 (h, w): along the colours' main direction, the rarer side up.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
        near: pixels of the neighbourhood with which each pixel is compared.
    """
    values = pixels.astype(np.float32)
    if values.ndim == 3:
        away = (values - cv2.blur(values, (near, near))).reshape(-1, 3)
        values = values @ np.linalg.eigh(away.T @ away)[1][:, -1].astype(np.float32)
    away = values - cv2.blur(values, (near, near))
    return values if float((away * away * away).sum()) > 0 else -values


def _pen(pixels: Levels, size: tuple[int, int], near: int, reach: int) -> Floats:
    """The pen in pixels resized to (width, height), float32 0..1: what an opening takes away, 1 = full pen.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
        size: width and height of the result.
        near: as for ``one_grey``.
        reach: side of the opening in pixels of the result.
    """
    interpolation = cv2.INTER_AREA if pixels.shape[0] > size[1] else cv2.INTER_LINEAR
    grey = one_grey(np.asarray(cv2.resize(pixels, size, interpolation=interpolation), np.uint8), near)
    paper = cv2.blur(cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((reach, reach), np.uint8)), (reach, reach))
    contrast = grey - paper
    full = int(FULL * contrast.size)
    pen = np.partition(contrast, full, axis=None)[full]
    return np.asarray(np.clip(contrast / max(float(pen), FAINT), 0, 1), np.float32)
