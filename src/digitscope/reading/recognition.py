"""Reading one line of writing: a strip cut out of a page in, digits with their chances and places out.

A strip is looked at in several views, perhaps by several engines; each proposes texts, and every text is weighed by all
of them. Finding lines is ``reading.detection``, spelling is ``reading.ctc``, pages are
``reading.page``.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Doubles, Floats
from digitscope.errors import ConfigError
from digitscope.preprocessing.line import HEIGHT, line_field
from digitscope.reading.ctc import (
    Constraint,
    Place,
    beam_search,
    digits_of,
    digits_only,
    log_probabilities,
    places,
    without_gaps,
)
from digitscope.reading.detection import Strip
from digitscope.reading.engine import Engine, View
from digitscope.reading.engine_own import LineModel

ENGINES = ("own", "ocr")

PROPOSALS = 4
"""Texts that a view proposes."""

DOUBT = 0.03
"""What is added to every text's share in a view: one view that is altogether wrong cannot rule a text out."""

MISFIT = 0.03
"""What a text that does not fit what is known about the number's form counts beside one that does. It is not nothing:
who wrote it may not have kept to the form, or the line may be no number, and then no text that fits is right."""

BESIDE = 0.5
"""Weight of the own engine's views beside those of ``ocr``."""

CALIBRATIONS = {"own": (0.94, -0.161), "ocr": (0.356, -1.797)}
"""For each engine slope and start of the log-odds of being right over those of the score, fitted on made-up lines that
no training saw (``benchmarks/calibrate_lines.py``)."""

PEN = 0.4
"""Share of full pen from which on a pixel of a line field is ink."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a strip says.

    Attributes:
        strip: the line.
        texts: digits-only texts and their shares 0..1 of all that was proposed, best first: those of the form that is
            known, or where no text is, the others with next to no share. The empty text means that there is no digit;
            it is the first only where that is more probable than not.
        view: the view in which the best text's places are looked up.
    """

    strip: Strip
    texts: dict[str, float]
    view: View

    @property
    def best(self) -> str:
        """The most probable text, digits only."""
        return next(iter(self.texts), "")

    @property
    def score(self) -> float:
        """Share of the best text, before calibration."""
        return self.texts.get(self.best, 0.0)

    @property
    def digit_probability(self) -> float:
        """Probability that the strip holds any digit at all."""
        return 1 - self.texts.get("", 0.0)


@dataclass(frozen=True, eq=False)
class Character:
    """A character of a line.

    Attributes:
        text: a digit or a separator.
        left: where its ink begins, in pixels of the strip; likewise the others.
        top: where it begins from above.
        right: where it ends.
        bottom: where it ends below.
        probabilities: float32 (10,), that it is each of the digits; zeros for a separator.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    probabilities: Floats


class LineReader:
    """Reads strips; use it again and again, opening it is the slow part."""

    def __init__(self, engine: str | Path | Engine | Sequence[Engine] = "own") -> None:
        """Open a reader.

        Args:
            engine: ``"own"``; ``"ocr"`` for RapidOCR's network with the own one beside it; an ``.onnx`` file of an own
                one; or several engines, whose verdicts are added.

        Raises:
            ConfigError: there is no such engine.
            MissingExtra: ``"ocr"``, and rapidocr is not installed.
            ModelError: a model file is damaged, or no line reader.
        """
        self.engines = _opened(engine)
        self.engine = "ocr" if engine == "ocr" else "own"

    def read(self, strip: Strip, constraint: Constraint | None = None) -> Reading:
        """What a strip says: the texts that its views propose, each weighed by all views of all engines.

        Args:
            strip: the line.
            constraint: what is known about the number's form.
        """
        looks = [engine.look(strip.pixels) for engine, _ in self.engines]
        columns = [[without_gaps(digits_only(view.probabilities)) for view in views] for views in looks]
        texts = _candidates(list(itertools.chain.from_iterable(columns)), constraint)
        chances = [_log_chances(views, sheets, texts) for views, sheets in zip(looks, columns, strict=True)]
        logs = np.zeros(len(texts))
        for (_, weight), of_engine in zip(self.engines, chances, strict=True):
            for of_view in of_engine:
                logs += weight * np.log(_shares(of_view) + DOUBT)
        ranked = _ranked(texts, logs, constraint)
        first = texts.index(next(iter(ranked)))
        return Reading(strip, ranked, looks[-1][int(np.argmax(chances[-1][:, first]))])

    def confidence(self, reading: Reading) -> float:
        """The calibrated probability 0..1 that a reading's best text is right."""
        return calibrated(reading.score, self.engine)


def _candidates(sheets: Sequence[Floats], constraint: Constraint | None) -> list[str]:
    """The texts that some views' columns propose, freely and within the constraint; that there is none is the first."""
    texts = {"": None}
    for sheet, form in itertools.product(sheets, dict.fromkeys((None, constraint))):
        texts |= dict.fromkeys(text for text, _ in beam_search(sheet, constraint=form)[:PROPOSALS])
    return list(texts)


def _ranked(texts: Sequence[str], logs: Doubles, constraint: Constraint | None) -> dict[str, float]:
    """The texts and their shares as a ``Reading`` has them, the empty text being the first of those given."""
    fits = np.array([not text or constraint is None or constraint.fits(text) for text in texts])
    if fits[1:].any():
        shares = _shares(logs + np.where(fits, 0.0, np.log(MISFIT)))
        kept = np.flatnonzero(fits)
    else:  # what is known leaves nothing: the others are told all the same, as hardly right
        shares = _shares(logs)
        shares[1:] *= MISFIT
        kept = np.arange(len(texts))
    last = shares[0] < 0.5
    order = sorted(kept.tolist(), key=lambda number: (last and not texts[number], -shares[number]))
    return {texts[number]: float(shares[number]) for number in order}


def _log_chances(views: Sequence[View], sheets: Sequence[Floats], texts: Sequence[str]) -> Doubles:
    """The logs float64 (views, texts) of each text's probability; that of nothing as a view itself puts it."""
    chances = log_probabilities(sheets, texts)
    for view, chance in zip(views, chances, strict=True):
        if view.nothing is not None and "" in texts:
            chance[texts.index("")] = view.nothing
    return chances


def _shares(logs: Doubles) -> Doubles:
    """Numbers of which the logs are known, divided by their sum."""
    shares = np.exp(logs - np.max(logs))
    return np.asarray(shares / shares.sum())


def calibrated(score: float, engine: str = "own") -> float:
    """The probability that a text of this score is right.

    >>> calibrated(0.0) < 0.1 < 0.9 < calibrated(1.0)
    True
    """
    slope, start = CALIBRATIONS[engine]
    share = float(np.clip(score, 1e-6, 1 - 1e-6))
    return float(1 / (1 + np.exp(-(slope * np.log(share / (1 - share)) + start))))


def _opened(engine: str | Path | Engine | Sequence[Engine]) -> tuple[tuple[Engine, float], ...]:
    """The engines that a reader was given, and their weights; the last one says where the digits are."""
    if isinstance(engine, str) and engine == "own":
        return ((LineModel(), 1.0),)
    if isinstance(engine, str) and engine == "ocr":
        from digitscope.reading.engine_rapidocr import OcrModel

        return ((OcrModel(), 1.0), (LineModel(), BESIDE))
    if isinstance(engine, Sequence) and not isinstance(engine, str):
        return tuple((one, 1.0) for one in engine)
    if not isinstance(engine, str | Path):
        return ((engine, 1.0),)
    if Path(engine).suffix != ".onnx":
        raise ConfigError(f"no engine {str(engine)!r}; give {' or '.join(ENGINES)}, or an .onnx file")
    return ((LineModel(engine), 1.0),)


def characters(reading: Reading) -> list[Character]:
    """The digits of a reading's best text, the separators between them, and where they stand, from left to right."""
    view, strip = reading.view, reading.strip
    found = _places(view.probabilities, reading.best)
    middles = [view.start + view.step * ((place.first + place.last + 1) / 2) for place in found]
    ink = (line_field(strip.pixels) > PEN).astype(np.uint8)
    height = strip.pixels.shape[0]
    across = strip.pixels.shape[1] / ink.shape[1]
    down = height / HEIGHT
    placed = []
    for number, (place, middle) in enumerate(zip(found, middles, strict=True)):
        left = (middles[number - 1] + middle) / 2 if number else middle - height / 2
        right = (middles[number + 1] + middle) / 2 if number + 1 < len(found) else middle + height / 2
        x0, y0, x1, y1 = _ink_box(ink, round(left / across), round(right / across))
        placed.append(Character(place.text, x0 * across, y0 * down, x1 * across, y1 * down, place.probabilities))
    return placed


def _places(probabilities: Floats, best: str) -> list[Place]:
    """Where the characters of the best text stand; with separators where the view's best spelling of it has some."""
    if not best or 2 * len(best) > len(probabilities):
        return []
    spelled = [text for text, _ in beam_search(without_gaps(probabilities)) if digits_of(text) == best]
    if spelled and 2 * len(spelled[0]) <= len(probabilities):
        return places(probabilities, spelled[0])
    return places(digits_only(probabilities), best)


def _ink_box(ink: npt.NDArray[np.uint8], left: int, right: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the ink between two columns; all of it where there is none."""
    left = min(max(left, 0), ink.shape[1] - 1)
    right = min(max(right, left + 1), ink.shape[1])
    x, y, width, height = cv2.boundingRect(ink[:, left:right])
    return (left + x, y, left + x + width, y + height) if width else (left, 0, right, ink.shape[0])
