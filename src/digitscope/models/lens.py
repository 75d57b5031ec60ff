"""Every layer's activations for one image, and the exact arithmetic behind any of their cells. Draws nothing.

The activations and weights are those that the ONNX file holds and computes. ``Lens.terms`` computes one cell
again from the layer before it, so that every number in a picture can be traced and compared.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Doubles, Floats
from digitscope.errors import ConfigError
from digitscope.models.layers import Cell, Kind, LayerView, layer_views
from digitscope.models.model import network_input

if TYPE_CHECKING:
    from digitscope.models.model import Model

Cells = npt.NDArray[np.int64]


class Term(NamedTuple):
    """One product inside a cell's sum: ``value`` at the cell ``source`` of the layer before, times ``weight``."""

    source: Cell
    value: float
    weight: float
    product: float


@dataclass(frozen=True, eq=False)
class Terms:
    """The arithmetic of one cell: products added up, plus a bias, then the activation.

    Every kind of layer is such a sum. Max-pooling gives its winner the weight 1 and the others 0, average pooling
    gives each the same share, Flatten copies one cell with weight 1, and the input divides one pixel by 255.

    Attributes:
        layer: the layer's name.
        cell: which cell of it.
        sources: int64 (n, dimensions), the cells of the layer before that it depends on (of the input: the pixel).
        values: float64 (n,), what is stored there (of the input: the pixel's 0..255).
        weights: float64 (n,).
        products: float64 (n,), value times weight.
        bias: what is added to the products.
        sum: products and bias added up here, before the activation.
        result: the sum after the activation, computed here.
        stored: the activation as the network computed it.
    """

    layer: str
    cell: Cell
    sources: Cells
    values: Doubles
    weights: Doubles
    products: Doubles
    bias: float
    sum: float
    result: float
    stored: float

    @property
    def difference(self) -> float:
        """How far the cell computed here is from the stored one: rounding only, about 1e-6."""
        return self.result - self.stored

    @property
    def winner(self) -> int:
        """Which term has the largest weight: in max-pooling, the value that was let through."""
        return int(self.weights.argmax())

    @property
    def ranking(self) -> Cells:
        """The numbers of all terms, int64 (n,), those that move the sum most first."""
        return np.argsort(-np.abs(self.products), kind="stable")

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, index: int) -> Term:
        source: Cell = tuple(self.sources[index].tolist())
        return Term(source, float(self.values[index]), float(self.weights[index]), float(self.products[index]))

    def __iter__(self) -> Iterator[Term]:
        return (self[index] for index in range(len(self)))


class Softmax(NamedTuple):
    """The last step in numbers, each float64 (10,) but ``total``: p = exp(logit - largest) / total of these.

    Subtracting the largest logit changes no probability and keeps exp from growing beyond what a float can hold.
    """

    logits: Doubles
    exponentials: Doubles
    total: float
    probabilities: Doubles


@dataclass(frozen=True, eq=False)
class Lens:
    """One image on its way through a network.

    Attributes:
        image: float32 (28, 28) 0..1, as the network takes it.
        layers: every layer's view, the input first and the ten probabilities last.
    """

    image: Floats
    layers: tuple[LayerView, ...]

    @property
    def pixels(self) -> Floats:
        """The image as a file holds it: float32 (28, 28) 0..255, whole numbers if the image came as such."""
        return np.round(self.image * np.float32(255), 3)

    @property
    def probabilities(self) -> Floats:
        """What the network answers: float32 (10,) 0..1, which add up to 1."""
        return self.layers[-1].values

    @property
    def answer(self) -> int:
        """The digit with the largest probability."""
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        """The largest probability 0..1, as the network gives it (not calibrated)."""
        return float(self.probabilities.max())

    @property
    def runner_up(self) -> int:
        """The digit with the second largest probability."""
        return int(np.argsort(-self.probabilities, kind="stable")[1])

    def layer(self, name: str) -> LayerView:
        """The layer called ``name``.

        Raises:
            ConfigError: there is none.
        """
        return self.layers[self._index(name)]

    def before(self, name: str) -> LayerView:
        """The layer that ``name`` takes its values from.

        Raises:
            ConfigError: there is no layer ``name``, or it is the input.
        """
        index = self._index(name)
        if index == 0:
            raise ConfigError(f"nothing comes before layer {name!r}; give one of {self._names(start=1)}")
        return self.layers[index - 1]

    def terms(self, name: str, cell: int | Cell) -> Terms:
        """The exact arithmetic of one cell.

        Args:
            name: the layer.
            cell: (row, column, channel) in it, or its number from Flatten on; counted from 0.

        Raises:
            ConfigError: there is no such layer or cell.

        >>> from digitscope.models.model import load
        >>> terms = look(load("classic"), np.eye(28)).terms("conv1", (0, 0, 5))
        >>> len(terms), abs(terms.difference) < 1e-4
        (9, True)
        """
        index = self._index(name)
        layer = self.layers[index]
        where = _checked_cell(layer, cell)
        before = self.layers[index - 1].values if index else self.pixels[..., None]
        sources, weights = _DEPENDS[layer.kind](layer, before, where)
        values = before[tuple(sources.T)].astype(np.float64)
        products = values * weights
        bias = 0.0 if layer.bias is None else float(layer.bias[where[-1]])
        total = float(products.sum()) + bias
        result = _activated(layer, where, total)
        stored = float(layer.values[where])
        return Terms(name, where, sources, values, weights, products, bias, total, result, stored)

    def softmax(self) -> Softmax:
        """How the ten sums of the last layer become probabilities."""
        return _softmax(cast(Floats, self.layers[-1].sums))

    def _index(self, name: str) -> int:
        for index, layer in enumerate(self.layers):
            if layer.name == name:
                return index
        raise ConfigError(f"no layer {name!r}; give one of {self._names()}")

    def _names(self, start: int = 0) -> str:
        return ", ".join(layer.name for layer in self.layers[start:])


def look(model: Model, image: npt.ArrayLike) -> Lens:
    """Run one image through a model and keep everything.

    Args:
        model: what ``digitscope.load`` gives.
        image: (28, 28); uint8 0..255 or floats 0..1, pen bright.

    Raises:
        DataError: another shape or type, or values outside the range.
        ModelError: the model's file does not describe its layers, or describes them wrongly.

    >>> from digitscope.models.model import load
    >>> [layer.name for layer in look(load("classic"), np.zeros((28, 28), np.uint8)).layers]
    ['input', 'conv1', 'pool1', 'conv2', 'pool2', 'flatten', 'dense', 'softmax']
    """
    images = network_input(image)
    if len(images) != 1:
        raise ConfigError(f"got {len(images)} images; a lens looks at one, give an array (28, 28)")
    layers = layer_views(model.session, images)
    return Lens(layers[0].values[..., 0], layers)


# What a cell depends on: one declaration per kind of layer, (layer, values before, cell) -> (sources, weights).


def _pixel(layer: LayerView, before: Floats, cell: Cell) -> tuple[Cells, Doubles]:
    """The pixel itself, divided by 255."""
    return np.array([cell]), np.array([1 / 255])


def _all_channels(layer: LayerView, before: Floats, cell: Cell) -> tuple[Cells, Doubles]:
    """Convolution: every channel of the window, each cell with the filter's weight for its place in the window."""
    rows, columns = _window(layer, before.shape, cell)
    inside = np.ix_(rows, columns, np.arange(before.shape[2]))
    sources = np.stack(np.broadcast_arrays(*inside), axis=-1).reshape(-1, 3)
    top, left = _corner(layer, before.shape, cell)
    kernel = layer.learned[0][..., cell[2]]
    return sources, kernel[np.ix_(rows - top, columns - left)].astype(np.float64).ravel()


def _one_channel(layer: LayerView, before: Floats, cell: Cell) -> Cells:
    """Pooling: the window in the cell's own channel."""
    rows, columns = _window(layer, before.shape, cell)
    return np.array([(row, column, cell[2]) for row in rows for column in columns])


def _largest(layer: LayerView, before: Floats, cell: Cell) -> tuple[Cells, Doubles]:
    """Max-pooling: the window's largest value, the first of them if several are equal."""
    sources = _one_channel(layer, before, cell)
    weights = np.zeros(len(sources))
    weights[before[tuple(sources.T)].argmax()] = 1
    return sources, weights


def _mean(layer: LayerView, before: Floats, cell: Cell) -> tuple[Cells, Doubles]:
    """Average pooling: all of the window in equal shares."""
    sources = _one_channel(layer, before, cell)
    return sources, np.full(len(sources), 1 / len(sources))


def _same_value(layer: LayerView, before: Floats, cell: Cell) -> tuple[Cells, Doubles]:
    """Flatten: one cell, copied."""
    return np.array([unflatten(before.shape, cell[0])]), np.ones(1)


def _everything(layer: LayerView, before: Floats, cell: Cell) -> tuple[Cells, Doubles]:
    """Dense: every value before, each with a weight of its own."""
    return np.arange(before.shape[0])[:, None], layer.learned[0][:, cell[0]].astype(np.float64)


_DEPENDS: dict[Kind, Callable[[LayerView, Floats, Cell], tuple[Cells, Doubles]]] = {
    "input": _pixel,
    "conv2d": _all_channels,
    "max_pooling2d": _largest,
    "average_pooling2d": _mean,
    "flatten": _same_value,
    "dense": _everything,
}


def unflatten(shape: Cell, index: int) -> Cell:
    """Which (row, column, channel) of ``shape`` lands at ``index`` when Flatten lays it out: channels run fastest.

    >>> unflatten((5, 5, 64), 731)
    (2, 1, 27)
    """
    return tuple(int(part) for part in np.unravel_index(index, shape))


def _checked_cell(layer: LayerView, cell: int | Cell) -> Cell:
    """``cell`` as a tuple of plain integers.

    Raises:
        ConfigError: it is not one of the layer's cells.
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


def _window(layer: LayerView, before: Cell, cell: Cell) -> tuple[Cells, Cells]:
    """The rows and the columns under the window of ``cell``, as far as they lie inside the layer before."""
    spans = [
        np.arange(max(start, 0), min(start + size, end))
        for start, size, end in zip(_corner(layer, before, cell), layer.window or (), before[:2], strict=True)
    ]
    return spans[0], spans[1]


def _corner(layer: LayerView, before: Cell, cell: Cell) -> tuple[int, int]:
    """Row and column of the window's top left; negative where ``same`` padding lets it hang over the edge.

    Source: TensorFlow's "same" padding: what is missing is shared out, the odd one to the bottom and right.
    """
    corner = []
    for place, length, size, step, end in zip(
        cell[:2], layer.shape[:2], layer.window or (), layer.strides or (), before[:2], strict=True
    ):
        missing = max((length - 1) * step + size - end, 0) if layer.padding == "same" else 0
        corner.append(place * step - missing // 2)
    return corner[0], corner[1]


def _activated(layer: LayerView, cell: Cell, total: float) -> float:
    """``total`` after the layer's activation; for softmax against the stored sums of the other nine."""
    if layer.activation == "softmax":
        sums = cast(Floats, layer.sums).astype(np.float64)
        sums[cell] = total
        return float(_softmax(sums).probabilities[cell])
    return max(total, 0.0) if layer.activation == "relu" else total


def _softmax(logits: npt.NDArray[np.floating[Any]]) -> Softmax:
    exponentials = np.exp(logits.astype(np.float64) - logits.max())
    total = float(exponentials.sum())
    return Softmax(logits.astype(np.float64), exponentials, total, exponentials / total)
