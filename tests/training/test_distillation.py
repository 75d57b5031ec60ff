"""Students: what they learn from, and what their teachers do not."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from digitscope.arraytypes import Images, Labels
from digitscope.datasets.mnist import load_mnist
from digitscope.training.distillation import as_student
from digitscope.training.fit import fit
from digitscope.training.networks import build
from digitscope.training.recipes import Recipe, recipe_of

SMALL = {"filters": "4,8", "dense": 16, "batch_size": 32, "epochs": 2, "learning_rate": 0.003, "lower_precision": "no"}


@pytest.fixture(scope="module")
def some() -> tuple[Images, Labels]:
    (x, y), _ = load_mnist()
    return x[:400], y[:400]


def softened(p: np.ndarray, temperature: float) -> np.ndarray:
    scores = np.exp(np.log(np.maximum(p, 1e-7).astype(np.float64)) / temperature)
    return scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("share", "temperature", "count"), [(0.9, 2.0, 2), (0.3, 1.0, 1), (1.0, 5.0, 3), (0.0, 2.0, 1)]
)
def test_the_loss_is_against_the_teachers_mean_and_the_label(
    some: tuple[Images, Labels], share: float, temperature: float, count: int
):
    x, y = some[0][:50, ..., None] / np.float32(255), np.eye(10, dtype=np.float32)[some[1][:50]]
    recipe = recipe_of("seed", SMALL | {"teacher_share": share, "teacher_temperature": temperature})
    keras.utils.set_random_seed(3)
    *teachers, network = (build(recipe) for _ in range(count + 1))
    for teacher in teachers:  # fresh networks answer nearly alike; these know what they want
        teacher.layers[-1].set_weights([20 * values for values in teacher.layers[-1].get_weights()])
    student = as_student(network, teachers, recipe)
    student.compile(loss="categorical_crossentropy", metrics=["accuracy"])
    given, accuracy = student.evaluate(x, y, verbose=0)
    taught = np.mean([softened(teacher.predict(x, verbose=0), temperature) for teacher in teachers], axis=0)
    answers = network.predict(x, verbose=0)
    wanted = -np.mean(np.sum((share * taught + (1 - share) * y) * np.log(answers), axis=1))
    assert given == pytest.approx(wanted, rel=1e-4)
    assert accuracy == pytest.approx(np.mean(answers.argmax(axis=1) == some[1][:50]), abs=1e-6), "of the labels"


def test_a_student_learns_and_its_teachers_do_not(some: tuple[Images, Labels]):
    x, y = some[0][..., None] / np.float32(255), np.eye(10, dtype=np.float32)[some[1]]
    keras.utils.set_random_seed(3)
    teacher, network = build(recipe_of("seed", SMALL)), build(recipe_of("seed", SMALL))
    before = [part.get_weights() for part in (teacher, network)]
    student = as_student(network, [teacher], recipe_of("seed", SMALL))
    assert len(student.variables) == len(network.variables), "a teacher is no part of its student"
    student.compile(loss="categorical_crossentropy", optimizer="adam")
    student.fit(x, y, verbose=0)
    for ours, wanted in zip(teacher.get_weights(), before[0], strict=True):
        np.testing.assert_array_equal(ours, wanted)
    assert not np.array_equal(network.get_weights()[0], before[1][0])


def test_a_whole_share_leaves_the_labels_out(some: tuple[Images, Labels]):
    """With wrong labels for the student alone it comes out the same."""
    x, y = some
    told: list[list[np.ndarray]] = []
    for share in (1.0, 0.5):
        recipe = recipe_of("seed", SMALL | {"teachers": 1, "teacher_share": share})
        states: list = []
        fit(recipe, x, y, 3, after_epoch=states.append)
        taught = next(state for state in states if state.teachers)
        right, wrong = (fit(recipe, x, labels, 3, resume_from=taught).network.get_weights() for labels in (y, y[::-1]))
        told.append([np.abs(one - other).max() for one, other in zip(right, wrong, strict=True)])
    assert max(told[0]) < 1e-6 < 1e-3 < max(told[1])


def test_teachers_and_student_are_different_networks(some: tuple[Images, Labels]):
    states: list = []
    recipe: Recipe = recipe_of("seed", SMALL | {"teachers": 2})
    fit(recipe, *some, 3, after_epoch=states.append)
    first, second = states[-1].teachers
    assert not np.allclose(first[0], second[0], atol=1e-3)
    assert not np.allclose(second[0], states[-1].variables[0], atol=1e-3)
    assert [state.epochs for state in states] == list(range(1, recipe.all_epochs + 1))
