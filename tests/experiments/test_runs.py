"""The list of runs shows every folder that a training has left, whatever state it is in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitscope.errors import ConfigError, DataError
from digitscope.experiments.runs import COLUMNS, RunSummary, runs_in, sorted_runs
from digitscope.models.run_folder import read_history

CONFIG = {"recipe": {"name": "classic", "epochs": 2}, "seed": 7, "data": "mnist"}
METRICS = {"test_accuracy": 0.9931, "misses": 69, "n": 10_000, "parameters": 225_034, "fit_seconds": 7.94}


def made(folder: Path, config: Any = None, metrics: Any = None) -> Path:
    folder.mkdir(parents=True)
    for name, record in (("config", config), ("metrics", metrics)):
        if record is not None:
            text = record if isinstance(record, str) else json.dumps(record)
            (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def test_a_finished_run_is_told_in_full(tmp_path: Path):
    folder = made(tmp_path / "one", CONFIG, METRICS)
    os.utime(folder / "config.json", (1_700_000_000, 1_700_000_000))
    (run,) = runs_in(tmp_path)
    assert run == runs_in(folder)[0], "a run folder itself is listed as well"
    assert (run.name, run.recipe, run.settings, run.seed, run.data) == ("one", "classic", "", 7, "mnist")
    assert (run.accuracy, run.misses, run.n, run.parameters, run.seconds) == (0.9931, 69, 10_000, 225_034, 7.94)
    assert run.finished and run.state == "finished" and run.date is not None and run.date.timestamp() == 1_700_000_000
    row = dict(zip(COLUMNS, run.row(), strict=True))
    assert (row["accuracy"], row["parameters"], row["seconds"], row["seed"]) == ("99.31 %", "225,034", "7.9", "7")
    assert row["date"].startswith("2023-11-1")


def test_a_real_run_is_listed(small_run: Path):
    (run,) = [run for run in runs_in(small_run.parent) if run.name == "small"]
    assert (run.state, run.recipe, run.n, run.parameters) == ("finished", "classic", 1000, 225_034)
    assert run.settings == "epochs=1"
    assert [row["epoch"] for row in read_history(small_run)] == [1]
    written = datetime.fromtimestamp((small_run / "config.json").stat().st_mtime).astimezone()
    assert run.date is not None and timedelta(0) <= written - run.date < timedelta(minutes=1)


def test_a_copied_run_keeps_its_date_and_says_what_was_set(tmp_path: Path):
    told = {"started": "2024-02-03T04:05:06+0000", "settings": ["filters=8:16", "pooling=average"]}
    made(tmp_path / "one", CONFIG | told, METRICS)
    (run,) = runs_in(tmp_path)
    assert run.date == datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert run.row()[2] == "filters=8:16 pooling=average"
    for odd in ("yesterday", 3, None, "99999-01-01"):
        (tmp_path / "one" / "config.json").write_text(json.dumps(CONFIG | {"started": odd, "settings": odd}))
        assert runs_in(tmp_path)[0].state == "finished"


def test_unfinished_and_damaged_runs_are_listed_as_such(tmp_path: Path):
    made(tmp_path / "begun", CONFIG)
    (made(tmp_path / "reporting", CONFIG, METRICS) / "checkpoint.npz").write_bytes(b"")
    made(tmp_path / "half", CONFIG, '{"test_accuracy": 0.99')
    made(tmp_path / "list", "[1, 2]")
    made(tmp_path / "deep", "[" * 100_000)
    made(tmp_path / "nan", CONFIG, METRICS | {"fit_seconds": float("nan")})
    made(tmp_path / "huge", CONFIG, METRICS | {"fit_seconds": 10**400})
    made(tmp_path / "true", CONFIG | {"seed": True})
    made(tmp_path / "alone", None, METRICS)
    made(tmp_path / "bytes", CONFIG).joinpath("config.json").write_bytes(b"\xff\xfe\x00")
    made(tmp_path / "something else")
    (tmp_path / "a file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    runs = {run.name: run for run in runs_in(tmp_path)}
    states = {name: run.state for name, run in runs.items()}
    assert states == {"begun": "unfinished", "reporting": "unfinished"} | dict.fromkeys(
        ("alone", "bytes", "deep", "half", "huge", "list", "nan", "true"), "damaged"
    )
    assert runs["half"].recipe == "classic" and runs["half"].accuracy is None, "what can be read is shown"
    assert "metrics.json cannot be read" in runs["half"].trouble and "no usable seed" in runs["true"].trouble
    assert all(len(run.row()) == len(COLUMNS) for run in runs.values())


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                    max_leaves=6)  # fmt: skip


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(CONFIG, JSON) | {"recipe": st.just(CONFIG["recipe"]) | JSON}),
    st.binary(max_size=40) | st.fixed_dictionaries(dict.fromkeys(METRICS, JSON)).map(lambda m: json.dumps(m).encode()),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_files_hold_there_is_a_row(tmp_path: Path, config: Any, metrics: bytes):
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    (tmp_path / "run" / "metrics.json").write_bytes(metrics)
    (run,) = runs_in(tmp_path)
    assert run.state in ("finished", "damaged")
    assert all(word and word.isprintable() for word in run.row())
    assert all(sorted_runs([run, RunSummary("b")], column) for column in COLUMNS)


def test_a_run_as_json_is_what_the_table_shows(tmp_path: Path):
    made(tmp_path / "one", CONFIG, METRICS)
    made(tmp_path / "begun", CONFIG | {"seed": 8})
    begun, one = json.loads(json.dumps([run.to_dict() for run in runs_in(tmp_path)]))
    assert (one["accuracy"], one["misses"], one["n"], one["state"]) == (0.9931, 69, 10_000, "finished")
    assert (begun["seed"], begun["accuracy"], begun["state"]) == (8, None, "unfinished")
    assert datetime.fromisoformat(begun["date"]) == runs_in(tmp_path)[0].date


def test_what_would_move_the_cursor_is_quoted(tmp_path: Path):
    made(tmp_path / "a\nb", CONFIG | {"data": "\x1b[2J"})
    assert runs_in(tmp_path)[0].row()[:5] == ["'a\\nb'", "classic", "–", "7", "'\\x1b[2J'"]


@pytest.mark.parametrize("column", COLUMNS)
def test_sorting(column: str):
    runs = [RunSummary(f"{i}", "classic", "", i, "mnist", i / 10, i, 10, i, float(i), True) for i in (2, 3, 1)]
    runs.append(RunSummary("z", trouble="x"))
    there, back = ([run.name for run in sorted_runs(runs, column, reverse)] for reverse in (False, True))
    assert sorted(there) == sorted(back) == ["1", "2", "3", "z"]
    if column in ("seed", "misses", "parameters", "seconds"):
        assert (there, back) == (["1", "2", "3", "z"], ["3", "2", "1", "z"])
    if column == "accuracy":
        assert (there, back) == (["3", "2", "1", "z"], ["1", "2", "3", "z"])
    if column == "state":
        assert there[0] == "z" == back[-1]


def test_what_cannot_be_listed_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    assert runs_in(tmp_path) == []
    for folder in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(ConfigError, match="cannot be listed"):
            runs_in(folder)
    with pytest.raises(ConfigError, match="no column 'colour'; sort by name, recipe"):
        sorted_runs([], "colour")


@pytest.mark.parametrize(
    "content", ["", "epoch,loss\n1,2\n", "epoch,loss,accuracy\n1,x,1\n", "epoch,loss,accuracy\n1,2\n", "\0"]
)
def test_a_damaged_learning_curve_is_one_sentence(content: str, tmp_path: Path):
    (tmp_path / "history.csv").write_text(content)
    with pytest.raises(DataError, match=r"history\.csv"):
        read_history(tmp_path)


def test_the_list_needs_no_training_package():
    heavy = ("keras", "tensorflow", "matplotlib", "sklearn", "onnxruntime", "cv2")
    program = f"import sys, digitscope.experiments.runs; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
