"""The command that reads images, scans and PDFs and prints or stores their numbers."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitscope.cli.terminal import ModelOption, app, load_model, progress_bar, stop
from digitscope.errors import ConfigError, first_line
from digitscope.formatting import counted, file_name

if TYPE_CHECKING:
    from digitscope.io.page import Page
    from digitscope.reading.batch import Form


class Format(enum.StrEnum):
    """The formats that ``read`` prints."""

    text = "text"
    jsonl = "jsonl"
    csv = "csv"
    kaggle = "kaggle"


class Rotation(enum.StrEnum):
    """Degrees by which pages are turned, or ``auto``."""

    auto = "auto"
    none = "0"
    left = "90"
    half = "180"
    right = "270"


PathsArgument = Annotated[
    list[str], typer.Argument(help="Images, TIFFs, PDFs, folders of them, patterns; - for the standard input.")
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="How to print; kaggle is the former name of digitscope submit.")
]
SeparatorsOption = Annotated[
    bool, typer.Option("--separators", help="Print numbers as written: with points, commas, dashes and blanks.")
]
AnnotateOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write every page there with boxes around what was read.")
]
ConfidenceOption = Annotated[
    float | None,
    typer.Option(metavar="P", help="Refuse answers less certain than this, 0 to 1; the default was measured."),
]


@app.command()
def read(
    ctx: typer.Context,
    paths: PathsArgument,
    single: Annotated[bool, typer.Option("--single", help="Each picture holds one digit.")] = False,
    format_: FormatOption = Format.text,
    separators: SeparatorsOption = False,
    annotate: AnnotateOption = None,
    min_confidence: ConfidenceOption = None,
    length: Annotated[int | None, typer.Option(help="Number of digits of every number, if known.")] = None,
    pattern: Annotated[str | None, typer.Option(help="Form of every number, # for a digit: '#####-####'.")] = None,
    max_value: Annotated[int | None, typer.Option(help="The largest value that a number may have.")] = None,
    rotate: Annotated[Rotation, typer.Option(help="Degrees to turn the pages counter-clockwise.")] = Rotation.auto,
    engine: Annotated[str, typer.Option(help="auto; own; ocr (needs the extra); or an .onnx file.")] = "auto",
    model: ModelOption = "reader-digit",
    out: Annotated[Path | None, typer.Option(help="Write .jsonl or .csv there instead of printing.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the file in --out.")] = False,
) -> None:
    """Read handwritten numbers in images, scans and PDFs.

    Prints each number with its confidence, or why it is refused. A bad file is named and does not stop the others.
    """
    if format_ is Format.kaggle:
        from digitscope.cli.submission import submit_as_read

        submit_as_read(ctx, paths, model, out)
        return
    from digitscope.reading.batch import read_files
    from digitscope.reading.constraint import Constraint
    from digitscope.reading.reader import Reader

    files = _files(paths)
    form = _results_form(format_, out, resume, separators)
    constraint = Constraint.of(length, pattern, max_value)
    _check_kind(single, model, engine != "auto" or rotate is not Rotation.auto or constraint is not None)
    reader = Reader(load_model(model) if single else model, engine, min_confidence)
    degrees = None if rotate is Rotation.auto else int(rotate)
    read_file = partial(
        reader.read_file, single=single, rotate=degrees, length=length, pattern=pattern, max_value=max_value
    )
    drawings = None if annotate is None else _Drawings(annotate, files)
    read_all = partial(read_files, files, read_file, on_page=None if drawings is None else drawings.add)
    if out is None or form is None:
        failed = _print(read_all(), format_, separators)
    else:
        failed = _store(read_all, len(files), out, form, resume)
    _stop_if(failed, len(files), [] if drawings is None else drawings.failed)


def _files(paths: Sequence[str]) -> list[str]:
    """The files to read."""
    from digitscope.io.paths import files_of

    files = files_of(paths)
    if all(file.lower().endswith(".csv") for file in files):
        raise ConfigError(f"{files[0]} is a table by its name; digitscope submit reads tables of pixels")
    return files


def _results_form(format_: Format, out: Path | None, resume: bool, separators: bool) -> Form | None:
    """The form of the results file, from ``--format`` or its name; None if there is no such file."""
    if separators and (out is not None or format_ is not Format.text):
        raise ConfigError("--separators is for printed text; leave it out, every record has both: text and written")
    if out is None:
        if resume:
            raise ConfigError("--resume needs the file to continue; name it with --out results.jsonl")
        return None
    if format_ is Format.text:
        return "csv" if out.suffix.lower() == ".csv" else "jsonl"
    return "csv" if format_ is Format.csv else "jsonl"


def _check_kind(single: bool, model: str, for_lines: bool) -> None:
    """Refuse options for lines where single digits are read, and the other way round."""
    if single and for_lines:
        raise ConfigError("--single reads one digit; leave out --length, --pattern, --max-value, --rotate and --engine")
    if model != "reader-digit" and not single:
        raise ConfigError("--model reads single digits; give --single with it, or choose what reads lines by --engine")


class _Drawings:
    """A folder of pages with boxes around what was read; one that cannot be drawn does not stop the others."""

    def __init__(self, folder: Path, files: Sequence[str]) -> None:
        from digitscope.io.annotated_files import annotated_names, check_annotated_folder

        check_annotated_folder(folder)
        self._folder, self._names = folder, annotated_names([file_name(file) for file in files])
        self.failed: list[str] = []

    def add(self, page: Page) -> None:
        """Draw a page; if that fails, ``failed`` says where and why."""
        from digitscope.io.annotated_files import write_annotated

        try:
            if page.pixels is not None:
                write_annotated(page, page.pixels, self._folder, self._names[page.file])
        except Exception as error:  # what was read is worth more than its drawing
            self.failed.append(f"{page.file} page {page.page} ({type(error).__name__}: {first_line(error)})")


def _print(batches: Iterable[list[Page]], format_: Format, separators: bool) -> int:
    """Print the pages file by file; returns how many files had an error."""
    from digitscope.io.exporters import CSV_HEAD, csv_rows, json_rows, text_rows

    failed = 0
    for number, pages in enumerate(batches):
        failed += _has_error(pages)
        if format_ is Format.jsonl:
            rows = json_rows(pages)
        elif format_ is Format.csv:
            rows = (CSV_HEAD if number == 0 else "") + csv_rows(pages)
        else:
            rows = text_rows(pages, separators)
        typer.echo(rows, nl=False)
    return failed


def _store(read_all: Callable[..., Iterable[list[Page]]], files: int, out: Path, form: Form, resume: bool) -> int:
    """Write the pages to a results file; returns how many of the files read now had an error."""
    from digitscope.reading.batch import Results

    with Results(out, form, resume) as results, progress_bar() as progress:
        failed = 0
        for pages in read_all(done=results.done, progress=progress):
            failed += _has_error(pages)
            results.add(pages)
    before = f", {len(results.done):,} of them from before" if results.done else ""
    typer.echo(f"{counted(files, 'file')} in {out}{before}")
    return failed


def _has_error(pages: Sequence[Page]) -> bool:
    return any(page.error is not None for page in pages)


def _stop_if(failed: int, files: int, undrawn: Sequence[str]) -> None:
    """End with exit code 2 if pages could not be read or drawn."""
    said = []
    if failed:
        said.append(f"{failed:,} of {counted(files, 'file')} could not be read in full; each has its reason beside it")
    if undrawn:
        said.append(f"{counted(len(undrawn), 'page')} read but not annotated; first: {undrawn[0]}")
    if said:
        stop("; ".join(said), 2)
