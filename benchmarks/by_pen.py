"""Digits, letters and signs drawn from recorded pen strokes, as fields of a classifier and as pictures on paper.

For `reader_digit.py`. Every writer is chosen as often as every other, whatever the number of their samples.
"""

from __future__ import annotations

from pathlib import Path

import crops
import cv2
import numpy as np
from no_digits import SIGNS, smooth

from digitscope.arraytypes import Floats, Images, Labels, Levels
from digitscope.datasets.synthetic import handwriting
from digitscope.datasets.trajectories import EvenChoice, read_trajectories
from digitscope.io.elements import Box
from digitscope.preprocessing.field import field_of

UNLIKE_DIGITS = {"letters": SIGNS, "symbols": SIGNS + '"^_-:;~'}
"""Characters of each file that look like no digit."""

HEIGHT = 100
"""Pixels of a digit's height when it is drawn."""

PEN = (0.085, 0.42, 0.03, 0.22)
"""Log-normal width of the pen in digit heights: median and standard deviation of the logarithm, thinnest, thickest."""

SLANT, WIDTH = 0.1, 0.1
"""Standard deviations of what is added to a writer's slant, and of the logarithm of what multiplies the width."""

LOOPED = {
    4: ("26,0 18,30 22,62 42,72 62,58 72,34 64,18 50,24 44,50 42,102",
        "20,2 12,40 18,66 38,74 58,64 70,40 66,22 54,18 44,34 40,70 40,104",
        "30,4 14,48 24,70 44,70 66,50 68,28 56,22 46,40 42,100",
        "16,0 10,34 20,58 40,62 60,48 66,26 56,14 44,28 40,60 38,100",
        "24,2 20,36 34,52 56,44 66,24 54,14 44,30 42,64 40,104"),
    9: ("8,46 34,52 58,40 66,18 52,2 36,8 32,34 34,70 36,102",
        "4,44 30,50 56,36 60,14 46,2 32,12 30,44 32,100",
        "14,50 40,48 62,28 56,6 40,4 32,22 32,60 30,104",
        "60,26 44,8 22,16 20,40 40,48 56,32 62,12 58,50 50,104"),
}  # fmt: skip
"""Digits in one stroke with a loop, as points in hundredths of their height; the forms of `synthetic.handwriting` lack
them."""

Random = np.random.Generator


def digits(folder: Path, validation: bool, count: int, rng: Random) -> tuple[list[Floats], Labels]:
    """Digits of the training or the validation writers: the ink of each, float32 (h, w) 0..1, and the labels."""
    source = read_trajectories("digits", folder)
    choice = EvenChoice(source.writers, np.flatnonzero(source.validation == validation))
    chosen = [choice.choose(rng) for _ in range(count)]
    return [drawn(source.strokes(index), rng) for index in chosen], source.labels[chosen].astype(np.uint8)


def no_digits(folder: Path, validation: bool, count: int, rng: Random) -> list[Floats]:
    """Letters and signs, half and half: the ink of each."""
    found = []
    for kind, characters in UNLIKE_DIGITS.items():
        source = read_trajectories(kind, folder)
        usable = np.isin(source.labels, list(characters)) & (source.validation == validation)
        choice = EvenChoice(source.writers, np.flatnonzero(usable))
        found += [drawn(source.strokes(choice.choose(rng)), rng) for _ in range(count // 2)]
    return found


def formed(count: int, rng: Random) -> tuple[list[Floats], Labels]:
    """Digits in the forms of `datasets.synthetic.handwriting`."""
    labels = np.arange(count, dtype=np.uint8) % 10
    curves = (handwriting.curve(str(y), int(rng.integers(1000)), rng, float(rng.uniform(0, 0.04))) for y in labels)
    return [drawn(strokes, rng) for strokes in curves], labels


def looped(count: int, rng: Random) -> tuple[list[Floats], Labels]:
    """Digits in the forms of `LOOPED`, wobbly."""
    labels = rng.choice(list(LOOPED), count).astype(np.uint8)
    inks = []
    for label in labels:
        points = np.array([point.split(",") for point in str(rng.choice(LOOPED[int(label)])).split()], float)
        moved = points + rng.normal(0, rng.uniform(0, 5), points.shape)
        inks.append(drawn([(smooth(moved) / 100).astype(np.float32)], rng))
    return inks, labels


def drawn(strokes: list[Floats], rng: Random) -> Floats:
    """The ink of a character, float32 (h, w) 0..1, by a pen of its own, a little more or less slanted and wide."""
    median, spread, thinnest, thickest = PEN
    pen = max(2, round(HEIGHT * float(np.clip(rng.lognormal(np.log(median), spread), thinnest, thickest))))
    slant, wide = rng.normal(0, SLANT), np.exp(rng.normal(0, WIDTH))
    shaped = []
    for stroke in strokes:
        x, y = (stroke if len(stroke) > 1 else np.repeat(stroke, 2, axis=0)).T
        shaped.append(np.stack([wide * (x - slant * y), y], axis=1) * HEIGHT)
    points = np.vstack(shaped)
    low, high = points.min(axis=0) - pen, points.max(axis=0) + pen
    canvas = np.zeros(np.ceil((high - low)[::-1] + 1).astype(int), np.uint8)
    handwriting.draw(canvas, [(stroke - low).astype(np.float32) for stroke in shaped], pen)
    return canvas / np.float32(255)


def fields(inks: list[Floats], rng: Random) -> Images:
    """Ink as the reader's classifier sees it, uint8 (n, 28, 28); half of the slant is taken from half of it."""
    made = [field_of(ink, _box(ink), float(rng.choice((0.0, 0.5)))).pixels for ink in inks]
    return np.rint(255 * np.stack(made)).astype(np.uint8)


def on_paper(inks: list[Floats], rng: Random) -> list[Levels]:
    """Pictures of single characters, uint8 (h, w): of several sizes, on paper with light and grain, with any margin."""
    made = []
    for ink in inks:
        x, y, width, height = cv2.boundingRect((ink > 0.5).astype(np.uint8))
        scale = rng.uniform(40, 200) / max(width, height)
        cut = ink[y : y + height, x : x + width]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.float32)
        room = rng.uniform(0, 0.5, 4) * max(size)
        top, bottom, left, right = room.astype(int)
        made.append(crops.on_paper(np.pad(small, ((top, bottom), (left, right))), rng))
    return made


def _box(ink: Floats) -> Box:
    return Box(*cv2.boundingRect((ink > 0.5).astype(np.uint8)))
