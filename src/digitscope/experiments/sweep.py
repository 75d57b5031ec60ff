"""Train every combination of some settings with several seeds, and measure it on digits that no training saw.

Every finished training is written to ``sweep.jsonl`` at once and is never repeated. The test images play no part: if
you choose among many networks by the test images, you have no test left.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
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
from digitscope.experiments.state import difference, recipe_settings
from digitscope.experiments.sweep_result import Point, SweepResult
from digitscope.experiments.trials import Trial, append_trial, read_trials
from digitscope.formatting import counted, markdown_table
from digitscope.models.inputs import network_input
from digitscope.models.metrics import evaluate_predictions
from digitscope.plots.style import CYCLE, save
from digitscope.plots.sweeps import comparison_bars, sweep_line, sweep_points
from digitscope.progress import Progress
from digitscope.quiet import no_retracing_warnings
from digitscope.training.recipes import Recipe, recipe_of, setting_text

SHAPING = ("filters", "convolutions", "kernel", "last_filters", "dense")
"""Settings that change the number of a network's parameters."""

BARS = 40
"""The most points that a bar chart lists, the best ones."""


def sweep(
    recipe: str | Recipe,
    settings: Mapping[str, Sequence[Any]],
    seeds: int = 5,
    *,
    out: str | Path,
    data: str | Path | Dataset = "mnist",
    epochs: int | None = None,
    progress: Progress | None = None,
) -> SweepResult:
    """Train every combination of settings with every seed, except what ``out`` contains already.

    All points are trained with the first seed before any with the second, so a sweep that is stopped early can still
    compare them. Call it again to continue, or with other settings or more seeds to add to it. At the end
    ``sweep.csv``, ``sweep.md``, ``sweep.png`` and ``sweep.svg`` show everything that the folder contains.

    Args:
        recipe: a name of ``training.recipes.RECIPES``, or a recipe: what is varied.
        settings: setting -> list of values; see ``experiments.grid.grid``.
        seeds: trainings of each point, with the seeds 0, 1, 2 ...
        out: the folder.
        data: what ``digitscope.load_dataset`` takes; ``datasets.validation.held_out`` chooses the images to measure on.
        epochs: passes over the training images; None takes the recipe's.
        progress: called with the images done, of all images in all epochs of all trainings.

    Raises:
        ConfigError: a setting does not fit; ``out`` contains a sweep of another recipe or other data, another process
            writes it, or it cannot be written.
        DataError: the dataset or a file in ``out`` is damaged.
        KeyboardInterrupt: Ctrl-C; its text says what is saved.
    """
    base = recipe_of(recipe, {} if epochs is None else {"epochs": epochs})
    points = grid(base, settings)
    if not 1 <= seeds * len(points) <= MOST:
        asked = f"{counted(len(points), 'recipe')} times {counted(seeds, 'seed')}"
        raise ConfigError(f"{asked} makes {seeds * len(points):,}; expected 1 to {MOST:,} trainings, change the seeds")
    dataset = load_dataset(data)
    train, validation, measured_on = held_out(dataset)
    folder = Path(out)
    with files.sole_writer(folder):
        _claim(folder, base, dataset, measured_on)
        record = folder / "sweep.jsonl"
        trials = {(trial.recipe, trial.seed): trial for trial in read_trials(record)}
        missing = [(point, seed) for seed in range(seeds) for point in points if (point, seed) not in trials]
        total, done = len(train.labels) * sum(point.all_epochs for point, _ in missing), 0
        try:
            for point, seed in missing:
                trial = _trained(point, seed, train, validation, _part_of_sweep(progress, done, total))
                append_trial(record, trial)
                trials[point, seed] = trial
                done += len(train.labels) * point.all_epochs
        except KeyboardInterrupt as stop:
            saved = f"{counted(len(trials), 'training')} saved in {folder}"
            raise KeyboardInterrupt(f"stopped with {saved}; run the same sweep again to continue") from stop
        found = SweepResult(base, dataset.name, measured_on, tuple(trials.values()))
        cure = "all trainings are saved; free some space or fix the permissions, then run the same sweep again"
        with files.writing(folder, cure):
            _write(found, folder)
        return found


def _claim(folder: Path, base: Recipe, dataset: Dataset, measured_on: str) -> None:
    """Start a sweep in the folder, or check that the sweep in it varies the same recipe on the same data."""
    plan = folder / "sweep.json"
    asked = {"data_sha256": dataset.sha256(), "measured_on": measured_on}
    with files.writing(folder, "set out to another folder"):
        if not plan.exists():
            if (folder / "sweep.jsonl").exists():
                raise DataError(
                    f"{folder} has lost its sweep.json, which says what was trained; set out to another folder"
                )
            used = versions(("keras", "tensorflow", "tensorflow-cpu", "torch", "jax", "numpy"))
            record = {"recipe": asdict(base), "data": dataset.name, **asked, "versions": used, "machine": machine()}
            files.write_json(plan, record)
    try:
        there = json.loads(plan.read_text(encoding="utf-8"))
        begun = Recipe.from_dict(there["recipe"])
        same_data = all(there[key] == value for key, value in asked.items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(f"{plan} is damaged ({type(error).__name__}: {error}); set out to another folder") from error
    if other := difference(recipe_settings(begun), recipe_settings(base)):
        raise ConfigError(
            f"{folder} contains a sweep of another recipe ({other[0]}, not {other[1]}); set out to another folder"
        )
    if not same_data:
        raise ConfigError(f"{folder} contains a sweep on other data ({there.get('data')}); set out to another folder")


def _trained(recipe: Recipe, seed: int, train: Part, validation: Part, progress: Progress | None) -> Trial:
    """Train once and measure."""
    from digitscope.training.fit import fit  # start-up: Keras takes seconds, and a finished sweep does not need it

    fitted = fit(recipe, train.images, train.labels, seed, progress=progress)
    with no_retracing_warnings():
        answers = np.asarray(fitted.network.predict(network_input(validation.images), batch_size=1000, verbose=0))
    guesses = np.where(np.isfinite(answers), answers, 0.1)  # a fit that diverged answers NaN: count it as guessing
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


def _part_of_sweep(progress: Progress | None, before: int, all_images: int) -> Progress | None:
    """A progress for one training that reports it as a part of the whole sweep."""
    if progress is None:
        return None

    def report(stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        progress("sweep", before + done, all_images, facts)

    return report


def _write(found: SweepResult, folder: Path) -> None:
    """Write the table as Markdown and CSV, and the figure as PNG and SVG."""
    how = f"Trained: the {found.subject}, on {found.data}. Accuracy on {found.measured_on}."
    best = ["", "To train the best point:", "", f"    {found.command}"] if found.command else []
    page = ["# Sweep", "", how, found.conclusion, "", markdown_table(*found.table()), *best, ""]
    files.write_text(folder / "sweep.md", "\n".join(page))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    settings = (*found.shared, *found.settings)
    writer.writerow([*settings, "parameters", "accuracy", "deviation", "seeds", "seconds"])
    for point in found.points:
        values = [setting_text(getattr(point.recipe, key)) for key in settings]
        spread = "" if point.deviation is None else point.deviation
        writer.writerow([*values, point.parameters, point.mean, spread, len(point.accuracies), point.seconds])
    files.write_text(folder / "sweep.csv", text.getvalue())
    figure = draw(found)
    for ending in (".png", ".svg"):
        save(figure, folder / f"sweep{ending}")


def draw(found: SweepResult) -> Axes:
    """The figure of a sweep: accuracy over the number of parameters, over one numeric setting, or as bars."""
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
        return sweep_line(x, *_in_percent(points), xlabel=setting, ylabel="validation accuracy in %")
    listed = found.points[:BARS]
    names = [found.name(point) for point in listed]
    return comparison_bars(names, *_in_percent(listed), unit="validation accuracy in %")


def _in_percent(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    """Means and standard deviations of the accuracy, in percent."""
    return [100 * point.mean for point in points], [100 * (point.deviation or 0.0) for point in points]
