"""Calibrate a line reader: turn its score into a probability, by logistic regression on lines it never saw.

The lines are drawn with the strokes of UNIPEN's validation writers, whom no training sees. On the first half the
numbers for `digitscope.reading.recognition.CALIBRATIONS` are fitted, for each group of lines that has a calibration of
its own; on the second half everything else is measured with them: how often answers of each confidence are right, how
many lines are answered at each threshold (`digitscope.reading.page.SURE`), what whole pages of one line then answer,
how a given length, right or wrong, changes what is answered (`digitscope.reading.recognition.MISFIT`), and what is
taken for an empty line. The groups "given" and "forced" are lines read with the right length given, which does not
change the best text, or does. Writes `benchmarks/results/calibration-ENGINE.json`.

Usage: python benchmarks/calibrate_lines.py own|ocr|FILE.onnx --unipen FOLDER [--lines N]
"""

from __future__ import annotations

import argparse
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import results
import sets

from digitscope.datasets.synthetic.glyphs import font_files, fonts_folder
from digitscope.datasets.synthetic.lines import Lines, SyntheticLine
from digitscope.io.pixels import picture_of_array
from digitscope.models.metrics import binned
from digitscope.preprocessing.line import OTHER
from digitscope.reading import recognition
from digitscope.reading.constraint import Constraint, digits_of
from digitscope.reading.detection import Strip
from digitscope.reading.engine import Engine, View
from digitscope.reading.page import WRITTEN, PageReader
from digitscope.reading.recognition import Reading
from digitscope.training.line_fit import UNSEEN

SEED = 20_011

LIMITS = (0.5, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98)
"""Confidences for which the share of lines above them, and of these the right ones, are measured."""

RECENT = 20
"""Pictures of lines whose views are kept, more than one line has."""

KNOWN = {"no length": None, "the right length": 0, "a digit more": 1, "a digit fewer": -1}
"""What the reader is told about the length of a number, and by how many digits that differs from the truth."""


@dataclass(frozen=True)
class Outcome:
    """How one line was read, being told one thing of ``KNOWN``."""

    known: str
    group: str
    truth: str
    text: str
    score: float
    confidence: float
    digit_probability: float

    @property
    def right(self) -> bool:
        """Whether the text is the truth."""
        return self.text == self.truth


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", nargs="?", default="own")
    parser.add_argument("--unipen", type=Path, required=True)
    parser.add_argument("--lines", type=int, default=4000)
    asked = parser.parse_args()
    reader, source = PageReader(asked.engine), Lines(SEED, None, UNSEEN, asked.unipen, validation=True)
    reader.lines.engines = tuple((Remembering(engine), weight) for engine, weight in reader.lines.engines)
    half = asked.lines // 2
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for number in range(half):
        for one in outcomes(reader, source.line(number), ("no length", "the right length")):
            if one.text:
                groups[one.group].append(one)
    fits = {name: fitted(np.array([one.score for one in found]), right_of(found)) for name, found in groups.items()}
    recognition.CALIBRATIONS.update(fits)
    found = checked(reader, [source.line(number) for number in range(half, asked.lines)])
    figures = {
        "lines": asked.lines,
        "fonts": sum(len(font_files(fonts_folder(), kind)) for kind in ("handwritten", "printed")),
        "fitted": {name: {"n": len(groups[name]), "right": round(float(right_of(groups[name]).mean()), 4),
                          "slope": round(slope, 3), "intercept": round(start, 3)}
                   for name, (slope, start) in fits.items()},
    } | found  # fmt: skip
    print(figures)
    results.write(f"calibration-{Path(asked.engine).stem}", figures)


def outcomes(reader: PageReader, line: SyntheticLine, told: tuple[str, ...] = tuple(KNOWN)) -> Iterator[Outcome]:
    """How a line is read, being told each of these things about its number."""
    truth = digits_of(line.text)
    for known in told:
        more = KNOWN[known]
        if more is not None and (not truth or len(truth) + more < 1):
            continue
        reading = reader.reading(line.pixels, None if more is None else Constraint(length=len(truth) + more))
        yield outcome(reader, reading, known, truth)


def outcome(reader: PageReader, reading: Reading, known: str, truth: str) -> Outcome:
    """What a reading says of a line that says ``truth``; a line without digits has a right text, too: none."""
    group, confidence = reader.lines.calibration(reading), reader.lines.confidence(reading)
    return Outcome(known, group, truth, reading.best, reading.score, confidence, reading.digit_probability)


def checked(reader: PageReader, lines: list[SyntheticLine]) -> dict[str, Any]:
    """What the calibrations give on other lines than those they were fitted on."""
    read = [one for line in lines for one in outcomes(reader, line)]
    free = [one for one in read if one.known == "no length"]
    written = [one for one in free if one.text and one.digit_probability >= WRITTEN]
    confidences = np.array([one.confidence for one in written])
    ece, bins = binned(confidences, right_of(written))
    length = {}
    for known in KNOWN:
        those = [one for one in read if one.known == known and one.truth]
        sure = [one.digit_probability >= WRITTEN and one.confidence >= reader.sure for one in those]
        length[known] = answered(np.array(sure), right_of(those))
    return {
        "ece": round(ece, 4),
        "bins": [asdict(one) for one in bins],
        "at_confidence": {str(limit): answered(confidences >= limit, right_of(written)) for limit in LIMITS},
        "length": length,
        "called_empty": {
            "empty lines": round(float(np.mean([one.digit_probability < WRITTEN for one in free if not one.truth])), 4),
            "written lines": round(float(np.mean([one.digit_probability < WRITTEN for one in free if one.truth])), 4),
        },
        "pages": pages(reader, lines),
    }


def pages(reader: PageReader, lines: list[SyntheticLine]) -> dict[str, Any]:
    """The numbers of lines read as pages: how many are answered, and of these right."""
    sure, right, numbers = [], [], 0
    for line in lines:
        parts = [digits for part in re.split(f"[{OTHER}=]", line.text) if (digits := digits_of(part))]
        found = reader.numbers(picture_of_array(line.pixels), rotate=0)[1]
        numbers += len(parts)
        sure += [one.text is not None for one in found]
        right += right_parts([one.best_guess for one in found], parts)
    return {"written": numbers} | answered(np.array(sure), np.array(right))


def right_parts(found: list[str], parts: list[str]) -> list[bool]:
    """Which numbers of a line are right: they are parts of it, or the line is right and no mark stands inside them.

    The truth does not say where a wide gap parts a number from the next.
    """
    if "".join(found) == "".join(parts):
        marks = set(np.cumsum([len(part) for part in parts]).tolist())
        ends = np.cumsum([0, *map(len, found)]).tolist()
        return [not marks & set(range(start + 1, end)) for start, end in itertools.pairwise(ends)]
    left, right = list(parts), []
    for one in found:
        right.append(one in left)
        if right[-1]:
            left.remove(one)
    return right


def right_of(found: list[Outcome]) -> np.ndarray:
    """Whether each is right, bool (n,)."""
    return np.array([one.right for one in found], bool)


def odds_of(scores: np.ndarray) -> np.ndarray:
    """The log-odds of scores 0..1."""
    share = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.log(share / (1 - share))


def fitted(scores: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the log-odds of being right, by Newton's method in short steps; shrunk towards 1 and 0."""
    x = np.stack([odds_of(scores), np.ones(len(scores))], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(200):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -50, 50)))
        slope = x.T @ (right - chance) - (weights - [1.0, 0.0])
        curve = (x * (chance * (1 - chance))[:, None]).T @ x + np.eye(2)
        step = np.linalg.solve(curve, slope)
        weights = weights + step * min(1.0, 0.2 / max(float(np.abs(step).max()), 1e-9))
    return float(weights[0]), float(weights[1])


def answered(sure: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """How many are answered, how many of these are right, and the 95 % interval of that share in percent."""
    n, good = int(sure.sum()), int((sure & right).sum())
    return {"n": len(sure), "answered": n, "right": good, "interval": sets.wilson(good, n) if n else None}


if __name__ == "__main__":
    main()
