"""The charts of the report, drawn for one run by the package's own figure functions. Computes no result.

Each is drawn twice: as wide as a column of text, and for a phone. The page shows the one for which there is room, so
that its text has the size of a caption on any screen. What is inside the network is no chart; see ``sheets``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text

from digitscope.plots import concepts, results, sweeps
from digitscope.plots.descent import Descent, gradient_descent
from digitscope.plots.style import (
    BLACK,
    BLUE,
    FAINT,
    GREEN,
    GRID,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    new_figure,
    style,
    svg,
)
from digitscope.web.report import compared
from digitscope.web.report.compared import Compared, Curve
from digitscope.web.report.moved import SHIFTS, TURNS, MovedFacts
from digitscope.web.report.record import Record
from digitscope.web.report.templates import trusted

PIXEL = 1 / 96
"""Inches of a CSS pixel."""

PHONE, COLUMN, PAIR = 322, 560, 816
"""CSS pixels: what is left for a figure on a phone 390 wide, in a column of text, and where two panels lie side by
side; ``page.css`` names the last two again."""

SMALLEST = 9.0
"""Points of the smallest text: 12 CSS pixels."""

THEMED = {INK: "ink", BLACK: "ink", MUTED: "quiet", FAINT: "faint", GRID: "grid", "#ffffff": "card", BLUE: "blue",
          VERMILION: "vermilion", GREEN: "green", ORANGE: "orange", PURPLE: "purple", SKY: "sky"}  # fmt: skip
"""The colours of a chart, and the variables of ``page.css`` that replace them in the dark."""


class Figure(NamedTuple):
    """A chart.

    Attributes:
        description: what it shows, for those who cannot see it.
        draw: draws it into an empty figure.
        panels: how many lie side by side where there is room, and one above the other where there is not.
        height: of a panel in CSS pixels.
    """

    description: str
    draw: Callable[[Canvas], Any]
    panels: int = 1
    height: int = 300


def figures(record: Record, descent: Descent, moved: MovedFacts, comparisons: Compared) -> dict[str, Figure]:
    """Every chart by its name."""
    return {
        **_of_results(record),
        "descent": Figure(
            "A map of the loss over a weight and a bias with two ways down, and the loss after each step of four ways.",
            lambda figure: gradient_descent(descent, figure),
            panels=2,
            height=340,
        ),
        **_of_moved(moved, comparisons),
        **_of_comparisons(comparisons),
    }


def inline(name: str, figure: Figure) -> Markup:
    """A chart as two ``<svg>`` for the page, the wide one and the narrow one."""
    name = name.replace("_", "-")
    wide = PAIR if figure.panels > 1 else COLUMN
    drawn = [
        (f"chart roomy{' pair' if figure.panels > 1 else ''}", name, canvas(figure, wide, figure.height)),
        ("chart close", f"{name}-close", canvas(figure, PHONE, figure.panels * figure.height)),
    ]
    texts = [
        themed(svg(each, prefix, figure.description)).replace("<svg ", f'<svg class="{kind}" ', 1)
        for kind, prefix, each in drawn
    ]
    return trusted("".join(texts))


def alone(name: str, figure: Figure) -> str:
    """The wide chart as the text of a file."""
    wide = PAIR if figure.panels > 1 else COLUMN
    return svg(canvas(figure, wide, figure.height), name.replace("_", "-"), figure.description) + "\n"


@style()
def canvas(figure: Figure, width: int, height: int) -> Canvas:
    """A chart of so many CSS pixels whose text is nowhere smaller than ``SMALLEST``."""
    drawn = new_figure(width * PIXEL, height * PIXEL)
    figure.draw(drawn)
    for text in drawn.findobj(Text):
        if isinstance(text, Text):
            text.set_fontsize(max(SMALLEST, float(text.get_fontsize())))
    return drawn


def themed(text: str) -> str:
    """A chart whose colours follow the page's theme."""
    known = {colour.lower(): f"chart-{name}" for colour, name in THEMED.items()}
    return re.sub(
        r"#[0-9a-f]{6}\b",
        lambda found: f"var(--{known[found[0]]}, {found[0]})" if found[0] in known else found[0],
        text,
    )


def _of_results(record: Record) -> dict[str, Figure]:
    found = record.evaluation
    return {
        "activation": Figure(
            "Curves of ReLU and sigmoid, and of their slopes.",
            concepts.activation_functions,
            panels=2,
        ),
        "cross_entropy": Figure(
            "The loss falls from large values at small shares to 0 at a share of 1.",
            lambda figure: _untitled(concepts.cross_entropy(figure.add_subplot())),
        ),
        "learning_rate": Figure(
            "The learning rate over all steps of the training.",
            lambda figure: _untitled(results.learning_rate(record.learning_rates, figure.add_subplot())),
            height=230,
        ),
        "training": Figure(
            "Two curves over the epochs: the loss falls, the accuracy rises.",
            lambda figure: results.training_curves(record.history, figure, found, record.losses),
            panels=2,
        ),
        "reliability": Figure(
            "Confidence against the part of the answers that is right, in bins.",
            lambda figure: _untitled(results.reliability(found.bins, found.ece, figure.add_subplot())),
            height=400,
        ),
    }


def _of_moved(moved: MovedFacts, comparisons: Compared) -> dict[str, Figure]:
    def curves(x: range, own: tuple[float, ...], shipped: Curve | None, label: str) -> Callable[[Canvas], Any]:
        lines: dict[str, Sequence[float]] = {"this run": own}
        if shipped is not None and shipped.steps == tuple(x):
            lines |= shipped.accuracies
        return lambda figure: sweeps.robustness(list(x), lines, figure.add_subplot(), xlabel=label)

    return {
        "shift": Figure(
            "Accuracy falls as digits are shifted further.",
            curves(SHIFTS, moved.by_shift, comparisons.shift, "shifted by … pixels"),
        ),
        "turn": Figure(
            "Accuracy falls as digits are turned further.",
            curves(TURNS, moved.by_turn, comparisons.turn, "turned by … degrees"),
        ),
    }


def _of_comparisons(comparisons: Compared) -> dict[str, Figure]:
    found = {}
    if comparisons.filters:
        label = "filters in the first convolution"
        found["filters_sweep"] = Figure(
            "Accuracy against the number of filters.",
            lambda figure: _sweep(comparisons.filters, label, figure),
        )
    if comparisons.training_images:
        found["data_sweep"] = Figure(
            "Accuracy against the number of training digits.",
            lambda figure: _sweep(comparisons.training_images, "training digits", figure),
        )
    return found


def _sweep(networks: tuple[compared.Network, ...], label: str, figure: Canvas) -> Any:
    """Mean and standard deviation of networks of growing size."""
    means = [100 * network.mean for network in networks]
    spread = [100 * float(np.std(one.accuracies, ddof=min(1, len(one.accuracies) - 1))) for one in networks]
    sizes = [network.size for network in networks]
    return sweeps.sweep_line(sizes, means, spread, figure.add_subplot(), xlabel=label, ylabel="accuracy, %")


def _untitled(ax: Any) -> Any:
    """The axes without the title, where the caption says the same."""
    ax.set_title("")
    return ax
