"""What a sweep has found: its trainings, one a line in a file, and the mean and spread of each point.

Trains nothing and draws nothing.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from digitscope import files
from digitscope.errors import ConfigError, DataError
from digitscope.formatting import counted, percent
from digitscope.training.recipes import RECIPES, Recipe, recipe_from, word_of

ENOUGH = 3
"""Seeds of each point from which on a conclusion goes without a warning."""

RUN_AWAY = 0.5
"""A training that reads less than this part of what the best point does has run away."""


@dataclass(frozen=True)
class Trial:
    """One training and how it did on the validation part.

    Attributes:
        seed: of the training.
        accuracy: part 0..1 of the validation images that is read right.
        misses: how many are not.
        n: validation images.
        loss: mean cross-entropy on them, natural logarithm.
        parameters: of the network.
        seconds: what the fit took.
        recipe: what was trained.
    """

    seed: int
    accuracy: float
    misses: int
    n: int
    loss: float
    parameters: int
    seconds: float
    recipe: Recipe


@dataclass(frozen=True)
class Point:
    """All trainings of one recipe.

    Attributes:
        recipe: what was trained.
        parameters: of its network.
        accuracies: parts 0..1, one for each seed.
        seconds: what one fit took, on average.
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
        """Standard deviation of the accuracy between seeds (n - 1); None for a single one."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None


@dataclass(frozen=True)
class Sweep:
    """What the folder of a sweep holds.

    Attributes:
        base: the recipe whose settings are varied.
        data: the dataset, as it was given.
        measured_on: what the validation part is, one sentence.
        trials: every finished training, also those of earlier grids.
    """

    base: Recipe
    data: str
    measured_on: str
    trials: tuple[Trial, ...]

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The trainings by recipe, best mean first, the smaller network first among equals."""
        trials: dict[Recipe, list[Trial]] = {}
        for trial in sorted(self.trials, key=lambda trial: trial.seed):
            trials.setdefault(trial.recipe, []).append(trial)
        points = [
            Point(
                recipe,
                of[0].parameters,
                tuple(trial.accuracy for trial in of),
                statistics.fmean(trial.seconds for trial in of),
            )
            for recipe, of in trials.items()
        ]
        return tuple(sorted(points, key=lambda point: (-point.mean, point.parameters)))

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """The settings in which any two points differ."""
        recipes = [asdict(point.recipe) for point in self.points]
        return tuple(key for key in recipes[0] if len({recipe[key] for recipe in recipes}) > 1)

    @cached_property
    def shared(self) -> tuple[str, ...]:
        """The settings that all points have alike, but not the base."""
        base, point = asdict(self.base), asdict(self.points[0].recipe)
        return tuple(key for key in base if base[key] != point[key] and key not in self.settings)

    @property
    def subject(self) -> str:
        """What was varied, as ``recipe classic with dense=64``."""
        shared = _words(self.points[0], self.shared)
        return f"recipe {self.base.name}" + (f" with {shared}" if shared else "")

    @cached_property
    def deviation(self) -> float | None:
        """Standard deviation between seeds, pooled over the points; None where none has several.

        A few seeds tell little about their spread, all points together much more. Points of which a training has run
        away (``RUN_AWAY``) say nothing about that of the others, and are left out.
        """
        low = RUN_AWAY * self.points[0].mean
        steady = [point for point in self.points if min(point.accuracies) >= low]
        freedom = sum(len(point.accuracies) - 1 for point in steady)
        squares = sum((accuracy - point.mean) ** 2 for point in steady for accuracy in point.accuracies)
        return math.sqrt(squares / freedom) if freedom else None

    @property
    def limit(self) -> float | None:
        """The accuracy one standard error below the best mean; None where no point has several seeds."""
        best = self.points[0]
        return None if self.deviation is None else best.mean - self.deviation / math.sqrt(len(best.accuracies))

    @property
    def near(self) -> tuple[Point, ...]:
        """The points other than the best whose mean is not below ``limit``, the smallest network first.

        Source: Breiman et al., "Classification and Regression Trees", 1984: the one-standard-error rule, by which the
        simplest of them is taken.
        """
        limit = self.limit
        near = [point for point in self.points[1:] if limit is not None and point.mean >= limit]
        return tuple(sorted(near, key=lambda point: point.parameters))

    @property
    def conclusion(self) -> str:
        """What the sweep says, in a plain sentence or two."""
        best, near = self.points[0], self.near
        of = f"{percent(best.mean)}, with {self.name(best)}"
        if self.limit is None:
            return f"The best is {of}; what chance does, only several seeds of each point show."
        told = f"The best mean over {counted(len(best.accuracies), 'seed')} is {of}; "
        if not near:
            told += "no other point comes within one standard error of it."
        else:
            told += "1 other lies" if len(near) == 1 else f"{len(near)} others lie"
            told += f" within one standard error of it, {self._of_near(near[0])}"
        few = min(len(point.accuracies) for point in self.points)
        rest = f" With {counted(few, 'seed')} of a point, chance is not ruled out." if few < ENOUGH else ""
        return told + rest

    def _of_near(self, smallest: Point) -> str:
        """What follows from there being other points as good as the best, the smallest of them given."""
        if smallest.parameters >= self.points[0].parameters:
            return "so that these figures do not part them."
        return (
            f"the smallest with {self.name(smallest)}: {percent(smallest.mean)} with {smallest.parameters:,} "
            f"parameters instead of {self.points[0].parameters:,}."
        )

    @property
    def command(self) -> str:
        """The command line that trains the best point; empty for a recipe of one's own, which has none."""
        best = self.points[0].recipe
        if best.name not in RECIPES:
            return ""
        known, words = asdict(RECIPES[best.name]), ["digitscope", "train", "--recipe", best.name]
        for key, value in asdict(best).items():
            if value != known[key]:
                words += ["--set", f"{key}={','.join(map(str, value)) if isinstance(value, tuple) else word_of(value)}"]
        return shlex.join(words if self.data == "mnist" else [*words, "--data", self.data])

    def name(self, point: Point, settings: Sequence[str] | None = None) -> str:
        """A point's values of the settings that vary, or of those given, as ``filters=8:16, pooling=max``."""
        return _words(point, self.settings if settings is None else settings) or self.subject

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Head and rows of a table for people, best mean first."""
        head = ["place", *self.settings, "parameters", "accuracy", "± between seeds", "seeds", "seconds each"]
        return head, [
            [
                str(place),
                *(word_of(getattr(point.recipe, key)) for key in self.settings),
                f"{point.parameters:,}",
                percent(point.mean),
                "–" if point.deviation is None else f"{100 * point.deviation:.2f}",
                str(len(point.accuracies)),
                f"{point.seconds:.1f}",
            ]
            for place, point in enumerate(self.points, start=1)
        ]


def _words(point: Point, settings: Sequence[str]) -> str:
    return ", ".join(f"{key}={word_of(getattr(point.recipe, key))}" for key in settings)


def append_trial(path: Path, trial: Trial) -> None:
    """Add a line to a file of trials, safe on the disk when this returns.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        with path.open("ab") as file:
            file.write(json.dumps(asdict(trial)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}); what is in it is kept, so make room or check its rights, "
            "and the same command goes on"
        ) from error


def read_trials(path: Path) -> list[Trial]:
    """The lines of a file of trials; what a killed process left of a last one is taken away.

    Raises:
        DataError: the file cannot be read, or a line is not the record of a training.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            files.write_bytes(path, whole)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give another --out") from error
    trials = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            trials.append(_trial(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise DataError(
                f"line {number} of {path} is not the record of a training ({type(error).__name__}: {error}); "
                "delete the line, and it is trained again"
            ) from error
    return trials


def _trial(record: Mapping[str, Any]) -> Trial:
    seed, misses, n, parameters = (int(record[key]) for key in ("seed", "misses", "n", "parameters"))
    accuracy, loss, seconds = (float(record[key]) for key in ("accuracy", "loss", "seconds"))
    if not (0 <= misses <= n and n > 0 and abs(accuracy - (n - misses) / n) < 1e-9 and parameters > 0 and seed >= 0):
        raise ValueError("its numbers contradict each other")
    if not (0 <= loss < math.inf and 0 <= seconds < math.inf):
        raise ValueError("its loss or its seconds cannot be")
    return Trial(seed, accuracy, misses, n, loss, parameters, seconds, recipe_from(record["recipe"]))
