from __future__ import annotations

import numpy as np
import pytest

from digitscope.datasets.mnist import load_mnist
from digitscope.preprocessing.moves import MOVES, restroked, rotated, scaled, shifted

IMAGES = load_mnist()[0][0][:50]


@pytest.mark.parametrize(("name", "nothing"), [("rotation", 0), ("shift", 0), ("scale", 1), ("stroke", 0)])
def test_one_amount_of_each_curve_changes_nothing_and_the_others_do(name: str, nothing: float):
    move = MOVES[name]
    assert nothing in move.amounts and [*move.amounts] == sorted(move.amounts)
    for amount in move.amounts:
        versions = move.changed(IMAGES, amount)
        assert len(versions) == move.versions
        for changed in versions:
            assert changed.shape == IMAGES.shape and changed.dtype == np.uint8
            assert np.array_equal(changed, IMAGES) == (amount == nothing)


def test_images_turn_counter_clockwise_and_grow():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 13:15, 20:22] = 255
    assert np.unravel_index(rotated(image, 90)[0].argmax(), (28, 28))[0] < 10
    assert scaled(IMAGES, 1.3).astype(int).sum() > 1.4 * IMAGES.astype(int).sum()
    np.testing.assert_array_equal(shifted(IMAGES, 2, -1)[:, :-1, 2:], IMAGES[:, 1:, :-2])


@pytest.mark.parametrize("pixels", [-2.0, -1.0, 1.0, 2.0, 3.5])
def test_a_stroke_gets_wider_by_so_many_pixels(pixels: float):
    bar = np.zeros((1, 28, 28), np.uint8)
    bar[:, 4:24, 12:17] = 255
    width = restroked(bar, pixels)[0, 10:18].astype(float).sum(axis=1) / 255
    np.testing.assert_allclose(width, 5 + pixels, atol=0.15)
