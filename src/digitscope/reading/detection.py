"""Line detection: where the lines of writing are on a page, cut out and made level.

Ink is what a morphological opening removes from the page; printed rules and blots are dropped. Characters next to each
other at about the same height form a line, whatever its slant. A crop that is itself one line needs no search.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from digitscope.arraytypes import Doubles, Floats, Levels, Mask
from digitscope.io.elements import Box
from digitscope.io.pixels import reduced
from digitscope.preprocessing.contrast import grain_of
from digitscope.preprocessing.ink import parts_holding
from digitscope.preprocessing.line import FAINT, line_field, one_grey
from digitscope.reading.ruling import without_rules
from digitscope.reading.sheet import only_sheet

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

BLOT = 0.55
"""A shape is a blot and not a stroke if a disc fits in it with a diameter of this share of its longer side."""

FLAT = 2.0
"""Characters this many times as wide as high are dashes; a single one may be joined digits up to twice that."""

BESIDE = 0.7
"""Greatest gap between a line and a blot that may be a part of it, in character heights."""

APART = 3.0
"""Greatest gap between two neighbours on a line, in character heights."""

LONG, STEEPEST = 2.5, 0.6
"""Least length of a line whose slope is plain to see, in character heights, and its greatest slope."""

AROUND = 0.22
"""Margin of a cut-out line, as a share of its height."""


@dataclass(frozen=True, eq=False)
class Strip:
    """A line of writing cut out of a page.

    Attributes:
        box: where it is on the page, in the page's pixels.
        pixels: uint8 (h, w) or (h, w, 3), the line made level.
        matrix: float64 (2, 3), from pixels of the strip to pixels of the page.
        torn: whether its left and its right end may lack something: the page ends there, or what stands right beside it
            was left out.
    """

    box: Box
    pixels: Levels
    matrix: Doubles
    torn: tuple[bool, bool] = (False, False)

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
    pixels = only_sheet(pixels)
    ink = _ink(reduced(pixels, PAGE))
    scale = ink.shape[1] / pixels.shape[1]
    boxes, blots = _characters(ink)
    lines = []
    for line in (boxes[group] for group in _grouped(boxes)):
        strip = None if _is_dashes(line) else _cut(pixels, line / scale)
        if strip is not None:
            lines.append(replace(strip, torn=_torn(line, blots, ink.shape[1])))
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
    reached = contrast > max(EDGE * pen, min(floor, CORE * pen))
    return parts_holding(without_rules(reached), contrast > CORE * pen)


def _characters(ink: Mask) -> tuple[Floats, Floats]:
    """The boxes float32 (n, 4), left, top, right, bottom, of possible characters and of blots, without specks."""
    number, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    height, width = ink.shape
    kept: list[tuple[int, ...]] = []
    blots: list[tuple[int, ...]] = []
    for part in range(1, number):
        x, y, w, h, area = (int(value) for value in stats[part])
        rule = w > LARGEST * width or h > max(LARGEST * height, TALLEST)
        if rule or max(w, h) < SMALLEST * max(height, width) or area < 6:
            continue
        inside = cv2.distanceTransform(np.pad(labels[y : y + h, x : x + w] == part, 1).astype(np.uint8), cv2.DIST_L2, 3)
        (blots if 2 * float(inside.max()) > BLOT * max(w, h) else kept).append((x, y, x + w, y + h))
    boxes, others = (np.array(some, np.float32).reshape(-1, 4) for some in (kept, blots))
    if len(boxes) == 0:
        return boxes, others
    heights = boxes[:, 3] - boxes[:, 1]
    usual = float(np.median(heights[heights >= 0.4 * heights.max()]))
    return boxes[(heights > 0.3 * usual) | (boxes[:, 2] - boxes[:, 0] > 0.5 * usual)], others


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


def _is_dashes(boxes: Floats) -> bool:
    """Whether a line has only dashes: all of its characters are flat, and it is not one chain of joined digits."""
    flatness = (boxes[:, 2] - boxes[:, 0]) / (boxes[:, 3] - boxes[:, 1])
    return bool((flatness > FLAT * (1 if len(boxes) > 1 else 2)).all())


def _torn(boxes: Floats, blots: Floats, width: int) -> tuple[bool, bool]:
    """Whether a line touches the left and right rim of a page of this width, or has a blot of its size there."""
    tall = float(np.median(boxes[:, 3] - boxes[:, 1]))
    left, right = float(boxes[:, 0].min()), float(boxes[:, 2].max())
    high, low = float(boxes[:, 1].min()), float(boxes[:, 3].max())
    heights = blots[:, 3] - blots[:, 1]
    level = (np.minimum(blots[:, 3], low) - np.maximum(blots[:, 1], high) > heights / 2) & (heights > tall / 2)
    before, after = left - blots[:, 2], blots[:, 0] - right
    near = BESIDE * tall
    return (
        bool(left <= 0 or (level & (before > -near) & (before < near)).any()),
        bool(right >= width or (level & (after > -near) & (after < near)).any()),
    )


def _cut(pixels: Levels, boxes: Floats) -> Strip | None:
    """The line of some boxes, made level and cut out with a margin; None if it is too small."""
    wide = len(boxes) > 2 and np.ptp(boxes[:, [0, 2]]) > LONG * float(np.median(boxes[:, 3] - boxes[:, 1]))
    return _sheared(pixels, boxes, _slope(boxes) if wide else 0.0)


def _slope(boxes: Floats) -> float:
    """How steeply a line of boxes falls: pixels down per pixel to the right."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    tall = boxes[:, 3] - boxes[:, 1]
    weights = np.where(tall > 0.6 * np.median(tall), 1.0, 0.0025)
    across, down = (middles - np.average(middles, axis=0, weights=weights)).T
    spread = float(weights @ (across * across))
    slope = float(weights @ (across * down)) / spread if spread > 0 else 0.0  # all above each other: no slope
    return float(np.clip(slope, -STEEPEST, STEEPEST))


def _sheared(pixels: Levels, boxes: Floats, slope: float) -> Strip | None:
    """The part of a picture around some boxes, sheared so that a line of this slope is level, with a margin."""
    left, top = boxes[:, 0].min(), boxes[:, 1].min()
    right, bottom = boxes[:, 2].max(), boxes[:, 3].max()
    middles = (boxes[:, :1] + boxes[:, 2:3]) / 2
    shifted = boxes[:, [1, 3]] - slope * (middles - left)
    high, low = float(shifted[:, 0].min()), float(shifted[:, 1].max())
    margin = AROUND * (low - high)
    size = round(float(right - left) + 2 * margin), round(low - high + 2 * margin)
    if min(size) < 3:
        return None
    matrix = np.array([[1.0, 0.0, left - margin], [slope, 1.0, high - margin - slope * margin]])
    box = Box(int(left), int(top), int(np.ceil(right - left)), int(np.ceil(bottom - top)))
    return Strip(box, _warped(pixels, matrix, size), matrix)


def levelled(strip: Strip, least: float) -> list[Strip]:
    """The same line made level by the slope of its own ink: by a shear, and by a rotation; those that change anything.

    Which suits it is for the reader to try: digits stand upright on a line that rises, and lean if the paper is turned.

    Args:
        strip: the line.
        least: its least slope, in pixels down or up per pixel to the right; what is flatter stays as it is.
    """
    boxes, _ = _characters(_ink(strip.pixels))
    if len(boxes) < 2:
        return []
    slope, found = _slope(boxes), []
    if abs(slope) > least and (sheared := _sheared(strip.pixels, boxes, slope)) is not None:
        strip = replace(strip, pixels=sheared.pixels, matrix=_after(strip.matrix, sheared.matrix))
        found.append(strip)
    if abs(strip.matrix[1, 0]) > least:
        found.append(_turned(strip))
    return found


def _turned(strip: Strip) -> Strip:
    """A sheared strip as a rotation would have made it level, about its middle."""
    height, width = strip.pixels.shape[:2]
    angle = float(np.arctan(strip.matrix[1, 0]))
    cos, sin = np.cos(angle), np.sin(angle)
    high = height * cos
    size = max(1, round((width + abs(sin) * high) / cos)), max(1, round(high))
    turn = np.array([[cos, -sin], [0.0, 1 / cos]])
    matrix = np.concatenate([turn, (np.array([width, height]) - turn @ size)[:, None] / 2], axis=1)
    return replace(strip, pixels=_warped(strip.pixels, matrix, size), matrix=_after(strip.matrix, matrix))


def _after(outer: Doubles, inner: Doubles) -> Doubles:
    """The affine map float64 (2, 3) that does ``inner`` first and ``outer`` then."""
    return np.asarray(outer @ np.concatenate([inner, [[0.0, 0.0, 1.0]]]))


def _warped(pixels: Levels, matrix: Doubles, size: tuple[int, int]) -> Levels:
    """A part of a picture: its pixel (x, y) is what the picture has at ``matrix`` times (x, y, 1)."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(pixels, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
