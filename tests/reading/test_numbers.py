"""Where a number ends: marks between digits, bars of tables, wide gaps, and what may be missing at an end."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitscope.io.elements import Number
from digitscope.io.image import load_picture
from digitscope.reading.constraint import Constraint
from digitscope.reading.layout import MARK, Character
from digitscope.reading.numbers import MARKS, PART, SEVERAL, TOO_LARGE, parted
from digitscope.reading.page import LONGEST, UNCERTAIN, PageReader
from line_drawings import HANDS, PAPERS, SIZE, line, on_paper, page, strokes


@pytest.fixture(scope="module")
def reader() -> PageReader:
    return PageReader()


def numbers(reader: PageReader, pixels: np.ndarray, **options) -> tuple[Number, ...]:
    return reader.numbers(load_picture(pixels, LONGEST), **options)[1]


def texts(reader: PageReader, pixels: np.ndarray) -> list[str | None]:
    return [number.text for number in numbers(reader, pixels)]


@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("text", ["63÷7", "82:46", "25#48"])
def test_a_mark_between_two_numbers_is_not_swallowed(reader: PageReader, hand: str, paper: str, text: str):
    mark = next(character for character in text if not character.isdigit())
    assert texts(reader, on_paper(line(text, hand, gap=0.25), paper)) == text.split(mark)


@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize("paper", ["white", "squared"])
def test_the_same_digits_without_a_mark_are_one_number(reader: PageReader, hand: str, paper: str):
    for text in ("637", "8246", "25-48", "2,548"):
        (number,) = numbers(reader, on_paper(line(text, hand, gap=0.25), paper))
        assert number.best_guess == "".join(filter(str.isdigit, text))


def test_a_line_that_must_be_one_number_is_refused_if_a_mark_stands_in_it(reader: PageReader):
    pixels = on_paper(line("63÷7", gap=0.25))
    (number,) = numbers(reader, pixels, constraint=Constraint(length=3))
    assert (number.text, number.best_guess, number.reason) == (None, "637", MARKS)
    (plain,) = numbers(reader, on_paper(line("637", gap=0.25)), constraint=Constraint(length=3))
    assert plain.text == "637"


@pytest.mark.parametrize("hand", ["thin", "bold"])
@pytest.mark.parametrize("paper", ["white", "grey", "dark"])
def test_numbers_that_stand_apart_are_several(reader: PageReader, hand: str, paper: str):
    assert texts(reader, on_paper(line("123 456 789", hand, wide=1.3), paper)) == ["123", "456", "789"]
    assert texts(reader, on_paper(line("12 345", hand, wide=0.25), paper)) == ["12345"], "a thin space parts thousands"


@pytest.mark.parametrize("paper", ["white", "dark"])
@pytest.mark.parametrize("hand", ["thin", "bold"])
def test_the_bars_of_a_table_are_no_digits(reader: PageReader, hand: str, paper: str):
    found = numbers(reader, on_paper(line("|83|52|64|", hand, gap=0.35), paper))
    assert [number.best_guess for number in found] == ["83", "52", "64"]


def test_bars_above_each_other_are_a_column_and_a_list_of_ones_is_not(reader: PageReader):
    """Beside digits of its own height, nothing tells a bar from a 1 but the bars above and below it."""
    rows = [(text, 60.0, 60.0 + 70 * row) for row, text in enumerate(("35", "28", "64", "93"))]
    ink = page((400, 300), rows, "thin", gap=0.3)
    for row in range(4):
        cv2.line(ink, (150, 60 + 70 * row), (150, 106 + 70 * row), 255, 2)
    assert [number.best_guess for number in numbers(reader, on_paper(ink))] == ["35", "28", "64", "93"]
    ink = page((560, 300), [("1", 100, 60 + 110.0 * row) for row in range(4)], "thin")
    assert [number.best_guess for number in numbers(reader, on_paper(ink))] == ["1"] * 4


@pytest.mark.parametrize("paper", ["white", "grey"])
def test_a_page_of_dashes_has_no_number_and_is_not_turned(reader: PageReader, paper: str):
    ink = np.zeros((800, 620), np.uint8)
    rng = np.random.default_rng(1)
    for x in range(30, 590, 80):
        for y in range(40, 780, 90):
            cv2.line(ink, (x, y + int(rng.integers(3))), (x + 38, y + int(rng.integers(3))), 255, 4, cv2.LINE_AA)
    degrees, found = reader.numbers(load_picture(on_paper(ink, paper), LONGEST))
    assert degrees == 0 and [number.text for number in found if number.text] == []


def placed(text: str, gaps: dict[int, float] | None = None, hints: dict[int, float] | None = None) -> list[Character]:
    """Characters 10 pixels high and 6 wide, 2 apart; wider before the places in ``gaps``."""
    found, x = [], 0.0
    for place, character in enumerate(text):
        x += (gaps or {}).get(place, 2.0)
        shares = np.zeros(10, np.float32)
        shares[int(character) if character.isdigit() else 7] = float(character.isdigit()) or (hints or {}).get(place, 0)
        found.append(Character(character, x, 0.0, x + 6, 10.0, shares))
        x += 6
    return found


@pytest.mark.parametrize(
    ("text", "gaps", "expected"),
    [
        ("1234", {2: 10.5}, ["12", "34"]),
        ("1234", {2: 9.0}, ["12 34"]),
        ("1234", {1: 10.5, 2: 10.5, 3: 10.5}, ["1234"]),
        ("12", {1: 12.0}, ["1 2"]),
        ("12", {1: 17.0}, ["1", "2"]),
        ("1.2", {1: 12.0, 2: 12.0}, ["1.", "2"]),
        ("1.2", {2: 12.0}, ["1.2"]),
        ("12=34=", {}, ["12", "34="]),
        (f"12{MARK}34", {}, ["12", "34"]),
        (f"{MARK}12{MARK}", {}, ["12"]),
    ],
)
def test_where_a_number_ends(text: str, gaps: dict[int, float], expected: list[str]):
    found = parted(placed(text, gaps))
    assert [run.written for run in found] == expected
    assert all(run.reason is None for run in found)


def test_a_mark_that_may_be_a_digit_makes_its_neighbours_parts():
    (run,) = parted(placed(f"12{MARK}", hints={2: 0.2}))
    assert run.reason == PART
    (far,) = parted(placed(f"12{MARK}", {2: 15.0}, {2: 0.2}))
    assert far.reason is None, "it is too far away"
    left, right = parted(placed(f"1{MARK}2", hints={1: 0.2}))
    assert left.reason == right.reason == PART
    assert parted(placed(f"12{MARK}", hints={2: 0.2}), Constraint(length=2))[0].reason == PART


def test_what_is_torn_at_its_end_is_refused_there():
    assert [run.reason for run in parted(placed(f"1{MARK}2"), torn=(True, False))] == [PART, None]
    assert [run.reason for run in parted(placed(f"1{MARK}2"), torn=(False, True))] == [None, PART]
    assert parted(placed("12"), Constraint(length=2), (True, True))[0].reason is None, "nothing can be missing"
    assert parted(placed("12"), Constraint(max_value=99), (True, True))[0].reason == PART


def test_a_pattern_may_name_marks():
    line = placed(f"{MARK}12{MARK}34")
    assert parted(line, Constraint(pattern="(##)##"))[0].reason is None
    assert parted(line, Constraint(pattern="##-##"))[0].reason == MARKS


@pytest.mark.parametrize(
    ("written", "pattern", "reason"),
    [
        ("28.11.2026", "##.##.####", None),
        ("28112026", "##.##.####", None),
        ("28.112026", "##.##.####", None),
        ("-28.11.2026.", "##.##.####", None),
        ("28.11.2026", "####-####", MARKS),
        ("28.11.2026", "########", MARKS),
        ("28-11.2026", "##.##.####", MARKS),
        ("28.11.2026", "(##)##.####", MARKS),
    ],
)
def test_a_number_has_no_other_separators_than_its_pattern(written: str, pattern: str, reason: str | None):
    (run,) = parted(placed(written), Constraint(pattern=pattern))
    assert (run.reason, run.written) == (reason, written)


@pytest.mark.parametrize("hand", ["thin", "bold"])
def test_a_date_is_read_by_its_own_pattern_alone(reader: PageReader, hand: str):
    pixels = on_paper(line("28.11.2426", hand))
    (right,) = numbers(reader, pixels, constraint=Constraint(pattern="##.##.####"))
    (wrong,) = numbers(reader, pixels, constraint=Constraint(pattern="####-####"))
    assert right.text == wrong.best_guess == "28112426"
    assert (wrong.text, wrong.reason) == (None, MARKS)


def test_below_a_maximum_several_numbers_on_a_line_stay_several(reader: PageReader):
    pixels = on_paper(line("12 345", "thin", wide=1.3))
    for most, reasons in ((99_999, [None, None]), (345, [None, None]), (100, [None, TOO_LARGE])):
        found = numbers(reader, pixels, constraint=Constraint(max_value=most))
        assert [number.best_guess for number in found] == ["12", "345"]
        assert [number.reason for number in found] == reasons
    (one,) = numbers(reader, on_paper(line("12345", "thin")), constraint=Constraint(max_value=99_999))
    assert one.text == "12345"


def test_a_gap_between_numbers_is_allowed_where_the_pattern_has_something():
    apart = placed("1234", {2: 10.5})
    for known in ({"length": 4}, {"pattern": "####"}, {"pattern": "#-###"}):
        (run,) = parted(apart, Constraint(**known))
        assert (run.written.replace(" ", ""), run.reason) == ("1234", SEVERAL)
    for known in ({"pattern": "##-##"}, {"pattern": "## ##"}):
        assert parted(apart, Constraint(**known))[0].reason is None
    assert parted(placed("1234", {2: 9.0}), Constraint(length=4))[0].reason is None, "a blank within a number"


@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize("gap", [0.5, 1.0, 1.5, 2.0])
def test_digits_in_the_boxes_of_a_form_are_one_number(reader: PageReader, hand: str, gap: float):
    """The digits stand in the middle of boxes that are wider than they are, by ``gap`` times the width of a digit."""
    step = 0.6 * SIZE * (1 + gap)
    for text in ("11", "74", "115", "1734", "28649135"):
        middles = [SIZE / 2 + step * (place + 0.5) for place in range(len(text))]
        at = [(one, x - strokes(one, hand)[1] / 2, SIZE / 2) for one, x in zip(text, middles, strict=True)]
        ink = page((2 * SIZE, round(step * len(text)) + SIZE), at, hand)
        (number,) = numbers(reader, on_paper(ink), rotate=0, constraint=Constraint(length=len(text)))
        assert number.reason in (None, UNCERTAIN), number


@pytest.mark.parametrize("known", [{"max_value": 100}, {"length": 2}, {"length": 5}, {"pattern": "##-##-##"}])
def test_what_is_known_about_the_numbers_does_not_turn_the_page(reader: PageReader, known: dict):
    rows = [(text, 100.0, 60.0 + 120 * row) for row, text in enumerate(("4827", "9135", "1726", "3554", "6291"))]
    upright = load_picture(on_paper(page((700, 700), rows, "thin")), LONGEST)
    degrees, found = reader.numbers(upright, constraint=Constraint(**known))
    assert (degrees, len(found), [number.text for number in found if number.text]) == (0, 5, [])
