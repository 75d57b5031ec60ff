"""The commands that train: one network, many, and what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitscope.cli.terminal import (
    DataOption,
    ModelArgument,
    app,
    import_keras,
    load_data,
    load_model,
    progress_bar,
    table,
)
from digitscope.errors import ConfigError


@app.command()
def train(
    recipe: Annotated[
        str, typer.Option(help="seed, classic or robust; or reader, the network that reads lines (about an hour).")
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
        _train_reader(settings, seed, out)
        return
    from digitscope.recipes import recipe_of

    recipe_of(recipe, settings)  # what does not fit is said before Keras takes its seconds to start
    dataset = load_data(data)
    import_keras()
    from digitscope.training import Run
    from digitscope.training import train as train_run

    if resume and out is not None and Run(out).finished:
        typer.echo(f"{out} has finished; there is nothing to go on with")

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
            progress=progress,
        )
    metrics = run.metrics
    typer.echo(
        f"{metrics['misses']:,} of {metrics['n']:,} test images missed; fitted in {metrics['fit_seconds']:.1f} s "
        f"({metrics['images_per_second']:,.0f} images/s); report: {run.folder / 'report.html'}"
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
    from digitscope.glyphs import check_fonts

    check_fonts()
    import_keras()
    from digitscope.line_training import LINES, train_reader

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
    from digitscope.synth import write_samples

    with progress_bar() as progress:
        write_samples(out, count, seed, progress=progress)
    typer.echo(f"{count:,} lines in {out}; what they say is in {out / 'labels.csv'}")


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(help="The folder that holds run folders.")] = Path("runs"),
    sort: Annotated[str, typer.Option(help="A column, e.g. accuracy, seconds, name.")] = "date",
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
) -> None:
    """List the trainings in a folder.

    What was trained, how well it reads, and whether it is finished.
    """
    from digitscope.runs import COLUMNS, runs_in, sorted_runs

    found = sorted_runs(runs_in(folder), sort, reverse)
    if not found:
        typer.echo(f"no run in {folder}; digitscope train leaves one")
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
) -> None:
    """Compare two models on the same test images.

    Which is right where, and whether chance alone would explain the difference.
    """
    from digitscope.compare import ABOUT, write_comparison
    from digitscope.compare import compare as compared

    found = compared(load_model(a), load_model(b), load_data(data))
    table(*found.scores())
    table(*found.table())
    typer.echo(found.conclusion)
    typer.echo(ABOUT)
    if out is not None:
        paths = write_comparison(found, out)
        typer.echo(f"{len(paths)} files in {out}; begin with {out / 'differences.png'}")


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
    from digitscope.grid import grid, settings_of

    settings = settings_of(set_)
    grid(recipe, settings)  # what does not fit is said before Keras takes its seconds to start
    dataset = load_data(data)
    import_keras()
    from digitscope.sweep import sweep as run_sweep

    with progress_bar() as progress:
        found = run_sweep(recipe, settings, seeds, out=out, data=dataset, epochs=epochs, progress=progress)
    table(*found.table())
    typer.echo(f"Accuracy on {found.measured_on}.")
    typer.echo(found.conclusion)
    typer.echo(f"The picture is {out / 'sweep.png'}, the table {out / 'sweep.csv'}")
