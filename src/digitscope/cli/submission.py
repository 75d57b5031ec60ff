"""The command that answers a table of pixels or a folder of images as Kaggle takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitscope.cli.terminal import ModelOption, app, load_model, note_new_name, progress_bar, refuse_other_options, say
from digitscope.errors import ConfigError

SUBMISSION = Path("submission.csv")


@app.command()
def submit(
    images: Annotated[str, typer.Argument(help="A table of pixels such as Kaggle's test.csv, or a folder of images.")],
    model: ModelOption = "robust",
    out: Annotated[Path, typer.Option("--out", "-o", help="The CSV file to write.")] = SUBMISSION,
) -> None:
    """Write a submission for Kaggle's Digit Recognizer.

    Reads each image as one digit and writes ImageId,Label, counted from 1.
    """
    from digitscope.datasets.load import load_unlabelled
    from digitscope.datasets.submission import check_submission_path, write_submission

    if images == "-":
        raise ConfigError("submit does not read the standard input; give the test.csv")
    opened = load_model(model)
    with progress_bar() as progress:
        pixels = load_unlabelled(images, progress)
    check_submission_path(out)
    write_submission(out, opened.predict(pixels).argmax(axis=1))
    say(f"{len(pixels):,} answers in {out}")


def submit_as_read(ctx: typer.Context, paths: list[str], model: str, out: Path | None) -> None:
    """``read --format kaggle``, the former name of ``submit``; it works until the next version."""
    refuse_other_options(ctx, ("--format", "--model", "--out"), "--format kaggle")
    if len(paths) != 1:
        raise ConfigError(f"--format kaggle takes one table or folder, not {len(paths)}; give the test.csv")
    submit(paths[0], model, out or SUBMISSION)
    note_new_name("read --format kaggle", "digitscope submit")
