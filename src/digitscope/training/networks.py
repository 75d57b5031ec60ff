"""The network of every recipe, as a list of Keras layers, and the form in which a fit takes it. Trains nothing."""

from __future__ import annotations

import itertools
from typing import Any

from digitscope.backend import keras
from digitscope.training.recipes import Recipe


def build(recipe: Recipe, precision: str = "float32") -> keras.Sequential:
    """A recipe's convolutional network, untrained, with weights drawn from Keras' global seed.

    It takes images float32 (n, 28, 28, 1) 0..1 and answers with probabilities float32 (n, 10). With the defaults, the
    network of the classic projects, the shapes are:

        Input           28 x 28 x  1
        Conv2D          26 x 26 x 32     a 3x3 window loses one pixel on every side
        MaxPooling2D    13 x 13 x 32     the largest of every 2x2
        Conv2D          11 x 11 x 64
        MaxPooling2D     5 x  5 x 64     the eleventh row and column have no partner and are dropped
        Flatten             1600
        Dense                128
        Dense                 10

    With two ``convolutions`` before each pooling and ``last_filters`` the maps are 26, 24, 12, 10, 8, 4 and 2 wide.

    Args:
        recipe: filters, convolutions, kernel, pooling, last filters and dense units.
        precision: Keras dtype policy of the hidden layers, e.g. ``mixed_bfloat16`` for training. The last layer stays
            float32, because a softmax in bfloat16 cannot tell 99 % from 99.9 %.

    Raises:
        ValueError: Keras cannot build it, e.g. the window is larger than what is left of the image.
    """
    pooling = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[recipe.pooling]
    stack = [keras.Input((28, 28, 1), name="input")]
    numbers = itertools.count(1)

    def convolution(filters: int) -> keras.layers.Layer:
        name = f"conv{next(numbers)}"
        return keras.layers.Conv2D(filters, recipe.kernel, activation="relu", dtype=precision, name=name)

    for block, filters in enumerate(recipe.filters, start=1):
        stack += [convolution(filters) for _ in range(recipe.convolutions)]
        stack.append(pooling(2, dtype=precision, name=f"pool{block}"))
    if recipe.last_filters:
        stack.append(convolution(recipe.last_filters))
    stack += [
        keras.layers.Flatten(dtype=precision, name="flatten"),
        keras.layers.Dense(recipe.dense, activation="relu", dtype=precision, name="dense"),
        keras.layers.Dense(10, activation="softmax", dtype="float32", name="softmax"),
    ]
    return keras.Sequential(stack, name=recipe.name)


def pooled_first(network: keras.Sequential) -> keras.Sequential:
    """The same network with each bias and ReLU after the max pooling that follows it, on a quarter of the values.

    The largest of four sums stays the largest when the same bias is added to all, and ReLU keeps the order too; so
    every answer is the same, and so are the weights and their order. Only the gradients are added up in another order.
    A step takes a tenth less time in float32 (``docs/experiments.md``).

    Args:
        network: any network of layers in a row; it shares its unchanged layers with the result.
    """
    layers: list[keras.layers.Layer] = []
    for layer, following in itertools.zip_longest(network.layers, network.layers[1:]):
        pooled = isinstance(following, keras.layers.MaxPooling2D)
        if pooled and isinstance(layer, keras.layers.Conv2D) and layer.use_bias and _is_relu(layer):
            bare = keras.layers.Conv2D.from_config(layer.get_config() | {"activation": None, "use_bias": False})
            layers += [bare, following, _BiasReLU(dtype=layer.dtype_policy, name=f"{layer.name}_bias_relu")]
        elif layer not in layers:
            layers.append(layer)
    form = keras.Sequential([keras.Input(network.input_shape[1:]), *layers], name=network.name)
    form.set_weights(network.get_weights())
    return form


def _is_relu(layer: keras.layers.Layer) -> bool:
    return layer.activation is keras.activations.relu


class _BiasReLU(keras.layers.Layer):  # type: ignore[misc]
    """Adds a bias to every channel and replaces what is negative by zero."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        return keras.ops.relu(x + self.bias)
