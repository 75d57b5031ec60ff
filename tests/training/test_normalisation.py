"""Batch normalisation is there while a network is fitted, and part of the weights afterwards."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from digitscope.arraytypes import Images, Labels
from digitscope.errors import ConfigError
from digitscope.training.fit import fit
from digitscope.training.networks import build
from digitscope.training.normalisation import normalised, plain_weights
from digitscope.training.recipes import recipe_of

SMALL = {"filters": "4,8", "dense": 16, "batch_size": 32, "batch_norm": "yes", "ema": "none", "lower_precision": "no"}


def digits(n: int) -> tuple[Images, Labels]:
    """Bright squares, whose place is their label."""
    labels = (np.arange(n) % 10).astype(np.uint8)
    images = np.zeros((n, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 4)
        image[4 + 6 * row : 9 + 6 * row, 2 + 6 * column : 7 + 6 * column] = 200
    return images, labels


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("recipe", ["classic", "strong"])
def test_the_weights_take_up_the_normalisation(recipe: str, pooling: str):
    network = build(recipe_of(recipe, SMALL | {"pooling": pooling, "last_filters": 6}))
    form = normalised(network)
    norms = [layer for layer in form.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(norms) == sum(bool(layer.get_weights()) for layer in network.layers) - 1, "all but the answers"
    rng = np.random.default_rng(1)
    for norm in norms:
        shift, mean, variance = norm.get_weights()
        norm.set_weights(
            [rng.normal(0, 0.3, shift.shape), rng.normal(0, 0.3, mean.shape), rng.uniform(0.02, 0.5, variance.shape)]
        )
    network.set_weights(plain_weights(form))
    images = digits(40)[0][..., None] / np.float32(80)
    expected = network.predict(images, verbose=0)
    np.testing.assert_allclose(form.predict(images, verbose=0), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.01, "the images differ"


def test_an_untrained_network_keeps_its_weights():
    network = build(recipe_of("classic", SMALL))
    for ours, its in zip(plain_weights(normalised(network)), network.get_weights(), strict=True):
        np.testing.assert_allclose(ours, its, rtol=1e-3)
    for ours, its in zip(plain_weights(network), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, its)


def test_a_weight_average_is_refused():
    with pytest.raises(ConfigError, match=r"does not go with a weight average, .*; set ema=none"):
        recipe_of("robust", {"batch_norm": "yes"})


@pytest.mark.parametrize("teachers", [0, 1])
def test_a_fit_with_it_returns_the_plain_network(teachers: int):
    images, labels = digits(640)
    recipe = recipe_of("classic", SMALL | {"epochs": 3, "teachers": teachers, "temperature": 0.5})
    forms = []
    watch = keras.callbacks.LambdaCallback(on_train_end=lambda logs: forms.append(watch.model))
    fitted = fit(recipe, images, labels, callbacks=[watch])
    x = images[..., None] / np.float32(255)
    assert [layer.name for layer in fitted.network.layers] == [layer.name for layer in build(recipe).layers]
    answers = fitted.network.predict(x, verbose=0)
    sharper = forms[-1].predict(x, verbose=0) ** 2
    np.testing.assert_allclose(answers, sharper / sharper.sum(axis=1, keepdims=True), atol=1e-5)
    assert np.mean(answers.argmax(axis=1) == labels) > 0.95
    assert fitted.course is not None
    assert fitted.course.weights.shape[1] == fitted.network.count_params(), "each stage is a plain network"
