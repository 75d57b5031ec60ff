"""Ruling: printed rules among the ink of a page, level, upright or slanting, and what is left of it without them.

A stroke that crosses a rule stays whole.
"""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.arraytypes import Levels, Mask

LEVEL, UPRIGHT = 0.3, 0.8
"""A straight run over this share of the width, or of the height, is a printed rule."""

SHORTEST = 25
"""Pixels of the shortest run that can be a rule."""

STEEPEST = 0.13
"""Greatest slope of a rule that is nearly level: 7 degrees, as on a photo that was not held straight."""

SLACK = 2.0
"""By how many pixels a rule may miss a run over the run's length; it sets how many slopes are tried."""

STROKE = 7
"""Ink as thick as this, in pixels, is never part of a rule."""


def without_rules(ink: Mask) -> Mask:
    """The ink of a page without its rules; a stroke that crosses a rule stays whole.

    Args:
        ink: bool (h, w).
    """
    rules = _rules(ink)
    if not rules.any():
        return ink
    rest = (ink & ~rules).astype(np.uint8)
    thickest = round(float(cv2.distanceTransform(rules.astype(np.uint8), cv2.DIST_L2, 3).max()))
    bridges = [_bridged(rest, thickest), _bridged(rest.T, thickest).T]
    return np.asarray((rest > 0) | ((bridges[0] | bridges[1]) & rules))


def _bridged(rest: Levels, thickest: int) -> Mask:
    """Where ink stands close above and close below, not farther to the side than a slanting stroke can move."""
    wide = cv2.dilate(rest, np.ones((1, 2 * thickest + 3), np.uint8))
    gap = np.ones((2 * thickest + 5, 1), np.uint8)
    return np.asarray(cv2.morphologyEx(wide, cv2.MORPH_CLOSE, gap, borderValue=0) > 0)


def _rules(ink: Mask) -> Mask:
    """The pixels of rules; slanting ones are looked for if there is a piece of ink as wide as a rule."""
    height, width = ink.shape
    run, upright = (max(SHORTEST, round(share)) | 1 for share in (LEVEL * width, UPRIGHT * height))
    image = ink.astype(np.uint8)
    found = _level_runs(image, run) | _level_runs(image.T, upright).T
    grew = bool(found.any())
    for step in range(1, round(STEEPEST * run / SLACK) + 1):
        if not grew and not _is_wide(ink & ~found, run):
            break
        slope = step * SLACK / run
        more = (_slanting(image, slope, run) | _slanting(image, -slope, run)) & ink & ~found
        found, grew = found | more, bool(more.any())
    return _thin(found, image)


def _thin(found: Mask, image: Levels) -> Mask:
    """What was found, without thick strokes."""
    thick = cv2.morphologyEx(image, cv2.MORPH_OPEN, np.ones((STROKE, STROKE), np.uint8))
    return np.asarray(found & (thick == 0) & (image > 0))


def _is_wide(ink: Mask, run: int) -> bool:
    """Whether any piece of ink is as wide as a rule."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    return bool((stats[1:, cv2.CC_STAT_WIDTH] >= run).any())


def _level_runs(image: Levels, run: int) -> Mask:
    """Where a level run of this many pixels passes, give or take a pixel up or down."""
    thick = cv2.dilate(image, np.ones((3, 1), np.uint8))
    return np.asarray(cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, run), np.uint8), borderValue=0) > 0)


def _slanting(image: Levels, slope: float, run: int) -> Mask:
    """Where a run of this slope passes: the image is sheared until the run is level, and what is found sheared back."""
    height, width = image.shape
    reach = int(np.ceil(abs(slope) * width))
    there = np.array([[1.0, 0.0, 0.0], [-slope, 1.0, slope * width / 2 + reach / 2]])
    size = width, height + reach
    sheared = np.asarray(cv2.warpAffine(image, there, size, flags=cv2.INTER_NEAREST), np.uint8)
    level = _level_runs(sheared, run).astype(np.uint8)
    back = cv2.warpAffine(level, there, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return np.asarray(cv2.dilate(back, np.ones((3, 1), np.uint8)) > 0)
