from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitscope.arraytypes import Floats
from digitscope.datasets.mnist import load_mnist
from digitscope.training.batches import Batches

IMAGES, LABELS = (part[:300] for part in load_mnist()[0])


def batches(seed: int = 0, strength: float = 0.0, epoch: int = 0, batch_size: int = 128) -> Batches:
    made = Batches(IMAGES, LABELS, batch_size, seed, strength)
    made.set_epoch(epoch)
    return made


def all_of(epoch: Batches) -> tuple[Floats, Floats]:
    fields, answers = zip(*(epoch[index] for index in range(len(epoch))), strict=True)
    return np.concatenate(fields), np.concatenate(answers)


@given(st.integers(1, 400), st.integers(0, 2**32 - 1), st.integers(0, 1000))
def test_an_epoch_holds_every_image_once_beside_its_answer(batch_size: int, seed: int, epoch: int):
    fields, answers = all_of(batches(seed, epoch=epoch, batch_size=batch_size))
    order = np.random.default_rng((seed, epoch)).permutation(300)
    np.testing.assert_array_equal(fields[..., 0], IMAGES[order] / np.float32(255))
    np.testing.assert_array_equal(answers, np.eye(10)[LABELS[order]])


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_disturbances_come_after_the_distortions_and_from_the_same_numbers(strength: float):
    plain, disturbed = (Batches(IMAGES, LABELS, 128, 3, strength, amount) for amount in (0.0, 1.0))
    for index in range(len(plain)):
        before, after = plain[index][0], disturbed[index][0]
        np.testing.assert_array_equal(plain[index][1], disturbed[index][1])
        np.testing.assert_array_equal(after, disturbed[index][0])
        assert 0.7 < (before != after).any(axis=(1, 2, 3)).mean() < 0.95


def test_distortions_keep_the_order():
    plain, distorted = batches(3), batches(3, strength=0.1)
    for index in range(len(plain)):
        np.testing.assert_array_equal(plain[index][1], distorted[index][1])
        assert 0 < np.abs(plain[index][0] - distorted[index][0]).mean() < 0.05


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_seed_and_epoch_decide_everything(strength: float):
    first = batches(1, strength)
    before = first[1][0].copy()
    np.testing.assert_array_equal(before, batches(1, strength)[1][0])
    assert (before != batches(2, strength)[1][0]).any()
    first.set_epoch(7)
    assert (before != first[1][0]).any()
    np.testing.assert_array_equal(first[1][0], batches(1, strength, epoch=7)[1][0], "whatever came before")
    first.set_epoch(0)
    np.testing.assert_array_equal(before, first[1][0])
