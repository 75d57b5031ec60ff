"""The network of every recipe, as a list of Keras layers. Nothing is trained here."""

from __future__ import annotations

import itertools

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
