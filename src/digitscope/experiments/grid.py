"""The grid of a sweep: every combination of the values of some settings, as recipes.

It needs neither Keras nor Matplotlib, so a setting that does not fit is reported at once.
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
    """The settings of a grid from words of the form ``KEY=VALUE,VALUE``.

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
            raise ConfigError(f"{word!r} is not a setting with values; write KEY=VALUE,VALUE, e.g. filters=8,16,32")
        settings.setdefault(key, []).extend(listed)
    return settings


def grid(recipe: str | Recipe, settings: Mapping[str, Sequence[Any]]) -> list[Recipe]:
    """Every combination of the values as a recipe, without duplicates; the last setting varies fastest.

    Args:
        recipe: a name of ``training.recipes.RECIPES``, or a recipe: what is varied.
        settings: setting -> list of values as ``training.recipes.recipe_of`` takes them; ``8`` for ``filters`` is
            ``8:16``.

    Raises:
        ConfigError: no such recipe or setting, a value that does not fit, or too many combinations.

    >>> [point.filters for point in grid("classic", {"filters": ["8", "8:32"], "pooling": ["max"]})]
    [(8, 16), (8, 32)]
    """
    base = recipe_of(recipe)
    for key, values in settings.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise ConfigError(f"{key}={values!r} is not a list of values; give one or more values in a list")
    combinations = math.prod(len(values) for values in settings.values())
    if combinations > MOST:
        raise ConfigError(f"the grid has {combinations:,} points; expected at most {MOST:,}, so give fewer values")
    points = itertools.product(*settings.values())
    return list(dict.fromkeys(recipe_of(base, dict(zip(settings, point, strict=True))) for point in points))
