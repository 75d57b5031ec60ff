"""The command that reads: images, scans and PDFs in, numbers out."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitscope.cli.terminal import ModelOption, app, load_model, progress_bar, stop
from digitscope.errors import ConfigError, first_line

if TYPE_CHECKING:
    from digitscope.io.document import Scan
    from digitscope.io.elements import Page
    from digitscope.reading.batch import Form


class Format(enum.StrEnum):
    """How ``read`` prints."""

    text = "text"
    jsonl = "jsonl"
    csv = "csv"
    kaggle = "kaggle"


class Rotation(enum.StrEnum):
    """Quarter turns, or to find out."""

    auto = "auto"
    none = "0"
    left = "90"
    half = "180"
    right = "270"


@app.command()
def read(
    paths: Annotated[
        list[str], typer.Argument(help="Images, TIFFs, PDFs, folders of them, patterns; - for the standard input.")
    ],
    single: Annotated[bool, typer.Option("--single", help="Each picture holds one digit.")] = False,
    format_: Annotated[
        Format, typer.Option("--format", help="How to print; kaggle writes a submission for a table of pixels.")
    ] = Format.text,
    separators: Annotated[
        bool, typer.Option("--separators", help="Text as it is written: with points, commas, dashes and blanks.")
    ] = False,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write every page there with boxes around what was read.")
    ] = None,
    min_confidence: Annotated[
        float | None, typer.Option(metavar="P", help="Refuse what is less sure, 0 to 1; default what was measured.")
    ] = None,
    length: Annotated[int | None, typer.Option(help="Digits of every number, where that is known.")] = None,
    pattern: Annotated[str | None, typer.Option(help="Form of every number, # for a digit: '#####-####'.")] = None,
    max_value: Annotated[int | None, typer.Option(help="The largest number that may be meant.")] = None,
    rotate: Annotated[Rotation, typer.Option(help="Degrees to turn the pages counter-clockwise.")] = Rotation.auto,
    engine: Annotated[str, typer.Option(help="own; ocr (needs the extra); or an .onnx file of your own.")] = "own",
    model: ModelOption = "robust",
    out: Annotated[Path | None, typer.Option(help="Write .jsonl or .csv there instead of printing.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the file in --out.")] = False,
) -> None:
    """Read handwritten numbers off images, scans and PDFs.

    Prints each number and how sure it is, or why it refuses. A bad file is named and does not stop the others.
    """
    if format_ is Format.kaggle:
        others = {
            "--single": single, "--separators": separators, "--annotate": annotate is not None,
            "--min-confidence": min_confidence is not None, "--length": length is not None,
            "--pattern": pattern is not None, "--max-value": max_value is not None,
            "--rotate": rotate is not Rotation.auto, "--engine": engine != "own", "--resume": resume,
        }  # fmt: skip
        _write_submission(
            paths, model, out or Path("submission.csv"), [name for name, given in others.items() if given]
        )
        return
    from digitscope.io.paths import files_of
    from digitscope.preprocessing.ink import LONGEST as DIGIT_LONGEST
    from digitscope.reading.batch import Results, read_files
    from digitscope.reading.ctc import Constraint
    from digitscope.reading.page import LONGEST
    from digitscope.reading.reader import Reader

    files = files_of(paths)
    if all(file.lower().endswith(".csv") for file in files):
        raise ConfigError(f"{files[0]} is a table by its name; --format kaggle reads tables of pixels")
    form = _results_form(format_, out, resume)
    constraint = Constraint.of(length, pattern, max_value)
    if single and (constraint is not None or rotate is not Rotation.auto or engine != "own"):
        raise ConfigError("--single reads one digit; leave out --length, --pattern, --max-value, --rotate and --engine")
    if model != "robust" and not single:
        raise ConfigError("--model reads single digits; give --single with it, or choose what reads lines by --engine")
    if separators and (form is not None or format_ is not Format.text):
        raise ConfigError("--separators is for printed text; leave it out, every record has both: text and written")
    reader = Reader(load_model(model) if single else model, engine, min_confidence)
    degrees = None if rotate is Rotation.auto else int(rotate)

    def read_page(scan: Scan) -> Page:
        return reader.scan(scan, single=single, rotate=degrees, constraint=constraint)

    undrawn: list[str] = []
    read_one = read_page if annotate is None else _drawing(read_page, files, annotate, undrawn)
    failed = 0
    longest = DIGIT_LONGEST if single else LONGEST
    if out is None or form is None:
        for number, pages in enumerate(read_files(files, read_one, longest)):
            failed += any(page.error is not None for page in pages)
            typer.echo(_rows(pages, format_, separators, number == 0), nl=False)
    else:
        with Results(out, form, resume) as results, progress_bar() as progress:
            for pages in read_files(files, read_one, longest, results.done, progress):
                failed += any(page.error is not None for page in pages)
                results.add(pages)
        typer.echo(f"{len(files):,} files in {out}" + (f", {len(results.done):,} before" if results.done else ""))
    said = []
    if failed:
        said.append(f"{failed:,} of {len(files):,} files could not be used in full; the reasons stand beside them")
    if undrawn:
        said.append(f"pages that were read but not drawn: {len(undrawn):,}, the first {undrawn[0]}")
    if said:
        stop("; ".join(said), 2)


def _drawing(
    read: Callable[[Scan], Page], files: list[str], folder: Path, undrawn: list[str]
) -> Callable[[Scan], Page]:
    """The same reading, which also writes each page into a folder with boxes around what was read.

    ``undrawn`` gets the pages for which that failed, and why.
    """
    from digitscope.formatting import file_name
    from digitscope.io.annotate import check_drawing_place, drawing_names, write_annotated

    check_drawing_place(folder)
    names = drawing_names([file_name(file) for file in files])

    def read_and_draw(scan: Scan) -> Page:
        page = read(scan)
        try:
            if scan.picture is not None:
                write_annotated(page, scan.picture.pixels, folder, names[scan.file])
        except Exception as error:  # what was read is worth more than its drawing
            undrawn.append(f"{scan.file} page {scan.page} ({type(error).__name__}: {first_line(error)})")
        return page

    return read_and_draw


def _write_submission(paths: list[str], model: str, out: Path, others: list[str]) -> None:
    """Read every row of a table of pixels, or every image of a folder, as a digit; ``ImageId,Label`` for Kaggle.

    ``others`` are the options that were given and mean nothing here.
    """
    from digitscope.datasets.load import load_unlabelled
    from digitscope.datasets.table import check_submission_place, write_submission

    if others:
        raise ConfigError(f"{', '.join(others)} cannot be given with --format kaggle; it takes --model and --out")
    if len(paths) != 1:
        raise ConfigError(f"--format kaggle takes one table or folder, not {len(paths)}; give the test.csv")
    if paths[0] == "-":
        raise ConfigError("--format kaggle does not read the standard input; give the test.csv")
    opened = load_model(model)
    with progress_bar() as progress:
        images = load_unlabelled(paths[0], progress)
    check_submission_place(out)
    write_submission(out, opened.predict(images).argmax(axis=1))
    typer.echo(f"{len(images):,} answers in {out}")


def _results_form(format_: Format, out: Path | None, resume: bool) -> Form | None:
    """The form of the results file, told by ``--format`` or its name; None where there is none."""
    if out is None:
        if resume:
            raise ConfigError("--resume needs the file to go on with; name it with --out results.jsonl")
        return None
    if format_ is Format.text:
        return "csv" if out.suffix.lower() == ".csv" else "jsonl"
    return "csv" if format_ is Format.csv else "jsonl"


def _rows(pages: list[Page], format_: Format, separators: bool, first: bool) -> str:
    """The pages of a file as they are printed."""
    from digitscope.io.exporters import CSV_HEAD, csv_rows, json_rows, text_rows

    if format_ is Format.jsonl:
        return json_rows(pages)
    if format_ is Format.csv:
        return (CSV_HEAD if first else "") + csv_rows(pages)
    return text_rows(pages, separators)
