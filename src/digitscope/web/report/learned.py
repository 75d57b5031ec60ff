"""Facts about how the answer to the digit on show came to be: what the network said at each recorded stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from digitscope.arraytypes import Doubles, Floats
from digitscope.errors import DataError
from digitscope.models.course import COURSE
from digitscope.models.layers import LayerView
from digitscope.models.weights_json import answers, config_of
from digitscope.web.report.record import Record

SHOWN = 3
"""Stages from the beginning that are told of, beside one of the middle and the last: most is learned early."""


class Stage(NamedTuple):
    """A stage of the training: steps taken, what the digit was read as, and the share 0..1 of its label."""

    step: int
    answer: int
    share: float


@dataclass(frozen=True)
class LearnedFacts:
    """How the answer to the digit on show came to be.

    Attributes:
        stages: a few stages in order, the untrained network first; empty where the run did not record them.
        first_right: the first recorded stage from which on the digit is read as its label; None if there is none.
    """

    stages: tuple[Stage, ...]
    first_right: Stage | None


def facts(record: Record) -> LearnedFacts:
    """What the network said of the digit at each stage that the run kept.

    Raises:
        DataError: the course belongs to another network.
    """
    course = record.course
    if course is None or not len(course.steps):
        return LearnedFacts((), None)
    learning = [layer for layer in record.lens.layers if layer.kernel is not None]
    sizes = [part.size for layer in learning for part in layer.learned]
    if course.weights.shape[1] != sum(sizes):
        raise DataError(f"{record.folder / COURSE} belongs to another network; delete it, or train the run again")
    told = [_told(record, row.astype(np.float32)) for row in course.weights]
    stages = [
        Stage(int(step), int(shares.argmax()), float(shares[record.label]))
        for step, shares in zip(course.steps, told, strict=True)
    ]
    return LearnedFacts(_few(stages), _first_right(stages, record.label))


def _told(record: Record, weights: Floats) -> Doubles:
    """The shares (10,) that the network with these weights (n,) gives the digit."""
    image = record.lens.image[None, ..., None]
    return np.asarray(answers({"layers": _entries(record.lens.layers[1:], weights)}, image)[0])


def _entries(layers: Sequence[LayerView], weights: Floats) -> list[dict[str, Any]]:
    """The layers with other weights, as ``weights_json.answers`` takes them."""
    entries: list[dict[str, Any]] = []
    start = 0
    for layer in layers:
        parts = []
        for name, part in zip(("kernel", "bias"), layer.learned if layer.kernel is not None else (), strict=False):
            parts.append({"name": name, "shape": part.shape, "data": weights[start : start + part.size]})
            start += part.size
        entries.append({"type": layer.kind, "config": config_of(layer), "weights": parts})
    return entries


def _few(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The first ``SHOWN`` stages, one of the middle, and the last."""
    last = len(stages) - 1
    places = sorted({*range(min(SHOWN, len(stages))), (SHOWN + last) // 2 if last > SHOWN else last, last})
    return tuple(stages[place] for place in places)


def _first_right(stages: Sequence[Stage], label: int) -> Stage | None:
    """The first stage from which on all answers are the label."""
    right = None
    for stage in reversed(stages):
        if stage.answer != label:
            break
        right = stage
    return right
