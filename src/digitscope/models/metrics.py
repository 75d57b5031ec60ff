"""Measures a classifier's answers, given its probabilities and the labels. It runs no model and reads no files."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Doubles, Integers, Mask
from digitscope.datasets.mnist import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS
from digitscope.errors import DataError, MissingExtra
from digitscope.models.evaluation import Bin, ClassScores, Evaluation, Mistake, ScoresWithoutWrongLabels

EPSILON = 1e-7
"""Probabilities are kept this far from 0 and 1 before the logarithm, as Keras' ``categorical_crossentropy`` does."""

BINS = 15
"""Number of equal parts of 0..1 into which calibration sorts the confidences. Source: Guo et al. 2017, section 2."""

LISTED_MISTAKES = 25
"""The most mistakes that an evaluation lists; it counts them all."""


def evaluate_predictions(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    mnist_test: bool = False,
) -> Evaluation:
    """Everything that is measured about a classifier, from its answers.

    Args:
        probabilities: float (n, 10) 0..1, one row per image that adds up to 1.
        labels: integers (n,) 0..9, the labels of the images.
        mnist_test: whether the images are MNIST's 10,000 test images in their order.

    Raises:
        DataError: the arrays do not fit together, or are not probabilities and digits.
        MissingExtra: SciPy or scikit-learn is not installed.

    >>> certain = np.eye(10)[[3, 1, 4]]
    >>> evaluate_predictions(certain, [3, 1, 9]).misses
    1
    """
    y = _checked_labels(labels)
    if mnist_test and len(y) != 10_000:
        raise DataError(f"{len(y):,} labels cannot be MNIST's test part; expected 10,000, or mnist_test=False")
    p = _checked_probabilities(probabilities, len(y))
    answers = p.argmax(axis=1)
    ece, bins = calibration(p, y)
    return Evaluation(
        **_main_figures(p, y),
        per_class=_per_class(y, answers),
        confusion=tuple(tuple(row) for row in np.bincount(10 * y + answers, minlength=100).reshape(10, 10).tolist()),
        ece=ece,
        bins=bins,
        mistakes=_most_confident_mistakes(p, y),
        without_wrong_labels=_without_wrong_labels(p, y) if mnist_test else None,
    )


def wilson_interval(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval 0..1 of a rate, given ``right`` hits in ``n`` trials.

    Raises:
        MissingExtra: SciPy is not installed.

    >>> [round(bound, 6) for bound in wilson_interval(9_930, 10_000)]
    [0.991166, 0.994455]
    """
    try:
        from scipy.stats import binomtest  # extra train; importing it takes 0.7 s
    except ImportError as error:
        raise MissingExtra("SciPy", "train") from error
    low, high = binomtest(right, n).proportion_ci(confidence_level=0.95, method="wilson")
    return float(low), float(high)


def calibration(probabilities: Doubles, labels: Integers) -> tuple[float, tuple[Bin, ...]]:
    """The expected calibration error 0..1 and the bins it is computed from.

    Each answer goes into the bin of its confidence. The error is the mean distance between a bin's mean confidence
    and its accuracy, each bin weighted by its number of answers.

    Args:
        probabilities: float64 (n, 10) 0..1.
        labels: int64 (n,) 0..9.

    Source: Guo et al., "On Calibration of Modern Neural Networks", 2017, equations 2, 3 and 5.
    """
    return binned(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


def binned(confidence: Doubles, right: Mask) -> tuple[float, tuple[Bin, ...]]:
    """As ``calibration``, of any answers.

    Args:
        confidence: float64 (n,) 0..1.
        right: bool (n,), whether each answer is right.
    """
    edges = np.arange(BINS + 1) / BINS
    member = np.digitize(confidence, edges[1:-1], right=True)
    error, bins = 0.0, []
    for index in range(BINS):
        inside = member == index
        n = int(inside.sum())
        mean = float(confidence[inside].mean()) if n else None
        accuracy = float(right[inside].mean()) if n else None
        if mean is not None and accuracy is not None:
            error += abs(accuracy - mean) * n / len(right)
        bins.append(Bin(float(edges[index]), float(edges[index + 1]), n, mean, accuracy))
    return error, tuple(bins)


def _main_figures(probabilities: Doubles, labels: Integers) -> dict[str, Any]:
    """The fields of ``Scores``."""
    n = len(labels)
    misses = int((probabilities.argmax(axis=1) != labels).sum())
    of_label = probabilities[np.arange(n), labels]
    best_two = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    return {
        "n": n,
        "misses": misses,
        "accuracy": (n - misses) / n,
        "accuracy_interval": wilson_interval(n - misses, n),
        "loss": float(-np.log(np.clip(of_label, EPSILON, 1 - EPSILON)).mean()),
        "top2_accuracy": float((best_two == labels[:, None]).any(axis=1).mean()),
    }


def _per_class(labels: Integers, answers: Integers) -> tuple[ClassScores, ...]:
    try:
        from sklearn.metrics import precision_recall_fscore_support  # extra train
    except ImportError as error:
        raise MissingExtra("scikit-learn", "train") from error

    columns = precision_recall_fscore_support(labels, answers, labels=range(10), zero_division=0.0)
    return tuple(
        ClassScores(digit, float(precision), float(recall), float(f1), int(support))
        for digit, (precision, recall, f1, support) in enumerate(zip(*columns, strict=True))
    )


def _most_confident_mistakes(probabilities: Doubles, labels: Integers) -> tuple[Mistake, ...]:
    answers, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != labels)
    first = wrong[np.argsort(-confidence[wrong], kind="stable")][:LISTED_MISTAKES]
    return tuple(Mistake(int(i), int(labels[i]), int(answers[i]), float(confidence[i])) for i in first)


def _without_wrong_labels(probabilities: Doubles, labels: Integers) -> ScoresWithoutWrongLabels:
    disputed = [*WRONG_TEST_LABELS, *UNCLEAR_TEST_LABELS]
    answers = probabilities.argmax(axis=1)
    return ScoresWithoutWrongLabels(
        **_main_figures(np.delete(probabilities, disputed, axis=0), np.delete(labels, disputed)),
        wrong_labels=len(WRONG_TEST_LABELS),
        unclear_labels=len(UNCLEAR_TEST_LABELS),
        answered_as_seen=sum(int(answers[index] == seen) for index, seen in WRONG_TEST_LABELS.items()),
    )


def _checked_labels(labels: npt.ArrayLike) -> Integers:
    y = np.asarray(labels)
    if y.ndim != 1 or not len(y) or not np.issubdtype(y.dtype, np.integer):
        raise DataError(f"labels are {y.dtype} {y.shape}; expected integers (n,) with n > 0")
    if y.min() < 0 or y.max() > 9:
        raise DataError(f"labels span {y.min()} to {y.max()}; expected digits 0..9")
    return y.astype(np.int64)


def _checked_probabilities(probabilities: npt.ArrayLike, n: int) -> Doubles:
    """The probabilities in float64, each row scaled to add up to 1, as Keras does before it takes the logarithm."""
    p = np.asarray(probabilities)
    if p.shape != (n, 10) or p.dtype.kind not in "fiu":
        raise DataError(f"probabilities are {p.dtype} {p.shape}; expected ten numbers for each of {n:,} labels")
    p = p.astype(np.float64)
    total: Doubles = p.sum(axis=1, keepdims=True)
    faulty = np.flatnonzero(~((p >= 0) & (np.abs(total - 1) < 1e-3)).all(axis=1))
    if len(faulty):
        raise DataError(
            f"the answer to image {faulty[0]} is {np.round(p[faulty[0]], 3).tolist()}; "
            "expected ten probabilities that add up to 1, such as a softmax gives"
        )
    return np.asarray(p / total, np.float64)
