"""Sweeps: every combination of some settings, several seeds each, measured on digits that no training saw.

Every finished training is a line of ``sweep.jsonl`` at once, and is never done again. The test images have no part in
it: who chooses among many networks by the test images has no test left.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from digitscope import files
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.datasets.split import Part
from digitscope.datasets.validation import held_out
from digitscope.environment import machine, versions
from digitscope.errors import ConfigError, DataError
from digitscope.experiments.grid import MOST, grid
from digitscope.experiments.trials import Point, Sweep, Trial, append_trial, read_trials
from digitscope.formatting import counted
from digitscope.models.metrics import evaluate_predictions
from digitscope.models.model import network_input
from digitscope.plots.style import CYCLE, save
from digitscope.plots.sweeps import comparison_bars, sweep_points
from digitscope.plots.sweeps import sweep as line_over
from digitscope.progress import Progress
from digitscope.quiet import no_retracing_warnings
from digitscope.training.recipes import Recipe, recipe_from, recipe_of, word_of

SHAPING = ("filters", "convolutions", "kernel", "last_filters", "dense")
"""Settings on which the number of a network's parameters depends."""

BARS = 40
"""The most points that a picture lists, the best."""


def sweep(
    recipe: str | Recipe,
    settings: Mapping[str, Sequence[Any]],
    seeds: int = 5,
    *,
    out: str | Path,
    data: str | Path | Dataset = "mnist",
    epochs: int | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Train every combination of settings with every seed, as far as ``out`` does not hold it already.

    All points are trained with the first seed before any with the second, so that a sweep which is stopped early
    compares something. Call it again to go on, or with other settings or more seeds to add to it. In the end
    ``sweep.csv``, ``sweep.md``, ``sweep.png`` and ``sweep.svg`` tell of all that the folder holds.

    Args:
        recipe: a name of ``training.recipes.RECIPES``, or a recipe: what is varied.
        settings: setting -> list of values; see ``experiments.grid.grid``.
        seeds: how many trainings each point gets, with the seeds 0, 1, 2 ...
        out: the folder.
        data: see ``digitscope.load_dataset``; ``datasets.validation.held_out`` tells what is measured.
        epochs: instead of the recipe's.
        progress: told about images done of all images of all epochs of all trainings.

    Raises:
        ConfigError: a setting does not fit, or ``out`` holds a sweep of another recipe or of other data, or cannot be
            written.
        DataError: the dataset or a file in ``out`` is damaged.
        KeyboardInterrupt: Ctrl-C; its text says what is kept.
    """
    base = recipe_of(recipe, {} if epochs is None else {"epochs": epochs})
    points = grid(base, settings)
    if not 1 <= seeds * len(points) <= MOST:
        asked = f"{counted(len(points), 'recipe')} times {counted(seeds, 'seed')}"
        raise ConfigError(f"{asked} makes {seeds * len(points):,}; expected 1 to {MOST:,} trainings, change the seeds")
    dataset = load_dataset(data)
    train, validation, measured_on = held_out(dataset)
    folder = Path(out)
    _claim(folder, base, dataset, measured_on)
    record = folder / "sweep.jsonl"
    trials = {(trial.recipe, trial.seed): trial for trial in read_trials(record)}
    missing = [(point, seed) for seed in range(seeds) for point in points if (point, seed) not in trials]
    total, done = len(train.labels) * sum(point.all_epochs for point, _ in missing), 0
    try:
        for point, seed in missing:
            trial = _trained(point, seed, train, validation, _share(progress, done, total))
            append_trial(record, trial)
            trials[point, seed] = trial
            done += len(train.labels) * point.all_epochs
    except KeyboardInterrupt as stop:
        kept = f"{len(trials):,} trainings are kept in {folder}"
        raise KeyboardInterrupt(f"stopped; {kept}, and the same command goes on") from stop
    found = Sweep(base, dataset.name, measured_on, tuple(trials.values()))
    try:
        _write(found, folder)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written ({error.strerror}); all trainings are kept, so make room or check its rights, "
            "and the same command goes on"
        ) from error
    return found


def _claim(folder: Path, base: Recipe, dataset: Dataset, measured_on: str) -> None:
    """Begin a sweep in the folder, or make sure that the one in it asks the same question."""
    plan = folder / "sweep.json"
    told = {"data_sha256": dataset.sha256(), "measured_on": measured_on}
    try:
        if not plan.exists():
            if (folder / "sweep.jsonl").exists():
                raise DataError(f"{folder} has lost its sweep.json, which says what was trained; give another --out")
            record = {"recipe": asdict(base), "data": dataset.name} | told
            used = versions(("keras", "tensorflow", "tensorflow-cpu", "torch", "jax", "numpy"))
            files.write_json(plan, record | {"versions": used, "machine": machine()})
        there = json.loads(plan.read_text(encoding="utf-8"))
        begun = recipe_from(there["recipe"])
        same_data = all(there[key] == value for key, value in told.items())
    except OSError as error:
        raise ConfigError(f"{folder} cannot be used ({error.strerror}); give another folder with --out") from error
    except DataError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(f"{plan} is damaged ({type(error).__name__}: {error}); give another --out") from error
    other = [field.name for field in fields(Recipe) if getattr(begun, field.name) != getattr(base, field.name)]
    if other:  # the name comes first; where that is another, the rest goes without saying
        shown = other[:1] if other[0] == "name" else other
        was, now = (", ".join(f"{key}={word_of(getattr(recipe, key))}" for key in shown) for recipe in (begun, base))
        raise ConfigError(
            f"{folder} holds a sweep of another recipe ({was}, not {now}); give another folder with --out"
        )
    if not same_data:
        raise ConfigError(f"{folder} holds a sweep of other data ({there.get('data')}); give another folder with --out")


def _trained(recipe: Recipe, seed: int, train: Part, validation: Part, progress: Progress | None) -> Trial:
    """Train once and measure."""
    from digitscope.training.fit import fit  # with Keras, which a sweep that has finished does not need

    fitted = fit(recipe, train.images, train.labels, seed, progress=progress)
    with no_retracing_warnings():
        answers = np.asarray(fitted.network.predict(network_input(validation.images), batch_size=1000, verbose=0))
    guesses = np.where(np.isfinite(answers), answers, 0.1)  # a fit that ran away answers no numbers: it guesses
    scores = evaluate_predictions(guesses, validation.labels)
    return Trial(
        seed=seed,
        accuracy=scores.accuracy,
        misses=scores.misses,
        n=scores.n,
        loss=scores.loss,
        parameters=int(fitted.network.count_params()),
        seconds=fitted.seconds,
        recipe=recipe,
    )


def _share(progress: Progress | None, before: int, all_images: int) -> Progress | None:
    """The progress of one training as its share of the sweep's."""
    if progress is None:
        return None

    def report(stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        progress("sweep", before + done, all_images, facts)

    return report


def _write(found: Sweep, folder: Path) -> None:
    """Everything that people look at: the table twice, and the picture twice."""
    head, rows = found.table()
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    how = f"Trained: the {found.subject}, on {found.data}. Accuracy on {found.measured_on}."
    best = ["", "To train the best of it:", "", f"    {found.command}"] if found.command else []
    files.write_text(folder / "sweep.md", "\n".join(["# Sweep", "", how, found.conclusion, "", *lines, *best, ""]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    settings = (*found.shared, *found.settings)
    writer.writerow([*settings, "parameters", "accuracy", "deviation", "seeds", "seconds"])
    for point in found.points:
        values = [word_of(getattr(point.recipe, key)) for key in settings]
        spread = "" if point.deviation is None else point.deviation
        writer.writerow([*values, point.parameters, point.mean, spread, len(point.accuracies), point.seconds])
    files.write_text(folder / "sweep.csv", text.getvalue())
    picture = draw(found)
    for ending in (".png", ".svg"):
        save(picture, folder / f"sweep{ending}")


def draw(found: Sweep) -> Axes:
    """The picture of a sweep: over the number of parameters where they vary, over one setting of numbers, or a list."""
    points = sorted(found.points, key=lambda point: point.parameters)
    shaping = [key for key in found.settings if key in SHAPING][:1]
    others = [key for key in found.settings if key not in shaping]
    lines: dict[str, list[tuple[int, str, tuple[float, ...]]]] = {}
    for point in points:
        word = found.name(point, shaping).partition("=")[2]
        lines.setdefault(found.name(point, others), []).append((point.parameters, word, point.accuracies))
    if shaping and len(lines) <= len(CYCLE) and points[0].parameters < points[-1].parameters:
        ax = sweep_points(lines, found.limit)
        ax.set_xlabel(f"parameters, and {shaping[0]} of each point")
        return ax
    if len(found.settings) == 1 and all(type(getattr(p.recipe, found.settings[0])) in (int, float) for p in points):
        setting = found.settings[0]
        points.sort(key=lambda point: float(getattr(point.recipe, setting)))
        x = [float(getattr(point.recipe, setting)) for point in points]
        return line_over(x, *_in_percent(points), xlabel=setting, ylabel="validation accuracy in %")
    listed = found.points[:BARS]
    names = [found.name(point) for point in listed]
    return comparison_bars(names, *_in_percent(listed), unit="validation accuracy in %")


def _in_percent(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    """Means and standard deviations."""
    return [100 * point.mean for point in points], [100 * (point.deviation or 0.0) for point in points]
