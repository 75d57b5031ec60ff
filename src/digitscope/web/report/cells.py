"""Facts about what happens inside the network: maps before and after a layer, and the arithmetic of single cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from digitscope.arraytypes import Levels
from digitscope.models.inputs import network_input
from digitscope.models.lens import Lens
from digitscope.models.terms import Term, Terms, unflatten
from digitscope.web.report.network import Network
from digitscope.web.report.record import Record
from digitscope.web.report.window import choice_of_filters, signed, sums_of

DEAD_TEST = 500
"""Test images on which a filter must stay silent to be called dead."""

LISTED_MAPS, LISTED_TERMS = 5, 12
"""Subtotals and products that are written out."""


class Cell(NamedTuple):
    """A cell of a map and its arithmetic."""

    row: int
    column: int
    filter: int
    terms: Terms


@dataclass(frozen=True, eq=False)
class ReluFacts:
    """One map before and after ReLU, and what ReLU makes 0.

    Attributes:
        before: the map's sums in colours, uint8 (h, w, 3).
        after: the same after ReLU.
        zeros: numbers of all maps that are 0 for this digit.
        silent: filters that are 0 everywhere, for all of the ``tested`` images.
        tested: test images.
    """

    before: Levels
    after: Levels
    zeros: int
    silent: int
    tested: int


class MapImage(NamedTuple):
    """A map in colours, uint8 (h, w, 3), and its number."""

    number: int
    image: Levels


@dataclass(frozen=True, eq=False)
class SecondFacts:
    """The strongest cell of the first convolution after the pooling.

    Attributes:
        cell: it and its arithmetic.
        subtotals: (map, sum of its products), the largest first.
        others: how many more maps there are.
        rest: the sum of their products.
        nearly_empty: maps of this layer that hardly respond to the digit.
    """

    cell: Cell
    subtotals: tuple[tuple[int, float], ...]
    others: int
    rest: float
    nearly_empty: int


class Position(NamedTuple):
    """A number of the flattened list and the cell that it comes from."""

    number: int
    row: int
    column: int
    map: int


@dataclass(frozen=True, eq=False)
class DenseFacts:
    """The most active unit of the dense layer, and the sum of the digit that is answered.

    Attributes:
        unit: its number.
        terms: its arithmetic.
        largest: its largest products, each with the place that it comes from.
        rest: the sum of all others.
        answer: the arithmetic of the answered digit's sum.
        largest_vote: the largest product in that sum.
    """

    unit: int
    terms: Terms
    largest: tuple[tuple[Position, Term], ...]
    rest: float
    answer: Terms
    largest_vote: Term


@dataclass(frozen=True, eq=False)
class CellFacts:
    """What the chapters say about single cells and maps.

    Attributes:
        convolution: the strongest cell of the first map in the animation.
        relu: that map before and after ReLU.
        second: the strongest cell of the first convolution after the pooling.
        flatten: the largest number of the flattened list.
        flatten_zeros: numbers of that list that are 0.
        dense: the most active unit.
    """

    convolution: Cell
    relu: ReluFacts
    second: SecondFacts
    flatten: Position
    flatten_zeros: int
    dense: DenseFacts


def facts(record: Record, network: Network) -> CellFacts:
    """The facts of the digit on show."""
    lens = record.lens
    flat = lens.layer("flatten").values
    return CellFacts(
        convolution=_convolution(lens, network),
        relu=_relu(record, network),
        second=_second(lens, network),
        flatten=_position(lens, int(flat.argmax())),
        flatten_zeros=int((flat == 0).sum()),
        dense=_dense(lens),
    )


def _convolution(lens: Lens, network: Network) -> Cell:
    index = choice_of_filters(lens, network)[0]
    sums = sums_of(lens.layer(network.first.name))[:, :, index]
    row, column = (int(part) for part in np.unravel_index(int(sums.argmax()), sums.shape))
    return Cell(row, column, index, lens.terms(network.first.name, (row, column, index)))


def _relu(record: Record, network: Network) -> ReluFacts:
    lens = record.lens
    conv, index = lens.layer(network.first.name), choice_of_filters(lens, network)[0]
    sums = sums_of(conv)[:, :, index]
    limit = float(np.abs(sums).max())
    tested = network_input(record.data.x_test[:DEAD_TEST])
    output = next(layer["output"] for layer in record.model.session.layers if layer["name"] == conv.name)
    values = record.model.session.tensors(tested, [output["tensor"]])[output["tensor"]]
    largest = values.max(axis=(0, 2, 3) if output["layout"] == "nchw" else (0, 1, 2))
    return ReluFacts(
        before=signed(sums, limit),
        after=signed(conv.values[:, :, index], limit),
        zeros=int((conv.values == 0).sum()),
        silent=int((largest == 0).sum()),
        tested=len(tested),
    )


def _second(lens: Lens, network: Network) -> SecondFacts:
    layer = lens.layer(network.second.name)
    row, column, index = (int(part) for part in np.unravel_index(int(layer.values.argmax()), layer.shape))
    terms = lens.terms(layer.name, (row, column, index))
    subtotals = np.bincount(terms.sources[:, 2], weights=terms.products, minlength=network.pool.maps)
    order = np.argsort(-np.abs(subtotals), kind="stable")[:LISTED_MAPS]
    return SecondFacts(
        cell=Cell(row, column, index, terms),
        subtotals=tuple((int(i), float(subtotals[i])) for i in order),
        others=len(subtotals) - len(order),
        rest=float(subtotals.sum() - subtotals[order].sum()),
        nearly_empty=int((layer.values.max(axis=(0, 1)) < 0.1 * layer.values.max()).sum()),
    )


def _position(lens: Lens, number: int) -> Position:
    row, column, channel = unflatten(lens.before("flatten").shape, number)
    return Position(number, row, column, channel)


def _dense(lens: Lens) -> DenseFacts:
    unit = int(lens.layer("dense").values.argmax())
    terms, answer = lens.terms("dense", unit), lens.terms("softmax", lens.answer)
    order = terms.ranking[:LISTED_TERMS]
    return DenseFacts(
        unit=unit,
        terms=terms,
        largest=tuple((_position(lens, int(i)), terms[int(i)]) for i in order),
        rest=float(terms.products.sum() - terms.products[order].sum()),
        answer=answer,
        largest_vote=answer[int(answer.ranking[0])],
    )
