"""The commands that train networks for single digits, and that list and compare what was trained."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitscope.cli.terminal import (
    DataOption,
    ModelArgument,
    app,
    load_data,
    load_model,
    note,
    progress_bar,
    say,
    table,
)
from digitscope.errors import ConfigError

if TYPE_CHECKING:
    from digitscope.experiments.run import Run

EpochsOption = Annotated[int | None, typer.Option(help="Passes over the training images; default as in the recipe.")]
DevicesOption = Annotated[
    int, typer.Option(help="Devices, e.g. graphics cards, that share every batch; needs KERAS_BACKEND=jax.")
]
TensorBoardOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Log loss, accuracy and learning rate there for TensorBoard.")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace the run in that folder.")]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Continue the run in --out after its last finished epoch.")
]
PageOption = Annotated[bool, typer.Option("--page", help="Also write lens.html: draw a digit and follow it.")]


@app.command()
def train(
    ctx: typer.Context,
    recipe: Annotated[str, typer.Option(help="seed, fast, classic, robust, strong or hardened.")] = "classic",
    data: DataOption = "mnist",
    epochs: EpochsOption = None,
    seed: Annotated[int, typer.Option(help="Seed of the first weights, the image order and the augmentation.")] = 0,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of the recipe; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; default runs/RECIPE-SEED-DATE.")] = None,
    overwrite: OverwriteOption = False,
    resume: ResumeOption = False,
    page: PageOption = False,
    tensorboard: TensorBoardOption = None,
    devices: DevicesOption = 1,
) -> None:
    """Train a network, measure it and write a report.

    Leaves a run folder with the model, its measurements on the test images, figures and report.html.
    """
    settings = _settings(set_ or [])
    if recipe == "reader":  # the spelling of version 0.1
        from digitscope.cli.lines import train_as_recipe

        train_as_recipe(ctx, settings, seed, out)
        return
    from digitscope.training.recipes import recipe_of

    recipe_of(recipe, settings)  # refuses a wrong setting before Keras takes seconds to start
    dataset = load_data(data)
    from digitscope.experiments.run import Run
    from digitscope.experiments.run import train as train_run

    finished = resume and out is not None and Run(out).finished
    with progress_bar() as progress:
        run = train_run(
            recipe, data=dataset, epochs=epochs, seed=seed, settings=settings, out=out, overwrite=overwrite,
            resume=resume, page=page, tensorboard=tensorboard, devices=devices, progress=progress,
        )  # fmt: skip
    if finished:
        say(f"{out} was finished already; there is nothing to resume")
    _print_run(run)


def _settings(words: Sequence[str]) -> dict[str, str]:
    """Settings of a recipe from words of the form ``KEY=VALUE``."""
    settings = {}
    for word in words:
        key, found, value = word.partition("=")
        if not found:
            raise ConfigError(f"--set {word} has no value; write it as KEY=VALUE, e.g. --set pooling=average")
        settings[key.strip()] = value.strip()
    return settings


def _print_run(run: Run) -> None:
    """How well a finished run reads."""
    metrics = run.metrics
    if run.config["execution"]["backend"] != "tensorflow":
        say(run.config["export"])
    say(
        f"{metrics['misses']:,} of {metrics['n']:,} test images misread; fitted in {metrics['fit_seconds']:.1f} s "
        f"({metrics['images_per_second']:,.0f} images/s); report: {run.folder / 'report.html'}"
    )
    if metrics["test_loss"] > math.log(10):
        note("the loss is above that of guessing (2.30), so the training diverged; try a lower learning_rate")
    say(f"Test loss: {metrics['test_loss']:.4f}")
    say(f"Test accuracy: {metrics['test_accuracy']:.4f}")


@app.command()
def sweep(
    set_: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="KEY=VALUE,VALUE", help="A setting and its values; repeatable. filters=8 means 8:16."
        ),
    ],
    recipe: Annotated[str, typer.Option(help="The recipe to vary.")] = "classic",
    seeds: Annotated[int, typer.Option(help="Trainings of each combination, each with its own seed.", min=1)] = 5,
    epochs: EpochsOption = None,
    data: DataOption = "mnist",
    out: Annotated[Path, typer.Option(help="The folder; trainings already in it are not repeated.")] = Path("sweep"),
) -> None:
    """Train every combination of some settings with several seeds.

    Measures on training images that are set aside, never on the test images. You can stop it and start it again.
    """
    from digitscope.experiments.grid import grid, settings_of

    settings = settings_of(set_)
    grid(recipe, settings)  # refuses a wrong setting before Keras takes seconds to start
    dataset = load_data(data)
    from digitscope.experiments.sweep import sweep as run_sweep

    with progress_bar() as progress:
        found = run_sweep(recipe, settings, seeds, out=out, data=dataset, epochs=epochs, progress=progress)
    say(f"Trained: the {found.subject}, on {found.data}.")
    table(*found.table())
    say(f"Accuracy on {found.measured_on}.")
    say(found.conclusion)
    if found.command:
        say(f"To train the best point: {found.command}")
    say(f"The figure is {out / 'sweep.png'}, the table {out / 'sweep.csv'}")


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(help="The folder that holds run folders.")] = Path("runs"),
    sort: Annotated[str, typer.Option(help="The column to sort by, e.g. accuracy, seconds, name.")] = "date",
    reverse: Annotated[bool, typer.Option("--reverse", help="Sort in the opposite order.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print everything as one JSON list.")] = False,
) -> None:
    """List the runs in a folder.

    Shows what was trained, how well it reads, and whether it is finished.
    """
    from digitscope.experiments.runs import COLUMNS, runs_in, sorted_runs

    usual = folder == Path("runs") and not folder.exists()
    found = sorted_runs([] if usual else runs_in(folder), sort, reverse)
    if json_:
        say(json.dumps([run.to_dict() for run in found], indent=2))
        return
    if not found:
        is_sweep = (folder / "sweep.md").exists()
        hint = (
            f"it contains a sweep, with its table in {folder / 'sweep.md'}"
            if is_sweep
            else "digitscope train makes one"
        )
        say(f"no run in {folder}; {hint}")
        return
    table(list(COLUMNS), [run.row() for run in found])
    for run in found:
        if run.trouble:
            say(f"{run.row()[0]}: {run.trouble}")


@app.command()
def compare(
    a: ModelArgument,
    b: Annotated[str, typer.Argument(help="The model to compare it with.")],
    data: DataOption = "mnist",
    out: Annotated[
        Path | None,
        typer.Option(help="Also write figures to this folder: the images on which they differ, and learning curves."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
) -> None:
    """Compare two models on the same test images.

    Shows where each of them is right, and whether chance alone explains the difference.
    """
    from digitscope.experiments.compare import ABOUT, without_curve, write_comparison
    from digitscope.experiments.compare import compare as compared

    found = compared(load_model(a), load_model(b), load_data(data))
    for sentence in found.notes:
        note(sentence)
    paths = [] if out is None else write_comparison(found, out)
    if json_:
        say(json.dumps(found.to_dict(), indent=2))
        return
    table(*found.scores())
    table(*found.table())
    if found.differences:
        table(*found.examples())
    say(f"{found.conclusion}\n{ABOUT}")
    if out is not None:
        say(f"{len(paths)} files in {out}; start with {out / 'differences.png'}")
        if missing := without_curve(found):
            say(f"no learning curves: they need two run folders, unlike {' and '.join(missing)}")
