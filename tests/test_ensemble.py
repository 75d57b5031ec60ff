"""The benchmarks' long fits go on where they stopped, and ensembles are made of them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from digitscope.datasets.mnist import load_mnist
from digitscope.training.fit import fit
from digitscope.training.recipes import recipe_of

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
SMALL = {"filters": "4:8", "dense": "16", "epochs": "2", "batch_size": "64", "learning_rate": "0.005"}


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, ModuleType]:
    """The benchmarks' modules, which write into a folder of their own and know 1,500 digits."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    found = {name: importlib.import_module(name) for name in ("saved_fits", "ensemble", "openings", "results", "folds")}
    monkeypatch.setattr(found["saved_fits"], "FOLDER", tmp_path / "fits")
    monkeypatch.setattr(found["results"], "FOLDER", tmp_path)
    monkeypatch.setattr(found["openings"], "PATH", tmp_path / "openings.json")
    (tmp_path / "openings.json").write_text("[]")
    (x, y), (x_test, y_test) = load_mnist()
    few = (x[:1500], y[:1500]), (x_test[:500], y_test[:500])
    monkeypatch.setattr(found["ensemble"], "load_mnist", lambda: few)
    monkeypatch.setattr(found["folds"], "folds", lambda: np.arange(1500) % 5)
    return found


def test_a_fit_goes_on_after_its_last_epoch(programs: dict[str, ModuleType]):
    saved_fits, recipe = programs["saved_fits"], recipe_of("seed", SMALL)
    (x, y), _ = programs["ensemble"].load_mnist()

    def stop(what: str, done: int, of: int, facts: dict[str, Any]) -> None:
        if facts["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        saved_fits.saved_fit(recipe, x, y, 3, stop)
    (kept,) = saved_fits.FOLDER.iterdir()
    assert kept.name.startswith("seed-3-")
    epochs: list[int] = []
    fitted = saved_fits.saved_fit(recipe, x, y, 3, lambda what, done, of, facts: epochs.append(facts["epoch"]))
    assert set(epochs) == {2} and not any(saved_fits.FOLDER.iterdir())
    for ours, its in zip(fitted.network.get_weights(), fit(recipe, x, y, 3).network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, its)


def test_another_fit_does_not_go_on_from_there(programs: dict[str, ModuleType]):
    (x, y), _ = programs["ensemble"].load_mnist()
    name_of, recipe = programs["saved_fits"].name_of, recipe_of("seed", SMALL)
    other = recipe_of(recipe, {"dense": "17"})
    names = {name_of(recipe, x, y, 0), name_of(recipe, x, y, 1), name_of(other, x, y, 0), name_of(recipe, x, 9 - y, 0)}
    assert len(names) == 4 and name_of(recipe, x.copy(), y, 0) in names


def test_ensembles_share_no_member_and_are_measured_once_each(
    programs: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    ensemble, recipe = programs["ensemble"], recipe_of("seed", SMALL)
    ensemble.choose(recipe, 2, 1, 0)
    assert "misses; best temperature" in capsys.readouterr().out
    assert json.loads((tmp_path / "openings.json").read_text()) == [], "the test split was not read"
    ensemble.final(recipe, 2, 1, 0.8)
    ensemble.final(recipe, 2, 2, 0.8)
    found = json.loads((tmp_path / "ensemble.json").read_text())
    assert [one["seeds"] for one in found["ensembles"]] == [[0, 1], [2, 3]]
    (opening,) = json.loads((tmp_path / "openings.json").read_text())
    assert opening["what"] == "ensemble of 2 seed" and opening["seeds"] == [0, 1]
    assert opening["results"] == [one["accuracy"] for one in found["ensembles"]]
    _, (x, y) = ensemble.load_mnist()
    for one in found["ensembles"]:
        members = [ensemble.member(recipe, seed, *ensemble.load_mnist()[0], x) for seed in one["seeds"]]
        answers = np.mean(members, axis=0)
        assert one["misses"] == np.flatnonzero(answers.argmax(axis=1) != y).tolist()
        assert one["accuracy"] == pytest.approx(1 - len(one["misses"]) / len(y)) and one["device"] and one["backend"]
    ensemble.final(recipe, 2, 2, 1.0)
    again = json.loads((tmp_path / "ensemble.json").read_text())
    assert [one["seeds"] for one in again["ensembles"]] == [[0, 1], [2, 3]]
    assert again["temperature"] == 1.0 and again["ensembles"][0]["misses"] == found["ensembles"][0]["misses"]


def test_a_temperature_leaves_the_order_and_changes_the_rest(programs: dict[str, ModuleType]):
    answers = np.array([[0.7, 0.2, 0.1]], np.float32)
    sharper = programs["ensemble"].sharpened(answers, 0.5)
    np.testing.assert_allclose(sharper, answers.astype(float) ** 2 / 0.54, rtol=1e-6)
    np.testing.assert_allclose(programs["ensemble"].sharpened(answers, 1.0), answers, rtol=1e-6)
