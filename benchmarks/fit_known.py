"""Draw what is no digit, for the part of the page that says "not a digit I know", and measure that part.

Writes `src/digitscope/shipped/known.npz`: fields of letters, signs, scribbles, shapes, blots and spoilt digits,
which are turned, mirrored or lie on each other; and fields of printed digits in the same pens, so that the pen is no
sign of anything. Letters and printed digits come from the Hershey fonts of OpenCV. With --measure, writes
`results/known.json` instead.

Usage: python benchmarks/fit_known.py [--measure]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import results

from digitscope.datasets import load_mnist
from digitscope.files import atomic_path
from digitscope.known import KNOWN, fit_known, known
from digitscope.models import load, shipped

Field = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

SIDE = 160
PEN_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)  # fmt: skip
PRINT_FONTS = (
    cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX_SMALL, cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)  # fmt: skip
"""Fonts of plain lines, as a pen draws them, and fonts of thick and thin lines."""

SIGNS = "ACEFHJKLMNPRTUVWXYacdefhjkmnprtuvwxy&?#$%@{}+=*<>"
"""Without the letters that look like digits: B D G I O Q S Z b g i l o q s z."""

MIRRORED, TURNED = (3, 4, 7, 9), (2, 3, 4, 5, 7)
"""Digits that are none any more when mirrored, and when turned by a quarter."""

ROUND = (0, 2, 3, 4, 5, 6, 8, 9)
"""Digits on which another one shows."""


def field_of(picture: npt.NDArray[np.uint8]) -> Field:
    """What is drawn, longer side 20, its centre of mass in the middle of 28x28."""
    x, y, width, height = cv2.boundingRect((picture > 127).astype(np.uint8))
    field = np.zeros((28, 28), np.float32)
    if not width:
        return field
    scale = 20 / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    ink = cv2.resize(picture[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA) / np.float32(255)
    total = max(float(ink.sum()), 1e-6)
    top = int(np.clip(round(14 - float(ink.sum(axis=1) @ np.arange(size[1])) / total), 0, 28 - size[1]))
    left = int(np.clip(round(14 - float(ink.sum(axis=0) @ np.arange(size[0])) / total), 0, 28 - size[0]))
    field[top : top + size[1], left : left + size[0]] = ink
    return field


def sign(letter: str, font: int, rng: np.random.Generator) -> Field:
    """A letter of a font, tilted, slanted, stretched and bent."""
    picture = np.zeros((SIDE, SIDE), np.uint8)
    (width, height), below = cv2.getTextSize(letter, font, 1, 1)
    scale = rng.uniform(70, 100) / max(width, height + below)
    corner = (int((SIDE - width * scale) / 2), int((SIDE + height * scale) / 2))
    cv2.putText(picture, letter, corner, font, scale, 255, int(rng.integers(6, 16)), cv2.LINE_AA)
    turn, slant, stretch = rng.normal(0, 0.12), rng.normal(-0.15, 0.2), rng.uniform(0.75, 1.25)
    matrix = np.array([[stretch * np.cos(turn), slant - np.sin(turn)], [stretch * np.sin(turn), np.cos(turn)]])
    middle = np.full(2, SIDE / 2)
    picture = cv2.warpAffine(picture, np.c_[matrix, middle - matrix @ middle], (SIDE, SIDE))
    bend = [
        cv2.resize(
            rng.normal(0, rng.uniform(0, 7), (4, 4)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC
        )
        for _ in range(2)
    ]
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    return field_of(cv2.remap(picture, columns + bend[0], rows + bend[1], cv2.INTER_LINEAR))


def smooth(points: Points, parts: int = 8) -> Points:
    """A Catmull-Rom curve through the points."""
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    a, b, c, d = ends[:-3, None], ends[1:-2, None], ends[2:-1, None], ends[3:, None]
    t = np.linspace(0, 1, parts)[None, :, None]
    path = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return path.reshape(-1, 2)


def inked(paths: list[Points], rng: np.random.Generator) -> Field:
    """Paths drawn with one pen, tilted a little."""
    picture = np.zeros((SIDE, SIDE), np.uint8)
    width, turn = int(rng.integers(5, 18)), rng.normal(0, 0.15)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    for path in paths:
        spots = np.clip((path - SIDE / 2) @ turned.T + SIDE / 2, 6, SIDE - 6)
        cv2.polylines(picture, [np.round(spots * 16).astype(np.int32)], False, 255, width, cv2.LINE_AA, 4)
    return field_of(picture)


def scribble(rng: np.random.Generator) -> Field:
    """Strokes from anywhere to anywhere, or a pen that wanders: too many turns for a digit."""
    paths = []
    for n in rng.integers(5, 14, rng.integers(1, 5)):
        path = rng.uniform(20, 140, (n, 2))
        if rng.random() < 0.5:
            path = np.clip(80 + np.cumsum(rng.normal(0, 35, (n, 2)), axis=0), 10, 150)
        paths.append(smooth(path) if rng.random() < 0.6 else path)
    return inked(paths, rng)


def oval(rng: np.random.Generator, low: float, high: float, around: float = 35) -> Points:
    """Part of an ellipse, or all of it, somewhere near the middle."""
    middle, radii = 80 + rng.uniform(-around, around, 2), rng.uniform(low, high, 2)
    angles = rng.uniform(0, 6.3) + np.linspace(0, rng.choice([6.5, rng.uniform(2, 6)]), 24)
    return middle + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def polygon(rng: np.random.Generator, corners: int) -> Points:
    """A closed shape with corners on an oval."""
    angles = np.sort(np.arange(corners) / corners * 6.283 + rng.normal(0, 0.25, corners)) + rng.uniform(0, 6.3)
    reach = rng.uniform(25, 60, 2) * rng.uniform(0.75, 1, (corners, 1))
    points = 80 + rng.uniform(-15, 15, 2) + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.vstack([points, points[:1]])


def shape(rng: np.random.Generator) -> Field:
    """A closed shape, a cross, a star, a spiral, rays, bars, a zigzag, or several of them."""

    def star() -> list[Points]:
        corners = polygon(rng, int(rng.integers(4, 7)) * 2)[:-1]
        if rng.random() < 0.5:
            return [np.vstack([corners[:: rng.integers(2, 4)]] * 2)]
        dents = np.where(np.arange(len(corners)) % 2, 0.45, 1)[:, None]
        return [80 + (corners - 80) * dents]

    def lines(n: int) -> list[Points]:
        turn = rng.uniform(0, 3.2)
        ways = [turn + i * np.pi / n + rng.normal(0, 0.12) for i in range(n)]
        middles = 80 + rng.uniform(-18, 18, (n, 2))
        return [m + np.array([[-1], [1]]) * rng.uniform(30, 60) * [np.cos(a), np.sin(a)]
                for m, a in zip(middles, ways, strict=True)]  # fmt: skip

    def spiral() -> list[Points]:
        angle = np.linspace(0.5, rng.uniform(9, 24), 90)
        return [
            80 + (angle / angle[-1] * 60)[:, None] * np.stack([np.cos(angle), rng.choice([-1, 1]) * np.sin(angle)], 1)
        ]

    def bars() -> list[Points]:
        places = np.linspace(35, 125, int(rng.integers(2, 4)))
        level = [np.array([[20, p + rng.normal(0, 5)], [140, p + rng.normal(0, 5)]]) for p in places]
        return level + ([path[:, ::-1] for path in level] if rng.random() < 0.5 else [])

    def zigzag() -> list[Points]:
        n, flat = int(rng.integers(4, 9)), rng.uniform(15, 45)
        points = np.stack([np.linspace(20, 140, n), 80 + flat * np.where(np.arange(n) % 2, 1, -1)], 1) + rng.normal(
            0, 5, (n, 2)
        )
        return [smooth(points) if rng.random() < 0.5 else points]

    def on_a_stem() -> list[Points]:
        top, foot = polygon(rng, int(rng.integers(3, 8))), rng.normal(80, 8)
        low = top[:, 1].max()
        return [top * [1, 0.7], np.array([[rng.normal(80, 8), low * 0.7 - 4], [foot, low * 0.7 + rng.uniform(25, 60)]])]

    def dented() -> list[Points]:
        n = int(rng.integers(1, 4))
        angles = np.linspace(0, 6.283, 12 * n + 1)
        reach = rng.uniform(35, 60) * (1 - rng.uniform(0.4, 0.7) * np.abs(np.cos(angles * n / 2)) ** rng.integers(3, 8))
        return [80 + reach[:, None] * np.stack([np.sin(angles), -np.cos(angles)], 1) * rng.uniform(0.8, 1.1, 2)]

    def with_marks() -> list[Points]:
        angles = np.linspace(0, 6.3, 30)
        ring = 80 + rng.uniform(45, 60, 2) * np.stack([np.cos(angles), np.sin(angles)], 1)
        marks = 80 + rng.uniform(-28, 28, (int(rng.integers(2, 6)), 1, 2)) + rng.normal(0, 9, (1, 3, 2))
        return [ring, *marks]

    makers = (
        on_a_stem, dented, with_marks,
        lambda: [polygon(rng, int(rng.integers(3, 7)))], lambda: [polygon(rng, 3)], star, spiral, bars, zigzag,
        lambda: lines(int(rng.integers(2, 5))), lambda: lines(2),
        lambda: [polygon(rng, int(rng.integers(3, 7))), *lines(int(rng.integers(1, 4)))],
        lambda: [oval(rng, 10, 45), *lines(int(rng.integers(1, 4)))],
        lambda: [oval(rng, 8, 40) for _ in range(rng.integers(2, 6))],
        lambda: [polygon(rng, int(rng.integers(3, 6))), polygon(rng, int(rng.integers(3, 6)))],
    )  # fmt: skip
    return inked(makers[rng.integers(len(makers))](), rng)


def blot(rng: np.random.Generator) -> Field:
    """A filled shape, a level dash, or, one time in four, nothing at all."""
    picture = np.zeros((SIDE, SIDE), np.uint8)
    kind, radii = rng.integers(4), tuple(int(r) for r in rng.integers(10, 60, 2))
    if kind == 1:
        cv2.ellipse(picture, (80, 80), radii if rng.random() < 0.5 else radii[:1] * 2, 0, 0, 360, 255, -1, cv2.LINE_AA)
    if kind == 2:
        cv2.fillPoly(picture, [polygon(rng, int(rng.integers(3, 7))).astype(np.int32)], 255, cv2.LINE_AA)
    if kind == 3:
        rise = int(rng.integers(-25, 26))
        cv2.line(picture, (25, 80 - rise), (135, 80 + rise), 255, int(rng.integers(6, 25)), cv2.LINE_AA)
    return field_of(picture)


def spoilt(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], rng: np.random.Generator) -> Field:
    """A training digit mirrored, turned by a quarter, or with another one on it."""

    def one(of: tuple[int, ...]) -> Field:
        return images[rng.choice(np.flatnonzero(np.isin(labels, of)))] / np.float32(255)

    kind = rng.integers(3)
    if kind == 0:
        return one(MIRRORED)[:, ::-1]
    if kind == 1:
        return np.rot90(one(TURNED), rng.choice([1, 3]))
    way = rng.uniform(0, 6.3)
    shift = np.round(rng.uniform(3, 7) * np.array([np.sin(way), np.cos(way)])).astype(int)
    return np.maximum(one(ROUND), np.roll(one(tuple(range(10))), shift, (0, 1)))


def draw() -> None:
    """Write the file that ships."""
    rng = np.random.default_rng(20)
    (images, labels), _ = load_mnist()
    part = slice(0, 5000)
    others = [sign(letter, font, rng) for letter in SIGNS for font in PEN_FONTS for _ in range(24)]
    others += [sign(letter, font, rng) for letter in SIGNS for font in PRINT_FONTS for _ in range(5)]
    others += [scribble(rng) for _ in range(1500)] + [shape(rng) for _ in range(4000)] + [blot(rng) for _ in range(400)]
    others += [spoilt(images[part], labels[part], rng) for _ in range(2000)]
    printed = [
        sign(str(digit), font, rng)
        for digit in range(10)
        for font in (*PEN_FONTS[:3], *PRINT_FONTS[:3])
        for _ in range(20)
    ]
    with atomic_path(Path("src/digitscope/shipped") / KNOWN) as path:
        levels = {"others": others, "digits": printed}
        np.savez_compressed(
            path, **{name: np.round(np.stack(f) * 15).astype(np.uint8) * 17 for name, f in levels.items()}
        )
        print(f"{len(others):,} others, {len(printed):,} printed digits, {path.stat().st_size:,} bytes")


def measure() -> None:
    """Fit it for every shipped model and count."""
    figures = {}
    _, (images, _) = load_mnist()
    for name in shipped():
        model = load(name)
        start = time.process_time()
        fitted = fit_known(model)
        seconds = time.process_time() - start
        kept = known(model, fitted, images) >= fitted["threshold"]
        figures[name] = {
            "fit_processor_seconds": round(seconds, 2),
            "test_images": len(images),
            "kept": float(kept.mean()),
        }
        print(name, figures[name])
    results.write("known", {"models": figures})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    measure() if parser.parse_args().measure else draw()


if __name__ == "__main__":
    main()
