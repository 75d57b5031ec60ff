"""The commands that measure and export a model, and that list the models."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitscope.cli.terminal import (
    DataOption,
    ModelArgument,
    app,
    load_data,
    load_model,
    note,
    progress_bar,
    say,
    table,
)
from digitscope.errors import ConfigError
from digitscope.files import check_folder, writing

if TYPE_CHECKING:
    from digitscope.datasets.dataset import Dataset
    from digitscope.models.evaluation import Evaluation
    from digitscope.models.model import Model
    from digitscope.models.robustness import CorruptionScores, GeometryScores


class ExportFormat(enum.StrEnum):
    """The formats that ``export`` writes."""

    onnx = "onnx"
    keras = "keras"
    tflite = "tflite"
    tflite_int8 = "tflite-int8"
    weights_json = "weights-json"
    c = "c"


class Suite(enum.StrEnum):
    """What ``evaluate`` can do to the test images before they are read."""

    corruptions = "corruptions"
    geometry = "geometry"


@app.command()
def evaluate(
    model: ModelArgument,
    data: DataOption = "mnist",
    suite: Annotated[
        Suite | None,
        typer.Option(
            help="Measure on changed images instead: the fifteen corruptions of MNIST-C, or curves over rotation, "
            "shift, scale and stroke width."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of what the corruptions draw by chance; 0 if it is left out.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Also write figures to this folder: confusions, calibration, mistakes; with --suite its curves, and "
            "its numbers as JSON."
        ),
    ] = None,
) -> None:
    """Measure a model on the test images.

    Prints loss, accuracy with its interval, scores per digit, confusions, calibration and the most confident mistakes;
    with --suite, how well the model reads the images when they are changed.
    """
    if seed is not None and suite is not Suite.corruptions:
        raise ConfigError(f"--seed {seed} is for --suite corruptions, which draws by chance; add it, or leave it out")
    dataset = load_data(data)
    opened = load_model(model)
    for sentence in dataset.learned_elsewhere({model: opened.card}):
        note(sentence)
    if suite is not None:
        _evaluate_changed(opened, dataset, suite, seed or 0, json_, out)
        return
    evaluation = opened.evaluate(dataset)
    if out is not None:
        from digitscope.plots.write import write_evaluation_figures

        write_evaluation_figures(evaluation, dataset, out)
    if json_:
        record = evaluation.to_dict()
        for mistake in record["mistakes"]:
            mistake["place"] = dataset.place(mistake["index"])
        say(json.dumps({"model": model, "data": dataset.name} | record, indent=2))
        return
    _print_evaluation(evaluation, dataset, f"{model} on {data}")


def _print_evaluation(evaluation: Evaluation, dataset: Dataset, title: str) -> None:
    """The tables of ``evaluate``: the main figures, each digit, confusions, mistakes."""
    table(["", title], [list(row) for row in evaluation.summary()])
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


def _evaluate_changed(model: Model, dataset: Dataset, suite: Suite, seed: int, as_json: bool, out: Path | None) -> None:
    """What ``evaluate --suite`` does: measure the model on changed images, print a table, write figures and numbers."""
    from digitscope.models.robustness import corruption_scores, geometry_scores

    if out is not None:
        with writing(out, "give another folder"):
            check_folder(out)
    scores: CorruptionScores | GeometryScores
    with progress_bar() as progress:
        if suite is Suite.corruptions:
            scores = corruption_scores(model, dataset, seed, progress)
        else:
            scores = geometry_scores(model, dataset, progress)
    record = {"model": model.name, "data": dataset.name, "suite": suite.value} | scores.to_dict()
    if out is not None:
        from digitscope.plots.write import write_robustness

        write_robustness(scores, record, dataset, out)
    if as_json:
        say(json.dumps(record, indent=2))
        return
    table(*scores.table())


@app.command()
def export(
    model: ModelArgument,
    format_: Annotated[ExportFormat, typer.Option("--format", help="The format to write.")] = ExportFormat.onnx,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write, or a folder to put it in.")
    ] = None,
    card: Annotated[
        bool, typer.Option("--card", help="Also write its model card, README.md, beside it, as model hubs show it.")
    ] = False,
    licence: Annotated[
        str | None, typer.Option("--license", help="The licence that the card names, e.g. apache-2.0.")
    ] = None,
) -> None:
    """Write a model in a format that other programs read.

    The written file is loaded again and must give the same answers, or nothing is written.
    """
    if licence is not None and not card:
        raise ConfigError(f"--license {licence} is for the model card; add --card, or leave it out")
    from digitscope.models.card import card_beside
    from digitscope.models.formats import export_model, export_path

    opened = load_model(model)
    planned = card_beside(opened, export_path(opened, format_.value, out), licence) if card else None
    path = export_model(opened, format_.value, out)
    say(f"{path}: {path.stat().st_size / 1e3:,.0f} kB; it was loaded again and gives the same answers")
    if planned is not None:
        say(f"{planned.write()}: the model card")


@app.command()
def info() -> None:
    """Show versions, machine, backends, engine, extras and models."""
    from digitscope.cli.installation import installation

    for section, rows in installation().items():
        table([section, ""], [list(row) for row in rows])
