"""Figures of one number of a convolution or a pooling: its window, the numbers in it, and what is made of them.

All numbers come from ``digitscope.Lens.terms``; only the subtotals that are shown are added up here.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from digitscope.arraytypes import Doubles, Integers
from digitscope.errors import ConfigError
from digitscope.formatting import counted, number
from digitscope.models.layers import Cell, LayerView
from digitscope.models.lens import Lens
from digitscope.models.terms import Terms, unflatten
from digitscope.plots.primitives import (
    MARGIN,
    arrow,
    frame,
    grey_image,
    grey_image_with_numbers,
    heading,
    heatmap,
    heatmap_with_numbers,
    line,
    sheet,
    text,
    upright_bars,
)
from digitscope.plots.style import BLUE, INK, MUTED, style

TOP, SIDE, PITCH = 1.2, 1.45, 1.72
"""Inches: where the pictures start, side of a number grid, and from one row of grids to the next."""
GRIDS, RESULT = (2.75, 4.6, 6.45), 8.75
"""Inches: where the three number grids start, and the map that holds the result."""


@style()
def convolution_step(lens: Lens, name: str, cell: Cell | None = None, ax: Axes | None = None) -> Axes:
    """How one number of a convolution is computed: window times filter, added up, plus bias, then the activation.

    Args:
        lens: one image in a network.
        name: of a convolution.
        cell: (row, column, channel) in its maps; left out, the largest number.
        ax: where to draw.

    Raises:
        ConfigError: no such layer or cell, or the layer is not a convolution.
    """
    layer, before = _layer(lens, name, ("conv2d",), "a convolution"), lens.before(name)
    terms = lens.terms(name, _largest(layer) if cell is None else cell)
    rows, columns, channels = (np.unique(terms.sources[:, axis]) for axis in range(3))
    shape = (len(rows), len(columns), len(channels))
    factors = [part.reshape(shape) for part in (terms.values, terms.weights, terms.products)]
    subtotals = factors[2].sum(axis=(0, 1))
    shown = np.sort(np.argsort(-np.abs(subtotals), kind="stable")[:3])
    parts = _parts(subtotals, shown, len(terms))
    table = TOP + 0.25 + len(shown) * PITCH + 0.1
    ax = sheet(11, table + 0.2 * (len(parts) + 4) + 0.35, ax)
    explanation = f"{_window_position(before, rows, columns)} {len(terms)} numbers times {len(terms)} weights"
    if len(channels) > 1:
        explanation += f", {shape[0] * shape[1]} for each of {len(channels)} maps"
        explanation += f"; shown: the {len(shown)} that change the sum most"
    heading(ax, f"{name}: how one number of map {terms.cell[2]} is computed", f"{explanation}.")
    labels = ("numbers under the window", f"weights of filter {terms.cell[2]}", "products")
    for x, label in zip(GRIDS, labels, strict=True):
        text(ax, x, TOP + 0.18, label, 8, va="baseline")
    for i, channel in enumerate(shown):
        _window(ax, before, channel, (rows, columns), TOP + 0.25 + i * PITCH)
    _multiplications(ax, factors, shown, before.kind == "input")
    _addition(ax, layer, terms, parts, table)
    _result_map(ax, layer, terms.cell, 8.05)
    if len(channels) > 1:
        _all_subtotals(ax, subtotals, TOP + 3.4)
    return ax


def _multiplications(ax: Axes, factors: list[Doubles], shown: Integers, picture: bool) -> None:
    """For each map that is shown a row of three grids: numbers times weights = products.

    Args:
        ax: a sheet.
        factors: numbers, weights and products, each (h, w, channels).
        shown: the channels to draw, one below another.
        picture: draw the numbers on the greys of a picture.
    """
    limits = [float(np.abs(factor[..., shown]).max()) for factor in factors]
    size = SIDE / max(factors[0].shape[:2])
    for i, channel in enumerate(shown):
        y = TOP + 0.25 + i * PITCH
        for x, factor, limit in zip(GRIDS, factors, limits, strict=True):
            if picture and x == GRIDS[0]:
                grey_image_with_numbers(ax, factor[..., channel], x, y, size, 3, 16 * size)
            else:
                heatmap_with_numbers(ax, factor[..., channel], x, y, size, limit, 3, 16 * size)
        for x, sign in zip(GRIDS[1:], "×=", strict=True):
            text(ax, x - 0.2, y + SIDE / 2, sign, 13, ha="center", va="center")


def _parts(subtotals: Doubles, shown: Integers, count: int) -> list[tuple[str, float]]:
    """What is added up: the products of each map that is shown, and those of all others."""
    if len(subtotals) == 1:
        return [(f"sum of the {count} products", float(subtotals[0]))]
    parts = [(f"sum of the products with map {channel}", float(subtotals[channel])) for channel in shown]
    if others := len(subtotals) - len(shown):
        parts.append((f"the other {others} maps together", float(np.delete(subtotals, shown).sum())))
    return parts


def _window_position(before: LayerView, rows: Integers, columns: Integers) -> str:
    name = "the input" if before.kind == "input" else before.name
    return f"The window lies on rows {rows[0]} to {rows[-1]} and columns {columns[0]} to {columns[-1]} of {name}."


def _window(ax: Axes, before: LayerView, channel: int, window: tuple[Integers, Integers], y: float) -> None:
    """The map of the layer before with the window marked, and lines to its numbers beside it."""
    rows, columns = window
    cell = SIDE / before.shape[1]
    values, name = before.values[..., channel], before.name
    if before.kind == "input":
        grey_image(ax, values, MARGIN + 0.3, y, SIDE)
    else:
        heatmap(ax, values, MARGIN + 0.3, y, SIDE, cell * before.shape[0], float(np.abs(before.values).max()))
        name += f", map {channel}"
    text(ax, MARGIN + 0.22, y + SIDE / 2, name, 8, rotation=90, ha="right", va="center", color=MUTED)
    x, top = MARGIN + 0.3 + columns[0] * cell, y + rows[0] * cell
    width, height = len(columns) * cell, len(rows) * cell
    frame(ax, x, top, width, height, BLUE, 1.6)
    line(ax, (x + width, top), (GRIDS[0], y), BLUE)
    line(ax, (x + width, top + height), (GRIDS[0], y + SIDE * min(1, len(rows) / len(columns))), BLUE)


def _result_map(ax: Axes, layer: LayerView, cell: Cell, start: float) -> None:
    """The map that holds the result, with its cell marked and an arrow to it from x = ``start``."""
    row, column, channel = cell
    y, width = TOP + 0.25, 1.9
    size = width / layer.shape[1]
    text(ax, RESULT, y - 0.07, f"{layer.name}, map {channel}", 8, va="baseline")
    heatmap(ax, layer.values[..., channel], RESULT, y, width, size * layer.shape[0], float(np.abs(layer.values).max()))
    frame(ax, RESULT + column * size, y + row * size, size, size, BLUE, 1.6)
    text(ax, RESULT, y + size * layer.shape[0] + 0.08, f"row {row}, column {column}", 8, color=MUTED)
    arrow(ax, (start, y + SIDE / 2), (RESULT - 0.1, y + SIDE / 2))


def _all_subtotals(ax: Axes, subtotals: Doubles, y: float) -> None:
    """For each map of the layer before a bar: the sum of the products with it."""
    text(ax, RESULT, y, f"what each of the {len(subtotals)} maps adds", 8)
    up, down = max(float(subtotals.max()), 0.0), max(-float(subtotals.min()), 0.0)
    scale = 1.0 / max(up + down, 1e-9)
    upright_bars(ax, subtotals, RESULT, y + 0.25 + up * scale, 1.9, scale)
    for place, ha in ((0, "left"), (len(subtotals) - 1, "right")):
        x = RESULT + 1.9 * place / (len(subtotals) - 1)
        text(ax, x, y + 1.3, f"map {place}", 7, ha=ha, color=MUTED)


def _addition(ax: Axes, layer: LayerView, terms: Terms, parts: list[tuple[str, float]], y: float) -> None:
    """The addition as on paper: the parts, the bias, the sum, the activation, and the number the network computed."""
    rows = [*parts, (f"bias of filter {terms.cell[-1]}", terms.bias), ("sum", terms.sum)]
    if layer.activation == "relu":
        effect = "below zero, so it becomes 0" if terms.sum < 0 else "not below zero, so it stays"
        rows.append((f"ReLU: {effect}", terms.result))
    rows.append(("stored by the network", terms.stored))
    left, right = GRIDS[0], GRIDS[2] + SIDE
    for i, (label, value) in enumerate(rows):
        base = y + 0.14 + 0.2 * i
        font = {"weight": "bold"} if label == "sum" or label.startswith("ReLU") else {}
        font |= {"color": MUTED} if label.startswith("stored") else {}
        text(ax, left, base, label, 8.5, va="baseline", **font)
        text(ax, right, base, number(value, 5), 8.5, ha="right", va="baseline", **font)
        if label == "sum":
            line(ax, (left, base - 0.145), (right, base - 0.145), INK)


@style()
def pooling_step(lens: Lens, name: str, cell: Cell | None = None, ax: Axes | None = None) -> Axes:
    """How one number of a pooling is computed: the largest number, or the mean, of its window.

    Args:
        lens: one image in a network.
        name: of a max pooling or average pooling.
        cell: (row, column, channel) in its maps; left out, the largest number.
        ax: where to draw.

    Raises:
        ConfigError: no such layer or cell, or the layer is not a pooling.
    """
    layer = _layer(lens, name, ("max_pooling2d", "average_pooling2d"), "a pooling")
    before = lens.before(name)
    terms = lens.terms(name, _largest(layer) if cell is None else cell)
    rows, columns = (np.unique(terms.sources[:, axis]) for axis in (0, 1))
    ax = sheet(11, TOP + 2.7, ax)
    moves = f"For the next number to the right, it moves on by {counted((layer.strides or (1, 1))[1], 'column')}."
    heading(
        ax,
        f"{name}: how one number of map {terms.cell[2]} is computed",
        f"{_window_position(before, rows, columns)} {moves}",
    )
    y = TOP + 0.25
    _window(ax, before, terms.cell[2], (rows, columns), y)
    text(ax, GRIDS[0], y - 0.07, "numbers under the window", 8, va="baseline")
    _pooled_window(ax, layer, terms.values.reshape(len(rows), len(columns)), terms, float(np.abs(before.values).max()))
    text(ax, GRIDS[1], y + 0.77, number(terms.result, 5), 13, va="baseline", weight="bold")
    text(ax, GRIDS[1], y + 1.0, f"stored by the network: {number(terms.stored, 5)}", 8.5, va="baseline", color=MUTED)
    _result_map(ax, layer, terms.cell, 7.2)
    return ax


def _pooled_window(ax: Axes, layer: LayerView, values: Doubles, terms: Terms, limit: float) -> None:
    """The numbers (h, w) of a window, and what is made of them; the largest is framed where it is the result."""
    y, size = TOP + 0.25, SIDE / max(values.shape)
    heatmap_with_numbers(ax, values, GRIDS[0], y, size, limit, 3, 13 * size)
    result = f"the mean of the {len(terms)}:"
    if layer.kind == "max_pooling2d":
        down, right = divmod(terms.winner, values.shape[1])
        frame(ax, GRIDS[0] + right * size, y + down * size, size, size, BLUE, 2.2)
        result = f"the largest of the {len(terms)}:"
    text(ax, GRIDS[1], y + 0.5, result, 9, va="baseline")


def _layer(lens: Lens, name: str, kinds: tuple[str, ...], wanted: str) -> LayerView:
    """The layer called ``name``, if it is of one of ``kinds``."""
    layer = lens.layer(name)
    if layer.kind not in kinds:
        raise ConfigError(f"layer {name!r} is of kind {layer.kind}; give {wanted}")
    return layer


def _largest(layer: LayerView) -> Cell:
    """The cell with the largest activation."""
    return unflatten(layer.shape, int(layer.values.argmax()))
