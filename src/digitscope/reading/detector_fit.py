"""Fits the out-of-distribution detector of a model: to digits, and to drawings that show none.

It needs no extra, because the page is written for models of others, too, where Keras is not installed. Few images are
enough, because they were chosen: the least typical of MNIST's training digits and the drawings most like digits, with a
share of the others (``benchmarks/fit_known.py``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import resources

import cv2
import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from digitscope.arraytypes import Floats, Images, Integers, base64_text
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.datasets.mnist import is_mnist
from digitscope.models.layers import layer_views
from digitscope.models.model import Model
from digitscope.progress import Progress
from digitscope.reading.out_of_distribution import (
    CHUNK,
    Detector,
    digit_probability,
    inner_values,
    logistic,
    model_hash,
)

FIT_DATA = "known.npz"
"""File in ``shipped``, drawn by ``benchmarks/fit_known.py``: ``others`` and ``digits``, uint8 (n, 28, 28), and
``chosen``, uint16 (n,), indices of MNIST's training digits."""

KEPT = 0.99
"""Share of the digits above the threshold."""

FITTED_ON, CALIBRATED_ON = 16_000, 4_000
"""Number of training digits for the fit, and of others, the last of them, that set the threshold.

If there are fewer digits, a fifth sets the threshold and the rest are for the fit. Of MNIST, the fit takes ``chosen``.
"""

MOST_VALUES = 1000
"""The most values of a layer that a detector takes; of more than these, every second, third ..."""

HIDDEN, EPOCHS, RATE, DECAY, BATCH = 48, 12, 0.01, 0.2, 512
"""Of the detector: hidden units, epochs, peak learning rate, weight decay, images per step."""

SMOOTHING = 0.05
"""What a fit aims at for a drawing that shows no digit; for a digit it is 1 less this."""

SHARPER = 2.0
"""Factor on the fitted sum of the output, which smoothing keeps small: 0.95 becomes 0.997."""


def fit_detector(
    model: Model,
    data: str | Dataset = "mnist",
    seed: int = 0,
    progress: Progress | None = None,
    *,
    more_digits: Images | None = None,
    more_others: Images | None = None,
) -> Detector:
    """Fit a detector to a model.

    Args:
        model: a network that describes its layers.
        data: the dataset whose training images are the digits.
        seed: of the initial weights, the order and the distortions.
        progress: called with the state of the work.
        more_digits: uint8 (n, 28, 28), digits to learn from beside those.
        more_others: uint8 (n, 28, 28), images without a digit, beside those that ship.
    """
    advance = _Steps(progress)
    rng = np.random.default_rng(seed)
    layers, steps = values_taken(model)
    shown, answers, aside = _images(load_dataset(data))
    for images, answer in ((more_digits, 1.0), (more_others, 0.0)):
        if images is not None:
            shown, answers = (
                np.concatenate([shown, images]),
                np.append(answers, np.full(len(images), answer, np.float32)),
            )
    advance.total = -(-len(shown) // CHUNK) + EPOCHS * _batches(len(shown)) + -(-len(aside) // CHUNK)
    x = inner_values(model, layers, steps, _distorted(shown, rng), advance)
    weights = fitted_weights(x, answers, rng, advance)
    detector = Detector(model_hash(model), layers, steps, HIDDEN, _packed(weights), 0.0)
    probabilities = digit_probability(model, detector, aside, advance)
    return replace(detector, threshold=float(np.quantile(probabilities, 1 - KEPT)))


def fitted_weights(
    x: Floats, answers: Floats, rng: np.random.Generator, after_batch: Callable[[], None] = lambda: None
) -> list[Floats]:
    """The weights of one hidden layer and one output, fitted to the logistic loss by Adam with weight decay.

    The returned weights of the hidden layer are for values as they are, and rounded to float16.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.

    Args:
        x: float32 (n, values), which are standardised in place.
        answers: float32 (n,), 1 for a digit, 0 for none.
        rng: gives the initial weights and the order.
        after_batch: called after every step.
    """
    mean, scale = _standardised(x)
    weights: list[Floats] = [
        rng.normal(0, np.sqrt(2 / x.shape[1]), (x.shape[1], HIDDEN)).astype(np.float32), np.zeros(HIDDEN, np.float32),
        rng.normal(0, np.sqrt(1 / HIDDEN), HIDDEN).astype(np.float32), np.zeros(1, np.float32),
    ]  # fmt: skip
    aims = answers * (1 - 2 * SMOOTHING) + SMOOTHING
    first, second = [np.zeros_like(part) for part in weights], [np.zeros_like(part) for part in weights]
    steps = EPOCHS * _batches(len(x))
    with threadpool_limits(1, "blas"):  # small products: threads that wait for each other made it 8 times slower
        for step, rows in enumerate(_orders(len(x), rng), 1):
            gradients = _gradients(weights, x[rows], aims[rows])
            rate = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            for part, gradient, m, v in zip(weights, gradients, first, second, strict=True):
                m += 0.1 * (gradient - m)
                v += 0.01 * (gradient * gradient - v)
                part -= rate * m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.99**step)) + 1e-8) + RATE * DECAY * part
            after_batch()
    kernel = _rounded(weights[0] / scale[:, None])
    return [kernel, *map(_rounded, (weights[1] - mean @ kernel, SHARPER * weights[2], SHARPER * weights[3]))]


class _Steps:
    """Counts steps, and reports each to a callback for progress."""

    def __init__(self, progress: Progress | None) -> None:
        self.total, self._done, self._progress = 1, -1, progress
        self()

    def __call__(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress("detector", self._done, self.total, {})


def values_taken(model: Model) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The layers from Flatten on, and the step at which a detector takes the values of each."""
    flat = [layer for layer in layer_views(model.session) if len(layer.shape) == 1]
    return tuple(layer.name for layer in flat), tuple(-(-layer.values.size // MOST_VALUES) for layer in flat)


def _images(data: Dataset) -> tuple[Images, Floats, Images]:
    """The images for a fit, 1 for each that is a digit and 0 for the others, and the digits that set the threshold."""
    digits = data.x_train
    with resources.as_file(resources.files("digitscope") / "shipped" / FIT_DATA) as path, np.load(path) as drawn:
        others, more, chosen = drawn["others"], drawn["digits"], drawn["chosen"]
    aside = max(1, min(CALIBRATED_ON, len(digits) // 5))
    theirs = chosen if is_mnist(digits, data.y_train, "train") else np.arange(min(FITTED_ON, len(digits) - aside))
    shown = np.concatenate([digits[theirs], more, others])
    answers = (np.arange(len(shown)) < len(shown) - len(others)).astype(np.float32)
    return shown, answers, digits[-aside:]


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


def _standardised(x: Floats) -> tuple[Floats, Floats]:
    """The means and scales by which the columns were standardised; a column that hardly changes is not blown up."""
    mean, scale = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    scale += 0.1 * float(x.std(dtype=np.float64)) + 1e-6
    x -= mean.astype(np.float32)
    x /= scale.astype(np.float32)
    return mean.astype(np.float32), scale.astype(np.float32)


def _batches(n: int) -> int:
    """The number of batches in an epoch."""
    return max(1, n // BATCH)


def _orders(n: int, rng: np.random.Generator) -> Iterator[Integers]:
    """The rows of every batch of every epoch; those of an incomplete last batch are left out."""
    for _ in range(EPOCHS):
        order = rng.permutation(n)
        yield from np.split(order[: _batches(n) * BATCH], _batches(n))


def _gradients(weights: list[Floats], x: Floats, aims: Floats) -> list[Floats]:
    """The gradient of the mean logistic loss in every weight."""
    kernel, bias, output, last = weights
    hidden = np.maximum(x @ kernel + bias, 0)
    wrong = (logistic(hidden @ output + last) - aims) / np.float32(len(x))
    back = np.outer(wrong, output) * (hidden > 0)
    return [x.T @ back, back.sum(axis=0), hidden.T @ wrong, wrong.sum(keepdims=True)]


def _rounded(values: Floats) -> Floats:
    """The values as float16 can hold them."""
    most = float(np.finfo(np.float16).max)
    return np.clip(values, -most, most).astype(np.float16).astype(np.float32)


def _packed(weights: list[Floats]) -> str:
    """Weights as a detector holds them."""
    return base64_text(np.concatenate([part.ravel() for part in weights]).astype("<f2"))
