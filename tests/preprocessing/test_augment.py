from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitscope.datasets.mnist import load_mnist
from digitscope.preprocessing.augment import NOISE, SHEAR, ZOOM, _warp, distort

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


def leaning(fields: np.ndarray, along: str) -> np.ndarray:
    """The angle of the bar in every field, in radians, against an axis: how far it is turned and sheared."""
    angles = []
    for field in np.where(fields > 0.25, fields, 0):
        moments = cv2.moments(field)
        spread = moments["mu20"] - moments["mu02"] if along == "rows" else moments["mu02"] - moments["mu20"]
        angles.append(np.arctan2(2 * moments["mu11"], spread) / 2)
    return np.array(angles)


def test_images_are_sheared_and_each_by_its_own_amount():
    """A turn keeps the right angle between two bars and a zoom keeps these two; only a shear changes it."""
    level, upright = np.zeros((2, 2000, 28, 28), np.uint8)
    level[:, 13:15, 7:21] = 255
    upright[:, 7:21, 13:15] = 255
    turns = leaning(distort(level, 1.0, np.random.default_rng(0)), "rows")
    leans = leaning(distort(upright, 1.0, np.random.default_rng(0)), "columns")
    shears = np.tan(leans + turns)  # the axes count their angles in opposite directions
    assert SHEAR > 0 and abs(shears.mean()) < 0.01
    assert shears.std() == pytest.approx(SHEAR / np.sqrt(3), rel=0.08), "uniform from minus to plus SHEAR"


def test_noise_is_added_and_to_each_image_its_own_amount():
    """On even grey, away from the rim, everything that is not even is noise."""
    grey = np.full((2000, 28, 28), 128, np.uint8)
    inside = distort(grey, 1.0, np.random.default_rng(0))[:, 9:19, 9:19]
    assert NOISE > 0
    assert np.ptp(inside, axis=(1, 2)).max() == pytest.approx(2 * NOISE, rel=0.02), "from minus to plus NOISE"
    assert inside.std(axis=(1, 2)).mean() == pytest.approx(2 * NOISE / np.sqrt(12) / 3, rel=0.05)
