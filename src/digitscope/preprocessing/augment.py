"""Random distortions of digits for training: thickened or thinned, turned, scaled, sheared, shifted, faded, noisy.

NumPy and OpenCV work on many images per call, so that one core keeps ahead of the training
(``benchmarks/results/augment.json``). The corruptions that measure robustness are not here.
"""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.arraytypes import Doubles, Floats, Images

DEGREES, ZOOM, SHEAR, SHIFT = 12.0, 0.14, 0.2, 2.0
"""Turn in degrees, relative zoom, shear, shift in pixels: uniform from minus to plus this, at strength 1."""

STROKE, FADE, NOISE = 0.7, 0.4, 0.1
"""At strength 1, the largest share of a one-pixel thickening or thinning, of ink that fades, and of noise added."""


def distort(images: Images, strength: float, rng: np.random.Generator) -> Floats:
    """Distort every image at random, each in its own way.

    Args:
        images: uint8 (n, 28, 28) 0..255, 255 = pen.
        strength: 0 changes nothing, 1 is what the recipe ``robust`` trains with.
        rng: the random numbers.

    Returns:
        float32 (n, 28, 28) 0..1.

    >>> five = np.zeros((1, 28, 28), np.uint8)
    >>> distort(five, 1.0, np.random.default_rng(0)).shape
    (1, 28, 28)
    """
    return _fade(_warp(_restroke(images, strength, rng), strength, rng), strength, rng)


def warp(fields: Floats, maps: Doubles, inverse: bool = False) -> Floats:
    """Every image under its own affine map, bilinearly, paper outside.

    Args:
        fields: float32 (n, 28, 28).
        maps: float64 (n, 2, 3), from (column, row) before to (column, row) after.
        inverse: whether the maps lead from after to before.

    Returns:
        float32 (n, 28, 28).
    """
    warped, flags = np.empty_like(fields), cv2.INTER_LINEAR | (cv2.WARP_INVERSE_MAP if inverse else 0)
    for field, affine, out in zip(fields, maps, warped, strict=True):
        cv2.warpAffine(field, affine, (28, 28), dst=out, flags=flags)
    return warped


def _restroke(images: Images, strength: float, rng: np.random.Generator) -> Floats:
    """Thicken half of the images and thin the others, each by its own share of a pixel.

    Returns:
        float32 (n, 28, 28) 0..255.
    """
    n = len(images)
    stack = np.pad(images, ((0, 0), (1, 1), (0, 0)))  # an empty row above and below keeps neighbours apart
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    changed = np.where(
        rng.random((n, 1, 1)) < 0.5,
        cv2.dilate(stack.reshape(-1, 28), cross).reshape(stack.shape),
        cv2.erode(stack.reshape(-1, 28), cross).reshape(stack.shape),
    )[:, 1:-1]
    mixed = images.astype(np.float32)
    mixed += rng.random((n, 1, 1), np.float32) * np.float32(STROKE * strength) * (changed - mixed)
    return mixed


def _warp(fields: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """Turn, scale, shear and shift every image about its middle, bilinearly, paper outside; float32 (n, 28, 28)."""
    turn, grow, stretch, shear, right, down = rng.uniform(-strength, strength, (6, len(fields)))
    angle, slant = np.deg2rad(DEGREES * turn), SHEAR * shear
    wide, high = np.exp(ZOOM * (grow + stretch / 2)), np.exp(ZOOM * (grow - stretch / 2))
    cos, sin = np.cos(angle), np.sin(angle)
    maps = np.empty((len(fields), 2, 3))
    maps[:, 0, 0], maps[:, 0, 1] = wide * cos, high * (slant * cos - sin)
    maps[:, 1, 0], maps[:, 1, 1] = wide * sin, high * (slant * sin + cos)
    middle = 13.5
    maps[:, 0, 2] = middle + SHIFT * right - middle * (maps[:, 0, 0] + maps[:, 0, 1])
    maps[:, 1, 2] = middle + SHIFT * down - middle * (maps[:, 1, 0] + maps[:, 1, 1])
    return warp(fields, maps)


def _fade(fields: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """Weaken the ink of every image by its own share, and add its own amount of noise; float32 0..1."""
    n = len(fields)
    gain = (1 - FADE * strength * rng.random((n, 1, 1), np.float32)) / np.float32(255)
    noise = rng.random(fields.shape, np.float32)
    noise -= 0.5
    noise *= 2 * NOISE * strength * rng.random((n, 1, 1), np.float32) ** 2
    fields *= gain
    fields += noise
    return np.clip(fields, 0, 1, out=fields)
