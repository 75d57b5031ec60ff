"""Lines of which something is known beforehand: what helps, what is no number at all, and what contradicts it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from digitscope.reading.constraint import Constraint
from digitscope.reading.reader import Reader

PAGES = Path(__file__).parents[2] / "examples" / "pages"


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize(
    "known", [{"length": 6}, {"pattern": "####-##"}, {"max_value": 248_650}, {"pattern": "24####"}]
)
def test_what_is_true_of_a_number_makes_it_surer(reader: Reader, known: dict):
    (free,), (number,) = (reader.read(PAGES / "amount.png", **what).numbers for what in ({}, known))
    assert (number.text, free.text) == ("248650", "248650")
    assert number.confidence >= free.confidence


def test_what_is_known_decides_where_the_writing_leaves_it_open(reader: Reader):
    (free,), (number,) = (reader.read(PAGES / "form.png", **what).numbers for what in ({}, {"length": 5}))
    assert (free.text, number.text) == (None, "50937")


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
