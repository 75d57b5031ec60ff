from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitscope.errors import DataError
from digitscope.models.course import Course
from digitscope.training.checkpoint import Checkpoint

ROWS = [{"epoch": 1, "loss": 0.1 + 0.2, "accuracy": 1 / 3}, {"epoch": 2, "loss": float("nan"), "accuracy": 1.0}]
VARIABLES = [np.float32([[1, -2], [0.1, 4]]), np.array(2**40 + 1, np.int64), np.zeros(0, np.float32)]
TEACHERS = [VARIABLES[:2], [np.float32([7, 8])]]
STATE = Checkpoint(ROWS, 12.25, VARIABLES, TEACHERS)
any_file = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_it_comes_back_to_the_last_bit(tmp_path: Path):
    STATE.write(tmp_path / "a.npz")
    read = Checkpoint.read(tmp_path / "a.npz")
    assert repr(read.history) == repr([{key: float(value) for key, value in row.items()} for row in ROWS])
    assert (read.seconds, read.epochs) == (12.25, 2)
    for part, expected in zip([read.variables, *read.teachers], [VARIABLES, *TEACHERS], strict=True):
        for ours, wanted in zip(part, expected, strict=True):
            assert ours.dtype == wanted.dtype
            np.testing.assert_array_equal(ours, wanted)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_it_holds_the_course_so_far_and_a_file_without_one_is_read(tmp_path: Path):
    course = Course(np.float32([2.3, 0.1]), np.array([0, 2]), np.float16([[1, -2], [0.5, 4]]))
    replace(STATE, course=course).write(tmp_path / "a.npz")
    read = Checkpoint.read(tmp_path / "a.npz").course
    assert read is not None
    for name, wanted in course.arrays().items():
        np.testing.assert_array_equal(getattr(read, name), wanted)
    STATE.write(tmp_path / "b.npz")
    assert Checkpoint.read(tmp_path / "b.npz").course is None


def test_who_is_stopped_while_writing_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    STATE.write(tmp_path / "a.npz")
    before = (tmp_path / "a.npz").read_bytes()

    def full(path: Path, data: bytes) -> None:
        path.write_text("half")
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space"):
        Checkpoint([], 0.0, [], []).write(tmp_path / "a.npz")
    assert (tmp_path / "a.npz").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@any_file
@given(st.data())
def test_damaged_files_are_one_sentence(tmp_path: Path, data: st.DataObject):
    path = tmp_path / "a.npz"
    STATE.write(path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        read = Checkpoint.read(path)
    except DataError as error:
        assert "a.npz is not a checkpoint" in str(error) and "set overwrite to start again" in str(error)
        assert "\n" not in str(error)
    else:
        assert [len(part) for part in (read.variables, *read.teachers)] == [3, 2, 1]


@pytest.mark.parametrize(
    "told",
    [b"", b"[]", b"{}", b"null", b'{"history": 3}', b'{"history": [[]], "seconds": 1, "variables": [0]}', b"\xff"]
    + [b'{"history": [], "seconds": 1, "variables": %s}' % counts for counts in (b"0", b"[]", b"[-1, 1]", b"[99999]")],
)
def test_foreign_npz_files_are_refused(told: bytes, tmp_path: Path):
    np.savez(tmp_path / "a.npz", told=np.frombuffer(told, np.uint8))
    with pytest.raises(DataError, match="not a checkpoint"):
        Checkpoint.read(tmp_path / "a.npz")


def test_nothing_is_unpickled(tmp_path: Path):
    np.savez(tmp_path / "a.npz", told=np.array([{"history": []}], dtype=object))
    with pytest.raises(DataError, match="not a checkpoint"):
        Checkpoint.read(tmp_path / "a.npz")


class Variable:
    """A stand-in for a variable of Keras that takes whatever it is given."""

    def __init__(self, like: np.ndarray) -> None:
        self.shape, self.dtype = like.shape, str(like.dtype)
        self.given: np.ndarray | None = None

    def assign(self, value: np.ndarray) -> None:
        self.given = value


def learner(variables: list[np.ndarray]) -> Any:
    """A stand-in for a compiled network; the last variable is its optimizer's."""
    made = [Variable(like) for like in variables]
    return SimpleNamespace(variables=made[:-1], optimizer=SimpleNamespace(variables=made[-1:]))


def teachers_of(parts: list[list[np.ndarray]]) -> list[Any]:
    return [SimpleNamespace(variables=[Variable(like) for like in part]) for part in parts]


def test_a_state_is_put_where_it_belongs():
    network, teachers = learner(VARIABLES), teachers_of(TEACHERS)
    STATE.restore(network, teachers)
    for model, part in zip([network, *teachers], [VARIABLES, *TEACHERS], strict=True):
        holders = [*model.variables, *(model.optimizer.variables if model is network else [])]
        assert all(holder.given is value for holder, value in zip(holders, part, strict=True))


WEIGHTS, STEPS, NOTHING = VARIABLES


@pytest.mark.parametrize(
    ("variables", "teachers"),
    [
        ([WEIGHTS.T[:1], STEPS, NOTHING], TEACHERS),
        ([WEIGHTS.ravel(), STEPS, NOTHING], TEACHERS),  # as many numbers
        ([np.float32([[[1, -2], [0.1, 4]]]), STEPS, NOTHING], TEACHERS),  # a shape to which NumPy would stretch it
        ([WEIGHTS, STEPS.reshape(1), NOTHING], TEACHERS),
        ([WEIGHTS.astype(np.int32), STEPS, NOTHING], TEACHERS),  # of another kind
        ([WEIGHTS, STEPS], TEACHERS),  # one more than is needed, and one fewer
        ([*VARIABLES, NOTHING], TEACHERS),
        (VARIABLES, [VARIABLES[:2], [np.float32([7])]]),
        (VARIABLES, TEACHERS[:1]),
        (VARIABLES, [*TEACHERS, []]),
    ],
    ids=[
        "fewer",
        "flat",
        "stretched",
        "scalar",
        "whole numbers",
        "one less",
        "one more",
        "teacher",
        "no teacher",
        "new",
    ],
)
def test_the_state_of_networks_of_another_shape_is_refused_and_changes_nothing(
    variables: list[np.ndarray], teachers: list[list[np.ndarray]]
):
    network, taught = learner(variables), teachers_of(teachers)
    with pytest.raises(DataError, match="belongs to another network; set overwrite"):
        STATE.restore(network, taught)
    holders = [*network.variables, *network.optimizer.variables, *(one for each in taught for one in each.variables)]
    assert all(holder.given is None for holder in holders)
