"""Figures of the filters that a convolution has learned; they depend on no image.

What the filters find in an image is drawn by ``plots.feature_maps``.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from digitscope.arraytypes import Floats
from digitscope.errors import ConfigError
from digitscope.formatting import number
from digitscope.models.layers import LayerView
from digitscope.plots.primitives import (
    LEFT,
    TOP,
    WIDTH,
    explained_sheet,
    heatmap,
    heatmap_with_numbers,
    text,
)
from digitscope.plots.style import MUTED, style


@style()
def filters(layer: LayerView, index: int | None = None, ax: Axes | None = None) -> Axes:
    """The filters that a convolution has learned.

    Args:
        layer: a convolution.
        index: of one filter, to show all its kernels with their numbers. Left out, all filters are shown, with
            numbers if each has a single kernel.
        ax: where to draw.

    Raises:
        ConfigError: the layer is not a convolution, or has no such filter.
    """
    kernel, _ = layer.learned
    if kernel.ndim != 4:
        raise ConfigError(f"layer {layer.name!r} ({layer.kind}) has no filters; give a convolution")
    channels, count = kernel.shape[2:]
    if index is not None and not 0 <= index < count:
        raise ConfigError(f"layer {layer.name!r} has no filter {index}; give one of 0 to {count - 1}")
    if index is not None:
        return _one_filter(layer, index, ax)
    return _kernels_of_picture(layer, ax) if channels == 1 else _kernels_of_maps(layer, ax)


def _kernels_of_picture(layer: LayerView, ax: Axes | None) -> Axes:
    """All filters of a convolution that reads the picture itself, each a single kernel with its numbers."""
    kernel, bias = layer.learned
    height, width, _, count = kernel.shape
    finds = (
        "Where the picture is bright under orange and dark under blue, the sum is large: the filter has found what it "
        "looks for, such as an edge, a corner or a line in one direction."
    )
    if height * width == 1:
        finds = "As it sees one pixel at a time, it cannot find a pattern: orange counts for ink, blue against it."
    explanation = (
        f"{layer.name} has {count} filters. Each is a window of {height} × {width} weights and one bias b: "
        f"{layer.parameter_formula} numbers, all of them found in training.\n\n"
        f"A filter looks at every place of the picture in turn. {finds}\n\n"
        "The same few weights are used everywhere. That is why a digit may be written a little higher or further left."
    )
    captions = [f"{i}:  b {number(float(b), 2)}" for i, b in enumerate(bias)]
    title = f"{layer.name}: the {count} filters that the network has learned"
    return _kernels(title, explanation, kernel[:, :, 0].transpose(2, 0, 1), captions, ax)


def _one_filter(layer: LayerView, index: int, ax: Axes | None) -> Axes:
    """One filter's kernels, one for each map of the layer before."""
    kernel, bias = layer.learned
    height, width, channels, _ = kernel.shape
    explanation = (
        f"Filter {index} of {layer.name} reads all {channels} maps of the layer before at once. It has a kernel of "
        f"{height} × {width} weights for each of them: {channels}·{height}·{width} = {channels * height * width} "
        f"weights, and one bias, {number(float(bias[index]), 3)}.\n\n"
        "Above each kernel is the map that it reads. Orange weights add what the map shows, blue ones subtract it, "
        "white ones ignore it."
    )
    title = f"{layer.name}, filter {index}: one kernel for each map it reads"
    captions = [f"map {channel}" for channel in range(channels)]
    return _kernels(title, explanation, kernel[..., index].transpose(2, 0, 1), captions, ax)


def _kernels(title: str, explanation: str, kernels: Floats, captions: list[str], ax: Axes | None) -> Axes:
    """Kernels (n, h, w) with all their numbers, eight in a row."""
    count, height, width = kernels.shape
    pitch = WIDTH / 8
    cell = (pitch - 0.1) / width
    rows = -(-count // 8)
    ax = explained_sheet(title, explanation, bottom=TOP + rows * (height * cell + 0.36) - 0.1, ax=ax)
    limit = float(np.abs(kernels).max())
    for i, (kernel, caption) in enumerate(zip(kernels, captions, strict=True)):
        x, y = LEFT + (i % 8) * pitch, TOP + (i // 8) * (height * cell + 0.36)
        text(ax, x, y + 0.16, caption, 7, va="bottom", color=MUTED)
        heatmap_with_numbers(ax, kernel, x, y + 0.19, cell, limit, size=min(6, 21 * cell))
    return ax


def _kernels_of_maps(layer: LayerView, ax: Axes | None) -> Axes:
    """All kernels of a convolution that reads maps: a column for each filter, a row for each map it reads."""
    kernel, _ = layer.learned
    height, width, channels, count = kernel.shape
    scale = (WIDTH - 0.12) / (count * (width + 1))
    explanation = (
        f"{layer.name} has {count} filters, and each reads all {channels} maps of the layer before. So a filter is "
        f"not one kernel but a stack of {channels}: {layer.parameter_formula} numbers.\n\n"
        "Every column of this picture is one filter, every row is one map that it reads.\n\n"
        "Such a filter no longer finds a single line. It finds a pattern of lines: an arc here, no stroke there. Its "
        "answer is the sum over all its kernels.\n\n"
        "Orange weights are above zero, blue ones below zero, white ones zero."
    )
    title = f"{layer.name}: {count} filters with {channels} kernels each"
    ax = explained_sheet(title, explanation, bottom=TOP + 0.3 + channels * (height + 1) * scale, ax=ax)
    whole = np.zeros((channels, height + 1, count, width + 1), np.float32)
    whole[:, :height, :, :width] = kernel.transpose(2, 0, 3, 1)
    whole = whole.reshape(channels * (height + 1), count * (width + 1))[:-1, :-1]
    whole = np.sign(whole) * whole**2  # squares, so that the few strong weights stand out from the many weak ones
    left, top = LEFT + 0.12, TOP + 0.3
    heatmap(ax, whole, left, top, whole.shape[1] * scale, whole.shape[0] * scale, float(np.abs(whole).max()))
    for i in range(0, count, 4):
        x = left + (i * (width + 1) + width / 2) * scale
        text(ax, x, top - 0.05, str(i), 6.5, ha="center", va="bottom", color=MUTED)
    for i in range(0, channels, 4):
        y = top + (i * (height + 1) + height / 2) * scale
        text(ax, left - 0.07, y, str(i), 6.5, ha="right", va="center", color=MUTED)
    text(ax, LEFT + 0.12, TOP, "filter", 7, va="center", color=MUTED)
    text(ax, LEFT - 0.2, TOP + 0.3, "map it reads", 7, rotation=90, ha="center", color=MUTED)
    return ax
