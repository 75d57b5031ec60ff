"""A file is written whole or not at all, under every name that the system allows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from digitscope.datasets.load import load_dataset
from digitscope.errors import DataError, DigitscopeError, ImageError, ModelError
from digitscope.files import atomic_path, write_text
from digitscope.io.document import scans
from digitscope.io.image import load_picture
from digitscope.models.model import load


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


def test_the_content_is_on_the_disk_before_the_file_takes_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Else a power cut could leave the name with half of the content, or with nothing."""
    write_text(tmp_path / "a.txt", "old")
    steps: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(file: int) -> None:
        fsync(file)
        steps.append(("on the disk", os.pread(file, 100, 0).decode()))

    def watched_replace(source: Path, target: Path) -> None:
        steps.append(("renamed", Path(source).read_text()))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    write_text(tmp_path / "a.txt", "whole")
    assert steps == [("on the disk", "whole"), ("renamed", "whole")]


@pytest.mark.parametrize("mask", [0o002, 0o022, 0o027, 0o077], ids=oct)
def test_the_umask_decides_who_may_read(mask: int, tmp_path: Path):
    """A temporary file is private to its owner; what it becomes is not, and the umask stays as it was."""
    before = os.umask(mask)
    try:
        write_text(tmp_path / "a.txt", "whole")
        (tmp_path / "plain.txt").write_text("written by nobody special")
    finally:
        after = os.umask(before)
    assert after == mask
    assert [path.stat().st_mode & 0o777 for path in sorted(tmp_path.iterdir())] == [0o666 & ~mask] * 2


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 1234567\n"


@pytest.mark.parametrize(
    ("name", "open_it", "kind"),
    [
        ("page.png", load_picture, ImageError),
        ("model.onnx", load, ModelError),
        ("model.keras", load, ModelError),
        ("model.h5", load, ModelError),
        ("digits.npz", load_dataset, DataError),
        ("digits.csv", load_dataset, DataError),
    ],
)
def test_a_pointer_of_git_lfs_gets_its_own_sentence(
    name: str, open_it: Callable[[Path], object], kind: type[DigitscopeError], tmp_path: Path
):
    path = tmp_path / name
    path.write_bytes(POINTER)
    with pytest.raises(kind) as caught:
        open_it(path)
    assert str(caught.value) == f"{path} is a pointer of Git LFS, not the file itself; fetch that with: git lfs pull"


def test_a_document_that_is_a_pointer_says_so(tmp_path: Path):
    (tmp_path / "form.pdf").write_bytes(POINTER)
    (page,) = scans(tmp_path / "form.pdf")
    assert "form.pdf is a pointer of Git LFS" in (page.error or "")


@pytest.mark.parametrize("name", ["old.h5", "old.hdf5", "renamed.keras"])
def test_a_model_in_keras_older_format_gets_its_own_sentence(name: str, tmp_path: Path):
    (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ModelError, match=r"older HDF5 format; save it anew with: .+\.save\(\"\w+\.keras\"\)$"):
        load(tmp_path / name)
