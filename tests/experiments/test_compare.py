"""A comparison counts correctly, tests exactly, and shows the images on which two models differ."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.datasets.lookup import digit_named
from digitscope.errors import ConfigError, DataError, ImageError, ModelError
from digitscope.experiments.compare import compare, mcnemar, without_curve, write_comparison
from digitscope.models.metrics import wilson_interval
from digitscope.models.model import Model

N = 40
X = np.arange(N, dtype=np.uint8)[:, None, None] * np.ones((1, 28, 28), np.uint8)
Y = np.arange(N).astype(np.uint8) % 10
SOME = Dataset("some", X, Y, X, Y)


def answering(answers: np.ndarray, name: str = "stand-in") -> Model:
    """A model that gives these answers to the images of SOME."""
    session: Any = SimpleNamespace(probabilities=lambda x: np.eye(10, dtype=np.float32)[answers[: len(x)]])
    return Model(name, session)


def changed(*places: int, by: int = 1) -> np.ndarray:
    answers = Y.astype(int)
    answers[list(places)] = (answers[list(places)] + by) % 10
    return answers


@settings(deadline=None)  # the first call imports SciPy
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_exact_sum(only_a: int, only_b: int):
    tosses = only_a + only_b
    tail = sum(Fraction(math.comb(tosses, heads), 2**tosses) for heads in range(min(only_a, only_b) + 1))
    assert mcnemar(only_a, only_b) == mcnemar(only_b, only_a) == pytest.approx(float(min(1, 2 * tail)), rel=1e-12)


def test_mcnemar_at_known_values_and_at_the_ends():
    assert mcnemar(0, 0) == 1
    assert mcnemar(10, 2) == pytest.approx(0.03857421875)
    assert mcnemar(0, 60_000) == 0
    assert mcnemar(30_000, 30_000) == 1
    assert mcnemar(4900, 5100) == pytest.approx(math.erfc(199 / math.sqrt(10_000) / math.sqrt(2)), rel=1e-3)


def test_mcnemar_is_twice_the_tail_of_the_binomial_distribution():
    binom = pytest.importorskip("scipy.stats").binom
    for only_a, only_b in ((22, 39), (1, 9), (0, 6), (100, 180)):
        tail = binom.cdf(min(only_a, only_b), only_a + only_b, 0.5)
        assert mcnemar(only_a, only_b) == pytest.approx(2 * tail)


def test_the_counts_of_a_small_case():
    found = compare(answering(changed(1, 2, 3, 9)), answering(changed(2, 5, 6, by=2)), SOME)
    assert (found.both_right, found.only_a, found.only_b, found.neither) == (34, 2, 3, 1)
    assert [(d.index, d.label, d.answer_a, d.answer_b) for d in found.differences] == [
        (1, 1, 2, 1), (2, 2, 3, 4), (3, 3, 4, 3), (5, 5, 5, 7), (6, 6, 6, 8), (9, 9, 0, 9),
    ]  # fmt: skip
    assert (found.images == X[[1, 2, 3, 5, 6, 9]]).all()
    assert (found.a.misses, found.b.misses, found.a.accuracy) == (4, 3, 0.9)
    assert found.a.accuracy_interval == wilson_interval(36, 40)
    assert found.p_value == mcnemar(2, 3) == 1
    head, rows = found.examples()
    assert head == ["read differently: 6", "is", "A", "B"] and rows[1] == ["test:2", "2", "3", "4"]
    many = compare(answering(changed()), answering(changed(*range(12))), SOME)
    head, rows = many.examples()
    assert head[0] == "read differently: the first 10 of 12" and len(rows) == 10


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=N, max_size=N), st.lists(st.integers(0, 9), min_size=N, max_size=N))
def test_the_table_adds_up(first: list[int], second: list[int]):
    found = compare(answering(np.array(first)), answering(np.array(second)), SOME)
    assert found.both_right + found.only_a + found.only_b + found.neither == found.n == N
    assert found.a.misses == found.only_b + found.neither
    assert found.b.misses == found.only_a + found.neither
    assert len(found.differences) == sum(a != b for a, b in zip(first, second, strict=True))
    swapped = compare(answering(np.array(second)), answering(np.array(first)), SOME)
    assert (swapped.only_a, swapped.p_value) == (found.only_b, found.p_value)


def test_the_conclusion_says_what_the_test_means():
    right, wrong = answering(changed()), answering(changed(*range(12)))
    said = [
        compare(right, right, SOME).conclusion,
        compare(wrong, answering(changed(*range(12), by=2)), SOME).conclusion,
        compare(right, wrong, SOME).conclusion,
        compare(wrong, right, SOME).conclusion,
        compare(right, answering(changed(3)), SOME).conclusion,
    ]
    assert said[0] == "Both give the same answer on all 40 images."
    assert said[1] == "Both are right on the same images; they misread 12 images differently."
    assert said[2].startswith("A reads images like these better: A alone is right on 12 images, B alone on 0, and")
    assert (
        said[3].startswith("B reads images like these better: B alone is right on 12 images") and "0.049 %" in said[3]
    )
    assert said[4].startswith("These images cannot tell which is better: A alone is right on 1 image, B alone on 0")
    assert "100 % of such tests (p = 1)" in said[4]


def test_images_are_named_as_in_their_dataset():
    placed = replace(SOME, places_test=[f"some.csv, line {line}" for line in range(2, N + 2)])
    found = compare(answering(changed(3)), answering(changed()), placed)
    assert found.examples()[1] == [["some.csv, line 5", "3", "4", "3"]]
    assert found.to_dict()["differences"][0]["place"] == "some.csv, line 5"


def test_the_named_place_leads_to_the_image(tmp_path: Path):
    rows = np.column_stack([Y, X.reshape(N, -1)])
    np.savetxt(tmp_path / "some.csv", rows, "%d", ",")
    placed = load_dataset(tmp_path / "some.csv")
    truth = {f"{tmp_path / 'some.csv'}, line {line}": row for line, row in enumerate(X, 1)}
    for index, place in enumerate(placed.places_test):
        by_place, by_number = digit_named(place, placed), digit_named(f"test:{index}", placed)
        assert (by_place.pixels == truth[place]).all() and (by_number.pixels == truth[place]).all()
        assert by_place.title == f"{place}, labelled {placed.y_test[index]}"
    assert (digit_named(placed.places_train[3], placed).pixels == placed.x_train[3]).all()
    with pytest.raises(ConfigError, match=r"images go from test:0 to test:\d+ in .*some\.csv"):
        digit_named("test:39", placed)
    with pytest.raises(ImageError):
        digit_named("some.csv, line 500", placed)


def test_notes_say_what_else_the_models_learned_from():
    card = {"config": {"data": "own.npz", "data_sha256": "00"}}
    models = [replace(answering(changed(), name), card=card) for name in "ab"]
    assert compare(*models, SOME).notes == ("a and b learned from own.npz, not from some, on which this measures",)
    assert compare("classic", "robust").notes == ()


def test_a_p_value_just_below_the_bound_does_not_look_like_the_bound():
    found = replace(compare(answering(changed(0)), answering(changed(1)), SOME), p_value=0.0499)
    assert "B reads" in found.conclusion or "A reads" in found.conclusion
    assert "4.99 % of such tests (p = 0.0499)" in found.conclusion


def test_two_shipped_models_and_the_files_of_their_comparison(tmp_path: Path):
    found = compare("classic", "robust")
    assert found.n == 10_000 and found.only_a > 0 and found.only_b > 0
    assert found.a.misses == compare("classic", "classic").b.misses
    head, rows = found.scores()
    assert [row[0] for row in rows] == ["A = classic", "B = robust"] and all(len(row) == len(head) for row in rows)
    assert found.table()[1][0][1] == f"{found.both_right:,}"
    paths = write_comparison(found, tmp_path / "out")
    assert [path.name for path in paths] == ["comparison.json", "differences.png", "differences.svg"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in paths)
    record = json.loads(paths[0].read_text())
    assert len(record["differences"]) == len(found.differences)
    assert (record["a"]["name"], record["only_a"], record["p_value"]) == ("classic", found.only_a, found.p_value)
    assert record["conclusion"] == found.conclusion and "images" not in record
    assert without_curve(found) == ("classic", "robust")


def test_two_runs_get_a_figure_of_their_learning_curves(small_run: Path, tmp_path: Path):
    found = compare(small_run, small_run, json.loads((small_run / "config.json").read_text())["data"])
    names = [path.name for path in write_comparison(found, tmp_path)]
    assert names == ["comparison.json", "differences.png", "differences.svg", "curves.png", "curves.svg"]
    assert without_curve(found) == ()


def test_what_cannot_be_compared_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no model"):
        compare("classic", "nobody")
    with pytest.raises(ModelError, match=r"no model\.onnx"):
        compare(tmp_path / "empty", "classic")
    with pytest.raises(ConfigError, match="no dataset"):
        compare("classic", "robust", "nothing")
    found = compare(answering(changed(1)), answering(changed(), "b"), SOME)
    with pytest.raises(ConfigError, match="cannot be written"):
        write_comparison(found, tmp_path / "file" / "out")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "history.csv").write_text("nonsense")
    models = [answering(changed(), str(tmp_path / name)) for name in ("a", "b")]
    with pytest.raises(DataError, match=r"history\.csv"):
        write_comparison(compare(*models, SOME), tmp_path / "out")
