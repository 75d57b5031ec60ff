"""Which detector a model gets: the one that was kept beside it, if it is its own; else a new one, which is kept."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from digitscope.arraytypes import base64_text
from digitscope.models.model import Model, load, shipped
from digitscope.models.run_folder import DETECTOR
from digitscope.reading import detector_fit
from digitscope.reading.detectors import detector_of, kept_detector
from digitscope.reading.out_of_distribution import Detector, model_hash

RUN = Path(__file__).parents[1] / "models" / "run-0.1.0"
"""A run of version 0.1.0, which has no detector."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RUN, tmp_path / "run"))


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models to which a detector was fitted, in order; a fit takes seconds, so it is made up."""
    fitted: list[str] = []

    def fit(model: Model, data: object, progress: object) -> Detector:
        fitted.append(model.short_name)
        weights = np.arange(10 + 1 + 1 + 1)  # of one hidden unit on the ten probabilities
        answer = model.session.layers[-1]["name"]
        return Detector(model_hash(model), (answer,), (1,), 1, base64_text(weights.astype("<f2")), 0.25)

    monkeypatch.setattr(detector_fit, "fit_detector", fit)
    return fitted


def test_every_shipped_model_has_its_own(fits: list[str]):
    for name in shipped():
        assert detector_of(load(name)).model_sha256 == model_hash(load(name)), "run benchmarks/fit_known.py --ship"
    assert fits == []


def test_a_run_without_one_gets_one_and_keeps_it(run: Path, fits: list[str]):
    first = detector_of(load(run))
    assert fits == ["run"] and (run / DETECTOR).is_file()
    assert detector_of(load(run)) == first == kept_detector(load(run))
    assert fits == ["run"], "the second time it is read"


def test_a_detector_is_never_used_with_other_weights(run: Path, fits: list[str]):
    detector_of(load(run))
    (run / "model.onnx").write_bytes(load("classic").session.content)
    assert kept_detector(load(run)) is None
    assert detector_of(load(run)).model_sha256 == model_hash(load(run)) == model_hash(load("classic"))
    assert fits == ["run", "run"]
    changed = dataclasses.replace(load("classic"), session=load("robust").session)
    assert kept_detector(changed) is None, "a shipped model, too"


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "{}", "nonsense", '{"model_sha256": 3}', "DEEP", "EXTRA", "NAN", "SHORT", "BASE64"],
)
def test_a_damaged_one_is_replaced(text: str, run: Path, fits: list[str]):
    good = dataclasses.asdict(detector_of(load(run)))
    texts = {
        "DEEP": "[" * 10_000,
        "EXTRA": json.dumps(good | {"more": 1}),
        "NAN": json.dumps(good | {"threshold": float("nan")}),
        "SHORT": json.dumps(good | {"weights": good["weights"][:-8]}),
        "BASE64": json.dumps(good | {"weights": "ä" + good["weights"]}),
    }
    (run / DETECTOR).write_text(texts.get(text, text))
    assert detector_of(load(run)).threshold == 0.25
    assert fits == ["run", "run"]
    assert json.loads((run / DETECTOR).read_text())["threshold"] == 0.25


def test_a_folder_in_which_nothing_can_be_written_is_no_obstacle(
    run: Path, fits: list[str], monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("digitscope.files.write_json", refuse)
    assert detector_of(load(run)).threshold == 0.25
    assert not (run / DETECTOR).exists()


def test_a_model_file_from_elsewhere_leaves_nothing_behind(run: Path, fits: list[str]):
    for _ in range(2):
        detector_of(load(run / "model.onnx"))
    assert fits == ["model.onnx"] * 2
    assert not (run / DETECTOR).exists()
