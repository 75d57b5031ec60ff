from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.models.model import Model, load
from digitscope.models.robustness import PART, corruption_scores, geometry_scores
from digitscope.preprocessing.corruptions import CORRUPTIONS, corrupt
from digitscope.preprocessing.moves import MOVES


@pytest.fixture(scope="module")
def classic() -> Model:
    return load("classic")


def some(n: int) -> Dataset:
    whole = load_dataset("mnist")
    return replace(whole, name="some", x_test=whole.x_test[:n], y_test=whole.y_test[:n])


def test_each_corruption_is_counted_and_drawn_by_the_seed(classic: Model):
    data = some(PART + 50)
    scores = corruption_scores(classic, data, seed=3)
    assert scores.n == PART + 50 and [*scores.accuracies] == [*CORRUPTIONS]
    assert scores.clean == np.mean(classic.predict(data.x_test).argmax(axis=1) == data.y_test)
    place = [*CORRUPTIONS].index("fog")
    parts = [data.x_test[:PART], data.x_test[PART:]]
    foggy = np.concatenate([corrupt(x, "fog", np.random.default_rng((3, place, n))) for n, x in enumerate(parts)])
    assert scores.accuracies["fog"] == np.mean(classic.predict(foggy).argmax(axis=1) == data.y_test)
    assert scores.mean == pytest.approx(np.mean([*scores.accuracies.values()]))
    assert corruption_scores(classic, data, seed=3) == scores
    assert corruption_scores(classic, data, seed=4) != scores


def test_a_clean_network_finds_corrupted_digits_harder_and_reports_its_progress(classic: Model):
    seen: list[tuple[int, int]] = []

    def progress(stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        seen.append((done, total))

    scores = corruption_scores(classic, some(500), progress=progress)
    assert 0.75 < scores.mean < 0.93 < scores.clean, "plain networks read 84 to 87 % of all 10,000"
    assert seen == sorted(seen) and seen[-1] == (16 * 500, 16 * 500)


def test_the_curves_pass_through_the_clean_accuracy_and_fall(classic: Model):
    seen: list[tuple[int, int]] = []
    scores = geometry_scores(classic, some(300), lambda stage, done, total, facts: seen.append((done, total)))
    assert [*scores.curves] == [*MOVES] and seen[-1][0] == seen[-1][1]
    for name, nothing in (("rotation", 0), ("shift", 0), ("scale", 1), ("stroke", 0)):
        curve = scores.curves[name]
        by = dict(zip(curve.amounts, curve.accuracies, strict=True))
        assert by[nothing] == scores.clean
        assert min(by[curve.amounts[0]], by[curve.amounts[-1]]) < 0.95 * scores.clean


def test_the_scores_are_plain_json_and_a_table(classic: Model):
    for scores in (corruption_scores(classic, some(20)), geometry_scores(classic, some(20))):
        record = scores.to_dict()
        assert json.loads(json.dumps(record, allow_nan=False))["n"] == 20
        head, rows = scores.table()
        assert {len(row) for row in rows} == {len(head)}
    assert corruption_scores(classic, some(20)).to_dict()["mean"] == corruption_scores(classic, some(20)).mean
