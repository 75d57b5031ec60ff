"""Calibrate a line reader: turn its score into a probability, by logistic regression on synthetic lines it never saw.

Writes `benchmarks/results/calibration-ENGINE.json`: for each group of lines that has a calibration of its own, the two
numbers for `digitscope.reading.recognition.CALIBRATIONS`, and what they give; how a given length, right or wrong,
changes what is answered (`digitscope.reading.recognition.MISFIT`); and what is taken for an empty line. The groups
"given" and "forced" are lines read with the right length given, which does not change the best text, or does.

Usage: python benchmarks/calibrate_lines.py [own|ocr|FILE.onnx] [--lines N]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import results

from digitscope.datasets.synthetic.glyphs import font_files, fonts_folder
from digitscope.datasets.synthetic.lines import Lines
from digitscope.reading.constraint import Constraint, digits_of
from digitscope.reading.detection import Strip
from digitscope.reading.engine import Engine, View
from digitscope.reading.page import WRITTEN, PageReader

SEED = 20_011

LIMITS = (0.5, 0.75, 0.9, 0.95)
"""Confidences for which the share of lines above them, and of these the right ones, are measured."""

RECENT = 20
"""Pictures of lines whose views are kept, more than one line has."""

KNOWN = {"no length": None, "the right length": 0, "a digit more": 1, "a digit fewer": -1}
"""What the reader is told about the length of a number, and by how many digits that differs from the truth."""


class Remembering:
    """An engine that looks at a line once, however often it is read under another constraint."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.seen = engine, dict[bytes, list[View]]()

    def look(self, strip: Strip) -> list[View]:
        """The views of a strip, from memory if its picture was seen lately."""
        key = strip.pixels.tobytes()
        if key not in self.seen:
            self.seen = dict([*self.seen.items()][-RECENT:]) | {key: self.engine.look(strip)}
        return self.seen[key]


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
    reader.lines.engines = tuple((Remembering(engine), weight) for engine, weight in reader.lines.engines)
    groups: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    chances: dict[bool, list[float]] = {True: [], False: []}
    told: dict[str, list[tuple[bool, bool]]] = {known: [] for known in KNOWN}
    for number in range(arguments.lines):
        line = source.line(number)
        reading, truth = reader.reading(line.pixels), digits_of(line.text)
        chances[bool(truth)].append(reading.digit_probability)
        if reading.best:
            groups[reader.lines.calibration(reading)].append((reading.score, reading.best == truth))
        for known, more in KNOWN.items():
            if truth and (more is None or len(truth) + more > 0):
                constraint = None if more is None else Constraint(length=len(truth) + more)
                again = reading if constraint is None else reader.reading(line.pixels, constraint)
                if more == 0 and again.best:
                    groups[reader.lines.calibration(again)].append((again.score, again.best == truth))
                sure = again.digit_probability >= WRITTEN and reader.lines.confidence(again) >= reader.sure
                told[known].append((sure, again.best == truth))
    figures = {
        "lines": arguments.lines,
        "fonts": sum(len(font_files(fonts_folder(), kind)) for kind in ("handwritten", "printed")),
        "groups": {name: calibration(*map(np.array, zip(*found, strict=True))) for name, found in groups.items()},
        "length": {known: answered(*map(np.array, zip(*found, strict=True))) for known, found in told.items()},
        "called_empty": {
            "empty lines": round(float(np.mean(np.array(chances[False]) < WRITTEN)), 4),
            "written lines": round(float(np.mean(np.array(chances[True]) < WRITTEN)), 4),
        },
    }
    print(figures)
    results.write(f"calibration-{Path(arguments.engine).stem}", figures)


def calibration(scores: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """The fit of one group, and what it gives."""
    slope, intercept = fitted(scores, right.astype(float))
    chances = chance_of(scores, slope, intercept)
    found = {str(limit): answered(chances >= limit, right) for limit in LIMITS}
    return {"n": len(right), "right": round(float(right.mean()), 4), "slope": round(slope, 3),
            "intercept": round(intercept, 3), "at_confidence": found}  # fmt: skip


def answered(sure: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """How many of some lines are answered, and how many of these are right."""
    return {"n": len(sure), "answered": int(sure.sum()), "right": int((sure & right).sum())}


if __name__ == "__main__":
    main()
