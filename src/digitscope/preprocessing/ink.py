"""From a picture of a digit to its ink: only what the pen left, without paper, light, ruling and dust.

Three steps make a photo look like a clean scan:

1. colours become one grey, along the direction in which pen and paper of this picture differ most, and everything too
   wide for a stroke (paper, light, shadows) is subtracted: the *contrast* (``preprocessing.contrast``);
2. cell borders, ruling, strips along the rim and specks are dropped;
3. the rest, divided by the pen's own strength, is *ink*: 1 = pen, 0 = paper.

``preprocessing.field`` turns it into what a classifier sees.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Floats, Levels, Mask
from digitscope.io.elements import Box
from digitscope.preprocessing.contrast import contrast_of, grain_of
from digitscope.preprocessing.cut_out import is_cut_out
from digitscope.preprocessing.printed_lines import NARROW, NEAR_RIM, level_lines, parts_of

LONGEST = 640
"""Pixels of the longer side to which a picture is reduced before its ink is looked for: enough for any digit."""

FAINT = 10.0
"""Smallest contrast of ink, in grey levels of 255; JPEG artefacts and the grain of paper stay below."""

NOISE = 5.0
"""Smallest contrast of ink, in standard deviations of the picture's own noise, if that is more."""

PEN = 75
"""Percentile of the written pixels' contrast that counts as full pen: pressure varies, and edges are half paper."""

CORE, EDGE = 0.5, 0.25
"""Shares of the full pen: a stroke has a pixel above the first, and reaches as far as the second."""

RIM = 0.2
"""Share of a side: a part that reaches the rim, and has less than a tenth of its pixels further than this from it, is a
strip along the rim and not a digit."""

SPECK, SPECK_BESIDE = 0.06, 0.12
"""Parts shorter than this share of the picture, or of the longest other part, are dust."""

SMALL = 0.18
"""A digit below this share of the picture may have others beside it that are as small as dust."""

DUST = 10
"""Pixels of the longer side of the smallest part that may be a small digit where nothing else is written."""

PLAIN = 2.0
"""Smallest contrast of such a part, in smallest contrasts of ink; the squares of densely squared paper stay below."""

SAME_PEN = 0.6
"""A line at least this share as thick and as dark as the strokes that hang on it may be a stroke itself."""

BLOT = 0.5
"""A shape in which a disc of this share of its longer side fits is not a stroke."""

SHARP = 20.0
"""Smallest steepness of a pen's edge, in full pens per longer side of the picture. On synthetic pages, edges of strokes
measured 20 to 60 and of soft shadows 10 to 25; only shapes that touch the rim are tested."""


@dataclass(frozen=True, eq=False)
class Ink:
    """What is written in a picture, step by step; all arrays have the picture's height and width.

    Attributes:
        contrast: float32 (h, w), grey levels by which a pixel differs from its paper, pen positive.
        ink: float32 (h, w) 0..1, 1 = pen, without borders, ruling and specks.
        box: where the ink is, in pixels of the picture; None if nothing is written.
        with_line: the same together with a line that was taken away, if strokes hang on it and their pen may have drawn
            it: a bar of the digit, or ruling on which it stands; None if there is no such line.
        specks: where parts are that were dropped because they are small for the picture, if nothing is left, or a digit
            that is itself small: digits, as it seems; None if there are none, or if the ink is large.
    """

    contrast: Floats
    ink: Floats
    box: Box | None
    with_line: Ink | None = None
    specks: Box | None = None


def find_ink(pixels: Levels) -> Ink:
    """Find what is written in a picture of a digit, in any colours and light; the pen may be darker or lighter.

    Args:
        pixels: uint8 (h, w) or (h, w, 3), longer side at most about ``LONGEST``; more is slower, not better.

    >>> page = np.full((60, 60), 200, np.uint8)
    >>> page[10:50, 28:33] = 40
    >>> find_ink(page).box
    Box(x=28, y=10, width=5, height=40)
    """
    cut_out = is_cut_out(pixels)
    contrast = contrast_of(pixels, cut_out)
    floor = FAINT if cut_out else max(FAINT, NOISE * grain_of(contrast))
    marks = contrast > floor
    if cut_out or min(marks.shape) <= NARROW:
        return _ink(contrast, _digit_parts(marks, cut_out), floor, cut_out)
    writing, line = _without_lines(marks)
    found = _ink(contrast, writing, floor)
    if found.box is None or max(found.box.width, found.box.height) < SMALL * max(marks.shape):
        found = replace(found, specks=_specks(marks, contrast > PLAIN * floor))
    if found.box is None or not _may_be_writing(found, line):
        return found
    return replace(found, with_line=_ink(contrast, writing | (line & _around(found.box, line.shape)), floor))


def _ink(contrast: Floats, writing: Mask, floor: float, cut_out: bool = False) -> Ink:
    """The ink of a picture of which it is known where there is writing.

    Args:
        contrast: float32 (h, w), as in ``Ink``.
        writing: bool (h, w).
        floor: smallest contrast of ink.
        cut_out: whether it is a digit that was cut out.
    """
    blank = Ink(contrast, np.zeros_like(contrast), None)
    if not writing.any():
        return blank
    pen = float(np.percentile(contrast[writing], PEN))
    reach = contrast > max(EDGE * pen, min(floor, CORE * pen))
    kept = _digit_parts(parts_holding(reach & _grown(writing), (contrast > CORE * pen) & writing), cut_out)
    if not kept.any() or (not cut_out and (_is_blot(kept) or _is_soft(contrast / pen, kept))):
        return blank
    ink = np.where(_grown(kept), np.clip(contrast / pen, 0, 1), 0).astype(np.float32)
    return Ink(contrast, ink, Box(*cv2.boundingRect(kept.astype(np.uint8))))


def _specks(marks: Mask, plain: Mask) -> Box | None:
    """The box around those parts of marks, plain ones, that are smaller than a digit of the picture and no dust."""
    unlined = marks & ~(level_lines(marks) | level_lines(marks.T).T)
    labels, (_, _, width, height, _) = parts_of(parts_holding(unlined, plain))
    length, side = np.maximum(width, height), max(marks.shape)
    small = _chosen(labels, (length >= DUST) & (length < SPECK * side))
    return Box(*cv2.boundingRect(small.astype(np.uint8))) if small.any() else None


def is_several(ink: Floats, box: Box) -> bool:
    """Whether the ink in a box is several digits side by side, not one digit of several strokes.

    It is if blank columns split it into pieces of nearly the same height, and the pieces together are at least as wide
    as high, or two of them are far apart for their height. Digits that touch count as one.

    Args:
        ink: float32 (h, w) 0..1, 1 = pen.
        box: where to look, within the array.
    """
    crop = ink[box.y : box.y + box.height, box.x : box.x + box.width] > CORE
    columns = np.flatnonzero(np.diff(np.concatenate([[False], crop.any(axis=0), [False]]).astype(np.int8)))
    pieces = [(left, right, _height(crop[:, left:right])) for left, right in columns.reshape(-1, 2)]
    tallest = max((height for _, _, height in pieces), default=0)
    tall = [piece for piece in pieces if piece[2] >= 0.6 * tallest]
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(tall)]
    return bool(gaps) and bool(max(gaps) >= 0.25 * tallest or tall[-1][1] - tall[0][0] >= tallest)


def _without_lines(mask: Mask) -> tuple[Mask, Mask]:
    """The mask without cell borders, ruling, strips along the rim and specks; strokes that cross a line stay whole.

    If the picture was cut tight around the digit, the digit's own bar can look like a border. Then the rest still
    touches more than one side, and everything is kept.

    Returns:
        What was kept; and the marks on lines, unless these run in both directions, as those of cells and tables do.
    """
    level, upright = level_lines(mask), level_lines(mask.T).T
    lines = level | upright
    rest = mask & ~lines
    thickest = round(cv2.distanceTransform(lines.astype(np.uint8), cv2.DIST_L2, 3).max())
    bridge = np.ones((2 * thickest + 3, 2 * thickest + 3), np.uint8)
    bridged = cv2.morphologyEx(
        rest.astype(np.uint8), cv2.MORPH_CLOSE, bridge, borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    rest = _digit_parts(rest | ((bridged > 0) & lines & mask))
    if sides_touched(rest) > 1:
        return _digit_parts(mask), np.zeros_like(mask)
    return rest, np.zeros_like(mask) if level.any() and upright.any() else lines & mask


def _may_be_writing(found: Ink, line: Mask) -> bool:
    """Whether strokes hang on a line that is as thick and dark as they are.

    Args:
        found: the strokes, without the line.
        line: bool (h, w), the pixels of the line.
    """
    strokes = found.ink > CORE
    if not (cv2.dilate(strokes.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & line).any():
        return False
    darkness = float(np.median(found.contrast[line])) / float(np.median(found.contrast[strokes]))
    return min(darkness, _thickness(line) / _thickness(strokes)) >= SAME_PEN


def _thickness(mask: Mask) -> float:
    """Mean thickness of strokes in pixels: four times the mean distance to their outline."""
    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)
    return 4 * float(inside[inside > 0].mean())


def _around(box: Box, shape: tuple[int, ...]) -> Mask:
    """The pixels of a picture of this shape no further from a box than half of its longer side."""
    reach = max(box.width, box.height) // 2
    near = np.zeros(shape, bool)
    near[max(0, box.y - reach) : box.y + box.height + reach, max(0, box.x - reach) : box.x + box.width + reach] = True
    return near


def _digit_parts(mask: Mask, cut_out: bool = False) -> Mask:
    """The connected parts that are neither specks nor strips along the rim; a cut-out digit has no strips."""
    height, width = mask.shape
    labels, (x, y, w, h, area) = parts_of(mask)
    length = np.maximum(w, h)
    if cut_out:
        return _chosen(labels, length >= SPECK_BESIDE * length[1:].max(initial=0))
    middle = np.zeros((height, width), bool)
    top, left = round(RIM * height), round(RIM * width)
    middle[top : height - top, left : width - left] = True
    reach = NEAR_RIM * max(height, width)
    touching = (x < reach) | (y < reach) | (x + w > width - reach) | (y + h > height - reach)
    strip = touching & (np.bincount(labels[middle], minlength=len(area)) < 0.1 * area)
    length = np.where(strip, 0, length)
    return _chosen(labels, length >= max(SPECK * max(height, width), SPECK_BESIDE * length[1:].max(initial=0)))


def parts_holding(mask: Mask, core: Mask) -> Mask:
    """The connected parts of ``mask`` that contain a pixel of ``core`` (a threshold with hysteresis)."""
    labels, stats = parts_of(mask)
    return _chosen(labels, np.bincount(labels[core & mask], minlength=stats.shape[1]) > 0)


def _is_blot(mask: Mask) -> bool:
    """Whether the shape is a stain or a spot of light: a disc of half its own length fits in it."""
    _, _, width, height = cv2.boundingRect(mask.astype(np.uint8))
    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)
    return bool(2 * float(inside.max()) > BLOT * max(width, height))


def _is_soft(ink: Floats, mask: Mask) -> bool:
    """Whether the shape is the edge of a shadow: it touches the rim, and even its sharpest edges are blurred."""
    if sides_touched(mask) == 0:
        return False
    smooth = cv2.GaussianBlur(ink, (0, 0), max(0.5, max(mask.shape) / 200))
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8))
    return bool(float(np.percentile(slope[mask], 90)) * max(mask.shape) < SHARP)


def sides_touched(mask: Mask) -> int:
    """How many sides of the picture the mask touches."""
    return sum(bool(side.any()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def _chosen(labels: npt.NDArray[np.int32], keep: Mask) -> Mask:
    """The mask of the parts to keep; label 0 is the background."""
    return np.asarray((keep & (np.arange(len(keep)) > 0))[labels])


def _grown(mask: Mask) -> Mask:
    """The mask, grown by one pixel on every side."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _height(mask: Mask) -> int:
    """Height of what the mask holds."""
    rows = np.flatnonzero(mask.any(axis=1))
    return int(rows[-1] - rows[0] + 1)
