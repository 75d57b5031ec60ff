"""Lines of which something is known beforehand; and how often the networks of engine ``ocr`` look at a line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitscope.preprocessing.line import CLASSES
from digitscope.reading import recognition
from digitscope.reading.constraint import Constraint
from digitscope.reading.detection import Strip
from digitscope.reading.engine import View
from digitscope.reading.numbers import MARKS
from digitscope.reading.reader import Reader
from digitscope.reading.recognition import LineReader, Reading, calibrated

PAGES = Path(__file__).parents[2] / "examples" / "pages"


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(engine="own")


@pytest.mark.parametrize(
    "known", [{"length": 6}, {"pattern": "#,###.##"}, {"max_value": 248_650}, {"pattern": "24##.##"}]
)
def test_what_is_true_of_a_number_makes_it_surer(reader: Reader, known: dict):
    (free,), (number,) = (reader.read(PAGES / "amount.png", **what).numbers for what in ({}, known))
    assert (number.text, free.text) == ("248650", "248650")
    assert number.confidence >= free.confidence


@pytest.mark.parametrize("pattern", ["####-##", "######", "24####"])
def test_another_separator_than_that_of_the_pattern_is_refused(reader: Reader, pattern: str):
    (number,) = reader.read(PAGES / "amount.png", pattern=pattern).numbers
    assert (number.text, number.best_guess, number.written, number.reason) == (None, "248650", "2486.50", MARKS)


def test_what_is_known_decides_where_the_writing_leaves_it_open(reader: Reader):
    (free,), (number,) = (reader.read(PAGES / "form.png", **what).numbers for what in ({}, {"length": 5}))
    assert free.best_guess == number.best_guess == "50937"
    assert free.confidence < 0.6 and number.confidence > 0.8


@pytest.mark.parametrize(
    "known", [{"length": n} for n in (1, 2, 4, 5, 7, 8)] + [{"max_value": n} for n in (9, 100, 99_999)]
)
def test_what_is_not_true_of_a_number_is_no_reason_to_be_sure(reader: Reader, known: dict):
    """The only text that fits is not therefore right."""
    for number in reader.read(PAGES / "amount.png", **known).numbers:
        assert (number.text, number.confidence < 0.5) == (None, True)
        assert Constraint(**known).fits(number.best_guess) or number.best_guess == "248650", "as far as there is one"
        assert number.digit_probability > 0.8, "something is written there all the same"


def test_no_number_is_left_out_because_it_has_another_form(reader: Reader):
    free, known = (reader.read(PAGES / "numbers.jpg", **what).numbers for what in ({}, {"length": 5}))
    assert len(free) == len(known) == 14
    for one, other in zip(free, known, strict=True):
        if len(one.best_guess) != 5:
            assert other.refused
        elif not one.refused:
            assert other.text == one.text


@pytest.mark.parametrize("known", [{"length": 3}, {"length": 1}, {"pattern": "##-##"}, {"max_value": 50}])
@pytest.mark.parametrize("seed", range(3))
def test_paper_without_writing_stays_empty(reader: Reader, known: dict, seed: int):
    noise = np.random.default_rng(seed).normal(200, 12, (60, 240)).clip(0, 255).astype(np.uint8)
    for pixels in (noise, np.full((60, 240), 230, np.uint8)):
        assert all(number.refused for number in reader.read(pixels, **known).numbers)


def test_a_word_does_not_become_a_number_because_one_is_expected(reader: Reader):
    paper = np.full((80, 420), 235, np.uint8)
    cv2.putText(paper, "hello world", (20, 52), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 40, 3, cv2.LINE_AA)
    for length in (1, 2, 3, 4):
        assert all(number.refused for number in reader.read(paper, length=length).numbers)


class Says:
    """Stands for a network: it answers with one text at every look, with others when it looks again."""

    def __init__(self, *texts: str, again: str = "") -> None:
        self.views, self.again, self.looks = [view(text) for text in texts], view(again), 0

    def look(self, strip: Strip) -> list[View]:
        self.looks += 1
        return self.views

    def look_again(self, strip: Strip) -> list[View]:
        self.looks += 1
        return [self.again]


def view(text: str, sure: float = 0.9) -> View:
    """Columns in which a text is nearly certain."""
    columns = np.full((2 * max(len(text), 1) + 1, CLASSES), (1 - sure) / (CLASSES - 1), np.float32)
    columns[::2, 0] = sure
    for place, digit in enumerate(text):
        columns[2 * place + 1, int(digit) + 1] = sure
    return View(columns, 0.0, 10.0)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch):
    """Reads a line with engine ``ocr``, whose networks are stand-ins."""

    def read(ocr: Says, own: Says, constraint: Constraint | None = None) -> tuple[Reading, str, float]:
        monkeypatch.setattr(recognition, "OcrModel", lambda: ocr)
        monkeypatch.setattr(recognition, "LineModel", lambda: own)
        reader = LineReader("ocr")
        reading = reader.read(Strip.of(np.full((40, 130), 200, np.uint8)), constraint)
        return reading, reader.calibration(reading), reader.confidence(reading)

    return read


@pytest.mark.parametrize("views", [("4711", "4711"), ("4711", "471"), ("471", "4711")])
def test_one_look_is_enough_where_both_networks_have_a_view_of_the_same_text(both, views: tuple[str, str]):
    ocr = Says("4711", again="99")
    reading, calibration, confidence = both(ocr, Says(*views))
    assert (ocr.looks, reading.best, reading.agreed, calibration) == (1, "4711", True, "ocr")
    assert confidence == calibrated(reading.score, "ocr") > calibrated(reading.score, "ocr at odds")


def test_where_they_are_at_odds_the_network_looks_again(both):
    """Its second look decides; a text that only one of the two networks reads is not trusted."""
    ocr, own = Says("4711", again="4711"), Says("471", "471")
    reading, calibration, confidence = both(ocr, own)
    assert (ocr.looks, own.looks, reading.best, reading.agreed, calibration) == (2, 1, "4711", False, "ocr at odds")
    assert confidence < 0.9


def test_where_the_second_look_brings_them_together_the_text_is_trusted(both):
    ocr = Says("4711", again="471")
    reading, calibration, _ = both(ocr, Says("471", "471"))
    assert (ocr.looks, reading.best, reading.agreed, calibration) == (2, "471", True, "ocr")


def test_a_line_on_which_both_see_no_digit_is_looked_at_once(both):
    ocr = Says("")
    reading, _, _ = both(ocr, Says("", ""))
    assert (ocr.looks, reading.best) == (1, "")
    assert reading.digit_probability < 0.5


def test_what_both_read_but_nobody_expects_is_looked_at_again(both):
    """With a given length the best text is one that fits, and no view favours it."""
    ocr = Says("4711", again="4711")
    reading, calibration, confidence = both(ocr, Says("4711", "4711"), Constraint(length=3))
    assert (ocr.looks, len(reading.best), calibration) == (2, 3, "ocr forced")
    assert confidence < 0.9


def test_the_own_engine_looks_once_whatever_its_views_say(monkeypatch: pytest.MonkeyPatch):
    own = Says("12", "13")
    monkeypatch.setattr(recognition, "LineModel", lambda: own)
    reader = LineReader("own")
    reading = reader.read(Strip.of(np.full((40, 130), 200, np.uint8)))
    assert (own.looks, reader.calibration(reading)) == (1, "own")


def test_lines_read_under_a_constraint_have_calibrations_of_their_own(monkeypatch: pytest.MonkeyPatch):
    """The only text that fits is nearly certain before calibration; what was measured on such lines decides."""
    monkeypatch.setattr(recognition, "LineModel", lambda: Says("189", "1789"))
    reader = LineReader("own")
    strip = Strip.of(np.full((40, 130), 200, np.uint8))
    free = reader.read(strip)
    given, forced = reader.read(strip, Constraint(length=len(free.best))), reader.read(strip, Constraint(length=2))
    assert [reader.calibration(one) for one in (free, given, forced)] == ["own", "own given", "own forced"]
    assert given.best == free.best and given.score > free.score
    assert reader.confidence(given) == calibrated(given.score, "own given")
    for one in (free, given, forced):  # more texts are proposed under a constraint, and each takes a share
        assert 0 <= reader.confidence(free) - reader.unconstrained_confidence(one) + 1e-9 < 0.03, "never surer"
    assert forced.best != free.best and reader.confidence(forced) < 0.7


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_a_text_that_only_the_constraint_chose_is_no_surer_than_one_that_it_left(both, share: float):
    reading, name, _ = both(Says("4711", again="4711"), Says("4711", "4711"), Constraint(length=3))
    assert (name, reading.known) == ("ocr forced", "forced")
    chosen = replace(reading, texts={reading.best: share})
    reader = LineReader("ocr")
    assert chosen.known == "forced"
    assert reader.confidence(chosen) <= calibrated(share, "ocr given")
