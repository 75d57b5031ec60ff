"""One map of what a network computes in its last hidden layer: principal components. It draws nothing.

Source: Pearson, "On Lines and Planes of Closest Fit to Systems of Points in Space", 1901.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from digitscope.arraytypes import AnyArray, Floats, Images, base64_text
from digitscope.models.inputs import network_input
from digitscope.models.layers import LayerView
from digitscope.models.model import Model

DIRECTIONS = 16
"""Components that a page keeps. Two are drawn; neighbours are those nearest in all of them, because in two, digits lie
over each other that the network tells apart. Of ``classic`` sixteen hold nine tenths of the variance."""

BATCH = 100
"""Images that go through the network together."""


def feature_map(model: Model, layers: tuple[LayerView, ...], images: Images) -> dict[str, Any]:
    """The principal components of the last hidden layer's values, and where the images lie along them.

    Args:
        model: the network.
        layers: its layers, for any image.
        images: uint8 (n, 28, 28), what the map is made of; at least one.

    Returns:
        ``layer``, its name; ``shares``, the part 0..1 of the variance along each direction, the largest first; and as
        base64 of little-endian float16: ``mean`` (values,), ``directions`` (directions, values), unit vectors, and
        ``points`` (n, directions), in the order of the images.
    """
    values = _values(model, images).astype(np.float64)
    mean = values.mean(axis=0)
    _, lengths, directions = np.linalg.svd(values - mean, full_matrices=False)
    variance = lengths**2 / max(float((lengths**2).sum()), 1e-12)
    kept = directions[:DIRECTIONS]
    return {
        "layer": layers[-2].name,
        "shares": [float(share) for share in variance[:DIRECTIONS]],
        "mean": _half(mean),
        "directions": _half(kept),
        "points": _half((values - mean) @ kept.T),
    }


def _values(model: Model, images: Images) -> Floats:
    """The values of the last layer but one, float32 (n, values)."""
    name = model.session.layers[-2]["output"]["tensor"]
    batches = [network_input(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    return np.concatenate([model.session.tensors(batch, [name])[name].reshape(len(batch), -1) for batch in batches])


def _half(values: AnyArray) -> str:
    """Numbers as base64 of float16, whose largest is 65,504."""
    limit = float(np.finfo(np.float16).max)
    return base64_text(np.clip(values, -limit, limit).astype("<f2"))
