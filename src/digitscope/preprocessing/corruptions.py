"""The fifteen corruptions of MNIST-C, for measuring only: nothing in this package is trained on them.

Source: Mu and Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision", 2019, with the strengths that its
generator has. This is code of our own after those parameters. Where the generator calls scikit-image or ImageMagick,
the function here says what it does instead (docs/robustness.md has all differences).
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from digitscope.arraytypes import Doubles, Floats, Images
from digitscope.preprocessing.augment import warp

Corruption = Callable[[Floats, np.random.Generator], Floats]
"""From float32 (n, 28, 28) 0..1 to the same, which may leave 0..1; each image draws its own random numbers."""

SIDE, MIDDLE = 28, 13.5

PLASMA = 256
"""Side of the square of which a corner becomes the fog, pixels."""


def corrupt(images: Images, name: str, rng: np.random.Generator) -> Images:
    """Images under one of ``CORRUPTIONS``.

    Args:
        images: uint8 (n, 28, 28) 0..255, 255 = pen.
        name: one of ``CORRUPTIONS``.
        rng: the random numbers.

    Returns:
        uint8 (n, 28, 28) 0..255, as MNIST-C keeps them.

    >>> corrupt(np.zeros((2, 28, 28), np.uint8), "brightness", np.random.default_rng(0))[1, 0, 0]
    np.uint8(128)
    """
    fields = CORRUPTIONS[name](np.divide(images, 255, dtype=np.float32), rng)
    return np.asarray(np.rint(255 * np.clip(fields, 0, 1)), np.uint8)


def shot_noise(fields: Floats, rng: np.random.Generator) -> Floats:
    """Each pixel as if three photons made it full: their number varies as chance has it."""
    return np.asarray(rng.poisson(3 * fields) / 3, np.float32)


def impulse_noise(fields: Floats, rng: np.random.Generator) -> Floats:
    """17 % of the pixels become paper or pen."""
    hit, pen = rng.random(fields.shape, np.float32) < 0.17, rng.random(fields.shape, np.float32) < 0.5
    return np.where(hit, pen.astype(np.float32), fields)


def glass_blur(fields: Floats, rng: np.random.Generator) -> Floats:
    """Blurred, then half of the pixels change places with a neighbour above or left, twice over, then blurred again.

    As in the generator, the blur runs down the columns only.
    """
    glass = _blurred(fields, 0.7, sides=False)
    everyone = np.arange(len(fields))
    for _ in range(2):
        swaps = rng.random((SIDE, SIDE, len(fields))) < 0.5
        moves = rng.integers(-1, 1, (SIDE, SIDE, 2, len(fields))) * swaps[:, :, None]
        for row in range(SIDE - 1, 1, -1):
            for column in range(SIDE - 1, 1, -1):
                down, right = moves[row, column]
                there = everyone, row + down, column + right
                here = glass[:, row, column].copy()
                glass[:, row, column] = glass[there]
                glass[there] = here
    return _blurred(glass, 0.7, sides=False)


def motion_blur(fields: Floats, rng: np.random.Generator) -> Floats:
    """Smeared to one side along a line of -45 to 45 degrees, radius 10 and sigma 3, with ImageMagick's kernel.

    ImageMagick takes 21 pixels on one side of each pixel, rounded to the grid, with the weights of half a Gaussian;
    beyond the rim lies what is on it. Written here after its documentation and sources.
    """
    radius, angles = 10, np.deg2rad(rng.uniform(-45, 45, len(fields)))
    reach = 2 * radius
    padded = np.pad(fields, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    steps = np.arange(reach + 1)
    weights = np.exp(-(steps**2) / (2 * 3.0**2))
    weights /= weights.sum()
    blurred, inside = np.zeros_like(fields), reach + np.arange(SIDE)
    everyone = np.arange(len(fields))[:, None, None]
    for step, weight in zip(steps, weights.astype(np.float32), strict=True):
        down, right = (np.ceil(step * part - 0.5).astype(int) for part in (np.sin(angles), np.cos(angles)))
        rows, columns = inside + down[:, None], inside + right[:, None]
        blurred += weight * padded[everyone, rows[:, :, None], columns[:, None, :]]
    return blurred


def shear(fields: Floats, rng: np.random.Generator) -> Floats:
    """Sheared by 0.4, to the left or to the right; OpenCV interpolates, as it does for the next three.

    The vertical axis leans by 0.4 rad and keeps its length, as in the scikit-image of 2019: the digit becomes 9 %
    higher.
    """
    sine, cosine = math.sin(0.4) * _signs(rng, len(fields)), math.cos(0.4)
    return _about_middle(fields, 1, -sine, 0, cosine)


def scale(fields: Floats, rng: np.random.Generator) -> Floats:
    """Shrunk to 0.7."""
    return _about_middle(fields, 1 / 0.7, 0, 0, 1 / 0.7)


def rotate(fields: Floats, rng: np.random.Generator) -> Floats:
    """Turned by 0.4 rad (23 degrees), left or right."""
    sine, cosine = math.sin(0.4) * _signs(rng, len(fields)), math.cos(0.4)
    return _about_middle(fields, cosine, -sine, sine, cosine)


def translate(fields: Floats, rng: np.random.Generator) -> Floats:
    """Moved by 3 pixels to the left or right, and by 3 up or down."""
    right, down = 3 * _signs(rng, len(fields)), 3 * _signs(rng, len(fields))
    return warp(fields, _maps(len(fields), 1, 0, right, 0, 1, down))


def brightness(fields: Floats, rng: np.random.Generator) -> Floats:
    """0.5 brighter everywhere."""
    return fields + np.float32(0.5)


def stripe(fields: Floats, rng: np.random.Generator) -> Floats:
    """The seven columns on the left and the seven on the right are inverted."""
    changed = 1 - fields
    changed[:, :, 7:21] = fields[:, :, 7:21]
    return changed


def fog(fields: Floats, rng: np.random.Generator) -> Floats:
    """A plasma of 3.0 with the decay 1.4 is added, and all is scaled so that the brightest pixel may stay."""
    brightest = fields.max(axis=(1, 2), keepdims=True)
    foggy = fields + 3 * _plasma(len(fields), 1.4, rng)
    return np.asarray(foggy * brightest / (brightest + 3), np.float32)


def spatter(fields: Floats, rng: np.random.Generator) -> Floats:
    """Mud at 63 of 255 covers some places."""
    liquid = _blurred(rng.normal(0.65, 0.3, fields.shape).astype(np.float32), 1.0)
    mud = _blurred((liquid > 0.65).astype(np.float32), 1.5)
    mud[mud < 0.8] = 0
    return np.asarray(fields * (1 - mud) + 63 / 255 * mud, np.float32)


def dotted_line(fields: Floats, rng: np.random.Generator) -> Floats:
    """A straight line from the left rim to the right, two columns off and two on."""
    left, right = rng.integers(0, 27, (2, len(fields))).astype(float)
    line = _line(np.zeros(len(fields)), left, np.full(len(fields), 27.0), right)
    line[:, :, np.arange(SIDE) % 4 < 2] = 0
    return np.asarray(fields + line, np.float32)


def zigzag(fields: Floats, rng: np.random.Generator) -> Floats:
    """A zigzag of amplitude 2, which turns every 4 pixels, along a straight line across."""
    n = len(fields)
    first = rng.integers(0, 27, n).astype(float)
    angle = np.arctan(rng.integers(-5, 5, n) / 23)
    length = 23 / np.cos(angle)
    along = np.array([0, 2, 6, 10, 14, 18, 22, 0], float)[:, None] + np.zeros(n)
    across = np.array([0, 2, -2, 2, -2, 2, -2, 0], float)[:, None] + np.zeros(n)
    along[-1], across[-1] = length, -1 / (length - 20)
    columns = 2 + along * np.cos(angle) - across * np.sin(angle)
    rows = first + along * np.sin(angle) + across * np.cos(angle)
    drawn = fields.copy()
    for begin in range(len(along) - 1):
        drawn += _line(columns[begin], rows[begin], columns[begin + 1], rows[begin + 1])
    return drawn


def canny_edges(fields: Floats, rng: np.random.Generator) -> Floats:
    """The edges that Canny's detector finds: sigma 1, thresholds 0.1 and 0.2.

    Canny's method in OpenCV instead of scikit-image: it knows four directions of an edge, where scikit-image
    interpolates between the neighbours.
    """
    smooth = _blurred(fields, 1.0)
    edges = np.empty_like(fields)
    for field, out in zip(smooth, edges, strict=True):
        across, down = (cv2.Sobel(field, cv2.CV_32F, right, 1 - right) for right in (1, 0))
        steep = (np.rint(1000 * across).astype(np.int16), np.rint(1000 * down).astype(np.int16))
        out[:] = cv2.Canny(*steep, 100, 200, L2gradient=True)
    return np.asarray(edges / 255, np.float32)


CORRUPTIONS: Mapping[str, Corruption] = types.MappingProxyType(
    {
        corruption.__name__: corruption
        for corruption in (
            shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate, brightness, translate, stripe,
            fog, spatter, dotted_line, zigzag, canny_edges,
        )
    }
)  # fmt: skip
"""The fifteen by name, in MNIST-C's order."""


def _signs(rng: np.random.Generator, n: int) -> Doubles:
    """-1 or 1 for each of n images."""
    return np.asarray(rng.choice([-1.0, 1.0], n))


def _maps(n: int, *parts: float | Doubles) -> Doubles:
    """Affine maps float64 (n, 2, 3) from their six numbers, row by row; each is for all images, or one for each."""
    return np.stack([np.broadcast_to(part, n) for part in parts], axis=1).reshape(n, 2, 3)


def _about_middle(fields: Floats, *linear: float | Doubles) -> Floats:
    """The fields seen through a linear map a, b, c, d from where a pixel is to where it came from; the middle stays."""
    a, b, c, d = linear
    there = _maps(len(fields), a, b, MIDDLE * (1 - a - b), c, d, MIDDLE * (1 - c - d))
    return warp(fields, there, inverse=True)


def _gaussian(sigma: float) -> Floats:
    """The weights of a Gaussian up to four sigmas on each side, as scikit-image takes them."""
    return np.asarray(cv2.getGaussianKernel(2 * int(4 * sigma + 0.5) + 1, sigma, cv2.CV_32F))


def _blurred(fields: Floats, sigma: float, sides: bool = True) -> Floats:
    """Every field under a Gaussian, along the columns only unless ``sides``; beyond the rim lies what is on it."""
    down, blurred = _gaussian(sigma), np.empty_like(fields)
    across = down if sides else np.ones(1, np.float32)
    for field, out in zip(fields, blurred, strict=True):
        cv2.sepFilter2D(field, -1, across, down, dst=out, borderType=cv2.BORDER_REPLICATE)
    return blurred


def _line(c0: Doubles, r0: Doubles, c1: Doubles, r1: Doubles) -> Floats:
    """A line from (c0, r0) to (c1, r1) in each image, float32 (n, 28, 28) 0..1, which fades within 2.3 rows."""
    place = np.arange(SIDE)
    rows = r0[:, None] + ((r1 - r0) / (c1 - c0))[:, None] * (place - c0[:, None])
    distance = np.minimum(np.abs(place[:, None] - rows[:, None, :]), 2.3 - 1e-10)
    line = np.maximum(np.log(1 - distance / 2.3) + 1, 0)
    outside = (place < np.floor(c0)[:, None]) | (place >= np.ceil(c1)[:, None])
    return np.asarray(np.where(outside[:, None, :], 0, line), np.float32)


def _plasma(n: int, decay: float, rng: np.random.Generator) -> Floats:
    """Corners of plasma fractals, float32 (n, 28, 28), scaled so that each whole fractal spans 0..1.

    Source: the diamond-square algorithm (Fournier, Fussell and Carpenter, 1982), on a square that closes upon itself.
    """
    field, step, wibble = np.zeros((n, PLASMA, PLASMA), np.float32), PLASMA, 100.0
    while step >= 2:
        half, top = step // 2, field[:, ::step, ::step]
        square = top + np.roll(top, -1, axis=1)
        middle = _wibbled(square + np.roll(square, -1, axis=2), wibble, rng)
        field[:, half::step, half::step] = middle
        for down, right in ((0, half), (half, 0)):
            before, after = (1, 2) if right else (2, 1)
            around = middle + np.roll(middle, 1, axis=before) + top + np.roll(top, -1, axis=after)
            field[:, down::step, right::step] = _wibbled(around, wibble, rng)
        step, wibble = half, wibble / decay
    lowest, highest = (extreme(axis=(1, 2), keepdims=True) for extreme in (field.min, field.max))
    return np.asarray((field[:, :SIDE, :SIDE] - lowest) / (highest - lowest), np.float32)


def _wibbled(four: Floats, wibble: float, rng: np.random.Generator) -> Floats:
    """The mean of four neighbours, given their sum, and a random step of up to ``wibble`` squared."""
    return four / 4 + np.float32(wibble**2) * (2 * rng.random(four.shape, np.float32) - 1)
