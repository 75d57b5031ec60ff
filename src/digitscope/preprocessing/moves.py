"""Digits turned, shifted, scaled and thickened by a given amount, for curves of how well they are still read."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from digitscope.arraytypes import AnyArray, Images
from digitscope.preprocessing.augment import warp

MIDDLE = (13.5, 13.5)

FINE = 4
"""How many times finer the grid is on which a stroke's width is changed."""


@dataclass(frozen=True)
class Move:
    """A way to change images by an amount.

    Attributes:
        unit: what the amount says, for an axis.
        amounts: those that a curve shows.
        changed: images uint8 (n, 28, 28) and an amount -> the changed images, in one version or in several that are
            changed equally much.
        versions: how many that are.
    """

    unit: str
    amounts: tuple[float, ...]
    changed: Callable[[Images, float], list[Images]]
    versions: int = 1


def rotated(images: Images, degrees: float) -> Images:
    """Images uint8 (n, 28, 28) turned about their middle, counter-clockwise."""
    return _warped(images, cv2.getRotationMatrix2D(MIDDLE, degrees, 1))


def shifted(images: Images, right: float, down: float) -> Images:
    """Images uint8 (n, 28, 28) shifted by pixels."""
    return _warped(images, np.array([[1, 0, right], [0, 1, down]], float))


def scaled(images: Images, factor: float) -> Images:
    """Images uint8 (n, 28, 28) scaled about their middle."""
    return _warped(images, cv2.getRotationMatrix2D(MIDDLE, 0, factor))


def restroked(images: Images, pixels: float) -> Images:
    """Images uint8 (n, 28, 28) with strokes that are so many pixels wider, or narrower if negative.

    Half of it is added or taken on each side, in steps of an eighth of a pixel: on a grid four times as fine, a disk
    dilates or erodes the ink. Source: as Castro et al., "Morpho-MNIST", 2019, but of grey levels.
    """
    radius = round(FINE * abs(pixels) / 2)
    if not radius:
        return images
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    change, fine = (cv2.dilate if pixels > 0 else cv2.erode), (FINE * 28, FINE * 28)
    big = (change(cv2.resize(image, fine, interpolation=cv2.INTER_LINEAR), disk) for image in images)
    return np.stack([cv2.resize(image, (28, 28), interpolation=cv2.INTER_AREA) for image in big])


def _warped(images: Images, affine: AnyArray) -> Images:
    """All images under one affine map."""
    fields = warp(images.astype(np.float32), np.broadcast_to(affine, (len(images), 2, 3)))
    return np.asarray(np.rint(fields), np.uint8)


MOVES: Mapping[str, Move] = types.MappingProxyType(
    {
        "rotation": Move(
            "turned counter-clockwise, degrees",
            tuple(range(-90, 91, 15)),
            lambda images, degrees: [rotated(images, degrees)],
        ),
        "shift": Move(
            "shifted left, right, up, down (mean), pixels",
            tuple(range(9)),
            lambda images, pixels: [
                shifted(images, pixels * right, pixels * down) for right, down in ((1, 0), (-1, 0), (0, 1), (0, -1))
            ],
            versions=4,
        ),
        "scale": Move(
            "scaled by a factor", tuple(n / 10 for n in range(4, 17)), lambda images, factor: [scaled(images, factor)]
        ),
        "stroke": Move(
            "strokes wider by pixels",
            tuple(n / 2 for n in range(-4, 9)),
            lambda images, pixels: [restroked(images, pixels)],
        ),
    }
)
"""The four curves, each with the amount that changes nothing among its amounts."""
