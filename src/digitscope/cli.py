"""The ``digitscope`` command: words in, a library function called, text out. Nothing is computed here.

Every command imports what it needs inside itself, so that ``--help`` and ``read`` start without Keras.
"""

from __future__ import annotations

import enum
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitscope.errors import ConfigError, DigitscopeError, MissingExtra

if TYPE_CHECKING:
    from digitscope.models import Model
    from digitscope.values import Page, Progress

app = typer.Typer(
    name="digitscope",
    help="Train the network that reads handwritten digits, read real digits with it, and see exactly how it reads.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ModelOption = Annotated[str, typer.Option(help="A shipped model's name, a run folder, an .onnx or a .keras file.")]
DataOption = Annotated[str, typer.Option(help="mnist, a folder with the four IDX files, or an .npz file.")]


class Format(enum.StrEnum):
    """How ``read`` prints."""

    text = "text"
    jsonl = "jsonl"
    csv = "csv"


def main() -> None:
    """Run the command line: an error in the input is one sentence on stderr and exit code 2."""
    try:
        app()
    except DigitscopeError as error:
        _stop(str(error), 2)
    except KeyboardInterrupt:
        _stop("stopped; what was finished is kept", 130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except ModuleNotFoundError as error:
        missing = MissingExtra.of(error)
        if missing is None:
            raise
        _stop(str(missing), 2)


def _stop(sentence: str, code: int) -> None:
    sys.stderr.write(f"digitscope: {sentence}\n")
    sys.exit(code)


def _print_version(asked: bool) -> None:
    if asked:
        from digitscope import __version__

        typer.echo(f"digitscope {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None: ...


@app.command()
def train(
    recipe: Annotated[str, typer.Option(help="seed, classic or robust.")] = "classic",
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
    page: Annotated[bool, typer.Option("--page", help="Write lens.html too: draw a digit and follow it.")] = False,
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
    from digitscope.datasets import load_dataset
    from digitscope.recipes import recipe_of

    recipe_of(recipe, settings)  # what does not fit is said before Keras takes its seconds to start
    load_dataset(data)
    _import_keras()
    from digitscope.training import train as train_run

    with _progress() as progress:
        run = train_run(
            recipe,
            data=data,
            epochs=epochs,
            seed=seed,
            settings=settings,
            out=out,
            overwrite=overwrite,
            page=page,
            progress=progress,
        )
    metrics = run.metrics
    typer.echo(
        f"{metrics['misses']:,} of {metrics['n']:,} test images missed; fitted in {metrics['fit_seconds']:.1f} s "
        f"({metrics['images_per_second']:,.0f} images/s); report: {run.folder / 'report.html'}"
    )
    typer.echo(f"Test loss: {metrics['test_loss']:.4f}")
    typer.echo(f"Test accuracy: {metrics['test_accuracy']:.4f}")


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A shipped model's name, a run folder, an .onnx or a .keras file.")],
    data: DataOption = "mnist",
    json_: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where figures go: confusions, calibration, mistakes.")] = None,
) -> None:
    """Measure a model on the test images.

    Loss, accuracy with its interval, each digit, confusions, calibration and the most confident mistakes.
    """
    from digitscope.datasets import load_dataset

    dataset = load_dataset(data)
    evaluation = _load(model).evaluate(dataset)
    if out is not None:
        from digitscope.album import write_evaluation_figures

        write_evaluation_figures(evaluation, dataset, out)
    if json_:
        typer.echo(json.dumps({"model": model, "data": dataset.name} | evaluation.to_dict(), indent=2))
        return
    _table(["", f"{model} on {data}"], [list(row) for row in evaluation.summary()])
    _table(
        ["digit", "precision", "recall", "F1", "images"],
        [
            [str(one.digit), f"{one.precision:.4f}", f"{one.recall:.4f}", f"{one.f1:.4f}", f"{one.support:,}"]
            for one in evaluation.per_class
        ],
    )
    _table(
        ["is \\ read as", *map(str, range(10))],
        [[str(digit), *(str(count or "·") for count in row)] for digit, row in enumerate(evaluation.confusion)],
    )
    _table(
        ["most confident mistakes", "is", "read as", "confidence"],
        [
            [f"test:{one.index}", str(one.label), str(one.answer), f"{one.confidence:.4f}"]
            for one in evaluation.mistakes[:10]
        ],
    )


@app.command()
def look(
    image: Annotated[str, typer.Argument(help="An image file, test:17 for a test image, or train:5.")],
    model: ModelOption = "classic",
    out: Annotated[Path | None, typer.Option(help="Where the figures go; default look-IMAGE.")] = None,
) -> None:
    """Draw a digit's way through every layer.

    Figures to look at and to print, as SVG and PNG; overview.png shows it all on one sheet.
    """
    from digitscope.album import digit_named
    from digitscope.sheets import write_look

    opened = _load(model)
    digit = digit_named(image)
    folder = out or Path(f"look-{digit.name}")
    with _progress() as progress:
        paths = write_look(opened, digit.pixels, folder, digit.title, progress)
    typer.echo(f"{len(paths)} files in {folder}; begin with {folder / 'overview.png'}")


@app.command()
def read(
    paths: Annotated[list[str], typer.Argument(help="Image files.")],
    single: Annotated[bool, typer.Option("--single", help="Each image holds one digit.")] = False,
    model: ModelOption = "robust",
    format_: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.text,
) -> None:
    """Read handwritten digits off images.

    Prints the digit and how sure it is, or why it refuses.
    """
    if not single:
        raise ConfigError("reading whole numbers is not built yet; add --single to read one digit from each image")
    from digitscope.reader import Reader

    reader = Reader(_load(model))
    writer = _ROWS[format_]
    failed = 0
    for number, path in enumerate(paths):
        page = reader.digit_page(path)
        failed += page.error is not None
        typer.echo(writer(page, number == 0), nl=False)
    if failed:
        _stop(f"{failed} of {len(paths)} images could not be used; the reasons stand beside them", 2)


@app.command()
def data(
    data: DataOption = "mnist",
    image: Annotated[int, typer.Option(help="Which training image to show as numbers.")] = 0,
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = Path("data-figures"),
) -> None:
    """Show the data that a network learns from.

    Counts of each digit, samples, one image as numbers raw and scaled, the mean image of each digit.
    """
    from digitscope.album import write_data_figures
    from digitscope.datasets import load_dataset

    dataset = load_dataset(data)
    _table(
        [dataset.name, *map(str, range(10)), "images"],
        [
            [part, *(f"{int((labels == digit).sum()):,}" for digit in range(10)), f"{len(labels):,}"]
            for part, labels in (("training", dataset.y_train), ("test", dataset.y_test))
        ],
    )
    paths = write_data_figures(dataset, image, out)
    typer.echo(f"{len(paths)} figures in {out}")


@app.command()
def page(
    model: ModelOption = "classic",
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file to write.")] = Path("lens.html"),
    snapshot: Annotated[
        list[str] | None, typer.Option(help="The same network at another time of its training; repeatable.")
    ] = None,
) -> None:
    """Write the model as one HTML file to draw in.

    Anybody can draw a digit in it and follow every number through every layer; it needs no server and no network.
    """
    from digitscope.page import write_page

    path = write_page(_load(model), out, [_load(name) for name in snapshot or []])
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB; open it in a browser, or mail it to the class")


@app.command()
def serve(
    model: ModelOption = "classic",
    port: Annotated[int, typer.Option(help="Where to listen.", min=1, max=65535)] = 8128,
    lan: Annotated[bool, typer.Option("--lan", help="For everybody in the same network, e.g. a phone.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    snapshot: Annotated[
        list[str] | None, typer.Option(help="The same network at another time of its training; repeatable.")
    ] = None,
) -> None:
    """Serve the same page from this machine.

    Draw a digit and follow every number through every layer, in a browser.
    """
    from digitscope.serve.app import serve as serve_page

    address = f"http://127.0.0.1:{port}"
    typer.echo(f"Serving {model} on {address}" + (" and to the whole network" if lan else "") + "; Ctrl-C stops it")
    serve_page(_load(model), [_load(name) for name in snapshot or []], port, lan, _open_browser if open_ else None)


def _open_browser(address: str, _: object) -> None:
    import webbrowser

    webbrowser.open(address)


@app.command()
def info() -> None:
    """Show versions, backends, processor and models."""
    from digitscope.about import about

    for section, rows in about().items():
        _table([section, ""], [list(row) for row in rows])


def _load(model: str) -> Model:
    """A model by name or path; a ``.keras`` file brings Keras in, which must not clutter the terminal."""
    if model.endswith(".keras"):
        _import_keras()
    from digitscope.models import load

    return load(model)


def _import_keras() -> None:
    """Import Keras without the start-up lines that TensorFlow's C++ part writes to the terminal whatever one sets."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    terminal = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import keras  # noqa: F401
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)


@contextmanager
def _progress() -> Iterator[Progress]:
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
    begun: dict[str, float] = {}

    def report(stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=total, facts="")
            begun[stage] = time.perf_counter()
        bar.update(tasks[stage], completed=done, total=total, facts=_facts(done, begun[stage], facts))

    with bar:
        yield report


def _facts(done: int, begun: float, facts: Mapping[str, float]) -> str:
    """Training facts as the few words beside the bar."""
    if "loss" not in facts:
        return ""
    rate = done / max(time.perf_counter() - begun, 1e-9)
    return (
        f"epoch {facts['epoch']:.0f}  loss {facts['loss']:.4f}  accuracy {facts['accuracy']:.4f}  {rate:,.0f} images/s"
    )


def _table(head: list[str], rows: list[list[str]]) -> None:
    """Print rows under a head, first column to the left, the others to the right, a blank line behind."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        typer.echo("  ".join(cells).rstrip())
    typer.echo()


def _text_row(page: Page, first: bool) -> str:
    """A page as a line for people: the file, the digits, how sure."""
    if page.error is not None:
        return f"{page.file}: {page.error}\n"
    words = []
    for number in page.numbers:
        if number.text is not None:
            words.append(f"{number.text}  ({_sure(number.confidence)} sure)")
        else:
            guess = f"; best guess {number.best_guess}, {_sure(number.confidence)}" if number.best_guess else ""
            words.append(f"refused: {number.reason}{guess}")
    return f"{page.file}: {', '.join(words) or 'no number'}\n"


def _sure(confidence: float) -> str:
    """A confidence in percent; nothing is ever called certain."""
    return "over 99.9 %" if confidence > 0.9995 else f"{100 * confidence:.1f} %"


def _json_row(page: Page, first: bool) -> str:
    return json.dumps(page.to_dict(), ensure_ascii=False) + "\n"


def _csv_rows(page: Page, first: bool) -> str:
    """A row per number; a page without any has one row with empty fields."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if first:
        writer.writerow(_CSV_HEAD)
    for number in page.numbers or (None,):
        fields = ["", "", "", "", ""]
        place = ["", "", "", ""]
        if number is not None:
            fields = [
                number.text or "",
                number.best_guess,
                f"{number.confidence:.6f}",
                str(number.refused),
                number.reason or "",
            ]
            if number.box is not None:
                place = [str(v) for v in (number.box.x, number.box.y, number.box.width, number.box.height)]
        writer.writerow([page.file, page.page, *fields, *place, f"{page.milliseconds:.2f}", page.error or ""])
    return text.getvalue()


_CSV_HEAD = [
    "file", "page", "text", "best_guess", "confidence", "refused", "reason", "x", "y", "width", "height",
    "milliseconds", "error",
]  # fmt: skip
_ROWS = {Format.text: _text_row, Format.jsonl: _json_row, Format.csv: _csv_rows}
