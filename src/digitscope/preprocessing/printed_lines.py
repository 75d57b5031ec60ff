"""Printed lines around a digit, cell borders and ruling: which of a picture's long straight runs they are.

A digit has straight bars too, and a bar that ends near the rim looks like a line. What to do about that is decided in
``preprocessing.ink``.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Mask

NARROW = 12
"""A picture with a shorter side of at most this many pixels is too narrow to have ruling."""

NEAR_RIM = 0.06
"""What is closer to the rim than this share of a side reaches it."""

LINE_RUN, LINE_LENGTH, LINE_WIDTH = 0.15, 0.7, 0.12
"""Of a printed line, as shares of the picture's side: the level runs it is made of, its smallest length, and its
greatest thickness unless it is a border."""

LINE_TILT, LINE_RIM = 0.2, 0.25
"""How far a printed line may rise across the picture, and how far from the rim a border may be."""

LINE_BEND = 0.006
"""Greatest standard deviation of a printed line from a straight one, as a share of the picture's side. Of lines drawn
with the tilt, bow, blur and noise of photos, 99 % are straighter; of the bars and stems of MNIST digits, 2 %."""


def level_lines(mask: Mask) -> Mask:
    """Nearly level lines, too long and too straight for a digit: along the upper or lower rim, or across the picture.

    A straight line is fitted to each long run of the mask, through the columns where the run has its usual thickness;
    so a stroke that crosses it neither hides it nor becomes part of it.
    """
    height, width = mask.shape
    thicker = cv2.dilate(mask.astype(np.uint8), np.ones((3, 1), np.uint8))
    run = np.ones((1, max(3, round(LINE_RUN * width))), np.uint8)
    labels, (left, _, length, _, _) = parts_of((cv2.morphologyEx(thicker, cv2.MORPH_OPEN, run) > 0) & mask)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    lines = np.zeros_like(mask)
    for part in np.flatnonzero(length[1:] > LINE_LENGTH * width) + 1:
        pixels = labels == part
        thickness = pixels.sum(axis=0)
        usual = float(np.median(thickness[thickness > 0]))
        plain = np.flatnonzero((thickness > 0) & (thickness <= 1.5 * usual))
        middle = (pixels * rows).sum(axis=0)[plain] / thickness[plain]
        slope, start = np.polyfit(plain, middle, 1)
        course = slope * columns + start
        high, low = min(course[0], course[-1]) - usual / 2, max(course[0], course[-1]) + usual / 2
        border = low <= LINE_RIM * height or high >= (1 - LINE_RIM) * height
        outside = high < NEAR_RIM * height or low > (1 - NEAR_RIM) * height
        across = left[part] < NEAR_RIM * width and left[part] + length[part] > (1 - NEAR_RIM) * width
        straight = np.std(middle - course[plain]) < LINE_BEND * width and abs(slope) < LINE_TILT * height / width
        if straight and ((across and usual < LINE_WIDTH * height) or (border and (across or outside))):
            lines |= np.abs(rows - course) <= usual / 2 + 2
    return lines


def parts_of(mask: Mask) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Labels (h, w) of the connected parts, 0 = none, and their left, top, width, height, area: int32 (5, parts)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return np.asarray(labels, np.int32), np.asarray(stats.T, np.int32)
