"""What was read, as text for people, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitscope.formatting import cell_text, file_name
from digitscope.io.elements import Box, Number
from digitscope.io.exporters import CSV_HEAD, csv_rows, json_rows, text_rows
from digitscope.io.page import Page


def number(text: str, line: int = 0, confidence: float = 0.954, written: str | None = None) -> Number:
    return Number(text, text, written or text, confidence, 0.99, Box(1, 2, 30, 40), None, (), line)


def refused(guess: str, reason: str, line: int = 0) -> Number:
    return Number(None, guess, guess, 0.25 if guess else 0.0, 0.5, None, reason, (), line)


def page(*numbers: Number, file: str = "a.png", error: str | None = None) -> Page:
    return Page(file, 1, 100, 50, 90, numbers, 12.3456, error)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([], "a.png: no number\n"),
        ([number("7")], "a.png: 7  (95.4 % sure)\n"),
        ([number("007", confidence=0.9999)], "a.png: 007  (> 99.9 % sure)\n"),
        ([number("12"), number("3")], "a.png: 12  (95.4 % sure), 3  (95.4 % sure)\n"),
        ([refused("", "blank")], "a.png: refused: blank\n"),
        ([refused("41", "too uncertain")], "a.png: refused: too uncertain; best guess 41, 25.0 %\n"),
        (
            [number("12"), number("3", 2), refused("9", "too uncertain", 2)],
            "a.png:\n    12  (95.4 % sure)\n    3  (95.4 % sure), refused: too uncertain; best guess 9, 25.0 %\n",
        ),
    ],
)
def test_text(numbers: list[Number], words: str):
    assert text_rows([page(*numbers)]) == words


def test_text_of_several_pages_and_of_errors():
    pages = [page(number("1")), replace(page(error="page 2 is damaged"), page=2), replace(page(), page=3)]
    assert text_rows(pages) == (
        "a.png page 1: 1  (95.4 % sure)\na.png page 2: page 2 is damaged\na.png page 3: no number\n"
    )
    assert text_rows([]) == json_rows([]) == csv_rows([]) == ""


def test_separators_by_choice():
    pages = [page(number("7795", written="7.795")), page(Number(None, "12", "1-2", 0.3, 1.0, None, "why", ()))]
    assert text_rows(pages).splitlines() == [
        "a.png page 1: 7795  (95.4 % sure, written 7.795)",
        "a.png page 1: refused: why; best guess 12, written 1-2, 30.0 %",
    ]
    assert text_rows(pages, separators=True).splitlines() == [
        "a.png page 1: 7.795  (95.4 % sure)",
        "a.png page 1: refused: why; best guess 1-2, 30.0 %",
    ]


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))
PAGES = st.lists(
    st.builds(
        page,
        st.builds(number, st.text("0123456789", min_size=1), st.integers(0, 9), st.floats(0, 1)),
        file=NAMES,
        error=st.none() | NAMES,
    )
)


@given(PAGES)
def test_json_is_the_schema_a_line_a_page(pages: list[Page]):
    rows = json_rows(pages).encode().split(b"\n")
    assert rows.pop() == b"" and [json.loads(row) for row in rows] == [each.to_dict() for each in pages]


@given(PAGES)
def test_csv_gives_back_what_was_read(pages: list[Page]):
    text = csv_rows(pages)
    rows = list(csv.DictReader(io.StringIO(CSV_HEAD + text, newline="")))
    assert len(rows) == len(pages) == text.count("\n")
    for row, each in zip(rows, pages, strict=True):
        (only,) = each.numbers
        assert [cell_text(row[key]) for key in ("file", "text", "written", "line")] == [
            each.file, only.text, only.written, str(only.line)
        ]  # fmt: skip
        assert cell_text(row["error"]) == (each.error or "") and float(row["confidence"]) == pytest.approx(
            only.confidence, abs=1e-6
        )


def test_csv_field_by_field():
    pages = [page(number("7"), refused("41", "too uncertain", 1)), page(error='it is damaged, and, "worse"')]
    assert (CSV_HEAD + csv_rows(pages)).splitlines() == [
        "file,page,line,text,best_guess,written,confidence,digit_probability,refused,reason,x,y,width,height,rotation,"
        "engine,milliseconds,error",
        "a.png,1,0,7,7,7,0.954000,0.990000,False,,1,2,30,40,90,,12.35,",
        "a.png,1,1,,41,41,0.250000,0.500000,True,too uncertain,,,,,90,,12.35,",
        'a.png,1,,,,,,,,,,,,,90,,12.35,"it is damaged, and, ""worse"""',
    ]


@given(st.text(st.characters()))
def test_names_of_records_fit_on_a_line_and_into_unicode(file: str):
    name = file_name(file)
    name.encode("utf-8")
    assert len(name.splitlines()) <= 1 and "\x1b" not in name and name in (file, repr(file))


def test_ordinary_names_stay_as_they_are():
    for file in ("Scan 10.12 Uhr.png", "größer.pdf", "数字.tif", "'quoted'.png"):
        assert file_name(file) == file
    assert file_name("a\x1b[31m.png") != file_name("a\x1b[32m.png")
