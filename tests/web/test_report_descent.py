"""The surface of gradient descent is the loss of the real network; its slopes are right, and its ways go down."""

from __future__ import annotations

from dataclasses import asdict, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitscope.datasets.dataset import Dataset
from digitscope.datasets.mnist import load_mnist
from digitscope.errors import DataError
from digitscope.models.course import COURSE, Course, flat
from digitscope.models.evaluation import Evaluation
from digitscope.models.model import load
from digitscope.plots.descent import Descent
from digitscope.training.recipes import recipe_of
from digitscope.web.report import cells, descent, learned, network, thread
from digitscope.web.report.record import Record


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The shipped network, as if it were a run on a few digits."""
    folder = tmp_path_factory.mktemp("run")
    model = resources.files("digitscope") / "shipped" / "models" / "classic.onnx"
    (folder / "model.onnx").write_bytes(model.read_bytes())
    (x, y), (x_test, y_test) = load_mnist()
    few = Dataset("few", x[:300], y[:300], x_test[:60], y_test[:60])
    opened = load(folder / "model.onnx")
    config: dict[str, Any] = {"recipe": asdict(recipe_of("classic")), "seed": 1, "data": "few"}
    evaluation: Evaluation = opened.evaluate(few)
    return Record(folder, config, {"train_n": 300}, [], evaluation, opened, few)


@pytest.fixture(scope="module")
def inside(record: Record) -> cells.CellFacts:
    return cells.facts(record, network.facts(record.lens))


@pytest.fixture(scope="module")
def found(record: Record, inside: cells.CellFacts) -> Descent:
    return descent.facts(record, inside.dense)


def test_the_loss_where_training_left_it_is_that_of_the_network(record: Record, found: Descent):
    valley = descent._valley(record, found.unit, found.digit)
    shares = record.model.predict(record.data.x_train)[np.arange(300), record.data.y_train]
    assert valley.at(np.array(found.trained)) == pytest.approx(-np.log(shares.astype(float)).mean(), rel=1e-4)
    kernel, bias = record.lens.layers[-1].learned
    assert found.trained == (float(kernel[found.unit, found.digit]), float(bias[found.digit]))
    assert found.n == 300


def test_slopes_and_curvature_are_those_of_the_loss(record: Record, found: Descent):
    valley = descent._valley(record, found.unit, found.digit)
    for place in (found.plain.places[0], np.array(found.trained)):
        nudges = 1e-5 * np.eye(2)
        slopes = [(valley.at(place + nudge) - valley.at(place - nudge)) / 2e-5 for nudge in nudges]
        np.testing.assert_allclose(valley.slopes(place), slopes, rtol=1e-4, atol=1e-8)
        bends = [(valley.slopes(place + nudge) - valley.slopes(place - nudge)) / 2e-5 for nudge in nudges]
        np.testing.assert_allclose(valley.curvature(place), bends + descent.EPSILON * np.eye(2), rtol=1e-4, atol=1e-8)


def test_the_ways_start_where_the_loss_is_high_and_go_down(found: Descent):
    assert all((way.places[0] == found.plain.places[0]).all() for way in (found.adam, found.small, found.large))
    assert (np.diff(found.plain.losses) < 0).all(), "a step of the inverse curvature never goes up"
    assert found.adam.losses[-1] < 0.5 * found.adam.losses[0]
    assert found.small.losses[-1] > found.plain.losses[-1]
    assert found.large.losses[1] > found.large.losses[0], "a rate that is too large overshoots at once"
    assert found.large.rate >= 2 * found.plain.rate
    low = found.losses.min()
    assert low <= min(way.losses.min() for way in (found.plain, found.adam)) + 1e-3
    np.testing.assert_allclose(
        found.plain.places[1] - found.plain.places[0], -found.plain.rate * _slope(found), rtol=0.2
    )


def _slope(found: Descent) -> Any:
    """The slope at the start, read off the surface around it."""
    start = found.plain.places[0]
    i, j = np.abs(found.weights - start[0]).argmin(), np.abs(found.biases - start[1]).argmin()
    across = (found.losses[j, i + 1] - found.losses[j, i - 1]) / (found.weights[i + 1] - found.weights[i - 1])
    up = (found.losses[j + 1, i] - found.losses[j - 1, i]) / (found.biases[j + 1] - found.biases[j - 1])
    return np.array([across, up])


def test_adam_steps_as_keras_does(record: Record, found: Descent):
    keras = pytest.importorskip("digitscope.backend").keras
    recipe, valley = record.recipe, descent._valley(record, found.unit, found.digit)
    place = keras.Variable(found.adam.places[0])
    adam = keras.optimizers.Adam(found.adam.rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2)
    for step in range(1, 6):
        adam.apply([keras.ops.convert_to_tensor(valley.slopes(np.array(place)), "float32")], [place])
        np.testing.assert_allclose(np.array(place), found.adam.places[step], rtol=1e-3)


def test_a_network_that_says_nothing_has_a_surface_too(record: Record, inside: cells.CellFacts):
    silent = replace(inside.dense, largest_vote=inside.dense.answer[int(inside.dense.answer.ranking[-1])])
    assert np.isfinite(descent.facts(record, silent).losses).all()


def test_stages_are_what_the_network_said(record: Record, tmp_path: Path):
    final = [part for layer in record.lens.layers if layer.kernel is not None for part in layer.learned]
    rng = np.random.default_rng(0)
    first = [rng.normal(0, 0.05, part.shape).astype(np.float32) for part in final]
    course = Course(np.ones(9, np.float32), np.array([0, 4, 9]), np.stack([flat(first), flat(first), flat(final)]))
    course.write(tmp_path / COURSE)
    told = learned.facts(replace(record, folder=tmp_path))
    assert [stage.step for stage in told.stages] == [0, 4, 9]
    assert told.stages[-1].answer == record.lens.answer
    assert told.stages[-1].share == pytest.approx(float(record.lens.probabilities[record.label]), abs=2e-3)
    wrong = told.stages[0].answer != record.label
    assert told.first_right == (told.stages[2] if wrong else told.stages[0])
    assert learned.facts(record) == learned.LearnedFacts((), None)
    Course(course.losses, course.steps, course.weights[:, :-1]).write(tmp_path / COURSE)
    with pytest.raises(DataError, match="another network"):
        learned.facts(replace(record, folder=tmp_path))


def test_the_thread_tells_numbers_of_this_digit(record: Record, inside: cells.CellFacts):
    told = thread.facts(record, network.facts(record.lens), inside)
    lens = record.lens
    assert record.image[told.row, told.column] == told.level > 200
    assert told.pooled == max(told.before) == lens.layer("pool1").values.max()
    assert told.active == np.count_nonzero(lens.layer("dense").values)
    first = lens.layer("conv1").values
    assert told.speaking == sum(first[:, :, index].any() for index in range(32))
    own = first[:, :, inside.convolution.filter]
    assert told.places == (own > own.max() / 2).sum() > 1
    assert told.bias_slope == pytest.approx(float(lens.probabilities[record.label]) - 1)
