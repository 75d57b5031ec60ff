"""The commands that measure, show, export and serve a model, and that show the data."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Annotated

import typer

from digitscope.cli.terminal import (
    DataOption,
    ModelArgument,
    ModelOption,
    app,
    load_data,
    load_model,
    note,
    progress_bar,
    table,
)
from digitscope.errors import ConfigError
from digitscope.quiet import import_keras


class ExportFormat(enum.StrEnum):
    """The formats that ``export`` writes."""

    onnx = "onnx"
    keras = "keras"
    tflite = "tflite"
    weights_json = "weights-json"


@app.command()
def evaluate(
    model: ModelArgument,
    data: DataOption = "mnist",
    json_: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Also write figures to this folder: confusions, calibration, mistakes.")
    ] = None,
) -> None:
    """Measure a model on the test images.

    Prints loss, accuracy with its interval, scores per digit, confusions, calibration and the most confident mistakes.
    """
    dataset = load_data(data)
    opened = load_model(model)
    for sentence in dataset.learned_elsewhere({model: opened.card}):
        note(sentence)
    evaluation = opened.evaluate(dataset)
    if out is not None:
        from digitscope.plots.write import write_evaluation_figures

        write_evaluation_figures(evaluation, dataset, out)
    if json_:
        record = evaluation.to_dict()
        for mistake in record["mistakes"]:
            mistake["place"] = dataset.place(mistake["index"])
        typer.echo(json.dumps({"model": model, "data": dataset.name} | record, indent=2))
        return
    table(["", f"{model} on {data}"], [list(row) for row in evaluation.summary()])
    table(
        ["digit", "precision", "recall", "F1", "images"],
        [
            [str(one.digit), f"{one.precision:.4f}", f"{one.recall:.4f}", f"{one.f1:.4f}", f"{one.support:,}"]
            for one in evaluation.per_class
        ],
    )
    table(
        ["is \\ read as", *map(str, range(10))],
        [[str(digit), *(str(count or "·") for count in row)] for digit, row in enumerate(evaluation.confusion)],
    )
    table(
        ["most confident mistakes", "is", "read as", "confidence"],
        [
            [dataset.place(one.index), str(one.label), str(one.answer), f"{one.confidence:.4f}"]
            for one in evaluation.mistakes[:10]
        ],
    )


@app.command()
def look(
    image: Annotated[
        str,
        typer.Argument(
            help="An image file, test:17 or train:5 for an image of the dataset, or a place that evaluate printed."
        ),
    ],
    model: ModelOption = "classic",
    data: DataOption = "mnist",
    out: Annotated[Path | None, typer.Option(help="The folder for the figures; default look-IMAGE.")] = None,
) -> None:
    """Show how a digit passes through every layer of a network.

    Writes figures as SVG and PNG; overview.png shows everything on one sheet.
    """
    from digitscope.datasets.lookup import digit_named
    from digitscope.plots.write import write_look

    opened = load_model(model)
    digit = digit_named(image, data if data == "mnist" else load_data(data))  # MNIST has no notes to print
    folder = out or Path(f"look-{digit.name}")
    with progress_bar() as progress:
        paths = write_look(opened, digit.pixels, folder, digit.title, progress)
    typer.echo(f"{len(paths)} files in {folder}; start with {folder / 'overview.png'}")


@app.command()
def data(
    data: DataOption = "mnist",
    image: Annotated[int, typer.Option(help="The training image to show as numbers.")] = 0,
    out: Annotated[Path, typer.Option(help="The folder for the figures.")] = Path("data-figures"),
) -> None:
    """Show the data that a network learns from.

    Prints how many images there are of each digit and writes figures: samples, one image as raw and scaled numbers,
    the mean image of each digit.
    """
    from digitscope.plots.write import write_data_figures

    dataset = load_data(data)
    if dataset.description:
        typer.echo(dataset.description)
    table(
        [dataset.name, *map(str, range(10)), "images"],
        [
            [part, *(f"{int((labels == digit).sum()):,}" for digit in range(10)), f"{len(labels):,}"]
            for part, labels in (("training", dataset.y_train), ("test", dataset.y_test))
        ],
    )
    paths = write_data_figures(dataset, image, out)
    typer.echo(f"{len(paths)} figures in {out}")


@app.command()
def export(
    model: ModelArgument,
    format_: Annotated[ExportFormat, typer.Option("--format", help="The format to write.")] = ExportFormat.onnx,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write, or a folder to put it in.")
    ] = None,
    card: Annotated[bool, typer.Option("--card", help="Also write a model card, README.md, beside it.")] = False,
    licence: Annotated[
        str | None, typer.Option("--license", help="The licence that the card names, e.g. apache-2.0.")
    ] = None,
) -> None:
    """Write a model in a format that other programs read.

    The written file is loaded again and must give the same answers, or nothing is written.
    """
    if licence is not None and not card:
        raise ConfigError(f"--license {licence} is for the model card; add --card, or leave it out")
    if format_ in (ExportFormat.keras, ExportFormat.tflite):
        import_keras()
    from digitscope.models.card import card_beside
    from digitscope.models.formats import export_model, export_path

    opened = load_model(model)
    planned = card_beside(opened, export_path(opened, format_.value, out), licence) if card else None
    path = export_model(opened, format_.value, out)
    typer.echo(f"{path}: {path.stat().st_size / 1e3:,.0f} kB; it was loaded again and gives the same answers")
    if planned is not None:
        typer.echo(f"{planned.write()}: the model card")


@app.command()
def page(
    model: ModelOption = "classic",
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file to write.")] = Path("lens.html"),
    snapshot: Annotated[
        list[str] | None, typer.Option(help="The same network at an earlier stage of training; repeatable.")
    ] = None,
) -> None:
    """Write an HTML page to draw digits in and follow them.

    One file that shows every number in every layer; it needs no server and no internet connection.
    """
    from digitscope.web.lens.bundle import write_page

    path = write_page(load_model(model), out, [load_model(name) for name in snapshot or []])
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB; open it in a browser, or send it to your class")


@app.command()
def serve(
    model: ModelOption = "classic",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8128,
    lan: Annotated[bool, typer.Option("--lan", help="Let other devices in the same network in, e.g. a phone.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser at once.")] = False,
    snapshot: Annotated[
        list[str] | None, typer.Option(help="The same network at an earlier stage of training; repeatable.")
    ] = None,
) -> None:
    """Serve the page to draw digits in from this machine.

    It answers this machine only, unless --lan is given. Ctrl-C stops it.
    """
    import webbrowser

    from digitscope.web.lens.server import serve as serve_page

    def started(address: str, _: object) -> None:
        typer.echo(f"Serving {model} on {address}" + (" and to the whole network" if lan else "") + "; Ctrl-C stops it")
        if open_:
            webbrowser.open(address)

    serve_page(load_model(model), [load_model(name) for name in snapshot or []], port, lan, started)


@app.command()
def info() -> None:
    """Show versions, machine, Keras backends and shipped models."""
    from digitscope.cli.installation import installation

    for section, rows in installation().items():
        table([section, ""], [list(row) for row in rows])
