"""A digit is looked at twice, as it was written and with half of its slant removed; the answer is the mean of both."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from digitscope.datasets.mnist import load_mnist
from digitscope.io.image import load_picture
from digitscope.io.pixels import Picture
from digitscope.models.model import Model, load
from digitscope.preprocessing.field import field_of
from digitscope.preprocessing.ink import LONGEST, find_ink
from digitscope.reading.detectors import judge_of
from digitscope.reading.digit import read_digit
from digitscope.reading.out_of_distribution import digit_probability
from line_drawings import HANDS, PAPERS, on_paper, page


@cache
def model() -> Model:
    return load("robust")


def slanted(digit: np.ndarray, slant: float) -> np.ndarray:
    """An MNIST image four times as large on black; each row is shifted by ``slant`` pixels against the next."""
    matrix = np.array([[4, -4 * slant, 94 + 54 * slant], [0, 4, 0]], np.float32)
    return np.asarray(cv2.warpAffine(digit, matrix, (300, 112), flags=cv2.INTER_CUBIC))


def view_of(pixels: np.ndarray, upright: float) -> np.ndarray:
    """What the classifier sees, float32 (28, 28), with a share of the slant removed."""
    found = find_ink(pixels)
    assert found.box is not None
    return field_of(found.ink, found.box, upright).pixels


def reason(pixels: np.ndarray) -> str | None:
    return read_digit(load_picture(pixels, LONGEST), model()).reason


@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize("paper", PAPERS)
def test_what_is_small_for_its_picture_is_not_called_blank(hand: str, paper: str):
    small = page((1200, 1200), [("3", 500, 400)], hand)
    assert reason(on_paper(small, paper)) == "too small"
    rows = [(text, 60.0, 60.0 + 100 * row) for row, text in enumerate(("4827", "91", "1726", "8", "6291"))]
    assert reason(on_paper(page((1200, 1200), rows, hand), paper)) == "several digits"


@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize("paper", ["white", "grey"])
def test_the_tallest_digit_of_a_small_number_is_not_its_only_one(hand: str, paper: str):
    enlarge = np.array([[1.6, 0, 0], [0, 1.6, 0]], np.float32)
    tall = cv2.warpAffine(page((900, 900), [("6", 312, 250)], hand), enlarge, (900, 900))
    assert reason(on_paper(tall, paper)) is None
    beside = page((900, 900), [("5127", 300, 415)], hand)
    assert reason(on_paper(np.maximum(tall, beside), paper)) == "several digits"
    elsewhere = page((900, 900), [("7", 100, 800)], hand)
    assert reason(on_paper(np.maximum(tall, elsewhere), paper)) is None


@pytest.mark.parametrize("paper", PAPERS)
def test_paper_with_nothing_but_dust_is_blank(paper: str):
    dust = np.zeros((1200, 1200), np.uint8)
    for x, y in np.random.default_rng(0).integers(20, 1180, (25, 2)).tolist():
        cv2.circle(dust, (x, y), 3, 255, -1)
    assert reason(on_paper(np.zeros_like(dust), paper)) == reason(on_paper(dust, paper)) == "blank"


@pytest.mark.parametrize("slant", [-0.7, 0.0, 0.7])
def test_the_answer_is_the_mean_of_the_two_views(slant: float):
    for digit in load_mnist()[1][0][:10]:
        pixels = slanted(digit, slant)
        views = np.stack([view_of(pixels, 0.0), view_of(pixels, 0.5)])
        number = read_digit(Picture(pixels, 300, 112), model())
        wanted = model().predict(views).mean(axis=0)
        np.testing.assert_allclose(number.digits[0].probabilities, wanted, atol=1e-6)
        is_digit = digit_probability(*judge_of(model()), views).mean()
        assert number.digit_probability == pytest.approx(float(is_digit), abs=1e-6)


def test_the_second_view_halves_the_mistakes_on_digits_that_slant_a_lot():
    """At a slant of 45 degrees; two views are right where neither the first alone nor a guess would be."""
    images, labels = (part[:200] for part in load_mnist()[1])
    pictures = [slanted(image, 1.0) for image in images]
    first = model().predict(np.stack([view_of(pixels, 0.0) for pixels in pictures])).argmax(axis=1)
    both = [int(read_digit(Picture(pixels, 300, 112), model()).best_guess) for pixels in pictures]
    mistakes, fewer = int((first != labels).sum()), int((both != labels).sum())
    assert fewer <= mistakes / 2, f"{mistakes} mistakes with the first view, {fewer} with both"


@pytest.mark.parametrize("pen", [7, 12])
def test_a_digit_is_refused_if_a_line_decides_what_it_is(pen: int):
    """An upright stroke on a line of the same pen: a 1 on ruling or half of a sign. Above the line it is read."""

    def drawn(crossing: bool) -> Picture:
        page = np.full((240, 200), 235, np.uint8)
        cv2.line(page, (0, 150), (200, 147), 40, pen, cv2.LINE_AA)
        bottom = 200 if crossing else 150 - 2 * pen
        cv2.line(page, (104, 45), (98, bottom), 40, pen, cv2.LINE_AA)
        return Picture(page, 200, 240)

    crossing, beside = read_digit(drawn(True), model()), read_digit(drawn(False), model())
    assert crossing.text is None and crossing.reason in ("too uncertain", "no digit")
    assert beside.text == "1"


def test_a_digit_whose_bar_looks_like_ruling_is_not_another_digit():
    """The bar of a 4 and that of a 7 end near the rim. Without them both would be a 1, and sure."""
    for strokes, wanted in (
        ([(30, 15), (14, 130), (186, 124)], "4"),
        ([(10, 22), (188, 16), (100, 222)], "7"),
    ):
        page = np.full((240, 200), 235, np.uint8)
        cv2.polylines(page, [np.array(strokes, np.int32)], False, 40, 12, cv2.LINE_AA)
        if wanted == "4":
            cv2.line(page, (130, 75), (122, 228), 40, 12, cv2.LINE_AA)
        assert read_digit(Picture(page, 200, 240), model()).text in (wanted, None)
