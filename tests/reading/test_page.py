"""Reading lines and pages: the machinery with engines made for the test, the reading with the shipped one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import line_drawings
from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError, ModelError
from digitscope.io.elements import Number
from digitscope.io.image import load_picture
from digitscope.preprocessing.line import ALPHABET, CLASSES
from digitscope.reading.constraint import Constraint
from digitscope.reading.detection import Strip
from digitscope.reading.engine import View
from digitscope.reading.engine_own import LineModel
from digitscope.reading.numbers import PART
from digitscope.reading.page import LONGEST, UNCERTAIN, PageReader
from digitscope.reading.recognition import calibrated
from line_drawings import HANDS, on_paper


class Spelling:
    """An engine that says the same text about every strip, each character in the middle of an equal part."""

    def __init__(self, text: str, sure: float = 0.99) -> None:
        self.text, self.sure = text, sure

    def look(self, strip: Strip) -> list[View]:
        columns = max(1, 3 * len(self.text))
        table = np.full((columns, CLASSES), (1 - self.sure) / (CLASSES - 1), np.float32)
        classes = np.zeros(columns, int)
        classes[1::3] = [ALPHABET.index(c) + 1 for c in self.text] or 0
        table[np.arange(columns), classes] = self.sure
        return [View(table, 0.0, strip.pixels.shape[1] / columns)]


def numbers(reader: PageReader, pixels: np.ndarray, **options) -> tuple[Number, ...]:
    return reader.numbers(load_picture(pixels, LONGEST), **options)[1]


def written(indices: list[int], gap: int = 8, margin: int = 12) -> np.ndarray:
    """MNIST test digits side by side on grey paper, 56 pixels high each; uint8."""
    digits, _ = load_mnist()[1]
    row = np.concatenate([np.pad(digits[i][:, 2:-2], ((0, 0), (0, gap // 2))) for i in indices], axis=1)
    ink = cv2.resize(row, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    ink = np.pad(ink, ((margin, margin), (2 * margin, 2 * margin)))
    return (225 - 0.75 * ink.astype(np.float32)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def reader() -> PageReader:
    return PageReader()


def test_a_number_has_text_digits_boxes_and_probabilities():
    (number,) = numbers(PageReader([Spelling("407")], sure=0.5), written([4, 3, 17]))
    assert number.text == number.best_guess == number.written == "407" and not number.refused
    assert [digit.text for digit in number.digits] == ["4", "0", "7"]
    lefts = [digit.box.x for digit in number.digits]
    assert lefts == sorted(lefts)
    for digit in number.digits:
        assert sum(digit.probabilities) == pytest.approx(1, abs=1e-3)
        assert digit.box.width > 0 and digit.box.height > 20


def test_separators_are_written_and_not_in_the_text():
    pixels = written([4, 3, 17, 5])
    pixels[:, 82:128] = 225
    pixels[58:64, 102:108] = 60
    (number,) = numbers(PageReader([Placed("4.07", np.array([47, 105, 157, 217]))], sure=0.5), pixels)
    assert (number.text, number.written.replace(" ", "")) == ("407", "4.07")


def test_wide_gaps_are_blanks_and_wider_ones_part_numbers():
    row = np.delete(written([4, 3]), slice(66, 84), axis=1)[:, 28:-34]
    for gap, expected in ((24, ["42 07"]), (50, ["42", "07"])):
        pixels = np.concatenate([row, np.full((row.shape[0], gap), 225, np.uint8), row], axis=1)
        engine = Placed("4207", np.array([20, 56, 20 + row.shape[1] + gap, 56 + row.shape[1] + gap]))
        assert [number.written for number in numbers(PageReader([engine]), pixels)] == expected
        joined = numbers(PageReader([engine]), pixels, constraint=Constraint(length=4))
        assert [number.best_guess for number in joined] == ["4207"]


class Placed(Spelling):
    """An engine that says each character at a place, in pixels of the strip."""

    def __init__(self, text: str, at: np.ndarray) -> None:
        super().__init__(text)
        self.at = at

    def look(self, strip: Strip) -> list[View]:
        columns = strip.pixels.shape[1] // 2
        table = np.full((columns, CLASSES), 1e-4, np.float32)
        table[:, 0] = 1
        for character, x in zip(self.text, self.at, strict=True):
            table[round(x / 2)] = 1e-4
            table[round(x / 2), ALPHABET.index(character) + 1] = 1
        return [View(table / table.sum(axis=1, keepdims=True), 0.0, 2.0)]


def test_nothing_written_is_no_number():
    assert numbers(PageReader([Spelling("")]), written([4, 3])) == ()


def test_an_unsure_engine_is_refused_with_its_best_guess():
    (number,) = numbers(PageReader([Spelling("12", sure=0.6)], sure=0.9999), written([4, 3]))
    assert (number.text, number.best_guess, number.reason) == (None, "12", UNCERTAIN)


def test_engines_are_weighed_against_each_other():
    sure, unsure = Spelling("12", 0.999), Spelling("72", 0.5)
    for engines in ([unsure, sure], [sure, unsure]):
        assert numbers(PageReader(engines), written([4, 3]))[0].best_guess == "12"


def test_a_constraint_is_kept():
    (number,) = numbers(PageReader([Spelling("123", 0.6)]), written([4, 3]), constraint=Constraint(length=2))
    assert len(number.best_guess) == 2


def test_rotations_other_than_quarter_turns_are_refused():
    with pytest.raises(ConfigError, match="quarter"):
        numbers(PageReader([Spelling("1")]), written([4]), rotate=45)


def test_unknown_engines_and_files_are_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="own or ocr"):
        PageReader("magic")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"bad\.onnx"):
        LineModel(tmp_path / "bad.onnx")


def test_confidence_grows_with_the_score():
    values = [calibrated(score) for score in np.linspace(0, 1, 21)]
    assert values == sorted(values) and 0 <= values[0] < values[-1] <= 1


def test_the_shipped_model_reads_lines_of_test_digits(reader: PageReader):
    _, labels = load_mnist()[1]
    rng = np.random.default_rng(0)
    right = 0
    for _ in range(60):
        chosen = [int(i) for i in rng.integers(0, 10_000, int(rng.integers(2, 8)))]
        right += reader.reading(written(chosen)).best == "".join(str(labels[i]) for i in chosen)
    assert right >= 48


def test_the_shipped_model_reads_a_page_of_lines(reader: PageReader):
    page = np.full((600, 700), 225, np.uint8)
    for number, row in enumerate((60, 250, 440)):
        line = written([5 * number + k for k in range(5)])
        page[row : row + line.shape[0], 80 : 80 + line.shape[1]] = line
    found = numbers(reader, page, rotate=0)
    assert [number.line for number in found] == [0, 1, 2]
    tops = [number.box.y for number in found if number.box]
    assert tops == sorted(tops) and all(abs(top - row) < 40 for top, row in zip(tops, (60, 250, 440), strict=True))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_boxes_stay_on_the_page_where_its_edge_cuts_digits(reader: PageReader, degrees: int):
    upright = np.full((500, 700), 225, np.uint8)
    line = written([4, 3, 17, 3])
    upright[:50, :227] = line[30:, 45:]
    upright[-50:, -170:] = line[:50, :170]
    pixels = np.ascontiguousarray(np.rot90(upright, -degrees // 90))
    height, width = pixels.shape
    found = numbers(reader, pixels, rotate=degrees)
    edges = set()
    for box in [box for number in found for box in (number.box, *(digit.box for digit in number.digits))]:
        assert 0 <= box.x < box.x + box.width <= width and 0 <= box.y < box.y + box.height <= height
        edges |= {box.x == 0, 2 * (box.y == 0), 3 * (box.x + box.width == width), 4 * (box.y + box.height == height)}
    assert edges - {0} == {1, 2, 3, 4}, "the digits reach all four edges"


@pytest.mark.parametrize("kind", ["white", "black", "noise", "pixel", "strip"])
def test_nothing_there_is_no_number(reader: PageReader, kind: str):
    pixels = {
        "white": np.full((400, 600), 255, np.uint8),
        "black": np.zeros((50, 200), np.uint8),
        "noise": np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8),
        "pixel": np.zeros((1, 1), np.uint8),
        "strip": np.full((1, 3000), 90, np.uint8),
    }[kind]
    assert not any(number.text for number in numbers(reader, pixels))


@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize(
    ("text", "angle", "shape"),
    [("178", 24, (420, 460)), ("178", 28, (420, 460)), ("178", -28, (420, 460)), ("1624", 28, (420, 460)),
     ("153", 22, (200, 460)), ("153", -20, (200, 460))],
)  # fmt: skip
def test_a_number_that_rises_or_falls_steeply_keeps_its_first_digit(
    reader: PageReader, hand: str, text: str, angle: int, shape: tuple[int, int]
):
    width = line_drawings.strokes(text, hand, gap=0.3)[1]
    ink = line_drawings.page(shape, [(text, (shape[1] - width) / 2, shape[0] / 2 - 22)], hand, gap=0.3)
    size = 1.5 if shape[0] > 400 else 1.25
    matrix = cv2.getRotationMatrix2D((shape[1] / 2, shape[0] / 2), angle, size)
    (number,) = numbers(reader, on_paper(cv2.warpAffine(ink, matrix, shape[::-1]), "grey"))
    assert (number.best_guess, number.reason) == (text, None)


def test_beside_a_line_that_is_not_read_surely_a_number_is_a_part():
    """Two lines side by side that are not level: the second may be the rest of the first."""
    pixels = np.full((400, 500), 225, np.uint8)
    digits = written([4, 3])[12:-12, 24:-24]
    height, width = digits.shape
    for x, y in ((60, 100), (60 + width + 4, 100 + round(0.7 * height)), (60, 300)):
        pixels[y : y + height, x : x + width] = np.minimum(pixels[y : y + height, x : x + width], digits)

    class Sure(Spelling):
        """Sure of every line but the second from above."""

        def look(self, strip: Strip) -> list[View]:
            self.sure = 0.3 if 110 < strip.box.y < 200 else 0.99
            return super().look(strip)

    found = numbers(PageReader([Sure("42")], sure=0.6), pixels, rotate=0)
    assert [(number.text, number.reason) for number in found] == [(None, PART), (None, UNCERTAIN), ("42", None)]


def test_a_one_does_not_turn_a_page():
    """A 1 on a turned page may be a dash; other digits decide."""

    class Turned(Spelling):
        """Reads nothing on lines that are wider than high, and its text on others."""

        def look(self, strip: Strip) -> list[View]:
            height, width = strip.pixels.shape[:2]
            return Spelling(self.text if height > width else "").look(strip)

    pixels = np.full((500, 420), 225, np.uint8)
    pixels[240:250, 60:300] = 60
    assert PageReader([Turned("1")]).numbers(load_picture(pixels, LONGEST)) == (0, ())
    degrees, found = PageReader([Turned("7")]).numbers(load_picture(pixels, LONGEST))
    assert degrees in (90, 270) and [number.best_guess for number in found] == ["7"]
