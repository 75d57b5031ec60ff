"""The folds on which recipes are chosen (``benchmarks/folds.npz``); who wrote which image is not in the repository."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from digitscope.datasets.mnist import load_mnist
from digitscope.datasets.validation import LAST_MIXED

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"

SHA256 = "29a3736d3dd14cfca74f662331c4810e42f54fc331f00ed47f2a17192a0332db"


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("folds")


def test_the_folds_hold_a_number_per_image_and_nothing_else(folds: ModuleType):
    with np.load(BENCHMARKS / "folds.npz") as kept:
        assert kept.files == ["fold"]
    fold = folds.folds()
    assert fold.dtype == np.uint8 and fold.shape == (60_000,) and set(np.unique(fold)) == set(range(5))
    assert hashlib.sha256(fold.tobytes()).hexdigest() == SHA256, "figures measured on other folds cannot be compared"


def test_the_folds_are_alike_in_size_source_and_digits(folds: ModuleType):
    fold, labels, image = folds.folds(), load_mnist()[0][1], np.arange(60_000)
    tidy = (image % 2 == 1) | (image > LAST_MIXED)  # NIST's Special Database 3, see datasets.validation
    for kind in (np.ones(60_000, bool), tidy, ~tidy, *(labels == digit for digit in range(10))):
        counts = np.bincount(fold[kind], minlength=5)
        assert np.ptp(counts) <= 0.01 * kind.sum() / 5, counts


def test_images_of_a_writer_who_wrote_them_in_a_row_are_in_one_fold(folds: ModuleType):
    """The tidy source comes one writer after the other; dealt singly, four of five neighbours would part."""
    in_a_row = folds.folds()[np.r_[1:LAST_MIXED:2]]
    assert np.count_nonzero(np.diff(in_a_row)) < 300


def test_writers_are_spread_so_that_all_kinds_are_balanced(folds: ModuleType):
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 30, (60, 4)).astype(float)
    fold = folds.balanced(counts)
    sums = np.array([counts[fold == number].sum(axis=0) for number in range(folds.FOLDS)])
    assert np.ptp(sums, axis=0).max() < 0.06 * sums.mean()
