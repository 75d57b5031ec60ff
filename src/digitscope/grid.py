"""What a sweep trains and what it measures on: the points of a grid of settings, and a part of the training images.

Trains nothing and needs no Keras, so that a setting that does not fit is said at once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitscope.datasets import Dataset, load_dataset
from digitscope.errors import ConfigError
from digitscope.parts import EVERY, Part, split
from digitscope.recipes import Recipe, recipe_of

MOST = 10_000
"""The most points that a grid may have, and the most trainings that a sweep may ask for."""

FIRST_ASIDE = 48_025
"""The MNIST training image with which the last 64 writers of NIST's Special Database 3 begin.

MNIST's training images at odd places, and all from 58,099 on, come from that database, one writer after the other; the
rest is of Special Database 1, whose writers are mixed. Source: checked against the writers that QMNIST gives (Yadav and
Bottou, "Cold case: the lost MNIST digits", 2019); none of the 64 has an image elsewhere.
"""
LAST_MIXED = 58_098
"""The last MNIST training image that comes from Special Database 1."""


def settings_of(words: Sequence[str]) -> dict[str, list[str]]:
    """The settings of a grid from the words of the command line, ``--set KEY=VALUE,VALUE...``.

    Raises:
        ConfigError: a word without a key or a value.

    >>> settings_of(["filters=8,16:48", "pooling=max, average"])
    {'filters': ['8', '16:48'], 'pooling': ['max', 'average']}
    """
    settings: dict[str, list[str]] = {}
    for word in words:
        key, _, values = (part.strip() for part in word.partition("="))
        listed = [value.strip() for value in values.split(",")]
        if not key or not all(listed):
            raise ConfigError(
                f"--set {word} is not a setting with values; write KEY=VALUE,VALUE, e.g. --set filters=8,16,32"
            )
        settings.setdefault(key, []).extend(listed)
    return settings


def grid(recipe: str | Recipe, settings: Mapping[str, Sequence[Any]]) -> list[Recipe]:
    """Every combination of the values as a recipe, the last setting varying fastest; what comes out twice stands once.

    A value is what :func:`digitscope.recipes.recipe_of` takes; ``8`` for ``filters`` is ``8:16``.

    Raises:
        ConfigError: no such recipe or setting, a value that does not fit, or too many combinations.

    >>> [point.filters for point in grid("classic", {"filters": ["8", "8:32"], "pooling": ["max"]})]
    [(8, 16), (8, 32)]
    """
    base = recipe_of(recipe)
    for key, values in settings.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise ConfigError(f"{key}: {values!r} is no list of values; give one or more in a list")
    combinations = math.prod(len(values) for values in settings.values())
    if combinations > MOST:
        raise ConfigError(f"the grid has {combinations:,} points; expected at most {MOST:,}, give fewer values")
    points = itertools.product(*settings.values())
    return list(dict.fromkeys(recipe_of(base, dict(zip(settings, point, strict=True))) for point in points))


def word_of(value: Any) -> str:
    """A value of a recipe as :func:`settings_of` reads it.

    >>> word_of((8, 16)), word_of(None), word_of(True), word_of(0.001), word_of(1.0)
    ('8:16', 'none', 'true', '0.001', '1')
    """
    if isinstance(value, tuple):
        return ":".join(map(str, value))
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value).lower()


def held_out(dataset: Dataset) -> tuple[Part, Part, str]:
    """The training images as two parts, to learn from and to measure on, and a sentence about the second.

    Of MNIST, 6,938 images by 64 people are set aside, of whom nothing else is trained on. They all come from Special
    Database 3, the tidier half: digits of the other half are missed more than twice as often. Of other data it is not
    known who wrote what; there one image in seven of each digit is set aside.

    Raises:
        DataError: there are not two training images of any digit.
    """
    n = len(dataset.y_train)
    whole = Part(dataset.x_train, dataset.y_train, [f"training image {index}" for index in range(n)])
    if _is_mnist(dataset):
        index = np.arange(n)
        aside = (index >= FIRST_ASIDE) & ((index % 2 == 1) | (index > LAST_MIXED))
        train, validation = whole.taken(np.flatnonzero(~aside)), whole.taken(np.flatnonzero(aside))
        whose = "by 64 people of whom nothing else was trained on"
    else:
        train, validation = split(whole, f"the training part of {dataset.name}")
        whose = f"one in {EVERY} of each digit, perhaps by the same people as the rest, which flatters"
    told = f"{len(validation.labels):,} of the {n:,} training images, {whose}; the test images were not used"
    return train, validation, told


def _is_mnist(dataset: Dataset) -> bool:
    """Whether the training part is MNIST's, image for image."""
    mnist = load_dataset("mnist")
    return np.array_equal(dataset.y_train, mnist.y_train) and np.array_equal(dataset.x_train, mnist.x_train)
