"""What is inside the network as pictures: kernels with their numbers, maps, the flattened list, a dense sum.

The chapters lay them out; here they are only coloured. All use one code: white is 0, orange positive, blue negative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from digitscope.arraytypes import Doubles, Floats, Levels
from digitscope.formatting import number
from digitscope.models.layers import LayerView
from digitscope.models.lens import Lens
from digitscope.models.terms import Term
from digitscope.web.report.cells import DenseFacts, MapImage, Position
from digitscope.web.report.network import Network
from digitscope.web.report.window import kernel_of, signed

STRONG = 0.55
"""Share of the largest number from which on a colour is so deep that the number on it is written in the other ink."""

ROW, GREY = 8, 190
"""Maps or units in a row of a picture that shows a whole layer, and the level of grey between them."""


class Weight(NamedTuple):
    """A weight as text, and whether its colour is deep."""

    text: str
    strong: bool


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel of the first convolution: its filter's number and bias, colours uint8 (k, k, 3), and weights."""

    number: int
    bias: float
    image: Levels
    weights: tuple[Weight, ...]


@dataclass(frozen=True, eq=False)
class MapSheet:
    """All maps of a layer on one scale.

    Attributes:
        name: of the layer.
        maps: each in colours.
        silent: numbers of the maps that are 0 everywhere.
        limit: where the colours are deepest.
    """

    name: str
    maps: tuple[MapImage, ...]
    silent: frozenset[int]
    limit: float

    @property
    def size_text(self) -> str:
        """The layer's shape without spaces: ``26×26×32``."""
        height, width, _ = self.maps[0].image.shape
        return f"{height}×{width}×{len(self.maps)}"

    @property
    def tiled(self) -> Levels:
        """All maps as one picture, uint8 (h, w, 3), with a line of grey between them."""
        columns = min(ROW, len(self.maps))
        framed = [np.pad(one.image, ((0, 1), (0, 1), (0, 0)), constant_values=GREY) for one in self.maps]
        framed += [np.full_like(framed[0], GREY)] * (-len(framed) % columns)
        rows = [np.concatenate(framed[i : i + columns], axis=1) for i in range(0, len(framed), columns)]
        return np.concatenate(rows)[:-1, :-1]


class Block(NamedTuple):
    """The numbers of one place of the maps in the flattened list, in colours uint8 (1, maps, 3), from ``first`` on."""

    first: int
    image: Levels


class Bar(NamedTuple):
    """A bar of a sum: where it starts and how long it is, each 0..1 of the width; whether it adds or takes away."""

    start: float
    length: float
    plus: bool


class Step(NamedTuple):
    """A product of a dense sum, where it comes from, and its bar."""

    position: Position
    term: Term
    bar: Bar


@dataclass(frozen=True, eq=False)
class DenseSheet:
    """The sum behind a dense unit as a staircase: each bar starts where the one before ended.

    Attributes:
        steps: the largest products.
        rest: the bar of all others together.
        bias: the bar of the bias.
        sum: the bar of the whole, from zero.
        zero: where zero is, 0..1.
    """

    steps: tuple[Step, ...]
    rest: Bar
    bias: Bar
    sum: Bar
    zero: float


@dataclass(frozen=True, eq=False)
class SheetFacts:
    """The pictures of a network.

    Attributes:
        kernels: of the first convolution.
        maps: of every layer of maps, by its name.
        blocks: the flattened list.
        dense: the most active unit of the dense layer.
        list: the flattened list in colours, row by row, as nearly square as it goes; uint8 (n, m, 3).
        units: that layer in colours, uint8 (8, n, 3).
        softmax: a bar for each of the ten sums.
        softmax_zero: where their zero is, 0..1.
    """

    kernels: tuple[Kernel, ...]
    maps: dict[str, MapSheet]
    blocks: tuple[Block, ...]
    dense: DenseSheet
    list: Levels
    units: Levels
    softmax: tuple[Bar, ...]
    softmax_zero: float


def facts(lens: Lens, network: Network, dense: DenseFacts) -> SheetFacts:
    """The pictures of the digit on show."""
    logits = lens.softmax().logits
    flat = lens.layer(network.flatten.name).values
    return SheetFacts(
        kernels=_kernels(lens.layer(network.first.name)),
        maps={layer.name: _maps(layer) for layer in lens.layers[1:] if len(layer.shape) == 3},
        blocks=_blocks(lens.layer(network.flatten.name), network.last.maps),
        dense=_staircase(dense),
        list=_folded(flat, math.isqrt(len(flat) - 1) + 1),
        units=_folded(lens.layer(network.dense.name).values, 2 * ROW),
        softmax=_around_zero(logits),
        softmax_zero=-min(0.0, float(logits.min())) / _reach(logits),
    )


def _kernels(layer: LayerView) -> tuple[Kernel, ...]:
    kernels, bias = kernel_of(layer)[:, :, 0], layer.bias
    limit = float(np.abs(kernels).max())
    return tuple(
        Kernel(
            index,
            0.0 if bias is None else float(bias[index]),
            signed(kernels[:, :, index], limit),
            tuple(_weight(float(value), limit) for value in kernels[:, :, index].ravel()),
        )
        for index in range(layer.shape[-1])
    )


def _weight(value: float, limit: float) -> Weight:
    """A weight without the 0 before its point: −.71."""
    return Weight(number(value).replace("0.", ".", 1) if abs(value) < 0.995 else number(value, 1),
                  abs(value) > STRONG * limit)  # fmt: skip


def _maps(layer: LayerView) -> MapSheet:
    peaks = np.abs(layer.values).max(axis=(0, 1))
    limit = float(peaks.max())
    maps = tuple(MapImage(index, signed(layer.values[:, :, index], limit)) for index in range(layer.shape[2]))
    return MapSheet(layer.name, maps, frozenset(np.flatnonzero(peaks == 0).tolist()), limit)


def _blocks(flatten: LayerView, maps: int) -> tuple[Block, ...]:
    limit = float(np.abs(flatten.values).max())
    parts = flatten.values.reshape(-1, 1, maps)
    return tuple(Block(place * maps, signed(part, limit)) for place, part in enumerate(parts))


def _folded(values: Floats, columns: int) -> Levels:
    """Numbers (n,) in rows of so many; places that are left over are 0."""
    rows = -(-len(values) // columns)
    return signed(np.pad(values, (0, rows * columns - len(values))).reshape(rows, columns), float(np.abs(values).max()))


def _staircase(dense: DenseFacts) -> DenseSheet:
    """Running sums as bars."""
    products = [term.product for _, term in dense.largest]
    ends = np.cumsum([0.0, *products, dense.rest, dense.terms.bias])
    low, high = float(ends.min()), float(ends.max())
    wide = max(high - low, 1e-9)

    def bar(start: float, end: float) -> Bar:
        return Bar((min(start, end) - low) / wide, abs(end - start) / wide, end >= start)

    bars = [bar(float(start), float(end)) for start, end in pairwise(ends)]
    steps = zip(dense.largest, bars, strict=False)
    return DenseSheet(
        steps=tuple(Step(position, term, each) for (position, term), each in steps),
        rest=bars[-2],
        bias=bars[-1],
        sum=bar(0.0, float(ends[-1])),
        zero=-low / wide,
    )


def _around_zero(values: Doubles) -> tuple[Bar, ...]:
    """Numbers (n,) as bars from a common zero."""
    low, wide = min(0.0, float(values.min())), _reach(values)
    return tuple(Bar((min(value, 0.0) - low) / wide, abs(value) / wide, value >= 0) for value in values.tolist())


def _reach(values: Doubles) -> float:
    """How far numbers and zero lie apart at most."""
    return max(float(values.max()), 0.0) - min(float(values.min()), 0.0) or 1.0
