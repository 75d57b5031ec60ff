from __future__ import annotations

import random
import runpy
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.utils import check_random_state

from digitscope.arraytypes import Images, Labels
from digitscope.datasets.mnist import load_mnist
from digitscope.errors import DataError
from digitscope.training import fit as fitting
from digitscope.training.batches import Batches
from digitscope.training.checkpoint import Checkpoint
from digitscope.training.fit import Execution, OneCycle, fit
from digitscope.training.networks import build
from digitscope.training.recipes import recipe_of

ROOT = Path(__file__).parents[2]
SMALL = {"filters": "4,8", "dense": 16, "batch_size": 32, "epochs": 3}


@pytest.fixture(scope="module")
def some() -> tuple[Images, Labels]:
    (x, y), _ = load_mnist()
    return x[:2000], y[:2000]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 2])
def test_seed_is_plain_keras(seed: int, some: tuple[Images, Labels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The 40-line script without the package and the recipe `seed` end in the same weights, from every seed.

    The script is given the images in the recipe's order instead of Keras' own.
    """
    x, y = some  # few steps: rounding grows with each
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x[:500], y_test=y[:500])

    def fit_in_order(model: keras.Model, x: np.ndarray, y: np.ndarray, batch_size: int, epochs: int) -> None:
        for epoch in range(epochs):
            order = np.random.default_rng((seed, epoch)).permutation(len(x))
            keras.Model.fit(model, x[order], y[order], batch_size=batch_size, shuffle=False, verbose=0)

    words = ["plain_keras.py", "2", str(tmp_path / "mnist.npz"), *([str(seed)] if seed else [])]
    with monkeypatch.context() as patch:
        patch.setattr(keras.Sequential, "fit", fit_in_order)
        patch.setattr(sys, "argv", words)
        names = runpy.run_path(str(ROOT / "examples" / "plain_keras.py"), run_name="__main__")
    fitted = fit(recipe_of("seed", {"epochs": 2}), x, y, seed)
    for ours, plain in zip(fitted.network.get_weights(), names["model"].get_weights(), strict=True):
        np.testing.assert_allclose(ours, plain, atol=2e-4)


def test_strong_is_the_network_its_docstring_tells():
    network = build(recipe_of("strong"))
    shapes = {layer.name: layer.output.shape[1:] for layer in network.layers}
    maps = [shapes[name] for name in ("conv1", "conv2", "pool1", "conv3", "conv4", "pool2", "conv5")]
    assert maps == [
        (26, 26, 32), (24, 24, 32), (12, 12, 32), (10, 10, 64), (8, 8, 64), (4, 4, 64), (2, 2, 128),
    ]  # fmt: skip
    assert list(shapes) == [
        "conv1",
        "conv2",
        "pool1",
        "conv3",
        "conv4",
        "pool2",
        "conv5",
        "flatten",
        "dense",
        "softmax",
    ]
    assert network.count_params() * 4 < 3_000_000


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
    assert calls[-1][1:3] == (4000, 4000)


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


@pytest.mark.parametrize("recipe", ["classic", "robust"])
def test_a_fit_that_was_stopped_goes_on_as_if_nothing_had_happened(
    recipe: str, some: tuple[Images, Labels], tmp_path: Path
):
    """`classic` in one order per epoch, `robust` with distortions and the running mean of the weights."""
    x, y = some[0][:400], some[1][:400]
    chosen = recipe_of(recipe, SMALL | {"ema": "0.9" if recipe == "robust" else "none"})
    states: list[Checkpoint] = []
    whole = fit(chosen, x, y, 3, after_epoch=states.append)
    assert [state.epochs for state in states] == [1, 2, 3]
    assert 0 < states[0].seconds < states[1].seconds < states[2].seconds <= whole.seconds
    for state in states:
        state.write(tmp_path / "state.npz")
        read = Checkpoint.read(tmp_path / "state.npz")
        resumed = fit(chosen, x, y, 3, resume_from=read)
        assert resumed.seconds > state.seconds
        for row, wanted in zip(resumed.history, whole.history, strict=True):
            for key in ("epoch", "loss", "accuracy", "learning_rate"):
                assert row[key] == pytest.approx(wanted[key], rel=1e-5)
        for ours, wanted in zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True):
            np.testing.assert_allclose(ours, wanted, atol=1e-6)


def test_a_student_that_was_stopped_goes_on_with_its_teachers(some: tuple[Images, Labels], tmp_path: Path):
    """From each epoch of either teacher and of the student, to the same weights."""
    x, y = some[0][:400], some[1][:400]
    chosen = recipe_of("robust", SMALL | {"epochs": 2, "ema": "0.9", "teachers": 2})
    states: list[Checkpoint] = []
    whole = fit(chosen, x, y, 3, after_epoch=states.append)
    assert [(state.epochs, len(state.teachers)) for state in states] == [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2)]
    assert [row["epoch"] for row in whole.history] == [1, 2]
    for state in states:
        state.write(tmp_path / "state.npz")
        resumed = fit(chosen, x, y, 3, resume_from=Checkpoint.read(tmp_path / "state.npz"))
        for ours, wanted in zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True):
            np.testing.assert_allclose(ours, wanted, atol=1e-6)
    with pytest.raises(DataError, match="another network"):
        fit(recipe_of(chosen, {"teachers": 1}), x, y, 3, resume_from=states[-1])


def test_a_fit_leaves_global_randomness_as_it_was(some: tuple[Images, Labels]):
    """Keras seeds Python's and NumPy's generators; also a fit that is stopped puts them back."""
    python, numpy = random.getstate(), check_random_state(None).get_state()

    def stop(checkpoint: Checkpoint) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(recipe_of("seed", SMALL), some[0][:64], some[1][:64], after_epoch=stop)
    assert random.getstate() == python
    for part, wanted in zip(check_random_state(None).get_state(), numpy, strict=True):
        np.testing.assert_array_equal(part, wanted)


def test_keras_takes_the_batches_in_our_order(some: tuple[Images, Labels], monkeypatch: pytest.MonkeyPatch):
    """Epoch after epoch, every batch once and in turn, also when the fit begins in the middle."""
    taken: list[tuple[int, int]] = []

    class Watched(Batches):
        def __getitem__(self, index: int):
            taken.append((self._epoch, index))
            return super().__getitem__(index)

    monkeypatch.setattr(fitting, "Batches", Watched)
    x, y = some[0][:400], some[1][:400]
    states: list[Checkpoint] = []
    for begun, epochs in ((None, [0, 1, 2]), (1, [2])):
        taken.clear()
        fit(recipe_of("seed", SMALL), x, y, resume_from=states[begun] if begun else None, after_epoch=states.append)
        wanted = [(epoch, index) for epoch in epochs for index in range(13)]
        probes = len(taken) - len(wanted)
        assert probes <= 2, "Keras looks at the first batches to learn their shapes"
        assert taken[probes:] == wanted


def test_the_state_of_another_network_is_refused(some: tuple[Images, Labels]):
    x, y = some[0][:64], some[1][:64]
    states: list[Checkpoint] = []
    recipe = recipe_of("seed", SMALL | {"epochs": 1})
    fit(recipe, x, y, after_epoch=states.append)
    for other in (recipe_of(recipe, {"dense": 17}), recipe_of(recipe, {"ema": 0.9})):
        with pytest.raises(DataError, match="another network"):
            fit(other, x, y, resume_from=states[0])


def test_one_cycle_climbs_and_falls():
    rate = OneCycle(0.01, 100, 0.25)
    values = [float(rate(step)) for step in range(100)]
    assert int(np.argmax(values)) == 24
    assert values[24] == pytest.approx(0.01)
    assert values[0] == pytest.approx(0.01 / 25)
    assert values[99] == pytest.approx(0.0001)
    assert (np.diff(values[:25]) > 0).all()
    assert (np.diff(values[24:]) < 0).all()
