"""Random drawings of what nobody writes or draws: made-up characters, rows of them, outlines, letters turned over.

They stand for all that `no_digits.py` does not name. Chance also makes digits, so those that lie as close to a training
digit as digits lie to each other are left out. Each function draws one field float32 (28, 28), 1 = pen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from no_digits import FRAME, Field, Points, Random, field_of, inked, ring, smooth, turned

from digitscope.datasets.mnist import load_mnist

STEP = 40.0
"""Distance between the points of the grid on which characters are made."""

COMPARED = 30_000
"""Training digits, from the first, with which drawings are compared."""

NEAR = 5.0
"""Least Euclidean distance between a drawing, as 784 values 0..1, and every one of these digits.

For 40 % of other training digits the nearest is closer, for 1 made-up character in 12.
"""

Made = Callable[[Random], Field]


def unlike_digits(make: Made, rng: Random) -> Iterator[Field]:
    """Drawings without end, those that look like a digit left out."""
    while True:
        drawn = [make(rng) for _ in range(100)]
        yield from (field for field, near in zip(drawn, _distances(drawn), strict=True) if near > NEAR)


@cache
def _digits() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The digits for comparison, float32 (n, 784) 0..1, and the squared length of each."""
    images = load_mnist()[0][0][:COMPARED].reshape(COMPARED, -1) / np.float32(255)
    return images, (images**2).sum(axis=1)


def _distances(fields: list[Field]) -> npt.NDArray[np.float32]:
    """The distance from each field to the nearest digit."""
    images, squares = _digits()
    flat = np.stack(fields).reshape(len(fields), -1)
    nearest = (squares - 2 * flat @ images.T).min(axis=1) + (flat**2).sum(axis=1)
    return np.sqrt(np.maximum(nearest, 0))


def character(rng: Random) -> Field:
    """A made-up character: some strokes between the points of a grid, now and then symmetrical."""
    while True:
        paths = _strokes(rng)
        spots = np.vstack(paths)
        sides = spots.max(axis=0) - spots.min(axis=0)
        if sides.min() > 0.4 * sides.max():
            break
    slant, stretch = rng.normal(0.1, 0.15), rng.lognormal(0, 0.15)
    return inked([path * [stretch, 1] - slant * path[:, 1:] * [1, 0] for path in paths], rng)


def row(rng: Random) -> Field:
    """Two or three made-up characters side by side."""
    x, paths = 0.0, []
    for _ in range(rng.integers(2, 4)):
        strokes = _strokes(rng)
        low, high = np.vstack(strokes).min(axis=0), np.vstack(strokes).max(axis=0)
        scale = rng.uniform([30, 70], [60, 110]) / np.maximum(high - low, [20, 40])
        paths += [(path - low) * scale + [x, 0] for path in strokes]
        x += (high - low)[0] * scale[0] + rng.uniform(3, 25)
    return inked(paths, rng)


def outline(rng: Random) -> Field:
    """A filled outline, mostly the same on both sides, now and then with a notch; black or in uneven grey."""
    levels = np.concatenate([[0], np.sort(rng.uniform(0, 1, int(rng.integers(2, 7)))), [1]])
    right = np.stack([rng.uniform(0.1, 0.5, len(levels)), levels], axis=1)
    left = right * [-1, 1] if rng.random() < 0.7 else right * [-1, 1] * rng.uniform([0.2, 1], [1.8, 1], right.shape)
    notch = [[0.06, 1], [rng.normal(0, 0.05), rng.uniform(0.3, 0.8)], [-0.06, 1]]
    points = np.vstack([right, *([notch] if rng.random() < 0.35 else []), left[::-1]]) * rng.uniform(90, 150, 2)
    points = turned(points, rng.choice([0, 0, 0, np.pi / 2, np.pi]) + rng.normal(0, 0.1))
    points -= points.min(axis=0)
    points = points * (FRAME - 20) / points.max() + 10
    path = smooth(np.vstack([points, points[:1]])) if rng.random() < 0.3 else points
    picture = np.zeros((FRAME, FRAME), np.uint8)
    cv2.fillPoly(picture, [path.astype(np.int32)], 255, cv2.LINE_AA)
    if rng.random() < 0.8:
        cells = int(rng.integers(2, 10))
        grey = cv2.resize(rng.uniform(0.2, 1, (cells, cells)), (FRAME, FRAME), interpolation=cv2.INTER_LINEAR)
        picture = (picture * np.clip(grey * rng.uniform(0.8, 1.6), 0, 1)).astype(np.uint8)
    return field_of(picture)


def turned_over(make: Made) -> Made:
    """A maker of the same drawings mirrored, upside down or lying on a side."""

    def made(rng: Random) -> Field:
        field = make(rng)
        return (field[:, ::-1], field[::-1], np.rot90(field), np.rot90(field, 3))[rng.integers(4)]

    return made


def _strokes(rng: Random) -> list[Points]:
    """The strokes of a character, most of which begin on an earlier one."""
    size = np.array([rng.integers(2, 4), rng.integers(3, 5)])
    paths: list[Points] = []
    for _ in range(rng.choice([2, 3, 4, 5], p=[0.3, 0.4, 0.2, 0.1])):
        start = rng.integers(0, size, 2) * STEP
        if paths and rng.random() < 0.6:
            earlier = paths[rng.integers(len(paths))]
            start = earlier[rng.integers(len(earlier))] if rng.random() < 0.5 else earlier[[0, -1]].mean(axis=0)
        paths.append(_stroke(start, size, rng))
    if rng.random() < 0.3:
        axis = rng.integers(2)
        spots = np.vstack(paths)[:, axis]
        mirror = spots.max() if rng.random() < 0.5 else spots.mean()
        flip, shift = np.eye(2)[axis] * -2 + 1, np.eye(2)[axis] * 2 * mirror
        paths += [path * flip + shift for path in paths]
    wobble = rng.uniform(0.5, 4)
    return [path + rng.normal(0, wobble, path.shape) * (len(path) < 6) + rng.normal(0, 2, 2) for path in paths]


def _stroke(start: Points, size: npt.NDArray[np.int64], rng: Random) -> Points:
    """A straight line, a bent one, a curve or a ring from a point to others on the grid."""
    kind = rng.choice(["straight", "bent", "curve", "ring"], p=[0.5, 0.15, 0.28, 0.07])
    path = np.vstack([start, rng.integers(0, size, (1 if kind == "straight" else int(rng.integers(2, 4)), 2)) * STEP])
    if kind == "straight" and rng.random() < 0.4:  # level or upright
        axis = rng.integers(2)
        path[1, axis] = path[0, axis]
    if kind == "ring":
        radius = rng.uniform(12, 30)
        return ring(*path[1], radius, radius * rng.uniform(0.8, 1.2))
    return smooth(path) if kind == "curve" else path
