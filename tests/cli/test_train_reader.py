"""The command that trains the line reader, and its spelling in version 0.1; the training itself is replaced."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from digitscope.cli import app
from digitscope.datasets.trajectories import FOLDER_VARIABLE
from digitscope.errors import DataError
from trajectory_files import write_files

CALLS: list[dict[str, Any]] = []


def trained(lines: int, corrections: Path | None, progress: Any, **other: Any) -> Any:
    CALLS.append({"lines": lines, **other} | ({} if corrections is None else {"corrections": corrections}))
    unseen = None if other["trajectories"] is None else 0.8125
    return SimpleNamespace(lines=lines, seconds=120, accuracy=0.975, unseen_writers=unseen, folder=other["out"])


@pytest.fixture(autouse=True)
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("digitscope.training.line_fit")
    module.LINES, module.train_reader = 1234, trained  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "digitscope.training.line_fit", module)
    monkeypatch.setattr("digitscope.datasets.synthetic.glyphs.check_fonts", lambda: None)
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    CALLS.clear()


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def test_the_command_hands_on_its_options_and_prints_what_was_trained():
    done = run("train-reader", "--lines", "960", "--seed", "3", "--out", "somewhere")
    assert [{"lines": 960, "out": Path("somewhere"), "seed": 3, "trajectories": None}] == CALLS
    assert done.exit_code == 0 and done.stderr == ""
    assert done.stdout == (
        "960 lines in 2 minutes; 97.5 % of unseen synthetic lines read correctly\n"
        f"digitscope read --engine {Path('somewhere/reader.onnx')} reads with it\n"
    )
    run("train-reader")
    assert CALLS[-1] == {"lines": 1234, "out": Path("runs/reader"), "seed": 0, "trajectories": None}
    assert run("train-reader", "--lines", "few").exit_code == 2


def test_recorded_pens_come_by_option_or_by_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = write_files(tmp_path / "pens")
    by_option = run("train-reader", "--unipen", str(folder))
    assert CALLS[-1]["trajectories"] == folder
    assert (
        "97.5 % of unseen synthetic lines read correctly\n81.2 % of lines by recorded writers that" in by_option.stdout
    )
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    assert run("train-reader").stdout == by_option.stdout and CALLS[-1]["trajectories"] == folder
    with pytest.raises(DataError, match=r"has no digits\.npz"):
        run("train-reader", "--unipen", str(tmp_path))
    assert len(CALLS) == 2


def test_corrections_are_handed_on_once_they_can_be_read(tmp_path: Path):
    Image.new("L", (90, 30)).save(tmp_path / "1.png")
    (tmp_path / "labels.csv").write_text("file,text\n1.png,12\n")
    assert run("train-reader", "--corrections", str(tmp_path)).exit_code == 0
    assert CALLS[-1]["corrections"] == tmp_path
    with pytest.raises(DataError, match="give a folder with lines, such as the folder lines of an exported"):
        run("train-reader", "--corrections", str(tmp_path / "none"))
    assert len(CALLS) == 1


def test_the_old_spelling_does_the_same_and_names_the_command():
    new = run("train-reader", "--lines", "960", "--seed", "3", "--out", "somewhere")
    old = run("train", "--recipe", "reader", "--set", "lines=960", "--seed", "3", "--out", "somewhere")
    assert CALLS[0] == CALLS[1] and old.stdout == new.stdout
    assert old.stderr == (
        "digitscope: note: train --recipe reader is now digitscope train-reader; "
        "the old spelling will be removed in the next version\n"
    )
    run("train", "--recipe", "reader")
    assert CALLS[-1] == {"lines": 1234, "out": Path("runs/reader"), "seed": 0, "trajectories": None}
