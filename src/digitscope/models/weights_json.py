"""A network as plain JSON that any program can read, and a reader of it in NumPy. No ONNX, no Keras, no files.

The record is an object with these entries:

- ``format`` is ``"digitscope-weights"``, ``version`` is 1; ``about`` explains how to read the numbers;
- ``input``: ``shape`` [28, 28, 1], ``dtype``, and the ``range`` [0, 1] from paper to pen;
- ``classes``: the ten digits in the order of the answers;
- ``layers``, in order, each with ``type``, ``name``, ``config``, ``output_shape`` and ``weights``. The type is
  ``conv2d``, ``max_pooling2d``, ``average_pooling2d``, ``flatten`` or ``dense``. The config holds ``kernel_size``
  or ``pool_size``, ``strides`` and ``padding`` of a window, and the ``activation`` of a layer with weights. Each of
  the weights has a ``name`` (``kernel`` or ``bias``), a ``shape``, and ``data``: the numbers in row-major order, each
  with the fewest digits that give the same float32 again.

``answers`` shows all that a reader has to compute, in sixty lines that need nothing but NumPy. It shares no code with
the rest of the package, softmax included, so that it can be ported from this file alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from digitscope.arraytypes import Doubles, Floats
from digitscope.models.layers import LayerView

FORMAT = "digitscope-weights"
VERSION = 1
"""Version of the record; it grows when the meaning of an entry changes."""

ABOUT = (
    "A network that reads one handwritten digit. Arrays are flat, in row-major order. Images and activations are "
    "[row, column, channel]; a conv2d kernel is [row, column, channel before, filter], a dense kernel [value before, "
    "unit]; flatten lays out rows, then columns, then channels. Windows are not mirrored. With padding 'same' the "
    "missing rows and columns are shared out, the odd one to the bottom and right: a convolution finds 0 there, a "
    "pooling leaves them out."
)
"""How to read the file, in the file itself."""


def weights_record(layers: Sequence[LayerView]) -> dict[str, Any]:
    """A network as plain JSON values, as described above.

    Args:
        layers: all layers of the network, the input first.
    """
    first, *others = layers
    return {
        "format": FORMAT,
        "version": VERSION,
        "about": ABOUT,
        "input": {"shape": list(first.shape), "dtype": "float32", "range": [0, 1]},
        "classes": list(range(10)),
        "layers": [_entry(layer) for layer in others],
    }


def weights_text(record: dict[str, Any]) -> str:
    """A record as JSON text, indented, with every list of numbers on a line of its own.

    >>> print(weights_text({"shape": [28, 28, 1], "name": "a"}), end="")
    {
      "shape": [28, 28, 1],
      "name": "a"
    }
    """
    text = json.dumps(record, indent=2, allow_nan=False, ensure_ascii=False)
    lists = re.compile(r"\[\n[-+.\de,\s]*\]")  # a name cannot look like one: JSON has no line breaks inside a string
    return lists.sub(lambda found: re.sub(r"\n\s*", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text) + "\n"


def answers(record: dict[str, Any], images: Floats) -> Doubles:
    """The probabilities that the network in a record gives, computed in NumPy.

    Args:
        record: what ``weights_record`` returns, or the same read from JSON; it is not checked.
        images: float32 (n, 28, 28, 1) 0..1.

    Returns:
        float64 (n, 10) 0..1, each row adds up to 1.
    """
    values = images.astype(np.float64)
    for layer in record["layers"]:
        config = layer["config"]
        weights = {part["name"]: np.array(part["data"]).reshape(part["shape"]) for part in layer["weights"]}
        if layer["type"] == "conv2d":
            windows = _windows(values, config["kernel_size"], config, fill=0)
            values = np.tensordot(windows, weights["kernel"], axes=([4, 5, 3], [0, 1, 2]))
        elif layer["type"] == "max_pooling2d":
            values = _windows(values, config["pool_size"], config, fill=-np.inf).max(axis=(4, 5))
        elif layer["type"] == "average_pooling2d":
            values = np.nanmean(_windows(values, config["pool_size"], config, fill=np.nan), axis=(4, 5))
        elif layer["type"] == "flatten":
            values = values.reshape(len(values), -1)
        else:
            values = values @ weights["kernel"]
        values = _activated(values + weights.get("bias", 0), config.get("activation", "linear"))
    return values


def learned_arrays(layer: LayerView) -> dict[str, Floats]:
    """A layer's trained arrays by name: ``kernel``, and ``bias`` if it has one; empty for a layer without weights."""
    if layer.kernel is None:
        return {}
    kernel, bias = layer.learned
    return {"kernel": kernel, "bias": bias} if layer.parameters > kernel.size else {"kernel": kernel}


def config_of(layer: LayerView) -> dict[str, Any]:
    """The settings of a layer as the record has them: its window, strides and padding, or its activation, or both."""
    config: dict[str, Any] = {}
    if layer.window is not None and layer.strides is not None:
        size = "kernel_size" if layer.kind == "conv2d" else "pool_size"
        config = {size: list(layer.window), "strides": list(layer.strides), "padding": layer.padding}
    if layer.kernel is not None:
        config["activation"] = layer.activation
    return config


def _entry(layer: LayerView) -> dict[str, Any]:
    """One layer after the input."""
    return {
        "type": layer.kind,
        "name": layer.name,
        "config": config_of(layer),
        "output_shape": list(layer.shape),
        "weights": [_weight(name, values) for name, values in learned_arrays(layer).items()],
    }


def _weight(name: str, values: Floats) -> dict[str, Any]:
    """One array; each number goes through its shortest float32 text, or JSON would write the digits of a float64."""
    return {"name": name, "shape": list(values.shape), "data": [float(text) for text in values.ravel().astype(str)]}


def _windows(values: Doubles, size: list[int], config: dict[str, Any], fill: float) -> Doubles:
    """All windows (n, rows, columns, channels, height, width); ``fill`` stands where they hang over the edge."""
    edges = [(0, 0)] * 4
    if config["padding"] == "same":
        for axis in (0, 1):
            length, step = values.shape[1 + axis], config["strides"][axis]
            missing = max((-(-length // step) - 1) * step + size[axis] - length, 0)
            edges[1 + axis] = (missing // 2, missing - missing // 2)
    padded = np.pad(values, edges, constant_values=fill)
    down, right = config["strides"]
    windows: Doubles = np.lib.stride_tricks.sliding_window_view(padded, tuple(size), axis=(1, 2))[:, ::down, ::right]
    return windows


def _activated(values: Doubles, activation: str) -> Doubles:
    if activation == "relu":
        return np.maximum(values, 0)
    if activation == "softmax":
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        values = powers / powers.sum(axis=1, keepdims=True)
    return values
