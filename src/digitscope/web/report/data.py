"""Facts about the data: counts, how far mean images get, and a few digits with shuffled pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from digitscope.arraytypes import Images, Integers, Labels, Levels
from digitscope.web.report.record import Record

SAMPLES = 50
"""Training digits on the sheet."""

SIDE_BY_SIDE = 12
"""Training digits, and as many test digits, that are shown one above the other: a row of each on a wide screen."""

SHUFFLED = (2, 4, 9)
"""Digits that are shown before and after their pixels are shuffled."""


class Labelled(NamedTuple):
    """A training digit, uint8 (28, 28), and its label."""

    label: int
    image: Levels


class Framed(NamedTuple):
    """Where the ink of the digit on show is: the box around it and its centre of mass, in pixels from the corner."""

    left: int
    top: int
    width: int
    height: int
    across: float
    down: float


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
        exam: the first test digits.
        framed: where the ink of the digit on show is; None if it has none.
        means: the mean image of each digit that occurs.
        inked: pixels of the digit on show that are not 0.
        nearest_mean_right: test digits that are nearest to the mean training image of their own class.
        shuffled: some test digits, all shuffled in the same way.
    """

    counts: Integers
    samples: tuple[Labelled, ...]
    exam: tuple[Labelled, ...]
    framed: Framed | None
    means: tuple[MeanImage, ...]
    inked: int
    nearest_mean_right: int
    shuffled: tuple[Shuffled, ...]

    @property
    def practised(self) -> tuple[Labelled, ...]:
        """As many of the training digits as there are of the exam."""
        return self.samples[:SIDE_BY_SIDE]

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
    data = record.data
    return DataFacts(
        counts=np.bincount(data.y_train, minlength=10),
        samples=_first(data.x_train, data.y_train, SAMPLES),
        exam=_first(data.x_test, data.y_test, SIDE_BY_SIDE),
        framed=_framed(record.image),
        means=_means(record),
        inked=int((record.image > 0).sum()),
        nearest_mean_right=nearest_mean_right(record),
        shuffled=_shuffled(record),
    )


def _first(images: Images, labels: Labels, count: int) -> tuple[Labelled, ...]:
    """The first digits with their labels."""
    return tuple(Labelled(int(label), image) for label, image in zip(labels[:count], images[:count], strict=True))


def _framed(image: Levels) -> Framed | None:
    """Where the ink of a picture is."""
    rows, columns = np.nonzero(image)
    if not len(rows):
        return None
    left, top = int(columns.min()), int(rows.min())
    across, down = (float(np.average(places + 0.5, weights=image[rows, columns])) for places in (columns, rows))
    return Framed(left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top, across, down)


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
