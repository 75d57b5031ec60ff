"""Pen strokes: every form can be drawn, and looks like a digit to the shipped classifier."""

from __future__ import annotations

import numpy as np
import pytest

from digitscope.datasets.synthetic import handwriting


@pytest.mark.parametrize("character", list(handwriting.FORMS))
def test_every_form_is_drawn_about_one_digit_high(character: str):
    for form in range(len(handwriting.FORMS[character])):
        strokes = handwriting.curve(character, form, np.random.default_rng(form), 0.0)
        points = np.concatenate(strokes)
        assert points.dtype == np.float32 and np.isfinite(points).all()
        assert points.min() >= -0.2 and points.max() <= 1.3
        if character.isdigit():
            assert np.ptp(points[:, 1]) > 0.85
        canvas = np.zeros((80, 80), np.uint8)
        handwriting.draw(canvas, [stroke * np.float32(50) + 12 for stroke in strokes], 4)
        assert canvas.max() == 255 and canvas[0].max() == 0


def test_the_same_seed_draws_the_same_and_another_does_not():
    one, two = (np.concatenate(handwriting.curve("5", 0, np.random.default_rng(seed), 0.03)) for seed in (1, 1))
    other = np.concatenate(handwriting.curve("5", 0, np.random.default_rng(2), 0.03))
    assert np.array_equal(one, two) and not np.array_equal(one, other)


def test_a_curve_goes_through_its_points():
    strokes = handwriting.curve("0", 0, np.random.default_rng(0), 0.0)
    assert np.abs(strokes[0][0] - [0.35, 0.02]).max() < 1e-6
    assert np.abs(strokes[0][handwriting.STEPS] - [0.10, 0.20]).max() < 1e-6
