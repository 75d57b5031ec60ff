"""The layers of a network as its file describes them, with their weights and activations. No arithmetic, no drawing.

The description may come from anyone, so nothing in it is trusted: every shape must follow from the layer before and
fit the tensors that are named.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from digitscope.arraytypes import Floats
from digitscope.errors import ConfigError, ModelError, first_line
from digitscope.models.session import ClassifierSession, blank_image

Cell = tuple[int, ...]
Kind = Literal["input", "conv2d", "max_pooling2d", "average_pooling2d", "flatten", "dense"]
Activation = Literal["linear", "relu", "softmax"]
Padding = Literal["valid", "same"]

KERAS_KINDS: Mapping[str, Kind] = types.MappingProxyType(
    {
        "Conv2D": "conv2d",
        "MaxPooling2D": "max_pooling2d",
        "AveragePooling2D": "average_pooling2d",
        "Flatten": "flatten",
        "Dense": "dense",
    }
)
"""The Keras layers that a network may have: class name -> kind."""


@dataclass(frozen=True, eq=False)
class LayerView:
    """One layer: what it computes, its weights, and its activations for one image.

    Attributes:
        name: its name in the network, e.g. ``conv1``.
        kind: what it computes.
        activation: the function applied to its sums.
        shape: (height, width, channels), or (n,) from Flatten on.
        parameters: number of trained weights and biases.
        values: float32 of ``shape``, the activations.
        sums: float32 of ``shape``, the sums before the activation; None for a layer without weights.
        kernel: the weights, float32 (height, width, input channels, filters) or (inputs, units); else None.
        bias: float32 (filters,) or (units,), zeros if the network has none; None for a layer without weights.
        window: (height, width) of a convolution or pooling; else None.
        strides: how far that window moves from cell to cell, (down, right); else None.
        padding: ``valid``: the window stays inside; ``same``: it may hang over the edge, where nothing counts.
    """

    name: str
    kind: Kind
    activation: Activation
    shape: Cell
    parameters: int
    values: Floats
    sums: Floats | None = None
    kernel: Floats | None = None
    bias: Floats | None = None
    window: tuple[int, int] | None = None
    strides: tuple[int, int] | None = None
    padding: Padding = "valid"

    @property
    def parameter_formula(self) -> str:
        """How the number of parameters is made up: ``32·(3·3·1) + 32 = 320``; ``0`` for a layer without weights."""
        if self.kernel is None:
            return "0"
        *inputs, units = self.kernel.shape
        weights = "·".join(map(str, inputs)) if len(inputs) == 1 else f"({'·'.join(map(str, inputs))})"
        biases = f" + {units}" if self.parameters > self.kernel.size else ""
        return f"{units}·{weights}{biases} = {self.parameters:,}"

    @property
    def size(self) -> str:
        """The shape as text: ``26 × 26 × 32``."""
        return " × ".join(f"{side:,}" for side in self.shape)

    @property
    def learned(self) -> tuple[Floats, Floats]:
        """``kernel`` and ``bias``.

        Raises:
            ConfigError: the layer has no weights.
        """
        if self.kernel is None or self.bias is None:
            raise ConfigError(f"layer {self.name!r} ({self.kind}) has no weights; give a convolution or a dense layer")
        return self.kernel, self.bias

    def overhang(self, before: Cell) -> tuple[int, int]:
        """How many cells the first window hangs over the edge, at the top and at the left.

        Source: TensorFlow's "same" padding: half of what is missing goes to each side, the odd one to the bottom and
        right.

        Args:
            before: the shape of the layer before.
        """
        if self.padding == "valid" or self.window is None or self.strides is None:
            return 0, 0
        axes = zip(self.shape[:2], self.window, self.strides, before[:2], strict=True)
        top, left = (max((length - 1) * step + size - end, 0) // 2 for length, size, step, end in axes)
        return top, left


def layer_views(session: ClassifierSession, images: Floats | None = None) -> tuple[LayerView, ...]:
    """All layers of a network with their activations for one image, the input first and the ten probabilities last.

    Args:
        session: a model that describes its layers.
        images: the one image, float32 (1, 28, 28, 1) 0..1; None takes a blank one, if only shapes and weights matter.

    Raises:
        ModelError: the file does not describe its layers, or describes them wrongly.
    """
    images = blank_image() if images is None else images
    entries = session.layers
    try:
        _require(len(entries) > 1, "it names no layers")
        tensors = session.tensors(images, sorted({name for entry in entries for name in _tensor_names(entry)}))
        views = [_input_view(entries[0], images[0])]
        for entry in entries[1:]:
            views.append(_view(entry, views[-1], tensors))
        _require(len({view.name for view in views}) == len(views), "two layers have the same name")
        last = views[-1]
        _require(last.shape == (10,) and last.activation == "softmax", "the last is not a softmax over ten digits")
    except ModelError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        what = first_line(error) if type(error) is ValueError else f"{type(error).__name__}: {first_line(error)}"
        raise ModelError(f"{session.source} describes its layers wrongly ({what}); export the model again") from error
    return tuple(views)


def _tensor_names(entry: dict[str, Any]) -> list[str]:
    """The tensors that a layer's entry refers to."""
    references = [entry.get(part) for part in ("output", "sum", "kernel", "bias")]
    names = [reference["tensor"] for reference in references if reference is not None]
    _require(all(isinstance(name, str) for name in names), "a tensor's name is not text")
    return names


def _input_view(entry: dict[str, Any], image: Floats) -> LayerView:
    _require(entry["kind"] == "input" and entry["shape"] == [28, 28, 1], "the first is not an input of 28 x 28 x 1")
    return LayerView(_name(entry), "input", "linear", (28, 28, 1), 0, _frozen(image))


def _view(entry: dict[str, Any], before: LayerView, tensors: dict[str, Floats]) -> LayerView:
    """One layer after the input; its shape must follow from ``before``."""
    name, kind, activation = _name(entry), entry["kind"], entry["activation"]
    _require(kind in ("conv2d", "max_pooling2d", "average_pooling2d", "flatten", "dense"), f"{name} is a {kind}")
    shape = _sizes(entry["shape"])
    window = _pair(entry["kernel_size"]) if kind == "conv2d" else None
    window = _pair(entry["pool_size"]) if kind.endswith("pooling2d") else window
    strides = _pair(entry["strides"]) if window else None
    padding: Padding = entry["padding"] if window else "valid"
    _require(padding in ("valid", "same"), f"{name} has the padding {padding}")
    allowed = {"conv2d": ("linear", "relu"), "dense": ("linear", "relu", "softmax")}.get(kind, ("linear",))
    _require(activation in allowed, f"{name} is a {kind} with the activation {activation}")
    expected = shape_after(before.shape, kind, shape[-1], window, strides, padding)
    _require(shape == expected, f"{name} has the shape {shape}, expected {expected}")
    sums, kernel, bias = None, None, None
    if kind in ("conv2d", "dense"):
        sums = _activation(entry["sum"], shape, tensors)
        kernel = _kernel(entry["kernel"], (*(window or ()), before.shape[-1], shape[-1]), tensors)
        units = (shape[-1],)
        bias = _frozen(np.zeros(units, np.float32) if entry["bias"] is None else _array(entry["bias"], units, tensors))
    parameters = entry["parameters"]
    learned = (0,) if kernel is None else (kernel.size, kernel.size + shape[-1])
    _require(parameters in learned, f"{name} has {parameters} parameters, expected {learned[-1]}")
    values = _activation(entry["output"], shape, tensors)
    return LayerView(
        name, kind, activation, shape, int(parameters), values, sums, kernel, bias, window, strides, padding
    )


def shape_after(
    before: Cell, kind: Kind, units: int, window: Cell | None, strides: Cell | None, padding: Padding
) -> Cell:
    """The shape of a layer with ``units`` filters or units, after a layer of shape ``before``."""
    if kind == "flatten":
        return (math.prod(before),)
    if window is None or strides is None:
        _require(len(before) == 1, f"a dense layer follows the shape {before}")
        return (units,)
    _require(len(before) == 3, f"a window moves over the shape {before}")
    places = [
        -(-length // step) if padding == "same" else (length - size) // step + 1
        for length, size, step in zip(before[:2], window, strides, strict=True)
    ]
    return (*places, units if kind == "conv2d" else before[2])


def _activation(reference: dict[str, str], shape: Cell, tensors: dict[str, Floats]) -> Floats:
    """A layer's activations for the one image, in ``shape``."""
    if reference["layout"] == "nchw":
        height, width, channels = shape
        return _frozen(_array(reference, (1, channels, height, width), tensors)[0].transpose(1, 2, 0))
    _require(reference["layout"] == "nhwc", f"an activation has the layout {reference['layout']}")
    return _frozen(_array(reference, (1, *shape), tensors)[0])


def _kernel(reference: dict[str, str], shape: Cell, tensors: dict[str, Floats]) -> Floats:
    """A layer's weights in Keras' layout, ``shape``."""
    if reference["layout"] == "oihw":
        height, width, channels, filters = shape
        return _frozen(_array(reference, (filters, channels, height, width), tensors).transpose(2, 3, 1, 0))
    _require(reference["layout"] == "keras", f"a kernel has the layout {reference['layout']}")
    return _frozen(_array(reference, shape, tensors))


def _array(reference: dict[str, str], shape: Cell, tensors: dict[str, Floats]) -> Floats:
    name = reference["tensor"]
    values: Floats = tensors[name]
    _require(isinstance(values, np.ndarray) and values.dtype == np.float32, f"{name} is not a float32 tensor")
    _require(values.size == math.prod(shape), f"{name} has the shape {values.shape}, expected {shape}")
    _require(bool(np.isfinite(values).all()), f"{name} holds values that are not finite")
    return values.reshape(shape)


def _frozen(values: Floats) -> Floats:
    """A read-only copy: what a lens shows must stay as the network computed it."""
    copy = np.ascontiguousarray(values).copy()
    copy.setflags(write=False)
    return copy


def _name(entry: dict[str, Any]) -> str:
    name = entry["name"]
    plain = isinstance(name, str) and name.isprintable() and 0 < len(name) <= 100 and not set(name) & {"/", "\\"}
    _require(plain, "a layer's name is not a short text without slashes")
    return str(name)


def _sizes(sizes: Any) -> Cell:
    _require(isinstance(sizes, list) and len(sizes) in (1, 3), f"a layer has the shape {sizes}")
    _require(all(type(size) is int and 0 < size < 2**31 for size in sizes), f"a layer has the shape {sizes}")
    return tuple(sizes)


def _pair(sizes: Any) -> tuple[int, int]:
    down, right = sizes
    _require(all(type(size) is int and 0 < size < 2**31 for size in (down, right)), f"a window or step is {sizes}")
    return down, right


def _require(holds: bool, what: str) -> None:
    """Raise ValueError unless ``holds``; ``layer_views`` turns it into a ModelError."""
    if not holds:
        raise ValueError(what[:200])
