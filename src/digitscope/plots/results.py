"""Figures of data, training and results, as functions of numbers. Computes no result and writes no file.

Each function draws on the axes or figure it is given, or on a new one, and returns what it drew on;
``plots.style.save`` and ``plots.style.svg`` write that down. Digits are shown as their bytes say:
0 is black, 255 is white.
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

from digitscope.errors import DataError, MissingExtra
from digitscope.models.metrics import Bin, Evaluation, Mistake, wilson_interval
from digitscope.plots.style import (
    BLACK,
    BLUE,
    CYCLE,
    DASHED,
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
    percent,
    style,
)

DIGITS = range(10)
GAP, CAPTION_LINE, INCH = 4, 6, 38
"""Of a sheet of digits, in its pixels: between two columns, a line of caption, an inch of the printed sheet."""


@style()
def counts(labels_by_split: Mapping[str, npt.ArrayLike], ax: Axes | None = None) -> Axes:
    """How many images of each digit each split has.

    Args:
        labels_by_split: a name, e.g. ``"training"``, and its labels, integers (n,) 0..9.
        ax: where to draw.
    """
    try:
        import seaborn
    except ImportError as error:
        raise MissingExtra("seaborn", "train") from error

    if not labels_by_split or not all(map(np.size, labels_by_split.values())):
        raise DataError("there are no labels to count; give at least one for each split")
    ax = new_axes(9, 3.6) if ax is None else ax
    labels = {f"{name} ({np.size(split):,})": np.asarray(split) for name, split in labels_by_split.items()}
    names = np.repeat(list(labels), [len(split) for split in labels.values()])
    digits = np.concatenate(list(labels.values()))
    seaborn.countplot(
        x=digits, hue=names, order=DIGITS, palette=list(CYCLE[: len(labels)]), saturation=1, width=0.84, ax=ax
    )
    for bars in ax.containers:
        ax.bar_label(bars, fmt="{:,.0f}", fontsize=min(6.5, 15 / len(labels)), padding=2, color=MUTED)  # type: ignore[arg-type]
    ax.set(xlabel="digit", ylabel="images", title="How often each digit occurs")
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.margins(y=0.08)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(labels), borderaxespad=0.2)
    grid_lines(ax)
    return ax


@style()
def samples(
    images: npt.ArrayLike,
    captions: Sequence[object] | npt.NDArray[Any],
    rows: int = 5,
    columns: int = 10,
    figure: AnyFigure | None = None,
) -> AnyFigure:
    """A sheet of images, each with its label, or any other word, below it.

    Args:
        images: uint8 (n, 28, 28) 0..255, or floats 0..1; the first ``rows * columns`` are shown.
        captions: what to write below each.
        rows: of the sheet, at most.
        columns: of the sheet.
        figure: where to draw.
    """
    pictures = _pictures(images)[: rows * columns]
    texts = [str(caption) for caption in captions[: len(pictures)]]
    if len(texts) != len(pictures):
        raise DataError(f"{len(pictures)} images came with {len(texts)} captions; expected one for each")
    return _sheet(pictures, texts, columns, figure)


@style()
def matrix(image: npt.ArrayLike, scaled: bool = False, ax: Axes | None = None) -> Axes:
    """One image as the numbers it consists of, each over its own grey.

    Args:
        image: uint8 (28, 28) 0..255, or floats 0..1.
        scaled: print floats 0..1, as the network gets them, instead of 0..255.
        ax: where to draw; on less than 7 inches the numbers shrink with it.
    """
    ax = new_axes(9.2, 9.6) if ax is None else ax
    picture = _pictures(np.asarray(image)[None])[0]
    height, width = picture.shape
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="none")
    size = (5.6 if scaled else 6.6) * min(1, ax.bbox.width / ax.figure.dpi / 7)
    for (y, x), value in np.ndenumerate(picture):
        text = f"{value:.3f}" if scaled and 0 < value < 1 else f"{value if scaled else 255 * value:.0f}"
        color = "#7A7A7A" if value == 0 else "white" if value < 0.46 else BLACK
        ax.text(x, y, text, ha="center", va="center", fontsize=size, color=color)
    ax.xaxis.tick_top()
    ax.set_xticks(range(width))
    ax.set_yticks(range(height))
    ax.tick_params(length=0, labelsize=7, labelcolor=MUTED)
    ax.spines[:].set_visible(False)
    pixels = f"{height} × {width} = {height * width} numbers"
    ax.set_title(f"{pixels}{', divided by 255: 0 is black, 1' if scaled else ': 0 is black, 255'} is white")
    return ax


@style()
def mean_images(images: npt.ArrayLike, labels: npt.ArrayLike, figure: AnyFigure | None = None) -> AnyFigure:
    """The mean of all images of each digit.

    Args:
        images: uint8 (n, 28, 28) 0..255, or floats 0..1.
        labels: integers (n,) 0..9.
        figure: where to draw.
    """
    x, y = np.asarray(images), np.asarray(labels)
    if len(x) != len(y):
        raise DataError(f"{len(x):,} images came with {len(y):,} labels; expected one for each")
    present = [digit for digit in DIGITS if (y == digit).any()]
    means = np.stack([_pictures(x[y == digit]).mean(axis=0) for digit in present])
    return _sheet(means, [f"{digit}\nn = {(y == digit).sum():,}" for digit in present], 5, figure)


@style()
def training_curves(
    history: Sequence[Mapping[str, Any]], figure: AnyFigure | None = None, test: Evaluation | None = None
) -> AnyFigure:
    """Loss and accuracy after each epoch.

    Args:
        history: one row per epoch with ``epoch``, ``loss`` and ``accuracy`` (0..1), as in ``history.csv``.
        figure: where to draw.
        test: adds how the finished network does on images it has never seen.
    """
    figure = new_figure(9, 3.4) if figure is None else figure
    epochs = _column(history, "epoch")
    loss, accuracy = figure.subplots(1, 2)
    for ax, name, color in ((loss, "loss", VERMILION), (accuracy, "accuracy", BLUE)):
        values = _column(history, name)
        ax.plot(epochs, values, marker="o", color=color, label="training images, mean over the epoch")
        if test is not None:
            ax.axhline(getattr(test, name), color=INK, linewidth=1, linestyle=DASHED, label="test images, at the end")
        ax.set(title=name.capitalize(), xlabel="epoch")
        ax.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12, min_n_ticks=1))
        grid_lines(ax)
    loss.set_ylim(0, 1.35 * loss.dataLim.y1)
    loss.set_ylabel("cross-entropy")
    accuracy.set_ylim(None, 1)
    accuracy.yaxis.set_major_formatter(percent)
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
    """Which digit was taken for which; right answers are grey, so that the errors have the colour to themselves.

    Args:
        matrix: integers (10, 10); row = label, column = answer.
        ax: where to draw.
        normalize: print percent of the row's images instead of counts.
    """
    counted = np.asarray(matrix)
    if counted.shape != (10, 10):
        raise DataError(f"a confusion matrix is {counted.shape}; expected (10, 10)")
    ax = new_axes(6, 6) if ax is None else ax
    shown = 100 * counted / np.maximum(counted.sum(axis=1, keepdims=True), 1) if normalize else counted
    diagonal = np.eye(10, dtype=bool)
    errors = np.ma.masked_where(diagonal | (counted == 0), shown)
    most = max(np.ma.filled(errors, 0).max(), 0.5 if normalize else 5)  # so that single errors stay pale
    ax.imshow(errors, cmap=_errors_map(), vmin=0, vmax=most, interpolation="none")
    ax.imshow(np.ma.masked_where(~diagonal, np.ones((10, 10))), cmap="gray", vmin=0, vmax=1.1, interpolation="none")
    for (row, column), value in np.ndenumerate(shown):
        text = f"{value:.1f}" if normalize and value else f"{value:,.0f}"
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
    """How often answers of a certain confidence are right; each whisker is the 95 % interval that ``n`` answers allow.

    Args:
        bins: what ``digitscope.Evaluation.bins`` holds.
        ece: the expected calibration error 0..1.
        ax: where to draw.
    """
    ax = new_axes(6.4, 5) if ax is None else ax
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=DASHED, label="confidence = accuracy")
    above = ax.get_xaxis_transform()
    ax.text(0, 1.02, "n =", ha="right", fontsize=7, color=MUTED, transform=above)
    for part in bins:
        middle, width = (part.low + part.high) / 2, part.high - part.low
        color = INK if part.n else FAINT
        ax.text(middle, 1.02, f"{part.n:,}", ha="center", fontsize=7, color=color, transform=above)
        if part.confidence is None or part.accuracy is None:
            continue
        ax.bar(middle, part.accuracy, width=0.92 * width, color=SKY, alpha=0.4)
        low_high = wilson_interval(round(part.accuracy * part.n), part.n)
        ax.plot([part.confidence] * 2, low_high, color=BLUE, linewidth=1.2)
        ax.plot(part.confidence, part.accuracy, marker="o", color=BLUE, clip_on=False)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence of the answer", ylabel="answers that are right")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(percent)
    ax.set_title(f"Confidence and accuracy differ by {100 * ece:.2f} points on average", pad=20)
    ax.legend(loc="upper left")
    grid_lines(ax)
    return ax


@style()
def per_class(evaluation: Evaluation, ax: Axes | None = None) -> Axes:
    """Precision, recall and F1 of each digit, on an axis that says where it starts."""
    ax = new_axes(8, 3.8) if ax is None else ax
    scores = [c for c in evaluation.per_class if c.support]
    digits = np.array([c.digit for c in scores])
    series = (
        ("precision (right among its answers)", "o", BLUE, [c.precision for c in scores]),
        ("recall (found among its images)", "s", VERMILION, [c.recall for c in scores]),
        ("F1 (both in one)", "D", GREEN, [c.f1 for c in scores]),
    )
    for shift, (name, marker, color, values) in zip((-0.2, 0.2, 0), series, strict=True):
        ax.plot(digits + shift, values, marker=marker, color=color, linestyle="none", label=name, clip_on=False)
    lowest = min(min(values) for *_, values in series)
    start = max(0.0, math.floor(200 * lowest - 0.5) / 200)
    ax.set_ylim(start, 1)
    ax.yaxis.set_major_formatter(percent)
    ax.set(xlabel="digit", ylabel=f"(the axis starts at {100 * start:g} %)", xticks=DIGITS, xlim=(-0.5, 9.5))
    ax.set_title("Each digit by itself", pad=26)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, handletextpad=0.1, columnspacing=1.4)
    for edge in np.arange(0.5, 9):
        ax.axvline(edge, color=GRID, linewidth=0.8)
    grid_lines(ax)
    return ax


@style()
def mistakes(
    images: npt.ArrayLike, mistakes: Sequence[Mistake], columns: int = 5, figure: AnyFigure | None = None
) -> AnyFigure:
    """The most confident mistakes: each image's label, the answer, and how sure the network was.

    Args:
        images: uint8 (n, 28, 28) 0..255, or floats 0..1: the images that the mistakes' indices count.
        mistakes: what ``digitscope.Evaluation.mistakes`` holds.
        columns: of the sheet.
        figure: where to draw.
    """
    everything = np.asarray(images)
    outside = [mistake.index for mistake in mistakes if not 0 <= mistake.index < len(everything)]
    if outside:
        raise DataError(f"mistake {outside[0]} is outside the {len(everything):,} images; give all that were evaluated")
    if not mistakes:
        figure = new_figure(4, 0.6) if figure is None else figure
        figure.text(0.5, 0.5, "There is no mistake to show.", ha="center", va="center")
        return figure
    pictures = _pictures(everything[[mistake.index for mistake in mistakes]])
    captions = [f"{m.label} \N{RIGHTWARDS ARROW} {m.answer}\n{100 * m.confidence:.1f} %" for m in mistakes]
    return _sheet(pictures, captions, columns, figure)


@style()
def probabilities(values: npt.ArrayLike, ax: Axes | None = None, label: int | None = None) -> Axes:
    """The ten probabilities of one image; the answer is blue, the label orange if it is another digit.

    Args:
        values: floats (10,) 0..1.
        ax: where to draw.
        label: 0..9, what the image is said to show, if known.
    """
    parts = np.asarray(values, float)
    if parts.shape != (10,):
        raise DataError(f"probabilities are {parts.shape}; expected ten numbers")
    ax = new_axes(5.2, 2.8) if ax is None else ax
    answer = int(parts.argmax())
    colors = [BLUE if digit == answer else ORANGE if digit == label else SKY for digit in DIGITS]
    bars = ax.bar(DIGITS, parts, width=0.72, color=colors)
    ax.bar_label(bars, [f"{100 * part:.1f}" for part in parts], fontsize=7.5, padding=2, color=MUTED)
    ax.set(xticks=DIGITS, ylim=(0, 1), ylabel="probability")
    ax.yaxis.set_major_formatter(percent)
    ax.set_title(f"{answer}, with {100 * parts[answer]:.1f} %" + ("" if label is None else f" (label {label})"), pad=14)
    grid_lines(ax)
    return ax


def _sheet(
    pictures: npt.NDArray[np.float64], captions: Sequence[str], columns: int, figure: AnyFigure | None
) -> AnyFigure:
    """Pictures float64 (n, h, w) 0..1 as one image, row by row, each with its caption below."""
    if not len(pictures):
        raise DataError("there are no images to show; give at least one")
    n, height, width = pictures.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    pitch = height + 3 + CAPTION_LINE * max(caption.count("\n") + 1 for caption in captions)
    sheet = np.full((rows * pitch, columns * (width + GAP) - GAP), np.nan)
    figure = new_figure(sheet.shape[1] / INCH, sheet.shape[0] / INCH) if figure is None else figure
    ax = figure.subplots()
    for index, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        top, left = index // columns * pitch, index % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = picture
        ax.text(left + width / 2 - 0.5, top + height + 1, caption, ha="center", va="top", fontsize=8)
    ax.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="none")
    ax.set_axis_off()
    return figure


def _pictures(images: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Images uint8 0..255 or floats 0..1 (n, h, w) as float64 (n, h, w) 0..1."""
    pictures = np.asarray(images)
    if pictures.ndim != 3:
        raise DataError(f"images have shape {pictures.shape}; expected (n, height, width)")
    if pictures.dtype == np.uint8:
        return pictures / 255.0
    if pictures.dtype.kind != "f" or not (pictures.size == 0 or (pictures.min() >= 0 and pictures.max() <= 1)):
        raise DataError("images are neither uint8 nor floats 0..1; divide by 255, or give the bytes")
    return pictures.astype(np.float64)


def _column(history: Sequence[Mapping[str, Any]], name: str) -> npt.NDArray[np.float64]:
    """One column of a training history."""
    try:
        column = np.array([float(row[name]) for row in history])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"the training history has no numbers under {name!r} ({error}); train the run again") from error
    if not len(column):
        raise DataError("the training history has no epochs; train the run again")
    return column


def _errors_map() -> LinearSegmentedColormap:
    """From nearly white to a deep orange."""
    return LinearSegmentedColormap.from_list("errors", ["#FDF0E6", ORANGE, VERMILION, "#8A3A00"])
