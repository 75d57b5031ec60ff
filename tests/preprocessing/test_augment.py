from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitscope.datasets.mnist import load_mnist
from digitscope.preprocessing.augment import ZOOM, _warp, distort

IMAGES = load_mnist()[0][0][:300]


def test_strength_zero_changes_nothing():
    np.testing.assert_allclose(distort(IMAGES, 0.0, np.random.default_rng(0)), IMAGES / 255, atol=1e-6)


@given(st.floats(0, 3), st.integers(0, 2**32))
def test_ink_stays_between_paper_and_pen(strength: float, seed: int):
    fields = distort(IMAGES[:20], strength, np.random.default_rng(seed))
    assert fields.shape == (20, 28, 28)
    assert fields.dtype == np.float32
    assert 0 <= fields.min() <= fields.max() <= 1


def test_neighbours_do_not_bleed_into_each_other():
    images = np.zeros((3, 28, 28), np.uint8)
    images[1] = 255
    fields = distort(images, 1.0, np.random.default_rng(3))
    assert fields[[0, 2]].max() < 0.11, "only noise"


def test_warps_keep_the_ink_inside():
    before = IMAGES.astype(np.float32)
    after = _warp(before, 1.0, np.random.default_rng(0))
    ratio = after.sum(axis=(1, 2)) / before.sum(axis=(1, 2))
    largest = np.exp(2 * ZOOM)
    assert 0.97 / largest < ratio.min()
    assert ratio.max() < 1.03 * largest


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_more_strength_moves_more(strength: float):
    def change(s: float) -> float:
        return float(np.abs(distort(IMAGES, s, np.random.default_rng(5)) - IMAGES / 255).mean())

    assert change(strength) > 1.3 * change(strength / 2)
