"""Facts about recipes: this run beside the models that ship with Digitscope, and the settings of every recipe."""

from __future__ import annotations

from typing import NamedTuple

from digitscope.models.metrics import wilson_interval
from digitscope.models.model import load, shipped
from digitscope.training.recipes import RECIPES, Recipe
from digitscope.web.report.record import Record


class Measured(NamedTuple):
    """A network on the run's test digits: its accuracy 0..1, with the bounds of Wilson's 95 % interval."""

    name: str
    misses: int
    accuracy: float
    low: float
    high: float


class RecipeRow(NamedTuple):
    """A recipe, and the filters of all its convolutions in order."""

    recipe: Recipe
    filters: tuple[int, ...]


def measured(record: Record) -> tuple[Measured, ...]:
    """This run first; on MNIST then every shipped model that saw MNIST alone, measured now on the same test digits."""
    misses = {f"this run ({record.recipe.name}{record.changes})": record.evaluation.misses}
    if record.on_mnist:
        for name in sorted(set(shipped()) & set(RECIPES)):
            answers = load(name).predict(record.data.x_test).argmax(axis=1)
            misses[f"shipped with Digitscope: {name}"] = int((answers != record.data.y_test).sum())
    n = record.evaluation.n
    return tuple(
        Measured(name, missed, 1 - missed / n, *wilson_interval(n - missed, n)) for name, missed in misses.items()
    )


def settings() -> tuple[RecipeRow, ...]:
    """Every recipe."""
    return tuple(
        RecipeRow(
            recipe,
            (
                *(maps for maps in recipe.filters for _ in range(recipe.convolutions)),
                *([recipe.last_filters] if recipe.last_filters else []),
            ),
        )
        for recipe in RECIPES.values()
    )
