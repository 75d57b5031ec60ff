"""Line recognition: a strip cut out of a page in; the texts that it may say, with their probabilities, out.

One or more engines look at a strip in several views. Each view proposes texts, and every text is weighed by all views.
``reading.detection`` finds the lines, ``reading.ctc`` decodes the columns, ``reading.layout`` places the characters.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitscope.arraytypes import Doubles, Floats
from digitscope.errors import ConfigError
from digitscope.reading.constraint import Constraint
from digitscope.reading.ctc import beam_search, digits_only, log_probabilities, softmax, without_gaps
from digitscope.reading.detection import Strip
from digitscope.reading.engine import Engine, View
from digitscope.reading.engine_own import LineModel
from digitscope.reading.engine_rapidocr import OcrModel

ENGINES = ("own", "ocr")

PROPOSALS = 4
"""Texts that each view proposes."""

DOUBT = 0.03
"""Added to every text's share in a view, so that one view that is entirely wrong cannot rule a text out."""

MISFIT = 0.03
"""Weight of a text that breaks the constraint, relative to one that keeps it. It is not zero: the writer may have
ignored the form, or the line may be no number at all, and then no text that keeps the constraint is right."""

OWN_BESIDE_OCR = 0.5
"""Weight of the own engine's views relative to those of ``ocr``."""

CALIBRATIONS = {
    "own": (0.851, -0.624),
    "own given": (0.614, -0.25),
    "own forced": (0.719, -0.009),
    "ocr": (0.926, -1.124),
    "ocr at odds": (0.317, -1.691),
    "ocr given": (0.701, -0.321),
    "ocr at odds given": (0.474, -1.072),
    "ocr forced": (0.4, 0.688),
}
"""Slope and intercept from the log-odds of the score to those of being right: of engine ``own``, of ``ocr`` where
its two networks agree on the text, and where they do not; of lines read under a constraint where the best text is the
same without it (``given``) and where it is not (``forced``). They were fitted on 2,000 lines by writers that no
training saw (``benchmarks/calibrate_lines.py``), those under a constraint with the right length given."""


@dataclass(frozen=True, eq=False)
class Reading:
    """The texts that a strip may say.

    Attributes:
        strip: the line.
        texts: digits-only texts and their shares 0..1 of all proposals, best first. Only texts that keep the constraint
            are listed; if none does, all are, with very small shares. The empty text stands for "no digit"; it comes
            first only if it is more probable than not.
        view: the view that shows where the characters of the best text stand.
        agreed: whether each engine has a view in which the best text is the most probable one.
        unconstrained: what would be read if nothing were known about the number; None if nothing is.
    """

    strip: Strip
    texts: dict[str, float]
    view: View
    agreed: bool
    unconstrained: Reading | None = None

    @property
    def best(self) -> str:
        """The most probable text, digits only."""
        return next(iter(self.texts), "")

    @property
    def score(self) -> float:
        """Share 0..1 of the best text, before calibration."""
        return self.texts.get(self.best, 0.0)

    @property
    def free(self) -> Reading:
        """The reading without the constraint, if there is one."""
        return self.unconstrained or self

    @property
    def known(self) -> str:
        """What a constraint did: nothing (there was none), ``"given"``, or ``"forced"`` another text than the best."""
        if self.unconstrained is None:
            return ""
        return "given" if self.best == self.unconstrained.best else "forced"

    @property
    def digit_probability(self) -> float:
        """Probability 0..1 that the strip has any digit."""
        return 1 - self.texts.get("", 0.0)


class LineReader:
    """Reads strips. Opening it is the slow part, so use it again and again."""

    def __init__(self, engine: str | Path | Sequence[Engine] = "own") -> None:
        """Open a reader.

        Args:
            engine: ``"own"``; ``"ocr"``, RapidOCR's network together with the own one; an ``.onnx`` file with a network
                like the own one; or several engines of equal weight, the last of which locates the digits.

        Raises:
            ConfigError: there is no such engine.
            MissingExtra: ``"ocr"`` without rapidocr installed.
            ModelError: a model file is damaged, or not a line reader.
        """
        self.engines: tuple[tuple[Engine, float], ...]
        self._ocr = OcrModel() if engine == "ocr" else None
        if self._ocr is not None:
            self.engines = ((self._ocr, 1.0), (LineModel(), OWN_BESIDE_OCR))
        elif isinstance(engine, str | Path):
            self.engines = ((_own(engine), 1.0),)
        else:
            self.engines = tuple((one, 1.0) for one in engine)

    def read(self, strip: Strip, constraint: Constraint | None = None) -> Reading:
        """The texts that a strip may say: those that its views propose, each weighed by all views of all engines.

        If the engines of ``ocr`` do not agree, RapidOCR's network looks again.

        Args:
            strip: the line.
            constraint: what is known about the form of the number.
        """
        views = [engine.look(strip) for engine, _ in self.engines]
        reading = self._weighed(strip, views, constraint)
        if self._ocr is None or reading.agreed:
            return reading
        return self._weighed(strip, [views[0] + self._ocr.look_again(strip), *views[1:]], constraint)

    def _weighed(self, strip: Strip, views: Sequence[list[View]], constraint: Constraint | None) -> Reading:
        """The reading of a strip by the views of each engine."""
        columns = [[without_gaps(digits_only(view.probabilities)) for view in of_engine] for of_engine in views]
        texts = _proposals(list(itertools.chain.from_iterable(columns)), constraint)
        logs = [_log_probabilities(*of_engine, texts) for of_engine in zip(views, columns, strict=True)]
        votes = np.zeros(len(texts))
        for (_, weight), of_engine in zip(self.engines, logs, strict=True):
            for of_view in of_engine:
                votes += weight * np.log(softmax(of_view) + DOUBT)

        def ranked(known: Constraint | None, free: Reading | None = None) -> Reading:
            shares = _ranked(texts, votes, known)
            best = texts.index(next(iter(shares)))
            agreed = all((of_engine.argmax(axis=1) == best).any() for of_engine in logs)
            return Reading(strip, shares, views[-1][int(np.argmax(logs[-1][:, best]))], agreed, free)

        return ranked(None) if constraint is None else ranked(constraint, ranked(None))

    def calibration(self, reading: Reading) -> str:
        """Which of ``CALIBRATIONS`` holds for a reading."""
        if reading.known == "forced" or self._ocr is None:
            return f"{'own' if self._ocr is None else 'ocr'} {reading.known}".rstrip()
        return f"{'ocr' if reading.agreed else 'ocr at odds'} {reading.known}".rstrip()

    def confidence(self, reading: Reading) -> float:
        """The calibrated probability 0..1 that the best text of a reading is right.

        A text that a constraint left as it was is never less sure than without it; a text that only the constraint
        chose is never surer than one of the same score that it left.
        """
        name = self.calibration(reading)
        if reading.known == "given" and reading.score > MISFIT:  # what breaks the constraint has no more than that
            return max(calibrated(reading.score, name), self.unconstrained_confidence(reading))
        return min(calibrated(reading.score, one) for one in {name, name.replace("forced", "given")})

    def unconstrained_confidence(self, reading: Reading) -> float:
        """The calibrated probability 0..1 that what would be read without a constraint is right."""
        return self.confidence(reading.free)


def _own(engine: str | Path) -> LineModel:
    """The shipped network, or one like it from a file."""
    if engine == "own":
        return LineModel()
    if Path(engine).suffix != ".onnx":
        raise ConfigError(f"no engine {str(engine)!r}; give {' or '.join(ENGINES)}, or an .onnx file")
    return LineModel(engine)


def _proposals(columns: Sequence[Floats], constraint: Constraint | None) -> list[str]:
    """The texts that the views propose, with and without the constraint; the empty text comes first."""
    texts = {"": None}
    for of_view, form in itertools.product(columns, dict.fromkeys((None, constraint))):
        texts |= dict.fromkeys(text for text, _ in beam_search(of_view, constraint=form)[:PROPOSALS])
    return list(texts)


def _log_probabilities(views: Sequence[View], columns: Sequence[Floats], texts: Sequence[str]) -> Doubles:
    """The log of each text's probability in each view, float64 (views, texts); the first text is the empty one."""
    logs = log_probabilities(columns, texts)
    for view, of_view in zip(views, logs, strict=True):
        if view.log_empty is not None:
            of_view[0] = view.log_empty
    return logs


def _ranked(texts: Sequence[str], votes: Doubles, constraint: Constraint | None) -> dict[str, float]:
    """The texts and their shares, as in ``Reading.texts``; the first of those given is the empty one."""
    fits = np.array([not text or constraint is None or constraint.fits(text) for text in texts])
    if fits[1:].any():
        shares = softmax(votes + np.where(fits, 0.0, np.log(MISFIT)))
        kept = np.flatnonzero(fits)
    else:  # no text keeps the constraint: list them all, as improbable
        shares = softmax(votes)
        shares[1:] *= MISFIT
        kept = np.arange(len(texts))
    empty_last = shares[0] < 0.5
    order = sorted(kept.tolist(), key=lambda number: (empty_last and not texts[number], -shares[number]))
    return {texts[number]: float(shares[number]) for number in order}


def calibrated(score: float, engine: str = "own") -> float:
    """The probability 0..1 that a text with this score 0..1 is right.

    >>> calibrated(0.0) < 0.1 < 0.9 < calibrated(1.0)
    True
    """
    slope, intercept = CALIBRATIONS[engine]
    share = float(np.clip(score, 1e-6, 1 - 1e-6))
    return float(1 / (1 + np.exp(-(slope * np.log(share / (1 - share)) + intercept))))
