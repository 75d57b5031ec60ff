"""What version 0.1.0 wrote still opens: the models that ship, and ``run-0.1.0``, a small run that it trained.

The run is ``classic`` with ``filters=3:4`` and ``dense=8``, two epochs on MNIST's first 4,000 training images, tested
on its first 1,000 test images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitscope.datasets.mnist import load_mnist
from digitscope.experiments.runs import runs_in
from digitscope.models.card_text import card_text
from digitscope.models.evaluation import Evaluation
from digitscope.models.formats import export_model
from digitscope.models.lens import look
from digitscope.models.metrics import evaluate_predictions
from digitscope.models.model import load, shipped
from digitscope.models.run_folder import read_history, read_json

RUN = Path(__file__).parent / "run-0.1.0"


@pytest.mark.parametrize("name", ["classic", "robust", "strong"])
def test_every_shipped_model_opens_and_shows_its_layers(name: str) -> None:
    assert name in shipped()
    model, image = load(name), load_mnist()[1][0][0]
    assert model.card["recipe"]["name"] == name
    lens = look(model, image)
    assert lens.answer == 7 == model.predict(image).argmax()
    assert lens.layers[0].name == "input" and lens.layers[-1].activation == "softmax"
    for layer in lens.layers[1:]:
        middle = tuple(size // 2 for size in layer.shape)
        assert abs(lens.terms(layer.name, middle).difference) < 1e-4


def test_a_run_opens_and_answers_as_it_did() -> None:
    images, labels = (part[:1000] for part in load_mnist()[1])
    model = load(RUN)
    found = evaluate_predictions(model.predict(images), labels)
    recorded = Evaluation.from_dict(read_json(RUN / "evaluation.json"))
    assert found.confusion == recorded.confusion and found.n == recorded.n
    assert found.loss == pytest.approx(recorded.loss, rel=1e-4)
    assert found.accuracy_interval == pytest.approx(recorded.accuracy_interval, abs=1e-12)
    assert model.card["metrics"]["misses"] == found.misses == 441
    assert [layer.parameters for layer in look(model, images[0]).layers if layer.parameters] == [30, 112, 808, 90]


def test_its_other_files_are_read(tmp_path: Path) -> None:
    assert [row["epoch"] for row in read_history(RUN)] == [1, 2]
    (run,) = runs_in(RUN)
    assert (run.state, run.recipe, run.settings) == ("finished", "classic", "filters=3:4 dense=8")
    assert (run.seed, run.accuracy, run.misses, run.n) == (0, 0.559, 441, 1000)
    text = card_text(load(RUN))
    assert "On the test images of `small.npz`" in text and "| Misses | 441 |" in text
    assert export_model(load(RUN), "weights-json", tmp_path).stat().st_size > 10_000


def test_its_keras_file_answers_the_same() -> None:
    pytest.importorskip("keras")
    images = load_mnist()[1][0][:100]
    np.testing.assert_allclose(load(RUN / "model.keras").predict(images), load(RUN).predict(images), atol=1e-5)
