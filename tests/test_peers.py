"""``benchmarks/peers.py``: an interrupted run loses nothing, what counts as right, and the careful CNN's pictures."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("peers")


@pytest.fixture
def careful_cnn(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("careful_cnn")


def test_a_run_goes_on_where_it_was_interrupted_unless_something_changed(
    peers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    rows = [({"file": f"{number}", "text": str(number % 10)}, np.zeros((2, 2), np.uint8)) for number in range(60)]
    asked: list[str] = []

    def program(name: str) -> Any:
        def read(pictures: list[np.ndarray]) -> dict[str, list[Any]]:
            asked.append(name)
            if asked == ["a", "a", "b"]:
                raise KeyboardInterrupt
            return {
                "worse": [peers.Answer("", False)] * len(pictures),
                "better": [peers.Answer("7", True)] * len(pictures),
            }

        return read

    def score(kind: str, folder: Path, name: str, answers: list[tuple[str, str]]) -> dict[str, float]:
        right = sum(text == str(int(file) % 10) for file, text in answers)
        return {"n": len(answers), "score": 100 * right / len(answers)}

    monkeypatch.setattr(peers, "SETS", {"digits": ("some",)})
    monkeypatch.setattr(peers, "PORTION", 50)
    monkeypatch.setattr(peers, "KEPT", tmp_path / "runs" / "peers.json")
    monkeypatch.setattr(peers.sets, "rows", lambda folder, name: rows)
    monkeypatch.setattr(peers.sets, "score", score)
    monkeypatch.setattr(peers.other_ocr, "versions", lambda: {"Tesseract": "5"})
    chosen = {"digits": {"a": program("a"), "b": program("b")}}
    with pytest.raises(KeyboardInterrupt):
        peers.measured_all(tmp_path, chosen, ["a", "b"], keep=True)
    found = peers.measured_all(tmp_path, chosen, ["a", "b"], keep=True)["digits"]["some"]
    assert asked == ["a", "a", "b", "b", "b"] and "kept from an earlier run: 1 figure" in capsys.readouterr().out
    assert found["a"] == found["b"]
    assert (found["a"]["way"], found["a"]["right"], found["a"]["answered"]) == ("better", 10.0, 100.0)
    assert found["a"]["right_of_answered"] == 10.0 and found["a"]["all_ways"] == {"worse": 0.0, "better": 10.0}
    monkeypatch.setattr(peers.other_ocr, "versions", lambda: {"Tesseract": "6"})
    peers.measured_all(tmp_path, chosen, ["a", "b"], keep=True)
    assert asked[5:] == ["a", "a", "b", "b"] and "measured again, since" in capsys.readouterr().out


def test_a_change_of_the_package_leaves_the_figures_of_others(
    peers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(peers.other_ocr, "versions", lambda: {"Tesseract": "5"})
    monkeypatch.setattr(peers, "ROOT", tmp_path)
    names = ("reader-digit", "robust", "own", "ocr", "careful CNN", "RapidOCR", "Tesseract")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "reading.py").write_text("one")
    before = {name: peers.state_of(name, tmp_path) for name in names}
    (tmp_path / "src" / "reading.py").write_text("two")
    changed = {name for name in names if peers.state_of(name, tmp_path) != before[name]}
    assert changed == {"reader-digit", "robust", "own", "ocr"}
    assert set(peers.programs()["digits"]) | set(peers.programs()["numbers"]) >= {*peers.OWN}


@pytest.mark.parametrize(
    ("text", "truth", "right"),
    [
        ("12 34", "1234", True),
        ("12\n34", "1234", True),
        ("12\n34", "12|34", True),
        ("1234", "12|34", False),
        ("34\n12", "12|34", False),
        ("", "1", False),
    ],
)
def test_a_page_is_right_if_each_line_is_but_a_single_line_may_come_in_pieces(
    peers: Any, text: str, truth: str, right: bool
):
    assert peers.same(text, truth) is right


def test_the_careful_cnn_sees_digits_as_mnist_made_them(careful_cnn: Any):
    paper = np.full((90, 120), 220, np.uint8)
    cv2.line(paper, (40, 20), (70, 60), 30, 6)
    for levels in (paper, 255 - paper):
        field = careful_cnn.field_of(careful_cnn.all_ink(levels))
        rows, columns = np.nonzero(field)
        assert field.shape == (28, 28) and field.max() == 1
        assert max(np.ptp(rows), np.ptp(columns)) == 19
        assert abs((field.sum(axis=0) @ np.arange(28)) / field.sum() - 14) < 0.51
        assert abs((field.sum(axis=1) @ np.arange(28)) / field.sum() - 14) < 0.51


def test_the_careful_cnn_leaves_out_the_frame_of_a_cell(careful_cnn: Any):
    cell = np.full((100, 100), 220, np.uint8)
    cv2.rectangle(cell, (3, 3), (96, 96), 20, 4)
    cv2.line(cell, (50, 30), (50, 70), 60, 6)
    ink = careful_cnn.middle_piece(cell)
    assert ink[50, 50] > 0 and not ink[:20].any() and not ink[:, :20].any()


def test_boxes_side_by_side_are_one_line(careful_cnn: Any):
    boxes = [(50, 62, 8, 20), (10, 10, 8, 20), (10, 60, 8, 20), (30, 14, 8, 10)]
    assert careful_cnn.in_lines(boxes) == [[1, 3], [2, 0]]
