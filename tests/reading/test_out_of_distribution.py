"""Telling digits from what is none: a fit that is the same each time, keeps digits, refuses the rest."""

from __future__ import annotations

import base64
from importlib import resources
from typing import Any

import numpy as np
import pytest

from digitscope.datasets.dataset import Dataset
from digitscope.datasets.mnist import load_mnist
from digitscope.models.model import load
from digitscope.reading.out_of_distribution import FIT_DATA, HIDDEN, digit_probability, fit_detector, shipped_detector
from page_models import described
from stroke_models import digits, others
from stroke_raster import raster


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    detector: dict[str, Any] = described("classic")["known"]
    return detector


def test_the_same_model_gives_the_same_fit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("digitscope.reading.out_of_distribution.EPOCHS", 1)
    images = np.random.default_rng(0).integers(0, 256, (300, 28, 28), np.uint8)
    few = Dataset("few", images, np.zeros(300, np.uint8), images[:1], np.zeros(1, np.uint8))
    first, second = (fit_detector(load("classic"), few) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("n", "fitted_on", "calibrated_on"),
    [(60_000, 26_000, 6_000), (32_000, 26_000, 6_000), (30_000, 24_000, 6_000), (300, 240, 60), (9, 8, 1), (1, 0, 1)],
)
def test_the_threshold_is_set_on_digits_that_the_fit_has_not_seen(
    n: int, fitted_on: int, calibrated_on: int, monkeypatch: pytest.MonkeyPatch
):
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, 0, :2] = np.arange(n)[:, None] // (1, 256) % 256
    seen: dict[str, Any] = {}

    def fit(shown: Any, rng: Any) -> Any:
        return seen.setdefault("fit", shown)

    def sure(model: Any, plan: Any, calibrated: Any) -> Any:
        seen["calibrated"] = calibrated
        return np.linspace(0, 1, len(calibrated))

    monkeypatch.setattr("digitscope.reading.out_of_distribution._distorted", fit)
    monkeypatch.setattr("digitscope.reading.out_of_distribution._values", lambda model, plan, shown: shown)
    monkeypatch.setattr(
        "digitscope.reading.out_of_distribution._fit", lambda x, answers, rng: [np.zeros(1, np.float32)]
    )
    monkeypatch.setattr("digitscope.reading.out_of_distribution.digit_probability", sure)
    fit_detector(load("classic"), Dataset("own", images, np.zeros(n, np.uint8), images[:1], np.zeros(1, np.uint8)))
    shipped = resources.files("digitscope") / "shipped" / FIT_DATA
    with resources.as_file(shipped) as path, np.load(path) as drawn:
        ours = len(seen["fit"]) - len(drawn["digits"]) - len(drawn["others"])
    assert (ours, len(seen["calibrated"])) == (fitted_on, calibrated_on)
    np.testing.assert_array_equal(seen["fit"][:ours], images[:ours])
    np.testing.assert_array_equal(seen["calibrated"], images[n - calibrated_on :])
    assert ours + calibrated_on <= n, "no digit is in both"


def test_it_keeps_digits_that_it_has_not_seen(fitted: dict[str, Any]):
    sure = digit_probability(load("classic"), fitted, load_mnist()[1][0])
    assert sure.dtype == np.float32 and sure.min() >= 0 and sure.max() <= 1
    assert (sure >= fitted["threshold"]).mean() >= 0.98
    drawn = np.stack([raster(made).field for _, _, made in digits(4)])
    assert (digit_probability(load("classic"), fitted, drawn) >= fitted["threshold"]).mean() >= 0.98


def test_it_refuses_what_is_no_digit(fitted: dict[str, Any]):
    refused = []
    for seed in (2, 11, 12, 13, 14):
        names, drawings = zip(*others(seed), strict=True)
        sure = digit_probability(load("classic"), fitted, np.stack([raster(made).field for made in drawings]))
        let_through = [name for name, value in zip(names, sure, strict=True) if value >= fitted["threshold"]]
        assert len(let_through) <= 0.05 * len(names), let_through
        refused.append(1 - len(let_through) / len(names))
    assert np.mean(refused) >= 0.97


def test_it_refuses_pictures_without_any_pen(fitted: dict[str, Any]):
    rng = np.random.default_rng(3)
    plain = [np.full((28, 28), level) for level in (0, 0.3, 1)]
    noise = [rng.random((28, 28)) ** power for power in (0.5, 1, 3)]
    slope = [np.tile(np.linspace(0, 1, 28), (28, 1)), np.indices((28, 28)).sum(axis=0) // 7 % 2]
    sure = digit_probability(load("classic"), fitted, np.stack([*plain, *noise, *slope]).astype(np.float32))
    assert (sure < fitted["threshold"]).all(), sure


def test_its_weights_are_all_there_and_nothing_else(fitted: dict[str, Any]):
    inputs = 1600 + 128  # flatten and dense of the classic network
    assert fitted["layers"] == ["flatten", "dense"] and fitted["step"] == 1
    assert len(base64.b64decode(fitted["weights"])) == 2 * (inputs * HIDDEN + HIDDEN + HIDDEN + 1)
    assert 0 < fitted["threshold"] < 1


def test_what_is_shipped_knows_digits_from_anything_else():
    model, shipped = shipped_detector()
    assert (digit_probability(model, shipped, load_mnist()[1][0][:1000]) >= shipped["threshold"]).mean() >= 0.98
    _, drawings = zip(*others(5), strict=True)
    let_through = (
        digit_probability(model, shipped, np.stack([raster(made).field for made in drawings])) >= shipped["threshold"]
    )
    assert let_through.mean() <= 0.05
