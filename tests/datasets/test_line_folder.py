"""Folders of real lines: read with their texts, refused where something is wrong, mixed into synthetic ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitscope.datasets.line_folder import LineFolder
from digitscope.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        Image.new("L", (90, 30), 200 + number).save(tmp_path / f"{number}.png")
    (tmp_path / "labels.csv").write_text('file,text\n0.png,12\n1.png,"7,5-3"\n2.png,\'=4?\n')
    return tmp_path


def test_lines_have_their_texts_and_no_places(folder: Path):
    lines = LineFolder(folder)
    lines.check()
    assert len(lines) == 3 and [lines.line(number).text for number in range(3)] == ["12", "7,5-3", "=4?"]
    assert lines.line(1).pixels.tolist() == np.full((30, 90), 201).tolist() and lines.line(1).spans == ()
    drawn = [lines.random(np.random.default_rng(seed)).text for seed in range(40)]
    assert set(drawn) == {"12", "7,5-3", "=4?"}
    assert drawn == [lines.random(np.random.default_rng(seed)).text for seed in range(40)]
    before = lines.sha256
    (folder / "labels.csv").write_text("file,text\n0.png,13\n")
    assert LineFolder(folder).sha256 != before


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (None, "labels.csv cannot be read"),
        ("", "lists no line"),
        ("file,text\n", "lists no line"),
        ("file,text\n9.png,12\n", r"line 2 names the file '9\.png', which is not in the folder"),
        ("file,text\n../0.png,12\n", "which is not in the folder"),
        ("file,text\n0.png,12\n1.png,\n", "line 3 has the text ''; expected digits"),
        ("file,text\n0.png,12a\n", "has the text '12a'; expected digits and"),
        ("text\n12\n", "names the file ''"),
        ('file,text\n"0.png,12\n', "cannot be read"),
        ("file,text\n0.png\0,12\n", "labels.csv"),
        ("file,text\n\udcff.png,12\n", "cannot be read"),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(folder: Path, table: str | None, said: str):
    (folder / "labels.csv").unlink()
    if table is not None:
        (folder / "labels.csv").write_text(table, errors="surrogateescape")
    with pytest.raises(DataError, match=said):
        LineFolder(folder)


def test_a_picture_that_cannot_be_opened_is_named(folder: Path):
    (folder / "1.png").write_bytes(b"no picture")
    lines = LineFolder(folder)
    with pytest.raises(DataError, match=r"1\.png"):
        lines.check()


def test_a_table_of_gigabytes_is_not_read(folder: Path):
    with (folder / "labels.csv").open("wb") as file:
        file.truncate(3 << 30)
    with pytest.raises(DataError, match="which no table of lines needs"):
        LineFolder(folder)
