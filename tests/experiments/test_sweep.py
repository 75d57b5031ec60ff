"""A sweep trains only what is missing, survives being killed at any moment, and never measures on the test images."""

from __future__ import annotations

import csv
import json
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.datasets.validation import held_out
from digitscope.errors import ConfigError, DataError, DigitscopeError
from digitscope.experiments.grid import MOST, grid, settings_of
from digitscope.experiments.sweep import draw, sweep
from digitscope.experiments.sweep_result import SweepResult
from digitscope.experiments.trials import Trial, append_trial, read_trials
from digitscope.training.recipes import RECIPES, Recipe, recipe_of

Y = np.arange(140).astype(np.uint8) % 10
X = np.random.default_rng(0).integers(0, 256, (140, 28, 28), np.uint8)
SOME = Dataset("some", X, Y, X[:20], Y[:20])
ISSUE = ["filters=8,16,32,64", "pooling=max,average"]


def fake_fit(recipe: Recipe, images: Any, labels: Any, seed: int, progress: Any = None) -> Any:
    """A fit that takes no time; its network is wrong on the first image, or the first two, and never on the others."""
    FITTED.append((recipe, seed))
    if progress is not None:
        progress("fit", len(images) * recipe.epochs, len(images) * recipe.epochs, {"epoch": recipe.epochs})

    def predict(x: Any, batch_size: int, verbose: int) -> Any:
        answers = np.eye(10)[np.arange(len(x)) % 10]
        answers[: 1 + seed % 2] = np.eye(10)[[5, 5]][: 1 + seed % 2]
        return answers if recipe.learning_rate < 1 else np.full_like(answers, np.nan)

    count = 100 * recipe.filters[0] + recipe.dense
    return SimpleNamespace(
        network=SimpleNamespace(predict=predict, count_params=lambda: count), history=[], seconds=1.5
    )


FITTED: list[tuple[Recipe, int]] = []


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Recipe, int]]:
    """What was trained, by a stand-in for Keras."""
    module = ModuleType("digitscope.training.fit")
    module.fit = fake_fit  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "digitscope.training.fit", module)
    FITTED.clear()
    return FITTED


def test_the_issues_own_example():
    points = grid("classic", settings_of(ISSUE))
    assert [(p.filters, p.pooling) for p in points] == [
        (pair, pooling) for pair in ((8, 16), (16, 32), (32, 64), (64, 128)) for pooling in ("max", "average")
    ]
    assert all(replace(p, filters=(32, 64), pooling="max") == RECIPES["classic"] for p in points)


def test_values_may_be_given_in_several_ways():
    by_text, by_value = (
        {"filters": ["8:32", "4"], "ema": ["none", "0.9"]},
        {"filters": [(8, 32), 4], "ema": [None, 0.9]},
    )
    assert grid("seed", by_text) == grid("seed", by_value)
    assert len(grid("seed", {"filters": ["8", "8:16", (8, 16), 8]})) == 1, "what comes out twice stands once"
    assert grid("seed", {}) == [RECIPES["seed"]]
    assert settings_of(["dense=1", "dense=2 , 3"]) == {"dense": ["1", "2", "3"]}


@pytest.mark.parametrize("word", ["filters", "filters=", "=8", "", "filters=8,,16", "filters=8,"])
def test_words_that_are_not_a_setting(word: str):
    with pytest.raises(ConfigError, match="KEY=VALUE,VALUE"):
        settings_of([word])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"filter": ["8"]}, "no setting 'filter'"),
        ({"name": ["x"]}, "no setting 'name'"),
        ({"filters": ["8:"]}, "8:32"),
        ({"filters": ["8:16:32"]}, "8:32"),
        ({"filters": ["-8"]}, "8:32"),
        ({"filters": ["9" * 5000]}, "8:32"),
        ({"filters": ["5000"]}, "out of range"),
        ({"pooling": ["max", "mean"]}, "expected max or average"),
        ({"pooling": "max"}, "not a list of values"),
        ({"pooling": []}, "not a list of values"),
        ({"epochs": list(range(1, 200)), "dense": list(range(1, 200))}, "at most 10,000"),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence(settings: Any, said: str):
    with pytest.raises(ConfigError, match=said):
        grid("classic", settings)


@given(st.lists(st.text(max_size=12), max_size=3))
def test_any_words_are_settings_or_one_sentence(words: list[str]):
    try:
        assert 1 <= len(grid("classic", settings_of(words))) <= MOST
    except DigitscopeError as error:
        assert len(str(error)) < 400


def test_mnists_validation_part_is_the_last_writers_of_one_database():
    mnist = load_dataset("mnist")
    train, validation, told = held_out(mnist)
    aside = [int(place.split()[-1]) for place in validation.places]
    assert len(aside) == 6938 and len(train.labels) + len(aside) == 60_000
    assert aside[:3] == [48_025, 48_027, 48_029] and aside[-3:] == [59_997, 59_998, 59_999]
    assert sorted(aside + [int(place.split()[-1]) for place in train.places]) == list(range(60_000))
    assert (validation.images == mnist.x_train[aside]).all() and (validation.labels == mnist.y_train[aside]).all()
    assert "64 people" in told and "test images were not used" in told
    copied = Dataset("a copy", mnist.x_train.copy(), mnist.y_train.copy(), X, Y)
    assert "64 people" in held_out(copied)[2], "a copy of MNIST is known as such"


def test_other_data_is_split_by_digit_and_says_so():
    train, validation, told = held_out(SOME)
    assert np.bincount(validation.labels).tolist() == [2] * 10 and len(train.labels) == 120
    assert "perhaps by the same people" in told and "20 of the 140 training images" in told
    with pytest.raises(DataError, match="training part of one"):
        held_out(Dataset("one", X[:10], Y[:10], X, Y))


def test_every_point_with_every_seed_once(fitted: list[Any], tmp_path: Path):
    reports: list[tuple[str, int, int]] = []
    found = sweep(
        "classic", settings_of(ISSUE), 3, out=tmp_path / "s", data=SOME,
        progress=lambda stage, done, total, facts: reports.append((stage, done, total)),
    )  # fmt: skip
    points = grid("classic", settings_of(ISSUE))
    assert fitted == [(point, seed) for seed in range(3) for point in points], "all points before a second seed"
    assert reports[-1] == ("sweep", 24 * 240, 24 * 240) and reports[0] == ("sweep", 240, 24 * 240)
    assert len(found.trials) == 24 and len(found.points) == 8 and found.settings == ("filters", "pooling")
    assert {trial.n for trial in found.trials} == {20}, "measured on the validation part"
    assert found.points[0].accuracies == (0.95, 0.9, 0.95)
    assert found.points[0].mean == pytest.approx(2.8 / 3)
    assert found.points[0].deviation == pytest.approx(statistics.stdev([0.95, 0.9, 0.95]))
    assert found.points[0].parameters == min(point.parameters for point in found.points), "the smaller first"
    files = {path.name for path in (tmp_path / "s").iterdir()}
    assert files == {"sweep.json", "sweep.jsonl", "sweep.csv", "sweep.md", "sweep.png", "sweep.svg"}
    with (tmp_path / "s" / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["filters"] for row in rows] == ["8:16"] * 2 + ["16:32"] * 2 + ["32:64"] * 2 + ["64:128"] * 2
    assert {row["seeds"] for row in rows} == {"3"} and float(rows[0]["accuracy"]) == found.points[0].mean
    page = (tmp_path / "s" / "sweep.md").read_text()
    assert found.measured_on in page and found.conclusion in page and "| 8:16 | max |" in page
    assert "the recipe classic, on some" in page and f"\n\n    {found.command}\n" in page


def test_only_what_is_missing_is_trained(fitted: list[Any], tmp_path: Path):
    sweep("classic", {"filters": ["8"]}, 2, out=tmp_path, data=SOME)
    fitted.clear()
    assert len(sweep("classic", {"filters": ["8:16"]}, 2, out=tmp_path, data=SOME).trials) == 2 and not fitted
    sweep("classic", {"filters": ["8", "16"]}, 2, out=tmp_path, data=SOME)
    assert [(recipe.filters, seed) for recipe, seed in fitted] == [((16, 32), 0), ((16, 32), 1)]
    fitted.clear()
    found = sweep("classic", {"filters": ["8"], "dense": ["128", "64"]}, 3, out=tmp_path, data=SOME)
    assert [(r.filters[0], r.dense, seed) for r, seed in fitted] == [(8, 64, 0), (8, 64, 1), (8, 128, 2), (8, 64, 2)]
    assert found.settings == ("filters", "dense") and len(found.points) == 3, "the earlier grid is shown as well"
    assert sorted(len(point.accuracies) for point in found.points) == [2, 3, 3]


def test_another_question_in_the_same_folder_is_refused(fitted: list[Any], tmp_path: Path):
    sweep("classic", {"filters": ["8"]}, 1, out=tmp_path, data=SOME)
    fitted.clear()
    with pytest.raises(ConfigError, match=r"another recipe \(recipe=classic, not recipe=seed\)"):
        sweep("seed", {"filters": ["8"]}, 1, out=tmp_path, data=SOME)
    with pytest.raises(ConfigError, match=r"another recipe \(epochs=2, not epochs=1\)"):
        sweep("classic", {"filters": ["8"]}, 1, out=tmp_path, data=SOME, epochs=1)
    with pytest.raises(ConfigError, match=r"on other data \(some\)"):
        sweep("classic", {"filters": ["8"]}, 1, out=tmp_path, data=replace(SOME, x_train=255 - X))
    (tmp_path / "sweep.json").write_text('{"recipe": 7}')
    with pytest.raises(DataError, match=r"sweep\.json is damaged"):
        sweep("classic", {"filters": ["8"]}, 1, out=tmp_path, data=SOME)
    (tmp_path / "sweep.json").unlink()
    with pytest.raises(DataError, match=r"lost its sweep\.json"):
        sweep("classic", {"filters": ["8"]}, 1, out=tmp_path, data=SOME)
    with pytest.raises(ConfigError, match="cannot be written"):
        sweep("classic", {"filters": ["8"]}, 1, out=tmp_path / "sweep.jsonl" / "x", data=SOME)
    for seeds in (0, -1, MOST + 1):
        with pytest.raises(ConfigError, match=rf"^1 recipe times {seeds:,} seeds .*expected 1 to 10,000 trainings"):
            sweep("classic", {"filters": ["8"]}, seeds, out=tmp_path / "new", data=SOME)
    assert not fitted and not (tmp_path / "new").exists()


def test_a_fit_that_diverges_does_not_stop_the_others(fitted: list[Any], tmp_path: Path):
    found = sweep("classic", {"learning_rate": [0.01, 10]}, 2, out=tmp_path, data=SOME)
    assert len(found.trials) == 4
    assert [point.mean for point in found.points] == [pytest.approx(0.925), pytest.approx(0.1)]
    assert found.trials[1].loss == pytest.approx(np.log(10))


def test_ctrl_c_says_what_is_kept(fitted: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def stopped(recipe: Recipe, images: Any, labels: Any, seed: int, progress: Any) -> Any:
        if len(fitted) == 3:
            raise KeyboardInterrupt
        return fake_fit(recipe, images, labels, seed, progress)

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["digitscope.training.fit"], "fit", stopped)
        with pytest.raises(
            KeyboardInterrupt, match=r"stopped with 3 trainings saved in .*; run the same sweep again to continue"
        ):
            sweep("classic", settings_of(ISSUE), 1, out=tmp_path, data=SOME)
    sweep("classic", settings_of(ISSUE), 1, out=tmp_path, data=SOME)
    assert fitted == [(point, 0) for point in grid("classic", settings_of(ISSUE))]


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import test_sweep as here
from types import ModuleType
module = ModuleType("digitscope.training.fit")
def fit(*given, **named):
    if len(here.FITTED) == 5:
        with open(sys.argv[2] + "/sweep.jsonl", "ab") as file:
            file.write(b'{"seed": 1, "accuracy": 0.')
        os.kill(os.getpid(), signal.SIGKILL)
    return here.fake_fit(*given, **named)
module.fit = fit
sys.modules["digitscope.training.fit"] = module
here.sweep("classic", {"filters": ["8", "16", "32"]}, 3, out=sys.argv[2], data=here.SOME)
"""


def test_a_folder_that_cannot_be_written_is_one_sentence(fitted: list[Any], tmp_path: Path):
    (tmp_path / "sweep.png").mkdir()
    with pytest.raises(ConfigError, match=rf"^{tmp_path} cannot be written .*all trainings are saved"):
        sweep("classic", {"filters": ["8"]}, 2, out=tmp_path, data=SOME)
    (tmp_path / "sweep.png").rmdir()
    assert len(sweep("classic", {"filters": ["8"]}, 2, out=tmp_path, data=SOME).trials) == len(fitted) == 2
    with pytest.raises(ConfigError, match=rf"^{tmp_path} cannot be written .*run the same sweep again$"):
        append_trial(tmp_path, trial(RECIPES["classic"]))


def test_a_killed_sweep_continues(fitted: list[Any], tmp_path: Path):
    out = tmp_path / "s"
    words = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(out)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (out / "sweep.jsonl").read_bytes().count(b"\n") == 5
    found = sweep("classic", {"filters": ["8", "16", "32"]}, 3, out=out, data=SOME)
    assert [(recipe.filters[0], seed) for recipe, seed in fitted] == [(32, 1), (8, 2), (16, 2), (32, 2)]
    whole = sweep("classic", {"filters": ["8", "16", "32"]}, 3, out=tmp_path / "whole", data=SOME)
    assert found == whole, "as if it had never been killed"


def trial(recipe: Recipe, seed: int = 0, misses: int = 5, parameters: int = 1000) -> Trial:
    return Trial(seed, (100 - misses) / 100, misses, 100, 0.1, parameters, 2.0, recipe)


@given(
    st.builds(
        trial,
        st.sampled_from(grid("robust", {"filters": [8, "4:64"], "ema": ["none", "0.1234567"], "warmup": [0, 0.25]})),
        st.integers(0, 99),
        st.integers(0, 100),
        st.integers(1, 10**7),
    )
)
def test_a_line_is_read_back_as_it_was(one: Trial):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sweep.jsonl"
        append_trial(path, one)
        append_trial(path, replace(one, seed=one.seed + 1))
        assert read_trials(path) == [one, replace(one, seed=one.seed + 1)]


@pytest.mark.parametrize("value", [None, "x", [], {}, -1, 1e400, [[[]]], "left out"])
@pytest.mark.parametrize("key", list(asdict(trial(RECIPES["classic"]))))
def test_a_damaged_line_is_named(key: str, value: Any, tmp_path: Path):
    path = tmp_path / "sweep.jsonl"
    append_trial(path, trial(RECIPES["classic"]))
    record = asdict(trial(RECIPES["classic"])) | {key: value}
    if value == "left out":
        del record[key]
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")
    with pytest.raises(DataError, match=r"line 2 of .* is not the record of a training"):
        read_trials(path)


def test_other_damage_is_one_sentence(tmp_path: Path):
    for content in (b"\xff\n", b"7\n", b"\n", b"[" * 100_000 + b"\n"):
        (tmp_path / "sweep.jsonl").write_bytes(content)
        with pytest.raises(DataError, match="line 1 of"):
            read_trials(tmp_path / "sweep.jsonl")
    with pytest.raises(DataError, match="cannot be read"):
        read_trials(tmp_path)


def found_of(misses: dict[tuple[int, str], list[int]]) -> SweepResult:
    """A sweep with the given misses of 100 for each pair of filters and pooling."""
    trials = [
        trial(recipe_of("classic", {"filters": (filters, 2 * filters), "pooling": pooling}), seed, wrong, 100 * filters)
        for (filters, pooling), wrongs in misses.items()
        for seed, wrong in enumerate(wrongs)
    ]
    return SweepResult(RECIPES["classic"], "some", "some images", tuple(trials))


def test_the_conclusion_takes_the_smallest_that_is_as_good():
    close = found_of({(8, "max"): [9, 9, 9], (16, "max"): [4, 4, 4], (32, "max"): [2, 4, 5]})
    assert [point.recipe.filters[0] for point in close.points] == [32, 16, 8]
    pooled = np.sqrt(2 * statistics.variance([0.98, 0.96, 0.95]) / 6)
    assert close.limit == pytest.approx(0.96333333 - pooled / np.sqrt(3))
    assert [point.recipe.filters[0] for point in close.near] == [16]
    assert close.conclusion == (
        "The best mean over 3 seeds is 96.33 %, with filters=32:64; 1 other lies within one standard error of it, the "
        "smallest with filters=16:32: 96.00 % with 1,600 parameters instead of 3,200."
    )
    apart = found_of({(8, "max"): [9, 9, 8], (16, "max"): [1, 2, 1]}).conclusion
    assert apart.endswith("no other point comes within one standard error of it.")
    assert "cannot tell them apart" in found_of({(8, "max"): [3, 5], (8, "average"): [4, 5]}).conclusion
    single = found_of({(8, "max"): [9], (16, "max"): [1]})
    assert "only several seeds of each point show" in single.conclusion
    assert single.limit is None and single.near == ()
    assert single.table()[1][0] == ["1", "16:32", "1,600", "99.00 %", "–", "1", "2.0"]


def test_the_spread_of_all_points_counts_and_not_the_luck_of_the_best():
    """Three equal seeds of the best are luck where the seeds of the others differ by three misses."""
    lucky = found_of({(8, "max"): [4, 4, 4], (16, "max"): [3, 5, 6], (32, "max"): [4, 6, 7]})
    assert lucky.deviation == pytest.approx(np.sqrt(statistics.variance([0.97, 0.95, 0.94]) * 2 / 3))
    assert [point.recipe.filters[0] for point in lucky.near] == [16]
    assert "chance" not in lucky.conclusion
    wild = found_of({(8, "max"): [4, 4, 5], (16, "max"): [3, 90, 5], (32, "max"): [4, 5, 4]})
    assert wild.deviation == pytest.approx(statistics.stdev([0.96, 0.96, 0.95])), (
        "what diverged says nothing about these"
    )


def test_two_seeds_leave_chance_in():
    two = found_of({(8, "max"): [9, 9], (16, "max"): [1, 2]})
    assert two.conclusion.endswith("standard error of it. With 2 seeds per point, chance is not ruled out.")
    mixed = found_of({(8, "max"): [9, 8, 9], (16, "max"): [1]})
    assert mixed.conclusion.startswith("The best mean over 1 seed is") and "With 1 seed per point" in mixed.conclusion


def test_settings_that_all_points_share_are_said_once(fitted: list[Any], tmp_path: Path):
    found = sweep("classic", {"filters": ["8", "16"], "dense": [64], "ema": [0.9]}, 3, out=tmp_path, data=SOME)
    assert (found.settings, found.shared) == (("filters",), ("dense", "ema"))
    assert found.subject == "recipe classic with dense=64, ema=0.9"
    assert found.table()[0][:3] == ["place", "filters", "parameters"]
    assert "the recipe classic with dense=64, ema=0.9, on some" in (tmp_path / "sweep.md").read_text()
    with (tmp_path / "sweep.csv").open(newline="") as file:
        assert {(row["dense"], row["ema"]) for row in csv.DictReader(file)} == {("64", "0.9")}


def test_the_best_point_comes_as_a_command():
    settings = {"filters": (8, 32), "augment": 0.5, "ema": None, "lower_precision": False}
    best = recipe_of("robust", settings)
    found = SweepResult(RECIPES["robust"], "my digits.npz", "", (trial(best),))
    program, command, *words = shlex.split(found.command)
    assert (program, command, words[:2], words[-2:]) == (
        "digitscope", "train", ["--recipe", "robust"], ["--data", "my digits.npz"],
    )  # fmt: skip
    given = dict(word.split("=") for word in words[3:-2:2])
    assert recipe_of("robust", given) == best and set(given) <= set(settings)
    plain = SweepResult(RECIPES["classic"], "mnist", "", (trial(RECIPES["classic"]),))
    assert plain.command == "digitscope train --recipe classic"
    assert SweepResult(plain.base, "mnist", "", (trial(replace(plain.base, name="mine")),)).command == ""


def test_the_picture_suits_the_settings():
    two = draw(found_of({(8, "max"): [9, 8], (16, "max"): [4, 5], (8, "average"): [7, 7]}))
    assert two.get_xscale() == "log" and "filters" in two.get_xlabel()
    assert {text.get_text() for text in two.get_legend().get_texts()} == {"pooling=max", "pooling=average"}
    rates = [trial(recipe_of("classic", {"learning_rate": rate}), 0, wrong) for rate, wrong in ((0.02, 3), (0.005, 4))]
    one = draw(SweepResult(RECIPES["classic"], "some", "", tuple(rates)))
    assert one.get_xlabel() == "learning_rate"
    np.testing.assert_allclose(one.containers[0][0].get_xydata(), [[0.005, 96], [0.02, 97]])
    assert len(one.containers) == 1 and one.containers[0][0].get_linestyle() == "-"
    settings = {"filters": ["8", "16"], "learning_rate": [0.001 * 2**n for n in range(7)]}
    many = draw(SweepResult(RECIPES["classic"], "some", "", tuple(map(trial, grid("classic", settings)))))
    assert len(many.get_yticklabels()) == 14, "no line joins different networks"
    assert many.get_yticklabels()[0].get_text().startswith("filters=8:16, learning_rate=")
    both = draw(
        SweepResult(RECIPES["classic"], "", "", tuple(map(trial, grid("classic", {"lower_precision": [True, False]}))))
    )
    assert {label.get_text() for label in both.get_yticklabels()} == {"lower_precision=true", "lower_precision=false"}
    words = draw(found_of({(32, "max"): [9, 8], (32, "average"): [7, 7]}))
    assert [label.get_text() for label in words.get_yticklabels()] == ["pooling=average", "pooling=max"]


@pytest.mark.slow
def test_a_real_sweep(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    mnist = load_dataset("mnist")
    small = Dataset("small", mnist.x_train[:700], mnist.y_train[:700], X, Y)
    settings = {"filters": ["2", "4:4", "3"], "batch_size": ["32"], "dense": ["16"]}
    found = sweep("classic", settings, 2, out=tmp_path, data=small, epochs=1)
    assert len(found.trials) == 6 and all(trial.accuracy > 0.2 for trial in found.trials)
    assert len({trial.loss for trial in found.trials}) == 6
    assert {point.parameters for point in found.points} == {
        20 + 76 + 1616 + 170,
        40 + 148 + 1616 + 170,
        30 + 168 + 2416 + 170,
    }
    assert not any("retracing" in line.message for line in caplog.records)
    again = sweep("classic", settings, 2, out=tmp_path, data=small, epochs=1)
    assert again.trials == found.trials
