"""Whether a picture is a digit that was cut out: tiny, or cropped to the digit's own box.

Such a picture has one paper colour, and no ruling, noise or dust; but the digit reaches its rim, where elsewhere only
cell borders and shadows are. ``preprocessing.contrast`` and ``preprocessing.ink`` treat it accordingly.
"""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels, Mask
from digitscope.io.pixels import reduced

TINY = 48
"""A picture with a longer side of at most this many pixels always counts as cut out."""

LOOKED_AT = 200
"""Pixels of the longer side to which a picture is reduced before it is judged."""

TWO_TONES = 0.8
"""Least share of the variance of the grey levels that lies between the two tones, pen and paper (Otsu's criterion)."""

SPANS = 0.85
"""Least share of the picture's width and height that the largest stroke spans."""

STRAY = 0.05
"""Share of the ink above which another part counts; below it is dust."""

RIM, COVERED = 0.12, 0.9
"""A side is covered, as by a cell border, if there is ink within the first, a share of the picture, of more than the
second of its length. Most digits cover none, a 7 or a 2 one; two are a frame's."""


def is_cut_out(pixels: Levels) -> bool:
    """Whether a picture is a cut-out digit.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).

    >>> picture = np.full((200, 120), 230, np.uint8)
    >>> _ = cv2.ellipse(picture, (60, 100), (52, 92), 0, 0, 360, 30, 12)
    >>> is_cut_out(picture), is_cut_out(np.pad(picture, 60, constant_values=230))
    (True, False)
    """
    if max(pixels.shape[:2]) <= TINY:
        return True
    ink = _two_tones(reduced(pixels, LOOKED_AT))
    if ink is None:
        return False
    labels, stats = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)[1:3]
    area = stats[:, cv2.CC_STAT_AREA] * (np.arange(len(stats)) > 0)
    largest = int(area.argmax())
    spans = stats[largest, [cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH]] >= SPANS * np.array(ink.shape)
    if not spans.all() or _covered(labels == largest) > 1:
        return False
    others = [labels == part for part in np.flatnonzero(area > STRAY * area.sum()) if part != largest]
    return not any(_covered(part) for part in others)


def paper_of_cut_out(pixels: Levels) -> Floats:
    """The paper colour of a cut-out digit: the median of the tone, dark or light, that most of its rim has."""
    light, _ = _split(pixels)
    return np.asarray(np.median(pixels[light == _is_paper_light(light)], axis=0), np.float32)


def _two_tones(pixels: Levels) -> Mask | None:
    """The pen of a picture of two tones, bool (h, w); None if it has not just two.

    Most of the rim is paper. If most of the picture is not, the rim may be a frame around paper of the other tone.
    """
    light, between = _split(pixels)
    pen = light != _is_paper_light(light)
    framed = pen.mean() > 0.5 and _covered(~pen) > 1
    return None if between < TWO_TONES or framed else pen


def _split(pixels: Levels) -> tuple[Mask, float]:
    """The lighter pixels by Otsu's threshold, and the share 0..1 of the variance that lies between the two tones."""
    grey = np.asarray(pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    light = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1] > 0
    share = float(light.mean())
    if share in (0.0, 1.0):
        return light, 0.0
    apart = float(grey[light].mean()) - float(grey[~light].mean())
    return light, share * (1 - share) * apart**2 / float(grey.var())


def _is_paper_light(light: Mask) -> bool:
    """Whether most of the rim has the lighter tone."""
    return bool(np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]]).mean() > 0.5)


def _covered(part: Mask) -> int:
    """How many sides of the picture a part covers."""
    height, width = part.shape
    deep, far = max(1, round(RIM * height)), max(1, round(RIM * width))
    sides = part[:deep].any(axis=0), part[-deep:].any(axis=0), part[:, :far].any(axis=1), part[:, -far:].any(axis=1)
    return sum(bool(side.mean() > COVERED) for side in sides)
