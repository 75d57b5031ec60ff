from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitscope.errors import DataError
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
