"""The commands that train: one network, many, and what became of them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import typer

from digitscope.cli.terminal import DataOption, ModelArgument, app, load_data, load_model, progress_bar, table
from digitscope.errors import ConfigError
from digitscope.quiet import import_keras


@app.command()
def train(
    recipe: Annotated[
        str,
        typer.Option(
            help="seed, fast, classic, robust or strong; or reader, the network that reads lines (about an hour)."
        ),
    ] = "classic",
    data: DataOption = "mnist",
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images, instead of the recipe's.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the first weights, the order of the images and the augmentation.")] = 0,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Another value of the recipe; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; default runs/RECIPE-SEED-DATE.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a finished run in that folder.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out after its last finished epoch.")
    ] = False,
    page: Annotated[bool, typer.Option("--page", help="Write lens.html too: draw a digit and follow it.")] = False,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write loss, accuracy and learning rate there for TensorBoard.")
    ] = None,
    devices: Annotated[
        int, typer.Option(help="Share every batch among so many devices, e.g. graphics cards; needs KERAS_BACKEND=jax.")
    ] = 1,
) -> None:
    """Train a network and report how it reads.

    Measures it on the test images and leaves a run folder with model, metrics, figures and report.html.
    """
    settings = {}
    for item in set_ or []:
        key, found, value = item.partition("=")
        if not found:
            raise ConfigError(f"--set {item} has no value; write it as KEY=VALUE, e.g. --set pooling=average")
        settings[key.strip()] = value.strip()
    if recipe == "reader":
        others = {
            "--data": data != "mnist", "--epochs": epochs is not None, "--overwrite": overwrite, "--resume": resume,
            "--page": page, "--tensorboard": tensorboard is not None, "--devices": devices != 1,
        }  # fmt: skip
        if any(others.values()):
            named = ", ".join(option for option, given in others.items() if given)
            raise ConfigError(f"{named} cannot be given with the recipe reader; it takes --set lines=N, --seed, --out")
        _train_reader(settings, seed, out)
        return
    from digitscope.training.recipes import recipe_of

    recipe_of(recipe, settings)  # what does not fit is said before Keras takes its seconds to start
    dataset = load_data(data)
    import_keras()
    from digitscope.experiments.run import Run
    from digitscope.experiments.run import train as train_run

    finished = resume and out is not None and Run(out).finished
    with progress_bar() as progress:
        run = train_run(
            recipe,
            data=dataset,
            epochs=epochs,
            seed=seed,
            settings=settings,
            out=out,
            overwrite=overwrite,
            resume=resume,
            page=page,
            tensorboard=tensorboard,
            devices=devices,
            progress=progress,
        )
    metrics = run.metrics
    if finished:
        typer.echo(f"{out} has finished; there is nothing to go on with")
    if run.config["execution"]["backend"] != "tensorflow":
        typer.echo(run.config["export"])
    typer.echo(
        f"{metrics['misses']:,} of {metrics['n']:,} test images missed; fitted in {metrics['fit_seconds']:.1f} s "
        f"({metrics['images_per_second']:,.0f} images/s); report: {run.folder / 'report.html'}"
    )
    if metrics["test_loss"] > math.log(10):
        typer.echo(
            "note: the loss is above that of guessing (2.30), so the training has run away; try a lower learning_rate",
            err=True,
        )
    typer.echo(f"Test loss: {metrics['test_loss']:.4f}")
    typer.echo(f"Test accuracy: {metrics['test_accuracy']:.4f}")


def _train_reader(settings: dict[str, str], seed: int, out: Path | None) -> None:
    """Train the network that reads lines; a folder that holds an unfinished training of it is gone on with."""
    unknown = ", ".join(key for key in settings if key != "lines")
    if unknown:
        raise ConfigError(f"the recipe reader has no setting {unknown}; it has lines")
    if not settings.get("lines", "1").isdecimal():
        raise ConfigError(f"lines={settings['lines']} is no whole number; give the lines to train on")
    from digitscope.datasets.synthetic.glyphs import check_fonts

    check_fonts()
    import_keras()
    from digitscope.training.line_fit import LINES, train_reader

    with progress_bar() as progress:
        run = train_reader(
            int(settings.get("lines", LINES)), out=out or Path("runs/reader"), seed=seed, progress=progress
        )
    typer.echo(
        f"{run.lines:,} lines in {run.seconds / 60:.0f} minutes; {run.accuracy:.1%} of unseen made-up lines right"
    )
    typer.echo(f"digitscope read --engine {run.folder / 'reader.onnx'} reads with it")


@app.command()
def synth(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the pictures and labels.csv.")],
    count: Annotated[int, typer.Option(help="How many lines.", min=1, max=1_000_000)] = 100,
    seed: Annotated[int, typer.Option(help="The same seed, the same lines.", min=0)] = 0,
) -> None:
    """Write made-up lines of handwriting, as the line reader learns from them.

    Pictures and their truth, to look at or to train something else on.
    """
    from digitscope.datasets.synthetic.lines import write_samples

    with progress_bar() as progress:
        write_samples(out, count, seed, progress=progress)
    typer.echo(f"{count:,} lines in {out}; what they say is in {out / 'labels.csv'}")


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(help="The folder that holds run folders.")] = Path("runs"),
    sort: Annotated[str, typer.Option(help="A column, e.g. accuracy, seconds, name.")] = "date",
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print everything as one JSON list.")] = False,
) -> None:
    """List the trainings in a folder.

    What was trained, how well it reads, and whether it is finished.
    """
    from digitscope.experiments.runs import COLUMNS, runs_in, sorted_runs

    usual = folder == Path("runs") and not folder.exists()
    found = sorted_runs([] if usual else runs_in(folder), sort, reverse)
    if json_:
        typer.echo(json.dumps([run.to_dict() for run in found], indent=2))
        return
    if not found:
        is_sweep = (folder / "sweep.md").exists()
        hint = f"it holds a sweep, whose table is {folder / 'sweep.md'}" if is_sweep else "digitscope train leaves one"
        typer.echo(f"no run in {folder}; {hint}")
        return
    table(list(COLUMNS), [run.row() for run in found])
    for run in found:
        if run.trouble:
            typer.echo(f"{run.row()[0]}: {run.trouble}")


@app.command()
def compare(
    a: ModelArgument,
    b: Annotated[str, typer.Argument(help="The same.")],
    data: DataOption = "mnist",
    out: Annotated[Path | None, typer.Option(help="Where the images on which they differ and the curves go.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
) -> None:
    """Compare two models on the same test images.

    Which is right where, and whether chance alone would explain the difference.
    """
    from digitscope.experiments.compare import ABOUT, without_curve, write_comparison
    from digitscope.experiments.compare import compare as compared

    found = compared(load_model(a), load_model(b), load_data(data))
    for note in found.notes:
        typer.echo(f"digitscope: note: {note}", err=True)
    paths = [] if out is None else write_comparison(found, out)
    if json_:
        typer.echo(json.dumps(found.to_dict(), indent=2))
        return
    table(*found.scores())
    table(*found.table())
    if found.differences:
        table(*found.examples())
    typer.echo(found.conclusion)
    typer.echo(ABOUT)
    if out is not None:
        typer.echo(f"{len(paths)} files in {out}; begin with {out / 'differences.png'}")
        if missing := without_curve(found):
            typer.echo(f"no learning curves, which need two run folders: {' and '.join(missing)} is none")


@app.command()
def sweep(
    set_: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="KEY=VALUE,VALUE", help="A setting and its values; repeatable. filters=8 is 8:16."
        ),
    ],
    recipe: Annotated[str, typer.Option(help="What is varied: a recipe's name.")] = "classic",
    seeds: Annotated[int, typer.Option(help="Trainings of each point.", min=1)] = 5,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images, instead of the recipe's.")
    ] = None,
    data: DataOption = "mnist",
    out: Annotated[Path, typer.Option(help="The folder; what it holds is not trained again.")] = Path("sweep"),
) -> None:
    """Train every combination of some settings with several seeds.

    Measured on training images that are set aside, never on the test images. Stop it and start it again as you like.
    """
    from digitscope.experiments.grid import grid, settings_of

    settings = settings_of(set_)
    grid(recipe, settings)  # what does not fit is said before Keras takes its seconds to start
    dataset = load_data(data)
    import_keras()
    from digitscope.experiments.sweep import sweep as run_sweep

    with progress_bar() as progress:
        found = run_sweep(recipe, settings, seeds, out=out, data=dataset, epochs=epochs, progress=progress)
    typer.echo(f"Trained: the {found.subject}, on {found.data}.")
    table(*found.table())
    typer.echo(f"Accuracy on {found.measured_on}.")
    typer.echo(found.conclusion)
    if found.command:
        typer.echo(f"To train the best of it: {found.command}")
    typer.echo(f"The picture is {out / 'sweep.png'}, the table {out / 'sweep.csv'}")
