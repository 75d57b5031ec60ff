"""Facts about moved digits: how far a digit may be shifted or turned until the network misreads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from digitscope.arraytypes import Images, Levels
from digitscope.web.report.record import Record

SHIFTS, TURNS = range(0, 11), range(0, 100, 10)
"""Pixels and degrees by which test digits are moved to measure the accuracy."""

SHOWN_SHIFTS, SHOWN_TURNS = range(0, 13, 2), range(0, 100, 15)
"""Pixels and degrees by which the digit on show is moved."""

EVERY = 20
"""Of the test digits, every 20th is moved."""


class MovedDigit(NamedTuple):
    """The digit on show, uint8 (28, 28), moved by some pixels or degrees, and what the network reads."""

    image: Levels
    by: int
    answer: int
    confidence: float


@dataclass(frozen=True, eq=False)
class Series:
    """The digit on show, moved further and further.

    Attributes:
        label: the digit it shows.
        unit: what follows the number in a caption.
        digits: each with the network's answer.
    """

    label: int
    unit: str
    digits: tuple[MovedDigit, ...]

    @property
    def first_misread(self) -> MovedDigit | None:
        """The first that the network misreads."""
        return next((digit for digit in self.digits if digit.answer != self.label), None)


@dataclass(frozen=True, eq=False)
class MovedFacts:
    """What the report says about moved digits.

    Attributes:
        shifted: the digit on show, shifted to the right.
        turned: the digit on show, turned counter-clockwise.
        n: test digits that the accuracies are measured on.
        by_shift: accuracy 0..1 at each of ``SHIFTS``, mean of four directions.
        by_turn: accuracy 0..1 at each of ``TURNS``, mean of both directions.
    """

    shifted: Series
    turned: Series
    n: int
    by_shift: tuple[float, ...]
    by_turn: tuple[float, ...]

    @property
    def half_at(self) -> int | None:
        """The smallest shift at which fewer than half of the digits are read."""
        return next((pixels for pixels, part in zip(SHIFTS, self.by_shift, strict=True) if part < 0.5), None)


def facts(record: Record) -> MovedFacts:
    """What this network reads when digits are moved."""
    one = record.image[None]
    images, labels = record.data.x_test[::EVERY], record.data.y_test[::EVERY]

    def accuracy(*moved: Images) -> float:
        return float(np.mean([record.model.predict(each).argmax(axis=1) == labels for each in moved]))

    return MovedFacts(
        shifted=_series(record, " px", SHOWN_SHIFTS, np.concatenate([shifted(one, n) for n in SHOWN_SHIFTS])),
        turned=_series(record, "°", SHOWN_TURNS, np.concatenate([turned(one, n) for n in SHOWN_TURNS])),
        n=len(labels),
        by_shift=tuple(accuracy(*(shifted(images, *way) for way in _ways(n))) for n in SHIFTS),
        by_turn=tuple(accuracy(turned(images, n), turned(images, -n)) for n in TURNS),
    )


def shifted(images: Images, right: int, down: int = 0) -> Images:
    """Images uint8 (n, 28, 28) shifted; what leaves the picture is lost, and paper comes in."""
    side, moved = images.shape[1], np.zeros_like(images)
    to = [slice(max(way, 0), side + min(way, 0)) for way in (down, right)]
    source = [slice(max(-way, 0), side + min(-way, 0)) for way in (down, right)]
    moved[:, to[0], to[1]] = images[:, source[0], source[1]]
    return moved


def turned(images: Images, degrees: float) -> Images:
    """Images uint8 (n, 28, 28) turned counter-clockwise about their centre, with linear interpolation."""
    side = images.shape[1]
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1.0)
    return np.stack([np.asarray(cv2.warpAffine(image, matrix, (side, side)), np.uint8) for image in images])


def _ways(pixels: int) -> list[tuple[int, int]]:
    """Right, left, down and up."""
    return [(pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels)]


def _series(record: Record, unit: str, steps: Iterable[int], images: Images) -> Series:
    """Moved images with the network's answers."""
    answers = record.model.predict(images)
    digits = [
        MovedDigit(image, by, int(answer.argmax()), float(answer.max()))
        for image, by, answer in zip(images, steps, answers, strict=True)
    ]
    return Series(record.label, unit, tuple(digits))
