"""Digits as Europeans and hurried writers form them: with loops, long upstrokes, cross bars and tails."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitscope.reading.reader import Reader

FORMS = {
    "4, its strokes joined by a loop": (
        "4",
        ["26,8 20,40 22,62 40,66 58,50 66,26 58,12 48,20 44,50 40,104"],
        ["30,6 22,30 20,52 32,64 52,58 66,38 64,20 54,18 48,40 44,106"],
    ),
    "4, open": (
        "4",
        ["18,6 14,50 62,48", "58,4 52,104"],
        ["24,2 10,44 18,54 60,50", "56,10 54,106"],
    ),
    "9, its stem begun with a loop": (
        "9",
        ["58,30 46,12 26,18 22,40 40,50 56,34 62,14 56,56 46,106"],
        ["60,22 40,6 18,20 20,44 42,48 58,28 60,60 54,104"],
    ),
    "9 with a long curved tail": (
        "9",
        ["56,22 40,6 18,18 18,42 40,50 56,28 58,60 46,92 20,106 2,98"],
        ["58,18 36,4 16,22 24,46 48,40 58,20 60,64 44,98 10,104"],
    ),
    "1 with a long upstroke": (
        "1",
        ["2,58 40,4", "40,4 38,106"],
        ["6,50 36,2", "36,2 40,104"],
    ),
    "1 with a flag and a foot": (
        "1",
        ["14,26 36,6", "36,6 36,102", "10,104 62,102"],
        ["12,30 38,8", "38,8 36,100", "14,102 60,104"],
    ),
    "7, crossed": (
        "7",
        ["8,10 62,6 38,56 28,106", "18,56 58,50"],
        ["6,14 12,8 60,8 36,104", "14,58 56,54"],
    ),
}
"""The digit, and how two writers form it: strokes as points in hundredths of its height."""

PAPERS = {"white": (250, 25, 0.7), "grey": (170, 60, 1.5), "faint": (225, 140, 1.0), "dark": (30, 215, 1.0)}
"""Grey levels of paper and pen, and pixels of blur."""


def drawn(strokes: list[str], paper: str, pen: int) -> np.ndarray:
    """A picture of a digit 160 pixels high, uint8 (h, w)."""
    level, ink, blur = PAPERS[paper]
    canvas = np.zeros((270, 240), np.uint8)
    for stroke in strokes:
        points = np.array([[float(value) for value in point.split(",")] for point in stroke.split()])
        curve = smooth(points) if len(points) > 2 else points
        cv2.polylines(canvas, [np.rint((curve * 1.5 + 60) * 16).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 4)
    share = cv2.GaussianBlur(canvas / np.float32(255), (0, 0), blur)
    noise = np.random.default_rng(0).normal(0, 2, share.shape)
    return np.clip(level + (ink - level) * share + noise, 0, 255).astype(np.uint8)


def smooth(points: np.ndarray) -> np.ndarray:
    """A quadratic B-spline through the middles of the points' connections, its ends held."""
    middles = (points[:-1] + points[1:]) / 2
    t = np.linspace(0, 1, 12)[:, None]
    parts = zip(middles[:-1], points[1:-1], middles[1:], strict=True)
    inner = [(1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c for a, b, c in parts]
    return np.concatenate([points[:1], *inner, points[-1:]])


@pytest.mark.parametrize("form", FORMS)
def test_no_form_is_read_as_another_digit(form: str):
    digit, *writers = FORMS[form]
    pictures = [drawn(strokes, paper, pen) for strokes in writers for paper in PAPERS for pen in (6, 11, 16)]
    said = [Reader().digit(picture).text for picture in pictures]
    assert {*said} <= {digit, None}, said
    assert said.count(digit) >= 0.75 * len(said), said
