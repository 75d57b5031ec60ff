"""The lines of Keras that train a network as this run's was, in parts for the chapters that explain them.

They are made from the run's recipe and data. Put together in order they are a program; a test runs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from digitscope.training.recipes import Recipe
from digitscope.training.schedule import LAST
from digitscope.web.report.record import Record

IMPORT = "import keras"
"""What the program starts with."""

POOLINGS = {"max": "MaxPooling2D", "average": "AveragePooling2D"}
"""Keras' layer for each kind of pooling."""


@dataclass(frozen=True)
class KerasLines:
    """The program of a run.

    Attributes:
        parts: pieces of code by the anchor of the chapter that explains them, in order.
        left_out: what the run did beyond these lines, in words.
    """

    parts: Mapping[str, str]
    left_out: tuple[str, ...]

    @property
    def program(self) -> str:
        """All of it; the layers stand below one another."""
        return "\n\n".join([IMPORT, *self.parts.values()]).replace("\n\nmodel.add(", "\nmodel.add(")


def facts(record: Record) -> KerasLines:
    """The lines for a run's own recipe and data."""
    recipe, steps = record.recipe, record.steps_per_epoch * record.recipe.epochs
    parts = {
        "data": _load(record),
        "tensor": "x_train = x_train.reshape(-1, 28, 28, 1)\nx_test = x_test.reshape(-1, 28, 28, 1)",
        "scale": 'x_train = x_train.astype("float32") / 255\nx_test = x_test.astype("float32") / 255',
        "one-hot": "y_train = keras.utils.to_categorical(y_train, 10)\ny_test = keras.utils.to_categorical(y_test, 10)",
        "network": f"keras.utils.set_random_seed({record.config['seed']})\nmodel = keras.Sequential()\n"
        "model.add(keras.Input((28, 28, 1)))",
        **_layers(recipe),
        "loss": _loss(recipe),
        "adam": _optimizer(recipe, steps),
        "training": _fit(recipe),
        "accuracy": "loss, accuracy = model.evaluate(x_test, y_test, verbose=0)\n"
        'print(f"loss {loss:.4f}, accuracy {accuracy:.4f}")',
        "errors": f"shares = model.predict(x_test[{record.index}:{record.index + 1}], verbose=0)[0]\n"
        'print(f"read as {shares.argmax()}, with a share of {shares.max():.1%}")',
    }
    return KerasLines(parts, _left_out(recipe))


def _load(record: Record) -> str:
    """Where the digits come from."""
    if record.on_mnist:
        return "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()"
    return (
        f"import digitscope\n\ndata = digitscope.load_dataset({record.config['data']!r})\n"
        "x_train, y_train = data.x_train, data.y_train\nx_test, y_test = data.x_test, data.y_test"
    )


def _layers(recipe: Recipe) -> dict[str, str]:
    """The layers by the chapter that explains them."""
    first, second = (
        [f'Conv2D({filters}, {recipe.kernel}, activation="relu")'] * recipe.convolutions for filters in recipe.filters
    )
    last = [f'Conv2D({recipe.last_filters}, {recipe.kernel}, activation="relu")'] if recipe.last_filters else []
    pooling = f"{POOLINGS[recipe.pooling]}(2)"
    stacks = {
        "convolution": first,
        "pooling": [pooling],
        "second": [*second, pooling, *last],
        "flatten": ["Flatten()"],
        "dense": [f'Dense({recipe.dense}, activation="relu")'],
        "softmax": ['Dense(10, activation="softmax")'],
    }
    return {
        chapter: "\n".join(f"model.add(keras.layers.{layer})" for layer in stack) for chapter, stack in stacks.items()
    }


def _loss(recipe: Recipe) -> str:
    """The loss."""
    smoothing = f"label_smoothing={recipe.label_smoothing:g}" if recipe.label_smoothing else ""
    return f"loss = keras.losses.CategoricalCrossentropy({smoothing})"


def _optimizer(recipe: Recipe, steps: int) -> str:
    """Adam with its schedule, and ``compile``."""
    usual = Recipe("usual")
    rate, lines = f"{recipe.learning_rate:g}", []
    if recipe.schedule == "one-cycle":
        rate, lines = "rate", [_one_cycle(recipe, steps)]
    given = [rate]
    for name in ("beta_1", "beta_2"):
        if getattr(recipe, name) != getattr(usual, name):
            given.append(f"{name}={getattr(recipe, name):g}")
    if recipe.ema is not None:
        given.append(f"use_ema=True, ema_momentum={recipe.ema:g}")
    lines.append(f"optimizer = keras.optimizers.Adam({', '.join(given)})")
    lines.append('model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])')
    return "\n".join(lines)


def _one_cycle(recipe: Recipe, steps: int) -> str:
    """The one-cycle schedule in Keras' own words, its rise rounded to whole steps; see ``training.schedule``."""
    rising, peak = round(recipe.warmup * steps), recipe.learning_rate
    given = [f"{peak:g}, decay_steps={steps}, alpha={LAST:g}"]
    if rising > 1:
        given = [
            f"{peak / rising:.3g}, warmup_target={peak:g}, warmup_steps={rising - 1},",
            f"decay_steps={max(steps - rising, 1)}, alpha={LAST:g},",
        ]
    inside = "\n    ".join(given)
    return f"rate = keras.optimizers.schedules.CosineDecay(\n    {inside}\n)"


def _fit(recipe: Recipe) -> str:
    """``fit``, and the temperature after it."""
    lines = [f"model.fit(x_train, y_train, batch_size={recipe.batch_size}, epochs={recipe.epochs})"]
    if recipe.temperature != 1:
        lines += [
            "last = model.layers[-1]",
            f"last.set_weights([part / {recipe.temperature:g} for part in last.get_weights()])",
        ]
    return "\n".join(lines)


def _left_out(recipe: Recipe) -> tuple[str, ...]:
    """What the run did beyond the lines."""
    found = []
    if recipe.augment:
        found.append("distorting every digit anew each time it is shown")
    if recipe.disturb:
        found.append("disturbing digits with noise, clouds, lines and other things")
    if recipe.teachers:
        found.append("the teachers")
    if recipe.batch_norm:
        found.append("batch normalisation, which is part of the weights afterwards")
    if recipe.lower_precision:
        found.append("computing with shorter numbers where the processor can, which saves time")
    return (*found, "the order in which the digits are shown")
