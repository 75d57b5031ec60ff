"""Out-of-distribution detection: the probability that a 28x28 image shows a digit at all, whichever one.

A classifier assigns anything to one of ten digits, even a horse; its output probabilities cannot flag that, because it
is often sure of what it has never seen. They can together with the values of the layers before them. The detector is a
small network on these values. ``reading.detector_fit`` fits it to a model, ``reading.detectors`` keeps it beside the
model; the lens page runs it too.

Source: Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure", 2019, for training on images
that show no digit.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Floats
from digitscope.models.inputs import network_input
from digitscope.models.model import Model

CHUNK = 16
"""Images that go through the model at a time: few enough for their feature maps to stay in the processor's cache."""

MOST_HIDDEN = 1024
"""The most hidden units of a detector that is accepted; a fit makes 48."""


@dataclass(frozen=True)
class Detector:
    """A fitted detector, as JSON holds it.

    Attributes:
        model_sha256: hash of the model file that it was fitted to; it tells nothing about another one.
        layers: names of the layers whose values it takes, in order.
        steps: for each of them, 1 if it takes every value, 2 if every second ...
        hidden: number of its hidden units.
        weights: base64 of little-endian float16: weights (values, hidden) and biases of the hidden units, then those of
            the one output.
        threshold: digit probability below which an image does not show a digit.
    """

    model_sha256: str
    layers: tuple[str, ...]
    steps: tuple[int, ...]
    hidden: int
    weights: str
    threshold: float

    def belongs_to(self, model: Model) -> bool:
        """Whether it was fitted to this very model, and is whole."""
        sizes = {entry["name"]: math.prod(entry["shape"]) for entry in model.session.layers[1:]}
        if self.model_sha256 != model_hash(model) or not set(self.layers) <= set(sizes):
            return False
        if len(self.layers) != len(self.steps) or min(self.steps, default=0) < 1 or not 0 < self.hidden <= MOST_HIDDEN:
            return False
        inputs = sum(-(-sizes[name] // step) for name, step in zip(self.layers, self.steps, strict=True))
        values = np.frombuffer(base64.b64decode(self.weights, validate=True), "<f2")
        return len(values) == (inputs + 2) * self.hidden + 1 and bool(np.isfinite(values).all())


def model_hash(model: Model) -> str:
    """The SHA-256 of a model's file, or of the ONNX file that a ``.keras`` file gives."""
    return hashlib.sha256(model.session.content).hexdigest()


def digit_probability(
    model: Model, detector: Detector, images: npt.ArrayLike, after_chunk: Callable[[], None] = lambda: None
) -> Floats:
    """The probability float32 (n,) 0..1 that each image shows a digit.

    Args:
        model: the network.
        detector: the one that belongs to it.
        images: as ``digitscope.Model.predict`` takes them.
        after_chunk: called after every ``CHUNK`` images.
    """
    x = inner_values(model, detector.layers, detector.steps, images, after_chunk)
    return probability_of(_unpacked(detector.weights, x.shape[1], detector.hidden), x)


def probability_of(weights: Sequence[Floats], x: Floats) -> Floats:
    """The probability float32 (n,) 0..1 that each row of values is that of a digit.

    Args:
        weights: weights (values, hidden) and biases (hidden,) of the hidden units, then those of the output.
        x: float32 (n, values).
    """
    kernel, bias, output, last = weights
    return logistic(np.maximum(x @ kernel + bias, 0) @ output + last)


def logistic(sums: Floats) -> Floats:
    """The logistic function, in a form that cannot overflow."""
    return np.asarray((1 + np.tanh(sums / 2)) / 2, np.float32)


def inner_values(
    model: Model,
    layers: Sequence[str],
    steps: Sequence[int],
    images: npt.ArrayLike,
    after_chunk: Callable[[], None] = lambda: None,
) -> Floats:
    """Values inside a model, side by side, float32 (n, values).

    Args:
        model: the network.
        layers: names of layers.
        steps: for each of them, 1 to take every value, 2 to take every second ...
        images: as ``digitscope.Model.predict`` takes them.
        after_chunk: called after every ``CHUNK`` images.
    """
    entries = {entry["name"]: entry for entry in model.session.layers[1:]}
    names = [entries[name]["output"]["tensor"] for name in layers]
    x, parts = network_input(images), []
    for start in range(0, len(x), CHUNK):
        tensors = model.session.tensors(x[start : start + CHUNK], names)
        parts.append(np.hstack([tensors[name][:, ::step] for name, step in zip(names, steps, strict=True)]))
        after_chunk()
    return np.concatenate(parts)


@lru_cache(maxsize=8)
def _unpacked(text: str, inputs: int, hidden: int) -> tuple[Floats, Floats, Floats, Floats]:
    """The weights and biases of the hidden units, then those of the output."""
    values = np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32)
    kernel, bias, output, last = np.split(values, np.cumsum([inputs * hidden, hidden, hidden]))
    return kernel.reshape(inputs, hidden), bias, output, last
