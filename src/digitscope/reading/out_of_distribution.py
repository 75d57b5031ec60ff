"""Whether a field is a digit at all, judged by what a network computes for it. It names no digit.

A classifier divides everything among ten digits, a horse too. Its last probabilities cannot tell: a network is often
sure of what it has never seen. The values before them can. A small network is fitted here to them, on training digits
against letters, scribbles and shapes that were drawn for it (``benchmarks/fit_known.py``); the page runs it.

Source: Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure", 2019, for learning from what is no digit.
"""

from __future__ import annotations

import base64
import json
import math
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from digitscope.arraytypes import Floats, base64_text
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.models.layers import layers_of
from digitscope.models.model import Model, load, network_input

KNOWN = "known.npz"
"""File in ``shipped``: ``others`` and ``digits``, uint8 (n, 28, 28), drawn by ``benchmarks/fit_known.py``."""

KEPT = 0.99
"""Part of the digits that the threshold keeps."""

FITTED_ON, CALIBRATED_ON = 26_000, 6_000
"""Training digits that the fit sees, and others, from the end of the file, at which the threshold is set.

Of fewer digits a fifth sets the threshold, and the fit sees the rest.
"""

HIDDEN, EPOCHS, RATE, DECAY, BATCH = 48, 12, 4e-3, 0.2, 256
"""Of the small network: hidden units, epochs, peak of the learning rate, weight decay, images per step."""

TOGETHER = 16
"""Images that go through the model together: few enough that all their maps stay in the processor's cache."""

FEATURES = 4096
"""The most values that are looked at; of more, every second, third ... is taken."""


def fit_known(model: Model, data: str | Dataset = "mnist", seed: int = 0) -> dict[str, Any]:
    """Fit the small network to a model.

    Args:
        model: a network that describes its layers.
        data: whose training digits are known.
        seed: of the first weights, the order and the distortions.

    Returns:
        ``layers``, names of the layers whose values it takes, one after the other; ``step``: 2 if it takes every second
        of them; ``hidden``, its hidden units; ``weights``, base64 of little-endian float16: weights (values, hidden)
        and biases of the hidden units, then those of the one output; ``threshold``: below it, a field is no digit.
    """
    rng = np.random.default_rng(seed)
    digits = load_dataset(data).x_train
    with resources.as_file(resources.files("digitscope") / "shipped" / KNOWN) as path, np.load(path) as drawn:
        others, more = drawn["others"], drawn["digits"]
    plan = _plan(model)
    aside = max(1, min(CALIBRATED_ON, len(digits) // 5))
    shown = np.concatenate([digits[: min(FITTED_ON, len(digits) - aside)], more, others])
    answers = (np.arange(len(shown)) < len(shown) - len(others)).astype(np.float32)
    x = _features(model, plan, _distorted(shown, rng))
    with threadpool_limits(1, "blas"):  # small products: threads that wait for each other made it 8 times slower
        weights = _fit(x, answers, rng)
    rounded = [part.astype(np.float16).astype(np.float32) for part in weights]
    plan["weights"] = base64_text(np.concatenate([part.ravel() for part in rounded]).astype("<f2"))
    sure = known(model, plan, digits[-aside:])
    return plan | {"threshold": float(np.quantile(sure, 1 - KEPT))}


def known(model: Model, fitted: dict[str, Any], images: npt.ArrayLike) -> Floats:
    """The probability float32 (n,) 0..1 that each image is a digit at all, as the page computes it.

    Args:
        model: the network.
        fitted: what ``fit_known`` returned for it.
        images: as ``digitscope.Model.predict`` takes them.
    """
    x = _features(model, fitted, images)
    kernel, bias, output, last = _unpacked(fitted["weights"], x.shape[1], fitted["hidden"])
    sums = np.maximum(x @ kernel + bias, 0) @ output + last
    return np.asarray(1 / (1 + np.exp(-sums)), np.float32)


@cache
def shipped_known() -> tuple[Model, dict[str, Any]]:
    """The shipped model ``robust`` and what was fitted to it, for those who only read (``benchmarks/fit_known.py``)."""
    place = resources.files("digitscope") / "shipped" / "models" / "robust.known.json"
    return load("robust"), json.loads(place.read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def _unpacked(text: str, inputs: int, hidden: int) -> tuple[Floats, Floats, Floats, np.float32]:
    """The weights and biases of the hidden units, then those of the output."""
    values = np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32)
    kernel, bias, output, last = np.split(values, np.cumsum([inputs * hidden, hidden, hidden]))
    return kernel.reshape(inputs, hidden), bias, output, last[0]


def _plan(model: Model) -> dict[str, Any]:
    """Which values are looked at: those of all layers from Flatten on, but for the answer."""
    flat = [layer for layer in layers_of(model)[:-1] if len(layer.shape) == 1]
    step = -(-sum(layer.values.size for layer in flat) // FEATURES)
    return {"layers": [layer.name for layer in flat], "step": step, "hidden": HIDDEN}


def _features(model: Model, plan: dict[str, Any], images: npt.ArrayLike) -> Floats:
    """The values float32 (n, values) that the plan names."""
    entries = [entry for entry in model.session.layers[1:] if entry["name"] in plan["layers"]]
    names = [entry["output"]["tensor"] for entry in entries]
    x, parts = network_input(images), []
    for start in range(0, len(x), TOGETHER):
        tensors = model.session.tensors(x[start : start + TOGETHER], names)
        parts.append(np.hstack([tensors[name] for name in names])[:, :: plan["step"]])
    return np.concatenate(parts)


def _distorted(images: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The images, every second one turned, sheared, scaled and shifted a little.

    The model knows its own training images too well. Not all are moved, because that softens edges, and soft or hard
    edges must be no sign of anything.
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
    """Weights of one hidden layer and one output, by Adam with decay on the logistic loss.

    The values are standardised for the fit, in place, and that is folded into the first weights.

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
    """The slope of the mean logistic loss in every weight."""
    kernel, bias, output, last = weights
    hidden = np.maximum(x @ kernel + bias, 0)
    wrong = (1 / (1 + np.exp(-(hidden @ output + last[0]))) - answers) / len(x)
    back = np.outer(wrong, output) * (hidden > 0)
    return [x.T @ back, back.sum(axis=0), hidden.T @ wrong, wrong.sum(keepdims=True)]
