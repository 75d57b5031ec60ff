"""What a sweep has found: mean and spread of every combination of settings, and what follows from them.

It trains nothing and draws nothing.
"""

from __future__ import annotations

import math
import shlex
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from digitscope.experiments.trials import Trial
from digitscope.formatting import counted, percent
from digitscope.training.recipes import RECIPES, Recipe, setting_text

ENOUGH = 3
"""Seeds of each point from which the conclusion carries no warning."""

DIVERGED = 0.5
"""A training that reads less than this share of what the best point reads has diverged."""


@dataclass(frozen=True)
class Point:
    """All trainings of one recipe.

    Attributes:
        recipe: what was trained.
        parameters: of its network.
        accuracies: 0..1, one for each seed.
        seconds: mean duration of a fit.
    """

    recipe: Recipe
    parameters: int
    accuracies: tuple[float, ...]
    seconds: float

    @property
    def mean(self) -> float:
        """Mean accuracy over the seeds."""
        return statistics.fmean(self.accuracies)

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the accuracy between seeds (n - 1); None for a single seed."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None


@dataclass(frozen=True)
class SweepResult:
    """Everything in the folder of a sweep.

    Attributes:
        base: the recipe that is varied.
        data: name of the dataset.
        measured_on: what the validation part is, one sentence.
        trials: every finished training, including those of earlier grids.
    """

    base: Recipe
    data: str
    measured_on: str
    trials: tuple[Trial, ...]

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The trainings by recipe, best mean first; the smaller network first among equals."""
        trials: dict[Recipe, list[Trial]] = {}
        for trial in sorted(self.trials, key=lambda trial: trial.seed):
            trials.setdefault(trial.recipe, []).append(trial)
        points = [
            Point(
                recipe,
                same[0].parameters,
                tuple(trial.accuracy for trial in same),
                statistics.fmean(trial.seconds for trial in same),
            )
            for recipe, same in trials.items()
        ]
        return tuple(sorted(points, key=lambda point: (-point.mean, point.parameters)))

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """The settings in which any two points differ."""
        recipes = [asdict(point.recipe) for point in self.points]
        return tuple(key for key in recipes[0] if len({recipe[key] for recipe in recipes}) > 1)

    @cached_property
    def shared(self) -> tuple[str, ...]:
        """The settings that all points share and that differ from the base recipe."""
        base, point = asdict(self.base), asdict(self.points[0].recipe)
        return tuple(key for key in base if base[key] != point[key] and key not in self.settings)

    @property
    def subject(self) -> str:
        """What was varied, e.g. ``recipe classic with dense=64``."""
        shared = _words(self.points[0], self.shared)
        return f"recipe {self.base.name}" + (f" with {shared}" if shared else "")

    @cached_property
    def deviation(self) -> float | None:
        """Standard deviation between seeds, pooled over the points; None if no point has several seeds.

        A few seeds say little about their spread, all points together say much more. Points with a training that
        diverged (``DIVERGED``) say nothing about the others and are left out.
        """
        low = DIVERGED * self.points[0].mean
        steady = [point for point in self.points if min(point.accuracies) >= low]
        freedom = sum(len(point.accuracies) - 1 for point in steady)
        squares = sum((accuracy - point.mean) ** 2 for point in steady for accuracy in point.accuracies)
        return math.sqrt(squares / freedom) if freedom else None

    @property
    def limit(self) -> float | None:
        """The accuracy one standard error below the best mean; None if no point has several seeds."""
        best = self.points[0]
        return None if self.deviation is None else best.mean - self.deviation / math.sqrt(len(best.accuracies))

    @property
    def near(self) -> tuple[Point, ...]:
        """The other points with a mean not below ``limit``, the smallest network first.

        Source: Breiman et al., "Classification and Regression Trees", 1984: the one-standard-error rule, which takes
        the simplest of them.
        """
        limit = self.limit
        near = [point for point in self.points[1:] if limit is not None and point.mean >= limit]
        return tuple(sorted(near, key=lambda point: point.parameters))

    @property
    def conclusion(self) -> str:
        """What the sweep shows, in one or two plain sentences."""
        best, near = self.points[0], self.near
        value = f"{percent(best.mean)}, with {self.name(best)}"
        if self.limit is None:
            return f"The best is {value}; only several seeds of each point show what is chance."
        text = f"The best mean over {counted(len(best.accuracies), 'seed')} is {value}; "
        if not near:
            text += "no other point comes within one standard error of it."
        else:
            text += "1 other lies" if len(near) == 1 else f"{len(near)} others lie"
            text += f" within one standard error of it, {self._about_near(near[0])}"
        fewest = min(len(point.accuracies) for point in self.points)
        if fewest < ENOUGH:
            text += f" With {counted(fewest, 'seed')} per point, chance is not ruled out."
        return text

    def _about_near(self, smallest: Point) -> str:
        """How the sentence about the points near the best one ends; ``smallest`` is the smallest network among them."""
        if smallest.parameters >= self.points[0].parameters:
            return "so these figures cannot tell them apart."
        return (
            f"the smallest with {self.name(smallest)}: {percent(smallest.mean)} with {smallest.parameters:,} "
            f"parameters instead of {self.points[0].parameters:,}."
        )

    @property
    def command(self) -> str:
        """The command line that trains the best point; empty if the base is not one of the named recipes."""
        best = self.points[0].recipe
        if best.name not in RECIPES:
            return ""
        usual, words = asdict(RECIPES[best.name]), ["digitscope", "train", "--recipe", best.name]
        for key, value in asdict(best).items():
            if value != usual[key]:
                words += [
                    "--set",
                    f"{key}={','.join(map(str, value)) if isinstance(value, tuple) else setting_text(value)}",
                ]
        return shlex.join(words if self.data == "mnist" else [*words, "--data", self.data])

    def name(self, point: Point, settings: Sequence[str] | None = None) -> str:
        """A point's values of the settings that vary, or of those given, e.g. ``filters=8:16, pooling=max``."""
        return _words(point, self.settings if settings is None else settings) or self.subject

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Head and rows of a table of all points, best mean first."""
        head = ["place", *self.settings, "parameters", "accuracy", "± between seeds", "seeds", "seconds each"]
        return head, [
            [
                str(place),
                *(setting_text(getattr(point.recipe, key)) for key in self.settings),
                f"{point.parameters:,}",
                percent(point.mean),
                "–" if point.deviation is None else f"{100 * point.deviation:.2f}",
                str(len(point.accuracies)),
                f"{point.seconds:.1f}",
            ]
            for place, point in enumerate(self.points, start=1)
        ]


def _words(point: Point, settings: Sequence[str]) -> str:
    return ", ".join(f"{key}={setting_text(getattr(point.recipe, key))}" for key in settings)
