"""The exact arithmetic of one cell of a layer: the values it depends on, their weights, their sum, its activation.

It computes in float64 what the network computed in float32; they differ by rounding only.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from digitscope.arraytypes import Doubles, Floats, Integers
from digitscope.errors import ConfigError
from digitscope.models.layers import Cell, Kind, LayerView


class Term(NamedTuple):
    """One product inside a cell's sum: ``value`` at the cell ``source`` of the layer before, times ``weight``."""

    source: Cell
    value: float
    weight: float
    product: float


@dataclass(frozen=True, eq=False)
class Terms:
    """The arithmetic of one cell: products added up, plus a bias, then the activation.

    Every kind of layer is such a sum. Max-pooling gives the largest value the weight 1 and the rest 0, average
    pooling gives all the same weight, Flatten copies one cell with weight 1, and the input divides one pixel by 255.

    Attributes:
        layer: the layer's name.
        cell: which cell of it.
        sources: int64 (n, dimensions), the cells of the layer before that it depends on (of the input: the pixel).
        values: float64 (n,), the numbers in these cells (of the input: the pixel's 0..255).
        weights: float64 (n,).
        products: float64 (n,), value times weight.
        bias: what is added to the products.
        sum: the products and the bias added up, before the activation.
        result: ``sum`` after the activation.
        stored: the activation as the network computed it.
    """

    layer: str
    cell: Cell
    sources: Integers
    values: Doubles
    weights: Doubles
    products: Doubles
    bias: float
    sum: float
    result: float
    stored: float

    @property
    def difference(self) -> float:
        """``result`` minus ``stored``: only rounding, about 1e-6."""
        return self.result - self.stored

    @property
    def winner(self) -> int:
        """Index of the term with the largest weight: in max-pooling, of the value that is passed on."""
        return int(self.weights.argmax())

    @property
    def ranking(self) -> Integers:
        """Indices of all terms, int64 (n,), largest absolute product first."""
        return np.argsort(-np.abs(self.products), kind="stable")

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, index: int) -> Term:
        source: Cell = tuple(self.sources[index].tolist())
        return Term(source, float(self.values[index]), float(self.weights[index]), float(self.products[index]))

    def __iter__(self) -> Iterator[Term]:
        return (self[index] for index in range(len(self)))


def cell_terms(layer: LayerView, before: Floats, cell: int | Cell) -> Terms:
    """The arithmetic of one cell.

    Args:
        layer: the layer that the cell is in.
        before: float32, the values of the layer before; for the input, the pixels 0..255, (28, 28, 1).
        cell: (row, column, channel), or its index from Flatten on; counted from 0.

    Raises:
        ConfigError: there is no such cell.
    """
    where = _checked_cell(layer, cell)
    sources, weights = _DEPENDS[layer.kind](layer, before, where)
    values = before[tuple(sources.T)].astype(np.float64)
    products = values * weights
    bias = 0.0 if layer.bias is None else float(layer.bias[where[-1]])
    total = float(products.sum()) + bias
    result, stored = _activated(layer, where, total), float(layer.values[where])
    return Terms(layer.name, where, sources, values, weights, products, bias, total, result, stored)


class Softmax(NamedTuple):
    """How sums become probabilities, step by step; each float64 (10,), ``total`` one number.

    The largest sum is subtracted from all first. That changes no probability and keeps exp within what a float can
    hold.

    Attributes:
        logits: the sums.
        exponentials: exp(logit - largest logit).
        total: the exponentials added up.
        probabilities: exponential / total.
    """

    logits: Doubles
    exponentials: Doubles
    total: float
    probabilities: Doubles

    @classmethod
    def of(cls, sums: Floats | Doubles) -> Softmax:
        """The steps from ten sums, (10,), to ten probabilities."""
        logits = sums.astype(np.float64)
        exponentials = np.exp(logits - logits.max())
        total = float(exponentials.sum())
        return cls(logits, exponentials, total, exponentials / total)


def unflatten(shape: Cell, index: int) -> Cell:
    """The (row, column, channel) of ``shape`` that Flatten puts at ``index``; channels run fastest.

    >>> unflatten((5, 5, 64), 731)
    (2, 1, 27)
    """
    return tuple(int(part) for part in np.unravel_index(index, shape))


# What a cell is computed from, one function per kind of layer: (layer, values before, cell) -> (sources, weights).


def _pixel(layer: LayerView, before: Floats, cell: Cell) -> tuple[Integers, Doubles]:
    """The pixel itself, divided by 255."""
    return np.array([cell]), np.array([1 / 255])


def _all_channels(layer: LayerView, before: Floats, cell: Cell) -> tuple[Integers, Doubles]:
    """Convolution: all channels of the window, each cell with the filter's weight for its place in the window."""
    rows, columns = _window(layer, before.shape, cell)
    inside = np.ix_(rows, columns, np.arange(before.shape[2]))
    sources = np.stack(np.broadcast_arrays(*inside), axis=-1).reshape(-1, 3)
    top, left = _corner(layer, before.shape, cell)
    kernel = layer.learned[0][..., cell[2]]
    return sources, kernel[np.ix_(rows - top, columns - left)].astype(np.float64).ravel()


def _one_channel(layer: LayerView, before: Floats, cell: Cell) -> Integers:
    """Pooling: the window in the cell's own channel."""
    rows, columns = _window(layer, before.shape, cell)
    return np.array([(row, column, cell[2]) for row in rows for column in columns])


def _largest(layer: LayerView, before: Floats, cell: Cell) -> tuple[Integers, Doubles]:
    """Max-pooling: the window's largest value, the first of them if several are equal."""
    sources = _one_channel(layer, before, cell)
    weights = np.zeros(len(sources))
    weights[before[tuple(sources.T)].argmax()] = 1
    return sources, weights


def _mean(layer: LayerView, before: Floats, cell: Cell) -> tuple[Integers, Doubles]:
    """Average pooling: the whole window, with equal weights."""
    sources = _one_channel(layer, before, cell)
    return sources, np.full(len(sources), 1 / len(sources))


def _same_value(layer: LayerView, before: Floats, cell: Cell) -> tuple[Integers, Doubles]:
    """Flatten: one cell, copied."""
    return np.array([unflatten(before.shape, cell[0])]), np.ones(1)


def _everything(layer: LayerView, before: Floats, cell: Cell) -> tuple[Integers, Doubles]:
    """Dense: every value of the layer before, each with a weight of its own."""
    return np.arange(before.shape[0])[:, None], layer.learned[0][:, cell[0]].astype(np.float64)


_DEPENDS: dict[Kind, Callable[[LayerView, Floats, Cell], tuple[Integers, Doubles]]] = {
    "input": _pixel,
    "conv2d": _all_channels,
    "max_pooling2d": _largest,
    "average_pooling2d": _mean,
    "flatten": _same_value,
    "dense": _everything,
}


def _checked_cell(layer: LayerView, cell: int | Cell) -> Cell:
    """``cell`` as a tuple of plain integers.

    Raises:
        ConfigError: the layer has no such cell.
    """
    try:
        where = tuple(operator.index(part) for part in (cell if isinstance(cell, tuple) else (cell,)))
    except TypeError:
        where = ()
    if len(where) != len(layer.shape) or not all(
        0 <= part < size for part, size in zip(where, layer.shape, strict=True)
    ):
        kind = "(row, column, channel)" if len(layer.shape) == 3 else "a number"
        last = tuple(size - 1 for size in layer.shape)
        raise ConfigError(
            f"layer {layer.name!r} has no cell {cell!r}; give {kind} up to {last if len(last) > 1 else last[0]}"
        )
    return where


def _window(layer: LayerView, before: Cell, cell: Cell) -> tuple[Integers, Integers]:
    """The rows and the columns under the window of ``cell`` that lie inside the layer before."""
    spans = [
        np.arange(max(start, 0), min(start + size, end))
        for start, size, end in zip(_corner(layer, before, cell), layer.window or (), before[:2], strict=True)
    ]
    return spans[0], spans[1]


def _corner(layer: LayerView, before: Cell, cell: Cell) -> tuple[int, int]:
    """Row and column of the window's top left; negative where ``same`` padding lets it hang over the edge."""
    row, column = (
        place * step - over
        for place, step, over in zip(cell[:2], layer.strides or (), layer.overhang(before), strict=True)
    )
    return row, column


def _activated(layer: LayerView, cell: Cell, total: float) -> float:
    """``total`` after the layer's activation; for softmax, together with the stored sums of the other nine."""
    if layer.activation == "softmax":
        sums = cast(Floats, layer.sums).astype(np.float64)
        sums[cell] = total
        return float(Softmax.of(sums).probabilities[cell])
    return max(total, 0.0) if layer.activation == "relu" else total
