"""A file is written whole or not at all, under every name that the system allows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from digitscope.files import atomic_path, write_text


@pytest.mark.parametrize(
    "name",
    ["a.txt", "a" * 251 + ".txt", "ö" * 125 + ".json", "€" * 85, "." + "h" * 254, "a." + "s" * 253, "é." + "字" * 84],
    ids=len,
)
def test_every_allowed_name_can_be_written(name: str, tmp_path: Path):
    assert len(os.fsencode(name)) <= 255
    write_text(tmp_path / name, "whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "whole"


def test_a_name_that_is_no_unicode(tmp_path: Path):
    path = tmp_path / os.fsdecode(b"\xff" * 250 + b".txt")
    write_text(path, "whole")
    assert path.read_text() == "whole" and len(list(tmp_path.iterdir())) == 1


def test_the_temporary_name_is_known_by_its_beginning_and_its_suffix(tmp_path: Path):
    with atomic_path(tmp_path / "history.csv") as temporary:
        temporary.write_text("half")
        assert list(tmp_path.glob(".history-????????.csv")) == [temporary]


def test_a_failure_leaves_what_was_there(tmp_path: Path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
