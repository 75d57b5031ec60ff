"""What the story says about how the network was trained: its epochs, its targets, how much it learned by heart.

Trains nothing; what came of it is told by ``web.report.numbers``.
"""

from __future__ import annotations

import math
from typing import Any

from digitscope.training.recipes import RECIPES
from digitscope.web.report.html import count, duration, number, percent, spelled, table
from digitscope.web.report.record import Record

PRACTISED = 10_000
"""Training digits on which the finished network is measured once more."""

LEARNED_BY_HEART = 0.5
"""Points of accuracy that two sets of digits may well differ by of themselves."""


def facts(record: Record) -> dict[str, Any]:
    """Everything that the chapters say about the training."""
    return _training(record) | _targets(record) | _gap(record)


def _training(record: Record) -> dict[str, Any]:
    recipe, train_n = record.recipe, int(record.metrics["train_n"])
    steps = record.steps_per_epoch
    rows = [
        [str(int(row["epoch"])), number(row["loss"], 4), percent(row["accuracy"]), f"{row['learning_rate']:.2g}",
         duration(row["seconds"])]
        for row in record.history
    ]  # fmt: skip
    head = ["epoch", "loss", "accuracy", "learning rate at its end", "time"]
    return {
        "many_epochs": len(record.history) > 2,
        "one_epoch": len(record.history) == 1,
        "steps_per_epoch": count(steps),
        "steps_total": count(steps * recipe.epochs),
        "last_batch": train_n % recipe.batch_size,
        "beta_1": f"{recipe.beta_1:g}",
        "beta_2": f"{recipe.beta_2:g}",
        "schedule_words": _schedule_words(record),
        "history_table": table("Loss and accuracy on the training digits, epoch by epoch.", head, rows),
    }


def _targets(record: Record) -> dict[str, Any]:
    """What the network was to answer in training, and how sure of it its answers were made afterwards."""
    recipe, least = record.recipe, _least_loss(record.recipe.label_smoothing)
    usual = RECIPES.get(recipe.name)
    return {
        "smoothed": recipe.label_smoothing > 0,
        "smoothing": percent(recipe.label_smoothing, 0),
        "least_loss": number(least, 2),
        "below_least": record.evaluation.loss < least,
        "teachers": recipe.teachers > 0,
        "several_teachers": recipe.teachers > 1,
        "softened": recipe.label_smoothing > 0 or recipe.teachers > 0,
        "teacher_count": f"{spelled(recipe.teachers)} teacher{'s' if recipe.teachers > 1 else ''}",
        "teacher_share": percent(recipe.teacher_share, 0),
        "label_share": percent(1 - recipe.teacher_share, 0),
        "teacher_temperature": f"{recipe.teacher_temperature:g}",
        "temperature": f"{recipe.temperature:g}",
        "tempered": recipe.temperature != 1,
        "temperature_chosen": usual is not None and usual.temperature == recipe.temperature,
    }


def _gap(record: Record) -> dict[str, Any]:
    """The finished network on digits that it has practised, beside the test."""
    images, labels = record.data.x_train[:PRACTISED], record.data.y_train[:PRACTISED]
    practised = float((record.model.predict(images).argmax(axis=1) == labels).mean())
    gap = 100 * (practised - record.evaluation.accuracy)
    if gap <= 0:
        words = "It does no worse on new digits than on practised ones: it has not merely learned by heart."
    elif gap < LEARNED_BY_HEART:
        words = f"The gap of {gap:.2f} points is too small to tell from the difference between the two sets."
    else:
        words = f"Of the gap of {gap:.2f} points a good part is what it has learned by heart; a large one is a warning."
    return {"train_accuracy": percent(practised), "train_sample": count(len(labels)), "gap_words": words}


def _least_loss(smoothing: float) -> float:
    """The cross-entropy of an answer that is just the label with so much of it spread over all ten digits."""
    right, wrong = 1 - 0.9 * smoothing, 0.1 * smoothing
    return -right * math.log(right) - (9 * wrong * math.log(wrong) if wrong else 0.0)


def _schedule_words(record: Record) -> str:
    recipe = record.recipe
    if recipe.schedule == "constant":
        return f"This run keeps it at {recipe.learning_rate:g} from the first step to the last."
    return (
        "This run begins with tiny steps to find its footing, lengthens them to "
        f"{recipe.learning_rate:g} during the first {percent(recipe.warmup, 0)} of the way, and then shortens them "
        "smoothly to almost nothing, so as to settle at the bottom instead of leaping about it. This is called a "
        "one-cycle schedule."
    )
