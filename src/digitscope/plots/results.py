"""Figures of a training and of what the trained network gets right and wrong.

Each function draws on the axes or figure it is given, or on a new one, and returns what it drew on. They show numbers
that are computed elsewhere: ``history.csv`` and ``digitscope.Evaluation``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from digitscope.arraytypes import Doubles
from digitscope.errors import DataError
from digitscope.formatting import number, probability
from digitscope.models.evaluation import Bin, Evaluation, Mistake
from digitscope.models.metrics import wilson_interval
from digitscope.plots.data import samples
from digitscope.plots.style import (
    BLUE,
    DASHED,
    DIGITS,
    FAINT,
    GREEN,
    GRID,
    INK,
    MUTED,
    ORANGE,
    SKY,
    VERMILION,
    AnyFigure,
    grid_lines,
    new_axes,
    new_figure,
    panels,
    percent_tick,
    style,
)

FEW = 5
"""Answers in a bin of the calibration below which it is faded: its 95 % interval spans half of the axis or more."""


@style()
def training_curves(
    history: Sequence[Mapping[str, Any]],
    figure: AnyFigure | None = None,
    test: Evaluation | None = None,
    losses: npt.ArrayLike | None = None,
) -> AnyFigure:
    """Loss and accuracy after each epoch, and the loss of every step if it is known.

    Args:
        history: one row per epoch with ``epoch``, ``loss`` and ``accuracy`` (0..1), as in ``history.csv``.
        figure: where to draw.
        test: what ``digitscope.Model.evaluate`` gives; adds the finished network's results on the test images.
        losses: floats (s,), the mean loss over the batch of each step, the same number of steps in every epoch.
    """
    figure = new_figure(9, 3.4) if figure is None else figure
    epochs = _history_column(history, "epoch")
    loss, accuracy = panels(figure, 2)
    if losses is not None:
        steps = np.asarray(losses)
        loss.plot(
            epochs.max() * np.arange(1, len(steps) + 1) / len(steps), steps, color=SKY, linewidth=0.8,
            label="training images, every step",
        )  # fmt: skip
    for ax, name, color in ((loss, "loss", VERMILION), (accuracy, "accuracy", BLUE)):
        values = _history_column(history, name)
        ax.plot(epochs, values, marker="o", color=color, label="training images, mean over the epoch")
        if test is not None:
            ax.axhline(getattr(test, name), color=INK, linewidth=1, linestyle=DASHED, label="test images, at the end")
        ax.set(title=name.capitalize(), xlabel="epoch")
        ax.set_xlim(0 if losses is not None and ax is loss else epochs.min() - 0.5, epochs.max() + 0.5)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12, min_n_ticks=1))
        grid_lines(ax)
    loss.set_ylim(0, 1.35 * loss.dataLim.y1)
    loss.set_ylabel("cross-entropy")
    accuracy.set_ylim(None, 1)
    accuracy.yaxis.set_major_formatter(percent_tick)
    loss.legend(loc="upper right")
    return figure


@style()
def learning_rate(values: npt.ArrayLike, ax: Axes | None = None) -> Axes:
    """The learning rate at each step of the optimizer, floats (steps,)."""
    ax = new_axes(6, 2.6) if ax is None else ax
    ax.plot(np.arange(1, np.size(values) + 1), np.asarray(values), color=BLUE)
    ax.set(title="Learning rate", xlabel="step (one batch each)")
    ax.set_ylim(0, None)
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.margins(x=0.01)
    grid_lines(ax)
    return ax


@style()
def confusion(matrix: npt.ArrayLike, ax: Axes | None = None, normalize: bool = False) -> Axes:
    """Which digit was taken for which; right answers are grey, so that only errors are coloured.

    Args:
        matrix: integers (10, 10); row = label, column = answer.
        ax: where to draw.
        normalize: print the percentage of each row's images instead of counts.
    """
    counts = np.asarray(matrix)
    if counts.shape != (10, 10):
        raise DataError(f"a confusion matrix is {counts.shape}; expected (10, 10)")
    ax = new_axes(6, 6) if ax is None else ax
    shown = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) if normalize else counts
    diagonal = np.eye(10, dtype=bool)
    errors = np.ma.masked_where(diagonal | (counts == 0), shown)
    most = max(np.ma.filled(errors, 0).max(), 0.5 if normalize else 5)  # so that single errors stay pale
    ax.imshow(errors, cmap=_errors_map(), vmin=0, vmax=most, interpolation="none")
    ax.imshow(np.ma.masked_where(~diagonal, np.ones((10, 10))), cmap="gray", vmin=0, vmax=1.1, interpolation="none")
    for (row, column), value in np.ndenumerate(shown):
        text = number(value, 1 if normalize and value else 0)
        dark = not diagonal[row, column] and value > 0.6 * most
        color = FAINT if value == 0 else "white" if dark else INK
        ax.text(column, row, text, ha="center", va="center", fontsize=8.5, color=color)
    ax.set(xlabel="the network's answer", ylabel="the label", xticks=DIGITS, yticks=DIGITS)
    ax.set_title("What was taken for what" + (", percent of each row" if normalize else ""))
    ax.set_xticks(np.arange(-0.5, 10), minor=True)
    ax.set_yticks(np.arange(-0.5, 10), minor=True)
    ax.grid(which="minor", color="white", linewidth=1.5)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    return ax


@style()
def reliability(bins: Sequence[Bin], ece: float, ax: Axes | None = None) -> Axes:
    """How often answers of a certain confidence are right; each whisker is the 95 % interval for its ``n`` answers.

    Bins of fewer than ``FEW`` answers are faded.

    Args:
        bins: what ``digitscope.Evaluation.bins`` holds.
        ece: the expected calibration error 0..1.
        ax: where to draw.
    """
    ax = new_axes(6.4, 5) if ax is None else ax
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=DASHED, label="confidence = accuracy")
    above = ax.get_xaxis_transform()
    ax.text(0, 1.02, "n =", ha="right", va="bottom", fontsize=7, color=MUTED, transform=above)
    for part in bins:
        middle, width, strength = (part.low + part.high) / 2, part.high - part.low, 1.0 if part.n >= FEW else 0.35
        color = INK if part.n >= FEW else FAINT if not part.n else MUTED
        ax.text(
            middle, 1.02, f"{part.n:,}", ha="center", va="bottom", fontsize=7, color=color, rotation=90, transform=above
        )
        if part.confidence is None or part.accuracy is None:
            continue
        ax.bar(middle, part.accuracy, width=0.92 * width, color=SKY, alpha=0.4 * strength)
        low_high = wilson_interval(round(part.accuracy * part.n), part.n)
        ax.plot([part.confidence] * 2, low_high, color=BLUE, linewidth=1.2, alpha=strength)
        ax.plot(part.confidence, part.accuracy, marker="o", color=BLUE, alpha=strength, clip_on=False)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence of the answer", ylabel="answers that are right")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(percent_tick)
    ax.set_title(f"Confidence and accuracy differ by {number(100 * ece)} points on average", pad=34)
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.14), borderaxespad=0)
    grid_lines(ax)
    return ax


@style()
def per_class(evaluation: Evaluation, ax: Axes | None = None) -> Axes:
    """Precision, recall and F1 score of each digit; the axis says where it starts."""
    ax = new_axes(8, 3.8) if ax is None else ax
    scores = [c for c in evaluation.per_class if c.support]
    digits = np.array([c.digit for c in scores])
    series = (
        ("precision (correct among its answers)", "o", BLUE, [c.precision for c in scores]),
        ("recall (found among its images)", "s", VERMILION, [c.recall for c in scores]),
        ("F1 (both combined)", "D", GREEN, [c.f1 for c in scores]),
    )
    for shift, (name, marker, color, values) in zip((-0.2, 0.2, 0), series, strict=True):
        ax.plot(digits + shift, values, marker=marker, color=color, linestyle="none", label=name, clip_on=False)
    lowest = min(min(values) for *_, values in series)
    start = max(0.0, math.floor(200 * lowest - 0.5) / 200)
    ax.set_ylim(start, 1)
    ax.yaxis.set_major_formatter(percent_tick)
    ax.set(xlabel="digit", ylabel=f"(the axis starts at {percent_tick(start)})", xticks=DIGITS, xlim=(-0.5, 9.5))
    ax.set_title("Scores of each digit", pad=26)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, handletextpad=0.1, columnspacing=1.4)
    for edge in np.arange(0.5, 9):
        ax.axvline(edge, color=GRID, linewidth=0.8)
    grid_lines(ax)
    return ax


@style()
def mistakes(
    images: npt.ArrayLike, mistakes: Sequence[Mistake], columns: int = 5, figure: AnyFigure | None = None
) -> AnyFigure:
    """The most confident mistakes: each image's label, the answer, and its probability.

    Args:
        images: uint8 (n, 28, 28) 0..255, or floats 0..1: all images that were evaluated.
        mistakes: what ``digitscope.Evaluation.mistakes`` holds; each has the index of its image.
        columns: images in a row.
        figure: where to draw.
    """
    everything = np.asarray(images)
    outside = [mistake.index for mistake in mistakes if not 0 <= mistake.index < len(everything)]
    if outside:
        raise DataError(f"mistake {outside[0]} is outside the {len(everything):,} images; give all that were evaluated")
    if not mistakes:
        figure = new_figure(4, 0.6) if figure is None else figure
        figure.text(0.5, 0.5, "There are no mistakes to show.", ha="center", va="center")
        return figure
    captions = [f"{m.label} \N{RIGHTWARDS ARROW} {m.answer}\n{probability(m.confidence, 1)}" for m in mistakes]
    return samples(everything[[m.index for m in mistakes]], captions, len(mistakes), columns, figure)


def _history_column(history: Sequence[Mapping[str, Any]], name: str) -> Doubles:
    """One column of a training history."""
    try:
        column = np.array([float(row[name]) for row in history])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"the training history has no numbers under {name!r} ({error}); train the run again") from error
    if not len(column):
        raise DataError("the training history has no epochs; train the run again")
    return column


def _errors_map() -> LinearSegmentedColormap:
    """The colours of the confusion matrix, from nearly white to deep orange."""
    return LinearSegmentedColormap.from_list("errors", ["#FDF0E6", ORANGE, VERMILION, "#8A3A00"])
