"""Names of files that hurt: not Unicode, orders to a terminal, turned writing, formulas, HTML, dollars."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from digitscope.datasets.load import load_dataset
from digitscope.datasets.lookup import digit_named
from digitscope.datasets.mnist import load_mnist
from digitscope.formatting import cell, cell_text, file_name
from digitscope.io.exporters import CSV_HEAD, csv_rows
from digitscope.io.page import Page
from digitscope.reading.results import open_results
from digitscope.web.lens.single_file import self_contained

NAME = b"<img src=x onerror=alert(1)>$\\frac{$\xff\x1b[31m\xe2\x80\xae"
"""Not UTF-8, HTML, a formula that matplotlib cannot set, red for the terminal, and writing from right to left."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")


def unseen(text: str) -> list[str]:
    """The characters of a text that a terminal would obey, or that would hide what is written."""
    return [letter for letter in text.replace("\n", "") if not letter.isprintable()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """A dataset of 200 digits; its own name, and those of all files in it, are hostile."""
    (images, labels), _ = load_mnist()
    root = os.fsencode(tmp_path_factory.mktemp("names")) + b"/" + NAME
    for number in range(200):
        place = root + b"/%d" % labels[number]
        Path(os.fsdecode(place)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[number]).save(os.fsdecode(place + b"/" + NAME.replace(b"<", b"=") + b"%d.png" % number))
    yield root


def run(*words: object) -> tuple[int, str, str]:
    program = [sys.executable, "-c", "from digitscope.cli import main; main()", *words]
    done = subprocess.run(program, capture_output=True, check=False)
    said = done.stdout.decode(), done.stderr.decode()
    assert not unseen(said[0]) and not unseen(said[1]) and "Traceback" not in said[1], said
    return done.returncode, *said


def test_a_dataset_has_places_that_can_be_shown_and_looked_up(folder: bytes):
    data = load_dataset(os.fsdecode(folder))
    texts = [data.name, data.description, *data.warnings, *data.places_train, *data.places_test]
    assert not [text for text in texts if unseen(text)]
    place = data.place(3)
    path = next(path for path in Path(os.fsdecode(folder)).glob("*/*") if file_name(str(path)) == place)
    for name in (place, str(path)):
        assert (digit_named(name, data).pixels == data.x_test[3]).all()


@pytest.mark.slow
def test_a_network_learns_from_it_and_is_reported_and_compared(folder: bytes, tmp_path: Path):
    out = os.fsencode(tmp_path) + b"/run" + NAME
    code, _, said = run("train", "--data", folder, "--recipe", "fast", "--epochs", "1", "--out", out, "--page")
    assert code == 0, said
    for name in (b"report.html", b"lens.html"):
        text = Path(os.fsdecode(out + b"/" + name)).read_text(encoding="utf-8")
        assert "<img src=x" not in text, name
    for words in (["compare", out, "classic", "--out", os.fsencode(tmp_path) + b"/" + NAME], ["runs", tmp_path],
                  ["evaluate", out], ["look", "test:3", "--model", out, "--out", tmp_path / "look"]):  # fmt: skip
        assert run(*words)[0] == 0, words


def test_the_reader_names_such_files_harmlessly(folder: bytes):
    for form in ("text", "csv", "jsonl"):
        code, said, _ = run("read", "--single", "--format", form, folder + b"/0", NAME.replace(b"[", b""))
        assert code == 2 and "does not exist" in said


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0.png", "+1.png", "-1+2.png", "@sum(1).png", "＝1+2.png", "'=x.png"]
)
def test_no_name_becomes_a_formula_and_resuming_still_knows_it(name: str, tmp_path: Path):
    pages = [Page(one, 1, 0, 0, 0, (), 0.0, f"{one} is damaged") for one in (name, "last.png")]
    with open_results(tmp_path / "a.csv", "csv") as results:
        for page in pages:
            results.add([page])
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text(encoding="utf-8"))))
    for row in rows:
        assert not [value for value in row.values() if value[:1] in tuple("=+-@＝\t\r")]
    assert cell_text(rows[0]["file"]) == name
    with open_results(tmp_path / "a.csv", "csv", resume=True) as results:
        assert name in results.done and "last.png" not in results.done


def test_a_cell_gives_back_every_text():
    texts = ["", "-", "=", "=1", "'=1", "''=1", "'", "'a'", "-1", "+1.5", "-1,234.50", "-1+1", "a=1", "@x", "\t1"]
    assert [cell_text(cell(text)) for text in texts] == texts
    assert [text for text in texts if cell(text) != text] == ["=1", "'=1", "''=1", "-1+1", "@x", "\t1"]
    assert "file" in CSV_HEAD and csv_rows([Page("-", 1, 1, 1, 0, (), 0.0)]).startswith("-,1,")


def test_names_become_text_in_report_and_page():
    script = "</script><script>alert(1)</script>"
    index = '<meta charset="utf-8"><script type="application/json" data-file="a.json"></script>'
    page = self_contained({"index.html": index, "a.json": f'{{"name": "{script}"}}'})
    assert script not in page and "\\u003c/script>" in page


def test_marks_that_turn_the_writing_are_shown_as_what_they_are():
    for mark in "\u202a\u202b\u202d\u202e\u202c\u2066\u2067\u2068\u2069\x9b\x7f\u2028":
        assert file_name(f"a{mark}gnp.exe") == repr(f"a{mark}gnp.exe")
    for name in ("größe.png", "Screenshot 3.04\u202fPM.png", "٣.png", "👩\u200d🏫.png"):
        assert file_name(name) == name
