"""One image on its way through a network: every layer's activations, and the arithmetic of each. Draws nothing.

The activations and weights are those that the ONNX file holds and computes. ``Lens.terms`` computes any cell again
from the layer before it, so that every number in a picture can be traced and checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Floats
from digitscope.errors import ConfigError
from digitscope.models.inputs import network_input
from digitscope.models.layers import Cell, LayerView, layer_views
from digitscope.models.model import Model
from digitscope.models.terms import Softmax, Terms, cell_terms


@dataclass(frozen=True, eq=False)
class Lens:
    """Everything that a network computes for one image.

    Attributes:
        image: float32 (28, 28) 0..1, as the network takes it.
        layers: all layers, the input first and the ten probabilities last.
    """

    image: Floats
    layers: tuple[LayerView, ...]

    @property
    def pixels(self) -> Floats:
        """The image as float32 (28, 28) 0..255; whole numbers if it was given as uint8."""
        return np.round(self.image * np.float32(255), 3)

    @property
    def probabilities(self) -> Floats:
        """The network's answer: float32 (10,) 0..1, which add up to 1."""
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
            cell: (row, column, channel) in it, or its index from Flatten on; counted from 0.

        Raises:
            ConfigError: there is no such layer or cell.

        >>> from digitscope.models.model import load
        >>> terms = look(load("classic"), np.eye(28)).terms("conv1", (0, 0, 5))
        >>> len(terms), abs(terms.difference) < 1e-4
        (9, True)
        """
        index = self._index(name)
        before = self.layers[index - 1].values if index else self.pixels[..., None]
        return cell_terms(self.layers[index], before, cell)

    def softmax(self) -> Softmax:
        """How the ten sums of the last layer become probabilities."""
        return Softmax.of(cast(Floats, self.layers[-1].sums))

    def _index(self, name: str) -> int:
        for index, layer in enumerate(self.layers):
            if layer.name == name:
                return index
        raise ConfigError(f"no layer {name!r}; give one of {self._names()}")

    def _names(self, start: int = 0) -> str:
        return ", ".join(layer.name for layer in self.layers[start:])


def look(model: Model, image: npt.ArrayLike) -> Lens:
    """Run one image through a model and keep everything that it computes.

    Args:
        model: what ``digitscope.load`` gives.
        image: (28, 28); uint8 0..255 or floats 0..1, pen bright.

    Raises:
        DataError: another shape or type, or values outside the range.
        ConfigError: more than one image.
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
