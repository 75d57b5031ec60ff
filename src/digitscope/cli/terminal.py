"""What every command shares: the application, its options, the progress bar, tables and how it stops."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from digitscope.datasets import Dataset
    from digitscope.models import Model
    from digitscope.values import Progress


class Commands(TyperGroup):
    """All commands; one that is stopped by Ctrl-C ends with a sentence, which Typer would leave out."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            stop(str(error) or "stopped; what was finished is kept", 130)


app = typer.Typer(
    name="digitscope",
    cls=Commands,
    help="Train the network that reads handwritten digits, read real digits with it, and see exactly how it reads.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ModelOption = Annotated[str, typer.Option(help="A shipped model's name, a run folder, an .onnx or a .keras file.")]
ModelArgument = Annotated[str, typer.Argument(help="A shipped model's name, a run folder, an .onnx or a .keras file.")]
DataOption = Annotated[
    str, typer.Option(help="mnist; or your own: a folder of IDX files or of images by digit, an .npz or a .csv file.")
]


def stop(sentence: str, code: int) -> NoReturn:
    """Say why on stderr and end the process."""
    sys.stderr.write(f"digitscope: {sentence}\n")
    sys.exit(code)


def load_data(name: str) -> Dataset:
    """A dataset by name or path; what is odd about it is said on stderr."""
    from digitscope.datasets import load_dataset

    with progress_bar() as progress:
        dataset = load_dataset(name, progress)
    for warning in dataset.warnings:
        sys.stderr.write(f"digitscope: note: {warning}\n")
    return dataset


def load_model(model: str) -> Model:
    """A model by name or path; a ``.keras`` file brings Keras in, which must not clutter the terminal."""
    if model.endswith(".keras"):
        import_keras()
    from digitscope.models import load

    return load(model)


def import_keras() -> None:
    """Import Keras without the start-up lines that TensorFlow's C++ part writes to the terminal whatever one sets."""
    from digitscope.quiet import quiet

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet():
        import keras  # noqa: F401


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on stderr with what is done, how fast and how long it still takes."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[facts]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tasks: dict[str, Any] = {}
    begun: dict[str, tuple[float, int]] = {}

    def report(stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=total, facts="")
            begun[stage] = time.perf_counter(), done
        bar.update(tasks[stage], completed=done, total=total, facts=_facts(done, begun[stage], facts))

    with bar:
        yield report


def _facts(done: int, begun: tuple[float, int], facts: Mapping[str, float]) -> str:
    """Training facts as the few words beside the bar; ``begun`` is when and where the first report came."""
    words = []
    if "epoch" in facts:
        words.append(f"epoch {facts['epoch']:.0f}")
    words += [f"{key} {facts[key]:.4f}" for key in ("loss", "accuracy") if key in facts]
    if "epoch" in facts:
        rate = (done - begun[1]) / max(time.perf_counter() - begun[0], 1e-9)
        words.append(f"{rate:,.0f} images/s")
    return "  ".join(words)


def table(head: list[str], rows: list[list[str]]) -> None:
    """Print rows under a head, first column to the left, the others to the right, a blank line behind."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        typer.echo("  ".join(cells).rstrip())
    typer.echo()
