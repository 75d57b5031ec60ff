"""The commands that show: data, models, what is inside them, and how they read."""

from __future__ import annotations

import enum
import json
import os
from importlib.util import find_spec
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
    progress_bar,
    table,
)
from digitscope.environment import machine, processor_features, versions
from digitscope.errors import ConfigError
from digitscope.quiet import import_keras


class ExportFormat(enum.StrEnum):
    """What ``export`` writes."""

    onnx = "onnx"
    keras = "keras"
    tflite = "tflite"
    weights_json = "weights-json"


@app.command()
def evaluate(
    model: ModelArgument,
    data: DataOption = "mnist",
    json_: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where figures go: confusions, calibration, mistakes.")] = None,
) -> None:
    """Measure a model on the test images.

    Loss, accuracy with its interval, each digit, confusions, calibration and the most confident mistakes.
    """
    dataset = load_data(data)
    opened = load_model(model)
    for note in dataset.learned_elsewhere({model: opened.card}):
        typer.echo(f"digitscope: note: {note}", err=True)
    evaluation = opened.evaluate(dataset)
    if out is not None:
        from digitscope.plots.write import write_evaluation_figures

        write_evaluation_figures(evaluation, dataset, out)
    if json_:
        told = evaluation.to_dict()
        for mistake in told["mistakes"]:
            mistake["place"] = dataset.place(mistake["index"])
        typer.echo(json.dumps({"model": model, "data": dataset.name} | told, indent=2))
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
        str, typer.Argument(help="An image file, test:17 for a test image, train:5, or as evaluate names it.")
    ],
    model: ModelOption = "classic",
    data: DataOption = "mnist",
    out: Annotated[Path | None, typer.Option(help="Where the figures go; default look-IMAGE.")] = None,
) -> None:
    """Draw a digit's way through every layer.

    Figures to look at and to print, as SVG and PNG; overview.png shows it all on one sheet.
    """
    from digitscope.datasets.lookup import digit_named
    from digitscope.plots.overview import write_look

    opened = load_model(model)
    digit = digit_named(image, data if data == "mnist" else load_data(data))  # MNIST has no notes to tell
    folder = out or Path(f"look-{digit.name}")
    with progress_bar() as progress:
        paths = write_look(opened, digit.pixels, folder, digit.title, progress)
    typer.echo(f"{len(paths)} files in {folder}; begin with {folder / 'overview.png'}")


@app.command()
def data(
    data: DataOption = "mnist",
    image: Annotated[int, typer.Option(help="Which training image to show as numbers.")] = 0,
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = Path("data-figures"),
) -> None:
    """Show the data that a network learns from.

    Counts of each digit, samples, one image as numbers raw and scaled, the mean image of each digit.
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
    format_: Annotated[ExportFormat, typer.Option("--format", help="What to write.")] = ExportFormat.onnx,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file, or a folder to put it in.")] = None,
    card: Annotated[bool, typer.Option("--card", help="Write a model card, README.md, beside it.")] = False,
    licence: Annotated[str | None, typer.Option("--license", help="What the card says, e.g. apache-2.0.")] = None,
) -> None:
    """Write a model in the format of another program.

    What was written is loaded again and compared before it counts.
    """
    if licence is not None and not card:
        raise ConfigError(f"--license {licence} is what the card says; add --card, or leave it out")
    if format_ in (ExportFormat.keras, ExportFormat.tflite):
        import_keras()
    from digitscope.models.card import card_beside
    from digitscope.models.formats import export_model, export_path

    opened = load_model(model)
    planned = card_beside(opened, export_path(opened, format_.value, out), licence) if card else None
    path = export_model(opened, format_.value, out)
    typer.echo(f"{path}: {path.stat().st_size / 1e3:,.0f} kB; loaded again, it answers the same")
    if planned is not None:
        typer.echo(f"{planned.write()}: the model card")


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
    from digitscope.web.lens.bundle import write_page

    path = write_page(load_model(model), out, [load_model(name) for name in snapshot or []])
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
    import webbrowser

    from digitscope.web.lens.server import serve as serve_page

    def started(address: str, _: object) -> None:
        typer.echo(f"Serving {model} on {address}" + (" and to the whole network" if lan else "") + "; Ctrl-C stops it")
        if open_:
            webbrowser.open(address)

    serve_page(load_model(model), [load_model(name) for name in snapshot or []], port, lan, started)


@app.command()
def info() -> None:
    """Show versions, backends, processor and models."""
    from digitscope.cli.looking import about

    for section, rows in about().items():
        table([section, ""], [list(row) for row in rows])


def about() -> dict[str, list[tuple[str, str]]]:
    """Everything that ``digitscope info`` shows, as rows by section."""
    from digitscope.models.model import load, shipped

    backends = [name for name in ("tensorflow", "jax", "torch") if find_spec(name) is not None]
    used = os.environ.get("KERAS_BACKEND", "tensorflow") if find_spec("keras") else "none: Keras is not installed"
    models = []
    for name in shipped():
        card = load(name).card
        models.append((name, f"{card['summary']}" if "summary" in card else "no card"))
    return {
        "versions": list(versions().items()),
        "machine": [("system", machine()), ("features", ", ".join(processor_features()) or "unknown")],
        "Keras": [("backend", used), ("installed", ", ".join(backends) or "none")],
        "models": models,
    }
