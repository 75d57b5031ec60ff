"""Figures of models beside each other: the images they read differently, and their learning curves.

Each function draws a new figure and returns it. Figures with the spread between several runs are in ``plots.sweeps``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from digitscope.arraytypes import AnyArray, Images, Integers
from digitscope.errors import DataError
from digitscope.plots.primitives import MARGIN, frame, grey_image, sheet, text, wrapped
from digitscope.plots.style import (
    BLUE,
    CYCLE,
    FAINT,
    INK,
    MARKERS,
    MUTED,
    VERMILION,
    AnyFigure,
    grid_lines,
    new_figure,
    percent_tick,
    style,
)

COLORS = (BLUE, VERMILION)
"""The colours of model A and of model B."""

WIDTH, COLUMNS, TILE = 11.0, 12, 0.62
"""Of the sheet of differences: its width in inches, digits in a row, and the width of a digit in inches."""
PITCH = (WIDTH - 2 * MARGIN) / COLUMNS
"""Inches from one digit of the sheet to the next."""
PLACE_LENGTH = 15
"""Characters of an image's place that fit below it; a longer one, e.g. a file, is cut at its start."""
HEAD, HEADING, ROW = 1.75, 0.42, 1.16
"""Heights in inches: the head of the sheet, the heading of a group, a row of digits."""
SHOWN = 48
"""Images of a group that the sheet shows at most."""


@style()
def differences(
    images: Images,
    answers: Integers,
    places: Sequence[str],
    counts: tuple[int, int, int, int],
    names: Sequence[str],
    conclusion: str,
) -> AnyFigure:
    """The images that two models read differently, sorted by who is right.

    Args:
        images: uint8 (n, 28, 28) 0..255.
        answers: integers (n, 3) 0..9: the label, A's answer, B's answer.
        places: (n,) where each image is found, e.g. ``"test:17"``.
        counts: images that both, only A, only B and neither read correctly.
        names: one line about A and one about B.
        conclusion: what the counts mean, one sentence.

    Raises:
        DataError: the numbers of images, answers and places differ.
    """
    if images.shape != (len(places), 28, 28) or answers.shape != (len(places), 3):
        raise DataError(f"{len(places)} places came with images {images.shape} and answers {answers.shape}")
    groups = _groups(answers)
    rows = sum(-(-min(len(members), SHOWN) // COLUMNS) for members in groups.values())
    ax = sheet(WIDTH, HEAD + len(groups) * HEADING + rows * ROW + 0.1)
    _head(ax, len(places), sum(counts), names, conclusion)
    _table(ax, counts)
    top = HEAD
    for heading, members in groups.items():
        shown = members[:SHOWN]
        more = "" if len(members) == len(shown) else f"; the first {SHOWN} are shown"
        text(ax, MARGIN, top, f"{heading}: {len(members):,}{more}", 10.5, weight="bold")
        for place, index in enumerate(shown):
            row, column = divmod(place, COLUMNS)
            left, upper = MARGIN + column * PITCH, top + 0.3 + row * ROW
            _tile(ax, left, upper, images[index] / 255, answers[index].tolist(), places[index])
        top += HEADING + -(-len(shown) // COLUMNS) * ROW
    return ax.figure


def _groups(answers: Integers) -> dict[str, Integers]:
    """The images that only A, only B or neither reads correctly, as indices, without empty groups."""
    label, a, b = answers.T
    groups = {
        "Only A is right": np.flatnonzero(a == label),
        "Only B is right": np.flatnonzero(b == label),
        "Both are wrong, with different answers": np.flatnonzero((a != label) & (b != label)),
    }
    return {heading: members for heading, members in groups.items() if len(members)}


def _head(ax: Axes, n: int, total: int, names: Sequence[str], conclusion: str) -> None:
    """How many images are read differently, the two models, and what the counts mean."""
    title = f"{n:,} of {total:,} images are read differently" if n else f"All {total:,} images are read the same"
    text(ax, MARGIN, 0.28, title, 14, weight="bold")
    for line, (name, color) in enumerate(zip(names, COLORS, strict=True)):
        short = name if len(name) <= 84 else f"{name[:30]} … {name[-50:]}"
        text(ax, MARGIN, 0.66 + 0.19 * line, short, 9, color=color, weight="bold")
    text(ax, MARGIN, 1.1, wrapped(conclusion, 112), 8.5)


def _table(ax: Axes, counts: tuple[int, int, int, int]) -> None:
    """The two-by-two table of counts, at the right of the head."""
    width, height, left, top = 0.86, 0.36, WIDTH - MARGIN - 2 * 0.86, 0.5
    for column, word in enumerate(("B right", "B wrong")):
        text(ax, left + (column + 0.5) * width, top - 0.06, word, 8.5, color=VERMILION, ha="center", va="bottom")
    for row, word in enumerate(("A right", "A wrong")):
        text(ax, left - 0.1, top + (row + 0.5) * height, word, 8.5, color=BLUE, ha="right", va="center_baseline")
    for place, count in enumerate(counts):
        row, column = divmod(place, 2)
        x, y = left + column * width, top + row * height
        frame(ax, x, y, width, height, FAINT, 0.8)
        color = (INK, BLUE, VERMILION, INK)[place]
        weight = "bold" if row != column else "normal"
        text(ax, x + width / 2, y + height / 2, f"{count:,}", 10.5,
              color=color, weight=weight, ha="center", va="center_baseline")  # fmt: skip


def _tile(ax: Axes, left: float, top: float, picture: AnyArray, answers: Sequence[int], place: str) -> None:
    """One image with its label, both answers and its place; a right answer is bold."""
    label, *both = answers
    grey_image(ax, picture, left, top, TILE)
    text(ax, left, top + TILE + 0.05, f"label {label}", 7.5)
    for answer, letter, color, x in zip(both, "AB", COLORS, (left, left + TILE / 2 + 0.03), strict=True):
        weight = "bold" if answer == label else "normal"
        text(ax, x, top + TILE + 0.185, f"{letter}: {answer}", 7.5, color=color, weight=weight)
    short = place if len(place) <= PLACE_LENGTH else f"…{place[1 - PLACE_LENGTH :]}"
    text(ax, left, top + TILE + 0.32, short, 6, color=MUTED)


@style()
def learning_curves(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> AnyFigure:
    """Loss and accuracy of several trainings after each epoch, on the same axes.

    Args:
        histories: the name of each training and its rows, as ``models.run_folder.read_history`` reads them.

    Raises:
        DataError: there are no trainings, or more than there are colours.
    """
    if not 1 <= len(histories) <= len(CYCLE):
        raise DataError(f"{len(histories)} trainings cannot be told apart in one figure; give 1 to {len(CYCLE)}")
    figure = new_figure(9, 3.9)
    loss, accuracy = figure.subplots(1, 2)
    for ax, name in ((loss, "loss"), (accuracy, "accuracy")):
        _curves(ax, histories, name)
    loss.set_ylabel("cross-entropy")
    loss.set_ylim(0, None)
    accuracy.set_ylim(None, 1)
    accuracy.yaxis.set_major_formatter(percent_tick)
    lines, names = loss.get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper left", ncols=1)
    figure.supxlabel(
        "Means over each epoch, on each training's own images; augmentation and label smoothing raise the loss.",
        fontsize=8, color=MUTED, x=0.01, ha="left",
    )  # fmt: skip
    return figure


def _curves(ax: Axes, histories: Mapping[str, Sequence[Mapping[str, float]]], name: str) -> None:
    """One column of all histories, over the epochs."""
    for (training, rows), color, marker in zip(histories.items(), CYCLE, MARKERS, strict=False):
        epochs, values = [row["epoch"] for row in rows], [row[name] for row in rows]
        every = max(1, len(rows) // 12)
        ax.plot(epochs, values, color=color, marker=marker, markevery=every, markersize=4, label=training,
                clip_on=False, zorder=3)  # fmt: skip  # a marker at the edge stays whole
    ax.margins(y=0.06)
    ax.set(title=name.capitalize(), xlabel="epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12, min_n_ticks=1))
    grid_lines(ax)
