"""What Keras' backends have in common: the same start, the same weights; the same files, whoever fitted them.

Every backend but the one that pytest runs on needs a process of its own, and is left out where it is not installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError, MissingExtra, ModelError
from digitscope.experiments.run import Run, train
from digitscope.models import keras_onnx
from digitscope.models.export_onnx import onnx_bytes
from digitscope.models.lens import look
from digitscope.models.session import ClassifierSession
from digitscope.training.batches import Batches
from digitscope.training.distribution import check_devices
from digitscope.training.fit import Execution
from digitscope.training.networks import build
from digitscope.training.recipes import RECIPES, recipe_of

pytestmark = pytest.mark.filterwarnings("ignore:.*scope is deprecated:DeprecationWarning")

BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed"))
    for name in ("tensorflow", "torch", "jax")
]
OTHERS = BACKENDS[1:]
DIFFERENT = {(made.filters, made.convolutions, made.last_filters): name for name, made in RECIPES.items()}.values()
"""A recipe for each network; the others train one of these networks in another way."""

SMALL = {"filters": "4,8", "dense": 16, "batch_size": 64, "epochs": 2, "lower_precision": "false"}
START = """
import sys
import numpy as np
from digitscope.datasets.mnist import load_mnist
from digitscope.training.fit import Execution, fit
from digitscope.training.networks import build
from digitscope.training.recipes import RECIPES, recipe_of

def started(*settings):
    '''The network with weights that every backend draws alike.'''
    rng = np.random.default_rng(5)
    network = build(*settings)
    for variable in network.trainable_variables:
        if len(variable.shape) > 1:
            variable.assign(rng.normal(size=variable.shape) * (2 / np.prod(variable.shape[:-1])) ** 0.5)
    return network

(x, y), _ = load_mnist()
small, out = eval(sys.argv[1]), sys.argv[2]
"""
FITS = """
for name in RECIPES:
    fitted = fit(recipe_of(name, small), x[:250], y[:250], network_of=started)
    answers = fitted.network.predict(x[:100, ..., None] / 255, verbose=0)
    np.savez(f"{out}/{name}.npz", *fitted.network.get_weights(), answers=answers)
"""
STOPPED = """
from digitscope.experiments.run import train
settings = small | {"batch_size": 32, "learning_rate": 0.01}

def stop(stage, done, total, facts):
    if facts.get("epoch") == 2:
        raise KeyboardInterrupt

try:
    train("seed", settings=settings, data=f"{out}/few.npz", out=f"{out}/stopped", progress=stop)
except KeyboardInterrupt as error:
    print(error)
train("seed", settings=settings, data=f"{out}/few.npz", out=f"{out}/whole")
"""
COMMAND = "from digitscope.cli import main; main()"
SHARED = """
import keras
seen = []
class Watch(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        seen.append(len(self.model.trainable_variables[0].value.sharding.device_set))

for name in RECIPES:
    recipe = recipe_of(name, small)
    executions = [Execution.for_this_machine(recipe, devices) for devices in (1, 4)]
    one, four = (fit(recipe, x[:250], y[:250], 0, how, network_of=started, callbacks=[Watch()]) for how in executions)
    for a, b in zip(one.network.get_weights(), four.network.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
assert seen == [n for name in RECIPES for n in (1, 4) for _ in range(recipe_of(name, small).all_epochs)], seen
"""

Folders = Callable[[str], Path]


def run(backend: str, program: str, *words: object, devices: int = 1) -> subprocess.CompletedProcess[str]:
    """A Python program under a backend, on processors only."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    environment = os.environ | {"KERAS_BACKEND": backend, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    environment |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-c", program, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def work_of(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """What a backend leaves: a fit of every recipe from the same start, a training, and one that was stopped."""
    folders: dict[str, Path] = {}

    def work(backend: str) -> Path:
        if backend not in folders:
            folder = tmp_path_factory.mktemp(backend)
            (x, y), (x_test, y_test) = load_mnist()
            np.savez(folder / "few.npz", x_train=x[:600], y_train=y[:600], x_test=x_test[:300], y_test=y_test[:300])
            done = run(backend, START + FITS + STOPPED, SMALL, folder)
            assert done.returncode == 0, done.stderr
            assert "1 of 2 epochs are saved" in done.stdout
            folders[backend] = folder
        return folders[backend]

    return work


def weights_of(path: Path) -> list[np.ndarray]:
    return list(keras.saving.load_model(path, compile=False).get_weights())


@pytest.mark.extended
@pytest.mark.parametrize("backend", OTHERS)
def test_the_same_start_leads_to_the_same_network(backend: str, work_of: Folders):
    here, there = work_of("tensorflow"), work_of(backend)
    for name in RECIPES:
        with np.load(here / f"{name}.npz") as wanted, np.load(there / f"{name}.npz") as found:
            assert wanted.files == found.files
            for key in wanted.files:
                np.testing.assert_allclose(found[key], wanted[key], atol=2e-5, err_msg=f"{name} {key}")


@pytest.mark.extended
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_training_leaves_a_whole_run(backend: str, work_of: Folders):
    """Its files tell the same, the network in Keras' form is read by every backend, and the lens looks inside."""
    run_ = Run(work_of(backend) / "whole")
    assert run_.finished
    assert run_.config["execution"]["backend"] == backend
    assert run_.config["export"].startswith("TensorFlow" if backend == "tensorflow" else f"Keras ran on {backend}; ")
    assert run_.metrics["test_accuracy"] > 0.5
    assert (run_.folder / "report.html").stat().st_size > 100_000
    images = load_mnist()[1][0][:50, ..., None].astype(np.float32) / 255
    network = keras.saving.load_model(run_.folder / "model.keras", compile=False)
    np.testing.assert_allclose(run_.model.session.probabilities(images), network.predict(images, verbose=0), atol=1e-5)
    lens = look(run_.model, load_mnist()[1][0][0])
    assert [view.name for view in lens.layers[1:]] == [layer.name for layer in network.layers]
    np.testing.assert_allclose(lens.probabilities, network.predict(images[:1], verbose=0)[0], atol=1e-5)


@pytest.mark.extended
@pytest.mark.parametrize("backend", OTHERS)
def test_the_command_goes_on_with_what_was_stopped(backend: str, work_of: Folders, tmp_path: Path):
    """On the same backend to the same weights; on another it says in one sentence that it does not."""
    folder = work_of(backend)
    words = ["train", "--recipe", "seed", "--data", folder / "few.npz", "--out", folder / "stopped", "--resume"]
    changes = SMALL | {"batch_size": 32, "learning_rate": 0.01}
    words += [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]
    program = f"import sys; sys.argv[0] = 'digitscope'; {COMMAND}"
    other = run("tensorflow", program, *words)
    assert other.returncode == 2
    assert len(other.stderr.strip().splitlines()) == 1
    assert f"was started with backend={backend}" in other.stderr
    done = run(backend, program, *words)
    assert done.returncode == 0, done.stderr
    assert f"Keras ran on {backend}; TensorFlow wrote model.onnx" in done.stdout
    assert not [line for line in done.stderr.splitlines() if "onednn" in line.lower() or "warning" in line.lower()]
    for a, b in zip(*(weights_of(folder / name / "model.keras") for name in ("whole", "stopped")), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.extended
@pytest.mark.skipif(find_spec("jax") is None, reason="jax is not installed")
def test_four_devices_learn_what_one_learns(tmp_path: Path):
    """Three full batches of 64 in shares of 16, and a last one of 58, which has no four equal shares."""
    done = run("jax", START + SHARED, SMALL, tmp_path, devices=4)
    assert done.returncode == 0, done.stderr


@pytest.mark.extended
@pytest.mark.skipif(find_spec("jax") is None, reason="jax is not installed")
def test_more_devices_than_there_are(tmp_path: Path):
    program = f"import sys; sys.argv[0] = 'digitscope'; {COMMAND}"
    done = run("jax", program, "train", "--devices", 4, "--out", tmp_path / "run", devices=2)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "digitscope: 4 devices were asked for, and JAX has 2 (cpu:0, cpu:1); ask for no more"
    )
    assert not (tmp_path / "run").exists()


def test_devices_that_cannot_share(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with pytest.raises(ConfigError, match="out of range"):
        check_devices(0, 256)
    with pytest.raises(ConfigError, match="Keras runs on tensorflow, which takes one; set KERAS_BACKEND=jax"):
        train("seed", devices=2, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    monkeypatch.setattr("keras.distribution.list_devices", lambda: ["gpu:0", "gpu:1", "gpu:2"])
    with pytest.raises(ConfigError, match=r"batch_size=256 has no equal shares for 3 devices; set batch_size=255"):
        check_devices(3, 256)
    assert Execution.for_this_machine(recipe_of("seed"), 2).devices == 2


@settings(deadline=None)
@given(st.integers(1, 150), st.integers(1, 8), st.integers(1, 6))
def test_every_batch_falls_into_equal_shares(n: int, shares: int, per_share: int):
    images, labels = np.arange(n, dtype=np.uint8)[:, None, None].repeat(28, 1).repeat(28, 2), np.arange(n) % 10
    plain, shared = (Batches(images, labels, shares * per_share, 3, shares=parts) for parts in (1, shares))
    assert len(plain) == len(shared)
    for index in range(len(plain)):
        fields, answers = shared[index]
        assert len(fields) % shares == 0
        times = len(fields) // len(plain[index][0])
        assert times == 1 or index == len(plain) - 1
        np.testing.assert_array_equal(fields, np.concatenate([plain[index][0]] * times))
        np.testing.assert_array_equal(answers, np.concatenate([plain[index][1]] * times))


@pytest.mark.parametrize("recipe", DIFFERENT)
def test_a_file_written_in_another_process_is_the_same(recipe: str, monkeypatch: pytest.MonkeyPatch):
    """The way that torch and jax go, without them: a saved copy, opened by a process on TensorFlow."""
    network = build(recipe_of(recipe))
    plain = ClassifierSession(onnx_bytes(network), "here")
    monkeypatch.setattr(keras_onnx.keras.backend, "backend", lambda: "jax")
    other = ClassifierSession(onnx_bytes(network), "there")
    images = load_mnist()[1][0][:20, ..., None].astype(np.float32) / 255
    assert other.layers == plain.layers
    np.testing.assert_array_equal(other.probabilities(images), plain.probabilities(images))


def test_what_stops_the_other_process_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keras_onnx.keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras_onnx, "_WRITE", "raise RuntimeError('no memory')")
    with pytest.raises(ModelError, match=r"cannot write .* \(RuntimeError: no memory\)"):
        onnx_bytes(build(recipe_of("seed")))


def test_without_tensorflow_nothing_is_trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(keras_onnx, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"TensorFlow, which writes model.onnx whatever .*digitscope\[train\]"):
        train("seed", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
