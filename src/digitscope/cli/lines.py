"""The commands about lines of numbers: train the network that reads them, and write synthetic ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from digitscope.cli.terminal import app, note_new_name, progress_bar, refuse_other_options, say
from digitscope.errors import ConfigError
from digitscope.formatting import percent

READER_FOLDER = Path("runs/reader")
"""Where ``train-reader`` puts the line reader unless told otherwise."""


@app.command()
def train_reader(
    lines: Annotated[
        int | None, typer.Option(help="Lines to train on; default as many as the shipped network saw.", min=0)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the first weights and of the lines.")] = 0,
    out: Annotated[Path, typer.Option(help="The folder; an unfinished training in it is continued.")] = READER_FOLDER,
    unipen: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            envvar="DIGITSCOPE_UNIPEN",
            help="Recorded pens, as docs/data.md describes; their writers then write half of the lines.",
        ),
    ] = None,
    corrections: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Real lines with their texts, as digitscope review exports them; a tenth of all."
        ),
    ] = None,
) -> None:
    """Train the network that reads lines of numbers.

    It learns from synthetic lines, which takes hours. Ctrl-C stops it early and keeps what it has learned.
    """
    _train_reader(lines, seed, out, unipen, corrections)


def train_as_recipe(ctx: typer.Context, settings: Mapping[str, str], seed: int, out: Path | None) -> None:
    """Do what ``train --recipe reader`` did in version 0.1."""
    refuse_other_options(ctx, ("--recipe", "--set", "--seed", "--out"), "the recipe reader")
    lines = _number_of_lines(settings)
    _train_reader(lines, seed, out or READER_FOLDER, old_spelling=True)


def _train_reader(
    lines: int | None,
    seed: int,
    out: Path,
    trajectories: Path | None = None,
    corrections: Path | None = None,
    old_spelling: bool = False,
) -> None:
    if trajectories is not None:
        from digitscope.datasets.trajectories import trajectories_folder

        trajectories_folder(trajectories)  # says what is missing before Keras takes seconds to start
    if corrections is not None:
        from digitscope.datasets.line_folder import LineFolder

        LineFolder(corrections)  # as above
    from digitscope.datasets.synthetic.glyphs import check_fonts

    check_fonts()
    if old_spelling:
        note_new_name("train --recipe reader", "digitscope train-reader")
    from digitscope.training.line_fit import LINES
    from digitscope.training.line_fit import train_reader as train_line_network

    with progress_bar() as progress:
        run = train_line_network(
            LINES if lines is None else lines, out=out, seed=seed, trajectories=trajectories, corrections=corrections,
            progress=progress,
        )  # fmt: skip
    say(
        f"{run.lines:,} lines in {run.seconds / 60:.0f} minutes; {percent(run.accuracy, 1)} of unseen synthetic lines "
        "read correctly"
    )
    if run.unseen_writers is not None:
        say(f"{percent(run.unseen_writers, 1)} of lines by recorded writers that it never saw read correctly")
    say(f"digitscope read --engine {run.folder / 'reader.onnx'} reads with it")


def _number_of_lines(settings: Mapping[str, str]) -> int | None:
    """The number of lines in the settings of ``train --recipe reader``; None if it is not among them."""
    unknown = ", ".join(key for key in settings if key != "lines")
    if unknown:
        raise ConfigError(f"the recipe reader has no setting {unknown}; it has lines")
    text = settings.get("lines")
    if text is not None and not text.isdecimal():
        raise ConfigError(f"lines={text} is not a whole number; give the number of lines to train on")
    return None if text is None else int(text)


@app.command()
def synth(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the images and labels.csv.")],
    count: Annotated[int, typer.Option(help="Number of lines.", min=1, max=1_000_000)] = 100,
    seed: Annotated[int, typer.Option(help="Seed; the same seed gives the same lines.", min=0)] = 0,
) -> None:
    """Write synthetic lines of handwriting with their labels.

    train-reader learns from such lines; look at them, or train something else on them.
    """
    from digitscope.datasets.synthetic.lines import write_samples

    with progress_bar() as progress:
        write_samples(out, count, seed, progress=progress)
    say(f"{count:,} lines in {out}; their texts are in {out / 'labels.csv'}")
