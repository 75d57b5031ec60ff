"""Fitting what tells digits from others: the same each time, on digits that do not set the threshold, and reported."""

from __future__ import annotations

from importlib import resources
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digitscope.datasets.dataset import Dataset
from digitscope.datasets.mnist import load_mnist
from digitscope.models.model import load
from digitscope.reading import detector_fit
from digitscope.reading.detector_fit import FIT_DATA, MOST_VALUES, fit_detector, fitted_weights
from digitscope.reading.out_of_distribution import CHUNK, probability_of


def own(n: int) -> Dataset:
    """A dataset of n images, each different: their first two pixels tell their number."""
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, 0, :2] = np.arange(n)[:, None] // (1, 256) % 256
    return Dataset("own", images, np.zeros(n, np.uint8), images[:1], np.zeros(1, np.uint8))


def shipped_drawings() -> dict[str, np.ndarray]:
    with resources.as_file(resources.files("digitscope") / "shipped" / FIT_DATA) as path, np.load(path) as drawn:
        return dict(drawn)


def test_the_same_model_gives_the_same_fit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(detector_fit, "EPOCHS", 1)
    first, second = (fit_detector(load("classic"), own(300)) for _ in range(2))
    assert first == second and first.belongs_to(load("classic"))


@pytest.mark.parametrize(
    ("n", "fitted_on", "calibrated_on"),
    [(60_000, 16_000, 4_000), (20_000, 16_000, 4_000), (18_000, 14_400, 3_600), (300, 240, 60), (9, 8, 1), (1, 0, 1)],
)
def test_the_threshold_is_set_on_digits_that_the_fit_has_not_seen(n: int, fitted_on: int, calibrated_on: int):
    data, drawn = own(n), shipped_drawings()
    shown, answers, aside = detector_fit._images(data)
    np.testing.assert_array_equal(shown[:fitted_on], data.x_train[:fitted_on])
    assert len(shown) == fitted_on + len(drawn["digits"]) + len(drawn["others"])
    assert answers.sum() == fitted_on + len(drawn["digits"]) and not answers[-len(drawn["others"]) :].any()
    np.testing.assert_array_equal(aside, data.x_train[n - calibrated_on :])
    assert fitted_on + calibrated_on <= n, "no digit is in both"


def test_of_mnist_it_learns_from_the_digits_that_were_chosen():
    (images, labels), (x_test, y_test) = load_mnist()
    chosen = shipped_drawings()["chosen"]
    shown, _, aside = detector_fit._images(Dataset("mnist", images, labels, x_test, y_test))
    np.testing.assert_array_equal(shown[: len(chosen)], images[chosen])
    assert chosen.max() < len(images) - len(aside), "no digit is in both"
    assert len(np.unique(chosen)) == len(chosen)


def test_progress_is_reported_from_the_first_moment_to_the_last(monkeypatch: pytest.MonkeyPatch):
    told: list[tuple[str, int, int]] = []
    monkeypatch.setattr(detector_fit, "EPOCHS", 1)
    monkeypatch.setattr(detector_fit, "load_dataset", lambda data: (told.append(("read", 0, 0)), data)[1])
    fit_detector(load("classic"), own(50), progress=lambda stage, done, total, facts: told.append((stage, done, total)))
    first, reading, *rest = told
    assert first == ("detector", 0, 1) and reading[0] == "read"
    assert [done for _, done, _ in rest] == list(range(1, len(rest) + 1))
    assert {total for _, _, total in rest} == {len(rest)} and len(rest) > len(shipped_drawings()["others"]) / CHUNK


@pytest.mark.parametrize("size", [1e-30, 1e-6, 1.0, 1e6, 1e30])
def test_values_of_any_size_give_finite_weights_that_tell_them_apart(size: float):
    """A network that diverged has huge values inside, one that died none; its page still opens."""
    rng = np.random.default_rng(0)
    answers = (np.arange(2000) % 2).astype(np.float32)
    x = (rng.normal(0, 1, (2000, 20)) + answers[:, None]).astype(np.float32) * np.float32(size)
    x[:, 3] = 0  # a unit that never answers
    given = x.copy()
    weights = fitted_weights(x, answers, rng)
    assert all(np.isfinite(part).all() for part in weights)
    right = (probability_of(weights, given) > 0.5) == (answers > 0.5)
    assert right.mean() > 0.95 or size not in (1.0, 1e-3), right.mean()


def test_a_wide_layer_gives_every_second_value_or_fewer(monkeypatch: pytest.MonkeyPatch):
    sizes = {"flatten": 3 * MOST_VALUES, "dense": MOST_VALUES, "softmax": 10}
    layers = [SimpleNamespace(name="conv", shape=(2, 2, 9))] + [
        SimpleNamespace(name=name, shape=(size,), values=np.zeros(size)) for name, size in sizes.items()
    ]
    monkeypatch.setattr(detector_fit, "layer_views", lambda session: layers)
    model: Any = SimpleNamespace(session=None)
    assert detector_fit.values_taken(model) == (("flatten", "dense", "softmax"), (3, 1, 1))
