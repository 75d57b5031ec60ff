"""Figures of experiments: two models on the same images, two learning curves, the points of a sweep.

Computes no result. Each function draws on a new figure, or on the axes it is given, and returns what it drew on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from digitscope.errors import DataError
from digitscope.plots.primitives import MARGIN, frame, grey, page, words, wrapped
from digitscope.plots.style import (
    BLUE,
    CYCLE,
    FAINT,
    INK,
    MUTED,
    VERMILION,
    AnyFigure,
    grid_lines,
    new_figure,
    percent,
    style,
)
from digitscope.plots.sweeps import MARKERS

COLORS = (BLUE, VERMILION)
"""Of A and of B, wherever the two stand beside each other."""

WIDTH, COLUMNS, TILE = 11.0, 12, 0.62
"""Of the sheet of differences: its inches, digits in a row, and the inches of a digit."""
PITCH = (WIDTH - 2 * MARGIN) / COLUMNS
"""Inches from one digit of the sheet to the next."""
LETTERS = 15
"""Letters of an image's place that fit below its digit; of a longer one, e.g. a file, the end is shown."""
HEAD, HEADING, ROW = 1.75, 0.42, 1.16
"""Inches that the sheet's head, a group's heading and a row of digits take."""
SHOWN = 48
"""The most images of a group that the sheet shows."""


@style()
def differences(
    images: npt.NDArray[np.uint8],
    answers: npt.NDArray[np.int_],
    places: Sequence[str],
    counts: tuple[int, int, int, int],
    names: Sequence[str],
    conclusion: str,
) -> AnyFigure:
    """The images that two models read differently, sorted by who is right.

    Args:
        images: uint8 (n, 28, 28) 0..255.
        answers: integers (n, 3) 0..9: the label, what A and what B read.
        places: what leads a person to each image, e.g. ``"test:17"``.
        counts: images that both, only A, only B and neither read right.
        names: a line about A and one about B.
        conclusion: what it means, one sentence.
    """
    if images.shape != (len(places), 28, 28) or answers.shape != (len(places), 3):
        raise DataError(f"{len(places)} places came with images {images.shape} and answers {answers.shape}")
    label, a, b = answers.T
    groups = {
        "Only A is right": np.flatnonzero(a == label),
        "Only B is right": np.flatnonzero(b == label),
        "Both are wrong, each in its own way": np.flatnonzero((a != label) & (b != label)),
    }
    groups = {heading: members for heading, members in groups.items() if len(members)}
    rows = sum(-(-min(len(members), SHOWN) // COLUMNS) for members in groups.values())
    ax = page(WIDTH, HEAD + len(groups) * HEADING + rows * ROW + 0.1)
    _head(ax, len(places), counts, names, conclusion)
    top = HEAD
    for heading, members in groups.items():
        shown = members[:SHOWN]
        more = "" if len(members) == len(shown) else f"; the first {SHOWN} are shown"
        words(ax, MARGIN, top, f"{heading}: {len(members):,}{more}", 10.5, weight="bold")
        for place, index in enumerate(shown):
            row, column = divmod(place, COLUMNS)
            left, upper = MARGIN + column * PITCH, top + 0.3 + row * ROW
            _tile(ax, left, upper, images[index] / 255, answers[index].tolist(), places[index])
        top += HEADING + -(-len(shown) // COLUMNS) * ROW
    return ax.figure


def _head(ax: Axes, n: int, counts: tuple[int, int, int, int], names: Sequence[str], conclusion: str) -> None:
    """What is compared and what it means to the left, the two by two table to the right."""
    total = sum(counts)
    title = f"{n:,} of {total:,} images are read differently" if n else f"All {total:,} images are read alike"
    words(ax, MARGIN, 0.28, title, 14, weight="bold")
    for line, (name, color) in enumerate(zip(names, COLORS, strict=True)):
        short = name if len(name) <= 84 else f"{name[:30]} … {name[-50:]}"
        words(ax, MARGIN, 0.66 + 0.19 * line, short, 9, color=color, weight="bold")
    words(ax, MARGIN, 1.1, wrapped(conclusion, 112), 8.5)
    width, height, left, top = 0.86, 0.36, WIDTH - MARGIN - 2 * 0.86, 0.5
    for column, word in enumerate(("B right", "B wrong")):
        words(ax, left + (column + 0.5) * width, top - 0.06, word, 8.5, color=VERMILION, ha="center", va="bottom")
    for row, word in enumerate(("A right", "A wrong")):
        words(ax, left - 0.1, top + (row + 0.5) * height, word, 8.5, color=BLUE, ha="right", va="center_baseline")
    for place, count in enumerate(counts):
        row, column = divmod(place, 2)
        x, y = left + column * width, top + row * height
        frame(ax, x, y, width, height, FAINT, 0.8)
        color = (INK, BLUE, VERMILION, INK)[place]
        weight = "bold" if row != column else "normal"
        words(ax, x + width / 2, y + height / 2, f"{count:,}", 10.5,
              color=color, weight=weight, ha="center", va="center_baseline")  # fmt: skip


def _tile(ax: Axes, left: float, top: float, picture: npt.NDArray[Any], answers: Sequence[int], place: str) -> None:
    """One digit, where it is found, its label, and both answers; a right answer is bold."""
    label, *both = answers
    grey(ax, picture, left, top, TILE)
    words(ax, left, top + TILE + 0.05, f"label {label}", 7.5)
    for answer, letter, color, x in zip(both, "AB", COLORS, (left, left + TILE / 2 + 0.03), strict=True):
        weight = "bold" if answer == label else "normal"
        words(ax, x, top + TILE + 0.185, f"{letter}: {answer}", 7.5, color=color, weight=weight)
    short = place if len(place) <= LETTERS else f"…{place[1 - LETTERS :]}"
    words(ax, left, top + TILE + 0.32, short, 6, color=MUTED)


@style()
def learning_curves(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> AnyFigure:
    """Loss and accuracy of several trainings after each epoch, in the same axes.

    Args:
        histories: a training's name and its rows, as ``models.run_folder.history_of`` reads them.
    """
    if not 1 <= len(histories) <= len(CYCLE):
        raise DataError(f"{len(histories)} trainings cannot be told apart in one figure; give 1 to {len(CYCLE)}")
    figure = new_figure(9, 3.9)
    panels = figure.subplots(1, 2)
    for ax, name, unit in zip(panels, ("loss", "accuracy"), ("cross-entropy", ""), strict=True):
        for (training, rows), color, marker in zip(histories.items(), CYCLE, MARKERS, strict=False):
            epochs, values = [row["epoch"] for row in rows], [row[name] for row in rows]
            every = max(1, len(rows) // 12)
            ax.plot(epochs, values, color=color, marker=marker, markevery=every, markersize=4, label=training,
                    clip_on=False, zorder=3)  # fmt: skip  # a marker at the edge stays whole
        ax.margins(y=0.06)
        ax.set(title=name.capitalize(), xlabel="epoch", ylabel=unit)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12, min_n_ticks=1))
        grid_lines(ax)
    panels[0].set_ylim(0, None)
    panels[1].set_ylim(None, 1)
    panels[1].yaxis.set_major_formatter(percent)
    lines, names = panels[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper left", ncols=1)
    figure.supxlabel(
        "Each on its own training images, as the epoch went by; augmentation and label smoothing raise the loss.",
        fontsize=8, color=MUTED, x=0.01, ha="left",
    )  # fmt: skip
    return figure
