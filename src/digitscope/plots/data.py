"""Figures of a dataset: how many images of each digit, samples, one image as numbers, the mean of each digit.

Each function draws on the axes or figure it is given, or on a new one, and returns what it drew on;
``plots.style.save`` and ``plots.style.svg`` turn that into a file or an SVG element. Digits are shown as they are
stored: 0 is black, 255 is white.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from digitscope.arraytypes import Doubles
from digitscope.errors import DataError, MissingExtra
from digitscope.plots.style import BLACK, CYCLE, DIGITS, MUTED, AnyFigure, grid_lines, new_axes, new_figure, style

GAP, CAPTION_LINE, INCH = 4, 6, 38
"""Of a sheet of images, in its pixels: between two columns, a line of caption, an inch of the printed sheet."""


@style()
def counts(labels_by_split: Mapping[str, npt.ArrayLike], ax: Axes | None = None) -> Axes:
    """How many images of each digit each split has.

    Args:
        labels_by_split: a name, e.g. ``"training"``, and its labels, integers (n,) 0..9.
        ax: where to draw.
    """
    try:
        import seaborn  # extra train
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
    """Images in rows, each with its label or another caption below it.

    Args:
        images: uint8 (n, 28, 28) 0..255, or floats 0..1; the first ``rows * columns`` are shown.
        captions: (n,) what to write below each image.
        rows: rows of images at most.
        columns: images in a row.
        figure: where to draw.
    """
    pictures = _as_floats(images)[: rows * columns]
    texts = [str(caption) for caption in captions[: len(pictures)]]
    if len(texts) != len(pictures):
        raise DataError(f"{len(pictures)} images came with {len(texts)} captions; expected one for each")
    return _image_grid(pictures, texts, columns, figure)


@style()
def matrix(image: npt.ArrayLike, scaled: bool = False, ax: Axes | None = None) -> Axes:
    """One image as the numbers it consists of, each printed on its own grey.

    Args:
        image: uint8 (28, 28) 0..255, or floats 0..1.
        scaled: print floats 0..1, as the network gets them, instead of 0..255.
        ax: where to draw; on less than 7 inches the numbers get smaller.
    """
    ax = new_axes(9.2, 9.6) if ax is None else ax
    picture = _as_floats(np.asarray(image)[None])[0]
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
    means = np.stack([_as_floats(x[y == digit]).mean(axis=0) for digit in present])
    return _image_grid(means, [f"{digit}\nn = {(y == digit).sum():,}" for digit in present], 5, figure)


def _image_grid(pictures: Doubles, captions: Sequence[str], columns: int, figure: AnyFigure | None) -> AnyFigure:
    """Pictures float64 (n, h, w) 0..1 as one image, row by row, each with its caption below."""
    if not len(pictures):
        raise DataError("there are no images to show; give at least one")
    n, height, width = pictures.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    pitch = height + 3 + CAPTION_LINE * max(caption.count("\n") + 1 for caption in captions)
    grid = np.full((rows * pitch, columns * (width + GAP) - GAP), np.nan)
    figure = new_figure(grid.shape[1] / INCH, grid.shape[0] / INCH) if figure is None else figure
    ax = figure.subplots()
    for index, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        top, left = index // columns * pitch, index % columns * (width + GAP)
        grid[top : top + height, left : left + width] = picture
        ax.text(left + width / 2 - 0.5, top + height + 1, caption, ha="center", va="top", fontsize=8)
    ax.imshow(grid, cmap="gray", vmin=0, vmax=1, interpolation="none")
    ax.set_axis_off()
    return figure


def _as_floats(images: npt.ArrayLike) -> Doubles:
    """Images uint8 0..255 or floats 0..1 (n, h, w) as float64 (n, h, w) 0..1."""
    pictures = np.asarray(images)
    if pictures.ndim != 3:
        raise DataError(f"images have shape {pictures.shape}; expected (n, height, width)")
    if pictures.dtype == np.uint8:
        return pictures / 255.0
    if pictures.dtype.kind != "f" or not (pictures.size == 0 or (pictures.min() >= 0 and pictures.max() <= 1)):
        raise DataError("images are neither uint8 nor floats 0..1; divide by 255, or give the bytes")
    return pictures.astype(np.float64)
