"""A stand-in for the session of a model that was never trained: other windows, steps, paddings and poolings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from digitscope.errors import ModelError


def small_network(padding: str, kind: str, strides: int = 1, bias: bool = True) -> SimpleNamespace:
    """Convolution, pooling, flatten and softmax in plain loops over a padded array, as a session would hold them."""
    rng = np.random.default_rng(5)

    def windows(x: np.ndarray, size: int, step: int, fill: float) -> np.ndarray:
        if padding == "same":
            out = -(-x.shape[0] // step)
            missing = max((out - 1) * step + size - x.shape[0], 0)
            edge = (missing // 2, missing - missing // 2)
            x = np.pad(x, (edge, edge, (0, 0)), constant_values=fill)
        view = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(0, 1))
        return view[::step, ::step]  # (h, w, channels, size, size)

    kernel = rng.normal(size=(4, 4, 1, 3)).astype(np.float32)
    offset = rng.normal(size=3).astype(np.float32) * bias
    dense = rng.normal(size=(10, 10)).astype(np.float32)

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        sums = np.einsum("hwcij,ijck->hwk", windows(images[0], 4, strides, 0), kernel) + offset
        pooled = windows(sums, 3, 2, np.nan)
        pooled = np.nanmax(pooled, axis=(3, 4)) if kind == "max_pooling2d" else np.nanmean(pooled, axis=(3, 4))
        flat = pooled.ravel()
        logits = flat @ np.resize(dense, (len(flat), 10)) / 30
        probabilities = np.exp(logits - logits.max())
        values = {
            "sums": sums.transpose(2, 0, 1), "pooled": pooled, "flat": flat, "logits": logits,
            "probabilities": probabilities / probabilities.sum(),
        }  # fmt: skip
        found = {name: value[None].astype(np.float32) for name, value in values.items()}
        return found | {"kernel": kernel, "bias": offset, "dense": np.resize(dense, (len(flat), 10)) / np.float32(30)}

    def tensors(images: np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
        found = run(images)
        if missing := set(names) - set(found):
            raise ModelError(f"no {missing}")
        return {name: found[name] for name in names}

    shapes = {name: list(value.shape[1:]) for name, value in run(np.zeros((1, 28, 28, 1), np.float32)).items()}
    shapes["sums"] = [*shapes["sums"][1:], 3]

    def at(tensor: str, layout: str = "nhwc") -> dict[str, str]:
        return {"tensor": tensor, "layout": layout}

    layers: list[dict[str, Any]] = [
        {"name": "input", "kind": "input", "shape": [28, 28, 1], "parameters": 0, "activation": "linear"},
        {
            "name": "c", "kind": "conv2d", "shape": shapes["sums"], "parameters": 51 if bias else 48,
            "activation": "linear", "output": at("sums", "nchw"), "sum": at("sums", "nchw"),
            "kernel": at("kernel", "keras"), "bias": at("bias", "keras") if bias else None,
            "kernel_size": [4, 4], "strides": [strides, strides], "padding": padding,
        },
        {
            "name": "p", "kind": kind, "shape": shapes["pooled"], "parameters": 0, "activation": "linear",
            "output": at("pooled"), "pool_size": [3, 3], "strides": [2, 2], "padding": padding,
        },
        {"name": "f", "kind": "flatten", "shape": shapes["flat"], "parameters": 0, "activation": "linear",
         "output": at("flat")},
        {"name": "s", "kind": "dense", "shape": [10], "parameters": 10 * shapes["flat"][0], "activation": "softmax",
         "output": at("probabilities"), "sum": at("logits"), "kernel": at("dense", "keras"), "bias": None},
    ]  # fmt: skip
    return SimpleNamespace(source="stand-in", layers=layers, tensors=tensors)
