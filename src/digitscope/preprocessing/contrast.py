"""The contrast of pen and paper: how far each pixel is from its paper, whatever the colours and the light.

It does not decide what is ink; that is ``preprocessing.ink``.
"""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.io.pixels import reduced
from digitscope.preprocessing.cut_out import paper_of_cut_out

COARSE, MIDDLE = 64, 200
"""Pixels of the longer side of the reduced pictures in which the colour of the pen and the paper are found."""

STROKE_REACH = 0.33
"""Everything at least this wide is paper, not a stroke; a share of the picture's longer side."""


def contrast_of(pixels: Levels, cut_out: bool) -> Floats:
    """How far each pixel is from its paper, float32 (h, w) in grey levels, pen positive.

    A picture that was cut out has one paper colour. In a larger one, a morphological opening that no stroke survives
    keeps paper, light and the edges of shadows of any shape, and what it takes away is the contrast. Its second half
    reaches a pixel further than its first, so that the blur of a sharp shadow does not count as a line.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
        cut_out: whether it is a digit that was cut out, see ``preprocessing.cut_out``.
    """
    height, width = pixels.shape[:2]
    if cut_out:
        away = pixels - paper_of_cut_out(pixels)
        return np.asarray(_towards_pen(away, away), np.float32)
    small = reduced(pixels, COARSE)
    window = max(small.shape[:2]) // 2
    wider = cv2.copyMakeBorder(small, window, window, window, window, cv2.BORDER_REFLECT)
    median = cv2.medianBlur(wider, 2 * (window // 2) + 1)[window:-window, window:-window]
    grey = _towards_pen(pixels.astype(np.float32), small.astype(np.float32) - median)
    middle = cv2.GaussianBlur(reduced(grey, MIDDLE), (3, 3), 0)
    reach = round(STROKE_REACH * max(middle.shape))
    opened = cv2.dilate(cv2.erode(middle, np.ones((reach, reach))), np.ones((reach + 2, reach + 2)))
    contrast = grey - cv2.resize(opened, (width, height))
    return np.asarray(contrast - np.median(contrast), np.float32)


def grain_of(contrast: Floats) -> float:
    """Standard deviation of a picture's fine noise, estimated from the median so that strokes do not count."""
    return 1.4826 * float(np.median(np.abs(contrast - cv2.GaussianBlur(contrast, (0, 0), 2))))


def _towards_pen(pixels: Floats, away: Floats) -> Floats:
    """Pixels as one grey that grows towards the pen, along the direction in which most of ``away`` lies.

    Args:
        pixels: float32 (h, w) or (h, w, 3).
        away: the same or a smaller picture, paper taken off.
    """
    if away.ndim == 3:
        flat = away.reshape(-1, 3)
        direction = np.linalg.eigh(flat.T @ flat)[1][:, -1].astype(np.float32)
        pixels, away = pixels @ direction, away @ direction
    skew = float((cv2.GaussianBlur(away, (3, 3), 0).astype(np.float64) ** 3).sum())
    return pixels if skew > 0 else -pixels
