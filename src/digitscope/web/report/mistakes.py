"""Facts about the mistakes of a run: which digits are confused, the images behind each confusion, the surest mistakes.

Wherever the report speaks of the most confident mistake it means the first of ``confident``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from digitscope.arraytypes import Integers, Levels
from digitscope.datasets.mnist import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS
from digitscope.models.evaluation import NAMED, ClassScores, Mistake
from digitscope.web.report.record import Record

LISTED = 12
"""Mistakes in the gallery of the most confident ones: two rows on a wide screen."""

SHOWN = 12
"""Images in the gallery of a cell of the confusion matrix; all of them where the network is good."""

MODEST = 0.005
"""A network is called too modest if its accuracy lies this far above its mean confidence."""


class Misreading(NamedTuple):
    """A mistake and its test image, uint8 (28, 28)."""

    mistake: Mistake
    image: Levels


@dataclass(frozen=True, eq=False)
class MatrixCell:
    """A cell of the confusion matrix.

    Attributes:
        label: the true digit.
        answer: what the network said.
        times: test images of which both are true.
        strength: 0..1, how deep its colour is; 0 on the diagonal and for none.
        images: some of these test images: of mistakes the surest, of right answers the least sure.
    """

    label: int
    answer: int
    times: int
    strength: float
    images: tuple[Misreading, ...]

    @property
    def right(self) -> bool:
        """Whether it counts right answers."""
        return self.label == self.answer

    @property
    def anchor(self) -> str:
        """The id of its gallery."""
        return f"read-{self.label}-as-{self.answer}"


@dataclass(frozen=True, eq=False)
class ErrorFacts:
    """What the chapter on mistakes says.

    Attributes:
        easiest: the digit with the best F1.
        hardest: the digit with the worst.
        confidence: mean confidence 0..1 of all answers.
        modest: whether that is clearly below the accuracy.
        in_last_bin: whether nearly all answers lie in the last bar of the calibration.
        commonest: (label, answer) of the most frequent confusions, all equally frequent; none if nothing was misread.
        times: how often each of them happened.
        named: whether they are few enough to be named.
        matrix: ten rows of ten cells; a row is a label.
        gallery: the most confident mistakes.
    """

    easiest: ClassScores
    hardest: ClassScores
    confidence: float
    modest: bool
    in_last_bin: bool
    commonest: tuple[tuple[int, int], ...]
    times: int
    named: bool
    matrix: tuple[tuple[MatrixCell, ...], ...]
    gallery: tuple[Misreading, ...]


def confident(record: Record) -> list[Mistake]:
    """The most confident mistakes, the surest first; images of MNIST whose label people dispute are left out."""
    disputed = {*WRONG_TEST_LABELS, *UNCLEAR_TEST_LABELS} if record.on_mnist else set()
    return [one for one in record.evaluation.mistakes if one.index not in disputed]


def errors(record: Record) -> ErrorFacts:
    """The mistakes of this network, and how well it knows itself."""
    test = record.evaluation
    seen = [one for one in test.per_class if one.support]
    confidence = sum(one.n * one.confidence for one in test.bins if one.confidence is not None) / test.n
    commonest, times = test.commonest_confusions()
    return ErrorFacts(
        easiest=max(seen, key=lambda one: one.f1),
        hardest=min(seen, key=lambda one: one.f1),
        confidence=confidence,
        modest=test.accuracy - confidence > MODEST,
        in_last_bin=sum(one.n for one in test.bins[-1:]) > 0.9 * test.n,
        commonest=commonest,
        times=times,
        named=len(commonest) <= NAMED,
        matrix=_matrix(record),
        gallery=tuple(Misreading(one, record.data.x_test[one.index]) for one in confident(record)[:LISTED]),
    )


def _matrix(record: Record) -> tuple[tuple[MatrixCell, ...], ...]:
    """Every cell with the images behind it."""
    answers, labels = record.probabilities.argmax(axis=1), record.data.y_test
    most = max(record.evaluation.commonest_confusions()[1], 5)  # so that single errors stay pale
    return tuple(
        tuple(_cell(record, label, answer, np.flatnonzero((labels == label) & (answers == answer)), most)
              for answer in range(10))
        for label in range(10)
    )  # fmt: skip


def _cell(record: Record, label: int, answer: int, found: Integers, most: int) -> MatrixCell:
    """One cell, given the indices of its test images."""
    times, sure = record.evaluation.confusion[label][answer], record.probabilities[found, answer]
    order = np.argsort(sure if label == answer else -sure, kind="stable")[:SHOWN]
    return MatrixCell(
        label,
        answer,
        times,
        0.0 if label == answer else times / most,
        tuple(
            Misreading(Mistake(int(found[i]), label, answer, float(sure[i])), record.data.x_test[found[i]])
            for i in order
        ),
    )
