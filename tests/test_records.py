"""What the records say is so: openings of the test split, temperatures, cards of the shipped files, and the notice."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import runpy
import sys
import tomllib
from dataclasses import asdict
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digitscope.reading.page import SURE
from digitscope.reading.recognition import CALIBRATIONS, ENGINES
from digitscope.training.recipes import RECIPES, Recipe

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
SHIPPED = ROOT / "src" / "digitscope" / "shipped"
OPENINGS: list[dict[str, Any]] = json.loads((RESULTS / "test-openings.json").read_text(encoding="utf-8"))

MEASURED = [name for name in ("plain_keras", *RECIPES) if (RESULTS / f"{name}.json").exists()]
"""Recipes whose test accuracy is in a result file."""

VIEWS = {"fast": "as they are", "classic": "as they are", "robust": "both", "strong": "both"}
"""The validation digits for which each recipe's temperature is the best (docs/decisions.md)."""

MODEL_FILES = [*sorted(SHIPPED.rglob("*.onnx")), *sorted(SHIPPED.rglob("*.known.json"))]

CARD = {"name", "summary", "task", "recipe", "seed", "data", "commit", "metrics", "limits", "licence", "sha256"}
"""What every card says."""


def result(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_calibrations_of_lines_are_those_of_their_result_file(engine: str):
    """Its fit differs a little: how a slanted line is read depends on the calibrations (docs/experiments.md)."""
    fits = result(f"calibration-{engine}")["fitted"]
    assert set(fits) == {name for name in CALIBRATIONS if name.split()[0] == engine}
    for name, fit in fits.items():
        slope, intercept = CALIBRATIONS[name]
        odds = (np.log(SURE / (1 - SURE)) - intercept) / slope
        assert 1 / (1 + np.exp(-(fit["slope"] * odds + fit["intercept"]))) == pytest.approx(SURE, abs=0.005), name


@pytest.mark.parametrize("opening", OPENINGS, ids=lambda one: f"{one['date']}-{one['what']}".replace(" ", "_"))
def test_an_opening_says_when_what_and_what_followed(opening: dict[str, Any]):
    assert date.fromisoformat(opening["date"]) and re.fullmatch(r"[0-9a-f]{40}(-dirty)?", opening["commit"])
    assert (ROOT / opening["program"]).is_file()
    assert len(opening["seeds"]) == len(opening["results"]) > 0
    assert all(0 <= share <= 1 for share in opening["results"])
    assert opening["what"] and opening["followed"] and opening["source"]


def test_openings_stand_in_the_order_of_their_days():
    assert [one["date"] for one in OPENINGS] == sorted(one["date"] for one in OPENINGS)


@pytest.mark.parametrize("name", MEASURED)
def test_every_network_in_the_table_of_recipes_is_a_recorded_opening(name: str):
    recorded = {
        pair for one in OPENINGS if one["what"] == name for pair in zip(one["seeds"], one["results"], strict=True)
    }
    assert {(run["seed"], run["accuracy"]) for run in result(name)["runs"]} <= recorded


def test_accuracy_and_misses_of_the_readme_are_the_same_number():
    rows = re.findall(r"\| ([\d.]+)(?: ± [\d.]+)? % \| \d+ \| ([\d.]+) \|", (ROOT / "README.md").read_text("utf-8"))
    assert len(rows) == len(MEASURED)
    for accuracy, misses in rows:
        assert 100 - float(accuracy) == pytest.approx(float(misses) / 100, abs=1e-9)


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.temperature != 1])
def test_a_temperature_was_measured_on_validation_writers(name: str):
    path = RESULTS / f"validation-{name}.json"
    assert path.exists(), f"run python benchmarks/choose.py {name} --save"
    found = result(f"validation-{name}")
    measured = Recipe.from_dict(found["recipe"])
    assert measured.temperature == 1, "the best temperature is that of the network as it is without one"
    assert measured == Recipe.from_dict(asdict(RECIPES[name]) | {"temperature": 1})
    best = np.mean([row[VIEWS[name]]["temperature"] for row in found["seeds"]])
    assert best == pytest.approx(RECIPES[name].temperature, abs=0.05)


class Guesser:
    """Stands for a network: its answers are as good as noise, and always the same."""

    def predict(self, images: np.ndarray, **_: object) -> np.ndarray:
        return np.random.default_rng(0).dirichlet(np.ones(10), len(images))


def test_a_seed_that_was_measured_is_kept_at_once_and_not_trained_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """What ``benchmarks/choose.py --save`` has when it is killed in the second seed, and when it is started again."""
    kept: dict[str, Any] = {}
    trained: list[int] = []

    def fit(recipe: Recipe, x: np.ndarray, y: np.ndarray, seed: int, _: object) -> SimpleNamespace:
        assert recipe.temperature == 1 and len(x) == len(y) < 60_000
        trained.append(seed)
        if trained == [0, 1]:
            raise KeyboardInterrupt
        return SimpleNamespace(network=Guesser(), seconds=60.0)

    def write(name: str, figures: dict[str, Any]) -> None:
        kept[name] = json.loads(json.dumps(figures))

    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    choose = str(ROOT / "benchmarks" / "choose.py")
    stand_in = SimpleNamespace(plain=asdict, write=write, read=lambda name: kept.get(name, {}))
    monkeypatch.setitem(sys.modules, "results", stand_in)  # type: ignore[arg-type]
    fits = SimpleNamespace(saved_fit=fit, where=lambda: {"backend": "none", "device": "none"})
    monkeypatch.setitem(sys.modules, "saved_fits", fits)  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "argv", [choose, "fast", "--seeds", "2", "--folds", "3", "--save"])
    with pytest.raises(KeyboardInterrupt):
        runpy.run_path(choose, run_name="__main__")
    assert [row["seed"] for row in kept["validation-fast"]["seeds"]] == [0]
    runpy.run_path(choose, run_name="__main__")
    assert trained == [0, 1, 1] and [row["seed"] for row in kept["validation-fast"]["seeds"]] == [0, 1]
    told = capsys.readouterr().out
    assert "1 of 2 fits, about 1 min 0 s left" in told and "both: " in told and "best temperature" in told
    runpy.run_path(choose, run_name="__main__")
    assert trained == [0, 1, 1]


@pytest.mark.parametrize("file", MODEL_FILES, ids=lambda path: path.name)
def test_a_shipped_model_file_has_a_card_that_is_its_own(file: Path):
    path = file.with_suffix(".json" if file.suffix == ".onnx" else ".card.json")
    card = json.loads(path.read_text(encoding="utf-8"))
    assert set(card) >= CARD
    assert all(card[key] for key in CARD - {"seed"})
    assert card["name"] == file.name.removesuffix(file.suffix)
    assert isinstance(card["seed"], int) or card.get("history"), "a seed that was not recorded is told about"
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", card["commit"])
    assert card["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest(), f"write the card of {file.name} anew"


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("models/*.onnx")))
def test_a_detectors_card_names_the_network_and_the_drawings_it_was_fitted_to(name: str):
    card = json.loads((SHIPPED / "models" / f"{name}.known.card.json").read_text(encoding="utf-8"))
    for key, file in (("model_sha256", SHIPPED / "models" / f"{name}.onnx"), ("data_sha256", SHIPPED / "known.npz")):
        assert card[key] == hashlib.sha256(file.read_bytes()).hexdigest(), "run benchmarks/fit_known.py --ship"


@pytest.mark.parametrize("recorded", [False, True])
def test_a_line_networks_card_names_the_recorded_pens(recorded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    kept = {"lines": 96, "seconds": 1.0, "accuracy": 0.5, "trajectories": recorded, "unseen_writers": 0.25}
    (tmp_path / "history.json").write_text(json.dumps(kept))
    card = importlib.import_module("cards").reader(tmp_path, 0)
    assert ("UNIPEN" in card["data"]) == ("--unipen" in card["recipe"]["program"]) == recorded
    assert card["metrics"].get("unseen_writers_accuracy") == (0.25 if recorded else None)
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert all(word in notice for word in ("UNIPEN", "Attribution 4.0", "research", "ICPR"))


def test_the_notice_ships_and_names_what_is_there():
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["license-files"]) >= {"LICENSE", "NOTICE"}
    named = re.findall(r"(?:src|examples|docs|benchmarks)/[\w./*-]*[\w/*]", notice)
    assert len(named) >= 8 and all(list(ROOT.glob(path)) for path in named), named
    licences = [font["licence"] for fonts in result("fonts").values() for font in fonts]
    count = f"{len(licences)} fonts from"
    shares = f"{licences.count('OFL-1.1')} under the SIL Open Font License 1.1, {licences.count('Apache-2.0')} under"
    assert count in notice and shares in notice and set(licences) == {"OFL-1.1", "Apache-2.0"}
