"""Damaged run folders, sweeps and results files: one sentence or a right answer, whatever the files hold."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from damage import damaged, distorted, refused, tally
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.mnist import load_mnist
from digitscope.errors import DataError
from digitscope.experiments.runs import runs_in
from digitscope.experiments.trials import Trial, append_trial, read_trials
from digitscope.io.elements import Box, Number
from digitscope.io.exporters import csv_rows, json_rows
from digitscope.io.page import Page
from digitscope.models.evaluation import Evaluation
from digitscope.models.metrics import evaluate_predictions
from digitscope.models.model import Model, load
from digitscope.models.run_folder import read_history
from digitscope.reading.results import open_results
from digitscope.training.recipes import RECIPES
from digitscope.web.lens.bundle import page_model
from digitscope.web.report import keras_lines, learned, linked, mistakes, result, training
from digitscope.web.report.build import chapter
from digitscope.web.report.data import facts as data_facts
from digitscope.web.report.record import Record

SHIPPED = Path(__file__).parents[2] / "src/digitscope/shipped"
HISTORY = (
    "epoch,loss,accuracy,learning_rate,images_per_second,seconds\n1,0.5,0.9,0.01,1000,6.5\n2,0.25,0.95,0.001,1000,6.5\n"
)
CONFIG = {
    "recipe": {"name": "classic", "epochs": 2, "batch_size": 256, "filters": [32, 64], "pooling": "max", "ema": None},
    "seed": 7, "data": "some", "data_sha256": "00ff", "execution": {"backend": "tensorflow"},
    "versions": {"keras": "3.15"}, "machine": "a machine",
}  # fmt: skip
METRICS = {
    "recipe": "classic", "test_accuracy": 0.95, "test_loss": 0.2, "n": 60, "misses": 3, "parameters": 225_034,
    "train_n": 100, "epochs": 2, "fit_seconds": 13.0,
}  # fmt: skip
FILES = ("config.json", "metrics.json", "evaluation.json")


@pytest.fixture(scope="module")
def some() -> Dataset:
    (x, y), (x_test, y_test) = load_mnist()
    return Dataset("some", x[:100], y[:100], x_test[:60], y_test[:60])


@pytest.fixture
def run(some: Dataset, tmp_path: Path) -> Path:
    """What a training on a few images would leave."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(SHIPPED / "models/classic.onnx", folder / "model.onnx")
    answers = load("classic").predict(some.x_test)
    answers[:3] = np.roll(answers[:3], 1, axis=1)
    records = (CONFIG, METRICS, evaluate_predictions(answers, some.y_test).to_dict())
    for name, record in zip(FILES, records, strict=True):
        (folder / name).write_text(json.dumps(record))
    (folder / "history.csv").write_text(HISTORY)
    return folder


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def told(folder: Path, data: Dataset) -> None:
    """All that the report says of a run's files."""
    record = Record.read(folder, data)
    facts = {
        "run": record, "recipe": record.recipe, "test": record.evaluation, "lens": record.lens, "version": "0",
        "loss": result.loss(record), "accuracy": result.accuracy(record), "errors": mistakes.errors(record),
        "training": training.facts(record), "data": data_facts(record), "figures": defaultdict(str),
        "page": linked.page_links(record), "keras": keras_lines.facts(record), "learned": learned.facts(record),
    }  # fmt: skip
    for name in ("00-result", "18-loss", "20-training", "22-accuracy", "23-errors", "25-next"):
        assert chapter(name, facts).body
    assert len(record.learning_rates) == record.steps_per_epoch * record.recipe.epochs


def listed(folder: Path, _: Dataset) -> None:
    (one,) = runs_in(folder)
    assert all(word.isprintable() for word in one.row()) and one.trouble.isprintable()


@pytest.mark.parametrize("use", [told, listed])
@pytest.mark.parametrize("name", FILES)
def test_a_run_with_a_damaged_file(use: Callable[[Path, Dataset], None], name: str, run: Path, some: Dataset):
    good = (run / name).read_bytes()

    def read(seed: int) -> None:
        whole = json.loads(good)
        (run / name).write_bytes(damaged(good, seed) if seed % 3 == 0 else dumped(distorted(whole, seed)))
        use(run, some)

    use(run, some)
    found = tally(40, read)
    assert set(found) <= {None, "DataError", "ModelError", "ConfigError"}
    assert found[None] < 40 or use is listed, "some of the damage shows"


@pytest.mark.parametrize("name", [*FILES, "history.csv", "model.onnx"])
def test_what_stands_in_the_place_of_a_file(name: str, run: Path, some: Dataset):
    (run / name).unlink()
    assert refused(lambda: told(run, some))
    (run / name).mkdir()
    assert refused(lambda: told(run, some))
    (run / name).rmdir()
    with (run / name).open("wb") as file:
        file.truncate(3 * 1024**3)
    assert refused(lambda: told(run, some))
    (run / name).write_bytes(b"[" * 200_000)
    assert refused(lambda: told(run, some))


def test_files_of_different_runs_do_not_go_together(run: Path, some: Dataset):
    for name, change in (("metrics.json", {"train_n": 10**12}), ("config.json", {"recipe": {"epochs": 100_000}})):
        good = (run / name).read_text()
        (run / name).write_text(json.dumps(json.loads(good) | change))
        with pytest.raises(DataError, match=r"run was trained on|epochs in history"):
            told(run, some)
        (run / name).write_text(good)


def test_damaged_learning_curves(run: Path):
    def read(seed: int) -> None:
        (run / "history.csv").write_bytes(damaged(HISTORY.encode(), seed))
        assert np.isfinite([list(row.values()) for row in read_history(run)]).all()

    found = tally(200, read)
    assert set(found) == {None, "DataError"}, found


@pytest.mark.parametrize("value", ["nan", "inf", "1e999", "x", "", "1,2", '"'])
def test_a_learning_curve_of_no_numbers(value: str, run: Path):
    (run / "history.csv").write_text(HISTORY.replace("0.25", value))
    with pytest.raises(DataError, match=r"history\.csv"):
        read_history(run)


def test_evaluations_that_contradict_themselves(run: Path):
    good = json.loads((run / "evaluation.json").read_text())
    assert Evaluation.from_dict(good).to_dict() == good
    found = tally(400, lambda seed: Evaluation.from_dict(distorted(good, seed)).summary())
    assert set(found) == {None, "DataError"}
    for key, value in (("n", 61), ("confusion", good["confusion"][:9]), ("loss", -1e300), ("misses", 10**9)):
        with pytest.raises(DataError):
            Evaluation.from_dict(good | {key: value})
    for key, value in (("index", 60), ("label", -1), ("answer", 10), ("confidence", float("inf"))):
        with pytest.raises(DataError):
            Evaluation.from_dict(good | {"mistakes": [good["mistakes"][0] | {key: value}]})


def test_what_the_page_tells_of_a_run(run: Path, some: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("digitscope.web.lens.bundle.page_images", lambda model, data, progress: {})
    session = load("classic").session

    def read(seed: int) -> None:
        card = distorted({"config": CONFIG, "metrics": METRICS}, seed)
        card = {part: value for part, value in card.items() if isinstance(value, dict)}
        json.dumps(page_model(Model("run", session, card), data=some)["card"], allow_nan=False)

    assert set(tally(60, read)) == {None}


def test_damaged_sweeps(tmp_path: Path):
    path = tmp_path / "sweep.jsonl"
    for seed in range(3):
        append_trial(path, Trial(seed, 0.95, 5, 100, 0.1, 1000, 2.0, RECIPES["classic"]))
    good = path.read_bytes()
    line = json.loads(good.splitlines()[0])

    def read(seed: int) -> None:
        path.write_bytes(damaged(good, seed) if seed % 2 else good + dumped(distorted(line, seed)) + b"\n")
        for trial in read_trials(path):
            assert 0 <= trial.accuracy <= 1 and trial.recipe.epochs > 0

    assert set(tally(300, read)) == {None, "DataError"}


def test_damaged_sweep_plans(tmp_path: Path, some: Dataset):
    sweep = pytest.importorskip("digitscope.experiments.sweep")
    sweep._claim(tmp_path, RECIPES["classic"], some, "some images")
    good = (tmp_path / "sweep.json").read_bytes()

    def read(seed: int) -> None:
        (tmp_path / "sweep.json").write_bytes(
            damaged(good, seed) if seed % 2 else dumped(distorted(json.loads(good), seed))
        )
        sweep._claim(tmp_path, RECIPES["classic"], some, "some images")

    found = tally(200, read)
    assert set(found) == {None, "DataError", "ConfigError"}, found


@pytest.mark.parametrize(("form", "rows"), [("jsonl", json_rows), ("csv", csv_rows)])
def test_damaged_results_files(form: Any, rows: Callable[[list[Page]], str], tmp_path: Path):
    number = Number("42", "42", "4,2", 0.97, 0.99, Box(1, 2, 3, 4), None, ())
    pages = [
        Page(f"a {i}\n.png", 1, 9, 9, 0, (number,) * 2, 1.5, None if i % 3 else "it is no picture") for i in range(9)
    ]
    path = tmp_path / "out"
    with open_results(path, form) as results:
        for page in pages:
            results.add([page])
    good = path.read_bytes()

    def read(seed: int) -> None:
        bad = damaged(good, seed) if seed else good + b'{"file": ' + b"[" * 200_000 + b"\n"
        path.write_bytes(bad)
        kind = refused(lambda: open_results(path, form, resume=True).__exit__())
        assert path.read_bytes() == bad if kind else bad.startswith(path.read_bytes()) or form == "csv"

    assert set(tally(200, read)) == {None}
