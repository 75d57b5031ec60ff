"""The form in which networks are fitted is the same network."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from digitscope.training.fit import Execution, fit
from digitscope.training.networks import build, pooled_first
from digitscope.training.recipes import recipe_of

SMALL = {"filters": "4,8", "dense": 16}


def started(recipe: str, **settings: str) -> keras.Sequential:
    """An untrained network whose biases are not zero: with zeros, a lost bias would not show."""
    network = build(recipe_of(recipe, SMALL | settings))
    rng = np.random.default_rng(3)
    network.set_weights([rng.normal(0, 0.2, part.shape) for part in network.get_weights()])
    return network


@pytest.mark.parametrize("recipe", ["classic", "strong"])
def test_answers_and_weights_are_those_of_the_network(recipe: str):
    network = started(recipe)
    form = pooled_first(network)
    images = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)
    np.testing.assert_array_equal(form.predict(images, verbose=0), network.predict(images, verbose=0))
    for ours, its in zip(form.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, its)
    names = [layer.name for layer in form.layers]
    last = "conv1" if recipe == "classic" else "conv2"
    assert names[names.index(last) :][:3] == [last, "pool1", f"{last}_bias_relu"]


def test_a_step_changes_the_weights_alike():
    network, form = started("classic"), pooled_first(started("classic"))
    rng = np.random.default_rng(1)
    images, answers = rng.random((64, 28, 28, 1), np.float32), np.eye(10, dtype=np.float32)[rng.integers(0, 10, 64)]
    before = [part.copy() for part in network.get_weights()]
    for model in (network, form):
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="categorical_crossentropy")
        model.train_on_batch(images, answers)
    for old, ours, its in zip(before, form.get_weights(), network.get_weights(), strict=True):
        assert np.abs(its - old).max() > 1e-4  # it has learned
        np.testing.assert_allclose(ours, its, atol=1e-6)


def test_average_pooling_keeps_its_order():
    """The mean of four ReLUs is not the ReLU of a mean."""
    network = started("classic", pooling="average")
    assert [layer.name for layer in pooled_first(network).layers] == [layer.name for layer in network.layers]


@pytest.mark.parametrize(("precision", "pooled"), [("float32", True), ("mixed_bfloat16", False)])
def test_a_fit_uses_it_in_float32_and_returns_the_network(precision: str, pooled: bool):
    recipe = recipe_of("classic", SMALL | {"epochs": 1, "batch_size": 32})
    execution = dataclasses.replace(Execution.for_this_machine(recipe), precision=precision)
    seen: list[str] = []
    watch = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: seen.extend(layer.name for layer in watch.model.layers)
    )
    images, labels = np.zeros((64, 28, 28), np.uint8), np.zeros(64, np.uint8)
    fitted = fit(recipe, images, labels, execution=execution, callbacks=[watch])
    assert ("conv1_bias_relu" in seen) == pooled
    assert [layer.name for layer in fitted.network.layers] == [layer.name for layer in build(recipe).layers]
