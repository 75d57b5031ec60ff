"""From the ink of one digit to the 28x28 field that a classifier sees, made as MNIST's own digits were.

The ink is cut out and becomes a clean black-and-white shape with a stroke as wide as MNIST's; its longer side is
reduced to 20 pixels by averaging areas, and its centre of mass is put at the middle of 28x28. ``preprocessing.ink``
decides what is ink.

Source: LeCun et al. fitted black-and-white digits of NIST into 20x20 with antialiasing and centred them by mass.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitscope.arraytypes import Floats
from digitscope.io.elements import Box

SIDE, DIGIT, FINE = 28, 20, 80
"""Pixels of the field's side, of the digit's longer side in it, and of the shape that is averaged down to it."""

STROKE = (2.3, 3.8)
"""The narrowest and widest mean stroke in pixels of the field; other strokes are thickened or thinned to them.

Source: measured on MNIST's training images, the 10th and 87th percentile."""

HALF = 0.5
"""A pixel with more ink belongs to the shape."""


@dataclass(frozen=True, eq=False)
class Field:
    """A digit step by step on its way into the classifier.

    Attributes:
        crop: float32 (h, w) 0..1, the ink cut out.
        shape: float32 (h, w) 0..1, longer side about 80, the clean shape with its stroke width set.
        fitted: float32 (h, w) 0..1, longer side 20.
        pixels: float32 (28, 28) 0..1, centre of mass in the middle; what the classifier sees.
    """

    crop: Floats
    shape: Floats
    fitted: Floats
    pixels: Floats


def field_of(ink: Floats, box: Box, upright: float = 0.0) -> Field:
    """The ink in a box as the field that a classifier trained on MNIST expects.

    Args:
        ink: float32 (h, w) 0..1, 1 = pen.
        box: where the digit is, within the array.
        upright: share 0..1 of the digit's slant that is removed first.
    """
    crop = ink[box.y : box.y + box.height, box.x : box.x + box.width]
    scale = FINE / max(crop.shape)
    margin = max(2, round(max(crop.shape) / 10))
    size = [max(1, round((side + 2 * margin) * scale)) for side in crop.shape[::-1]]
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    fine = _resized(np.pad(crop, margin), size, interpolation)
    shape = _trimmed(_with_stroke(_sheared(fine, upright) if upright else fine))
    size = [max(1, round(side * DIGIT / max(shape.shape))) for side in shape.shape[::-1]]
    fitted = _resized(shape, size, cv2.INTER_AREA)
    return Field(crop, shape, fitted, _centred(fitted))


def _resized(ink: Floats, size: list[int], interpolation: int) -> Floats:
    """Ink resized to (width, height), still within 0..1."""
    return np.asarray(np.clip(cv2.resize(ink, size, interpolation=interpolation), 0, 1), np.float32)


def _sheared(fine: Floats, share: float) -> Floats:
    """The shape with a share of its slant removed; second moments give the slant of its axis."""
    moments = cv2.moments(fine)
    if moments["mu02"] <= 0:
        return fine
    shear = float(np.clip(share * moments["mu11"] / moments["mu02"], -1, 1))
    height, width = fine.shape
    margin = int(np.ceil(abs(shear) * height / 2)) + 1
    matrix = np.array([[1, -shear, shear * moments["m01"] / moments["m00"] + margin], [0, 1, 0]], np.float32)
    return np.asarray(cv2.warpAffine(fine, matrix, (width + 2 * margin, height)), np.float32)


def _with_stroke(fine: Floats) -> Floats:
    """The shape at half ink, its outline moved so that the mean stroke is within ``STROKE``, edges antialiased.

    Inside a stroke of width w the mean distance to the outline is w / 4.
    """
    mask = (fine > HALF).astype(np.uint8)
    if not mask.any() or mask.all():
        return fine
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    unit = FINE / DIGIT
    width = 4 * float(inside[mask > 0].mean()) / unit
    wanted = float(np.clip(width, *STROKE))
    return np.asarray(np.clip(inside - outside + (1 - mask) + (wanted - width) / 2 * unit, 0, 1), np.float32)


def _trimmed(shape: Floats) -> Floats:
    """The shape without its empty margins."""
    x, y, width, height = cv2.boundingRect((shape > HALF).astype(np.uint8))
    return shape[y : y + height, x : x + width] if width else shape


def _centred(fitted: Floats) -> Floats:
    """A shape of at most 20x20 in a field, its centre of mass as close to pixel (14, 14) as whole pixels allow."""
    height, width = fitted.shape
    total = max(float(fitted.sum()), 1e-6)
    y = float(fitted.sum(axis=1) @ np.arange(height)) / total
    x = float(fitted.sum(axis=0) @ np.arange(width)) / total
    top = int(np.clip(round(SIDE / 2 - y), 0, SIDE - height))
    left = int(np.clip(round(SIDE / 2 - x), 0, SIDE - width))
    pixels = np.zeros((SIDE, SIDE), np.float32)
    pixels[top : top + height, left : left + width] = fitted
    return pixels
