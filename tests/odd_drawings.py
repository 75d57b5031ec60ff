"""Fields that show no digit, of kinds that the out-of-distribution detector never learned from.

``benchmarks/no_digits.py``, ``forms.py`` and ``made_up.py`` draw what it learns from: Latin letters, common signs,
shapes, scribbles, blots, spoilt digits, some things, and what chance makes. Nothing here is one of those. What a person
may take for a digit is left out: ``δ``, ``θ``, ``б``, ``э``, ``ξ``, ``日``, ``ц``, ``⊥``, a cloud, a rabbit and others.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from digitscope.arraytypes import Floats
from digitscope.datasets.mnist import load_mnist
from digitscope.io.elements import Box
from digitscope.preprocessing.field import field_of
from stroke_models import DOODLES, HANDS, LETTERS, Model, drawing
from stroke_raster import raster

Random = np.random.Generator


def model(text: str) -> Model:
    """Strokes separated by ``;``, of points x,y in hundredths: a curve, after ``|`` lines, after ``o`` a ring x,y,r."""
    made: Model = []
    for stroke in text.split(";"):
        words = stroke.strip(" |o").split()
        points = [tuple(float(value) / 100 for value in word.split(",")) for word in words]
        if "o" in stroke:
            x, y, r = points[0]
            angles = np.linspace(0, 6.4, 18)
            points = [(float(x + r * np.cos(a)), float(y + r * np.sin(a))) for a in angles]
        made.append(("line" if "|" in stroke else "curve", [(point[0], point[1]) for point in points]))
    return made


SCRIPTS = {
    "Λ": "|5,100 45,0 90,100",
    "Π": "|5,5 95,5; |20,5 18,100; |80,5 82,100",
    "Σ": "|90,5 10,5 55,50 10,98 92,98",
    "Φ": "o 50,50,28; |50,0 50,100",
    "Ψ": "5,5 8,45 30,60 70,60 92,45 95,5; |50,0 50,100",
    "Ω": "|2,100 30,100; 30,100 10,70 5,35 30,5 70,5 95,35 90,70 70,100; |70,100 98,100",
    "α": "95,15 60,80 30,95 8,70 8,40 30,20 60,50 95,95",
    "λ": "15,5 40,10 60,55 90,100; |50,45 10,100",
    "μ": "20,20 15,110; 20,20 22,65 45,75 70,60 75,20; 75,20 78,70 95,75",
    "π": "5,25 25,10 95,12; 35,12 30,60 20,95; 70,12 68,70 85,95",
    "ω": "20,20 5,60 20,95 45,80 50,45 55,80 80,95 95,60 80,20",
    "Ж": "|50,0 50,100; |5,0 50,50 95,0; |5,100 50,50 95,100",
    "Ш": "|5,0 5,100 95,100 95,0; |50,0 50,100",
    "Ю": "|8,0 8,100; |8,50 40,50; o 68,50,28",
    "Я": "|85,0 85,100; 85,5 40,2 15,25 35,48 85,50; |50,50 10,100",
    "Д": "|0,100 0,85 100,85 100,100; |15,85 45,0 85,0 85,85",
    "И": "|10,0 10,100 90,0 90,100",
    "Ы": "|5,0 5,100; 5,50 40,48 55,75 40,98 5,98; |90,0 90,100",
    "א": "|5,5 95,95; 90,5 85,30 55,45; 35,35 10,60 12,95",
    "ש": "5,5 10,60 25,95 75,95 90,60 95,5; |50,10 40,90",
}  # fmt: skip
"""Letters of the Greek, Cyrillic and Hebrew scripts."""

CHARACTERS = {
    "大": "|5,35 95,35; |50,0 50,40 5,100; |50,40 95,100",
    "木": "|5,30 95,30; |50,0 50,100; |50,35 5,90; |50,35 95,90",
    "中": "|10,25 10,65 90,65 90,25 10,25; |50,0 50,100",
    "田": "|8,5 92,5 92,98 8,98 8,5; |50,5 50,98; |8,50 92,50",
    "山": "|8,40 8,95 92,95 92,40; |50,5 50,95",
    "王": "|10,5 90,5; |15,48 85,48; |5,95 95,95; |50,5 50,95",
    "火": "|50,5 48,50 5,100; |50,50 95,100; |18,30 28,52; |85,25 72,48",
    "手": "|25,10 75,2; |15,32 85,28; |5,58 95,55; 52,5 55,80 48,98 30,90",
    "文": "|50,0 52,15; |5,25 95,25; |70,30 10,100; |28,32 95,100",
    "天": "|12,8 88,8; |5,45 95,45; |50,8 48,50 5,100; |50,48 95,100",
    "生": "|30,5 12,40; |20,25 85,25; |20,58 80,58; |5,98 95,98; |52,0 52,98",
    "米": "|50,0 50,100; |5,50 95,50; |20,8 35,38; |80,8 65,38; |45,55 5,95; |55,55 95,95",
    "人": "|50,0 45,45 5,100; |48,40 95,100",
    "小": "|50,0 50,92 38,85; |22,35 8,75; |75,35 92,75",
    "川": "|15,5 12,60 2,100; |50,10 50,90; |85,5 85,100",
    "女": "|45,0 20,55 85,100; |75,30 55,75 10,100; |2,38 98,35",
}  # fmt: skip
"""Chinese characters."""

SIGNS = {
    "root": "|0,60 12,55 30,95 50,5 100,5",
    "divided by": "|5,50 95,50; |49,12 51,14; |49,86 51,88",
    "unequal": "|5,35 95,35; |5,65 95,65; |75,5 25,95",
    "element": "95,5 40,8 8,50 40,92 95,95; |8,50 80,50",
    "therefore": "|49,15 51,17; |14,80 16,82; |84,80 86,82",
    "for all": "|5,0 50,100 95,0; |25,40 75,40",
    "to and fro": "|5,50 95,50; |25,25 5,50 25,75; |75,25 95,50 75,75",
    "follows": "|5,38 75,38; |5,62 75,62; |60,10 98,50 60,90",
    "tally": "|12,0 12,100; |37,2 37,98; |62,0 63,100; |88,0 87,98; |0,80 100,15",
}  # fmt: skip
"""Signs of mathematics, and a tally."""

THINGS: dict[str, Model] = {
    **{name: DOODLES[name] for name in ("horse", "face", "sun", "fish", "arrow", "stairs", "waves", "boat", "flower")},
    **{
        name: model(text)
        for name, text in {
            "bicycle": "o 22,75,20; o 78,75,20; |22,75 45,35 70,35 78,75; |45,35 55,75 70,35",
            "comb": "|5,20 95,20; |10,20 10,80; |26,20 26,80; |42,20 42,80; |58,20 58,80; |74,20 74,80; |90,20 90,80",
            "butterfly": "|50,20 50,85; o 28,35,21; o 72,35,21; o 31,70,17; o 69,70,17",
            "candle": "|35,40 35,100 65,100 65,40 35,40; 50,38 40,20 50,0 60,20 50,38",
            "spider": "o 50,50,15; |38,40 5,15; |36,50 0,50; |38,60 5,90; |62,40 95,15; |64,50 100,50; |62,60 95,90",
            "aeroplane": "|50,0 50,90; |5,55 50,30 95,55; |30,95 50,80 70,95",
            "bone of a fish": "|0,50 100,50; |20,25 20,75; |40,20 40,80; |60,25 60,75; |80,32 80,68",
        }.items()
    },
}
"""Things that people draw."""

CLOTHES = {
    "shirt": "20,0 40,8 60,8 80,0 100,30 82,42 82,100 18,100 18,42 0,30",
    "trousers": "20,0 80,0 90,100 60,100 50,35 40,100 10,100",
    "dress": "35,0 65,0 60,40 95,100 5,100 40,40",
    "boot": "30,0 65,0 65,60 100,75 100,95 30,95",
    "bag": "5,40 30,40 35,5 65,5 70,40 95,40 95,95 5,95",
    "coat": "25,0 75,0 98,80 80,85 76,40 76,100 24,100 24,40 20,85 2,80",
}  # fmt: skip
"""Outlines of pieces of clothing."""

WRITTEN_LATER = 54_000
"""The first of MNIST's training digits that are paired; the detector learns from the first of all only."""


def drawn(made: Model, rng: Random) -> Floats:
    """A model in any hand, as the page's raster makes it."""
    return raster(drawing(made, str(rng.choice(HANDS)), rng)).field


def word(rng: Random) -> Floats:
    """Two or three Latin letters side by side."""
    names = rng.choice(list(LETTERS), int(rng.integers(2, 4)))
    side_by_side = [
        (way, [((i + 0.9 * x) / len(names), 0.6 * y) for x, y in points])
        for i, name in enumerate(names)
        for way, points in LETTERS[str(name)]
    ]
    return drawn(side_by_side, rng)


def clothing(rng: Random) -> Floats:
    """A piece of clothing, filled with uneven grey."""
    outline = str(rng.choice(list(CLOTHES.values())))
    points = np.array([[float(value) for value in word.split(",")] for word in outline.split()])
    points = (points + rng.normal(0, 2.5, points.shape)) * rng.uniform([1.4, 1.7], [2, 2]) + 30
    picture = np.zeros((280, 280), np.float32)
    cv2.fillPoly(picture, [points.astype(np.int32)], 1.0, cv2.LINE_AA)
    cloth = cv2.resize(rng.uniform(0.35, 1, (6, 6)).astype(np.float32), (280, 280), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.resize(np.clip(picture * cloth, 0, 1), (28, 28), interpolation=cv2.INTER_AREA))


def pair(rng: Random) -> Floats:
    """Two digits side by side, close together."""
    images = load_mnist()[0][0]
    parts = []
    for index in rng.integers(WRITTEN_LATER, len(images), 2):
        x, _, width, _ = cv2.boundingRect((images[index] > 64).astype(np.uint8))
        parts += [images[index][:, x : x + width], np.zeros((28, int(rng.integers(1, 5))), np.uint8)]
    ink = np.hstack(parts[:-1]).astype(np.float32) / 255
    x, y, width, height = cv2.boundingRect((ink > 0.25).astype(np.uint8))
    return field_of(ink, Box(x, y, width, height)).pixels


def one_of(models: dict[str, Model]) -> Callable[[Random], Floats]:
    """A maker that draws one of the models."""
    made = list(models.values())
    return lambda rng: drawn(made[int(rng.integers(len(made)))], rng)


KINDS: dict[str, Callable[[Random], Floats]] = {
    "letters of other scripts": one_of({name: model(text) for name, text in SCRIPTS.items()}),
    "Chinese characters": one_of({name: model(text) for name, text in CHARACTERS.items()}),
    "signs": one_of({name: model(text) for name, text in SIGNS.items()}),
    "things": one_of(THINGS),
    "short words": word,
    "two digits": pair,
    "clothes": clothing,
}
"""Every kind, and what draws a field float32 (28, 28) 0..1 of it."""


def fields(kind: str, n: int, seed: int) -> Floats:
    """Some fields of a kind, float32 (n, 28, 28) 0..1; a seed makes the same again."""
    rng = np.random.default_rng(seed)
    return np.stack([KINDS[kind](rng) for _ in range(n)])
