"""The course of a fit: the loss of every step, weights at some of them, the same after an interruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import DataError
from digitscope.models.course import Course
from digitscope.training.checkpoint import Checkpoint
from digitscope.training.fit import Fitted, fit
from digitscope.training.recipes import recipe_of
from digitscope.training.recording import STAGES, CourseRecorder

SMALL = {"filters": "4,8", "dense": 16, "batch_size": 16, "epochs": 2, "lower_precision": "false", "temperature": 1}
N = 608  # 38 steps an epoch, more than TensorFlow takes in one call


@pytest.fixture(scope="module")
def recorded() -> tuple[Fitted, list[Checkpoint]]:
    (x, y), _ = load_mnist()
    states: list[Checkpoint] = []
    return fit(recipe_of("classic", SMALL), x[:N], y[:N], 3, after_epoch=states.append), states


def test_every_step_has_its_loss_and_their_mean_is_the_epochs(recorded: tuple[Fitted, list[Checkpoint]]):
    fitted, _ = recorded
    assert fitted.course is not None
    losses = fitted.course.losses
    assert losses.shape == (76,) and np.isfinite(losses).all()
    for row, part in zip(fitted.history, np.split(losses, 2), strict=True):
        assert part.mean() == pytest.approx(row["loss"], rel=1e-4)
        assert len(set(part.tolist())) > 30, "one loss for each step, not one for many"


def test_stages_begin_untrained_and_move_towards_the_end(recorded: tuple[Fitted, list[Checkpoint]]):
    fitted, _ = recorded
    assert fitted.course is not None
    steps, weights = fitted.course.steps, fitted.course.weights.astype(np.float32)
    last = np.concatenate([part.ravel() for part in fitted.network.get_weights()])
    assert (
        steps[0] == 0 and 1 < len(steps) <= STAGES + 1 and steps[-1] < 76 and weights.shape == (len(steps), last.size)
    )
    apart = np.abs(weights - last).mean(axis=1)
    assert (np.diff(apart) < 0).all(), apart


def test_who_was_stopped_has_the_same_course(recorded: tuple[Fitted, list[Checkpoint]], tmp_path: Path):
    whole, (first, _) = recorded
    (x, y), _ = load_mnist()
    first.write(tmp_path / "state.npz")
    resumed = fit(recipe_of("classic", SMALL), x[:N], y[:N], 3, resume_from=Checkpoint.read(tmp_path / "state.npz"))
    assert resumed.course is not None and whole.course is not None
    np.testing.assert_array_equal(resumed.course.steps, whole.course.steps)
    np.testing.assert_allclose(resumed.course.losses, whole.course.losses, rtol=1e-4)


def test_the_temperature_divides_the_last_layer_of_every_stage():
    recorder = CourseRecorder(100, temperature=2)
    recorder.keep(0, [np.full(3, 4.0), np.full((3, 2), 4.0), np.full(2, 4.0)])
    assert recorder.course.weights.tolist() == [[4] * 3 + [2] * 8]


def test_stages_lie_closer_at_the_beginning_wherever_one_may_look():
    recorder = CourseRecorder(5628, temperature=1)
    taken = [0]
    recorder.keep(0, [np.zeros(2), np.zeros(1), np.zeros(1)])
    for step in (epoch * 469 + step for epoch in range(12) for step in [*range(25, 469, 25), 469]):
        if recorder.is_due(step):
            recorder.keep(step, [np.zeros(2), np.zeros(1), np.zeros(1)])
            taken.append(step)
    assert taken[:5] == [0, 25, 50, 75, 125] and taken == recorder.course.steps.tolist()
    assert len(taken) == STAGES + 1 and (np.diff(taken, 2) >= 0).all() and taken[-1] < 5628, taken


def test_the_stages_of_a_short_fit_are_round_steps_and_never_the_finished_network():
    recorder = CourseRecorder(470, temperature=1)
    due = [step for step in range(471) if recorder.is_due(step) and (recorder.keep(step, [np.zeros(1)] * 2) or True)]
    assert due == [0, 25, 50, 75, 100, 150, 200, 250, 350]
    assert not CourseRecorder(20, temperature=1, begun=recorder.course).is_due(20)


def test_a_damaged_course_is_one_sentence(tmp_path: Path):
    assert Course.read(tmp_path) is None
    Course(np.float32([1]), np.array([0]), np.float16([[1, np.inf]])).write(tmp_path / "course.npz")
    with pytest.raises(DataError, match=r"course\.npz is damaged \(its numbers are no measurements\); delete it"):
        Course.read(tmp_path)
    (tmp_path / "course.npz").write_bytes(b"PK nothing")
    with pytest.raises(DataError, match="is damaged"):
        Course.read(tmp_path)
