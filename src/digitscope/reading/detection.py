"""Line detection: where the lines of writing are on a page, cut out and made level.

Ink is what a morphological opening removes from the page; printed rules and blots are dropped. Characters next to each
other at about the same height form a line, whatever its slant. A crop that is itself one line needs no search.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from digitscope.arraytypes import Doubles, Floats, Levels, Mask
from digitscope.io.elements import Box
from digitscope.io.pixels import reduced
from digitscope.preprocessing.contrast import grain_of
from digitscope.preprocessing.ink import parts_holding
from digitscope.preprocessing.line import FAINT, line_field, one_grey

PAGE = 1000
"""Pixels of the longer side to which a page is reduced for the search."""

NOISE, CORE, EDGE = 5.0, 0.5, 0.25
"""The least contrast of ink in standard deviations of the paper's grain; where strokes begin and end, in shares of the
pen's contrast."""

SMALLEST, LARGEST = 0.012, 0.95
"""Least size of a character as a share of the page's longer side, and its greatest width and height as a share of the
page's own."""

TALLEST = 200
"""A shape higher than this, in pixels of the reduced page, is a margin line or a frame, not a character."""

LEVEL_RULE, UPRIGHT_RULE = 0.3, 0.8
"""A straight run over this share of the width, or of the height, is a printed rule."""

BLOT = 0.55
"""A shape is a blot and not a stroke if a disc fits in it with a diameter of this share of its longer side."""

APART = 3.0
"""Greatest gap between two neighbours on a line, in character heights."""

AROUND = 0.22
"""Margin of a cut-out line, as a share of its height."""


@dataclass(frozen=True, eq=False)
class Strip:
    """A line of writing cut out of a page.

    Attributes:
        box: where it is on the page, in the page's pixels.
        pixels: uint8 (h, w) or (h, w, 3), the line made level.
        matrix: float64 (2, 3), from pixels of the strip to pixels of the page.
    """

    box: Box
    pixels: Levels
    matrix: Doubles

    @classmethod
    def of(cls, pixels: Levels) -> Strip:
        """A whole picture that is itself one line, uint8 (h, w) or (h, w, 3)."""
        height, width = pixels.shape[:2]
        return cls(Box(0, 0, width, height), pixels, np.array([[1.0, 0, 0], [0, 1.0, 0]]))

    @cached_property
    def field(self) -> Floats:
        """Its ink, float32 (HEIGHT, w') 0..1: see ``preprocessing.line.line_field``."""
        return line_field(self.pixels)


def find_lines(pixels: Levels) -> list[Strip]:
    """The lines of writing on an upright page, from top to bottom; an empty list for an empty page.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
    """
    scale = min(1.0, PAGE / max(pixels.shape[:2]))
    boxes = _characters(_ink(reduced(pixels, PAGE)))
    lines = [strip for line in _grouped(boxes) if (strip := _cut(pixels, boxes[line] / scale)) is not None]
    return sorted(lines, key=lambda strip: (strip.box.y + strip.box.height / 2, strip.box.x))


def _ink(pixels: Levels) -> Mask:
    """What is written or printed on a page, bool (h, w), without rules."""
    longest = max(pixels.shape[:2])
    grey = one_grey(pixels, max(5, longest // 16) | 1)
    reach = np.ones([max(5, round(0.05 * longest))] * 2, np.uint8)
    paper = cv2.morphologyEx(cv2.GaussianBlur(grey, (3, 3), 0), cv2.MORPH_OPEN, reach)
    contrast = grey - cv2.blur(paper, reach.shape)
    contrast -= np.median(contrast)
    floor = max(FAINT, NOISE * grain_of(contrast))
    ink = contrast > floor
    if not ink.any():
        return ink
    pen = float(np.percentile(contrast[ink], 75))
    reached = (contrast > max(EDGE * pen, min(floor, CORE * pen))) & ~_rules(ink)
    return parts_holding(reached, contrast > CORE * pen)


def _rules(ink: Mask) -> Mask:
    """Printed rules: long straight runs, level or upright, except where a stroke crosses them."""
    image = ink.astype(np.uint8)
    height, width = ink.shape
    level = np.ones((1, max(25, round(LEVEL_RULE * width))), np.uint8)
    upright = np.ones((max(25, round(UPRIGHT_RULE * height)), 1), np.uint8)
    found = np.zeros(image.shape, bool)
    for run, thicker in ((level, (3, 1)), (upright, (1, 3))):
        thick = cv2.dilate(image, np.ones(thicker, np.uint8))
        found |= cv2.morphologyEx(thick, cv2.MORPH_OPEN, run, borderValue=0) > 0
    crossing = cv2.morphologyEx(image, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    return np.asarray(found & (crossing == 0) & ink)


def _characters(ink: Mask) -> Floats:
    """The boxes float32 (n, 4), left, top, right, bottom, of possible characters, without specks and blots."""
    number, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    height, width = ink.shape
    kept = []
    for part in range(1, number):
        x, y, w, h, area = (int(value) for value in stats[part])
        rule = w > LARGEST * width or h > max(LARGEST * height, TALLEST)
        if rule or max(w, h) < SMALLEST * max(height, width) or area < 6:
            continue
        inside = cv2.distanceTransform(np.pad(labels[y : y + h, x : x + w] == part, 1).astype(np.uint8), cv2.DIST_L2, 3)
        if 2 * float(inside.max()) > BLOT * max(w, h):
            continue
        kept.append((x, y, x + w, y + h))
    boxes = np.array(kept, np.float32).reshape(-1, 4)
    if len(boxes) == 0:
        return boxes
    heights = boxes[:, 3] - boxes[:, 1]
    usual = float(np.median(heights[heights >= 0.4 * heights.max()]))
    return boxes[(heights > 0.3 * usual) | (boxes[:, 2] - boxes[:, 0] > 0.5 * usual)]


def _grouped(boxes: Floats) -> list[list[int]]:
    """The indices of each line's boxes: chains of neighbours at about the same height and close to each other."""
    if len(boxes) == 0:
        return []
    tall = boxes[:, 3] - boxes[:, 1]
    usual = float(np.median(tall))
    parent = list(range(len(boxes)))

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    for a in range(len(boxes)):
        for b in range(a):
            overlap = min(boxes[a, 3], boxes[b, 3]) - max(boxes[a, 1], boxes[b, 1])
            gap = max(boxes[a, 0], boxes[b, 0]) - min(boxes[a, 2], boxes[b, 2])
            if overlap > 0.4 * min(tall[a], tall[b]) and gap < APART * max(usual, min(tall[a], tall[b])):
                parent[root(a)] = root(b)
    groups: dict[int, list[int]] = {}
    for number in range(len(boxes)):
        groups.setdefault(root(number), []).append(number)
    return [group for group in groups.values() if max(tall[number] for number in group) > 0.45 * usual]


def _cut(pixels: Levels, boxes: Floats) -> Strip | None:
    """The line of some boxes, made level and cut out with a margin; None if it is too small."""
    left, top = boxes[:, 0].min(), boxes[:, 1].min()
    right, bottom = boxes[:, 2].max(), boxes[:, 3].max()
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    tall = boxes[:, 3] - boxes[:, 1]
    slope = 0.0
    if len(boxes) > 2 and right - left > 2.5 * float(np.median(tall)):
        weights = np.where(tall > 0.6 * np.median(tall), 1.0, 0.05)
        slope = float(np.clip(np.polyfit(middles[:, 0], middles[:, 1], 1, w=weights)[0], -0.6, 0.6))
    shifted = boxes[:, [1, 3]] - slope * (middles[:, :1] - left)
    high, low = float(shifted[:, 0].min()), float(shifted[:, 1].max())
    margin = AROUND * (low - high)
    size = round(float(right - left) + 2 * margin), round(low - high + 2 * margin)
    if min(size) < 3:
        return None
    matrix = np.array([[1.0, 0.0, left - margin], [slope, 1.0, high - margin - slope * margin]])
    border = cv2.BORDER_REPLICATE
    cut = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border)
    box = Box(int(left), int(top), int(np.ceil(right - left)), int(np.ceil(bottom - top)))
    return Strip(box, np.asarray(cut, np.uint8), matrix)
