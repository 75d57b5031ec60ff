"""The data of the report's two animations: pixels, colours, and a few filters and maps as the model stores them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import AnyArray, Doubles, Floats, Levels
from digitscope.models.layers import LayerView
from digitscope.models.lens import Lens
from digitscope.plots.primitives import SIGNED, SIGNED_DARK
from digitscope.web.report.network import Network

CHOICES = 6
"""Filters to choose from in an animation."""


def data(lens: Lens, network: Network) -> dict[str, Any]:
    """What ``window.js`` reads, fit for JSON."""
    pooled, pool = lens.layer(network.pooled.name), lens.layer(network.pool.name)
    return {
        "side": network.side,
        "pixels": [int(value) for value in lens.pixels.ravel()],
        "kernel": network.kernel,
        "mapSide": network.first.side,
        "filters": [_filter(lens.layer(network.first.name), index) for index in choice_of_filters(lens, network)],
        "pool": {
            "of": network.pooled.name if network.repeats else "",
            "side": network.pooled.side,
            "pooledSide": network.pool.side,
            "mode": "max" if network.max_pooling else "average",
            "maps": [
                {
                    "number": index,
                    "values": _exact(pooled.values[:, :, index]),
                    "pooled": _exact(pool.values[:, :, index]),
                }
                for index in choice_of_maps(lens, network)
            ],
        },
        "colours": np.round(255 * SIGNED(np.linspace(0, 1, 21))[:, :3]).astype(int).tolist(),
        "darkColours": np.round(255 * SIGNED_DARK(np.linspace(0, 1, 21))[:, :3]).astype(int).tolist(),
    }


def choice_of_filters(lens: Lens, network: Network) -> list[int]:
    """A few filters of the first layer that respond to the digit and differ from one another.

    The first one responds strongly to edges: an edge detector's weights nearly cancel out, so that it is silent where
    all is ink or all is paper.
    """
    first = lens.layer(network.first.name)
    kernels = kernel_of(first).reshape(-1, network.first.maps).T.astype(np.float64)
    contrast = 1 - np.abs(kernels.sum(axis=1)) / np.maximum(np.abs(kernels).sum(axis=1), 1e-12)
    return _unlike(kernels, first.values.max(axis=(0, 1)) * contrast)


def choice_of_maps(lens: Lens, network: Network) -> list[int]:
    """A few of the maps that are pooled first: those of ``choice_of_filters``, if the first convolution made them.

    Otherwise maps that show much and differ from one another.
    """
    if not network.repeats:
        return choice_of_filters(lens, network)
    maps = lens.layer(network.pooled.name).values.reshape(-1, network.pooled.maps).T.astype(np.float64)
    return _unlike(maps, maps.max(axis=1))


def signed(values: npt.ArrayLike, limit: float) -> Levels:
    """Values from -limit to limit in colours uint8 (h, w, 3): blue negative, orange positive."""
    colours = SIGNED(0.5 + 0.5 * np.clip(np.asarray(values) / (limit or 1.0), -1, 1))
    return np.asarray(np.round(255 * colours[..., :3]), np.uint8)


def kernel_of(layer: LayerView) -> Floats:
    """A layer's weights; an empty array if it has none."""
    return layer.kernel if layer.kernel is not None else np.zeros(0, np.float32)


def sums_of(layer: LayerView) -> Floats:
    """A layer's sums before the activation; its values if it has no weights."""
    return layer.sums if layer.sums is not None else layer.values


def _filter(layer: LayerView, index: int) -> dict[str, Any]:
    """One filter of the first convolution, its bias and its sums."""
    bias = layer.bias if layer.bias is not None else np.zeros(layer.shape[-1], np.float32)
    return {
        "number": index,
        "kernel": _exact(kernel_of(layer)[:, :, 0, index]),
        "bias": _exact(bias[[index]])[0],
        "sums": _exact(sums_of(layer)[:, :, index]),
    }


def _unlike(patterns: Doubles, score: AnyArray) -> list[int]:
    """The pattern (n, size) with the highest score, and others of the better half that look least like those chosen."""
    patterns = patterns / np.maximum(np.linalg.norm(patterns, axis=1, keepdims=True), 1e-12)
    candidates = [int(i) for i in np.argsort(-score, kind="stable") if score[i] >= np.median(score)]
    chosen = candidates[:1]
    while len(chosen) < min(CHOICES, len(candidates)):
        rest = [i for i in candidates if i not in chosen]
        chosen.append(min(rest, key=lambda i: float((patterns[chosen] @ patterns[i]).max())))
    return chosen


def _exact(values: Floats) -> list[float]:
    """Float32 values as the shortest decimals that give back the same float32."""
    return [float(str(value)) for value in np.asarray(values, np.float32).ravel()]
