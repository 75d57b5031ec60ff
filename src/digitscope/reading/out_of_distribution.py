"""Out-of-distribution detection: the probability that a 28x28 image shows a digit at all, whichever one.

A classifier assigns anything to one of ten digits, even a horse; its output probabilities cannot flag that, because it
is often sure of what it has never seen. The values of the layers before them can. The detector is a small network on
these values, fitted to tell training digits from letters, scribbles and shapes that were drawn for it
(``benchmarks/fit_known.py``). The lens page runs it too.

Source: Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure", 2019, for training on images
that show no digit.
"""

from __future__ import annotations

import base64
import json
import math
from functools import cache, lru_cache
from importlib import resources
from typing import TypedDict

import cv2
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from digitscope.arraytypes import Floats, Images, base64_text
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.models.inputs import network_input
from digitscope.models.layers import layer_views
from digitscope.models.model import Model, load

FIT_DATA = "known.npz"
"""File in ``shipped``: ``others`` and ``digits``, uint8 (n, 28, 28), drawn by ``benchmarks/fit_known.py``."""

KEPT = 0.99
"""Share of the digits above the threshold."""

FITTED_ON, CALIBRATED_ON = 26_000, 6_000
"""Number of training digits for the fit, and of others, the last of them, that set the threshold.

If there are fewer digits, a fifth sets the threshold and the rest are for the fit.
"""

HIDDEN, EPOCHS, RATE, DECAY, BATCH = 48, 12, 4e-3, 0.2, 256
"""Of the detector: hidden units, epochs, peak learning rate, weight decay, images per step."""

CHUNK = 16
"""Images that go through the model at a time: few enough for their feature maps to stay in the processor's cache."""

MOST_FEATURES = 4096
"""The most values that the detector takes; of more than these, it takes every second, third ..."""


class Features(TypedDict):
    """Which values of a model a detector takes.

    Attributes:
        layers: names of the layers; their values are joined in this order.
        step: 2 takes every second of the values, 3 every third ...
        hidden: number of hidden units of the detector.
    """

    layers: list[str]
    step: int
    hidden: int


class Detector(Features):
    """A fitted detector, as JSON holds it.

    Attributes:
        weights: base64 of little-endian float16: weights (values, hidden) and biases of the hidden units, then those of
            the one output.
        threshold: digit probability below which an image does not show a digit.
    """

    weights: str
    threshold: float


def fit_detector(model: Model, data: str | Dataset = "mnist", seed: int = 0) -> Detector:
    """Fit a detector to a model.

    Args:
        model: a network that describes its layers.
        data: the dataset whose training images are the digits.
        seed: of the initial weights, the order and the distortions.
    """
    rng = np.random.default_rng(seed)
    digits = load_dataset(data).x_train
    with resources.as_file(resources.files("digitscope") / "shipped" / FIT_DATA) as path, np.load(path) as drawn:
        others, more = drawn["others"], drawn["digits"]
    features = _features_of(model)
    aside = max(1, min(CALIBRATED_ON, len(digits) // 5))
    shown = np.concatenate([digits[: min(FITTED_ON, len(digits) - aside)], more, others])
    answers = (np.arange(len(shown)) < len(shown) - len(others)).astype(np.float32)
    x = _values(model, features, _distorted(shown, rng))
    with threadpool_limits(1, "blas"):  # small products: threads that wait for each other made it 8 times slower
        weights = _fit(x, answers, rng)
    rounded = np.concatenate([part.astype(np.float16).astype(np.float32).ravel() for part in weights])
    detector = Detector(**features, weights=base64_text(rounded.astype("<f2")), threshold=0.0)
    detector["threshold"] = float(np.quantile(digit_probability(model, detector, digits[-aside:]), 1 - KEPT))
    return detector


def digit_probability(model: Model, detector: Detector, images: npt.ArrayLike) -> Floats:
    """The probability float32 (n,) 0..1 that each image shows a digit.

    Args:
        model: the network.
        detector: what ``fit_detector`` returned for it.
        images: as ``digitscope.Model.predict`` takes them.
    """
    x = _values(model, detector, images)
    kernel, bias, output, last = _unpacked(detector["weights"], x.shape[1], detector["hidden"])
    sums = np.maximum(x @ kernel + bias, 0) @ output + last
    return np.asarray(1 / (1 + np.exp(-sums)), np.float32)


@cache
def shipped_detector() -> tuple[Model, Detector]:
    """The shipped model ``robust`` and its detector, for reading without a fit (``benchmarks/fit_known.py``)."""
    place = resources.files("digitscope") / "shipped" / "models" / "robust.known.json"
    detector: Detector = json.loads(place.read_text(encoding="utf-8"))
    return load("robust"), detector


@lru_cache(maxsize=8)
def _unpacked(text: str, inputs: int, hidden: int) -> tuple[Floats, Floats, Floats, np.float32]:
    """The weights and biases of the hidden units, then those of the output."""
    values = np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32)
    kernel, bias, output, last = np.split(values, np.cumsum([inputs * hidden, hidden, hidden]))
    return kernel.reshape(inputs, hidden), bias, output, last[0]


def _features_of(model: Model) -> Features:
    """The values that a detector takes: those of all layers from Flatten on, except the answer."""
    flat = [layer for layer in layer_views(model.session)[:-1] if len(layer.shape) == 1]
    step = -(-sum(layer.values.size for layer in flat) // MOST_FEATURES)
    return {"layers": [layer.name for layer in flat], "step": step, "hidden": HIDDEN}


def _values(model: Model, features: Features, images: npt.ArrayLike) -> Floats:
    """The values float32 (n, values) of some images."""
    entries = [entry for entry in model.session.layers[1:] if entry["name"] in features["layers"]]
    names = [entry["output"]["tensor"] for entry in entries]
    x, parts = network_input(images), []
    for start in range(0, len(x), CHUNK):
        tensors = model.session.tensors(x[start : start + CHUNK], names)
        parts.append(np.hstack([tensors[name] for name in names])[:, :: features["step"]])
    return np.concatenate(parts)


def _distorted(images: Images, rng: np.random.Generator) -> Images:
    """The images, every second one turned, sheared, scaled and shifted a little.

    The model knows its own training images too well, so they are moved. That softens their edges; half of the images
    stay sharp so that the detector does not learn to judge by the edges.
    """
    made = images.copy()
    middle = np.array([13.5, 13.5])
    for i in range(0, len(images), 2):
        turn, shear, wide, high = rng.uniform(-1, 1, 4) * (0.12, 0.1, 0.06, 0.06)
        matrix = np.array(
            [[(1 + wide) * np.cos(turn), shear - np.sin(turn)], [np.sin(turn), (1 + high) * np.cos(turn)]]
        )
        offset = middle - matrix @ middle + rng.uniform(-0.7, 0.7, 2)
        made[i] = cv2.warpAffine(images[i], np.c_[matrix, offset], (28, 28), flags=cv2.INTER_LINEAR)
    return made


def _fit(x: Floats, answers: Floats, rng: np.random.Generator) -> list[Floats]:
    """The weights of one hidden layer and one output, fitted to the logistic loss by Adam with weight decay.

    The values are standardised in place, and the returned weights of the hidden layer include that step.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.
    """
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale += 0.1 * float(x.std()) + 1e-6
    x -= mean
    x /= scale
    inputs = x.shape[1]
    weights: list[Floats] = [
        rng.normal(0, np.sqrt(2 / inputs), (inputs, HIDDEN)).astype(np.float32), np.zeros(HIDDEN, np.float32),
        rng.normal(0, np.sqrt(1 / HIDDEN), HIDDEN).astype(np.float32), np.zeros(1, np.float32),
    ]  # fmt: skip
    first, second = [np.zeros_like(part) for part in weights], [np.zeros_like(part) for part in weights]
    steps = EPOCHS * (len(x) // BATCH)
    for step in range(1, steps + 1):
        if step % (len(x) // BATCH) == 1:
            order = rng.permutation(len(x))
        place = (step - 1) % (len(x) // BATCH) * BATCH
        rows = order[place : place + BATCH]
        gradients = _gradients(weights, x[rows], answers[rows])
        rate = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        for part, gradient, m, v in zip(weights, gradients, first, second, strict=True):
            m += 0.1 * (gradient - m)
            v += 0.01 * (gradient * gradient - v)
            part -= rate * m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.99**step)) + 1e-8) + RATE * DECAY * part
    kernel = weights[0] / scale[:, None]
    return [kernel, weights[1] - mean @ kernel, *weights[2:]]


def _gradients(weights: list[Floats], x: Floats, answers: Floats) -> list[Floats]:
    """The gradient of the mean logistic loss in every weight."""
    kernel, bias, output, last = weights
    hidden = np.maximum(x @ kernel + bias, 0)
    wrong = (1 / (1 + np.exp(-(hidden @ output + last[0]))) - answers) / len(x)
    back = np.outer(wrong, output) * (hidden > 0)
    return [x.T @ back, back.sum(axis=0), hidden.T @ wrong, wrong.sum(keepdims=True)]
