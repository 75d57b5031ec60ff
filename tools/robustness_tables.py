"""How well the shipped models read digits that are not clean: docs/results.md's table, the README's line, a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from digitscope.datasets.mnist import load_mnist
from digitscope.formatting import markdown_table, percent
from digitscope.plots.data import samples
from digitscope.plots.style import new_figure, save, style
from digitscope.plots.sweeps import robustness
from digitscope.preprocessing.corruptions import CORRUPTIONS, corrupt

SHOWN = 7
"""The training digit that shows the corruptions."""

NOT_CLEAN = """\
## Digits that are not clean

MNIST's {n:,} test images under the fifteen corruptions of MNIST-C (Mu and Gilmer, 2019), drawn by our own code
([robustness.md](robustness.md) says how, and where it differs from the published files), seed {seed}: the share of
images that each shipped model reads right (`benchmarks/corruptions.py`; `digitscope evaluate MODEL --suite
corruptions` prints the same). {trained}"""

TRAINED = """\
`robust` and `strong` have learned from digits that were turned, scaled, sheared, shifted, thickened, faded and made
noisy, less than here; `classic` from clean ones. None has seen any of the fifteen."""

HARDENED = (
    " `hardened` has learned from disturbances of other kinds; [robustness.md](robustness.md) says how near they come."
)

CURVES = """\
![Accuracy of each model over rotation, shift, scale and stroke width](pictures/geometry.png)

The same images turned, shifted, scaled, and drawn with wider or narrower strokes (`--suite geometry`)."""


def readme_line(measured: dict[str, Any]) -> str:
    """The mean over the corruptions of each model, for the README."""
    means = [f"`{name}` {percent(its['corruptions']['mean'], 1)}" for name, its in measured["models"].items()]
    return (
        "Under the fifteen corruptions of MNIST-C the shipped models still read these shares of the test images, on "
        f"average over all: {', '.join(means[:-1])} and {means[-1]} "
        "([each](docs/results.md#digits-that-are-not-clean))."
    )


def robustness_section(measured: dict[str, Any]) -> list[str]:
    """The section of docs/results.md."""
    models = {name: its["corruptions"] for name, its in measured["models"].items()}
    first = next(iter(models.values()))
    rows = [["clean", *(percent(its["clean"]) for its in models.values())]]
    rows += [
        [name.replace("_", " "), *(percent(its["accuracies"][name], 1) for its in models.values())]
        for name in first["accuracies"]
    ]
    rows.append(["**mean of the fifteen**", *(f"**{percent(its['mean'], 1)}**" for its in models.values())])
    return [
        NOT_CLEAN.format(n=first["n"], seed=first["seed"], trained=TRAINED + HARDENED * ("hardened" in models)),
        markdown_table(("images", *(f"`{name}`" for name in models)), rows),
        CURVES,
    ]


def draw_corruptions(path: Path) -> None:
    """Draw a training digit as it is and under each corruption."""
    digit = load_mnist()[0][0][SHOWN : SHOWN + 1]
    drawn = [digit, *(corrupt(digit, name, np.random.default_rng(0)) for name in CORRUPTIONS)]
    captions = ["clean", *(name.replace("_", " ") for name in CORRUPTIONS)]
    save(samples(np.concatenate(drawn), captions, 2, 8), path)


@style()
def draw_geometry(measured: dict[str, Any], path: Path) -> None:
    """Draw the curves of all models, one panel for each kind of change."""
    models = {name: its["geometry"]["curves"] for name, its in measured["models"].items()}
    figure = new_figure(11, 6.6)
    for ax, name in zip(np.ravel(figure.subplots(2, 2)), next(iter(models.values())), strict=True):
        curves = {model: its[name] for model, its in models.items()}
        first = next(iter(curves.values()))
        robustness(first["amounts"], {model: curve["accuracies"] for model, curve in curves.items()}, ax, first["unit"])
        ax.set_title(name.capitalize())
    save(figure, path)
