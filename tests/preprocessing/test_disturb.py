from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitscope.datasets.mnist import load_mnist
from digitscope.preprocessing.disturb import FAMILIES, WIDTHS, Family, disturb, smooth_noise

FIELDS = load_mnist()[0][0][:300] / np.float32(255)


def family(name: str) -> Family:
    return next(one for one in FAMILIES if one.__name__ == name)


def test_an_amount_of_nothing_changes_nothing_and_more_changes_more_images():
    np.testing.assert_array_equal(disturb(FIELDS, 0.0, np.random.default_rng(0)), FIELDS)
    changed = [
        (disturb(FIELDS, amount, np.random.default_rng(0)) != FIELDS).any(axis=(1, 2)).mean() for amount in (0.3, 1.0)
    ]
    assert 0.2 < changed[0] < 0.5 and 0.7 < changed[1] < 0.9


@given(st.floats(0, 2), st.integers(0, 2**32))
def test_ink_stays_between_paper_and_pen(amount: float, seed: int):
    before = FIELDS[:20].copy()
    fields = disturb(before, amount, np.random.default_rng(seed))
    assert fields.shape == (20, 28, 28) and fields.dtype == np.float32
    assert 0 <= fields.min() <= fields.max() <= 1
    np.testing.assert_array_equal(before, FIELDS[:20], err_msg="its input was changed")
    np.testing.assert_array_equal(fields, disturb(before, amount, np.random.default_rng(seed)))


@pytest.mark.parametrize("one", FAMILIES, ids=lambda one: one.__name__)
def test_a_family_changes_every_image_in_its_own_way(one: Family):
    same = np.repeat(FIELDS[:1], 50, axis=0)
    changed = one(same.copy(), np.random.default_rng(0))
    assert changed.shape == same.shape and changed.dtype == np.float32 and np.isfinite(changed).all()
    assert len(np.unique(changed, axis=0)) > 40
    assert one(same[:0], np.random.default_rng(0)).shape == (0, 28, 28)


def test_smooth_noise_spans_zero_to_one_and_is_alike_over_its_width():
    def roughness(width: float) -> float:
        noise = smooth_noise(50, (width,), np.random.default_rng(0))
        np.testing.assert_allclose(noise.min(axis=(1, 2)), 0, atol=1e-6)
        np.testing.assert_allclose(noise.max(axis=(1, 2)), 1, atol=1e-6)
        return float(np.abs(np.diff(noise, axis=2)).mean())

    rough = [roughness(width) for width in WIDTHS]
    assert rough == sorted(rough, reverse=True)


def test_bending_moves_ink_by_two_pixels_at_most():
    dot = np.zeros((200, 28, 28), np.float32)
    dot[:, 14, 14] = 1
    reached = np.argwhere(family("bent")(dot, np.random.default_rng(0)).max(axis=0) > 0)
    assert 1 <= np.abs(reached - 14).max() <= 3


def test_some_filtered_images_keep_dark_paper_and_others_do_not():
    corner = family("filtered")(FIELDS, np.random.default_rng(0))[:, :2, :2].max(axis=(1, 2))
    assert 0.35 < (corner < 0.01).mean() < 0.65 and (corner > 0.3).any()


def test_tones_stay_apart_and_some_are_inverted():
    page = np.zeros((500, 28, 28), np.float32)
    page[:, 10:18, 10:18] = 1
    toned = family("toned")(page, np.random.default_rng(0))
    apart = toned[:, 10, 10] - toned[:, 9, 10]  # neighbours, so mostly in the same area
    assert 0.2 < (apart < 0).mean() < 0.45 and (np.abs(apart) > 0.2).mean() > 0.85


def test_scribbles_cross_and_patches_cover():
    blank, full = np.zeros((300, 28, 28), np.float32), np.ones((300, 28, 28), np.float32)
    drawn = family("scribbled")(blank, np.random.default_rng(0))
    assert (drawn.max(axis=(1, 2)) > 0.3).mean() > 0.6 and 0.01 < (drawn > 0.3).mean() < 0.3
    rubbed = family("scribbled")(full, np.random.default_rng(0))
    assert (rubbed.min(axis=(1, 2)) < 0.7).mean() > 0.3
    covered = family("patched")(full, np.random.default_rng(0)) < 1
    assert covered.any(axis=(1, 2)).mean() > 0.95 and covered.sum(axis=(1, 2)).max() <= 169
