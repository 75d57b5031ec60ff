"""Facts about the data: counts, how far mean images get, and a few digits with shuffled pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from digitscope.arraytypes import Integers, Levels
from digitscope.web.report.record import Record

SAMPLES = 50
"""Training digits on the sheet."""

SHUFFLED = (2, 4, 9)
"""Digits that are shown before and after their pixels are shuffled."""


class Labelled(NamedTuple):
    """A training digit, uint8 (28, 28), and its label."""

    label: int
    image: Levels


class MeanImage(NamedTuple):
    """The mean, uint8 (28, 28), of all ``n`` training images of a digit."""

    digit: int
    n: int
    image: Levels


class Shuffled(NamedTuple):
    """A test digit, uint8 (28, 28), before and after its pixels are shuffled."""

    label: int
    image: Levels
    mixed: Levels


@dataclass(frozen=True, eq=False)
class DataFacts:
    """What the report says about the data.

    Attributes:
        counts: training images of each digit, int64 (10,).
        samples: the first training digits.
        means: the mean image of each digit that occurs.
        inked: pixels of the digit on show that are not 0.
        nearest_mean_right: test digits that are nearest to the mean training image of their own class.
        shuffled: some test digits, all shuffled in the same way.
    """

    counts: Integers
    samples: tuple[Labelled, ...]
    means: tuple[MeanImage, ...]
    inked: int
    nearest_mean_right: int
    shuffled: tuple[Shuffled, ...]

    @property
    def rarest(self) -> int:
        """The digit with the fewest training images."""
        return int(self.counts.argmin())

    @property
    def commonest(self) -> int:
        """The digit with the most training images."""
        return int(self.counts.argmax())


def facts(record: Record) -> DataFacts:
    """What the report says about the run's data."""
    labels = record.data.y_train
    return DataFacts(
        counts=np.bincount(labels, minlength=10),
        samples=tuple(
            Labelled(int(label), image)
            for label, image in zip(labels[:SAMPLES], record.data.x_train[:SAMPLES], strict=True)
        ),
        means=_means(record),
        inked=int((record.image > 0).sum()),
        nearest_mean_right=nearest_mean_right(record),
        shuffled=_shuffled(record),
    )


def _means(record: Record) -> tuple[MeanImage, ...]:
    """The mean training image of each digit that occurs."""
    x, y = record.data.x_train, record.data.y_train
    return tuple(
        MeanImage(digit, int((y == digit).sum()), np.asarray(np.round(x[y == digit].mean(axis=0)), np.uint8))
        for digit in np.unique(y).tolist()
    )


def nearest_mean_right(record: Record) -> int:
    """How many test digits are nearest to the mean training image of their own class."""
    x, y = record.data.x_train, record.data.y_train
    present = np.unique(y)
    means = np.stack([x[y == digit].mean(axis=0).ravel() for digit in present]).astype(np.float32)
    tests = record.data.x_test.reshape(len(record.data.x_test), -1).astype(np.float32)
    distance = (means**2).sum(axis=1) - 2 * tests @ means.T
    return int((present[distance.argmin(axis=1)] == record.data.y_test).sum())


def _shuffled(record: Record) -> tuple[Shuffled, ...]:
    """The first test image of each of ``SHUFFLED``."""
    order = np.random.default_rng(0).permutation(28 * 28)
    first = [int((record.data.y_test == digit).argmax()) for digit in SHUFFLED]
    images = [(int(record.data.y_test[index]), record.data.x_test[index]) for index in first]
    return tuple(Shuffled(label, image, image.reshape(-1)[order].reshape(28, 28)) for label, image in images)
