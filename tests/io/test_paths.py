"""Finding files: in the order people expect, and only when they are needed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from digitscope.errors import ConfigError
from digitscope.io.paths import files_of, number_of_files


def names(found: Iterable[str], folder: Path) -> list[str]:
    return [str(Path(file).relative_to(folder)) for file in found]


def test_folders_are_searched_in_natural_order(tmp_path: Path):
    there = ["img10.png", "IMG9.JPG", "img2.tiff", "a/b/10.pdf", "a/b/9.webp", "a2/x.gif", "a10/x.bmp"]
    left_out = ["notes.txt", ".hidden.png", ".git/x.png", "a/.cache/y.png", "png", "results.csv"]
    for name in there + left_out:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert names(files_of([str(tmp_path)]), tmp_path) == [
        "img2.tiff", "IMG9.JPG", "img10.png", "a/b/9.webp", "a/b/10.pdf", "a2/x.gif", "a10/x.bmp"
    ]  # fmt: skip


def test_patterns_files_and_the_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b10.png", "b2.png", "b1.txt", "c[1].png", "sub/b3.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert list(files_of(["b*.png"])) == ["b2.png", "b10.png"]
    assert list(files_of(["b?.txt", "c[1].png", "**/*.png"])) == [
        "b1.txt", "c[1].png", "b2.png", "b10.png", "c[1].png", "sub/b3.png"
    ]  # fmt: skip
    assert list(files_of(["-", "missing.png", "b1.txt", ".", "b1.txt"])) == [
        "-", "missing.png", "b1.txt", "b2.png", "b10.png", "c[1].png", "sub/b3.png", "b1.txt"
    ]  # fmt: skip
    assert list(files_of([])) == []
    Path("empty").mkdir()
    for path in ("empty", "*.gif", "missing[1].png"):
        with pytest.raises(ConfigError, match="holds no file to read; expected"):
            list(files_of(["b2.png", path]))


def test_a_folder_that_may_not_be_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "locked").mkdir()
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ConfigError, match="locked cannot be searched"):
        list(files_of([str(tmp_path)]))


def test_many_files_are_found(tmp_path: Path):
    for number in range(3000):
        (tmp_path / f"{number}.png").touch()
    assert list(files_of([str(tmp_path)])) == [str(tmp_path / f"{number}.png") for number in range(3000)]
    assert number_of_files([str(tmp_path), str(tmp_path / "1*.png"), "-"]) == 3000 + 1111 + 1


def test_a_folder_is_opened_when_its_turn_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("a/1.png", "b/2.png", "c/3.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    opened, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: opened.append(Path(path).name) or scandir(path))
    found = files_of([str(tmp_path)])
    assert Path(next(found)).name == "1.png" and opened == [tmp_path.name, "a"]
    assert Path(next(found)).name == "2.png" and opened == [tmp_path.name, "a", "b"]
