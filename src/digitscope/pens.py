"""Digits as people write them, stroke by stroke: the forms of several countries, each writer's hand, drawn with a pen.

A form is a list of strokes, a stroke a list of points on a curve, in units of the digit's height, y down. It knows no
paper and no fonts.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

FORMS: dict[str, tuple[str, ...]] = {
    "0": (
        "35,2 10,20 2,55 15,92 35,98 55,75 58,40 45,8 28,3",
        "32,0 8,22 0,60 18,97 40,95 56,62 50,20 30,0",
        "30,5 5,30 5,75 30,100 55,75 55,30 35,3 22,8",
        "50,12 30,2 8,25 3,60 20,95 42,93 58,60 52,20 35,5 45,15 72,8",
        "35,2 10,20 2,55 15,92 35,98 55,75 58,40 45,8 28,3; 55,8 6,94",
        "20,8 2,40 8,85 30,99 52,80 58,45 42,10",
        "40,10 10,5 -2,50 15,95 48,92 66,50 48,8 25,6",
    ),
    "1": (
        "10,0 10,100",
        "20,0 0,100",
        "0,35 30,0; 30,0 30,100",
        "0,75 40,0; 40,0 36,100",
        "0,95 30,0; 30,0 38,100",
        "0,28 28,0; 28,0 28,100; 5,100 52,99",
        "8,20 22,12 30,0; 30,0 28,100",
        "5,30 30,0; 30,0 26,60 30,95 46,99",
        "0,55 26,0; 26,0 24,100",
        "-5,100 18,45 34,0; 34,0 26,50 24,101",
        "6,12 16,0; 16,0 14,100",
    ),
    "2": (
        "3,25 15,5 38,2 55,20 48,45 25,75 0,100; 0,100 60,97",
        "3,25 20,3 45,5 55,28 40,60 12,92 2,88 12,78 30,90 45,100 65,90",
        "0,5 50,5; 50,5 0,100; 0,100 55,100",
        "5,20 25,0 50,15 40,50 5,95; 5,95 25,88 45,100 62,95",
        "0,30 20,0 50,10 45,45 20,80 2,98; 2,98 25,95 62,100",
        "8,18 30,0 48,14 44,40 4,96; 4,96 70,92",
        "2,15 30,0 52,22 38,62 5,95 0,85 15,82 35,97 75,92",
    ),
    "3": (
        "3,12 25,0 50,10 48,35 22,46; 22,46 50,55 58,78 40,98 15,98 0,85",
        "2,2 55,2; 55,2 22,40; 22,40 50,50 58,80 35,100 0,90",
        "5,10 35,0 50,20 30,42 20,45 28,50 38,46 55,65 50,90 25,100 0,88",
        "5,10 40,2 45,25 25,45 50,60 45,90 20,100 0,90",
        "0,10 30,-2 48,18 20,42; 20,42 55,60 40,95 -8,104",
        "6,5 48,0 46,12 24,42; 24,42 46,46 50,75 30,96 -5,98",
    ),
    "4": (
        "10,0 2,55; 2,55 60,52; 50,15 45,100",
        "50,0 0,65; 0,65 65,65; 50,0 48,100",
        "8,0 4,35 10,52 35,50 52,30; 55,5 45,100",
        "30,0 5,60; 5,60 60,60; 40,35 35,100",
        "25,0 5,65; 5,65 30,52 52,56; 50,40 36,100",
        "14,0 6,30 4,50 18,54 50,46; 50,0 48,100",
        "35,0 0,62; 0,62 58,56; 46,30 34,104",
        "45,5 2,66 20,70 62,62; 50,-2 40,100",
    ),
    "5": (
        "10,2 8,42; 8,42 30,36 55,50 57,75 35,98 0,92; 10,2 60,0",
        "55,5 15,10 12,38 40,45 55,70 35,98 0,92",
        "15,2 5,42 35,40 52,62 42,92 10,100 0,90; 20,8 65,0",
        "55,0 12,5; 12,5 5,45; 5,45 45,50 50,85 20,100 0,95",
        "16,5 6,45; 6,45 42,38 50,72 28,98 -5,94; 12,4 85,-6",
        "60,0 18,2; 18,2 10,40; 10,40 40,44 46,70 25,96 -4,100",
        "20,0 8,40 35,42 48,64 34,95 2,98; 20,0 58,4",
    ),
    "6": (
        "50,2 20,20 3,60 12,93 35,99 55,80 48,56 25,54 6,72",
        "40,0 10,50 2,80 20,100 45,95 50,70 30,58 5,75",
        "15,0 2,50 2,85 20,100 48,90 50,65 30,55 8,65",
        "45,0 12,38 0,75 18,100 42,88 40,64 20,62 4,80",
        "38,0 5,55 8,95 40,98 50,70 24,58 8,72",
        "30,0 4,50 6,92 36,98 44,70 30,62 12,80 60,66",
    ),
    "7": (
        "0,3 55,3; 55,3 30,50 20,100",
        "0,3 55,3; 55,3 30,50 20,100; 8,50 56,46",
        "2,18 2,2; 2,2 55,4; 55,4 25,100",
        "0,12 12,2 35,8 58,0; 58,0 35,50 30,100",
        "0,12 12,2 35,8 58,0; 58,0 35,50 30,100; 12,52 58,48",
        "0,8 30,2 50,10 40,50 25,100",
        "0,2 50,0; 50,0 44,100",
        "4,14 10,0 56,2; 56,2 28,44 18,102; 10,44 52,50",
        "0,0 60,0; 60,0 12,100; 14,40 60,40",
    ),
    "8": (
        "50,12 30,0 8,15 15,38 42,55 55,80 30,100 5,85 12,60 42,38 52,15 40,3",
        "30,0 10,10 10,35 30,45 50,35 50,10 30,0; 30,45 3,60 5,90 30,100 57,90 57,60 30,45",
        "55,5 20,2 8,22 45,60 50,85 25,100 5,82 30,50 60,10",
        "48,8 18,4 14,28 44,56 46,84 22,100 4,82 22,56 44,30 46,8",
        "50,0 22,10 10,28 40,58 46,88 20,98 6,76 34,44 52,2",
        "30,2 14,12 16,34 36,46 50,70 40,98 12,96 6,74 24,48 44,30 44,10 28,0",
    ),
    "9": (
        "50,15 30,0 5,15 8,42 30,50 50,30 53,10; 53,10 50,60 42,100",
        "50,15 30,0 5,15 8,42 30,50 50,30 53,10; 53,10 52,70 40,97 15,100 2,90",
        "10,42 40,42 55,20 38,0 12,12 5,50 2,100",
        "48,20 30,2 8,20 14,44 40,38 50,10; 50,10 30,100",
        "52,6 20,4 4,26 20,46 46,32 54,4 48,60 44,100",
        "45,22 28,2 4,22 20,48 48,30 50,8 44,70 20,102 -6,86",
        "40,40 8,44 2,18 26,0 46,14 36,60 12,102",
        "16,46 44,38 50,12 28,0 8,16 16,44; 12,40 8,100",
    ),
    ".": ("0,96 4,98", "0,94 3,98 0,100 -2,97 2,95", "2,92 0,101"),
    ",": ("5,88 6,98 -4,114", "4,92 -6,116", "6,86 0,112"),
    "-": ("0,55 30,54", "0,60 45,52", "0,50 22,50", "0,56 80,55", "0,45 20,40 36,46", "0,40 28,34"),
    "/": ("40,-5 0,105", "55,-10 -5,110"),
    "=": ("0,46 32,44; 0,62 32,60", "0,20 40,14; 4,36 40,28", "0,40 26,36; 2,52 26,50", "0,52 60,50; 0,68 60,66"),
    "$": ("52,18 25,8 4,25 28,48 54,70 30,95 0,82; 30,-8 26,110", "50,15 20,6 5,28 50,66 30,96 2,85; 24,-6 22,108; 36,-6 34,108"),
    "#": ("20,0 8,100; 48,0 36,100; 0,32 60,28; -4,68 56,64",),
    "*": ("20,30 20,70; 2,40 38,60; 38,40 2,60",),
    "~": ("0,50 15,40 30,55 50,45 80,50 95,44", "0,90 30,60 60,100 95,80"),
}  # fmt: skip
"""Points in hundredths, strokes parted by ``;``: digits, separators and what stands around them."""

STEPS = 7
"""Points drawn between two of a form's."""


def curve(character: str, form: int, rng: np.random.Generator, wobble: float) -> list[Floats]:
    """The strokes of one character, its form's points moved a little and joined by smooth curves.

    Args:
        character: a key of :data:`FORMS`.
        form: which of its forms, counted on without end.
        rng: where the wobble comes from.
        wobble: standard deviation of a point, in digit heights.

    Returns:
        float32 (points, 2) per stroke: x and y in digit heights.
    """
    strokes = _strokes(character)[form % len(FORMS[character])]
    bend = rng.normal(0, wobble, (2, 3)).astype(np.float32)
    drawn = []
    for points in strokes:
        moved = points + rng.normal(0, wobble, points.shape).astype(np.float32)
        joined = _spline(len(points)) @ moved
        phase = joined[:, ::-1] * np.float32(4) + bend[:, 2] * np.float32(30)
        drawn.append(joined + bend[:, 0] * np.sin(phase) + bend[:, 1] * np.cos(phase))
    return drawn


@cache
def _strokes(character: str) -> tuple[tuple[Floats, ...], ...]:
    return tuple(
        tuple(
            np.array([point.split(",") for point in stroke.split()], np.float32) / 100 for stroke in form.split(";")
        )
        for form in FORMS[character]
    )


@cache
def _spline(points: int) -> Floats:
    """Float32 (steps, points): weights of a Catmull-Rom spline through so many points, its ends held."""
    if points == 2:
        along = np.linspace(0, 1, STEPS, dtype=np.float32)
        return np.stack([1 - along, along], axis=1)
    along = np.linspace(0, points - 1, STEPS * (points - 1) + 1)
    weights = np.zeros((len(along), points), np.float32)
    for row, at in enumerate(along):
        left = min(int(at), points - 2)
        t = at - left
        parts = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3)
        for offset, part in zip((-1, 0, 1, 2), parts, strict=True):
            weights[row, int(np.clip(left + offset, 0, points - 1))] += part / 2
    return weights


def draw(canvas: npt.NDArray[np.uint8], strokes: list[Floats], pen: int) -> None:
    """Draw strokes, float32 (points, 2) x and y in pixels, into uint8 (h, w) with a round pen of ``pen`` pixels."""
    points = [np.rint(stroke * 16).astype(np.int32)[:, None] for stroke in strokes]
    cv2.polylines(canvas, points, False, 255, pen, cv2.LINE_AA, 4)
