"""A picture of one digit becomes an answer with a confidence, or a refusal with its reason."""

from __future__ import annotations

import csv
import json
import os
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError, ImageError
from digitscope.io.elements import Box, Number
from digitscope.io.page import Page
from digitscope.models.model import load
from digitscope.reading.digit import LEAST_SIDE
from digitscope.reading.page import PageReader
from digitscope.reading.reader import Reader

EVAL = Path(os.environ.get("DIGITSCOPE_EVAL", "no such folder"))
"""The folder of the development sets, which do not ship: set DIGITSCOPE_EVAL to measure on them."""

CAREFUL_CNN = {"kensanata_numbers": 87.7, "ardis_iv": 87.8, "usps": 97.7, "self_drawn": 95.5, "sudoku_scanner": 92.5}
"""Per cent right of the usual careful way on the development sets (their README)."""


@cache
def reader() -> Reader:
    return Reader()


@cache
def mnist() -> tuple[np.ndarray, np.ndarray]:
    return load_mnist()[1]


def digit_page(path: Path) -> Page:
    (page,) = reader().read_file(path, single=True)
    return page


def on_paper(digit: np.ndarray, side: int = 112, margin: int = 20) -> np.ndarray:
    """A digit written in blue on cream paper, RGB."""
    ink = np.pad(
        np.clip(cv2.resize(digit / np.float32(255), (side, side), interpolation=cv2.INTER_CUBIC), 0, 1), margin
    )
    paper, pen = np.array((238, 230, 214), np.float32), np.array((40, 55, 150), np.float32)
    return (paper + ink[..., None] * (pen - paper)).astype(np.uint8)


def check(number: Number) -> None:
    """What holds of every answer and every refusal."""
    assert (number.text is None) == (number.reason is not None) == number.refused
    assert 0 <= number.confidence <= 1
    assert (number.best_guess == "") == (number.digits == ()) == (number.box is None)
    for digit in number.digits:
        assert len(digit.probabilities) == 10 and abs(sum(digit.probabilities) - 1) < 1e-5
        assert digit.text == number.best_guess == str(np.argmax(digit.probabilities))
        assert max(digit.probabilities) == number.confidence
    json.dumps(number.to_dict(), allow_nan=False)


def test_the_way_through_ink_costs_no_accuracy():
    x, y = mnist()[0][:1000], mnist()[1][:1000]
    direct = (reader().model.predict(x).argmax(axis=1) == y).mean()
    plain = np.mean([reader().digit(image).best_guess == str(label) for image, label in zip(x, y, strict=True)])
    paper = np.mean([reader().digit(on_paper(a)).best_guess == str(b) for a, b in zip(x[:500], y[:500], strict=True)])
    assert plain >= direct - 0.005
    assert paper >= direct - 0.01


def test_an_answer():
    number = reader().digit(on_paper(mnist()[0][0]))
    check(number)
    assert number.text == "7" and number.confidence > 0.9
    box = number.box
    assert abs(box.x - 44) < 4 and abs(box.y - 48) < 4 and abs(box.width - 64) < 6 and abs(box.height - 82) < 6


def test_the_box_is_in_pixels_of_the_upright_source(tmp_path):
    small = on_paper(mnist()[0][0], margin=60)
    expected = reader().digit(small).box
    large = Image.fromarray(small).resize((1856, 1856), Image.Resampling.LANCZOS)
    exif = Image.Exif()
    exif[0x0112] = 6
    large.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "photo.jpg", quality=95, exif=exif)
    page = digit_page(tmp_path / "photo.jpg")
    assert (page.width, page.height) == (1856, 1856) and page.text == "7"
    box = page.numbers[0].box
    for side in ("x", "y", "width", "height"):
        assert abs(getattr(box, side) - 8 * getattr(expected, side)) <= 24


@pytest.mark.parametrize("image", [np.full((60, 50), 255, np.uint8), np.zeros((28, 28)), np.ones((9, 900), bool)])
def test_blank(image):
    number = reader().digit(image)
    check(number)
    assert number.reason == "blank" and number.best_guess == "" and number.confidence == 0


def test_too_small():
    for side in range(1, LEAST_SIDE):
        assert reader().digit(np.eye(side, dtype=bool)).reason == "too small"
    page = np.full((40, 40), 255, np.uint8)
    page[18:24, 20] = 0
    number = reader().digit(page)
    check(number)
    assert number.reason == "too small" and number.best_guess


def test_several_digits():
    number = reader().digit(np.concatenate([on_paper(mnist()[0][0]), on_paper(mnist()[0][1])], axis=1))
    check(number)
    assert number.reason == "several digits" and number.best_guess
    assert number.box.width > 150


def test_too_uncertain():
    x, y = mnist()
    mixed = [np.maximum(x[i], x[i + 1]) for i in range(0, 200) if y[i] != y[i + 1]]
    refused = [number for number in map(reader().digit, mixed) if number.reason == "too uncertain"]
    assert len(refused) >= 5
    for number in refused:
        check(number)
        assert number.text is None and number.best_guess


def test_a_page_is_a_record(tmp_path):
    Image.fromarray(on_paper(mnist()[0][0])).save(tmp_path / "seven.png")
    page = digit_page(tmp_path / "seven.png")
    record = json.loads(json.dumps(page.to_dict(), allow_nan=False))
    assert record["file"] == str(tmp_path / "seven.png") and record["page"] == 1 and record["rotation"] == 0
    assert (record["width"], record["height"]) == (152, 152) and record["text"] == "7" and record["error"] is None
    assert record["milliseconds"] > 0
    assert record["numbers"][0]["digits"][0]["box"] == record["numbers"][0]["box"]


def test_a_file_that_cannot_be_read_is_a_record_with_an_error(tmp_path):
    (tmp_path / "poison.png").write_bytes(b"\x89PNG\r\n\x1a\n not really")
    for path in (tmp_path / "poison.png", tmp_path / "missing.png", tmp_path):
        page = digit_page(path)
        assert page.numbers == () and page.text == "" and str(path) in page.error
        with pytest.raises(ImageError):
            reader().digit(path)


def test_any_model():
    assert Reader("classic").digit(mnist()[0][0]).text == "7"
    assert Reader(load("classic")).model.name == "classic"
    with pytest.raises(ConfigError):
        Reader("no such model")


def test_nothing_is_opened_that_is_not_used(monkeypatch: pytest.MonkeyPatch):
    opened = []
    monkeypatch.setattr("digitscope.reading.reader.load", lambda name: opened.append(name) or load(name))
    monkeypatch.setattr(
        "digitscope.reading.reader.PageReader", lambda *what: opened.append(what[0]) or PageReader(*what)
    )
    one = Reader(engine="own")
    assert opened == []
    assert one.read(PAGES / "amount.png").text and opened == ["own"]
    assert one.digit(mnist()[0][0]).text == one.digit(mnist()[0][0]).text == "7" and opened == ["own", "reader-digit"]


@pytest.mark.parametrize("installed", [None, Path("rec.onnx")])
def test_a_single_digit_opens_no_engine_for_lines(installed: Path | None, monkeypatch: pytest.MonkeyPatch):
    """Whether or not rapidocr is installed; what the user names is opened at once, so that its error comes at once."""
    opened = []
    monkeypatch.setattr("digitscope.reading.reader.installed_network", lambda: installed)
    monkeypatch.setattr("digitscope.reading.reader.PageReader", lambda *what: opened.append(what[0]))
    for engine in ("auto", "own"):
        Reader(engine=engine).digit(mnist()[0][0])
    assert opened == []
    Reader(engine="ocr")
    assert opened == ["ocr"]


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 70), st.sampled_from([np.uint8, np.uint16, np.float32, bool]), st.integers(0, 99)
)
def test_any_noise_has_an_outcome(height, width, kind, seed):
    noise = np.random.default_rng(seed).random((height, width, 3))
    scale = {np.uint8: 255, np.uint16: 65535}.get(kind, 1)
    number = reader().digit((noise * scale).round().astype(kind) if kind is bool else (noise * scale).astype(kind))
    check(number)
    if number.box is not None:
        assert isinstance(number.box, Box)
        assert 0 <= number.box.x < number.box.x + number.box.width <= width
        assert 0 <= number.box.y < number.box.y + number.box.height <= height


@pytest.mark.skipif(not EVAL.is_dir(), reason="DIGITSCOPE_EVAL names no folder with the development sets")
@pytest.mark.parametrize("name", CAREFUL_CNN)
def test_better_than_the_careful_way_on_the_development_sets(name):
    with (EVAL / name / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["text"]][::3]
    arrays = EVAL / name / f"{name}.npz"
    images = np.load(arrays)["x"] if arrays.is_file() else None
    right = 0
    for row in rows:
        source = EVAL / name / row["file"] if images is None else images[int(row["file"].split("#")[1])]
        right += reader().digit(source).best_guess == row["text"]
    assert 100 * right / len(rows) >= CAREFUL_CNN[name]


@pytest.mark.skipif(not EVAL.is_dir(), reason="DIGITSCOPE_EVAL names no folder with the development sets")
def test_blank_cells_of_photos_are_refused():
    with (EVAL / "sudoku_scanner" / "labels.csv").open(newline="") as file:
        blank = [row["file"] for row in csv.DictReader(file) if not row["text"]][::2]
    empty = [reader().digit(EVAL / "sudoku_scanner" / name).best_guess == "" for name in blank]
    assert np.mean(empty) >= 0.97


PAGES = Path(__file__).parents[2] / "examples" / "pages"


def test_a_number_on_a_crop():
    page = reader().read(PAGES / "amount.png")
    (line,) = page.lines
    (number,) = line.numbers
    assert (number.best_guess, number.written, len(number.digits)) == ("248650", "2486.50", 6)
    assert page.file.endswith("amount.png") and page.text == line.text == (number.text or "")
    lefts = [digit.box.x for digit in number.digits]
    assert lefts == sorted(lefts) and 0.9 < number.digit_probability <= 1
    json.dumps(page.to_dict(), allow_nan=False)


def test_what_is_known_about_a_number_is_kept():
    assert len(reader().read(PAGES / "amount.png", length=5).numbers[0].best_guess) == 5
    assert int(reader().read(PAGES / "amount.png", max_value=9999).numbers[0].best_guess) <= 9999
    with pytest.raises(ConfigError, match="does not fit"):
        reader().read(PAGES / "amount.png", length=5, pattern="##")


def test_nothing_is_accepted_below_the_least_confidence():
    never, always = Reader(min_confidence=1.0), Reader(min_confidence=0.0)
    pages = [one.read(PAGES / "numbers.jpg") for one in (never, always)]
    assert all(number.refused and number.best_guess for number in pages[0].numbers)
    assert not any(number.refused for number in pages[1].numbers)
    assert [a.best_guess for a in pages[0].numbers] == [b.best_guess for b in pages[1].numbers]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_page_is_the_same_page(degrees: int):
    with Image.open(PAGES / "numbers.jpg") as file:
        upright = np.asarray(file.convert("RGB"))
    turned = np.ascontiguousarray(np.rot90(upright, -degrees // 90))
    page = reader().read(turned)
    assert page.rotation == degrees
    assert page.text == reader().read(turned, rotate=degrees).text == reader().read(upright, rotate=0).text


def test_a_page_can_be_shown(monkeypatch: pytest.MonkeyPatch):
    page = reader().read(PAGES / "amount.png")
    shown = []
    monkeypatch.setattr(Image.Image, "show", lambda self: shown.append(self.size))
    page.show()
    assert shown and "<img" in (page._repr_html_() or "")
    with pytest.raises(ConfigError, match=r"Reader\.read"):
        next(reader().read_file(PAGES / "missing.png")).show()


@pytest.fixture
def three_pages(tmp_path: Path) -> dict[str, Path]:
    """The same three pages, a number, a blank one and another number, as a TIFF and as a PDF."""
    with Image.open(PAGES / "amount.png") as file:
        amount = file.convert("RGB")
    blank = Image.new("RGB", (300, 200), (230, 230, 230))
    for suffix in ("tif", "pdf"):
        amount.save(tmp_path / f"three.{suffix}", save_all=True, append_images=[blank, amount])
    return {suffix: tmp_path / f"three.{suffix}" for suffix in ("tif", "pdf")}


@pytest.mark.parametrize("suffix", ["tif", "pdf"])
def test_every_page_of_a_file_is_read_in_order(three_pages: dict[str, Path], suffix: str):
    path = three_pages[suffix]
    pages = list(reader().read_file(path))
    assert [(page.file, page.page, page.error) for page in pages] == [(str(path), n, None) for n in (1, 2, 3)]
    assert [page.text for page in pages] == ["248650", "", "248650"]
    assert all(page.pixels is not None and page.milliseconds > 0 for page in pages)
    assert [page.page for page in reader().read_file(path.read_bytes(), "scan")] == [1, 2, 3]
    assert {page.file for page in reader().read_file(path.read_bytes(), "scan")} == {"scan"}
    assert {page.file for page in reader().read_file(path.read_bytes())} == {"-"}
    assert len(next(reader().read_file(path, length=5)).numbers[0].best_guess) == 5
    assert next(reader().read_file(path, rotate=180)).rotation == 180


def test_pages_are_read_when_they_are_asked_for(three_pages: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    one, seen = Reader(), []
    numbers = one.pages.numbers
    monkeypatch.setattr(one.pages, "numbers", lambda *what: seen.append(1) or numbers(*what))
    pages = one.read_file(three_pages["tif"])
    assert len(seen) == 0
    next(pages)
    assert len(seen) == 1


def test_a_page_that_fails_does_not_stop_the_others(three_pages: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    one, seen = Reader(), []
    numbers = one.pages.numbers

    def failing(*what: object) -> object:
        seen.append(what)
        if len(seen) == 2:
            raise RuntimeError("no\nmemory")
        return numbers(*what)

    monkeypatch.setattr(one.pages, "numbers", failing)
    pages = list(one.read_file(three_pages["tif"]))
    assert [page.text for page in pages] == ["248650", "", "248650"]
    assert [page.error for page in pages][::2] == [None, None]
    assert pages[1].error.endswith("three.tif page 2 could not be read (RuntimeError: no); please report this")
    assert (pages[1].page, pages[1].numbers, pages[1].pixels) == (2, (), None)


@pytest.mark.parametrize(
    "options",
    [{"rotate": 45}, {"pattern": "abc"}, {"single": True, "rotate": 0}, {"single": True, "length": 3}],
    ids=str,
)
def test_options_that_do_not_fit_are_refused_before_a_file_is_opened(options: dict):
    with pytest.raises(ConfigError):
        reader().read_file("missing.png", **options)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_pixels_are_a_page(data: st.DataObject):
    shape = data.draw(st.tuples(st.integers(1, 90), st.integers(1, 300)))
    colour = data.draw(st.sampled_from([(), (3,)]))
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (*shape, *colour), np.uint8)
    if data.draw(st.booleans()):
        pixels = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.5, 6)))
    if data.draw(st.booleans()):
        pixels = np.where(pixels > rng.integers(0, 256), np.uint8(255), np.uint8(0))
    page = reader().read(pixels.reshape(*shape, *colour))
    json.dumps(page.to_dict(), allow_nan=False)
    for number in page.numbers:
        assert number.best_guess.isdigit() and 0 <= number.confidence <= 1 and 0 <= number.digit_probability <= 1
        assert number.box is not None and number.box.width > 0 and number.box.height > 0


@pytest.mark.parametrize(("installed", "engine"), [(True, "ocr"), (False, "own")])
def test_auto_takes_ocr_where_it_is_installed_and_the_page_says_which(
    installed: bool, engine: str, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("rapidocr", reason="rapidocr is not installed")
    if not installed:
        monkeypatch.setattr("digitscope.reading.reader.installed_network", lambda: None)
    page = Reader().read(PAGES / "numbers.jpg")
    assert (page.engine, page.to_dict()["engine"]) == (engine, engine)
    assert Reader(engine="own").read(PAGES / "numbers.jpg").engine == "own"


def test_a_strip_whose_writing_would_vanish_is_refused_with_a_sentence(tmp_path: Path):
    """30,000 pixels of numbers were once reduced to a hair, and read as an empty page without a word."""
    strip = np.full((80, 16_000), 255, np.uint8)
    strip[20:60, ::500] = 0
    Image.fromarray(strip).save(tmp_path / "strip.png")
    (page,) = reader().read_file(tmp_path / "strip.png")
    assert page.error == (
        f"{tmp_path / 'strip.png'} is 16,000x80 px, too long to be read as one; cut it between numbers into pieces of "
        "at most 8,000 px"
    )
    with pytest.raises(ImageError, match=r"^the picture is 80x16,000 px"):
        reader().read(strip.T.copy())
    assert reader().read(strip[:, :8000]).error is None
    assert reader().read(strip[:9, :1000]).error is None, "what was thin from the start is not reduced"
