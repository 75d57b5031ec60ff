"""Facts about the result of a run: its loss, its accuracy, its mistakes, and inputs that were scaled wrongly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.datasets.mnist import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS
from digitscope.models.evaluation import ClassScores, Mistake
from digitscope.models.inputs import network_input
from digitscope.web.report.record import Record

LISTED = 12
"""Mistakes in the gallery."""

MODEST = 0.005
"""A network is called too modest if its accuracy lies this far above its mean confidence."""

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
        worst: of the most confident mistake, labels known to be wrong left out; None if there is none.
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


class Confusion(NamedTuple):
    """The most frequent confusion."""

    label: int
    answer: int
    times: int


class Misreading(NamedTuple):
    """A mistake and its test image."""

    mistake: Mistake
    image: Levels


@dataclass(frozen=True, eq=False)
class ErrorFacts:
    """What the chapter on mistakes says.

    Attributes:
        easiest: the digit with the best F1.
        hardest: the digit with the worst.
        confidence: mean confidence 0..1 of all answers.
        modest: whether that is clearly below the accuracy.
        in_last_bin: whether nearly all answers lie in the last bar of the calibration.
        confusion: the most frequent one; None if nothing was misread.
        gallery: the most confident mistakes; MNIST's wrong and unclear labels are left out.
    """

    easiest: ClassScores
    hardest: ClassScores
    confidence: float
    modest: bool
    in_last_bin: bool
    confusion: Confusion | None
    gallery: tuple[Misreading, ...]


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
    wrong = WRONG_TEST_LABELS if record.on_mnist else {}
    worst = next((one for one in record.evaluation.mistakes if one.index not in wrong), None)
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


def errors(record: Record) -> ErrorFacts:
    """The mistakes of this network, and how well it knows itself."""
    test = record.evaluation
    seen = [one for one in test.per_class if one.support]
    confidence = sum(one.n * one.confidence for one in test.bins if one.confidence is not None) / test.n
    disputed = {*WRONG_TEST_LABELS, *UNCLEAR_TEST_LABELS} if record.on_mnist else set()
    listed = [one for one in test.mistakes if one.index not in disputed][:LISTED]
    return ErrorFacts(
        easiest=max(seen, key=lambda one: one.f1),
        hardest=min(seen, key=lambda one: one.f1),
        confidence=confidence,
        modest=test.accuracy - confidence > MODEST,
        in_last_bin=sum(one.n for one in test.bins[-1:]) > 0.9 * test.n,
        confusion=_confusion(record) if test.misses else None,
        gallery=tuple(Misreading(one, record.data.x_test[one.index]) for one in listed),
    )


def _misread(record: Record, answers: Floats) -> Misread:
    """How many of these answers to the test images are wrong, and the mean confidence of the wrong ones."""
    wrong = answers.argmax(axis=1) != record.data.y_test
    return Misread(int(wrong.sum()), float(answers.max(axis=1)[wrong].mean()) if wrong.any() else 0.0)


def _surprise(record: Record, index: int) -> Surprise:
    """The loss of one test image."""
    probability = max(float(record.probabilities[index, record.data.y_test[index]]), LEAST)
    return Surprise(index, probability, -math.log(probability))


def _confusion(record: Record) -> Confusion:
    """The largest number off the diagonal."""
    wrong = np.array(record.evaluation.confusion)
    np.fill_diagonal(wrong, 0)
    label, answer = (int(part) for part in np.unravel_index(int(wrong.argmax()), wrong.shape))
    return Confusion(label, answer, int(wrong.max()))
