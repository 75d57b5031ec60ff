"""The figures of an evaluation against hand-computed cases, scikit-learn, Keras, formulas and brute force."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from digitscope.datasets.load import load_dataset
from digitscope.datasets.mnist import WRONG_TEST_LABELS
from digitscope.errors import DataError, MissingExtra
from digitscope.models.evaluation import Evaluation
from digitscope.models.metrics import BINS, evaluate_predictions, wilson_interval
from digitscope.models.model import load


def answers(seed: int, n: int = 500, sharpness: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities float32 (n, 10) that lean towards their labels, and the labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n)
    logits = sharpness * rng.normal(size=(n, 10)) + sharpness * np.eye(10)[labels]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), labels


def row(**parts: float) -> list[float]:
    """Ten probabilities: ``row(d3=0.75, d1=0.25)``."""
    return [parts.get(f"d{digit}", 0.0) for digit in range(10)]


def brute_force_ece(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The definition, one answer at a time."""
    total = 0.0
    for m in range(1, BINS + 1):
        inside = [
            (max(p), p.index(max(p)) == y)
            for p, y in zip(probabilities.tolist(), labels.tolist(), strict=True)
            if (m - 1) / BINS < max(p) <= m / BINS
        ]
        if inside:
            confidence = sum(c for c, _ in inside) / len(inside)
            accuracy = sum(right for _, right in inside) / len(inside)
            total += len(inside) / len(labels) * abs(accuracy - confidence)
    return total


@pytest.fixture(scope="module")
def classic() -> Evaluation:
    return load("classic").evaluate()


def test_four_images_by_hand() -> None:
    probabilities = [
        row(d3=0.75, d1=0.25),  # right
        row(d1=0.5, d7=0.4, d2=0.1),  # right
        row(d9=0.9, d4=0.1),  # wrong, the label second
        row(d0=1.0),  # wrong, the label impossible
    ]
    found = evaluate_predictions(probabilities, [3, 1, 4, 6])
    assert (found.n, found.misses, found.accuracy, found.top2_accuracy) == (4, 2, 0.5, 0.75)
    assert found.loss == pytest.approx(-(math.log(0.75) + math.log(0.5) + math.log(0.1) + math.log(1e-7)) / 4)
    assert [found.confusion[y][a] for y, a in ((3, 3), (1, 1), (4, 9), (6, 0))] == [1, 1, 1, 1]
    assert sum(map(sum, found.confusion)) == 4
    assert found.ece == pytest.approx((0.25 + 0.5 + 0.9 + 1.0) / 4)
    assert [(b.n, b.confidence, b.accuracy) for b in found.bins if b.n] == [
        (1, 0.5, 1.0), (1, 0.75, 1.0), (1, 0.9, 0.0), (1, 1.0, 0.0),
    ]  # fmt: skip
    assert [(m.index, m.label, m.answer, m.confidence) for m in found.mistakes] == [(3, 6, 0, 1.0), (2, 4, 9, 0.9)]
    assert found.without_wrong_labels is None
    assert found.per_class[3].recall == 1.0 and found.per_class[4].recall == 0.0 and found.per_class[5].support == 0


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_scikit_learn(seed: int) -> None:
    p, y = answers(seed)
    found, best = evaluate_predictions(p, y), p.argmax(axis=1)
    digits = list(range(10))
    assert found.accuracy == metrics.accuracy_score(y, best)
    assert found.loss == pytest.approx(metrics.log_loss(y, p, labels=digits), rel=1e-5)
    assert found.top2_accuracy == pytest.approx(metrics.top_k_accuracy_score(y, p, k=2, labels=digits))
    assert found.confusion == tuple(map(tuple, metrics.confusion_matrix(y, best, labels=digits).tolist()))
    scores = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}
    for name, score in scores.items():
        wanted = score(y, best, labels=digits, average=None, zero_division=0.0)
        assert [getattr(c, name) for c in found.per_class] == pytest.approx(wanted.tolist())
    assert [c.support for c in found.per_class] == np.bincount(y, minlength=10).tolist()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 60), sharpness=st.sampled_from([0.0, 0.5, 2.0, 8.0]))
def test_calibration_error_is_its_definition(seed: int, n: int, sharpness: float) -> None:
    p, y = answers(seed, n, sharpness)
    p = p.astype(float) / p.astype(float).sum(axis=1, keepdims=True)
    found = evaluate_predictions(p, y)
    assert found.ece == pytest.approx(brute_force_ece(p, y), abs=1e-12)
    assert sum(b.n for b in found.bins) == n and len(found.bins) == BINS
    assert all(b.confidence is None or b.low < b.confidence <= b.high for b in found.bins)


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (0, 7), (3, 7), (9_930, 10_000), (10_000, 10_000)])
def test_wilson_interval_is_its_formula(right: int, n: int) -> None:
    """Wilson, "Probable inference, the law of succession, and statistical inference", 1927."""
    rate, slack = right / n, 1.959963984540054**2 / n
    middle = (rate + slack / 2) / (1 + slack)
    half = math.sqrt(rate * (1 - rate) * slack + slack**2 / 4) / (1 + slack)
    low, high = wilson_interval(right, n)
    assert (low, high) == pytest.approx((max(0, middle - half), min(1, middle + half)), abs=1e-12)
    assert type(low) is type(high) is float


def test_wilson_interval_of_a_known_case() -> None:
    assert [round(bound, 6) for bound in wilson_interval(9_930, 10_000)] == [0.991166, 0.994455]


@pytest.mark.slow
def test_loss_agrees_with_keras() -> None:
    keras = pytest.importorskip("keras")
    p, y = answers(0)
    p[0] = np.eye(10)[(y[0] + 1) % 10]
    wanted = keras.losses.CategoricalCrossentropy()(np.eye(10, dtype=np.float32)[y], p)
    assert evaluate_predictions(p, y).loss == pytest.approx(float(wanted), rel=1e-5)


def test_most_confident_mistakes_come_first_and_ties_by_index() -> None:
    p = np.tile(row(d0=0.6, d1=0.4), (40, 1))
    p[7], p[30] = row(d0=0.9, d1=0.1), row(d0=0.9, d1=0.1)
    found = evaluate_predictions(p, np.ones(40, int))
    assert found.misses == 40
    assert [m.index for m in found.mistakes] == [7, 30, *[i for i in range(26) if i not in (7, 30)][:23]]


def test_wrong_labels_of_mnist_are_set_aside() -> None:
    labels = load_dataset("mnist").y_test
    seen = labels.copy()
    for index, digit in WRONG_TEST_LABELS.items():
        seen[index] = digit
    as_people = evaluate_predictions(np.eye(10)[seen], labels, mnist_test=True)
    as_labelled = evaluate_predictions(np.eye(10)[labels], labels, mnist_test=True)
    assert (as_people.misses, as_labelled.misses) == (10, 0)
    for found, of_ten in ((as_people, 10), (as_labelled, 0)):
        trusted = found.without_wrong_labels
        assert trusted is not None
        assert (trusted.n, trusted.misses, trusted.accuracy) == (9_985, 0, 1.0)
        assert (trusted.wrong_labels, trusted.unclear_labels, trusted.answered_as_seen) == (10, 5, of_ten)


def test_the_shipped_model(classic: Evaluation) -> None:
    model, mnist = load("classic"), load_dataset("mnist")
    p = model.predict(mnist.x_test)
    assert (classic.n, classic.misses) == (10_000, int((p.argmax(axis=1) != mnist.y_test).sum()))
    assert classic.accuracy > 0.98 and classic.accuracy_interval[0] < classic.accuracy < classic.accuracy_interval[1]
    assert np.array(classic.confusion).trace() == classic.n - classic.misses
    confidences = [m.confidence for m in classic.mistakes]
    assert confidences == sorted(confidences, reverse=True) and len(confidences) == min(25, classic.misses)
    for mistake in classic.mistakes:
        assert mistake.label == mnist.y_test[mistake.index] and mistake.answer == p[mistake.index].argmax()
    trusted = classic.without_wrong_labels
    assert trusted is not None and trusted.n == 9_985 and trusted.misses < classic.misses


def test_other_data_has_no_known_wrong_labels(tmp_path: Path) -> None:
    mnist = load_dataset("mnist")
    x, y = mnist.x_test[:20], mnist.y_test[:20]
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    found = load("classic").evaluate(tmp_path / "mine.npz")
    assert found.n == 20 and found.without_wrong_labels is None


@pytest.mark.parametrize(
    ("probabilities", "labels", "words"),
    [
        ([row(d1=1.0)], [], "expected integers"),
        ([row(d1=1.0)], [1.0], "expected integers"),
        ([row(d1=1.0)], [[1]], "expected integers"),
        ([row(d1=1.0)], [10], "expected digits"),
        ([row(d1=1.0)], [-1], "expected digits"),
        ([row(d1=1.0)], [1, 2], "expected ten numbers"),
        ([[1.0] * 9], [1], "expected ten numbers"),
        ([["a"] * 10], [1], "expected ten numbers"),
        ([row(d1=0.7)], [1], "add up to 1"),
        ([row(d1=1.5, d2=-0.5)], [1], "add up to 1"),
        ([row(d1=math.nan)], [1], "add up to 1"),
        ([row(d1=math.inf)], [1], "add up to 1"),
    ],
)
def test_what_is_no_answer_is_one_sentence(probabilities: list[list[float]], labels: list[int], words: str) -> None:
    with pytest.raises(DataError, match=words):
        evaluate_predictions(probabilities, labels)


def test_too_few_labels_are_not_mnist() -> None:
    with pytest.raises(DataError, match="cannot be MNIST's test part"):
        evaluate_predictions([row(d1=1.0)], [1], mnist_test=True)


@pytest.mark.parametrize(("module", "name"), [("sklearn.metrics", "scikit-learn"), ("scipy.stats", "SciPy")])
def test_a_missing_package_names_the_extra(module: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf"{name} is not installed; .*digitscope\[train\]"):
        evaluate_predictions([row(d1=1.0)], [1])
