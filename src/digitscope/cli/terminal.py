"""What every command shares: the application, its options, the progress bar, tables and how it stops."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from digitscope.quiet import import_keras

if TYPE_CHECKING:
    from digitscope.datasets.dataset import Dataset
    from digitscope.models.model import Model
    from digitscope.progress import Progress


class Commands(TyperGroup):
    """All commands; one that is stopped by Ctrl-C ends with a sentence, which Typer would leave out."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            stop(str(error) or "stopped", 130)


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

WIDE = 110
"""Columns of a terminal from which on loss and accuracy stand beside the progress bar as well."""


def stop(sentence: str, code: int) -> NoReturn:
    """Say why on stderr and end the process."""
    sys.stderr.write(f"digitscope: {sentence}\n")
    sys.exit(code)


def load_data(name: str) -> Dataset:
    """A dataset by name or path; what is odd about it is said on stderr."""
    from digitscope.datasets.load import load_dataset

    with progress_bar() as progress:
        dataset = load_dataset(name, progress)
    for warning in dataset.warnings:
        sys.stderr.write(f"digitscope: note: {warning}\n")
    return dataset


def load_model(model: str) -> Model:
    """A model by name or path; a ``.keras`` file brings Keras in, which must not clutter the terminal."""
    if model.endswith(".keras"):
        import_keras()
    from digitscope.models.model import load

    return load(model)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on stderr, from the first report on, with what is done, how fast and how long it still takes."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[facts]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )
    tasks: dict[str, Any] = {}
    begun: dict[str, tuple[float, int]] = {}

    def report(stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        if stage not in tasks:
            begun[stage] = time.perf_counter(), done
            tasks[stage] = bar.add_task(stage, total=total, facts="")
            bar.start()
        start, before = begun[stage]
        seconds = time.perf_counter() - start
        words = _facts(facts, (done - before) / seconds if done > before else None, console.width < WIDE)
        bar.update(tasks[stage], completed=done, total=total, facts=words)

    try:
        yield report
    finally:
        if tasks:
            bar.stop()


def _facts(facts: Mapping[str, float], rate: float | None, short: bool) -> str:
    """Training facts as the few words beside the bar, the rate in images per second once it is known."""
    words = [f"epoch {facts['epoch']:.0f}"] if "epoch" in facts else []
    if not short:
        words += [f"{key} {facts[key]:.4f}" for key in ("loss", "accuracy") if key in facts]
    if "epoch" in facts and rate is not None:
        words.append(f"{rate:,.0f} images/s")
    return "  ".join(words)


def table(head: list[str], rows: list[list[str]]) -> None:
    """Print rows under a head, words to the left and numbers to the right, a blank line behind."""
    columns = [list(column) for column in zip(head, *rows, strict=True)]
    for column in columns:
        width = max(map(len, column))
        numbers = all(cell[:1].isdigit() or cell[:1] in "+-–.·" for cell in column[1:])
        column[:] = [cell.rjust(width) if numbers else cell.ljust(width) for cell in column]
    for cells in zip(*columns, strict=True):
        typer.echo("  ".join(cells).rstrip())
    typer.echo()
