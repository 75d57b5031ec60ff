"""Facts about how the network is built: the role of each layer, its size, what it costs, how much it sees.

The chapters go by roles (``Network.first``, ``Network.pooled`` ...), so they hold for any number of convolutions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from digitscope.models.layers import Cell, LayerView
from digitscope.models.lens import Lens
from digitscope.models.receptive_fields import receptive_fields

KINDS = {
    "input": "input",
    "conv2d": "convolution",
    "max_pooling2d": "max-pooling",
    "average_pooling2d": "average pooling",
    "flatten": "flatten",
    "dense": "dense layer",
}
"""What the report calls each kind of layer."""

ACTIVATIONS = {"linear": "", "relu": ", ReLU", "softmax": ", softmax"}
"""What it adds for each activation."""

MANY_FILTERS = 16
"""With this many filters, edges of every direction are among them."""


@dataclass(frozen=True)
class Layer:
    """A layer without its numbers.

    Attributes:
        name: its name in the network.
        kind: see ``models.layers.LayerView``.
        what: its kind and activation, e.g. ``convolution, ReLU``.
        shape: (height, width, maps), or (n,) from Flatten on.
        parameters: learned numbers.
        formula: how the parameters are counted, e.g. ``32·(3·3·1) + 32 = 320``.
        products: multiplications for one digit.
        sees: side in pixels of the square of the picture that one cell depends on.
    """

    name: str
    kind: str
    what: str
    shape: Cell
    parameters: int
    formula: str
    products: int
    sees: int

    @property
    def side(self) -> int:
        """Cells from left to right of one map."""
        return self.shape[0]

    @property
    def maps(self) -> int:
        """Maps, one for each filter."""
        return self.shape[-1]

    @property
    def size(self) -> int:
        """Numbers that it passes on."""
        return math.prod(self.shape)

    @property
    def sheets(self) -> int:
        """How many sheets stand for its maps in the picture of the network: one more for every doubling."""
        return min(self.maps.bit_length(), 7)

    @property
    def size_text(self) -> str:
        """Its shape without spaces: ``26×26×32``."""
        return "×".join(map(str, self.shape))


@dataclass(frozen=True)
class Network:
    """The layers by the role that they play in the report.

    Attributes:
        layers: all of them in order.
        kernel: side of the convolutions' window in pixels.
        before: the convolutions before the first pooling; the last of them is what it pools.
        pool: the first pooling.
        between: the convolutions between the poolings.
        second_pool: the second pooling.
        after: the convolutions after it; usually none.
        flatten: the maps as a list.
        dense: the dense layer before the answer.
        answer: the dense layer with softmax.
    """

    layers: tuple[Layer, ...]
    kernel: int
    before: tuple[Layer, ...]
    pool: Layer
    between: tuple[Layer, ...]
    second_pool: Layer
    after: tuple[Layer, ...]
    flatten: Layer
    dense: Layer
    answer: Layer

    @property
    def side(self) -> int:
        """Pixels from left to right of the picture."""
        return self.layers[0].side

    @property
    def first(self) -> Layer:
        """The convolution that looks at the picture."""
        return self.before[0]

    @property
    def pooled(self) -> Layer:
        """What the first pooling pools; with one convolution before it, that is the first."""
        return self.before[-1]

    @property
    def second(self) -> Layer:
        """The first convolution after the first pooling."""
        return self.between[0]

    @property
    def last(self) -> Layer:
        """The last layer of maps, which Flatten takes."""
        return (self.second_pool, *self.after)[-1]

    @property
    def convolutions(self) -> tuple[Layer, ...]:
        """All of them."""
        return (*self.before, *self.between, *self.after)

    @property
    def repeats(self) -> bool:
        """Whether several convolutions come before each pooling."""
        return len(self.before) > 1

    @property
    def max_pooling(self) -> bool:
        """Whether pooling takes the maximum, not the average."""
        return self.pool.kind == "max_pooling2d"

    @property
    def many_filters(self) -> bool:
        """Whether the first layer has enough filters for edges of every direction."""
        return self.first.maps >= MANY_FILTERS

    @property
    def maps_grow(self) -> bool:
        """Whether the number of maps grows on the way and never falls."""
        maps = [layer.maps for layer in self.convolutions]
        return maps == sorted(maps) and maps[0] < maps[-1]

    @property
    def parameters(self) -> int:
        """Learned numbers of all layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def products(self) -> int:
        """Multiplications of all layers for one digit."""
        return sum(layer.products for layer in self.layers)

    @property
    def convolution_share(self) -> float:
        """Share 0..1 of the multiplications that the convolutions do."""
        return sum(layer.products for layer in self.layers if layer.kind == "conv2d") / self.products

    @property
    def dense_share(self) -> float:
        """Share 0..1 of the learned numbers that the dense layers hold."""
        return sum(layer.parameters for layer in self.layers if layer.kind == "dense") / self.parameters


def facts(lens: Lens) -> Network:
    """The network that a lens looks into."""
    layers = tuple(
        _layer(view, fields.size[0]) for view, fields in zip(lens.layers, receptive_fields(lens.layers), strict=True)
    )
    one, two, flat, dense, answer = (
        next(index for index, layer in enumerate(layers) if layer.name == name)
        for name in ("pool1", "pool2", "flatten", "dense", "softmax")
    )
    window = lens.layers[1].window
    return Network(
        layers=layers,
        kernel=window[0] if window is not None else 1,
        before=layers[1:one],
        pool=layers[one],
        between=layers[one + 1 : two],
        second_pool=layers[two],
        after=layers[two + 1 : flat],
        flatten=layers[flat],
        dense=layers[dense],
        answer=layers[answer],
    )


def _layer(view: LayerView, sees: int) -> Layer:
    """What the report says of one layer, which sees a square of so many pixels."""
    places, filters = (view.values.size, view.shape[2]) if view.kind == "conv2d" else (1, 1)
    return Layer(
        name=view.name,
        kind=view.kind,
        what=KINDS[view.kind] + ACTIVATIONS[view.activation],
        shape=view.shape,
        parameters=view.parameters,
        formula=view.parameter_formula,
        products=0 if view.kernel is None else view.kernel.size * places // filters,
        sees=sees,
    )
