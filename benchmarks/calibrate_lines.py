"""Calibrate a line reader: turn its score into a probability, by logistic regression on synthetic lines it never saw.

Prints the two numbers for `digitscope.reading.recognition.CALIBRATIONS`, and how a given length, right or wrong,
changes what is answered (`digitscope.reading.recognition.MISFIT`).

Usage: python benchmarks/calibrate_lines.py [own|ocr|FILE.onnx] [--lines N]
"""

from __future__ import annotations

import argparse

import numpy as np

from digitscope.datasets.synthetic.lines import Lines
from digitscope.reading.constraint import Constraint, digits_of
from digitscope.reading.page import WRITTEN, PageReader

SEED = 20_011

KNOWN = {"no length": None, "the right length": 0, "a digit more": 1, "a digit fewer": -1}
"""What the reader is told about the length of a number, and by how many digits that differs from the truth."""


def odds_of(scores: np.ndarray) -> np.ndarray:
    """The log-odds of scores 0..1."""
    share = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.log(share / (1 - share))


def chance_of(scores: np.ndarray, slope: float, start: float) -> np.ndarray:
    """The calibrated confidence of scores 0..1."""
    return 1 / (1 + np.exp(-np.clip(slope * odds_of(scores) + start, -50, 50)))


def fitted(scores: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the log-odds of being right, by Newton's method in short steps; shrunk towards 1 and 0."""
    x = np.stack([odds_of(scores), np.ones(len(scores))], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(200):
        chance = chance_of(scores, *weights)
        slope = x.T @ (right - chance) - (weights - [1.0, 0.0])
        curve = (x * (chance * (1 - chance))[:, None]).T @ x + np.eye(2)
        step = np.linalg.solve(curve, slope)
        weights = weights + step * min(1.0, 0.2 / max(float(np.abs(step).max()), 1e-9))
    return float(weights[0]), float(weights[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", nargs="?", default="own")
    parser.add_argument("--lines", type=int, default=2000)
    arguments = parser.parse_args()
    reader, source = PageReader(arguments.engine), Lines(SEED)
    scores, right, chances, written = [], [], [], []
    answered: dict[str, list[tuple[bool, bool]]] = {known: [] for known in KNOWN}
    for number in range(arguments.lines):
        line = source.line(number)
        reading = reader.reading(line.pixels)
        truth = digits_of(line.text)
        chances.append(reading.digit_probability)
        written.append(bool(truth))
        if reading.best:
            scores.append(reading.score)
            right.append(reading.best == truth)
        for known, more in KNOWN.items():
            if truth and (more is None or len(truth) + more > 0):
                constraint = None if more is None else Constraint(length=len(truth) + more)
                told = reading if constraint is None else reader.reading(line.pixels, constraint)
                sure = told.digit_probability >= WRITTEN and reader.lines.confidence(told) >= reader.sure
                answered[known].append((sure, told.best == truth))
    for known, ones in answered.items():
        given = [was_right for sure, was_right in ones if sure]
        print(f"{known}: {len(given) / len(ones):.3f} of {len(ones)} answered, {sum(given)} of {len(given)} right")
    slope, start = fitted(np.array(scores), np.array(right, float))
    chance = chance_of(np.array(scores), slope, start)
    print(f"slope {slope:.3f}, start {start:.3f}; right {np.mean(right):.3f} of {len(right)}")
    for limit in (0.5, 0.75, 0.9, 0.95):
        sure = chance >= limit
        print(f"confidence >= {limit}: {sure.mean():.3f} accepted, {np.mean(np.array(right)[sure]):.4f} of them right")
    found, held = np.array(chances) >= 0.5, np.array(written)
    print(
        f"called empty: {np.mean(~found[~held]):.3f} of the empty lines, "
        f"{np.mean(~found[held]):.3f} of the written ones"
    )


if __name__ == "__main__":
    main()
