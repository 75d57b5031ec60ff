"""The record and the summary of an evaluation."""

from __future__ import annotations

import json

import pytest
from test_metrics import answers, row

from digitscope.errors import DataError
from digitscope.models.evaluation import Evaluation
from digitscope.models.metrics import evaluate_predictions
from digitscope.models.model import load


@pytest.fixture(scope="module")
def classic() -> Evaluation:
    return load("classic").evaluate()


def test_survives_json(classic: Evaluation) -> None:
    p, y = answers(2, 50)
    for evaluation in (classic, evaluate_predictions(p, y)):
        assert Evaluation.from_dict(json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))) == evaluation


@pytest.mark.parametrize(
    "change",
    [{"n": None}, {"bins": [{"low": 0}]}, {"mistakes": 3}, {"accuracy_interval": [1]}, {"unknown": 1}],
    ids=str,
)
def test_a_damaged_record_is_one_sentence(classic: Evaluation, change: dict[str, object]) -> None:
    record = {key: value for key, value in (classic.to_dict() | change).items() if value is not None}
    with pytest.raises(DataError, match="not the record of an evaluation"):
        Evaluation.from_dict(record | {"without_wrong_labels": None})


def test_summary_is_in_words() -> None:
    rows = dict(evaluate_predictions([row(d3=1.0), row(d9=1.0), row(d9=1.0)], [3, 4, 4]).summary())
    assert rows["Images"] == "3" and rows["Misses"] == "2"
    assert rows["Accuracy"].startswith("33.33 % (95 % interval ")
    assert rows["Hardest digit"] == "4: 2 of 2 missed"
    assert rows["Most frequent confusion"] == "4 read as 9: twice"
    perfect = dict(evaluate_predictions([row(d3=1.0)], [3]).summary())
    assert perfect["Misses"] == "0" and "Most frequent confusion" not in perfect


def test_summary_of_mnist_names_the_labels_set_aside(classic: Evaluation) -> None:
    labels = [label for label, _ in classic.summary()]
    assert "Without 10 wrong and 5 unclear labels" in labels
    assert len(labels) == len(set(labels)) and all(value for _, value in classic.summary())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": 51}, "do not add up to 51 images"),
        ({"misses": -1}, "not ten rows of ten counts"),
        ({"loss": -0.1}, "loss or one of its mistakes"),
        ({"accuracy": float("nan")}, "is not of type float"),
        ({"misses": 3.0}, "is not of type int"),
    ],
    ids=str,
)
def test_figures_that_cannot_be_are_refused(change: dict[str, object], words: str) -> None:
    record = evaluate_predictions(*answers(2, 50)).to_dict()
    assert Evaluation.from_dict(record).to_dict() == record
    with pytest.raises(DataError, match=words):
        Evaluation.from_dict(record | change)
