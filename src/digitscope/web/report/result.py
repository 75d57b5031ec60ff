"""Facts about the result of a run: its loss, its accuracy, and inputs that were scaled wrongly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.datasets.mnist import WRONG_TEST_LABELS
from digitscope.models.inputs import network_input
from digitscope.web.report.mistakes import confident
from digitscope.web.report.record import Record

LEAST = 1e-30
"""Probabilities are kept this far from 0 before the logarithm."""


class Misread(NamedTuple):
    """How many test digits are misread, and the mean confidence 0..1 of these answers; 0 if there are none."""

    misses: int
    confidence: float


@dataclass(frozen=True)
class ScalingFacts:
    """What happens to the answers when the pixels are scaled differently.

    Attributes:
        trained: pixels as in training, 0..1.
        raw: pixels 0..255.
        inverted: paper and pen swapped.
    """

    trained: Misread
    raw: Misread
    inverted: Misread


@dataclass(frozen=True)
class Surprise:
    """The probability 0..1 of a test image's label, and the loss that follows from it."""

    index: int
    probability: float
    loss: float


@dataclass(frozen=True)
class LossFacts:
    """Examples of the loss.

    Attributes:
        digit: of the digit on show.
        worst: of the most confident mistake (``mistakes.confident``); None if there is none.
        typical: the probability 0..1 that, given to every label, would cause the mean loss of the test.
        guessing: the loss of an answer that gives every digit the same.
    """

    digit: Surprise
    worst: Surprise | None
    typical: float
    guessing: float


@dataclass(frozen=True, eq=False)
class WrongLabel:
    """A test image with a wrong label: what the file says, what people see, what the network answers."""

    index: int
    image: Levels
    label: int
    seen: int
    answer: int


@dataclass(frozen=True, eq=False)
class AccuracyFacts:
    """What the accuracy is compared with.

    Attributes:
        commonest: the most frequent digit of the test.
        commonest_share: share 0..1 of the test that it makes up.
        wrong_labels: MNIST's test images with a wrong label; none for other data.
    """

    commonest: int
    commonest_share: float
    wrong_labels: tuple[WrongLabel, ...]


def scaling(record: Record) -> ScalingFacts:
    """What this network makes of pixels 0..255, and of digits with paper and pen swapped."""
    images, answers_to = network_input(record.data.x_test), record.model.session.probabilities
    return ScalingFacts(
        trained=_misread(record, record.probabilities),
        raw=_misread(record, answers_to(255 * images)),
        inverted=_misread(record, answers_to(1 - images)),
    )


def loss(record: Record) -> LossFacts:
    """Examples of the loss of this network."""
    worst = next(iter(confident(record)), None)
    return LossFacts(
        digit=_surprise(record, record.index),
        worst=None if worst is None else _surprise(record, worst.index),
        typical=math.exp(-record.evaluation.loss),
        guessing=math.log(10),
    )


def accuracy(record: Record) -> AccuracyFacts:
    """What the accuracy of this network is compared with."""
    counts = np.bincount(record.data.y_test, minlength=10)
    disputed = WRONG_TEST_LABELS if record.evaluation.without_wrong_labels is not None else {}
    return AccuracyFacts(
        commonest=int(counts.argmax()),
        commonest_share=float(counts.max()) / record.evaluation.n,
        wrong_labels=tuple(
            WrongLabel(
                index,
                record.data.x_test[index],
                int(record.data.y_test[index]),
                seen,
                int(record.probabilities[index].argmax()),
            )
            for index, seen in disputed.items()
        ),
    )


def _misread(record: Record, answers: Floats) -> Misread:
    """How many of these answers to the test images are wrong, and the mean confidence of the wrong ones."""
    wrong = answers.argmax(axis=1) != record.data.y_test
    return Misread(int(wrong.sum()), float(answers.max(axis=1)[wrong].mean()) if wrong.any() else 0.0)


def _surprise(record: Record, index: int) -> Surprise:
    """The loss of one test image."""
    probability = max(float(record.probabilities[index, record.data.y_test[index]]), LEAST)
    return Surprise(index, probability, -math.log(probability))
