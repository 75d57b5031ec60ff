"""What the story says about the build of the network: which layer plays which part, sizes, costs. Reads no weights.

The chapters follow the parts of ``Parts``, so that they hold for every number of convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from digitscope.models.layers import LayerView
from digitscope.models.lens import Lens
from digitscope.web.report.html import count, percent, spelled, table

KINDS = {
    "input": "input",
    "conv2d": "convolution",
    "max_pooling2d": "max-pooling",
    "average_pooling2d": "average pooling",
    "flatten": "flatten",
    "dense": "dense layer",
}
"""What a reader calls each kind of layer."""

MANY_FILTERS = 16
"""So many filters are enough for edges of every direction to be among them."""


class Parts(NamedTuple):
    """The layers of a network by the part that they play in the story.

    Attributes:
        before: the convolutions before the first pooling; the last of them is what it pools.
        pool: the first pooling.
        between: the convolutions between the poolings.
        again: the second pooling.
        after: the convolutions after it, mostly none.
    """

    before: tuple[LayerView, ...]
    pool: LayerView
    between: tuple[LayerView, ...]
    again: LayerView
    after: tuple[LayerView, ...]

    @property
    def first(self) -> LayerView:
        """The convolution that looks at the picture."""
        return self.before[0]

    @property
    def pooled(self) -> LayerView:
        """What the first pooling pools; where nothing repeats, that is the first convolution."""
        return self.before[-1]

    @property
    def second(self) -> LayerView:
        """The first convolution after the first pooling."""
        return self.between[0]

    @property
    def last(self) -> LayerView:
        """The maps that Flatten takes."""
        return (self.again, *self.after)[-1]

    @property
    def convolutions(self) -> tuple[LayerView, ...]:
        """All of them."""
        return (*self.before, *self.between, *self.after)


def parts(lens: Lens) -> Parts:
    """The parts that a network's layers play."""
    names = [layer.name for layer in lens.layers]
    one, two, flat = (names.index(name) for name in ("pool1", "pool2", "flatten"))
    layers = lens.layers
    return Parts(layers[1:one], layers[one], layers[one + 1 : two], layers[two], layers[two + 1 : flat])


def reach(lens: Lens, layer: LayerView) -> int:
    """How many pixels high and wide the part of the picture is that one cell of a layer depends on."""
    pixels, step = 1, 1
    for each in lens.layers[: lens.layers.index(layer) + 1]:
        pixels += ((each.window or (1,))[0] - 1) * step
        step *= (each.strides or (1,))[0]
    return pixels


def by(layer: LayerView) -> str:
    """A layer's shape without spaces: ``26×26×32``."""
    return "×".join(map(str, layer.shape))


def facts(lens: Lens) -> dict[str, Any]:
    """Everything that the chapters say about sizes, and which of their sentences this network needs."""
    return _first(lens) | _pooling(lens) | _second(lens) | _ends(lens) | _table(lens)


def _first(lens: Lens) -> dict[str, Any]:
    """The first convolution, and those that repeat it before anything is pooled."""
    found = parts(lens)
    conv, f1, k = found.first, found.first.shape[2], _window(found.first)
    wide = reach(lens, found.pooled)
    reaches = [f"{reach(lens, layer)}×{reach(lens, layer)} after {layer.name}" for layer in found.before]
    return {
        "k": k, "kk": k * k, "k3": 3 * k * k, "side": len(lens.image), "input_numbers": lens.image.size,
        "one_pixel": k == 1, "many_filters": f1 >= MANY_FILTERS, "window_has": _window_has(k), "f1": f1,
        "c1": conv.shape[0],
        "c1_cells": count(conv.shape[0] * conv.shape[1]),
        "conv1_parameters": count(conv.parameters), "conv1_numbers": count(conv.values.size),
        "conv1_unshared": count(conv.values.size * (lens.image.size + 1)),
        "conv1_formula_grey": conv.parameter_formula,
        "conv1_formula_colour": f"{f1}·({k}·{k}·3) + {f1} = {f1 * k * k * 3 + f1:,}",
        "repeats": len(found.before) > 1, "repeats_often": len(found.before) > 2, "in_row": spelled(len(found.before)),
        "repeating": _names(found.before[1:]), "row_reaches": ", ".join(reaches), "row_reach": wide,
        "row_weights": len(found.before) * k * k, "row_square": wide * wide,
    }  # fmt: skip


def _window_has(k: int) -> str:
    """What fits into a window of k×k pixels."""
    if k == 1:
        return "far too small for any pattern at all"
    return "far too small for anything but edges, ends and dots" if k < 6 else "too small for most of them"


def _pooling(lens: Lens) -> dict[str, Any]:
    found = parts(lens)
    side, side_again = found.pooled.shape[0], found.between[-1].shape[0]
    learned = sum(layer.parameters for layer in found.before)
    largest = found.pool.kind == "max_pooling2d"
    return {
        "pooled": found.pooled.name, "m1": side, "m1_minus": side - 1, "m1_numbers": count(found.pooled.values.size),
        "p1": found.pool.shape[0], "pool1_numbers": count(found.pool.values.size), "p1_dropped": side % 2 == 1,
        "m2": side_again, "p2": found.again.shape[0], "p2_dropped": side_again % 2 == 1,
        "pooling_max": largest, "pooling_average": not largest, "pooling_word": "max" if largest else "average",
        "half_parameters": count(learned),
    }  # fmt: skip


def _second(lens: Lens) -> dict[str, Any]:
    """The convolutions after the first pooling."""
    found = parts(lens)
    conv = found.second
    return {
        "second": conv.name, "f2": conv.shape[2], "c2": conv.shape[0], "second_formula": conv.parameter_formula,
        "second_terms": count(_window(conv) ** 2 * found.pool.shape[2]),
        "second_has_more": conv.shape[2] > found.first.shape[2],
        "field1": reach(lens, conv), "more": _names(found.between[1:]), "more_reach": reach(lens, found.between[-1]),
        "closing": _names(found.after),
    }  # fmt: skip


def _ends(lens: Lens) -> dict[str, Any]:
    """What Flatten takes, and the dense layers."""
    found, flat = parts(lens), lens.layer("flatten").shape[0]
    maps = [layer.shape[2] for layer in found.convolutions]
    return {
        "flat": count(flat), "flat_plain": flat, "flat_side": found.last.shape[0], "flat_maps": found.last.shape[2],
        "flat_single": found.last.shape[0] == 1, "extra_layers": len(maps) > 2, "field2": reach(lens, found.last),
        "maps_grow": maps == sorted(maps) and maps[0] < maps[-1], "convolutions": spelled(len(maps)),
        "dense": lens.layer("dense").shape[0], "dense_formula": lens.layer("dense").parameter_formula,
        "answer_formula": lens.layer("softmax").parameter_formula,
    }  # fmt: skip


def _table(lens: Lens) -> dict[str, Any]:
    """The layers with their shapes, parameters and multiplications, and who has most of them."""
    rows, products = [], []
    for layer in lens.layers:
        cells = layer.values.size if layer.kind == "conv2d" else 1
        filters = layer.shape[2] if layer.kind == "conv2d" else 1
        products.append(0 if layer.kernel is None else layer.kernel.size * cells // filters)
        rows.append([layer.name, KINDS[layer.kind] + _activation(layer), by(layer),
                     layer.parameter_formula, count(products[-1]) if products[-1] else "0"])  # fmt: skip
    parameters = sum(layer.parameters for layer in lens.layers)
    rows.append(["together", "", "", count(parameters), count(sum(products))])
    convolutions = sum(n for n, layer in zip(products, lens.layers, strict=True) if layer.kind == "conv2d")
    dense = sum(layer.parameters for layer in lens.layers if layer.kind == "dense")
    head = ["layer", "what it is", "passes on", "parameters", "multiplications"]
    return {
        "layer_table": table(
            "The layers, what they pass on, and what they cost for one digit.", head, rows, text=2, broad=True
        ),
        "usual_shares": 2 * convolutions > sum(products) and 2 * dense > parameters,
        "conv_share": percent(convolutions / sum(products), 0),
        "dense_share": percent(dense / parameters, 0),
    }


def _activation(layer: LayerView) -> str:
    return "" if layer.activation == "linear" else {"relu": ", ReLU", "softmax": ", softmax"}[layer.activation]


def _names(layers: Sequence[LayerView]) -> str:
    """The names of layers that follow one another: ``conv2``, ``conv2 and conv3``, ``conv2 to conv8``."""
    names = [layer.name for layer in layers]
    return " and ".join(names) if len(names) < 3 else f"{names[0]} to {names[-1]}"


def _window(layer: LayerView) -> int:
    return layer.window[0] if layer.window is not None else 1
