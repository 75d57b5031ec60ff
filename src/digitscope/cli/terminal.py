"""What the commands share: the application, common options, the progress bar, tables, and how to stop."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from digitscope.errors import ConfigError, printable

if TYPE_CHECKING:
    from digitscope.datasets.dataset import Dataset
    from digitscope.models.model import Model
    from digitscope.progress import Progress


class Commands(TyperGroup):
    """The group of all commands; Ctrl-C ends a command with a sentence, which Typer alone would not print."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
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

_MODEL = "Name of a shipped model, a run folder, or an .onnx or .keras file."
ModelOption = Annotated[str, typer.Option(help=_MODEL)]
ModelArgument = Annotated[str, typer.Argument(help=_MODEL)]
DataOption = Annotated[
    str,
    typer.Option(
        help="mnist, or your own: a folder of IDX files, a folder with one folder of images per digit, .npz or .csv; "
        "mnist+FOLDER trains on both."
    ),
]

SETTING = re.compile(r"\b(set|or) (resume|overwrite|out|tensorboard)\b")
"""How messages of the library name a setting that is an option of the same name here."""

WIDE = 110
"""Columns that a terminal needs to show loss and accuracy beside the progress bar."""


def stop(sentence: str, code: int) -> NoReturn:
    """Print a sentence on stderr and end the process; settings that it names become options, ``--resume``."""
    sentence = SETTING.sub(r"\1 --\2", sentence)
    sys.stderr.write(f"digitscope: {sentence}\n")
    sys.exit(code)


def say(text: str = "") -> None:
    """Print lines on stdout; control characters in them, which names of files may have, are not passed on."""
    typer.echo("\n".join(map(printable, text.split("\n"))))


def note(sentence: str) -> None:
    """Print a sentence on stderr that is not an error."""
    sys.stderr.write(f"digitscope: note: {printable(sentence)}\n")


def note_new_name(old: str, new: str) -> None:
    """Print that a spelling of version 0.1 has a new name."""
    note(f"{old} is now {new}; the old spelling will be removed in the next version")


def refuse_other_options(ctx: typer.Context, accepted: Collection[str], with_: str) -> None:
    """Check that only some of a command's options were given.

    Args:
        ctx: of the command.
        accepted: the options that may be given.
        with_: what the other options cannot be combined with, for the message.

    Raises:
        ConfigError: another option was given; the message names each of them.
    """
    options = [parameter for parameter in ctx.command.params if parameter.param_type_name == "option"]
    sources = {option.opts[0]: ctx.get_parameter_source(str(option.name)) for option in options}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    others = [name for name in given if name not in accepted]
    if others:
        raise ConfigError(f"{', '.join(others)} cannot be given with {with_}; it takes {', '.join(accepted)}")


def load_data(name: str) -> Dataset:
    """A dataset by name or path; its warnings are printed on stderr."""
    from digitscope.datasets.load import load_dataset

    with progress_bar() as progress:
        dataset = load_dataset(name, progress)
    for warning in dataset.warnings:
        note(warning)
    return dataset


def load_model(model: str) -> Model:
    """A model by name or path."""
    from digitscope.models.model import load

    return load(model)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on stderr: what is done, how fast, and the time left. It appears with the first report."""
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
    starts: dict[str, tuple[float, int]] = {}

    def report(stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        if stage not in tasks:
            starts[stage] = time.perf_counter(), done
            tasks[stage] = bar.add_task(stage, total=total or None, facts="")
            bar.start()
        start, before = starts[stage]
        seconds = time.perf_counter() - start
        words = _facts(facts, (done - before) / seconds if done > before else None, console.width < WIDE)
        bar.update(tasks[stage], completed=done, total=total or None, facts=words)

    try:
        yield report
    finally:
        if tasks:
            bar.stop()


def _facts(facts: Mapping[str, float], rate: float | None, short: bool) -> str:
    """The text beside the bar: epoch, loss, accuracy, and images per second once they are known."""
    words = [f"epoch {facts['epoch']:.0f}"] if "epoch" in facts else []
    if not short:
        words += [f"{key} {facts[key]:.4f}" for key in ("loss", "accuracy") if key in facts]
    if "epoch" in facts and rate is not None:
        words.append(f"{rate:,.0f} images/s")
    if "failed" in facts:
        words.append(f"{facts['failed']:.0f} bad")
    if "rate" in facts:
        words.append(f"{facts['rate']:,.0f} files/s")
    return "  ".join(words)


def table(head: list[str], rows: list[list[str]]) -> None:
    """Print rows under a head, then a blank line; words are aligned left, numbers right."""
    columns = [list(column) for column in zip(head, *rows, strict=True)]
    for column in columns:
        width = max(map(len, column))
        numbers = all(cell[:1].isdigit() or cell[:1] in "+-–.·" for cell in column[1:])
        column[:] = [cell.rjust(width) if numbers else cell.ljust(width) for cell in column]
    for cells in zip(*columns, strict=True):
        say("  ".join(cells).rstrip())
    say()
