"""A digit's way through a whole network on one sheet to print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from digitscope.formatting import probability
from digitscope.models.layers import LayerView
from digitscope.models.lens import Lens
from digitscope.plots.primitives import (
    MARGIN,
    arrow,
    bar,
    grey_image,
    heading,
    heatmap,
    heatmaps,
    line,
    sheet,
    text,
    wrapped,
)
from digitscope.plots.style import INK, MUTED, style

RIGHT = 10.65
"""Right end of everything on a sheet of 11 inches."""
COLUMN, GAP, BETWEEN = 8, 0.05, 0.34
"""How many maps stand one below another; inches between two maps, and between two layers."""
LARGEST_SCALE = 0.024
"""Inches per cell of a map; smaller where a network would not fit."""
BODY, PER_ROW = 1.75, 5
"""Inches to where the pictures start, below the captions; layers of maps that stand side by side at most."""
FIRST, ROOM = 1.3, RIGHT - MARGIN - 1.3
"""Inches: width of the first column, input and filters, and what is left for the maps beside it."""
ROW_GAP = 1.1
"""Inches from the bottom of one row of layers to the top of the next; captions stand between them."""


@style()
def overview(lens: Lens, title: str | None = None, ax: Axes | None = None) -> Axes:
    """A digit's way through the network on one sheet to print.

    Args:
        lens: one image in a network.
        title: what to write above; left out, the answer.
        ax: where to draw.
    """
    maps = [layer for layer in lens.layers[1:] if len(layer.shape) == 3]
    flatten, *vectors = [layer for layer in lens.layers if len(layer.shape) == 1]
    rows = _rows(maps)
    scale = min(_scale(row) for row in rows)
    tops = _tops(rows, scale)
    lefts, bottoms = _lefts(rows[-1], scale), _bottoms(rows[-1], tops[-1], scale)
    first_below = max((i for i, left in enumerate(lefts) if RIGHT - left >= 4.6), default=0)
    below = max(bottoms[first_below:], default=BODY) + 0.3
    height = max(0.6, 0.075 * lens.before(flatten.name).shape[0])
    ax = sheet(11, max([*bottoms, BODY + 4.5, below + height + 2.1]) + 0.3, ax)
    _heading(ax, lens, title)
    _draw_input(ax, lens)
    end = _draw_rows(ax, rows, tops, scale)
    if maps:
        middle = (lefts[-1] + end) / 2
        arrow(ax, (middle, bottoms[-1]), (middle, below - 0.14 if lefts[-1] == lefts[first_below] else below + 0.2))
    left = lefts[first_below] if maps else MARGIN
    _draw_flatten(ax, lens, flatten, left, below, height)
    _draw_dense_layers(ax, lens, vectors, left, below + height + 0.68)
    return ax


def _heading(ax: Axes, lens: Lens, title: str | None) -> None:
    total = sum(layer.parameters for layer in lens.layers)
    explanation = (
        "White is 0, darker is further from 0; every layer has its own scale. A map that is struck out is silent: "
        f"all 0. Parameters in total: {total:,}."
    )
    title = title or f"How the network reads this digit: {lens.answer} ({probability(lens.confidence)})"
    heading(ax, title, explanation)


def _rows(maps: Sequence[LayerView]) -> list[list[LayerView]]:
    """The layers of maps in as many rows as they need; the lower rows hold more of them."""
    parts = np.array_split(np.arange(len(maps)), max(1, -(-len(maps) // PER_ROW)))
    places = iter(maps)
    return [[next(places) for _ in part] for part in parts[::-1]]


def _tops(rows: Sequence[Sequence[LayerView]], scale: float) -> list[float]:
    """Where each row of layers starts."""
    tops = [BODY]
    for row in rows[:-1]:
        tops.append(max(_bottoms(row, tops[-1], scale)) + ROW_GAP)
    return tops


def _bottoms(row: Sequence[LayerView], top: float, scale: float) -> list[float]:
    """Where each layer of a row that starts at ``top`` ends."""
    return [top + min(COLUMN, layer.shape[2]) * (layer.shape[0] * scale + GAP) for layer in row]


def _widths(row: Sequence[LayerView], scale: float) -> list[float]:
    """How wide each layer of a row is, its caption included, with ``scale`` inches per cell."""
    caption = min(1.2, ROOM / max(len(row), 1) - BETWEEN)
    return [max(-(-layer.shape[2] // COLUMN) * (layer.shape[1] * scale + GAP), caption) for layer in row]


def _scale(row: Sequence[LayerView]) -> float:
    """Inches per cell at which all layers of a row fit beside each other."""
    scales: list[float] = np.linspace(LARGEST_SCALE, LARGEST_SCALE / 20, 96).tolist()
    fitting = (scale for scale in scales if sum(_widths(row, scale)) + BETWEEN * len(row) <= ROOM)
    return next(fitting, scales[-1])


def _lefts(row: Sequence[LayerView], scale: float) -> list[float]:
    """Where each layer of a row starts; spare room goes between them."""
    widths = _widths(row, scale)
    between = min((ROOM - sum(widths)) / max(len(row), 1), 0.8)
    starts = MARGIN + FIRST + np.cumsum([between, *(width + between for width in widths)])
    return [float(start) for start in starts[: len(row)]]


def _caption(ax: Axes, x: float, y: float, layer: LayerView, width: float) -> None:
    """A layer's name, shape, parameters and what it does, one below the other."""
    text(ax, x, y, layer.name, 9, weight="bold", va="baseline")
    text(ax, x, y + 0.15, layer.size, 7.5, va="baseline")
    text(ax, x, y + 0.28, _parameters(layer), 7, va="baseline")
    text(ax, x, y + 0.34, wrapped(_what_it_does(layer), max(int(width / 0.052), 12)), 7, color=MUTED)


def _short_caption(ax: Axes, x: float, y: float, layer: LayerView) -> None:
    """A layer's name, and the rest of its caption in two lines."""
    text(ax, x, y, layer.name, 9, weight="bold", va="baseline")
    text(ax, x, y + 0.15, f"{layer.size} numbers, {_parameters(layer)}", 7, va="baseline")
    text(ax, x, y + 0.28, _what_it_does(layer), 7, va="baseline", color=MUTED)


def _parameters(layer: LayerView) -> str:
    return f"{layer.parameters:,} parameters" if layer.parameters else "nothing to learn"


def _what_it_does(layer: LayerView) -> str:
    """What a layer does, in a few words."""
    if layer.activation == "softmax":
        return "ten sums, turned into probabilities"
    if layer.kernel is not None and layer.kernel.ndim == 4 and layer.kernel.shape[2] > 1:
        return f"every filter reads all {layer.kernel.shape[2]} maps"
    return {
        "input": "each pixel is a number from 0 to 1",
        "conv2d": "every filter looks at every place",
        "max_pooling2d": "the largest number of every window",
        "average_pooling2d": "the mean of every window",
        "flatten": "the same numbers in a row: place by place, at each place all channels",
        "dense": "each number times a weight, all added up",
    }[layer.kind]


def _draw_input(ax: Axes, lens: Lens) -> None:
    """The image, and below it the filters of the first convolution."""
    _caption(ax, MARGIN, BODY - 0.66, lens.layers[0], FIRST)
    grey_image(ax, lens.image, MARGIN, BODY, FIRST)
    layer = lens.layers[1]
    if layer.kind != "conv2d":
        return
    kernel, _ = layer.learned
    width, count = kernel.shape[1], kernel.shape[3]
    columns = -(-count // COLUMN)
    pitch = min(FIRST / columns, 0.33)
    scale = (pitch - GAP) / width
    y = BODY + FIRST + 0.28
    text(ax, MARGIN, y, f"{layer.name}'s {count} filters", 7.5, va="baseline")
    text(ax, MARGIN, y + 0.06, "orange: bright here counts for;\nblue, with a dash: against", 6.2, color=MUTED)
    limits = np.full(count, np.abs(kernel).max())
    kernels = kernel[:, :, 0].transpose(2, 0, 1)
    corners = heatmaps(ax, kernels, MARGIN, y + 0.36, scale, columns, (GAP, GAP), limits)
    for (i, row, column), weight in np.ndenumerate(kernels):
        if weight < 0:
            x, y = corners[i] + scale * (np.array([column, row]) + 0.5)
            text(ax, x, y, "−", 4.5, ha="center", va="center")


def _draw_rows(ax: Axes, rows: Sequence[Sequence[LayerView]], tops: Sequence[float], scale: float) -> float:
    """All layers of maps, an arrow before each; returns the right end of the last."""
    end = MARGIN + FIRST
    for row, top in zip(rows, tops, strict=True):
        lefts = _lefts(row, scale)
        if row is not rows[0]:
            end = lefts[0] - 0.35
        for layer, left in zip(row, lefts, strict=True):
            arrow(ax, (end + 0.05, top + 0.2), (left - 0.05, top + 0.2))
            end = _draw_maps(ax, layer, left, top, scale)
        if row is not rows[-1]:
            arrow(ax, (end + 0.05, top + 0.2), (end + 0.3, top + 0.2))
    return end


def _draw_maps(ax: Axes, layer: LayerView, left: float, top: float, scale: float) -> float:
    """All maps of a layer with its caption; returns their right end."""
    height, width, count = layer.shape
    columns = -(-count // COLUMN)
    right = left + columns * (width * scale + GAP) - GAP
    _caption(ax, left, top - 0.66, layer, max(right - left, 1.2))
    limits = np.full(count, np.abs(layer.values).max())
    corners = heatmaps(ax, layer.values.transpose(2, 0, 1), left, top, scale, columns, (GAP, GAP), limits)
    for i, (x, y) in enumerate(corners):
        if not layer.values[..., i].any():
            line(ax, (x, y + height * scale), (x + width * scale, y))
    return right


def _draw_flatten(ax: Axes, lens: Lens, layer: LayerView, left: float, top: float, height: float) -> None:
    """Flatten as lines of numbers: a line for each row of the maps before, in it a block for each place."""
    _short_caption(ax, left, top, layer)
    rows, columns, channels = lens.before(layer.name).shape
    down, right = height / rows, (RIGHT - left + 0.03) / columns
    limit = float(np.abs(layer.values).max())
    for place, part in enumerate(layer.values.reshape(-1, channels)):
        x, y = left + place % columns * right, top + 0.38 + place // columns * down
        heatmap(ax, part[None], x, y, right - 0.03, 0.75 * down, limit)


def _draw_dense_layers(ax: Axes, lens: Lens, layers: Sequence[LayerView], left: float, y: float) -> None:
    """The layers after Flatten: dense layers as blocks, the ten answers as bars."""
    bars = RIGHT - 2.35
    pitch = (bars - left) / max(len(layers) - 1, 1)
    for i, layer in enumerate(layers[:-1]):
        x, columns = left + i * pitch, -(-layer.shape[0] // COLUMN)
        size = min(0.12, (pitch - 0.45) / columns)
        _short_caption(ax, x, y, layer)
        values = np.zeros(columns * COLUMN, np.float32)
        values[: layer.shape[0]] = layer.values
        limit = float(np.abs(values).max())
        heatmap(ax, values.reshape(columns, COLUMN).T, x, y + 0.38, columns * size, COLUMN * size, limit)
        arrow(ax, (x + columns * size + 0.08, y + 0.86), (x + pitch - 0.08, y + 0.86))
    _short_caption(ax, bars, y, layers[-1])
    for digit, share in enumerate(lens.probabilities.tolist()):
        base = y + 0.47 + 0.105 * digit
        weight = "bold" if digit == lens.answer else "normal"
        text(ax, bars, base, str(digit), 7, va="baseline", weight=weight)
        bar(ax, bars + 0.13, base - 0.075, share * 1.6, 0.08, INK)
        text(ax, RIGHT, base, probability(share), 6.5, ha="right", va="baseline", weight=weight)
