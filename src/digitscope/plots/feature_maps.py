"""Figures of a network's inside, one layer each: input, filters, feature maps, Flatten. Computes no result.

Single cells are drawn by ``plots.cells`` and ``plots.dense``, whole networks by
``plots.overview`` and ``plots.architecture``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from digitscope.arraytypes import Floats
from digitscope.errors import ConfigError
from digitscope.models.layers import LayerView
from digitscope.models.lens import Lens, unflatten
from digitscope.plots import results
from digitscope.plots.primitives import (
    LEFT,
    MARGIN,
    WIDTH,
    block,
    frame,
    grey,
    inset,
    key,
    lesson,
    line,
    number,
    number_grid,
    tiles,
    words,
)
from digitscope.plots.style import INK, MUTED, style

TOP = 0.95
"""Where the picture beside the words starts, in inches."""


@style()
def digit_and_matrix(lens: Lens, ax: Axes | None = None) -> Axes:
    """The picture as people see it, and as the network gets it: 784 numbers."""
    ink = int((lens.image > 0).sum())
    text = (
        "What you see: a handwritten digit, 28 pixels wide and 28 high.\n\n"
        "What the computer gets: 28 · 28 = 784 numbers, one for each pixel. 0 is black, 255 is white, what lies "
        "between is grey. There is nothing else: no stroke, no shape, no meaning.\n\n"
        f"Here {ink} of the 784 numbers are not 0. Before the network gets them, each is divided by 255, so that "
        "all lie between 0 and 1.\n\n"
        f"Shape: {lens.layers[0].size} (height, width, channels). A grey picture has one channel; a colour picture "
        "has three: red, green and blue."
    )
    ax = lesson("A picture is a table of numbers", text, bottom=7.55, top=3.5, ax=ax)
    grey(ax, lens.image, MARGIN, TOP, 2.3)
    table = inset(ax, LEFT + WIDTH - 6.6, TOP, 6.6, 6.6)
    results.matrix(lens.image, ax=table)
    table.set_title("")
    return ax


@style()
def filters(layer: LayerView, index: int | None = None, ax: Axes | None = None) -> Axes:
    """What a convolution has learned.

    Args:
        layer: a convolution.
        index: show this one filter, with the numbers of all its kernels. Left out: all filters; with numbers where
            each is a single kernel.
        ax: where to draw.

    Raises:
        ConfigError: the layer is no convolution, or has no such filter.
    """
    kernel, bias = layer.learned
    if kernel.ndim != 4:
        raise ConfigError(f"layer {layer.name!r} ({layer.kind}) has no filters; give a convolution")
    height, width, channels, count = kernel.shape
    if index is not None and not 0 <= index < count:
        raise ConfigError(f"layer {layer.name!r} has no filter {index}; give one of 0 to {count - 1}")
    if index is not None:
        return _one_filter(layer, index, ax)
    if channels > 1:
        return _all_kernels(layer, ax)
    finds = (
        "Where the picture is bright under orange and dark under blue, the sum is large: the filter has found what it "
        "looks for, such as an edge, a corner or a line in one direction."
    )
    if height * width == 1:
        finds = "As it sees one pixel at a time, it can find no pattern: orange answers to ink, blue takes it away."
    text = (
        f"{layer.name} has {count} filters. Each is a window of {height} × {width} weights and one bias b: "
        f"{layer.parameter_formula} numbers, all of them found in training.\n\n"
        f"A filter is laid on every spot of the picture. {finds}\n\n"
        "The same few weights are used everywhere. That is why a digit may be written a little higher or further left."
    )
    captions = [f"{i}:  b {number(float(b), 2)}" for i, b in enumerate(bias)]
    title = f"{layer.name}: the {count} filters that the network has learned"
    return _kernels(title, text, kernel[:, :, 0].transpose(2, 0, 1), captions, ax)


def _one_filter(layer: LayerView, index: int, ax: Axes | None) -> Axes:
    """One filter's kernels, one for each map before."""
    kernel, bias = layer.learned
    height, width, channels, _ = kernel.shape
    text = (
        f"Filter {index} of {layer.name} looks at all {channels} maps before it at once. It has a kernel of "
        f"{height} × {width} weights for each of them: {channels}·{height}·{width} = {channels * height * width} "
        f"weights, and one bias, {number(float(bias[index]), 3)}.\n\n"
        "The number above a kernel is the map that it reads. Orange weights add what the map shows, blue ones take it "
        "away, white ones ignore it."
    )
    title = f"{layer.name}, filter {index}: one kernel for each map before"
    captions = [f"map {channel}" for channel in range(channels)]
    return _kernels(title, text, kernel[..., index].transpose(2, 0, 1), captions, ax)


def _kernels(title: str, text: str, kernels: Floats, captions: list[str], ax: Axes | None) -> Axes:
    """Kernels (n, h, w) with all their numbers, eight in a row."""
    count, height, width = kernels.shape
    pitch = WIDTH / 8
    cell = (pitch - 0.1) / width
    rows = -(-count // 8)
    ax = lesson(title, text, bottom=TOP + rows * (height * cell + 0.36) - 0.1, ax=ax)
    limit = float(np.abs(kernels).max())
    for i, (kernel, caption) in enumerate(zip(kernels, captions, strict=True)):
        x, y = LEFT + (i % 8) * pitch, TOP + (i // 8) * (height * cell + 0.36)
        words(ax, x, y + 0.16, caption, 7, va="bottom", color=MUTED)
        number_grid(ax, kernel, x, y + 0.19, cell, limit, size=min(6, 21 * cell))
    return ax


def _all_kernels(layer: LayerView, ax: Axes | None) -> Axes:
    """All kernels of all filters: a column of kernels for each filter, a row for each map before."""
    kernel, _ = layer.learned
    height, width, channels, count = kernel.shape
    scale = (WIDTH - 0.12) / (count * (width + 1))
    text = (
        f"{layer.name} has {count} filters, and each reads all {channels} maps before it. So a filter is not one "
        f"kernel but a stack of {channels}: {layer.parameter_formula} numbers.\n\n"
        "Every column of this picture is one filter, every row is one map that it reads.\n\n"
        "Such a filter no longer finds a line. It finds a pattern of lines: an arc here, no stroke there. What it "
        "answers is added up over all its kernels.\n\n"
        "Orange: a weight above zero. Blue: below zero. White: zero."
    )
    ax = lesson(f"{layer.name}: {count} filters with {channels} kernels each", text,
                bottom=TOP + 0.3 + channels * (height + 1) * scale, ax=ax)  # fmt: skip
    whole = np.zeros((channels, height + 1, count, width + 1), np.float32)
    whole[:, :height, :, :width] = kernel.transpose(2, 0, 3, 1)
    whole = whole.reshape(channels * (height + 1), count * (width + 1))[:-1, :-1]
    whole = np.sign(whole) * whole**2  # squares, so that the few strong weights stand out from the many weak ones
    left, top = LEFT + 0.12, TOP + 0.3
    block(ax, whole, left, top, whole.shape[1] * scale, whole.shape[0] * scale, float(np.abs(whole).max()))
    for i in range(0, count, 4):
        x = left + (i * (width + 1) + width / 2) * scale
        words(ax, x, top - 0.05, str(i), 6.5, ha="center", va="bottom", color=MUTED)
    for i in range(0, channels, 4):
        y = top + (i * (height + 1) + height / 2) * scale
        words(ax, left - 0.07, y, str(i), 6.5, ha="right", va="center", color=MUTED)
    words(ax, LEFT + 0.12, TOP, "filter", 7, va="center", color=MUTED)
    words(ax, LEFT - 0.2, TOP + 0.3, "map before", 7, rotation=90, ha="center", color=MUTED)
    return ax


@style()
def feature_maps(
    layer: LayerView, columns: int | None = None, scale: Literal["layer", "map"] = "layer", ax: Axes | None = None
) -> Axes:
    """What every filter of a convolution, or the pooling after it, answers for the image.

    Args:
        layer: a layer of maps.
        columns: maps in a row; left out, 8, or 10 of more than forty.
        scale: whether colours compare over the whole ``layer``, or each ``map`` has its own darkest colour.
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
    gap = (0.1, 0.21)
    size = min((WIDTH + gap[0]) / columns - gap[0], (6.3 * width / height) / rows - gap[1])
    peaks = np.abs(layer.values).max(axis=(0, 1))
    limits = np.full(count, peaks.max()) if scale == "layer" else peaks
    title, text = f"{layer.name}: {count} maps of {height} × {width}", _about_maps(layer, scale)
    ax = lesson(title, text, bottom=TOP + rows * (size * height / width + gap[1]), ax=ax)
    maps = layer.values.transpose(2, 0, 1)
    places = tiles(ax, maps, LEFT, TOP + 0.14, size / width, columns, gap, limits)
    for i, (x, y) in enumerate(places):
        words(ax, x, y - 0.03, str(i), 6.5, va="bottom", color=MUTED)
        if peaks[i] == 0:
            line(ax, (x, y + size * height / width), (x + size, y))
            words(ax, x + size, y - 0.03, "silent", 6.5, ha="right", va="bottom", color=MUTED)
        elif scale == "map":
            words(ax, x + size, y - 0.03, number(float(peaks[i]), 1), 6.5, ha="right", va="bottom", color=MUTED)
    if scale == "layer":
        key(ax, LEFT + columns * (size + gap[0]) - gap[0], 0.42, float(peaks.max()), bool(layer.values.min() < 0))
    return ax


def _about_maps(layer: LayerView, scale: str) -> str:
    """What to say beside the maps of a layer."""
    count, negative = layer.shape[2], bool(layer.values.min() < 0)
    window = " × ".join(map(str, layer.window or ()))
    shrinks = (
        f"the window moves on by {(layer.strides or (1, 1))[1]}. The map shrinks, and a stroke that lies a little "
        "elsewhere gives nearly the same picture."
    )
    about = {
        "conv2d": f"Each filter moves over what came before, in windows of {window}, and writes down at each spot how "
        f"well it fits. So {count} filters give {count} maps.",
        "max_pooling2d": f"From every {window} block of a map only the largest number is kept; {shrinks}",
        "average_pooling2d": f"Every {window} block of a map becomes its mean; {shrinks}",
        "input": "The picture as the network gets it, each pixel divided by 255.",
    }[layer.kind]
    if layer.activation == "relu":
        about += " ReLU then sets every sum below zero to 0: what was not found counts as nothing."
    colours = f"White is 0, {'orange above, blue below, ' if negative else ''}and the darker, the larger; "
    colours += "one scale for all maps." if scale == "layer" else "each map up to the number at its top right."
    dead = int((layer.values == 0).all(axis=(0, 1)).sum())
    silent = f"\n\n{dead} of the {count} maps are silent for this picture: all their numbers are 0." if dead else ""
    learned = layer.parameter_formula if layer.parameters else "none, there is nothing to learn"
    return f"{about}\n\n{colours}{silent}\n\nShape: {layer.size}.\nParameters: {learned}."


@style()
def flattened(lens: Lens, ax: Axes | None = None) -> Axes:
    """How Flatten lays maps out as one row of numbers, and which number came from where.

    Raises:
        ConfigError: the network has no Flatten.
    """
    index = next((i for i, layer in enumerate(lens.layers) if layer.kind == "flatten"), 0)
    if index == 0 or len(lens.layers[index - 1].shape) != 3:
        raise ConfigError("this network flattens no maps, so there is nothing to show")
    values, before = lens.layers[index].values, lens.layers[index - 1]
    height, width, channels = before.shape
    peak = int(np.abs(values).argmax())
    row, column, channel = unflatten(before.shape, peak)
    text = (
        f"The dense layers that follow take a plain row of numbers. Flatten only rearranges: the {before.size} "
        f"numbers of {before.name} become {values.size:,}. Nothing is computed, nothing is lost.\n\n"
        f"The order: row by row, in each row column by column, and at each place all {channels} channels. So every "
        f"block here is one place of the {height} × {width} maps, and every line in it one of the {channels} maps.\n\n"
        f"number = (row · {width} + column) · {channels} + channel\n\n"
        f"The darkest line: number {peak} is {number(float(values[peak]))}. It is channel {channel} of row {row}, "
        f"column {column}, since ({row}·{width} + {column})·{channels} + {channel} = {peak}."
    )
    pitch, strip = WIDTH / width, max(0.3, min(1.15, 5.6 / height))
    ax = lesson(f"{before.size} becomes {values.size:,} in a row", text, bottom=TOP + height * strip, ax=ax)
    limit = float(np.abs(values).max())
    for place in range(height * width):
        x, y = LEFT + (place % width) * pitch, TOP + (place // width) * strip
        part = values[place * channels : (place + 1) * channels]
        block(ax, part[None], x, y + 0.16, pitch - 0.1, strip - 0.34, limit)
        label = f"row {place // width}, column {place % width}" if pitch > 1 else ""
        words(ax, x, y + 0.13, label, 6.5, va="bottom", color=INK)
        words(ax, x + pitch - 0.1, y + 0.13, f"from {place * channels}", 6.5, va="bottom", ha="right", color=MUTED)
    x = LEFT + (row * width + column) % width * pitch + (channel + 0.5) / channels * (pitch - 0.1)
    y = TOP + row * strip + strip - 0.16
    ax.plot([x], [y], marker="^", markersize=4, color=INK)
    words(ax, x, y + 0.04, str(peak), 6.5, ha="center", color=INK)
    key(ax, LEFT + WIDTH - 0.1, 0.42, limit, bool(values.min() < 0))
    frame(ax, LEFT + column * pitch, TOP + row * strip + 0.16, pitch - 0.1, strip - 0.34, INK, 1)
    return ax
