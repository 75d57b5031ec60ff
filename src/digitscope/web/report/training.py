"""Facts about the training: its targets, its steps, and how much was learned by heart. Trains nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from digitscope.training.recipes import RECIPES
from digitscope.web.report.record import Record

PRACTISED = 10_000
"""Training digits on which the finished network is measured once more."""

LEARNED_BY_HEART = 0.5
"""Points of accuracy; a smaller gap may come from the difference between the two sets of digits."""


@dataclass(frozen=True)
class PracticeFacts:
    """The finished network on digits that it practised.

    Attributes:
        n: training digits that it was measured on.
        accuracy: share 0..1 of them that it reads.
        gap: points by which that is above the test accuracy.
    """

    n: int
    accuracy: float
    gap: float

    @property
    def learned_by_heart(self) -> bool:
        """Whether the gap is too large to come from the difference between the two sets."""
        return self.gap >= LEARNED_BY_HEART


@dataclass(frozen=True)
class TrainingFacts:
    """What the report says about the training.

    Attributes:
        steps: steps of the optimizer in all.
        last_batch: digits in the last batch of an epoch if it is not full, else 0.
        least_loss: the smallest mean loss that is possible with smoothed labels.
        below_least: whether the test loss is even smaller.
        temperature_chosen: whether the temperature is that of the shipped recipe, which was measured.
    """

    steps: int
    last_batch: int
    least_loss: float
    below_least: bool
    temperature_chosen: bool


def facts(record: Record) -> TrainingFacts:
    """The facts of this run's training."""
    recipe = record.recipe
    least, usual = least_loss(recipe.label_smoothing), RECIPES.get(recipe.name)
    return TrainingFacts(
        steps=record.steps_per_epoch * recipe.epochs,
        last_batch=int(record.metrics["train_n"]) % recipe.batch_size,
        least_loss=least,
        below_least=record.evaluation.loss < least,
        temperature_chosen=usual is not None and usual.temperature == recipe.temperature,
    )


def practice(record: Record) -> PracticeFacts:
    """How the finished network reads the first training digits, compared with the test."""
    images, labels = record.data.x_train[:PRACTISED], record.data.y_train[:PRACTISED]
    practised = float((record.model.predict(images).argmax(axis=1) == labels).mean())
    return PracticeFacts(len(labels), practised, 100 * (practised - record.evaluation.accuracy))


def least_loss(smoothing: float) -> float:
    """The cross-entropy of the best possible answer when a share 0..1 of the label is spread over all ten digits."""
    right, wrong = 1 - 0.9 * smoothing, 0.1 * smoothing
    return -right * math.log(right) - (9 * wrong * math.log(wrong) if wrong else 0.0)
