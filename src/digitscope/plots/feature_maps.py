"""Figures of what one layer computes for an image: the input, feature maps, Flatten.

What a convolution has learned is drawn by ``plots.filters``, a single number by ``plots.cells`` and ``plots.dense``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from digitscope.arraytypes import Floats
from digitscope.errors import ConfigError
from digitscope.formatting import number
from digitscope.models.layers import LayerView
from digitscope.models.lens import Lens
from digitscope.models.terms import unflatten
from digitscope.plots.data import matrix
from digitscope.plots.primitives import (
    LEFT,
    MARGIN,
    TOP,
    WIDTH,
    colorbar,
    explained_sheet,
    frame,
    grey_image,
    heatmap,
    heatmaps,
    inset,
    line,
    text,
)
from digitscope.plots.style import INK, MUTED, style

GAP = (0.1, 0.21)
"""Inches between two maps, to the right and down."""


@style()
def digit_and_matrix(lens: Lens, ax: Axes | None = None) -> Axes:
    """The picture as people see it and as the network gets it: 784 numbers."""
    ink = int((lens.image > 0).sum())
    explanation = (
        "What you see: a handwritten digit, 28 pixels wide and 28 high.\n\n"
        "What the computer gets: 28 · 28 = 784 numbers, one for each pixel. 0 is black, 255 is white, and anything "
        "between is grey. There is nothing else: no stroke, no shape, no meaning.\n\n"
        f"Here {ink} of the 784 numbers are not 0. Each is divided by 255 before it enters the network, so that "
        "all lie between 0 and 1.\n\n"
        f"Shape: {lens.layers[0].size} (height, width, channels). A grey picture has one channel; a colour picture "
        "has three: red, green and blue."
    )
    ax = explained_sheet("A picture is a table of numbers", explanation, bottom=7.55, top=3.5, ax=ax)
    grey_image(ax, lens.image, MARGIN, TOP, 2.3)
    table = inset(ax, LEFT + WIDTH - 6.6, TOP, 6.6, 6.6)
    matrix(lens.image, ax=table)
    table.set_title("")
    return ax


@style()
def feature_maps(
    layer: LayerView, columns: int | None = None, scale: Literal["layer", "map"] = "layer", ax: Axes | None = None
) -> Axes:
    """The maps that a convolution or a pooling computes for the image, one for each filter.

    Args:
        layer: a layer of maps.
        columns: maps in a row; left out, 8, or 10 where there are more than 40.
        scale: ``"layer"`` gives all maps one colour scale, ``"map"`` gives each its own.
        ax: where to draw.

    Raises:
        ConfigError: the layer has no maps.
    """
    if len(layer.shape) != 3:
        raise ConfigError(f"layer {layer.name!r} ({layer.kind}) has no maps; give a convolution or a pooling")
    if scale not in ("layer", "map"):
        raise ConfigError(f"scale is {scale!r}; give 'layer' or 'map'")
    if columns is not None and columns < 1:
        raise ConfigError(f"{columns} columns cannot hold maps; give 1 or more")
    height, width, count = layer.shape
    columns = columns or (8 if count <= 40 else 10)
    rows = -(-count // columns)
    size = min((WIDTH + GAP[0]) / columns - GAP[0], (6.3 * width / height) / rows - GAP[1])
    peaks = np.abs(layer.values).max(axis=(0, 1))
    limits = np.full(count, peaks.max()) if scale == "layer" else peaks
    title, explanation = f"{layer.name}: {count} maps of {height} × {width}", _about_maps(layer, scale)
    ax = explained_sheet(title, explanation, bottom=TOP + rows * (size * height / width + GAP[1]), ax=ax)
    maps = layer.values.transpose(2, 0, 1)
    corners = heatmaps(ax, maps, LEFT, TOP + 0.14, size / width, columns, GAP, limits)
    for i, (x, y) in enumerate(corners):
        _label_map(ax, x, y, size, size * height / width, str(i), float(peaks[i]), scale == "map")
    if scale == "layer":
        colorbar(ax, LEFT + columns * (size + GAP[0]) - GAP[0], 0.42, float(peaks.max()), bool(layer.values.min() < 0))
    return ax


def _label_map(
    ax: Axes, x: float, y: float, width: float, height: float, name: str, peak: float, show_peak: bool
) -> None:
    """Name a map, strike it out if it is silent, or show its largest number."""
    text(ax, x, y - 0.03, name, 6.5, va="bottom", color=MUTED)
    if peak == 0:
        line(ax, (x, y + height), (x + width, y))
    if peak == 0 or show_peak:
        note = number(peak, 1) if peak else "silent"
        text(ax, x + width, y - 0.03, note, 6.5, ha="right", va="bottom", color=MUTED)


def _about_maps(layer: LayerView, scale: str) -> str:
    """The explanation beside the maps of a layer."""
    count, negative = layer.shape[2], bool(layer.values.min() < 0)
    window = " × ".join(map(str, layer.window or ()))
    shrinks = (
        f"the window moves on by {(layer.strides or (1, 1))[1]}. The map shrinks, and a stroke that is shifted a "
        "little gives nearly the same picture."
    )
    about = {
        "conv2d": f"Each filter moves over the layer before, in windows of {window}, and writes down at each place "
        f"how well it fits. So {count} filters give {count} maps.",
        "max_pooling2d": f"Of every {window} window of a map only the largest number is kept; {shrinks}",
        "average_pooling2d": f"Every {window} window of a map becomes its mean; {shrinks}",
        "input": "The picture as the network gets it, each pixel divided by 255.",
    }[layer.kind]
    if layer.activation == "relu":
        about += " ReLU then sets every sum below zero to 0: what was not found counts as nothing."
    colours = f"White is 0, {'orange above, blue below, ' if negative else ''}darker is further from 0; "
    colours += (
        "all maps share one scale." if scale == "layer" else "each map is darkest at the number at its top right."
    )
    dead = int((layer.values == 0).all(axis=(0, 1)).sum())
    silent = f"\n\n{dead} of the {count} maps are silent for this picture: all their numbers are 0." if dead else ""
    learned = layer.parameter_formula if layer.parameters else "none, there is nothing to learn"
    return f"{about}\n\n{colours}{silent}\n\nShape: {layer.size}.\nParameters: {learned}."


@style()
def flattened(lens: Lens, ax: Axes | None = None) -> Axes:
    """How Flatten lays out maps as one row of numbers, and where each number comes from.

    Raises:
        ConfigError: the network has no Flatten after its maps.
    """
    index = next((i for i, layer in enumerate(lens.layers) if layer.kind == "flatten"), 0)
    if index == 0 or len(lens.layers[index - 1].shape) != 3:
        raise ConfigError("this network flattens no maps, so there is nothing to show")
    values, before = lens.layers[index].values, lens.layers[index - 1]
    height, width, channels = before.shape
    peak = int(np.abs(values).argmax())
    row, column, channel = unflatten(before.shape, peak)
    pitch, strip = WIDTH / width, max(0.3, min(1.15, 5.6 / height))
    title = f"{before.size} becomes {values.size:,} in a row"
    ax = explained_sheet(title, _about_flatten(before, values, peak), bottom=TOP + height * strip, ax=ax)
    limit = float(np.abs(values).max())
    for place, part in enumerate(values.reshape(-1, channels)):
        x, y = LEFT + (place % width) * pitch, TOP + (place // width) * strip
        heatmap(ax, part[None], x, y + 0.16, pitch - 0.1, strip - 0.34, limit)
        label = f"row {place // width}, column {place % width}" if pitch > 1 else ""
        text(ax, x, y + 0.13, label, 6.5, va="bottom", color=INK)
        text(ax, x + pitch - 0.1, y + 0.13, f"from {place * channels}", 6.5, va="bottom", ha="right", color=MUTED)
    x, y = LEFT + column * pitch, TOP + row * strip + strip - 0.16
    middle = x + (channel + 0.5) / channels * (pitch - 0.1)
    ax.plot([middle], [y], marker="^", markersize=4, color=INK)
    text(ax, middle, y + 0.04, str(peak), 6.5, ha="center", color=INK)
    colorbar(ax, LEFT + WIDTH - 0.1, 0.42, limit, bool(values.min() < 0))
    frame(ax, x, TOP + row * strip + 0.16, pitch - 0.1, strip - 0.34, INK, 1)
    return ax


def _about_flatten(before: LayerView, values: Floats, peak: int) -> str:
    """The explanation beside Flatten's numbers; ``peak`` is the index of the darkest."""
    height, width, channels = before.shape
    row, column, channel = unflatten(before.shape, peak)
    return (
        f"The dense layers that follow take a plain row of numbers. Flatten only rearranges: the {before.size} "
        f"numbers of {before.name} become {values.size:,}. Nothing is computed, nothing is lost.\n\n"
        f"The order: row by row, in each row column by column, and at each place all {channels} channels. So every "
        f"block here is one place of the {height} × {width} maps, and every line in it one of the {channels} maps.\n\n"
        f"number = (row · {width} + column) · {channels} + channel\n\n"
        f"The darkest line: number {peak} is {number(float(values[peak]))}. It is channel {channel} of row {row}, "
        f"column {column}, since ({row}·{width} + {column})·{channels} + {channel} = {peak}."
    )
