"""Random disturbances for training networks that read digits which are not clean, in eight general families.

None of them is one of the fifteen corruptions that ``preprocessing.corruptions`` measures with; docs/robustness.md says
how near each of the fifteen is to a family. The digit itself is moved and thickened by ``preprocessing.augment``
before.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from digitscope.arraytypes import AnyArray, Floats, Mask

Family = Callable[[Floats, np.random.Generator], Floats]
"""From float32 (n, 28, 28) 0..1 to the same, which may leave 0..1; each image draws its own random numbers."""

SIDE = 28

WIDTHS = (0.0, 0.7, 1.2, 2.0, 3.5, 6.0, 10.0)
"""How far a smooth random field is alike along an axis: the sigmas, in pixels, of the Gaussians that make it."""


def disturb(fields: Floats, amount: float, rng: np.random.Generator) -> Floats:
    """Disturb images at random: each family of ``FAMILIES`` hits its share of them, so some are hit by several.

    Args:
        fields: float32 (n, 28, 28) 0..1.
        amount: 0 changes nothing, 1 gives each family its whole share; in between, fewer images are hit.
        rng: the random numbers.

    Returns:
        float32 (n, 28, 28) 0..1.

    >>> disturb(np.zeros((2, 28, 28), np.float32), 1.0, np.random.default_rng(0)).shape
    (2, 28, 28)
    """
    disturbed = fields.copy()
    for family, share in FAMILIES.items():
        hit = np.flatnonzero(rng.random(len(fields)) < amount * share)
        disturbed[hit] = np.clip(family(disturbed[hit], rng), 0, 1)
    return disturbed


def bent(fields: Floats, rng: np.random.Generator) -> Floats:
    """Bent as if on rubber, by up to 2 pixels."""
    far = 2 * rng.random((len(fields), 1, 1), np.float32)
    place = np.arange(SIDE, dtype=np.float32)
    across, down = (
        start + far * (2 * smooth_noise(len(fields), (3.5, 6.0), rng) - 1) for start in (place, place[:, None])
    )
    moved = np.empty_like(fields)
    for field, columns, rows, out in zip(fields, across, down, moved, strict=True):
        cv2.remap(field, columns, rows, cv2.INTER_LINEAR, dst=out)
    return moved


def filtered(fields: Floats, rng: np.random.Generator) -> Floats:
    """Under a convolution with random weights, mixed with the image as it was.

    Source: Xu et al., "Robust and Generalizable Visual Representation Learning via Random Convolutions", 2021. For half
    of the images the sign of what comes out is dropped, so that paper stays dark.
    """
    kernels = rng.standard_normal((len(fields), 5, 5)).astype(np.float32)
    small = rng.random(len(fields)) < 0.7
    kernels[small] *= np.pad(np.ones((3, 3), np.float32), 1)
    answers = np.empty_like(fields)
    for field, kernel, out in zip(fields, kernels, answers, strict=True):
        cv2.filter2D(field, -1, kernel, dst=out, borderType=cv2.BORDER_REPLICATE)
    unsigned = _half(fields, rng)
    answers = np.where(unsigned, np.abs(answers), answers)
    share = rng.random((len(fields), 1, 1), np.float32)
    return share * _spanning(answers, unsigned) + (1 - share) * fields


def toned(fields: Floats, rng: np.random.Generator) -> Floats:
    """With another curve from ink to grey, sometimes from bright to dark; half of the images have two, in two areas."""
    first, second = (_toned(fields, rng) for _ in range(2))
    area = smooth_noise(len(fields), (2.0, 10.0), rng) > rng.uniform(0.3, 0.7, (len(fields), 1, 1))
    return np.where(area & _half(fields, rng), second, first)


def scribbled(fields: Floats, rng: np.random.Generator) -> Floats:
    """Crossed by one to three smooth curves of some width, in ink, grey, or as if rubbed out."""
    marked = fields
    for more in (1.0, 0.5, 0.3):
        curve = _curves(len(fields), rng) * (rng.random((len(fields), 1, 1)) < more)
        level = np.where(_half(fields, rng), 1, rng.random((len(fields), 1, 1), np.float32))
        marked = np.asarray(marked + curve * (level - marked), np.float32)
    return marked


def patched(fields: Floats, rng: np.random.Generator) -> Floats:
    """With a rectangle of up to 12 pixels a side in one grey."""
    sides, place = rng.uniform(2, 12, (2, len(fields), 1)), np.arange(SIDE)
    starts = rng.uniform(-4, SIDE - 2, (2, len(fields), 1))
    rows, columns = (place >= starts) & (place < starts + sides)
    grey = rng.random((len(fields), 1, 1), np.float32)
    return np.where(rows[:, :, None] & columns[:, None, :], grey, fields)


def clouded(fields: Floats, rng: np.random.Generator) -> Floats:
    """On paper that is darker here and brighter there."""
    weight = 2 * rng.random((len(fields), 1, 1), np.float32)
    cloudy = fields + weight * smooth_noise(len(fields), WIDTHS[2:], rng)
    return np.asarray(cloudy / (1 + weight), np.float32)


def softened(fields: Floats, rng: np.random.Generator) -> Floats:
    """Blurred evenly on all sides, by a Gaussian of 0.4 to 1.4 pixels."""
    soft = np.empty_like(fields)
    for field, sigma, out in zip(fields, rng.uniform(0.4, 1.4, len(fields)), soft, strict=True):
        cv2.GaussianBlur(field, (9, 9), sigma, dst=out, borderType=cv2.BORDER_REPLICATE)
    return soft


def grained(fields: Floats, rng: np.random.Generator) -> Floats:
    """With Gaussian noise, of single pixels or in grains."""
    grain = smooth_noise(len(fields), WIDTHS[:2], rng) - np.float32(0.5)
    return fields + np.float32(1.4) * rng.random((len(fields), 1, 1), np.float32) * grain


FAMILIES: Mapping[Family, float] = types.MappingProxyType(
    {
        bent: 0.2,
        filtered: 0.2,
        toned: 0.25,
        scribbled: 0.2,
        patched: 0.1,
        clouded: 0.2,
        softened: 0.12,
        grained: 0.2,
    }
)
"""The families in their order, each with the share 0..1 of the images that it hits."""


def smooth_noise(n: int, widths: tuple[float, ...], rng: np.random.Generator) -> Floats:
    """Random fields float32 (n, 28, 28) that span 0..1, each alike over its own widths, drawn from these, per axis."""
    down, right = (
        _SMOOTHING[[WIDTHS.index(width) for width in widths]][rng.integers(len(widths), size=n)] for _ in "xy"
    )
    noise = down @ rng.standard_normal((n, SIDE, SIDE), np.float32) @ right.transpose(0, 2, 1)
    return _spanning(np.asarray(noise, np.float32), np.zeros((n, 1, 1), bool))


def _smoothing() -> Floats:
    """For each of ``WIDTHS`` the matrix (28, 28) that averages a column under a Gaussian."""
    place = np.arange(SIDE)
    apart = (place[:, None] - place) ** 2
    matrices = [np.exp(-apart / (2 * width**2)) if width else np.eye(SIDE) for width in WIDTHS]
    return np.stack([matrix / matrix.sum(axis=1, keepdims=True) for matrix in matrices]).astype(np.float32)


_SMOOTHING = _smoothing()


def _spanning(fields: Floats, from_zero: Mask) -> Floats:
    """Each field scaled so that it spans 0..1; where ``from_zero`` (n, 1, 1) is set, 0 stays 0."""
    lowest = np.where(from_zero, 0, fields.min(axis=(1, 2), keepdims=True))
    span = np.maximum(fields.max(axis=(1, 2), keepdims=True) - lowest, 1e-6)
    return np.asarray((fields - lowest) / span, np.float32)


def _half(fields: AnyArray, rng: np.random.Generator) -> Mask:
    """Half of the images, by chance, bool (n, 1, 1)."""
    return rng.random((len(fields), 1, 1)) < 0.5


def _toned(fields: Floats, rng: np.random.Generator) -> Floats:
    """Every image under its own power curve between two greys at least 0.25 apart, a third of them inverted."""
    apart, low, power, inverted = rng.random((4, len(fields), 1, 1), np.float32)
    span = np.float32(0.25) + np.float32(0.75) * apart
    curve = fields ** np.exp(2 * power - 1)
    return np.asarray(low * (1 - span) + span * np.where(inverted < 1 / 3, 1 - curve, curve), np.float32)


def _curves(n: int, rng: np.random.Generator) -> Floats:
    """A parabola with a wave across each image, float32 (n, 28, 28) 0..1, half of them from top to bottom."""
    start, slope, bend, wave, phase, width = rng.uniform(-1, 1, (6, n, 1)).astype(np.float32)
    t = np.linspace(-1, 1, SIDE, dtype=np.float32)
    rows = 13.5 + 14 * start + 14 * slope * t + 8 * bend * t**2 + 2 * wave * np.sin(4 * t + 3 * phase)
    steep = np.sqrt(1 + np.gradient(rows, axis=1) ** 2)
    apart = np.abs(np.arange(SIDE)[:, None] - rows[:, None, :]) / steep[:, None, :]
    curves = np.clip(1.2 + 0.7 * width[..., None] - apart, 0, 1).astype(np.float32)
    return np.asarray(np.where(rng.random((n, 1, 1)) < 0.5, curves, curves.transpose(0, 2, 1)), np.float32)
