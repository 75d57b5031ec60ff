"""Which part of the picture a cell of a layer depends on: its receptive field."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from digitscope.models.layers import LayerView

Pair = tuple[int, int]


class ReceptiveFields(NamedTuple):
    """The receptive fields of a layer's cells, along both axes, (down, right).

    Attributes:
        start: pixel at which the field of the first cell begins; below 0 where it hangs over the edge.
        size: pixels of every field.
        step: pixels from the field of a cell to that of the next.
    """

    start: Pair
    size: Pair
    step: Pair


def receptive_fields(layers: Sequence[LayerView]) -> tuple[ReceptiveFields, ...]:
    """The receptive fields of each layer, the input first; a layer without a window has those of the layer before."""
    found = [ReceptiveFields((0, 0), (1, 1), (1, 1))]
    for before, layer in pairwise(layers):
        found.append(_through(found[-1], before, layer) if layer.window else found[-1])
    return tuple(found)


def _through(fields: ReceptiveFields, before: LayerView, layer: LayerView) -> ReceptiveFields:
    """The receptive fields after one more layer with a window."""
    start, size, step = [], [], []
    over = layer.overhang(before.shape)
    for axis in (0, 1):
        window, stride = (layer.window or (1, 1))[axis], (layer.strides or (1, 1))[axis]
        start.append(fields.start[axis] - over[axis] * fields.step[axis])
        size.append(fields.size[axis] + (window - 1) * fields.step[axis])
        step.append(fields.step[axis] * stride)
    return ReceptiveFields((start[0], start[1]), (size[0], size[1]), (step[0], step[1]))
