from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from digitscope.datasets import Images, Labels, load_mnist
from digitscope.errors import ConfigError
from digitscope.models import load
from digitscope.recipes import recipe_of
from digitscope.training import Execution, OneCycle, Run, fit, train

ROOT = Path(__file__).parent.parent
PLAIN = """
import runpy, sys
import numpy as np
sys.argv = ["plain_keras.py", "2", sys.argv[1], sys.argv[2]]
names = runpy.run_path("examples/plain_keras.py", run_name="__main__")
np.savez(sys.argv[3], *names["model"].get_weights())
"""


@pytest.fixture(scope="module")
def some() -> tuple[Images, Labels]:
    (x, y), _ = load_mnist()
    return x[:6000], y[:6000]


@pytest.mark.slow
def test_seed_is_plain_keras(some: tuple[Images, Labels], tmp_path: Path):
    """The 40-line script without the package and the recipe `seed` end in the same weights."""
    x, y = some
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x[:500], y_test=y[:500])
    words = [str(tmp_path / "mnist.npz"), str(tmp_path / "weights.npz")]
    done = subprocess.run([sys.executable, "-c", PLAIN, *words], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    fitted = fit(recipe_of("seed", {"epochs": 2}), x, y, seed=0)
    with np.load(tmp_path / "weights.npz") as plain:
        for ours, name in zip(fitted.network.get_weights(), plain.files, strict=True):
            np.testing.assert_allclose(ours, plain[name], atol=2e-4)


def test_plain_keras_is_forty_lines_without_the_package():
    lines = (ROOT / "examples" / "plain_keras.py").read_text().splitlines()
    code = [line for line in lines if line.strip() and not line.strip().startswith(("#", '"""'))]
    assert len(code) <= 40
    assert not any("digitscope" in line for line in code if "import" in line)


def test_the_seed_decides(some: tuple[Images, Labels]):
    x, y = some[0][:1000], some[1][:1000]
    first, again, other = (fit(recipe_of("seed", {"epochs": 1}), x, y, seed) for seed in (1, 1, 2))
    for a, b in zip(first.network.get_weights(), again.network.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert any((a != c).any() for a, c in zip(first.network.get_weights(), other.network.get_weights(), strict=True))


def test_what_a_fit_leaves(some: tuple[Images, Labels]):
    calls: list[tuple[str, int, int, dict[str, float]]] = []
    recipe = recipe_of("classic", {"epochs": 2, "temperature": 1})
    fitted = fit(recipe, *some, progress=lambda *call: calls.append(call))  # type: ignore[arg-type]
    assert all(layer.dtype_policy.name == "float32" for layer in fitted.network.layers)
    assert [row["epoch"] for row in fitted.history] == [1, 2]
    assert fitted.history[1]["accuracy"] > fitted.history[0]["accuracy"]
    assert fitted.history[1]["learning_rate"] < 0.02 * recipe.learning_rate
    assert [call[0] for call in calls] == ["fit"] * len(calls)
    done = [call[1] for call in calls]
    assert done == sorted(done)
    assert calls[-1][1:3] == (12_000, 12_000)


def test_the_temperature_divides_the_sums_not_the_answers(some: tuple[Images, Labels]):
    x, y = some[0][:1500], some[1][:1500]
    execution = Execution(keras.backend.backend(), 1, "float32", "auto")
    plain, cooled = (
        fit(recipe_of("seed", {"epochs": 1, "temperature": t}), x, y, execution=execution).network for t in (1, 2)
    )
    images = x[:200, ..., None].astype(np.float32) / 255
    p, q = plain.predict(images, verbose=0), cooled.predict(images, verbose=0)
    wanted = np.sqrt(p) / np.sqrt(p).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(q, wanted, atol=1e-4)


@pytest.mark.parametrize("recipe", ["robust", "classic"])
def test_average_pooling_and_augmentation_fit(recipe: str, some: tuple[Images, Labels]):
    fitted = fit(recipe_of(recipe, {"epochs": 1, "pooling": "average", "ema": "0.9"}), some[0][:512], some[1][:512])
    assert np.isfinite(fitted.network.get_weights()[0]).all()


def test_one_cycle_climbs_and_falls():
    rate = OneCycle(0.01, 100, 0.25)
    values = [float(rate(step)) for step in range(100)]
    assert int(np.argmax(values)) == 24
    assert values[24] == pytest.approx(0.01)
    assert values[0] == pytest.approx(0.01 / 25)
    assert values[99] == pytest.approx(0.0001)
    assert (np.diff(values[:25]) > 0).all()
    assert (np.diff(values[24:]) < 0).all()


def test_a_run_tells_everything(small_run: Path):
    run = Run(small_run)
    assert run.config["recipe"]["name"] == "classic"
    assert run.config["recipe"]["epochs"] == 1
    assert len(run.config["data_sha256"]) == 64
    assert {"keras", "numpy", "onnxruntime", "digitscope", "backend"} <= set(run.config["versions"]) | {"backend"}
    with (small_run / "history.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["images_per_second"]) > 0
    metrics = run.metrics
    for key in ("test_accuracy", "test_loss", "n", "misses", "parameters", "fit_seconds", "total_seconds"):
        assert key in metrics
    assert (metrics["n"], metrics["parameters"], metrics["train_n"]) == (1000, 225_034, 4000)
    assert run.model.evaluate(run.config["data"]).misses == metrics["misses"]
    assert json.loads((small_run / "evaluation.json").read_text())["n"] == 1000
    assert [path for path in small_run.rglob("*") if path.name.startswith(".")] == [], "no temporary file is left"
    x = load_mnist()[1][0][:20]
    network = keras.saving.load_model(small_run / "model.keras")
    np.testing.assert_allclose(
        load(small_run).predict(x), network.predict(x[..., None] / np.float32(255), verbose=0), atol=1e-5
    )


def test_a_finished_run_is_not_replaced_unasked(small_run: Path):
    with pytest.raises(ConfigError, match="overwrite"):
        train("classic", out=small_run)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_said(seed: int, tmp_path: Path):
    with pytest.raises(ConfigError, match="out of range"):
        train("classic", seed=seed, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
