"""Measure how single digits are read that fill their picture, stand in a frame or on ruling: ink, not classification.

Writes `benchmarks/results/crops.json`. The pictures are made up: 300 of MNIST's training digits, drawn with paper,
light and grain of their own at three sizes; cut to their box with a margin of 0, 3 and 10 % of the longer side; in
frames of which one to four sides are seen; on ruled paper, on a line or crossing it. Frames without a digit, and plus
signs, have to be refused.

Usage: python benchmarks/crops.py
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import results

from digitscope.arraytypes import Floats, Levels
from digitscope.datasets.mnist import load_mnist
from digitscope.reading.reader import Reader

N = 300
SIDES = (60, 140, 300)
"""Pixels of the longer side of a digit."""

Random = np.random.Generator
Draw = Callable[[Floats, Random], Floats]
"""From a digit's ink, float32 (h, w) 0..1 and cut to its box, to that of a picture."""


def main() -> None:
    """Read every kind of picture, print and write the shares."""
    (images, labels), _ = load_mnist()
    reader = Reader()
    found = {}
    for name, draw in KINDS.items():
        rng = np.random.default_rng(7)
        counts = {"right": 0, "refused": 0, "wrong": 0}
        for index in range(N):
            ink = draw(cut(images[index], SIDES[index % len(SIDES)]), rng)
            said = reader.digit(on_paper(ink, rng)).text
            wanted = None if name in EMPTY else str(labels[index])
            counts["right" if said == wanted else "refused" if said is None else "wrong"] += 1
        found[name] = counts
        print(f"{name:28s} " + ", ".join(f"{key} {value}" for key, value in counts.items()), flush=True)
    results.write("crops", {"n": N, "kinds": found})


def cut(image: Levels, side: int) -> Floats:
    """An MNIST image cut to its ink, its longer side ``side`` pixels."""
    x, y, width, height = cv2.boundingRect((image > 100).astype(np.uint8))
    scale = side / max(width, height)
    fine = cv2.resize(image, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    box = fine[8 * y : 8 * (y + height), 8 * x : 8 * (x + width)]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(cv2.GaussianBlur(box, (0, 0), 3), size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip((small / np.float32(255) - 0.35) / 0.3, 0, 1), np.float32)


def on_paper(ink: Floats, rng: Random) -> Levels:
    """Ink as grey levels on paper, with light that falls off to one side, a little blur and grain."""
    paper, pen = rng.uniform(150, 250), rng.uniform(10, 90)
    light = np.linspace(1, rng.uniform(0.8, 1), ink.shape[1])[None]
    pixels = (paper + (pen - paper) * cv2.GaussianBlur(ink, (0, 0), 0.7)) * light
    return np.asarray(np.clip(pixels + rng.normal(0, rng.uniform(0, 4), ink.shape), 0, 255), np.uint8)


def margin(share: float) -> Draw:
    """The digit with a margin on every side."""
    return lambda ink, rng: np.pad(ink, round(share * max(ink.shape)))


def framed(ink: Floats, rng: Random, touching: bool = False) -> Floats:
    """The digit in a frame, of which one to four sides are seen, all a little askew."""
    room = [round(max(ink.shape) * (0 if touching and side == 0 else rng.uniform(0.12, 0.4))) for side in range(4)]
    cell = np.pad(ink, ((room[1], room[0]), (room[2], room[3])))
    cell = np.pad(cell, round(max(ink.shape) * rng.uniform(0.03, 0.08)))
    high, wide = cell.shape
    inset = max(ink.shape) * 0.05
    pen = max(1, round(max(ink.shape) * rng.uniform(0.015, 0.06)))
    corners = [(inset, inset), (wide - inset, inset), (wide - inset, high - inset), (inset, high - inset)]
    seen = rng.permutation(4)[: rng.integers(1, 5)].tolist() if not touching else [2, 1]
    for side in seen:
        start, end = np.array(corners[side]), np.array(corners[(side + 1) % 4])
        along = (end - start) * 0.2
        wobble = rng.normal(0, 0.012 * max(ink.shape), (2, 2))
        first, second = (start - along + wobble[0]).astype(int), (end + along + wobble[1]).astype(int)
        cv2.line(cell, first.tolist(), second.tolist(), 1.0, pen, cv2.LINE_AA)
    return cell


def ruled(ink: Floats, rng: Random, through: bool = False) -> Floats:
    """The digit on ruled paper: between the lines, or crossing one in its lower half."""
    size = max(ink.shape)
    page = np.pad(ink, round(0.4 * size))
    pen, tilt = max(1, round(size * rng.uniform(0.01, 0.025))), rng.normal(0, 0.01) * page.shape[1]
    foot = page.shape[0] - 0.4 * size
    first = foot - rng.uniform(0.05, 0.4) * ink.shape[0] if through else foot + 0.08 * size
    step = 1.3 * size
    for y in np.arange(first - 2 * step, page.shape[0] + step, step):
        cv2.line(page, (0, round(y)), (page.shape[1], round(y + tilt)), rng.uniform(0.3, 0.6), pen, cv2.LINE_AA)
    return np.maximum(page, np.pad(ink, round(0.4 * size)))


def plus(ink: Floats, rng: Random) -> Floats:
    """A plus sign instead of the digit, cut to its box or nearly."""
    size = max(ink.shape)
    canvas = np.zeros((round(size * rng.uniform(0.9, 1.4)), size), np.float32)
    height, width = canvas.shape
    pen = max(2, round(size * rng.uniform(0.05, 0.14)))
    y, x = round(height * rng.uniform(0.4, 0.6)), round(width * rng.uniform(0.4, 0.6))
    cv2.line(canvas, (pen, y), (width - pen, round(y + rng.normal(0, 0.02) * size)), 1.0, pen, cv2.LINE_AA)
    cv2.line(canvas, (x, pen), (round(x + rng.normal(0, 0.03) * size), height - pen), 1.0, pen, cv2.LINE_AA)
    return np.pad(canvas, round(rng.uniform(0, 0.08) * size))


KINDS: dict[str, Draw] = {
    "margin of 0 %": margin(0.0),
    "margin of 3 %": margin(0.03),
    "margin of 10 %": margin(0.1),
    "margin of 25 %": margin(0.25),
    "in a frame": framed,
    "in a frame that it touches": lambda ink, rng: framed(ink, rng, touching=True),
    "on ruled paper": ruled,
    "across ruling": lambda ink, rng: ruled(ink, rng, through=True),
    "an empty frame": lambda ink, rng: framed(np.zeros_like(ink), rng),
    "a plus sign": plus,
}
EMPTY = ("an empty frame", "a plus sign")
"""Kinds without a digit."""


if __name__ == "__main__":
    main()
