"""The commands that show the data and a network from inside, as figures, as a page in the browser, as a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitscope.cli.terminal import (
    DataOption,
    ModelOption,
    app,
    load_data,
    load_model,
    progress_bar,
    say,
    table,
)

SnapshotOption = Annotated[
    list[str] | None,
    typer.Option(
        help="The same network at an earlier stage of training, to replay; repeatable. A run brings its own stages."
    ),
]
BesideOption = Annotated[list[str] | None, typer.Option(help="Another network to compare with; repeatable.")]

LanguageOption = Annotated[
    list[str] | None,
    typer.Option(help="A language for the page besides English: de, es, fr, hi, tr or zh; repeatable."),
]


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
    say(f"{len(paths)} files in {folder}; start with {folder / 'overview.png'}")


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
    paths = write_data_figures(dataset, image, out)
    if dataset.description:
        say(dataset.description)
    table(
        [dataset.name, *map(str, range(10)), "images"],
        [
            [part, *(f"{int((labels == digit).sum()):,}" for digit in range(10)), f"{len(labels):,}"]
            for part, labels in (("training", dataset.y_train), ("test", dataset.y_test))
        ],
    )
    say(f"{len(paths)} figures in {out}")


@app.command()
def page(
    model: ModelOption = "classic",
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file to write.")] = Path("lens.html"),
    snapshot: SnapshotOption = None,
    beside: BesideOption = None,
    language: LanguageOption = None,
) -> None:
    """Write an HTML page to draw digits in and follow them.

    One file that shows every number in every layer; it needs no server and no internet connection.
    """
    from digitscope.web.lens.bundle import write_page

    opened = load_model(model)
    snapshots, others = ([load_model(name) for name in names or []] for names in (snapshot, beside))
    with progress_bar() as progress:
        path = write_page(opened, out, snapshots, progress=progress, beside=others, chosen=language or [])
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB; open it in a browser, or send it to your class")


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="The folder of a finished training, e.g. runs/demo.")],
) -> None:
    """Write the report of a finished training again, without training.

    Where lens.html, the page, lies beside it, the report leads to it.
    """
    from digitscope.web.report.build import write_report

    with progress_bar() as progress:
        path = write_report(run, progress)
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB; open it in a browser")
