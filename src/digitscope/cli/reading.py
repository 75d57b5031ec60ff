"""The command that reads images, scans and PDFs and prints or stores their numbers."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitscope.cli.batch import ENDINGS, OnError, Tally, read_on_cluster, store
from digitscope.cli.review import BelowOption, ReviewOption, check_review, collecting, tell_review
from digitscope.cli.terminal import ModelOption, app, stop
from digitscope.errors import ConfigError, first_line
from digitscope.formatting import counted

if TYPE_CHECKING:
    from digitscope.io.page import Page
    from digitscope.io.sources import Sources
    from digitscope.reading.options import ReadOptions
    from digitscope.reading.results import Form


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
    list[str],
    typer.Argument(
        help="Images, TIFFs, PDFs, folders of them, patterns; .txt lists of paths; .csv or .parquet tables of paths, "
        ".parquet tables of bytes; - for the standard input."
    ),
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

LengthOption = Annotated[
    int | None, typer.Option(help="Number of digits of every number, if known; a line is then one.")
]
PatternOption = Annotated[
    str | None, typer.Option(help="Form of every number, # for a digit: '#####-####'; a line is then one.")
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Processes that read; by default, for more than a few files, one a core.")
]
OnErrorOption = Annotated[
    OnError, typer.Option(help="What is done with bad pages: record the reason, skip them, or stop at the first.")
]
RayOption = Annotated[
    str | None, typer.Option(metavar="local|ADDRESS", help="Read on a Ray cluster into --out results.parquet.")
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
    length: LengthOption = None,
    pattern: PatternOption = None,
    max_value: Annotated[int | None, typer.Option(help="The largest value that a number may have.")] = None,
    rotate: Annotated[Rotation, typer.Option(help="Degrees to turn the pages counter-clockwise.")] = Rotation.auto,
    engine: Annotated[str, typer.Option(help="auto; own; ocr (needs the extra); or an .onnx file.")] = "auto",
    model: ModelOption = "reader-digit",
    out: Annotated[Path | None, typer.Option(help="Write .jsonl, .csv or .parquet there, do not print.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the results in --out.")] = False,
    workers: WorkersOption = None,
    on_error: OnErrorOption = OnError.record,
    ray: RayOption = None,
    review: ReviewOption = None,
    review_below: BelowOption = None,
) -> None:
    """Read handwritten numbers in images, scans and PDFs.

    Prints each number with its confidence, or why it is refused. A bad file is named and does not stop the others.

    Exit code: 0 whatever is read, even if all of it is refused; 2 for a bad file or option; 130 after Ctrl-C.
    """
    if format_ is Format.kaggle:
        from digitscope.cli.submission import submit_as_read

        submit_as_read(ctx, paths, model, out)
        return
    from digitscope.io.sources import Sources
    from digitscope.reading.batch import read_files
    from digitscope.reading.options import ReadOptions

    form = _results_form(ctx, format_, out, resume, separators)
    degrees = None if rotate is Rotation.auto else int(rotate)
    options = ReadOptions(single, length, pattern, max_value, degrees, min_confidence, engine, model)
    _check_kind(options)
    _check_place(form, ray, workers, annotate)
    check_review(review, review_below, ray)
    options.check()
    sources = Sources(paths)
    if out is not None and ray is not None:
        read_on_cluster(paths, options, out, resume, ray, workers, on_error)
        return
    drawings = None if annotate is None else _Drawings(annotate, sources)
    read_all = partial(
        read_files, sources, collecting(options.open, review, review_below), chunk=options.chunk,
        workers=workers if drawings is None else 0, on_page=None if drawings is None else drawings.add,
    )  # fmt: skip
    if out is not None and form is not None:
        store(read_all, out, form, resume, on_error, options.record())
    else:
        _print(read_all(), format_, separators, on_error)
    tell_review(review)
    if drawings is not None:
        drawings.tell()


def _results_form(ctx: typer.Context, format_: Format, out: Path | None, resume: bool, separators: bool) -> Form | None:
    """The form of the results file, from ``--format`` or its name; None if there is no such file."""
    if separators and (out is not None or format_ is not Format.text):
        raise ConfigError("--separators is for printed text; leave it out, every record has both: text and written")
    if out is None:
        if resume:
            raise ConfigError("--resume needs the file to continue; name it with --out results.jsonl")
        return None
    _check_ending(ctx, format_, out)
    if format_ is Format.text:
        return ENDINGS.get(out.suffix.lower(), "jsonl")
    return "csv" if format_ is Format.csv else "jsonl"


def _check_ending(ctx: typer.Context, format_: Format, out: Path) -> None:
    """Refuse a format that contradicts the name of the results."""
    source = ctx.get_parameter_source("format_")
    if source is None or source.name != "COMMANDLINE":
        return
    if format_ is Format.text:
        raise ConfigError(f"--format text is printed; leave it out, the ending of {out} says what is written")
    if ENDINGS.get(out.suffix.lower(), format_.value) != format_.value:
        raise ConfigError(f"--format {format_.value} does not go with {out}; leave it out, or give another ending")


def _check_place(form: Form | None, ray: str | None, workers: int | None, annotate: Path | None) -> None:
    """Refuse a cluster or processes where there can be none."""
    if ray is not None and (form != "parquet" or annotate is not None):
        raise ConfigError("--ray writes a folder of Parquet files and no pages; give --out results.parquet")
    if annotate is not None and workers is not None:
        raise ConfigError("--annotate draws in the process that reads; leave out --workers")


def _check_kind(options: ReadOptions) -> None:
    """Refuse options for lines where single digits are read, and the other way round."""
    lines = (options.length, options.pattern, options.max_value, options.rotate)
    if options.single and (options.engine != "auto" or any(option is not None for option in lines)):
        raise ConfigError("--single reads one digit; leave out --length, --pattern, --max-value, --rotate and --engine")
    if options.model != "reader-digit" and not options.single:
        raise ConfigError("--model reads single digits; give --single with it, or choose what reads lines by --engine")


class _Drawings:
    """A folder of pages with boxes around what was read; one that cannot be drawn does not stop the others."""

    def __init__(self, folder: Path, sources: Sources) -> None:
        from digitscope.io.annotated_files import annotated_names, check_annotated_folder

        check_annotated_folder(folder)
        self._folder, self._names = folder, annotated_names([source.name for source in sources])
        self._failed: list[str] = []

    def add(self, page: Page) -> None:
        """Draw a page; if that fails, ``tell`` says where and why."""
        from digitscope.io.annotated_files import write_annotated

        try:
            if page.pixels is not None:
                write_annotated(page, page.pixels, self._folder, self._names[page.file])
        except Exception as error:  # what was read is worth more than its drawing
            self._failed.append(f"{page.file} page {page.page} ({type(error).__name__}: {first_line(error)})")

    def tell(self) -> None:
        """End the command if a page could not be drawn, and say which."""
        if self._failed:
            stop(f"{counted(len(self._failed), 'page')} read but not annotated; first: {self._failed[0]}", 2)


def _print(batches: Iterable[list[Page]], format_: Format, separators: bool, on_error: OnError) -> None:
    """Print the pages file by file."""
    from digitscope.io.exporters import CSV_HEAD, csv_rows, json_rows, text_rows

    tally = Tally(on_error)
    for number, pages in enumerate(map(tally.kept, batches)):
        if format_ is Format.jsonl:
            rows = json_rows(pages)
        elif format_ is Format.csv:
            rows = (CSV_HEAD if number == 0 else "") + csv_rows(pages)
        else:
            rows = text_rows(pages, separators)
        typer.echo(rows, nl=False)
    tally.tell()
