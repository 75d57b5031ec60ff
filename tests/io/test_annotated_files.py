"""Annotated pages as files: no two share a name, and a folder that cannot be written is refused at the start."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digitscope.errors import ConfigError
from digitscope.io.annotated_files import annotated_names, check_annotated_folder, write_annotated
from digitscope.io.page import Page

PAGE = Page("a.png", 1, 600, 400, 0, (), 1.0)
PAPER = np.full((400, 600, 3), 225, np.uint8)

CLASHES = [
    ["2", "//2"],  # two slashes are a root of their own
    ["a/x.png", "../a/x.png"],
    ["a-b/x.png", "a/b/x.png", "a/b-x.png"],
    ["x.pdf", "x-p2.png", "x-p2", "x-p2.png.png"],
    ["X.png", "x.png", "x.PNG", "b/x.png"],
    ["-", "-.png", "--p1.png"],
    ["ä" * 120 + "x.png", "b" + "ä" * 120 + "x.png", "d/" * 200 + "y.png", "d/" * 300 + "y.png"],
    ["a/x-p3.pdf", "b/x-p3.pdf", "a-x-p3.png", "a-x.pdf-p3", "a-x-p3.pdf"],
    ["\udcff.png", "\udcfe.png", "'a\\n.png'"],
]


def check_names(sources: list[str]) -> None:
    names = annotated_names(sources)
    assert list(names) == list(dict.fromkeys(sources))
    assert annotated_names(sources[::-1]) == names, "the order does not matter"
    pages = [f"{name}{page}.jpg" for name in names.values() for page in ("", "-p2", "-p3", "-p22", "-p10000")]
    assert len({page.casefold() for page in pages}) == len(pages), "no two pages share a name"
    for page in pages:
        assert len(page.encode()) <= 255 and "/" not in page


@pytest.mark.parametrize("sources", CLASHES)
def test_no_two_pages_are_drawn_into_one_file(sources: list[str]):
    check_names(sources)
    check_names(list(itertools.chain(*CLASHES)))


@given(st.lists(st.text("ab/.-p2X", min_size=1, max_size=9).filter(lambda file: Path(file).stem), max_size=9))
def test_any_files_are_drawn_into_files_of_their_own(sources: list[str]):
    check_names(sources)


def test_names_are_as_short_as_possible():
    names = annotated_names(["a/x.png", "b/x.png", "y.pdf", "y-p2.png", "z-p2.png"])
    assert list(names.values()) == ["a-x.png", "b-x.png", "y", "y-p2.png", "z-p2"]
    first, second = annotated_names(["a/x.png", "../a/x.png"]).values()
    assert first.startswith("a-x.png-") and second.startswith("a-x.png-")


def test_a_folder_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path):
    check_annotated_folder(tmp_path / "new" / "folder")
    assert not list((tmp_path / "new" / "folder").iterdir())
    assert write_annotated(PAGE, PAPER, tmp_path / "new" / "folder", "a").is_file()
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below", "/proc/nowhere"):
        with pytest.raises(ConfigError, match=r"cannot be written.*; give another folder for the annotated pages"):
            check_annotated_folder(place)


def test_later_pages_of_a_file_have_their_number(tmp_path: Path):
    for number, name in ((1, "a.jpg"), (2, "a-p2.jpg")):
        path = write_annotated(Page("a.pdf", number, 600, 400, 0, (), 1.0), PAPER, tmp_path, "a")
        assert path == tmp_path / name
        with Image.open(path) as image:
            assert image.format == "JPEG" and image.width == 600
