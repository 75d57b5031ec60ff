"""The export of a queue: what training takes, with where it is from; whole, or not there."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitscope.datasets.line_folder import LineFolder
from digitscope.datasets.load import load_dataset
from digitscope.errors import ConfigError
from digitscope.formatting import cell_text
from digitscope.io.elements import Box
from digitscope.review.export import HEAD, export
from digitscope.review.items import Action
from digitscope.review.store import ReviewStore
from review_items import digit, drawn, item

EVIL = "=cmd|' /C calc'!A0.png"


def answered(folder: Path) -> ReviewStore:
    """A queue of lines and digits with answers of all kinds."""
    store = ReviewStore(folder / "queue.db", create=True)
    store.add([
        item(1), item(2, "13", written="18"), digit(3), digit(4, "1", written="7"), digit(5, written="75"), item(6),
        digit(7), item(8, file=EVIL), item(9, "-12.5", box=None, reason=None), digit(10, "3"),
    ])  # fmt: skip
    texts = {1: "12", 2: "18", 3: "7", 4: "7", 5: "75", 6: None, 8: "12", 9: "-12.5", 10: "3"}
    for number, text in texts.items():
        store.record(f"answer-{number}", "person-1", Action.UNREADABLE if text is None else Action.TEXT, number, text)
    store.record("answer-b", "person-2", Action.TEXT, 10, "8")
    return store


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_answers_become_what_training_takes(tmp_path: Path):
    with answered(tmp_path) as store:
        done = export(store, tmp_path / "out")
    assert (done.digits, done.lines) == (2, 5)
    lines = [f"lines/{number:06}.png" for number in (1, 2, 5, 8, 9)]
    there = ["corrections.csv", "digits/7/000003.png", "digits/7/000004.png", *lines, "lines/labels.csv"]
    assert sorted(str(path.relative_to(done.folder)) for path in done.folder.rglob("*.*")) == there
    read = LineFolder(done.folder / "lines")
    read.check()
    assert [read.line(number).text for number in range(5)] == ["12", "18", "75", "12", "-12.5"]
    dataset = load_dataset(f"mnist+{done.folder / 'digits'}")
    assert dataset.x_train.shape == (60_002, 28, 28) and dataset.y_train[-2:].tolist() == [7, 7]
    assert all(image.max() == 255 and image.mean() > 5 for image in dataset.x_train[-2:])


def test_it_says_of_each_where_it_is_from_and_nothing_is_a_formula(tmp_path: Path):
    with answered(tmp_path) as store:
        folder = export(store, tmp_path / "out").folder
    found = rows(folder / "corrections.csv")
    assert tuple(found[0]) == HEAD
    assert [row["file"][-5] for row in found if row["answer"] == "corrected"] == ["2", "4", "5"]
    assert {row["answer"] for row in found} == {"confirmed", "corrected"}
    assert found[1] == {
        "file": "lines/000002.png", "text": "18", "source": "scan-2.png", "page": "1", "x": "3", "y": "4",
        "width": "50", "height": "20", "guess": "13", "confidence": "0.750000",
        "reason": "too uncertain", "answer": "corrected",
    }  # fmt: skip
    assert found[5]["source"] == f"'{EVIL}" and cell_text(found[5]["source"]) == EVIL
    assert (found[6]["x"], found[6]["reason"], found[6]["text"]) == ("", "", "-12.5")
    for row in (*found, *rows(folder / "lines" / "labels.csv")):
        assert not any(value.startswith(("=", "+", "@")) for value in row.values())


def test_a_line_keeps_little_of_the_paper_around_it(tmp_path: Path):
    pixels = np.full((100, 200), 255, np.uint8)
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        store.add([item(1, crop=cv2.imencode(".png", pixels)[1].tobytes(), frame=Box(40, 30, 100, 50))])
        store.record("answer-1", "person-1", Action.TEXT, 1, "12")
        export(store, tmp_path / "out")
    written = cv2.imread(str(tmp_path / "out" / "lines" / "000001.png"))
    assert written.shape[:2] == (50 + 11 + 11, 100 + 22)


@pytest.mark.parametrize("pen", [0, 255])
def test_a_crop_of_28_pixels_is_no_finished_field(tmp_path: Path, pen: int):
    """Among others it would be taken as it is, and a dark pen on bright paper would be upside down."""
    small = np.full((28, 28), 255 - pen, np.uint8)
    small[3:25, 13:16] = pen
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        store.add([digit(1, crop=cv2.imencode(".png", small)[1].tobytes()), digit(2)])
        for number in (1, 2):
            store.record(f"answer-{number}", "person-1", Action.TEXT, number, "7")
        export(store, tmp_path / "out")
    images = load_dataset(f"mnist+{tmp_path / 'out' / 'digits'}").x_train[-2:]
    assert all(image[0].max() == 0 and image.max() == 255 for image in images)


def test_it_is_written_whole_or_not_at_all(tmp_path: Path):
    with answered(tmp_path) as store:
        store.base.run("UPDATE crops SET png = ? WHERE item = 8", b"no picture")
        with pytest.raises(ConfigError, match="a crop in the review queue is damaged"):
            export(store, tmp_path / "out")
        store.base.run("DELETE FROM crops")
    names = {path.name for path in tmp_path.iterdir()}
    assert names <= {"queue.db", "queue.db-wal", "queue.db-shm"}
    with ReviewStore(tmp_path / "empty.db", create=True) as store:
        store.add([item(1)])
        with pytest.raises(ConfigError, match="there is nothing to export"):
            export(store, tmp_path / "out")
        (tmp_path / "there").mkdir()
        with pytest.raises(ConfigError, match="there exists; give another folder"):
            export(store, tmp_path / "there")
        with pytest.raises(ConfigError, match="cannot be written"):
            export(store, tmp_path / "empty.db" / "out")
    assert not (tmp_path / "out").exists()


def test_the_crop_of_a_line_is_read_as_it_was_written(tmp_path: Path):
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        store.add([item(1, "305")])
        store.record("answer-1", "person-1", Action.TEXT, 1, "305")
        export(store, tmp_path / "out")
    line = LineFolder(tmp_path / "out" / "lines").line(0)
    assert line.spans == () and line.pixels.min() == drawn("305").min()
