"""What a sweep trains and what it measures on: the points of a grid of settings, and a part of the training images.

Trains nothing and needs no Keras, so that a setting that does not fit is said at once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from digitscope.errors import ConfigError
from digitscope.training.recipes import Recipe, recipe_of

MOST = 10_000
"""The most points that a grid may have, and the most trainings that a sweep may ask for."""


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

    A value is what ``training.recipes.recipe_of`` takes; ``8`` for ``filters`` is ``8:16``.

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
