"""The learning rates of a recipe, in NumPy for reports and in Keras for the fit."""

from __future__ import annotations

import numpy as np
import pytest

from digitscope.training.fit import OneCycle
from digitscope.training.recipes import RECIPES, Recipe, recipe_of
from digitscope.training.schedule import learning_rates

STEPS = 60
ONE_CYCLE = [recipe for recipe in RECIPES.values() if recipe.schedule == "one-cycle"]
EDGES = [recipe_of("classic", {"warmup": share}) for share in (0, 1)]


@pytest.mark.parametrize("recipe", [*ONE_CYCLE, *EDGES], ids=lambda recipe: f"{recipe.name}-{recipe.warmup:g}")
def test_keras_fits_with_the_rates_that_are_planned(recipe: Recipe):
    planned = OneCycle(recipe.learning_rate, STEPS, recipe.warmup)
    rates = learning_rates(recipe, STEPS)
    assert rates.dtype == np.float64
    np.testing.assert_allclose([float(planned(step)) for step in range(STEPS)], rates, rtol=1e-5, atol=1e-9)


def test_a_constant_rate_is_the_recipes():
    np.testing.assert_array_equal(learning_rates(RECIPES["seed"], STEPS), np.full(STEPS, 0.001))


def test_one_cycle_climbs_and_falls():
    rates = learning_rates(recipe_of("classic", {"learning_rate": 0.01, "warmup": 0.25}), 100)
    assert int(np.argmax(rates)) == 24
    assert rates[24] == pytest.approx(0.01)
    assert rates[0] == pytest.approx(0.01 / 25)
    assert rates[99] == pytest.approx(0.0001)
    assert (np.diff(rates[:25]) > 0).all()
    assert (np.diff(rates[24:]) < 0).all()
