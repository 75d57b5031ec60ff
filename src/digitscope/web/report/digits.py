"""What the story says about the data, and about digits that are shifted, turned or shuffled. Draws no figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np

from digitscope.arraytypes import Images
from digitscope.web.report.html import Html, a, count, gallery, join, percent, picture, rough_share
from digitscope.web.report.record import Record

SHIFTS, TURNS = range(0, 11), range(0, 100, 10)
"""Pixels and degrees by which test digits are moved."""

EVERY = 20
"""One test digit in so many is moved."""

SAMPLES = 50
"""Training digits on the sheet."""


def facts(record: Record) -> dict[str, Any]:
    """Everything that the chapters say about the data and about moved digits."""
    return _data(record) | _moved(record)


def shifted(images: Images, right: int, down: int = 0) -> Images:
    """Images uint8 (n, 28, 28) moved; what leaves the picture is lost, paper comes in."""
    side, moved = images.shape[1], np.zeros_like(images)
    to = [slice(max(way, 0), side + min(way, 0)) for way in (down, right)]
    source = [slice(max(-way, 0), side + min(-way, 0)) for way in (down, right)]
    moved[:, to[0], to[1]] = images[:, source[0], source[1]]
    return moved


def turned(images: Images, degrees: float) -> Images:
    """Images uint8 (n, 28, 28) turned counter-clockwise about their middle, with linear interpolation."""
    side = images.shape[1]
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1.0)
    return np.stack([np.asarray(cv2.warpAffine(image, matrix, (side, side)), np.uint8) for image in images])


def _data(record: Record) -> dict[str, Any]:
    y = record.data.y_train
    counts = np.bincount(y, minlength=10)
    right = nearest_mean_right(record)
    permutation = np.random.default_rng(0).permutation(28 * 28)
    first = [int((record.data.y_test == digit).argmax()) for digit in (2, 4, 9)]
    sheet = []
    for index in first:
        image, label = record.data.x_test[index], int(record.data.y_test[index])
        sheet.append((picture(image, a(label).capitalize()), f"{a(label)} …"))
        mixed = image.reshape(-1)[permutation].reshape(28, 28)
        sheet.append((picture(mixed, f"The same {label}, its pixels shuffled"), "… shuffled"))
    return {
        "rarest_digit": int(counts.argmin()), "rarest_count": count(counts.min()),
        "commonest_digit": int(counts.argmax()), "commonest_count": count(counts.max()),
        "samples_n": min(SAMPLES, len(y)), "pixels_total": record.image.size,
        "pixels_ink": int((record.image > 0).sum()), "nearest_mean": count(right),
        "nearest_mean_share": percent(right / len(record.data.y_test)), "shuffled_digits": gallery(sheet),
    }  # fmt: skip


def nearest_mean_right(record: Record) -> int:
    """How many test digits are nearest to the mean training image of their own class."""
    x, y = record.data.x_train, record.data.y_train
    present = np.unique(y)
    means = np.stack([x[y == digit].mean(axis=0).ravel() for digit in present]).astype(np.float32)
    tests = record.data.x_test.reshape(len(record.data.x_test), -1).astype(np.float32)
    distance = (means**2).sum(axis=1) - 2 * tests @ means.T
    return int((present[distance.argmin(axis=1)] == record.data.y_test).sum())


def robustness(record: Record) -> tuple[list[float], list[float]]:
    """Accuracy 0..1 at each of ``SHIFTS``, mean of four ways, and at each of ``TURNS``, mean of both ways."""
    images, labels = record.data.x_test[::EVERY], record.data.y_test[::EVERY]

    def accuracy(*ways: Images) -> float:
        return float(np.mean([record.model.predict(moved).argmax(axis=1) == labels for moved in ways]))

    sideways = [accuracy(*(shifted(images, *way) for way in _ways(pixels))) for pixels in SHIFTS]
    return sideways, [accuracy(turned(images, degrees), turned(images, -degrees)) for degrees in TURNS]


def _ways(pixels: int) -> list[tuple[int, int]]:
    """Right, left, down and up."""
    return [(pixels, 0), (-pixels, 0), (0, pixels), (0, -pixels)]


def _moved(record: Record) -> dict[str, Any]:
    one = record.image[None]
    shifts, turns = [*range(0, 13, 2)], [*range(0, 100, 15)]
    right, round_ = np.concatenate([shifted(one, s) for s in shifts]), np.concatenate([turned(one, t) for t in turns])
    sideways, around = robustness(record)
    below = next((pixels for pixels, part in zip(SHIFTS, sideways, strict=True) if part < 0.5), None)
    return {
        "shifted_digits": _read_aloud(record, right, [f"{pixels} px" for pixels in shifts]),
        "turned_digits": _read_aloud(record, round_, [f"{degrees}°" for degrees in turns]),
        "shift_words": _first_failure(record, right, [f"{pixels} pixels" for pixels in shifts]),
        "turn_words": _first_failure(record, round_, [f"{degrees}°" for degrees in turns]),
        "robust_n": count(len(record.data.y_test[::EVERY])),
        "half_shift": below,
        "robustness": (sideways, around),
    }


def _read_aloud(record: Record, images: Images, captions: Iterable[str]) -> Html:
    """Pictures with what the network says to each."""
    entries = []
    for image, caption, answer in zip(images, captions, record.model.predict(images), strict=True):
        read = int(answer.argmax())
        sure = rough_share(float(answer[read]))
        entries.append(
            (
                picture(image, f"The digit at {caption}"),
                join([caption, ": ", Html(f"<strong>{read}</strong>"), f" ({sure})"]),
            )
        )
    return gallery(entries)


def _first_failure(record: Record, images: Images, names: list[str]) -> str:
    answers = record.model.predict(images).argmax(axis=1)
    wrong = np.flatnonzero(answers != record.label)
    if not len(wrong):
        return f"It is read as {a(record.label)} all the way."
    return f"It is first misread at {names[wrong[0]]}, as {a(int(answers[wrong[0]]))}."
