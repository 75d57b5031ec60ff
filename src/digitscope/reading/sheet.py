"""The sheet on a photo: a bright note or page that lies on something dark. What is around it is painted over.

A picture without such a sheet stays as it is.
"""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.arraytypes import AnyArray, Integers, Levels, Mask
from digitscope.io.pixels import reduced
from digitscope.preprocessing.ink import sides_touched

COARSE = 200
"""Pixels of the longer side of the reduced picture in which the sheet is looked for."""

SMALLEST = 0.12
"""Least share of the picture that a sheet covers."""

CONTRAST = 0.6
"""What surrounds a sheet is at most this share as bright; paper in a shadow is brighter, or has no straight edge."""

CORNERS, STRAIGHT = 0.04, 0.08
"""A sheet has four corners: its outline has four points if it may be simplified by the first, a share of its length,
and they enclose its area to within the second; a spot of light misses by a third."""

EDGE = 0.015
"""Width of the strip along a sheet's edge that counts as surroundings, as a share of the picture's longer side."""


def only_sheet(pixels: Levels) -> Levels:
    """A picture with all around its sheet painted in the colour of the sheet; the same picture if it has no sheet.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
    """
    small = reduced(pixels, COARSE)
    outline = _outline(small)
    if outline is None:
        return pixels
    height, width = pixels.shape[:2]
    inside: AnyArray = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(inside, np.rint(outline * (width / small.shape[1])).astype(np.int32), 1)
    margin = 2 * round(EDGE * max(height, width)) + 1
    inside = cv2.erode(inside, np.ones((margin, margin), np.uint8), borderValue=1)
    return _painted(pixels, inside > 0) if inside.any() else pixels


def _outline(small: Levels) -> Integers | None:
    """The outline (n, 1, 2) of the sheet on a reduced picture, x and y in its pixels; None if there is none."""
    plain: AnyArray = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    grey: AnyArray = cv2.GaussianBlur(plain, (5, 5), 0)
    _, tones = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = cv2.morphologyEx(tones, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(max(outlines, key=cv2.contourArea)) if outlines else np.zeros((1, 1, 2), np.int32)
    corners = cv2.approxPolyDP(hull, CORNERS * cv2.arcLength(hull, True), True)
    inside = np.zeros_like(grey)
    cv2.fillConvexPoly(inside, hull, 1)
    area = float(inside.sum())
    if len(corners) != 4 or area < SMALLEST * inside.size or sides_touched(inside > 0) > 1:
        return None
    light, dark = np.median(grey[inside > 0]), np.median(grey[inside == 0])
    whole = abs(cv2.contourArea(corners) / area - 1) < STRAIGHT and bright[inside > 0].mean() > 1 - STRAIGHT
    return np.asarray(hull, np.int64) if whole and dark < CONTRAST * light else None


def _painted(pixels: Levels, inside: Mask) -> Levels:
    """The pixels, those outside with the colour that the sheet has where it is nearest to them."""
    smooth = cv2.medianBlur(pixels, 5)
    _, nearest = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(nearest.max()) + 1, *pixels.shape[2:]), np.uint8)
    colours[nearest[inside]] = smooth[inside]
    painted = np.where(inside[(...,) + (None,) * (pixels.ndim - 2)], pixels, colours[nearest])
    return np.asarray(painted, np.uint8)
