from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError, DataError
from digitscope.experiments import run as training
from digitscope.experiments.run import Run, train
from digitscope.experiments.state import CHECKPOINT
from digitscope.files import locked
from digitscope.models.model import load
from digitscope.reading.detectors import kept_detector

KILLED = """
import os, signal, sys, threading
from digitscope.experiments.run import train
data, out, settings, count, seconds = sys.argv[1:]
reports = []
def progress(stage, done, total, facts):
    reports.append(stage)
    if len(reports) == int(count):
        threading.Timer(float(seconds), os.kill, (os.getpid(), signal.SIGKILL)).start()
train("robust", data=data, out=out, settings=eval(settings), seed=5, resume=True, progress=progress)
"""
"""A training that is killed some time after it has reported so many times, twice in an epoch."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of 600 training images."""
    (x, y), (x_test, y_test) = load_mnist()
    path = tmp_path_factory.mktemp("data") / "few.npz"
    np.savez(path, x_train=x[:600], y_train=y[:600], x_test=x_test[:50], y_test=y_test[:50])
    return path


def curve(folder: Path) -> list[list[float]]:
    """What of ``history.csv`` does not depend on the clock."""
    with (folder / "history.csv").open(newline="") as file:
        return [
            [float(row[key]) for key in ("epoch", "loss", "accuracy", "learning_rate")] for row in csv.DictReader(file)
        ]


def assert_same_run(ours: Path, wanted: Path) -> None:
    np.testing.assert_allclose(curve(ours), curve(wanted), rtol=1e-5)
    networks = [keras.saving.load_model(folder / "model.keras") for folder in (ours, wanted)]
    for a, b in zip(*(network.get_weights() for network in networks), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert Run(ours).finished
    assert not (ours / CHECKPOINT).exists()
    assert [path for path in ours.rglob("*") if path.name.startswith(".")] == [], "no temporary file is left"


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
    assert kept_detector(run.model) is not None
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


TINY = {"filters": "2,4", "dense": 8, "batch_size": 100, "epochs": 3}


def stop_at(stage: str, epoch: int = 0):
    """A progress that stands for a person who presses Ctrl-C."""

    def press(now: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        if now == stage and facts.get("epoch", 0) >= epoch:
            raise KeyboardInterrupt

    return press


def test_ctrl_c_says_what_is_kept_and_resume_goes_on(few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        training, "write_report", lambda folder, progress, **_: progress and progress("report", 1, 1, {})
    )
    out, common = tmp_path / "run", {"data": few, "settings": TINY}
    with pytest.raises(KeyboardInterrupt, match="before the first epoch was finished"):
        train("classic", out=out, progress=stop_at("fit"), **common)
    with pytest.raises(
        KeyboardInterrupt, match=r"1 of 3 epochs are saved; to continue, set resume, and set out to .*run$"
    ):
        train("classic", out=out, progress=stop_at("fit", 2), **common)
    assert not Run(out).finished

    begun = (out / CHECKPOINT).read_bytes()
    (out / ".checkpoint-a1b2c3d4.npz").write_bytes(b"what a kill leaves")
    for wrong, sentence in (
        ({}, "unfinished run; set resume"),
        ({"resume": True, "overwrite": True}, "not both"),
        ({"resume": True, "seed": 1}, "started with seed=0, not with seed=1;"),
        ({"resume": True, "epochs": 2}, "started with epochs=3, not with epochs=2;"),
        ({"resume": True, "recipe": "robust"}, "started with recipe=classic, not with recipe=robust;"),
        ({"resume": True, "data": "mnist"}, "started with data_sha256="),
    ):
        with pytest.raises(ConfigError, match=sentence):
            train(**({"recipe": "classic", "out": out} | common | wrong))
        assert (out / CHECKPOINT).read_bytes() == begun

    with pytest.raises(KeyboardInterrupt, match="3 of 3 epochs are saved"):
        train("classic", out=out, resume=True, progress=stop_at("report"), **common)
    assert not Run(out).finished, "it was measured, but not all of it is written"
    train("classic", out=out, resume=True, **common)
    whole = train("classic", out=tmp_path / "whole", **common)
    assert_same_run(out, whole.folder)

    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert train("classic", out=out, resume=True, **common).metrics["n"] == 50
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*")}, "a finished run stays as it is"
    with pytest.raises(ConfigError, match="started with seed=0"):
        train("classic", out=out, resume=True, seed=1, **common)


@pytest.mark.parametrize("name", ["config.json", "report.html", "history.csv", "model.onnx"])
def test_a_persons_own_files_are_not_replaced(few: Path, tmp_path: Path, name: str):
    (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(
        ConfigError, match=rf"contains a {name} that no training wrote; set out to another folder, or overwrite"
    ):
        train("classic", data=few, settings=TINY, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == '{"mine": 1}'


@pytest.mark.parametrize("words", [{}, {"overwrite": True}, {"resume": True}])
def test_no_run_is_put_among_files_that_are_none_of_it(few: Path, tmp_path: Path, words: dict[str, bool]):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "a.png").write_text("a digit")
    (tmp_path / "report.html").write_text("mine")
    said = rf"contains {Path('7') / 'a.png'} and no run; set out to another folder$"
    with pytest.raises(ConfigError, match=said):
        train("classic", data=few, settings=TINY, out=tmp_path, **words)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["7", "a.png", "report.html"]


def test_what_cannot_be_gone_on_with_is_said(few: Path, tmp_path: Path):
    out = tmp_path / "run"
    with pytest.raises(ConfigError, match="set out"):
        train("classic", data=few, resume=True)
    with pytest.raises(KeyboardInterrupt):
        train("classic", data=few, settings=TINY, out=out, progress=stop_at("fit", 2))
    config = (out / "config.json").read_bytes()
    for damage in (b"", b"[]", b"{}", b'{"recipe": 3}', b"\xff"):
        (out / "config.json").write_bytes(damage)
        with pytest.raises(ConfigError, match="set overwrite to start again"):
            train("classic", data=few, settings=TINY, out=out, resume=True)
    (out / "config.json").write_bytes(config)
    (out / CHECKPOINT).write_bytes(b"garbage")
    with pytest.raises(DataError, match="not a checkpoint to resume from"):
        train("classic", data=few, settings=TINY, out=out, resume=True)
    with pytest.raises(KeyboardInterrupt):
        train("classic", data=few, settings=TINY, out=out, overwrite=True, progress=stop_at("fit", 2))
    assert training.Checkpoint.read(out / CHECKPOINT).epochs == 1


def test_two_trainings_of_one_folder_are_told_apart(few: Path, tmp_path: Path):
    with locked(tmp_path), pytest.raises(ConfigError, match="is being written by another process; wait until it has"):
        train("fast", data=few, epochs=1, out=tmp_path, overwrite=True)
    assert not list(tmp_path.iterdir())


def test_tensorboard_gets_the_history(few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setattr(training, "write_report", lambda *_, **__: None)
    logs, out = tmp_path / "logs", tmp_path / "run"
    common = {"data": few, "settings": TINY, "out": out, "tensorboard": logs, "resume": True}
    with pytest.raises(KeyboardInterrupt):
        train("classic", progress=stop_at("fit", 2), **common)
    train("classic", **common)
    events = accumulator.EventAccumulator(str(logs / "train")).Reload()
    for place, name in enumerate(("epoch_loss", "epoch_accuracy", "epoch_learning_rate"), start=1):
        found = [
            float(
                tensor.tensor_proto.float_val[0]
                if tensor.tensor_proto.float_val
                else np.frombuffer(tensor.tensor_proto.tensor_content, np.float32)[0]
            )
            for tensor in events.Tensors(name)
        ]
        assert found == pytest.approx([row[place] for row in curve(out)], rel=1e-6)


def test_tensorboard_that_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install tensorflow tensorboard"):
        train("classic", out=tmp_path / "run", tensorboard=tmp_path / "logs")
    assert not (tmp_path / "run").exists()


@pytest.mark.extended
@pytest.mark.parametrize(("epochs", "teachers"), [(20, 0), (7, 2)])
def test_killed_at_random_moments_and_resumed_is_as_never_killed(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int, teachers: int
):
    """SIGKILL, three times, at moments that are others whenever this test is run."""
    monkeypatch.setattr(training, "write_report", lambda *_, **__: None)
    settings = {"filters": "4,8", "dense": 16, "batch_size": 16, "epochs": epochs, "teachers": teachers, "ema": 0.9}
    whole = train("robust", data=few, out=tmp_path / "whole", settings=settings, seed=5)
    killed, reached = tmp_path / "killed", []
    for _ in range(3):
        moment = [str(random.randint(3, 12)), str(random.uniform(0.0, 0.2))]
        words = [sys.executable, "-c", KILLED, str(few), str(killed), repr(settings), *moment]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode in (-signal.SIGKILL, 0), done.stderr
        if (killed / CHECKPOINT).exists():
            reached.append(training.Checkpoint.read(killed / CHECKPOINT).epochs)
    assert 0 < reached[0] < 20 <= epochs * (teachers + 1), "the first kill comes amid the fit"
    assert reached == sorted(reached)
    resumed = train("robust", data=few, out=tmp_path / "killed", settings=settings, seed=5, resume=True)
    assert_same_run(resumed.folder, whole.folder)


def test_a_disk_that_fills_up_is_one_sentence_and_the_run_resumes(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    settings = {"filters": (2, 2), "dense": 4}
    monkeypatch.setattr(training, "write_report", lambda *_, **__: None)
    with monkeypatch.context() as patch:
        patch.setattr(training, "export_onnx", full)
        with pytest.raises(
            ConfigError, match=r"cannot be written \(No space left on device\); its finished epochs are saved"
        ):
            train("classic", data=few, settings=settings, epochs=1, out=tmp_path / "run")
    assert (tmp_path / "run" / CHECKPOINT).is_file()
    assert train("classic", data=few, settings=settings, epochs=1, out=tmp_path / "run", resume=True).finished


def test_a_run_begun_by_version_0_1_resumes(few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its ``config.json`` does not say whether oneDNN was on."""
    monkeypatch.setattr(training, "write_report", lambda *_, **__: None)

    def stopped(stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        if stage == "fit" and facts["epoch"] == 2:
            raise KeyboardInterrupt

    how: dict[str, Any] = {
        "data": few,
        "settings": {"filters": (2, 2), "dense": 4},
        "epochs": 2,
        "out": tmp_path / "run",
    }
    with pytest.raises(KeyboardInterrupt):
        train("classic", **how, progress=stopped)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert isinstance(config["execution"].pop("onednn"), bool)
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    assert train("classic", **how, resume=True).finished
