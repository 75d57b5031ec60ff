"""Synthetic lines: deterministic, labelled truly, and varied. Skipped where the fonts were not fetched."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from digitscope.datasets.synthetic import handwriting, texts
from digitscope.datasets.synthetic import lines as synthetic
from digitscope.datasets.synthetic.glyphs import font_files, fonts_folder
from digitscope.datasets.synthetic.hand import LONGEST, Hand
from digitscope.datasets.synthetic.lines import Lines, SyntheticLine, write_samples
from digitscope.datasets.synthetic.paper import BANK_HEIGHT, BANK_WIDTH, Papers
from digitscope.datasets.synthetic.recipe import (
    CameraRecipe,
    HandRecipe,
    LineRecipe,
    PaperRecipe,
    SurroundingsRecipe,
)
from digitscope.datasets.synthetic.surroundings import add_shapes
from digitscope.errors import ConfigError, DataError
from digitscope.preprocessing.line import ALPHABET
from digitscope.reading.constraint import digits_of

SAID = ["300", "38298", "2.681", "63539266", "84", "34.333", "977", "#57.549"]
BLANK = ["", "", "VLf", "#", "", "Bill Year", "Weight", "ra"]


@pytest.fixture(scope="module")
def lines() -> Lines:
    if not (fonts_folder() / "handwritten").is_dir():
        pytest.skip("fonts were not fetched (benchmarks/fetch_fonts.py)")
    return Lines(3)


@pytest.fixture(scope="module")
def some(lines: Lines) -> list[SyntheticLine]:
    return [lines.line(number) for number in range(400)]


def test_a_line_depends_on_seed_and_number_only(lines: Lines, some: list[SyntheticLine]):
    again = lines.line(17)
    assert np.array_equal(again.pixels, some[17].pixels) and again.text == some[17].text
    assert any(line.text != some[0].text for line in some[1:])


def test_texts_are_of_the_alphabet_and_characters_in_order(some: list[SyntheticLine]):
    for line in some:
        assert set(line.text) <= set(ALPHABET)
        assert len(line.spans) == len(line.text)
        assert all(left < right for left, right in line.spans)
        starts = [left for left, _ in line.spans]
        assert starts == sorted(starts)
        assert line.pixels.dtype == np.uint8 and line.pixels.ndim == 2


def test_lines_are_varied(some: list[SyntheticLine]):
    empty = sum(not digits_of(line.text) for line in some) / len(some)
    assert 0.04 < empty < 0.2
    assert {len(digits_of(line.text)) for line in some} >= {0, 1, 2, 3, 4, 5, 6}
    assert all(str(digit) in "".join(line.text for line in some) for digit in range(10))
    darkness = [float(np.median(line.pixels)) for line in some]
    assert min(darkness) < 90 and max(darkness) > 220


def test_what_is_written_can_be_seen(some: list[SyntheticLine]):
    """The middle of a digit's span holds more contrast than paper does."""
    seen = 0
    for line in some[:100]:
        for character, (left, right) in zip(line.text, line.spans, strict=True):
            width = line.pixels.shape[1]
            start = int(np.clip(left * width, 0, width - 2))
            part = line.pixels[:, start : max(int(right * width), start + 2)]
            seen += character.isdigit() and int(np.ptp(part.astype(int))) > 10
    digits = sum(len(digits_of(line.text)) for line in some[:100])
    assert seen > 0.97 * digits


def test_the_recipe_decides_what_lines_look_like(lines: Lines):
    """Without digits, and on bare paper without anything around them, blank lines are blank."""
    bare = LineRecipe(
        empty=1,
        surroundings=SurroundingsRecipe(rule=0, upper_rule=0, box=0, rim=0, words=0, neighbours=0, shapes=0),
        paper=PaperRecipe(patterned=0, negative=0),
        camera=CameraRecipe(uneven=0, shadow=0, blur=0, noise=0, jpeg=0),
    )
    made = Lines(3, recipe=bare)
    blank = [made.line(index) for index in range(30)]
    assert not any(digits_of(line.text) for line in blank)
    assert sum(np.ptp(line.pixels) == 0 for line in blank) > 5


def test_the_same_seed_says_the_same_in_every_version():
    """The shipped reader was trained on these lines: whoever draws in another order changes all of them."""
    said = [texts.number(np.random.default_rng((0, index))) for index in range(8)]
    assert said == SAID
    blank = [texts.no_number(np.random.default_rng((0, index))) for index in range(8)]
    assert blank == BLANK


def test_shapes_fill_a_picture_without_text():
    recipe, rng = SurroundingsRecipe(), np.random.default_rng(0)
    shapes = [add_shapes(np.zeros((60, 20), np.uint8), recipe, rng) for _ in range(20)]
    assert all(one.shape[0] == 60 and 36 <= one.shape[1] <= 120 for one in shapes)
    assert sum(one.any() for one in shapes) > 15


def test_a_hand_writes_what_fits_and_says_where():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        hand = Hand(HandRecipe(), handwriting.writer(HandRecipe(), rng), False, rng)
        ink, written = hand.write("1" * 60)
        assert ink.shape[0] == hand.height and ink.shape[1] <= LONGEST
        assert 0 < len(written) < 60 and all(left < right for _, left, right in written)
        assert cv2.countNonZero(ink) > 0


def test_missing_fonts_are_named(tmp_path: Path):
    with pytest.raises(DataError, match="fetch_fonts"):
        font_files(tmp_path, "handwritten")


def test_papers_have_every_texture():
    papers = Papers(0, size=10)
    assert len(papers.textures) == 10
    for texture in papers.textures:
        assert texture.shape == (BANK_HEIGHT, BANK_WIDTH) and texture.dtype == np.float32
        assert texture.min() >= 0 and texture.max() <= 1 and texture.std() > 0.01


def test_samples_are_written_with_their_texts(lines: Lines, tmp_path: Path):
    write_samples(tmp_path / "samples", 3, seed=3)
    rows = (tmp_path / "samples" / "labels.csv").read_text().splitlines()
    assert rows[0] == "file,text" and len(rows) == 4
    for number, row in enumerate(rows[1:]):
        name, text = row.split(",", 1)
        assert (tmp_path / "samples" / name).stat().st_size > 100
        assert text.strip('"') == lines.line(number).text


def test_a_folder_that_cannot_be_made_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(synthetic, "Lines", lambda seed: None)
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "lines"):
        with pytest.raises(ConfigError, match=r"cannot be written \(.+\); give another folder$"):
            write_samples(folder, 1)
