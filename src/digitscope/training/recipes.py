"""The named training recipes: everything that decides what a network learns, and why.

How fast it learns is not a recipe's concern: steps per call, compilation and the like depend on the backend and the
machine (``training.fit.Execution``).
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from digitscope.errors import ConfigError


@dataclass(frozen=True)
class Recipe:
    """A frozen training configuration.

    Attributes:
        name: of the recipe.
        filters: feature maps of the convolutions before the first and before the second pooling; as text ``8:32`` or
            ``8,32``, or ``8`` for ``8:16``, doubled as in the classic network.
        convolutions: how many follow one another before each pooling.
        kernel: side of every convolution's window, pixels.
        pooling: how each 2x2 window becomes one number.
        last_filters: feature maps of one more convolution between the second pooling and Flatten; 0 = none.
        dense: units of the layer between Flatten and the ten answers.
        batch_norm: whether batch normalisation takes the place of each bias before a ReLU during the fit
            (``training.normalisation``).
        epochs: passes over the training images.
        batch_size: images per step of the optimizer.
        learning_rate: Adam's step size; with ``one-cycle`` the highest.
        schedule: ``constant``, or ``one-cycle``: a linear rise during ``warmup``, then a cosine down to almost 0.
        warmup: share 0..1 of all steps in which the learning rate rises.
        beta_1: Adam's decay rate of the first moment.
        beta_2: Adam's decay rate of the second moment.
        label_smoothing: share 0..1 of the target that is spread over all ten digits.
        augment: strength of the random distortions; 0 = none, 1 = those of ``preprocessing.augment``.
        disturb: amount of the random disturbances; 0 = none, 1 = those of ``preprocessing.disturb``, which come after
            the distortions.
        teachers: number of networks of this recipe that are trained first; the last network also learns from the mean
            of their answers.
        teacher_share: share 0..1 of the teachers' answers in the target; the rest is the label.
        teacher_temperature: divides the teachers' sums before the softmax; above 1, their answers say more about the
            digits that they think less likely.
        ema: momentum of the weight average that is saved; None saves the last weights.
        lower_precision: whether the fit may run in bfloat16 where the processor supports it.
        temperature: divides the last layer's weights after the fit, so that the confidence is calibrated; measured on
            validation writers.
    """

    name: str
    filters: tuple[int, int] = (32, 64)
    convolutions: int = 1
    kernel: int = 3
    pooling: Literal["max", "average"] = "max"
    last_filters: int = 0
    dense: int = 128
    batch_norm: bool = False
    epochs: int = 12
    batch_size: int = 128
    learning_rate: float = 0.001
    schedule: Literal["constant", "one-cycle"] = "constant"
    warmup: float = 0.0
    beta_1: float = 0.9
    beta_2: float = 0.999
    label_smoothing: float = 0.0
    augment: float = 0.0
    disturb: float = 0.0
    teachers: int = 0
    teacher_share: float = 0.9
    teacher_temperature: float = 2.0
    ema: float | None = None
    lower_precision: bool = False
    temperature: float = 1.0

    @property
    def all_epochs(self) -> int:
        """Passes over the training images in the whole fit, those of the teachers included."""
        return self.epochs * (self.teachers + 1)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Recipe:
        """The recipe in a record that ``dataclasses.asdict`` made, also after it was stored as JSON.

        Raises:
            ConfigError: a value does not fit.
        """
        settings = {key: value for key, value in record.items() if key != "name"}
        return recipe_of(cls(str(record["name"])), settings)


SEED = Recipe("seed")
"""Exactly what the classic projects do; twelve epochs in batches of 128 are this project's choice."""

CLASSIC = Recipe(
    "classic",
    epochs=2,
    batch_size=256,
    schedule="one-cycle",
    learning_rate=0.01,
    warmup=0.25,
    beta_1=0.8,
    beta_2=0.95,
    label_smoothing=0.05,
    lower_precision=True,
    temperature=0.5,
)
"""The same network, trained well and fast: a high learning rate that rises and falls, and targets short of absolute
certainty. Each value was chosen on validation writers (docs/experiments.md)."""

ROBUST = Recipe(
    "robust",
    epochs=40,
    batch_size=256,
    schedule="one-cycle",
    learning_rate=0.004,
    warmup=0.25,
    augment=1.0,
    ema=0.999,
    lower_precision=True,
    temperature=1.44,
)
"""The same network, trained on digits that are rotated, thickened, faded and dirtied differently in every epoch; the
running mean of the weights is saved."""

FAST = dataclasses.replace(CLASSIC, name="fast", filters=(16, 48), epochs=1, batch_size=64, learning_rate=0.006)
"""As good as the classic projects' best in one pass over the images: ``classic`` with fewer filters and small
batches."""

STRONG = dataclasses.replace(
    ROBUST, name="strong", convolutions=2, last_filters=128, epochs=36, teachers=2, temperature=0.68
)
"""A deeper network for the last tenths of a percent: five convolutions, the distortions of ``robust``, and two
teachers of the same kind; their answers count more than the labels."""

HARDENED = dataclasses.replace(
    ROBUST,
    name="hardened",
    convolutions=2,
    last_filters=128,
    epochs=30,
    learning_rate=0.001,
    disturb=0.6,
    temperature=1.0,
)
"""The deeper network again, trained on digits that are also blurred, clouded, scribbled over, filtered at random: for
digits that are not clean."""

RECIPES: Mapping[str, Recipe] = types.MappingProxyType(
    {recipe.name: recipe for recipe in (SEED, FAST, CLASSIC, ROBUST, STRONG, HARDENED)}
)
"""The recipes by name."""


_WORDS: Mapping[Any, str] = types.MappingProxyType(
    {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        tuple[int, int]: "two counts like 8:32, or one, 8 for 8:16",
    }
)
"""What a message says that each type of setting accepts."""

_RANGES: Mapping[str, tuple[float, float]] = types.MappingProxyType(
    {
        "convolutions": (1, 8),
        "kernel": (1, 9),
        "last_filters": (0, 4096),
        "dense": (1, 65_536),
        "epochs": (1, 100_000),
        "batch_size": (1, 60_000),
        "learning_rate": (0, 10),
        "warmup": (0, 1),
        "beta_1": (0, 0.9999999),
        "beta_2": (0, 0.9999999),
        "label_smoothing": (0, 0.99),
        "augment": (0, 3),
        "disturb": (0, 2),
        "teachers": (0, 100),
        "teacher_share": (0, 1),
        "teacher_temperature": (0.01, 100),
        "ema": (0, 0.9999999),
        "temperature": (0.01, 100),
    }
)
"""The lowest and highest value of each number, both allowed."""


def recipe_of(recipe: str | Recipe, settings: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe by name, with some of its values replaced.

    Args:
        recipe: a name of ``RECIPES``, or a recipe.
        settings: setting -> value; ``{"epochs": "3"}`` means the same as ``{"epochs": 3}``.

    Raises:
        ConfigError: there is no such recipe or setting, or a value does not fit.

    >>> recipe_of("classic", {"filters": "16:32", "ema": "none"}).filters
    (16, 32)
    """
    if isinstance(recipe, str):
        if recipe not in RECIPES:
            raise ConfigError(f"no recipe {recipe!r}; there are {', '.join(RECIPES)}")
        recipe = RECIPES[recipe]
    types_of = typing.get_type_hints(Recipe)
    changes = {}
    for key, value in (settings or {}).items():
        if not key:
            raise ConfigError(f"setting name missing before '={value}'; write KEY=VALUE, e.g. pooling=average")
        if key not in types_of or key == "name":
            known = ", ".join(name for name in types_of if name != "name")
            raise ConfigError(f"a recipe has no setting {key!r}; it has {known}")
        changes[key] = _read_value(key, value, types_of[key])
    changed = dataclasses.replace(recipe, **changes)
    _check(changed)
    return changed


def setting_text(value: Any) -> str:
    """A recipe's value as text that ``recipe_of`` reads again.

    >>> setting_text((8, 16)), setting_text(None), setting_text(True), setting_text(0.001), setting_text(1.0)
    ('8:16', 'none', 'true', '0.001', '1')
    """
    if isinstance(value, tuple):
        return ":".join(map(str, value))
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value).lower()


def _read_value(key: str, value: Any, kind: Any) -> Any:
    """A value, or its text, as the type of its field."""
    text = str(value).strip().lower() if not isinstance(value, list | tuple) else ",".join(map(str, value))
    try:
        if typing.get_origin(kind) is types.UnionType:
            return None if text in ("none", "") else _read_value(key, value, typing.get_args(kind)[0])
        if typing.get_origin(kind) is Literal:
            if text not in typing.get_args(kind):
                raise ValueError
            return text
        if typing.get_origin(kind) is tuple:
            return _pair(text.strip("()"))
        if kind is bool:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text]
        return kind(text)
    except (ValueError, KeyError) as error:
        expected = _WORDS.get(kind, " or ".join(map(str, typing.get_args(kind))))
        raise ConfigError(f"{key}={value} does not fit; expected {expected}") from error


def _pair(text: str) -> tuple[int, int]:
    """Two counts from ``8:32``, or from ``8`` for ``8:16``."""
    found = re.fullmatch(r"(\d{1,6})(?:[:,](\d{1,6}))?", text.replace(" ", ""))
    if found is None:
        raise ValueError
    return int(found[1]), int(found[2] or 2 * int(found[1]))


def _check(recipe: Recipe) -> None:
    """Refuse values out of range, and windows that leave nothing of the image."""
    for key, (low, high) in _RANGES.items():
        value = getattr(recipe, key)
        if value is not None and not low <= value <= high:
            raise ConfigError(f"{key}={value} is out of range; expected {low:g} to {high:g}")
    if not all(1 <= count <= 4096 for count in recipe.filters):
        raise ConfigError(f"filters={recipe.filters} is out of range; expected two counts of 1 to 4096")
    if recipe.batch_norm and recipe.ema is not None:
        raise ConfigError(
            "batch_norm=true does not go with a weight average, whose means and variances nobody measured; set ema=none"
        )
    lost = recipe.convolutions * (recipe.kernel - 1)
    side = ((28 - lost) // 2 - lost) // 2 - (recipe.kernel - 1 if recipe.last_filters else 0)
    if side < 1:
        raise ConfigError(
            f"convolutions={recipe.convolutions}, kernel={recipe.kernel} and last_filters={recipe.last_filters} leave "
            "nothing of the 28 pixels; give a smaller kernel or fewer convolutions"
        )
