"""Drawings for the tests, as strokes on the page's pad: digits in many hands, and things that are no digits.

Each model is a list of lines through points of a unit square, written down by hand. A drawing takes one, moves its
points a little, tilts, stretches and places it, and picks a pen; so no two are the same, and a seed makes each again.
"""

from __future__ import annotations

import math

import numpy as np

from stroke_raster import PAD, Stroke

Points = list[tuple[float, float]]
Model = list[tuple[str, Points]]
"""Lines, each ``curve`` (smooth through its points) or ``line`` (straight from point to point)."""


def ring(x: float, y: float, rx: float, ry: float, start: float = 0, turn: float = 360, n: int = 14) -> Points:
    """Points of an ellipse, in degrees from three o'clock, clockwise as y grows downwards."""
    angles = [math.radians(start + turn * i / n) for i in range(n + 1)]
    return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]


DIGITS: dict[int, list[Model]] = {
    0: [
        [("curve", ring(0.5, 0.5, 0.3, 0.48, -90, 362))],
        [("curve", ring(0.5, 0.5, 0.4, 0.46, -70, -372))],
        [("curve", ring(0.5, 0.5, 0.24, 0.5, -100, 350))],
    ],
    1: [
        [("line", [(0.5, 0), (0.5, 1)])],
        [("line", [(0.28, 0.22), (0.55, 0), (0.55, 1)])],  # European
        [("line", [(0.3, 0.28), (0.52, 0.02), (0.5, 1)])],
        [("curve", [(0.58, 0), (0.53, 0.4), (0.46, 1)])],
        [("line", [(0.33, 0.2), (0.53, 0), (0.53, 1)]), ("line", [(0.28, 1), (0.78, 1)])],
    ],
    2: [
        [("curve", [(0.2, 0.25), (0.35, 0.04), (0.65, 0.05), (0.78, 0.28), (0.6, 0.58), (0.2, 0.97)]),
         ("line", [(0.2, 0.97), (0.85, 0.96)])],
        [("curve", [(0.2, 0.22), (0.5, 0), (0.8, 0.22), (0.62, 0.55), (0.32, 0.82), (0.2, 0.92), (0.28, 0.8),
            (0.45, 0.88),
                    (0.65, 0.98), (0.88, 0.9)])],
        [("curve", [(0.22, 0.15), (0.5, 0.02), (0.75, 0.2), (0.6, 0.55), (0.15, 1)]), ("line", [(0.15, 1), (0.8, 1)])],
    ],
    3: [
        [("curve", [(0.2, 0.12), (0.5, 0), (0.76, 0.2), (0.62, 0.42), (0.42, 0.47)]),
         ("curve", [(0.42, 0.47), (0.72, 0.55), (0.8, 0.76), (0.55, 0.99), (0.18, 0.88)])],
        [("line", [(0.2, 0.02), (0.78, 0.02), (0.45, 0.4)]),
         ("curve", [(0.45, 0.4), (0.75, 0.5), (0.78, 0.78), (0.5, 1), (0.18, 0.9)])],
        [("curve", [(0.25, 0.05), (0.6, 0.03), (0.7, 0.25), (0.45, 0.46), (0.75, 0.62), (0.68, 0.93), (0.22, 0.95)])],
    ],
    4: [
        [("line", [(0.28, 0), (0.18, 0.55), (0.85, 0.52)]), ("line", [(0.68, 0.02), (0.64, 1)])],  # open
        [("line", [(0.62, 0.02), (0.12, 0.66), (0.88, 0.66)]), ("line", [(0.64, 0.02), (0.64, 1)])],  # closed
        [("curve", [(0.25, 0.02), (0.18, 0.4), (0.45, 0.52), (0.72, 0.42)]), ("line", [(0.75, 0), (0.68, 1)])],
        [("line", [(0.5, 0), (0.15, 0.6), (0.85, 0.56)]), ("line", [(0.62, 0.28), (0.58, 1)])],
    ],
    5: [
        [("line", [(0.78, 0.02), (0.3, 0.02), (0.25, 0.44)]),
         ("curve", [(0.25, 0.44), (0.55, 0.36), (0.8, 0.6), (0.65, 0.95), (0.2, 0.92)])],
        [("curve", [(0.32, 0.06), (0.28, 0.42), (0.6, 0.42), (0.76, 0.7), (0.52, 0.99), (0.18, 0.88)]),
         ("line", [(0.32, 0.05), (0.8, 0.02)])],
        [("curve", [(0.8, 0.03), (0.42, 0.04), (0.32, 0.4), (0.6, 0.5), (0.7, 0.75), (0.5, 0.98), (0.15, 0.95)])],
    ],
    6: [
        [("curve", [(0.68, 0.02), (0.38, 0.25), (0.22, 0.65), (0.4, 0.97), (0.7, 0.88), (0.72, 0.62), (0.48, 0.54),
                    (0.24, 0.72)])],
        [("curve", [(0.45, 0), (0.28, 0.35), (0.24, 0.75), (0.45, 0.99), (0.68, 0.85), (0.66, 0.62), (0.45, 0.58),
                    (0.27, 0.75)])],
        [("curve", [(0.75, 0.08), (0.5, 0.05), (0.25, 0.4), (0.22, 0.78), (0.5, 1), (0.78, 0.8), (0.62, 0.54),
            (0.3, 0.62)])],
    ],
    7: [
        [("line", [(0.15, 0.05), (0.82, 0.03), (0.42, 1)])],
        [("line", [(0.15, 0.04), (0.82, 0.04), (0.45, 1)]), ("line", [(0.3, 0.52), (0.78, 0.5)])],  # crossed
        [("curve", [(0.15, 0.18), (0.2, 0.06), (0.5, 0.08), (0.82, 0.04), (0.6, 0.45), (0.5, 1)])],
        [("line", [(0.2, 0.2), (0.2, 0.04), (0.8, 0.05), (0.5, 1)])],
    ],
    8: [
        [("curve", [(0.68, 0.14), (0.45, 0.01), (0.26, 0.2), (0.46, 0.44), (0.74, 0.7), (0.52, 0.99), (0.24, 0.76),
                    (0.5, 0.46), (0.72, 0.24), (0.66, 0.1)])],
        [("curve", ring(0.5, 0.24, 0.24, 0.24, 90, 360)), ("curve", ring(0.5, 0.74, 0.29, 0.26, -90, 360))],
        [("curve", [(0.75, 0.08), (0.4, 0.04), (0.3, 0.25), (0.6, 0.5), (0.7, 0.8), (0.45, 1), (0.25, 0.8), (0.5, 0.5),
                    (0.78, 0.1)])],
    ],
    9: [
        [("curve", [(0.72, 0.24), (0.5, 0.02), (0.25, 0.25), (0.42, 0.5), (0.68, 0.38), (0.73, 0.2)]),
         ("line", [(0.73, 0.2), (0.68, 1)])],
        [("curve", [(0.74, 0.2), (0.5, 0.01), (0.26, 0.24), (0.45, 0.48), (0.74, 0.28), (0.75, 0.65), (0.6, 0.97),
                    (0.28, 0.94)])],  # tailed
        [("curve", [(0.7, 0.1), (0.4, 0.03), (0.28, 0.3), (0.5, 0.45), (0.7, 0.2), (0.66, 0.6), (0.5, 1)])],
    ],
}  # fmt: skip

LETTERS: dict[str, Model] = {
    "A": [("line", [(0.1, 1), (0.5, 0), (0.9, 1)]), ("line", [(0.27, 0.62), (0.74, 0.62)])],
    "C": [("curve", ring(0.55, 0.5, 0.42, 0.5, -48, -264))],
    "E": [("line", [(0.85, 0), (0.2, 0), (0.2, 1), (0.85, 1)]), ("line", [(0.2, 0.5), (0.7, 0.5)])],
    "F": [("line", [(0.85, 0), (0.2, 0), (0.2, 1)]), ("line", [(0.2, 0.48), (0.7, 0.48)])],
    "H": [("line", [(0.15, 0), (0.15, 1)]), ("line", [(0.85, 0), (0.85, 1)]), ("line", [(0.15, 0.5), (0.85, 0.5)])],
    "J": [("line", [(0.35, 0), (0.95, 0)]), ("curve", [(0.65, 0), (0.65, 0.75), (0.42, 1), (0.15, 0.78)])],
    "K": [("line", [(0.2, 0), (0.2, 1)]), ("line", [(0.85, 0), (0.2, 0.55)]), ("line", [(0.38, 0.4), (0.88, 1)])],
    "L": [("line", [(0.2, 0), (0.2, 1), (0.85, 1)])],
    "M": [("line", [(0.08, 1), (0.15, 0), (0.5, 0.65), (0.85, 0), (0.92, 1)])],
    "N": [("line", [(0.15, 1), (0.15, 0), (0.85, 1), (0.85, 0)])],
    "P": [("line", [(0.22, 0), (0.22, 1)]), ("curve", [(0.22, 0.02), (0.65, 0.04), (0.8, 0.27), (0.62, 0.5),
            (0.22, 0.53)])],
    "R": [("line", [(0.2, 0), (0.2, 1)]), ("curve", [(0.2, 0.02), (0.65, 0.04), (0.78, 0.26), (0.6, 0.48), (0.2, 0.5)]),
          ("line", [(0.45, 0.5), (0.85, 1)])],
    "T": [("line", [(0.08, 0), (0.92, 0)]), ("line", [(0.5, 0), (0.5, 1)])],
    "U": [("curve", [(0.15, 0), (0.16, 0.65), (0.32, 0.96), (0.68, 0.96), (0.84, 0.65), (0.85, 0)])],
    "V": [("line", [(0.08, 0), (0.5, 1), (0.92, 0)])],
    "W": [("line", [(0.02, 0), (0.27, 1), (0.5, 0.25), (0.73, 1), (0.98, 0)])],
    "X": [("line", [(0.12, 0), (0.88, 1)]), ("line", [(0.88, 0), (0.12, 1)])],
    "Y": [("line", [(0.1, 0), (0.5, 0.48), (0.9, 0)]), ("line", [(0.5, 0.48), (0.5, 1)])],
    "a": [("curve", ring(0.45, 0.6, 0.32, 0.38, -30, -330)), ("curve", [(0.78, 0.2), (0.77, 0.8), (0.95, 1)])],
    "c": [("curve", ring(0.5, 0.5, 0.36, 0.42, -45, -270))],
    "d": [("curve", ring(0.42, 0.7, 0.3, 0.28, -30, -330)), ("line", [(0.74, 0), (0.74, 1)])],
    "e": [("line", [(0.15, 0.52), (0.84, 0.5)]), ("curve", ring(0.5, 0.52, 0.35, 0.42, -3, -310))],
    "f": [("curve", [(0.78, 0.1), (0.58, 0), (0.45, 0.2), (0.44, 1)]), ("line", [(0.18, 0.42), (0.72, 0.42)])],
    "h": [("line", [(0.2, 0), (0.2, 1)]), ("curve", [(0.2, 0.66), (0.45, 0.46), (0.72, 0.58), (0.75, 1)])],
    "j": [("curve", [(0.6, 0.3), (0.6, 0.8), (0.42, 1), (0.2, 0.88)]), ("line", [(0.6, 0.05), (0.61, 0.08)])],
    "k": [("line", [(0.22, 0), (0.22, 1)]), ("line", [(0.75, 0.4), (0.22, 0.72)]), ("line", [(0.4, 0.6), (0.8, 1)])],
    "m": [("line", [(0.05, 0.3), (0.05, 1)]), ("curve", [(0.05, 0.5), (0.25, 0.3), (0.45, 0.45), (0.47, 1)]),
          ("curve", [(0.47, 0.5), (0.7, 0.3), (0.9, 0.45), (0.92, 1)])],
    "n": [("line", [(0.18, 0.2), (0.18, 1)]), ("curve", [(0.18, 0.5), (0.45, 0.2), (0.76, 0.38), (0.8, 1)])],
    "p": [("line", [(0.22, 0.05), (0.22, 1)]), ("curve", [(0.22, 0.2), (0.5, 0.02), (0.78, 0.25), (0.6, 0.52),
            (0.22, 0.45)])],
    "r": [("line", [(0.25, 0.15), (0.25, 1)]), ("curve", [(0.25, 0.5), (0.48, 0.2), (0.8, 0.22)])],
    "t": [("curve", [(0.45, 0), (0.45, 0.8), (0.6, 1), (0.82, 0.9)]), ("line", [(0.15, 0.32), (0.78, 0.32)])],
    "u": [("curve", [(0.15, 0.1), (0.17, 0.7), (0.4, 0.95), (0.75, 0.65)]), ("line", [(0.78, 0.1), (0.8, 1)])],
    "v": [("line", [(0.12, 0.1), (0.48, 0.95), (0.88, 0.1)])],
    "w": [("curve", [(0.05, 0.2), (0.25, 0.9), (0.5, 0.35), (0.75, 0.9), (0.95, 0.2)])],
    "x": [("line", [(0.15, 0.15), (0.85, 0.95)]), ("line", [(0.85, 0.15), (0.15, 0.95)])],
    "y": [("line", [(0.15, 0.05), (0.5, 0.58)]), ("line", [(0.88, 0.05), (0.25, 1)])],
}  # fmt: skip

DOODLES: dict[str, Model] = {
    "horse": [
        ("curve", [(0.05, 0.3), (0.18, 0.18), (0.26, 0.1), (0.32, 0.25), (0.36, 0.42), (0.6, 0.45), (0.85, 0.42),
            (0.9, 0.6)]),
        ("curve", [(0.05, 0.3), (0.12, 0.36), (0.24, 0.34), (0.3, 0.62), (0.55, 0.66), (0.8, 0.64), (0.9, 0.6)]),
        ("line", [(0.34, 0.62), (0.3, 1)]), ("line", [(0.42, 0.65), (0.42, 1)]),
        ("line", [(0.74, 0.65), (0.72, 1)]), ("line", [(0.84, 0.62), (0.88, 1)]),
        ("curve", [(0.88, 0.45), (0.98, 0.55), (0.97, 0.75)]),
    ],
    "house": [
        ("line", [(0.15, 1), (0.15, 0.45), (0.85, 0.45), (0.85, 1), (0.15, 1)]),
        ("line", [(0.05, 0.48), (0.5, 0.05), (0.95, 0.48)]),
        ("line", [(0.42, 1), (0.42, 0.7), (0.58, 0.7), (0.58, 1)]),
    ],
    "spiral": [("curve", [(0.5 + 0.03 * a * math.cos(a),
            0.5 + 0.03 * a * math.sin(a)) for a in np.arange(0, 15.8, 0.5)])],
    "star": [("line", [(0.5, 0), (0.8, 0.95), (0.02, 0.36), (0.98, 0.36), (0.2, 0.95), (0.5, 0)])],
    "heart": [("curve", [(0.5, 0.28), (0.3, 0.05), (0.05, 0.25), (0.2, 0.6), (0.5, 0.97)]),
              ("curve", [(0.5, 0.28), (0.7, 0.05), (0.95, 0.25), (0.8, 0.6), (0.5, 0.97)])],
    "face": [("curve", ring(0.5, 0.5, 0.48, 0.48)), ("line", [(0.35, 0.35), (0.35, 0.4)]), ("line", [(0.65, 0.35),
            (0.65, 0.4)]),
             ("curve", [(0.28, 0.62), (0.5, 0.78), (0.72, 0.62)])],
    "sun": [("curve", ring(0.5, 0.5, 0.2, 0.2)), *[
        ("line", [(0.5 + 0.28 * math.cos(a), 0.5 + 0.28 * math.sin(a)), (0.5 + 0.48 * math.cos(a),
            0.5 + 0.48 * math.sin(a))])
        for a in [k * math.pi / 4 for k in range(8)]]],
    "tree": [("line", [(0.5, 1), (0.5, 0.6)]), ("line", [(0.15, 0.62), (0.5, 0.02), (0.85, 0.62), (0.15, 0.62)])],
    "fish": [("curve", [(0.05, 0.5), (0.3, 0.22), (0.65, 0.4), (0.95, 0.75)]),
             ("curve", [(0.05, 0.5), (0.3, 0.78), (0.65, 0.6), (0.95, 0.25)]), ("line", [(0.95, 0.25), (0.95, 0.75)])],
    "arrow": [("line", [(0.05, 0.5), (0.95, 0.5)]), ("line", [(0.68, 0.22), (0.95, 0.5), (0.68, 0.78)])],
    "cross": [("line", [(0.5, 0.05), (0.5, 0.95)]), ("line", [(0.05, 0.5), (0.95, 0.5)])],
    "stairs": [("line", [(0.02, 0.95), (0.02, 0.7), (0.3, 0.7), (0.3, 0.45), (0.6, 0.45), (0.6, 0.2), (0.95, 0.2)])],
    "waves": [("curve", [(0.02, 0.35), (0.2, 0.2), (0.38, 0.35), (0.56, 0.2), (0.75, 0.35), (0.95, 0.2)]),
              ("curve", [(0.02, 0.75), (0.2, 0.6), (0.38, 0.75), (0.56, 0.6), (0.75, 0.75), (0.95, 0.6)])],
    "boat": [("curve", [(0.05, 0.65), (0.2, 0.95), (0.8, 0.95), (0.95, 0.65)]), ("line", [(0.05, 0.65), (0.95, 0.65)]),
             ("line", [(0.5, 0.65), (0.5, 0.05), (0.85, 0.55), (0.5, 0.55)])],
    "square": [("line", [(0.08, 0.08), (0.92, 0.08), (0.92, 0.92), (0.08, 0.92), (0.08, 0.08)])],
    "triangle": [("line", [(0.5, 0.05), (0.95, 0.92), (0.05, 0.92), (0.5, 0.05)])],
    "grid": [("line", [(0.35, 0), (0.35, 1)]), ("line", [(0.68, 0), (0.68, 1)]), ("line", [(0, 0.35), (1, 0.35)]),
             ("line", [(0, 0.68), (1, 0.68)])],
    "flower": [("curve", ring(0.5, 0.25, 0.1, 0.1)), ("curve", ring(0.3, 0.25, 0.1, 0.08)),
            ("curve", ring(0.7, 0.25, 0.1, 0.08)),
               ("curve", ring(0.5, 0.08, 0.08, 0.08)), ("line", [(0.5, 0.35), (0.5, 1)]), ("line", [(0.5, 0.75),
            (0.75, 0.6)])],
    "zigzag": [("line", [(0.02, 0.3), (0.2, 0.7), (0.38, 0.3), (0.56, 0.7), (0.75, 0.3), (0.95, 0.7)])],
    "man": [("curve", ring(0.5, 0.15, 0.13, 0.14)), ("line", [(0.5, 0.3), (0.5, 0.65)]), ("line", [(0.2, 0.42),
            (0.8, 0.42)]),
            ("line", [(0.25, 1), (0.5, 0.65), (0.75, 1)])],
}  # fmt: skip

HANDS = ("plain", "thin", "thick", "tiny", "corner", "tilted", "quick")
"""How a drawing is made: with which pen, how large, where, how straight."""


def digits(per_model: int = 10, seed: int = 1) -> list[tuple[int, str, list[Stroke]]]:
    """Drawings of digits with what they are and in which hand, ``per_model`` of each model, all hands in turn."""
    rng = np.random.default_rng(seed)
    models = [(digit, model) for digit, several in DIGITS.items() for model in several]
    return [
        (digit, HANDS[(i + number) % len(HANDS)], drawing(model, HANDS[(i + number) % len(HANDS)], rng))
        for number, (digit, model) in enumerate(models)
        for i in range(per_model)
    ]


def others(seed: int = 2) -> list[tuple[str, list[Stroke]]]:
    """200 drawings of what is no digit: 20 blanks and dots, 54 scribbles, 54 doodles, 72 letters."""
    rng = np.random.default_rng(seed)
    doodles, letters = list(DOODLES.items()), list(LETTERS.items())
    found = [("blank", blank(i, rng)) for i in range(20)]
    found += [("scribble", scribble(rng)) for _ in range(54)]
    found += [(name, drawing(model, HANDS[i % len(HANDS)], rng)) for i, (name, model) in enumerate((doodles * 3)[:54])]
    found += [(name, drawing(model, HANDS[i % len(HANDS)], rng)) for i, (name, model) in enumerate((letters * 3)[:72])]
    return found


def drawing(model: Model, hand: str, rng: np.random.Generator) -> list[Stroke]:
    """One drawing of a model."""
    width, size, slant, wobble = _hand(hand, rng)
    turn, stretch = math.radians(rng.uniform(-1, 1) * (15 if hand == "tilted" else 6)), rng.uniform(0.85, 1.15)
    room = (PAD - size) / 2
    middle = PAD / 2 + (rng.choice([-1, 1], 2) * 0.9 if hand == "corner" else rng.uniform(-0.5, 0.5, 2)) * room
    made = []
    for way, points in model:
        moved = np.array(points) - 0.5 + rng.normal(0, wobble, (len(points), 2))
        path = _smooth(moved) if way == "curve" else moved
        x, y = path[:, 0] * 0.8 * stretch - slant * path[:, 1], path[:, 1]
        x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        spots = np.clip(np.stack([x, y], 1) * size + middle, 2, PAD - 2)
        made.append(Stroke(tuple(spots.round(1).ravel().tolist()), width))
    return made


def blank(number: int, rng: np.random.Generator) -> list[Stroke]:
    """Nothing, a dot, or ink that was taken away again."""
    spot = tuple(rng.uniform(40, 240, 2).round(1).tolist())
    line = (*spot, spot[0] + 30, spot[1] + 10)
    return [[], [Stroke(spot, 20)], [Stroke(line, 16), Stroke(line, 40, erase=True)], [Stroke((), 20)]][number % 4]


def scribble(rng: np.random.Generator) -> list[Stroke]:
    """A pen that wanders about, in one to three strokes, turned back at the rim of the pad."""
    made = []
    for _ in range(rng.integers(1, 4)):
        n = int(rng.integers(12, 30))
        walk = np.cumsum(rng.normal(0, 55, (n, 2)), axis=0) + rng.uniform(0, PAD, 2)
        path = 12 + np.abs((walk % (2 * (PAD - 24))) - (PAD - 24))
        path = _smooth(path) if rng.random() < 0.7 else path
        path = np.clip(path, 2, PAD - 2)
        made.append(Stroke(tuple(path.round(1).ravel().tolist()), float(rng.choice([10, 16, 22]))))
    return made


def _hand(hand: str, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Width of the pen, size of the drawing, slant, and how much points move."""
    width, size, slant, wobble = 18.0, float(rng.uniform(150, 230)), float(rng.uniform(-0.05, 0.2)), 0.012
    if hand == "thin":
        width = 6.0
    if hand == "thick":
        width = 30.0
    if hand == "tiny":
        width, size = 8.0, float(rng.uniform(45, 65))
    if hand == "corner":
        size = float(rng.uniform(80, 110))
        width = 12.0
    if hand == "tilted":
        slant = float(rng.uniform(0.2, 0.4))
    if hand == "quick":
        wobble = 0.022
    return width, size, slant, wobble


def _smooth(points: np.ndarray, parts: int = 6) -> np.ndarray:
    """A Catmull-Rom curve through the points."""
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    a, b, c, d = ends[:-3, None], ends[1:-2, None], ends[2:-1, None], ends[3:, None]
    t = np.linspace(0, 1, parts, endpoint=False)[None, :, None]
    path = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.vstack([path.reshape(-1, 2), points[-1]])
