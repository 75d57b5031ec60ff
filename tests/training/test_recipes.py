from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitscope.errors import ConfigError
from digitscope.training.networks import build
from digitscope.training.recipes import RECIPES, Recipe, recipe_of


def test_seed_is_the_classic_projects_recipe():
    seed = RECIPES["seed"]
    assert (seed.filters, seed.kernel, seed.pooling, seed.dense) == ((32, 64), 3, "max", 128)
    assert (seed.epochs, seed.batch_size, seed.learning_rate, seed.schedule) == (12, 128, 0.001, "constant")
    assert (seed.augment, seed.ema, seed.lower_precision, seed.label_smoothing) == (0, None, False, 0)


@pytest.mark.parametrize("name", ["fast", "classic", "robust"])
def test_the_other_recipes_train_the_same_network(name: str):
    same = ("convolutions", "kernel", "pooling", "last_filters", "dense") + (("filters",) if name != "fast" else ())
    for field in same:
        assert getattr(RECIPES[name], field) == getattr(RECIPES["seed"], field)


def test_recipes_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RECIPES["seed"].epochs = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        RECIPES["mine"] = RECIPES["seed"]  # type: ignore[index]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_text_and_values_mean_the_same(recipe: Recipe):
    values = {field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe) if field.name != "name"}
    assert recipe_of("seed", values) == dataclasses.replace(recipe, name="seed")
    assert recipe_of("seed", {key: str(value) for key, value in values.items()}) == dataclasses.replace(
        recipe, name="seed"
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochz": 3}, "no setting 'epochz'"),
        ({"epochs": "many"}, "a whole number"),
        ({"epochs": 0}, "1 to"),
        ({"learning_rate": "nan"}, "out of range"),
        ({"pooling": "median"}, "max or average"),
        ({"filters": "32:"}, "two counts like 8:32"),
        ({"filters": "-8"}, "two counts like 8:32"),
        ({"filters": "8,16,32"}, "two counts like 8:32"),
        ({"": "3"}, "setting name missing before '=3'; write KEY=VALUE"),
        ({"kernel": 15}, "out of range"),
        ({"convolutions": 3, "kernel": 5}, "leave nothing of the 28 pixels"),
        ({"kernel": 9, "last_filters": 4}, "leave nothing of the 28 pixels"),
        ({"name": "mine"}, "no setting 'name'"),
    ],
)
def test_what_does_not_fit_is_said(settings: dict[str, object], words: str):
    with pytest.raises(ConfigError, match=words):
        recipe_of("classic", settings)


@pytest.mark.parametrize("last_filters", [0, 4])
def test_windows_are_refused_exactly_where_keras_cannot_build_them(last_filters: int):
    small = dataclasses.replace(RECIPES["seed"], filters=(1, 1), dense=1, last_filters=last_filters)
    for convolutions, kernel in itertools.product(range(1, 9), range(1, 10)):
        try:
            build(dataclasses.replace(small, convolutions=convolutions, kernel=kernel))
            said = contextlib.nullcontext()
        except ValueError:
            said = pytest.raises(ConfigError, match="leave nothing of the 28 pixels")
        with said:
            recipe_of(small, {"convolutions": convolutions, "kernel": kernel})


def test_a_pair_is_written_as_in_a_sweep_too():
    for same in ("8:16", "8,16", "8, 16", "(8, 16)", "8", 8, (8, 16), [8, 16]):
        assert recipe_of("classic", {"filters": same}).filters == (8, 16)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_a_recipe_comes_back_from_json(recipe: Recipe):
    assert Recipe.from_dict(json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe
    with pytest.raises(ConfigError, match="out of range"):
        Recipe.from_dict(dataclasses.asdict(recipe) | {"epochs": 0})


def test_an_unknown_recipe_lists_the_known():
    with pytest.raises(ConfigError, match="seed, fast, classic, robust, strong, hardened"):
        recipe_of("best")


@given(st.sampled_from([field.name for field in dataclasses.fields(Recipe)]), st.text(max_size=20))
def test_any_text_fits_or_is_refused(key: str, text: str):
    try:
        recipe = recipe_of("classic", {key: text})
    except ConfigError:
        return
    assert recipe_of(recipe, {}) == recipe
