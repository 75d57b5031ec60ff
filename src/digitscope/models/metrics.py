"""How good a classifier's answers are: loss, accuracy, per digit, confusions, calibration. Draws and prints nothing."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Doubles, Integers
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.datasets.mnist import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS
from digitscope.errors import DataError, MissingExtra
from digitscope.formatting import percent
from digitscope.models.model import Model

EPSILON = 1e-7
"""Probabilities are kept this far from 0 and 1 before the logarithm, as Keras' ``categorical_crossentropy`` does."""

BINS = 15
"""Equal parts of 0..1 into which calibration sorts the confidences. Source: Guo et al. 2017, section 2."""

LISTED_MISTAKES = 25
"""The most mistakes that an evaluation lists; it counts all of them."""

NORMAL_95 = 1.959963984540054
"""The standard normal distribution has 95 % of its mass within this distance of 0."""


@dataclass(frozen=True)
class Scores:
    """The main figures of a set of answers.

    Attributes:
        n: images answered.
        misses: how many of the answers are wrong.
        accuracy: part 0..1 of the answers that is right.
        accuracy_interval: Wilson's 95 % interval of the accuracy: where it would lie on endlessly many such images.
        loss: mean categorical cross-entropy, natural logarithm.
        top2_accuracy: part 0..1 of the images whose label is one of the two most probable digits.
    """

    n: int
    misses: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    loss: float
    top2_accuracy: float


@dataclass(frozen=True)
class ClassScores:
    """How well one digit is told from the others.

    Attributes:
        digit: 0..9.
        precision: part 0..1 of the answers ``digit`` that is right; 0 where there is no such answer.
        recall: part 0..1 of the images of ``digit`` that is found; 0 where there is no such image.
        f1: harmonic mean of the two.
        support: images of ``digit``.
    """

    digit: int
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Bin:
    """The answers whose confidence is above ``low`` and at most ``high``; the two means are None where ``n`` is 0."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Mistake:
    """One wrong answer: the image's index, its label, the answer and the answer's confidence 0..1."""

    index: int
    label: int
    answer: int
    confidence: float


@dataclass(frozen=True)
class ScoresWithoutWrongLabels(Scores):
    """The main figures on MNIST's test part without the labels that people dispute.

    Attributes:
        wrong_labels: images set aside because their label is wrong.
        unclear_labels: images set aside because people do not agree.
        answered_as_seen: how many of the ``wrong_labels`` get the answer that people see.
    """

    wrong_labels: int
    unclear_labels: int
    answered_as_seen: int


@dataclass(frozen=True)
class Evaluation(Scores):
    """Everything that is measured about a classifier on labelled images.

    Attributes:
        per_class: one entry per digit, 0 first.
        confusion: ten rows of ten counts; row = label, column = answer.
        ece: expected calibration error 0..1 of the probabilities as the network gives them.
        bins: the confidences and accuracies behind ``ece``.
        mistakes: the most confident wrong answers, most confident first, at most ``LISTED_MISTAKES``.
        without_wrong_labels: on MNIST's test part the main figures with the disputed labels set aside, else None.
    """

    per_class: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]
    ece: float
    bins: tuple[Bin, ...]
    mistakes: tuple[Mistake, ...]
    without_wrong_labels: ScoresWithoutWrongLabels | None

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain JSON values."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The evaluation that ``to_dict`` wrote down.

        Raises:
            DataError: ``record`` is not such a record.
        """
        try:
            found: Self = _read(cls, record)
            found._check()
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"this is not the record of an evaluation ({type(error).__name__}: {error}); "
                "write it anew with: digitscope evaluate MODEL --json"
            ) from error
        return found

    def _check(self) -> None:
        """Raise ValueError where the figures contradict each other."""
        counted = [sum(row) for row in self.confusion]
        digits = [one.digit for one in self.per_class]
        if digits != list(range(10)) or counted != [one.support for one in self.per_class] or sum(counted) != self.n:
            raise ValueError(f"its digits and confusions are not those of {self.n} images")
        if any(len(row) != 10 or min(row) < 0 for row in self.confusion) or not 0 <= self.misses <= self.n > 0:
            raise ValueError("its confusions are no ten rows of ten counts")
        if self.loss < 0 or not all(
            0 <= one.index < self.n and {one.label, one.answer} <= set(digits) for one in self.mistakes
        ):
            raise ValueError("its loss or a mistake cannot be")

    def summary(self) -> list[tuple[str, str]]:
        """The evaluation in a dozen lines: what was measured, and its value, in plain words."""
        hardest = min(self.per_class, key=lambda scores: scores.recall if scores.support else math.inf)
        missed = hardest.support - self.confusion[hardest.digit][hardest.digit]
        rows = [
            ("Images", f"{self.n:,}"),
            ("Loss", f"{self.loss:.4f}"),
            ("Accuracy", f"{percent(self.accuracy)} (95 % interval {_percents(self.accuracy_interval)})"),
            ("Misses", f"{self.misses:,}"),
            ("Right within two guesses", percent(self.top2_accuracy)),
            ("Hardest digit", f"{hardest.digit}: {missed:,} of {hardest.support:,} missed"),
        ]
        if self.misses:
            errors = np.array(self.confusion)
            np.fill_diagonal(errors, 0)
            label, answer = divmod(int(errors.argmax()), 10)
            rows.append(("Most frequent confusion", f"{label} read as {answer}: {_times(int(errors.max()))}"))
        rows.append(("Calibration error", percent(self.ece)))
        trusted = self.without_wrong_labels
        if trusted is not None:
            rows += [
                (f"Without {trusted.wrong_labels} wrong and {trusted.unclear_labels} unclear labels",
                 f"{percent(trusted.accuracy)}, {trusted.misses:,} misses of {trusted.n:,}"),
                ("Wrong labels answered as people see them", f"{trusted.answered_as_seen} of {trusted.wrong_labels}"),
            ]  # fmt: skip
        return rows


def evaluate(model: Model, data: str | Path | Dataset = "mnist") -> Evaluation:
    """Measure a model on the test part of a dataset.

    Args:
        model: what ``digitscope.load`` returns.
        data: what ``digitscope.load_dataset`` takes.

    Raises:
        ConfigError: there is no such dataset.
        DataError: the dataset is damaged, or the model's answers are no probabilities.
        MissingExtra: scikit-learn is not installed.
    """
    dataset = load_dataset(data)
    probabilities = model.predict(dataset.x_test)
    return evaluate_predictions(probabilities, dataset.y_test, mnist_test=dataset.is_mnist)


def evaluate_predictions(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    mnist_test: bool = False,
) -> Evaluation:
    """Measure given answers.

    Args:
        probabilities: float (n, 10) 0..1, one row per image that adds up to 1.
        labels: integers (n,) 0..9, what the images are said to show.
        mnist_test: whether the images are MNIST's 10,000 test images in their order.

    Raises:
        DataError: the arrays do not fit together, or hold anything else than probabilities and digits.
        MissingExtra: scikit-learn is not installed.

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
    """The 95 % interval 0..1 of a rate of which ``right`` of ``n`` trials were seen.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    >>> [round(bound, 4) for bound in wilson_interval(9_930, 10_000)]
    [0.9912, 0.9945]
    """
    rate, slack = right / n, NORMAL_95**2 / n
    middle = (rate + slack / 2) / (1 + slack)
    half = math.sqrt(rate * (1 - rate) * slack + slack**2 / 4) / (1 + slack)
    return max(0.0, middle - half), min(1.0, middle + half)


def calibration(probabilities: Doubles, labels: Integers) -> tuple[float, tuple[Bin, ...]]:
    """The expected calibration error 0..1 and its bins.

    Each answer goes into the bin of its confidence; the error is the mean distance between a bin's mean confidence
    and its accuracy, each bin weighted by its number of answers.

    Args:
        probabilities: float64 (n, 10) 0..1.
        labels: int64 (n,) 0..9.

    Source: Guo et al., "On Calibration of Modern Neural Networks", 2017, equations 2, 3 and 5.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.arange(BINS + 1) / BINS
    member = np.digitize(confidence, edges[1:-1], right=True)
    error, bins = 0.0, []
    for index in range(BINS):
        inside = member == index
        n = int(inside.sum())
        mean = float(confidence[inside].mean()) if n else None
        accuracy = float(right[inside].mean()) if n else None
        if mean is not None and accuracy is not None:
            error += abs(accuracy - mean) * n / len(labels)
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


def _per_class(labels: Integers, answers: npt.NDArray[np.intp]) -> tuple[ClassScores, ...]:
    try:
        from sklearn.metrics import precision_recall_fscore_support
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
            "expected ten probabilities that add up to 1, as softmax gives them"
        )
    return np.asarray(p / total, np.float64)


def _read(kind: Any, value: Any) -> Any:
    """A value of JSON as the type that an annotation names: a dataclass, tuple, number or None."""
    if typing.get_origin(kind) is types.UnionType:
        return None if value is None else _read(typing.get_args(kind)[0], value)
    if typing.get_origin(kind) is tuple:
        first, last = typing.get_args(kind)
        kinds = [first] * len(value) if last is ... else [first, last]
        return tuple(_read(of, entry) for of, entry in zip(kinds, value, strict=True))
    if isinstance(kind, type) and is_dataclass(kind):
        kinds_of = typing.get_type_hints(kind)
        if not isinstance(value, dict) or value.keys() != kinds_of.keys():
            raise ValueError(f"expected {', '.join(kinds_of)}")
        return kind(**{key: _read(of, value[key]) for key, of in kinds_of.items()})
    if type(value) not in (int, kind) or not math.isfinite(value):
        raise TypeError(f"{str(value)[:40]!r} is no {kind.__name__}")
    return kind(value)


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _percents(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.2f} to {100 * interval[1]:.2f} %"


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"
