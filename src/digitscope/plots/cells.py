"""Figures of single cells of convolution and pooling: a window, its numbers, and what becomes of them.

All numbers come from ``digitscope.Lens.terms``; nothing is computed here but what is added up to be shown.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from digitscope.arraytypes import Doubles
from digitscope.errors import ConfigError
from digitscope.models.layers import Cell, LayerView
from digitscope.models.lens import Cells, Lens, Terms, unflatten
from digitscope.plots.primitives import (
    MARGIN,
    arrow,
    block,
    columns_of,
    frame,
    grey,
    grey_grid,
    heading,
    line,
    number,
    number_grid,
    page,
    words,
)
from digitscope.plots.style import BLUE, INK, MUTED, style

TOP, SIDE, PITCH = 1.2, 1.45, 1.72
"""Inches: where the pictures start, side of a number grid, and from one row of grids to the next."""
GRIDS, ANSWER = (2.75, 4.6, 6.45), 8.75
"""Where the three number grids and the map with the answer start."""


@style()
def convolution_step(lens: Lens, name: str, cell: Cell | None = None, ax: Axes | None = None) -> Axes:
    """One number of a convolution: window times filter, added up, plus bias, then the activation.

    Args:
        lens: one image in a network.
        name: a convolution.
        cell: (row, column, channel) of it; left out, its largest.
        ax: where to draw.

    Raises:
        ConfigError: no such layer or cell, or the layer is no convolution.
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
    ax = page(11, table + 0.2 * (len(parts) + 4) + 0.35, ax)
    text = f"{_whereabouts(before, rows, columns)} {len(terms)} numbers times {len(terms)} weights"
    if len(channels) > 1:
        text += (
            f", {shape[0] * shape[1]} for each of {len(channels)} maps; shown: the {len(shown)} that move the sum most"
        )
    heading(ax, f"{name}: how one number of map {terms.cell[2]} is computed", f"{text}.")
    labels = ("numbers under the window", f"weights of filter {terms.cell[2]}", "products")
    for x, label in zip(GRIDS, labels, strict=True):
        words(ax, x, TOP + 0.18, label, 8, va="baseline")
    limits = [float(np.abs(factor[..., shown]).max()) for factor in factors]
    for i, channel in enumerate(shown):
        _window(ax, before, channel, (rows, columns), TOP + 0.25 + i * PITCH)
        _multiplication(ax, [f[..., channel] for f in factors], limits, TOP + 0.25 + i * PITCH, before.kind == "input")
    _addition(ax, layer, terms, parts, table)
    _answer_map(ax, layer, terms.cell, 8.05)
    if len(channels) > 1:
        _all_subtotals(ax, subtotals, TOP + 3.4)
    return ax


def _multiplication(ax: Axes, factors: list[Doubles], limits: list[float], y: float, picture: bool) -> None:
    """Numbers times weights = products, each a grid (h, w)."""
    size = SIDE / max(factors[0].shape)
    for x, factor, limit in zip(GRIDS, factors, limits, strict=True):
        if picture and x == GRIDS[0]:
            grey_grid(ax, factor, x, y, size, 3, 16 * size)
        else:
            number_grid(ax, factor, x, y, size, limit, 3, 16 * size)
    for x, sign in zip(GRIDS[1:], "×=", strict=True):
        words(ax, x - 0.2, y + SIDE / 2, sign, 13, ha="center", va="center")


def _parts(subtotals: Doubles, shown: Cells, count: int) -> list[tuple[str, float]]:
    """What is added up: all products of each map that is shown, and the rest."""
    if len(subtotals) == 1:
        return [(f"sum of the {count} products", float(subtotals[0]))]
    parts = [(f"sum of the products with map {channel}", float(subtotals[channel])) for channel in shown]
    if others := len(subtotals) - len(shown):
        parts.append((f"the other {others} maps together", float(np.delete(subtotals, shown).sum())))
    return parts


def _whereabouts(before: LayerView, rows: Cells, columns: Cells) -> str:
    name = "the input" if before.kind == "input" else before.name
    return f"The window lies on rows {rows[0]} to {rows[-1]} and columns {columns[0]} to {columns[-1]} of {name}."


def _window(ax: Axes, before: LayerView, channel: int, window: tuple[Cells, Cells], y: float) -> None:
    """The map before with its window marked, and lines to the numbers beside it."""
    rows, columns = window
    cell = SIDE / before.shape[1]
    values, name = before.values[..., channel], before.name
    if before.kind == "input":
        grey(ax, values, MARGIN + 0.3, y, SIDE)
    else:
        block(ax, values, MARGIN + 0.3, y, SIDE, cell * before.shape[0], float(np.abs(before.values).max()))
        name += f", map {channel}"
    words(ax, MARGIN + 0.22, y + SIDE / 2, name, 8, rotation=90, ha="right", va="center", color=MUTED)
    x, top = MARGIN + 0.3 + columns[0] * cell, y + rows[0] * cell
    width, height = len(columns) * cell, len(rows) * cell
    frame(ax, x, top, width, height, BLUE, 1.6)
    line(ax, (x + width, top), (GRIDS[0], y), BLUE)
    line(ax, (x + width, top + height), (GRIDS[0], y + SIDE * min(1, len(rows) / len(columns))), BLUE)


def _answer_map(ax: Axes, layer: LayerView, cell: Cell, start: float) -> None:
    """The map that the cell belongs to, with the cell marked and an arrow to it from x = ``start``."""
    row, column, channel = cell
    y, width = TOP + 0.25, 1.9
    size = width / layer.shape[1]
    words(ax, ANSWER, y - 0.07, f"{layer.name}, map {channel}", 8, va="baseline")
    block(ax, layer.values[..., channel], ANSWER, y, width, size * layer.shape[0], float(np.abs(layer.values).max()))
    frame(ax, ANSWER + column * size, y + row * size, size, size, BLUE, 1.6)
    words(ax, ANSWER, y + size * layer.shape[0] + 0.08, f"row {row}, column {column}", 8, color=MUTED)
    arrow(ax, (start, y + SIDE / 2), (ANSWER - 0.1, y + SIDE / 2))


def _all_subtotals(ax: Axes, subtotals: Doubles, y: float) -> None:
    """What the products with each map before add up to, as bars."""
    words(ax, ANSWER, y, f"what each of the {len(subtotals)} maps adds", 8)
    up, down = max(float(subtotals.max()), 0.0), max(-float(subtotals.min()), 0.0)
    scale = 1.0 / max(up + down, 1e-9)
    columns_of(ax, subtotals, ANSWER, y + 0.25 + up * scale, 1.9, scale)
    for place, ha in ((0, "left"), (len(subtotals) - 1, "right")):
        x = ANSWER + 1.9 * place / (len(subtotals) - 1)
        words(ax, x, y + 1.3, f"map {place}", 7, ha=ha, color=MUTED)


def _addition(ax: Axes, layer: LayerView, terms: Terms, parts: list[tuple[str, float]], y: float) -> None:
    """The addition as on paper: the parts, the bias, the sum, the activation, and what the network stored."""
    rows = [*parts, (f"bias of filter {terms.cell[-1]}", terms.bias), ("sum", terms.sum)]
    if layer.activation == "relu":
        says = "below zero, so it becomes 0" if terms.sum < 0 else "not below zero, so it stays"
        rows.append((f"ReLU: {says}", terms.result))
    rows.append(("stored by the network", terms.stored))
    left, right = GRIDS[0], GRIDS[2] + SIDE
    for i, (label, value) in enumerate(rows):
        base = y + 0.14 + 0.2 * i
        look = {"weight": "bold"} if label == "sum" or label.startswith("ReLU") else {}
        look |= {"color": MUTED} if label.startswith("stored") else {}
        words(ax, left, base, label, 8.5, va="baseline", **look)
        words(ax, right, base, number(value, 5), 8.5, ha="right", va="baseline", **look)
        if label == "sum":
            line(ax, (left, base - 0.145), (right, base - 0.145), INK)


@style()
def pooling_step(lens: Lens, name: str, cell: Cell | None = None, ax: Axes | None = None) -> Axes:
    """One number of a pooling: the largest, or the mean, of its window.

    Args:
        lens: one image in a network.
        name: a max-pooling or average pooling.
        cell: (row, column, channel) of it; left out, its largest.
        ax: where to draw.

    Raises:
        ConfigError: no such layer or cell, or the layer is no pooling.
    """
    layer = _layer(lens, name, ("max_pooling2d", "average_pooling2d"), "a pooling")
    before = lens.before(name)
    terms = lens.terms(name, _largest(layer) if cell is None else cell)
    rows, columns = (np.unique(terms.sources[:, axis]) for axis in (0, 1))
    ax = page(11, TOP + 2.7, ax)
    channel = terms.cell[2]
    step = (layer.strides or (1, 1))[1]
    text = f"{_whereabouts(before, rows, columns)} For the next number to the right it moves on by {step}."
    heading(ax, f"{name}: how one number of map {channel} is computed", text)
    y = TOP + 0.25
    _window(ax, before, channel, (rows, columns), y)
    size = SIDE / max(len(rows), len(columns))
    limit = float(np.abs(before.values).max())
    number_grid(ax, terms.values.reshape(len(rows), len(columns)), GRIDS[0], y, size, limit, 3, 13 * size)
    words(ax, GRIDS[0], y - 0.07, "numbers under the window", 8, va="baseline")
    says = f"the mean of the {len(terms)}:"
    if layer.kind == "max_pooling2d":
        down, right = divmod(terms.winner, len(columns))
        frame(ax, GRIDS[0] + right * size, y + down * size, size, size, BLUE, 2.2)
        says = f"the largest of the {len(terms)}:"
    words(ax, GRIDS[1], y + 0.5, says, 9, va="baseline")
    words(ax, GRIDS[1], y + 0.77, number(terms.result, 5), 13, va="baseline", weight="bold")
    words(ax, GRIDS[1], y + 1.0, f"stored by the network: {number(terms.stored, 5)}", 8.5, va="baseline", color=MUTED)
    _answer_map(ax, layer, terms.cell, 7.2)
    return ax


def _layer(lens: Lens, name: str, kinds: tuple[str, ...], wanted: str) -> LayerView:
    """The layer called ``name``, if it is of one of ``kinds``."""
    layer = lens.layer(name)
    if layer.kind not in kinds:
        raise ConfigError(f"layer {name!r} is of kind {layer.kind}; give {wanted}")
    return layer


def _largest(layer: LayerView) -> Cell:
    """The cell with the largest activation."""
    return unflatten(layer.shape, int(layer.values.argmax()))
