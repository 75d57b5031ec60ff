"""``benchmarks/convert_unipen.py``: small files in UNIPEN's text format become files of pen trajectories."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitscope.datasets.trajectories import read_trajectories

ABOUT = ".VERSION 1.0\n.COMMENT words\n\n   . and a dot\n.COORD X Y T\n.X_POINTS_PER_INCH 200\n.Y_POINTS_PER_INCH 100\n"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    return importlib.import_module("convert_unipen")


def component(x: int, keyword: str = "PEN_DOWN", high: int = 60, bottom: int = 100) -> str:
    """A slanted stroke from ``bottom + high`` down to ``bottom``, y upwards and half as fine as x; one point twice."""
    top = bottom + high
    points = [(x, top), (x, top), (x + 5, (top + bottom) // 2), (x + 10, bottom)]
    return f".{keyword}\n" + "".join(f"\t{a}\t{b}\t{time}\n" for time, (a, b) in enumerate(points))


def write(folder: Path, category: str, name: str, writer: str, ink: str, segments: str) -> None:
    """A data file that includes its ink, which includes the description of the tablet."""
    data, include = folder / "data" / category / f"{name}.dat", folder / "include" / f"{name}.ink"
    for path in (data, include):
        path.parent.mkdir(parents=True, exist_ok=True)
    about = folder / "include" / "tablet.doc"
    about.write_text(ABOUT)
    include.write_text(f".INCLUDE tablet.doc\n.WRITER_ID {writer}\n{ink}")
    data.write_text(f".INCLUDE ../../../outside.dat\n.INCLUDE missing.lex\n.INCLUDE {name}.ink\n{segments}")


def tree(folder: Path) -> Path:
    """A writer with everything, and one with two letters."""
    ink = "".join(component(100 * number) + ".PEN_UP\n" for number in range(4))
    ink += component(900) + component(905, "PEN_UP") + component(920, high=30) + component(1000, high=200)
    digits = '.SEGMENT CHARACTER 0 ? "7"\n.SEGMENT CHARACTER 1 OK "1"\n.SEGMENT CHARACTER 2 GOOD "1"\n'
    digits += '.SEGMENT CHARACTER 3 BAD "9"\n.SEGMENT CHARACTER 4-6 ? "4"\n.SEGMENT CHARACTER 7 ? "0"\n'
    digits += '.SEGMENT CHARACTER 9 ? "5"\n.SEGMENT CHARACTER 5 ? "6"\n.SEGMENT CHARACTER 0:2 ? "8"\n'
    write(folder, "1a", "apa/a", "Ada", ink, digits)
    write(folder, "1b", "apb/a", "Ada", ink, '.SEGMENT CHARACTER 0,2 ? "A"\n')
    write(folder, "1b", "kai/k", "Eve", ink, '.SEGMENT CHARACTER 3 ? "B"\n')
    write(folder, "1c", "kai/k", "Eve", ink, '.SEGMENT CHARACTER 0:1-1:2 ? "k"\n.SEGMENT CHARACTER 0 ? "\\@"\n')
    write(folder, "1d", "apd/a", "Ada", ink, '.SEGMENT CHARACTER 6 ? "\\""\n')
    words = '.SEGMENT WORD 0-3 ? "1177"\n.SEGMENT WORD 0-1 ? "1-7"\n.SEGMENT WORD 0-1 ? "ab"\n.SEGMENT WORD 0 ? "1"\n'
    write(folder, "7", "apc/a", "Ada", ink, words)
    return folder


def test_text_files_become_trajectories(program: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    program.convert(tree(tmp_path / "unipen"), tmp_path / "made")
    said = capsys.readouterr().out
    assert "2 writers" in said and "digits: not on the page, or one point: 3" in said, said
    made = {kind: read_trajectories(kind, tmp_path / "made") for kind in ("digits", "letters", "symbols", "strings")}
    digits = made["digits"]
    assert digits.labels.tolist() == ["7", "1", "1", "4"], "that of 200 units is too high for a digit"
    assert "digits: absurd size" in said
    seven, four = digits.strokes(0), digits.strokes(3)
    assert [len(stroke) for stroke in seven] == [2], "the point twice and the one between are gone"
    assert np.allclose(seven[0], [[0, 0], [10 / 120, 1]], atol=0.002), "upright, and y as fine as x"
    assert len(four) == 2 and np.ptp(four[1][:, 1]) == pytest.approx(0.5, abs=0.002), "without the way through the air"
    assert np.allclose(digits.baseline, [1, 1, 1, 1], atol=0.002)
    assert made["letters"].labels.tolist() == ["A", "B", "k"] and np.isnan(made["letters"].baseline).all()
    assert [len(made["letters"].strokes(number)) for number in range(3)] == [2, 1, 2]
    assert made["symbols"].labels.tolist() == ['"']
    assert made["symbols"].writers.tolist() == digits.writers[:1].tolist() != made["letters"].writers[1:].tolist()
    assert made["strings"].labels.tolist() == ["1177"] and made["strings"].owners(0) == [-1] * 4
    assert made["strings"].baseline[0] == pytest.approx(1, abs=0.002)


def test_writers_are_divided_by_the_rule(program: Any, tmp_path: Path):
    program.convert(tree(tmp_path / "unipen"), tmp_path / "made")
    number = int(hashlib.sha256(b"unipen-train_r01_v07|ap/Ada").hexdigest()[:8], 16) % 1000
    assert read_trajectories("digits", tmp_path / "made").validation.tolist() == [number < 150] * 4
    share = np.mean([program.is_validation(f"ap/{number}") for number in range(2000)])
    assert 0.12 < share < 0.18
    assert program.writer_of("apc", "X") == program.writer_of("app", "X") != program.writer_of("pap", "X")
    assert program.writer_of("gmd", "X") == program.writer_of("gmd", "Y")


def test_files_that_include_themselves_end(program: Any, tmp_path: Path):
    write(tmp_path, "1a", "aga/a", "Ada", ".INCLUDE aga/a.ink\n" + component(0), '.SEGMENT CHARACTER 0 ? "1"\n')
    assert len(program.page_of(tmp_path / "data/1a/aga/a.dat", tmp_path / "include").components) == program.NESTED


def test_a_folder_without_the_data_is_said(program: Any, tmp_path: Path):
    with pytest.raises(SystemExit, match="has no digits; expected train_r01_v07"):
        program.convert(tmp_path, tmp_path / "made")


def test_simplifying_keeps_corners(program: Any):
    line = np.stack([np.linspace(0, 900, 50), np.linspace(0, 900, 50)], axis=1)
    bent = np.concatenate([line, line[::-1] * [1, -1] + [0, 1800]])
    assert len(program.simplified(line)) == 2
    found = program.simplified(bent)
    assert [900, 900] in found.tolist() and len(found) <= 4
    assert len(program.simplified(line[:1])) == 1
