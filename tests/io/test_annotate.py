"""The page with what was read: every label inside the picture, clear of the numbers, and told apart without colour."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitscope.errors import ConfigError, ImageError
from digitscope.io.annotate import (
    ACCEPTED,
    LONGEST_TEXT,
    NOTHING,
    REFUSED,
)
from digitscope.io.elements import Box, Digit, Number
from digitscope.io.label_layout import Mark, Sides, laid_out
from digitscope.io.notebook import NOTEBOOK_LONGEST
from digitscope.io.page import Page


def number(box: Box | None, text: str = "4711", refused: bool = False, confidence: float = 0.93) -> Number:
    """A number whose digits share its box evenly."""
    digits = ()
    if box is not None:
        step = box.width / max(1, len(text))
        digits = tuple(
            Digit(character, Box(int(box.x + at * step), box.y, max(1, int(step)), box.height), (0.1,) * 10)
            for at, character in enumerate(text)
        )
    return Number(None if refused else text, text, text, confidence, 1.0, box, "uncertain" if refused else None, digits)


def page(*numbers: Number, width: int = 600, height: int = 400, error: str | None = None) -> Page:
    return Page("a.png", 1, width, height, 0, numbers, 1.0, error)


def html_of(read: Page, pixels: np.ndarray) -> str:
    """What a notebook shows."""
    shown = replace(read, pixels=pixels)._repr_html_()
    assert shown is not None
    return shown


def paper(width: int = 600, height: int = 400) -> np.ndarray:
    return np.full((height, width, 3), 225, np.uint8)


def overlap(one: Sides, other: Sides) -> bool:
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom


sides = st.builds(
    lambda x, y, w, h: Sides(x, y, min(600, x + w), min(400, y + h)),
    st.integers(0, 590), st.integers(0, 390), st.integers(1, 300), st.integers(1, 120),
)  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(st.lists(sides, min_size=1, max_size=12), st.floats(4, 40))
def test_labels_lie_inside_and_clear_of_all_numbers_and_each_other(boxes: list[Sides], size: float):
    marks = [Mark(box, (), "12345", "98%", False) for box in boxes]
    layout = laid_out(marks, paper(), size)
    assert [spot.mark for spot in layout.spots] == marks
    for place, spot in enumerate(layout.spots):
        assert 0 <= spot.label.left < spot.label.right <= layout.size[0]
        assert 0 <= spot.label.top < spot.label.bottom <= layout.size[1]
        assert bool(spot.lead) == (spot.label.left > 600)
        assert not any(overlap(spot.label, other.frame) for other in layout.spots)
        assert not any(overlap(spot.label, other.label) for other in layout.spots[:place])


def test_a_page_with_room_keeps_its_size_and_its_labels_at_the_numbers():
    marks = [Mark(Sides(50, 80 + 100 * row, 200, 130 + 100 * row), (), "12345", "98%", False) for row in range(3)]
    layout = laid_out(marks, paper(), 20)
    assert layout.size == (600, 400)
    assert all(spot.label.bottom == spot.frame.top and spot.label.left == spot.frame.left for spot in layout.spots)


def test_a_label_goes_where_nothing_is_written():
    pixels = paper()
    pixels[150:199:6, 100:320] = 0  # something that was not read stands above the number
    (spot,) = laid_out([Mark(Sides(100, 200, 300, 250), (), "12345", "98%", False)], pixels, 20).spots
    assert spot.label.top == spot.frame.bottom


@pytest.mark.parametrize("refused", [False, True])
def test_what_is_in_the_box_stays_as_it_was(refused: bool):
    pixels = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    before = pixels.copy()
    box = Box(200, 150, 180, 70)
    plain = Number(None if refused else "4711", "4711", "4711", 0.9, 1.0, box, "uncertain" if refused else None, ())
    drawn = np.asarray(page(plain).annotated(pixels))
    assert np.array_equal(drawn[150:220, 200:380], before[150:220, 200:380])
    assert not np.array_equal(drawn, before)
    assert np.array_equal(pixels, before)


def test_accepted_and_refused_differ_in_more_than_colour():
    top = {}
    for refused in (False, True):
        drawn = page(number(Box(200, 150, 180, 70), refused=refused)).annotated(paper()).convert("L")
        rows = np.asarray(drawn)[140:150, 330:378]  # the upper line, right of its label
        row = rows[int(rows.min(axis=1).argmin())]
        top[refused] = len(np.unique(row > 200))
    assert top == {False: 1, True: 2}  # solid, and dashed


def test_boxes_follow_a_reduced_picture():
    whole = page(number(Box(2000, 1500, 1800, 700), text=""), width=6000, height=4000)
    drawn = np.asarray(whole.annotated(paper())).astype(int)
    rows, columns = np.nonzero(np.abs(drawn - ACCEPTED).sum(axis=2) == 0)
    assert abs(columns.min() - 200) < 6
    assert abs(columns.max() - 380) < 6
    assert abs(rows.max() - 220) < 6


def test_a_low_crop_is_enlarged_and_its_number_left_free():
    drawn = page(number(Box(1, 1, 78, 18), "20515"), width=80, height=20).annotated(paper(80, 20))
    assert drawn.width > 480
    assert drawn.height >= 6 * 20
    inside = np.asarray(drawn)[20:100, 20:440].astype(int)
    assert (np.abs(inside - ACCEPTED).sum(axis=2) == 0).mean() < 0.01  # no plate on it


def test_a_page_without_a_number_says_so_under_it():
    bare = page().annotated(paper())
    assert bare.width == 600
    assert bare.height > 400
    assert np.array_equal(np.asarray(bare)[1:399, 1:599], paper()[1:399, 1:599])
    assert np.asarray(bare.convert("L"))[400:].min() < 150
    refused = page(Number(None, "", "", 0.0, 0.0, None, "blank", ())).annotated(paper())
    assert refused == bare
    assert page(error="a.png is damaged; save it again").annotated(paper()) != bare


boxes = st.builds(Box, *[st.integers(-50, 10**9)] * 4)
numbers = st.builds(number, st.none() | boxes, st.text("0123456789", max_size=60), st.booleans(), st.floats(0, 1))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(numbers, max_size=6),
    st.tuples(st.integers(1, 40), st.integers(1, 400)),
    st.booleans(),
    st.integers(0, 5000),
)
def test_any_page_on_any_pixels_is_drawn(found: list[Number], shape: tuple[int, int], turned: bool, width: int):
    pixels = np.zeros(shape[::-1] if turned else shape, np.uint8)
    drawn = page(*found, width=width, height=width // 2).annotated(pixels)
    assert drawn.mode == "RGB"
    assert drawn.width >= pixels.shape[1]
    assert drawn.height >= pixels.shape[0]
    assert max(drawn.size) < 6000


def test_a_label_says_what_is_written():
    plain = number(Box(100, 100, 200, 60), "432150")
    drawn, digits, spelled = (
        np.asarray(page(one).annotated(paper()))
        for one in (replace(plain, written="4,321.50"), plain, replace(plain, text="4,321.50", written="4,321.50"))
    )
    assert np.array_equal(drawn, spelled) and not np.array_equal(drawn, digits)


def test_a_long_number_is_cut_in_its_label_and_whole_in_the_table():
    long = number(Box(10, 100, 580, 40), "1234567890" * 6)
    assert page(long).annotated(paper()).width == 600
    assert LONGEST_TEXT < 60
    assert "1234567890" * 6 in html_of(page(long), paper())


@pytest.mark.parametrize("pixels", [np.zeros((0, 5), np.uint8), np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2), int)])
def test_pixels_that_are_no_picture_are_refused(pixels: np.ndarray):
    with pytest.raises(ImageError):
        page().annotated(pixels)


class Tags(HTMLParser):
    """Whether every tag is closed, and the picture."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.picture = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag == "img":
            self.picture = dict(attrs)["src"] or ""
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_notebook_sees_the_picture_and_every_number():
    pixels = np.random.default_rng(0).integers(180, 256, (2000, 3000, 3), dtype=np.uint8)
    found = number(Box(300, 300, 900, 200)), number(Box(300, 900, 900, 200), "22", refused=True, confidence=0.9996)
    shown = html_of(page(*found, width=3000, height=2000), pixels)
    tags = Tags(shown)
    assert tags.open == []
    assert tags.seen.count("tr") == 3
    assert "<b>4711</b>" in shown
    assert "? 22" in shown
    assert "&gt; 99 %" in shown
    picture = Image.open(io.BytesIO(base64.b64decode(tags.picture.partition(",")[2])))
    assert max(picture.size) == NOTEBOOK_LONGEST
    assert len(shown) < 1_500_000


def test_nothing_of_a_record_becomes_markup():
    bad = '"><script>alert(1)</script>'
    wrong = Number(None, bad, bad, 0.5, 1.0, Box(1, 1, 9, 9), bad, ())
    for shown in (html_of(page(wrong), paper()), html_of(page(error=bad), paper())):
        assert "script" not in Tags(shown).seen
        assert Tags(shown).open == []
    assert NOTHING in html_of(page(), paper())


def test_the_colours_are_those_of_the_figures():
    canvas = pytest.importorskip("digitscope.plots.style")
    assert ["#{:02X}{:02X}{:02X}".format(*color) for color in (ACCEPTED, REFUSED)] == [canvas.BLUE, canvas.VERMILION]


def test_a_page_without_pixels_says_where_to_get_them():
    with pytest.raises(ConfigError, match=r"no pixels to show; read it with Reader\.read"):
        page().show()
    assert page()._repr_html_() is None
