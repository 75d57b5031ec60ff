"""A second, independent reading of a weights-json text: one image, one cell after the other, as its `about` says."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import numpy as np


def plain_probabilities(text: str, image: np.ndarray) -> np.ndarray:
    """The ten probabilities of one image (28, 28, 1) 0..1."""
    record = json.loads(text)
    assert (record["format"], record["version"]) == ("digitscope-weights", 1)
    assert list(image.shape) == record["input"]["shape"]
    values = image.astype(float)
    for layer in record["layers"]:
        arrays = {part["name"]: np.reshape(part["data"], part["shape"]) for part in layer["weights"]}
        values = _COMPUTE[layer["type"]](layer, values, arrays)
        if "bias" in arrays:
            values = values + arrays["bias"]
        if layer["config"].get("activation") == "relu":
            values = values.clip(0)
        if layer["config"].get("activation") == "softmax":
            values = np.exp(values) / np.exp(values).sum()
        assert list(values.shape) == layer["output_shape"]
    assert len(values) == len(record["classes"])
    return values


def _window(layer: dict[str, Any], values: np.ndarray, row: int, column: int, size: list[int]) -> list[list[int]]:
    """The rows and columns of one window, those that hang over the edge included."""
    spans = []
    for place, axis in ((row, 0), (column, 1)):
        step, before, after = layer["config"]["strides"][axis], values.shape[axis], layer["output_shape"][axis]
        missing = max((after - 1) * step + size[axis] - before, 0) if layer["config"]["padding"] == "same" else 0
        start = place * step - missing // 2
        spans.append(list(range(start, start + size[axis])))
    return spans


def _convolution(layer: dict[str, Any], values: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    out = np.zeros(layer["output_shape"])
    for row, column in product(*map(range, out.shape[:2])):
        rows, columns = _window(layer, values, row, column, layer["config"]["kernel_size"])
        for (i, down), (j, right) in product(enumerate(rows), enumerate(columns)):
            if 0 <= down < values.shape[0] and 0 <= right < values.shape[1]:
                out[row, column] += values[down, right] @ arrays["kernel"][i, j]
    return out


def _pooling(layer: dict[str, Any], values: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    out = np.zeros(layer["output_shape"])
    for row, column in product(*map(range, out.shape[:2])):
        rows, columns = _window(layer, values, row, column, layer["config"]["pool_size"])
        inside = [
            values[down, right]
            for down, right in product(rows, columns)
            if 0 <= down < values.shape[0] and 0 <= right < values.shape[1]
        ]
        out[row, column] = (np.max if layer["type"].startswith("max") else np.mean)(inside, axis=0)
    return out


_COMPUTE = {
    "conv2d": _convolution,
    "max_pooling2d": _pooling,
    "average_pooling2d": _pooling,
    "flatten": lambda layer, values, arrays: values.ravel(),
    "dense": lambda layer, values, arrays: values @ arrays["kernel"],
}
