"""The result of an evaluation: its figures, their summary, and its JSON record. ``models.metrics`` computes it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from digitscope.errors import DataError
from digitscope.formatting import percent, times
from digitscope.models.typed_json import typed

NAMED = 3
"""Confusions that are named if they are equally frequent; with more of them, none stands out."""


@dataclass(frozen=True)
class Scores:
    """The main figures.

    Attributes:
        n: number of images.
        misses: number of wrong answers.
        accuracy: share 0..1 of right answers.
        accuracy_interval: Wilson's 95 % confidence interval of the accuracy, (low, high) 0..1.
        loss: mean categorical cross-entropy, natural logarithm.
        top2_accuracy: share 0..1 of the images whose label is one of the two most probable digits.
    """

    n: int
    misses: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    loss: float
    top2_accuracy: float


@dataclass(frozen=True)
class ClassScores:
    """The figures of one digit.

    Attributes:
        digit: 0..9.
        precision: share 0..1 of the answers ``digit`` that are right; 0 if there is no such answer.
        recall: share 0..1 of the images of ``digit`` that are read right; 0 if there is no such image.
        f1: harmonic mean of the two.
        support: number of images of ``digit``.
    """

    digit: int
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Bin:
    """The answers with a confidence above ``low`` and up to ``high``; the two means are None if ``n`` is 0.

    Attributes:
        low: lower edge 0..1.
        high: upper edge 0..1.
        n: number of answers.
        confidence: their mean confidence 0..1.
        accuracy: share 0..1 of them that are right.
    """

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Mistake:
    """One wrong answer: the image's index, its label, the answer and the answer's confidence 0..1."""

    index: int
    label: int
    answer: int
    confidence: float


@dataclass(frozen=True)
class ScoresWithoutWrongLabels(Scores):
    """The main figures on MNIST's test images without those with a disputed label.

    Attributes:
        wrong_labels: images left out because their label is wrong.
        unclear_labels: images left out because people disagree about them.
        answered_as_seen: for how many of ``wrong_labels`` the answer is the digit that people see.
    """

    wrong_labels: int
    unclear_labels: int
    answered_as_seen: int


@dataclass(frozen=True)
class Evaluation(Scores):
    """Everything that is measured about a classifier on labelled images.

    Attributes:
        per_class: one entry per digit, 0 first.
        confusion: ten rows of ten counts; row = label, column = answer.
        ece: expected calibration error 0..1 of the network's own probabilities.
        bins: the confidences and accuracies that ``ece`` is computed from.
        mistakes: the most confident wrong answers, most confident first; at most ``metrics.LISTED_MISTAKES``.
        without_wrong_labels: the main figures on MNIST's test images without the disputed labels; None for other data.
    """

    per_class: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]
    ece: float
    bins: tuple[Bin, ...]
    mistakes: tuple[Mistake, ...]
    without_wrong_labels: ScoresWithoutWrongLabels | None

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain JSON values."""
        record: dict[str, Any] = json.loads(json.dumps(asdict(self)))  # turns tuples into lists
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The evaluation that ``to_dict`` wrote.

        Raises:
            DataError: ``record`` is not such a record.
        """
        try:
            found: Self = typed(record, cls)
            found._check()
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"this is not the record of an evaluation ({type(error).__name__}: {error}); evaluate the model again"
            ) from error
        return found

    def _check(self) -> None:
        """Raise ValueError if the figures contradict each other."""
        sums = [sum(row) for row in self.confusion]
        digits = [one.digit for one in self.per_class]
        if digits != list(range(10)) or sums != [one.support for one in self.per_class] or sum(sums) != self.n:
            raise ValueError(f"its digits and confusions do not add up to {self.n} images")
        if any(len(row) != 10 or min(row) < 0 for row in self.confusion) or not 0 <= self.misses <= self.n > 0:
            raise ValueError("its confusions are not ten rows of ten counts")
        if self.loss < 0 or not all(
            0 <= one.index < self.n and {one.label, one.answer} <= set(digits) for one in self.mistakes
        ):
            raise ValueError("its loss or one of its mistakes is impossible")

    def commonest_confusions(self) -> tuple[tuple[tuple[int, int], ...], int]:
        """The most frequent confusions as (label, answer), all of them equally frequent, and how often each happened.

        None and 0 if nothing was misread.
        """
        wrong = np.array(self.confusion)
        np.fill_diagonal(wrong, 0)
        most = int(wrong.max())
        pairs = np.argwhere(wrong == most).tolist() if most else []
        return tuple((label, answer) for label, answer in pairs), most

    def summary(self) -> list[tuple[str, str]]:
        """The evaluation in about ten rows, each with the name of a figure and its value."""
        hardest = min(self.per_class, key=lambda scores: scores.recall if scores.support else math.inf)
        missed = hardest.support - self.confusion[hardest.digit][hardest.digit]
        low, high = self.accuracy_interval
        rows = [
            ("Images", f"{self.n:,}"),
            ("Loss", f"{self.loss:.4f}"),
            ("Accuracy", f"{percent(self.accuracy)} (95 % interval {100 * low:.2f} to {percent(high)})"),
            ("Misses", f"{self.misses:,}"),
            ("Right within two guesses", percent(self.top2_accuracy)),
            (
                "Hardest digit",
                f"{hardest.digit}: {missed:,} of {hardest.support:,} missed" if missed else "none is missed",
            ),
        ]
        if self.misses:
            pairs, most = self.commonest_confusions()
            named = len(pairs) <= NAMED
            words = (
                ", ".join(f"{label} read as {answer}" for label, answer in pairs) if named else f"{len(pairs)} kinds"
            )
            several = len(pairs) > 1
            rows.append((f"Most frequent confusion{'s' * several}", f"{words}: {times(most)}{' each' * several}"))
        rows.append(("Calibration error", percent(self.ece)))
        trusted = self.without_wrong_labels
        if trusted is not None:
            rows += [
                (f"Without {trusted.wrong_labels} wrong and {trusted.unclear_labels} unclear labels",
                 f"{percent(trusted.accuracy)}, {trusted.misses:,} misses of {trusted.n:,}"),
                ("Wrong labels answered as people see them", f"{trusted.answered_as_seen} of {trusted.wrong_labels}"),
            ]  # fmt: skip
        return rows
