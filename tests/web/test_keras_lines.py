"""The lines of Keras in the report: put together they are a program, and it builds and trains what the recipe says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from digitscope.datasets.mnist import load_mnist
from digitscope.training.recipes import RECIPES, Recipe, recipe_of
from digitscope.training.schedule import learning_rates
from digitscope.web.report import keras_lines
from digitscope.web.report.keras_lines import KerasLines
from digitscope.web.report.record import Record

N = 600
"""Digits that the programs train on."""


def lines_of(recipe: Recipe, data: str = "mnist") -> KerasLines:
    """The lines of a run on MNIST, or on a file."""
    steps = -(-N // recipe.batch_size)
    config = {"seed": 3, "data": data}
    run = SimpleNamespace(recipe=recipe, steps_per_epoch=steps, on_mnist=data == "mnist", config=config, index=2)
    return keras_lines.facts(cast(Record, run))


def executed(program: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a program leaves, run where MNIST has only a few digits."""
    keras = pytest.importorskip("digitscope.backend").keras
    (x, y), (x_test, y_test) = load_mnist()
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: ((x[:N], y[:N]), (x_test[:90], y_test[:90])))
    left: dict[str, Any] = {}
    exec(compile(program, "program", "exec"), left)
    return left


def test_the_program_of_the_classic_network_runs_as_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    lines = lines_of(RECIPES["classic"])
    left = executed(lines.program, monkeypatch)
    assert left["model"].count_params() == 225_034
    assert left["x_train"].shape == (N, 28, 28, 1) and left["x_train"].max() == 1
    assert left["y_train"].shape == (N, 10) and left["model"].input_shape == (None, 28, 28, 1)
    told = capsys.readouterr().out
    assert f"loss {left['loss']:.4f}, accuracy {left['accuracy']:.4f}" in told
    assert f"read as {left['shares'].argmax()}, with a share of" in told
    for call in ("Sequential()", ".add(", ".compile(", ".fit(", ".evaluate(", ".predict("):
        assert call in lines.program, call


@pytest.mark.parametrize(
    "recipe",
    [
        *RECIPES.values(),
        recipe_of("seed", {"pooling": "average", "kernel": 5, "dense": 9}),
        recipe_of("classic", {"schedule": "one-cycle", "warmup": 0}),
    ],
    ids=lambda recipe: f"{recipe.name}-{recipe.pooling}-{recipe.warmup}",
)
def test_it_builds_and_compiles_what_the_recipe_says(recipe: Recipe, monkeypatch: pytest.MonkeyPatch):
    networks = pytest.importorskip("digitscope.training.networks")
    parts = lines_of(recipe).parts
    until = list(parts).index("training")
    left = executed("\n".join([keras_lines.IMPORT, *list(parts.values())[:until]]), monkeypatch)

    def described(layer: Any) -> dict[str, Any]:
        config = {key: value for key, value in layer.get_config().items() if key not in ("name", "dtype")}
        return config | {"kind": type(layer).__name__}

    assert [described(layer) for layer in left["model"].layers] == [
        described(layer) for layer in networks.build(recipe).layers
    ]
    optimizer = left["model"].optimizer
    assert (optimizer.beta_1, optimizer.beta_2) == (recipe.beta_1, recipe.beta_2)
    assert (optimizer.ema_momentum if optimizer.use_ema else None) == recipe.ema
    assert left["loss"].label_smoothing == recipe.label_smoothing
    if recipe.schedule == "constant":
        assert float(optimizer.learning_rate) == pytest.approx(recipe.learning_rate)
    else:
        planned = learning_rates(recipe, recipe.epochs * -(-N // recipe.batch_size))
        rates = [float(left["rate"](step)) for step in range(len(planned))]
        longest_step = np.abs(np.diff(planned, prepend=planned[0])).max()  # the rise is rounded to whole steps
        np.testing.assert_allclose(rates, planned, atol=1.05 * longest_step)


def test_fit_has_the_recipes_batches_epochs_and_temperature():
    assert lines_of(RECIPES["seed"]).parts["training"] == "model.fit(x_train, y_train, batch_size=128, epochs=12)"
    fit = lines_of(RECIPES["classic"]).parts["training"]
    assert "batch_size=256, epochs=2" in fit and "part / 0.5 for part" in fit


def test_what_the_lines_leave_out_is_named():
    assert lines_of(RECIPES["seed"]).left_out == ("the order in which the digits are shown",)
    told = " ".join(lines_of(RECIPES["strong"]).left_out)
    assert "distorting" in told and "teachers" in told and "shorter numbers" in told


def test_other_data_is_loaded_by_its_own_name(tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    (x, y), (x_test, y_test) = load_mnist()
    path = tmp_path / "it's mine.npz"
    np.savez(path, x_train=x[:300], y_train=y[:300], x_test=x_test[:90], y_test=y_test[:90])
    parts = lines_of(RECIPES["seed"], str(path)).parts
    left = executed("\n".join([keras_lines.IMPORT, parts["data"]]), monkeypatch)
    assert left["x_train"].shape == (300, 28, 28) and len(left["y_test"]) == 90
