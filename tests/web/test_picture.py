"""Digits from pictures, in a real browser: ink and fields against Python's, and every way a picture comes in."""

from __future__ import annotations

import base64
import functools
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from browser import chromium, opened, until
from digitscope.datasets.mnist import load_mnist
from digitscope.models.model import load
from digitscope.preprocessing.field import field_of
from digitscope.preprocessing.ink import find_ink
from digitscope.reading.reader import Reader
from digitscope.web.lens.bundle import page_files, write_page

sys.path.append(str(Path(__file__).parents[2] / "examples"))

from make_digits import PENS, paper, write

from page_models import few_images
from shadowed_pages import Photo, photo

PAPERS = ("plain", "ruled", "squared", "shadow", "yellow", "board")
SIDES = (120, 220, 400)
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

FIELDS = """([bytes, width, height, options]) => {
  const data = Uint8ClampedArray.from(atob(bytes), (one) => one.charCodeAt(0));
  const { ink, digits } = Digitscope.findInk({ width, height, data });
  return digits.map((digit) => [[digit.left, digit.top, digit.right, digit.bottom],
    [...Digitscope.fieldOfInk({ digit, whole: ink }, options).field]]);
}"""

GIVE = """([name, type, bytes, how]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], name, { type }));
  const more = { bubbles: true, cancelable: true };
  document.body.dispatchEvent(how === "paste" ? new ClipboardEvent("paste", { clipboardData: data, ...more })
    : new DragEvent("drop", { dataTransfer: data, ...more }));
}"""


@functools.cache
def drawn(count: int) -> list[tuple[np.ndarray, int]]:
    """Photos of MNIST training digits, uint8 (side, side, 3), on all papers with all pens, and their labels."""
    (images, labels), _ = load_mnist()
    rng = np.random.default_rng(3)
    made = []
    for i in range(count):
        kind = PAPERS[i % len(PAPERS)]
        pen = "chalk" if kind == "board" else list(PENS)[i // len(PAPERS) % 4]
        sheet = write(paper(kind, SIDES[i % len(SIDES)], rng), images[-1 - i], pen, rng)
        made.append((np.clip(sheet, 0, 255).astype(np.uint8), int(labels[-1 - i])))
    return made


def line_of(numbers: list[int], kind: str = "plain") -> tuple[np.ndarray, list[int]]:
    """A photo of training digits side by side, and their labels."""
    (images, labels), _ = load_mnist()
    rng = np.random.default_rng(5)
    sheets = [np.clip(write(paper(kind, 220, rng), images[i], "blue", rng), 0, 255) for i in numbers]
    return np.concatenate(sheets, axis=1).astype(np.uint8), [int(labels[i]) for i in numbers]


def fields(page: Any, pixels: np.ndarray, **options: bool) -> list[tuple[list[int], np.ndarray]]:
    """What the page's own scripts find in a picture: the box and the field of every digit."""
    rgba = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    given = [base64.b64encode(rgba.tobytes()).decode(), pixels.shape[1], pixels.shape[0], options]
    return [(box, np.array(field, np.float32).reshape(28, 28)) for box, field in page.evaluate(FIELDS, given)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser whose camera sees the eighth training digit."""
    sheet, _ = line_of([7])
    luma = np.full((240, 320), 240, np.uint8)
    luma[10:230, 50:270] = cv2.cvtColor(sheet, cv2.COLOR_RGB2GRAY)
    film = tmp_path_factory.mktemp("film") / "film.y4m"
    grey = np.full(120 * 160 * 2, 128, np.uint8).tobytes()
    film.write_bytes(b"YUV4MPEG2 W320 H240 F10:1 Ip A1:1 C420jpeg\n" + (b"FRAME\n" + luma.tobytes() + grey) * 3)
    camera = ("device-for-media-stream", "ui-for-media-stream")
    with chromium(*(f"--use-fake-{part}" for part in camera), f"--use-file-for-fake-video-capture={film}") as browser:
        yield browser


@pytest.fixture(scope="module")
def bench(browser: Any) -> Iterator[Any]:
    """A page that holds nothing but the scripts that find ink."""
    with opened(browser) as page:
        for name in ("plane.js", "ink.js", "field.js"):
            page.add_script_tag(content=page_files()[name].decode())
        yield page


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    few = few_images(300)
    return write_page(load("classic"), tmp_path_factory.mktemp("page") / "lens.html", data=few).as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, viewport={"width": 1440, "height": 900}) as page:
        visit(page, address)
        yield page


def visit(page: Any, address: str) -> None:
    page.goto(address)
    until(page, "globalThis.Digitscope?.app !== undefined")


def saved(pixels: np.ndarray, path: Path) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def give(page: Any, path: Path, how: str = "file") -> str:
    """Give the page a picture; what it says about it."""
    if how == "file":
        page.locator("input[type=file]").set_input_files(path)
    else:
        page.evaluate(GIVE, [path.name, "image/png", base64.b64encode(path.read_bytes()).decode(), how])
    until(page, "!/^$|being read/.test(document.querySelector('.picture h2').textContent)")
    return str(page.locator(".picture h2").text_content())


def test_the_fields_are_those_that_python_makes(bench: Any):
    """Of 72 drawn pictures on six papers, 67 fields are equal, and the network answers 71 alike."""
    pictures, equal, pairs = drawn(72), 0, []
    for pixels, _ in pictures:
        found = find_ink(pixels)
        assert found.box is not None
        wanted = field_of(found.ink, found.box).pixels
        ours = fields(bench, pixels)
        if len(ours) != 1:
            continue
        equal += float(np.abs(ours[0][1] - wanted).mean()) < 0.002
        pairs.append((wanted, ours[0][1]))
    answers = [load("classic").predict(np.stack(side)).argmax(axis=1) for side in zip(*pairs, strict=True)]
    same = int((answers[0] == answers[1]).sum())
    assert equal >= 67 and same >= 71, (equal, same)


@pytest.mark.parametrize("step", ["fit", "pen", "centre"])
def test_each_step_can_be_switched_off(bench: Any, step: str):
    corner = np.full((600, 600, 3), 240, np.uint8)
    cv2.polylines(corner, [np.array([[330, 330], [480, 330], [400, 500]])], False, (40, 40, 90), 44)
    (_, whole), (_, without) = fields(bench, corner)[0], fields(bench, corner, **{step: False})[0]
    assert whole.shape == without.shape and np.abs(whole - without).max() > 0.2
    rows, columns = (np.flatnonzero(without.max(axis=axis) > 0.3) for axis in (1, 0))
    if step == "fit":
        assert rows.min() > 12 and columns.min() > 12, "the digit stays in its corner"


@pytest.mark.parametrize("kind", ["plain", "yellow"])
def test_digits_are_found_in_the_order_in_which_one_reads(bench: Any, kind: str):
    above, labels = line_of([0, 1, 2, 3, 5], kind)
    below, more = line_of([7, 8, 9, 10, 11], kind)
    pixels = cv2.resize(np.concatenate([above, below]), None, fx=0.43, fy=0.43, interpolation=cv2.INTER_AREA)
    found = fields(bench, pixels)
    answers = load("classic").predict(np.stack([field for _, field in found])).argmax(axis=1)
    assert answers.tolist() == labels + more


def read_right(found: list[tuple[tuple[float, ...], int]], photo: Photo) -> int:
    """How many digits of a photo are read right, each alone in its box (left, top, right, bottom)."""

    def said(x: float, y: float) -> list[int]:
        return [digit for (left, top, right, bottom), digit in found if left <= x <= right and top <= y <= bottom]

    return sum(said(*middle) == [digit] for digit, middle in zip(photo.digits, photo.middles, strict=True))


def by_reader(pixels: np.ndarray, reader: Reader) -> list[tuple[tuple[float, ...], int]]:
    """Boxes and digits as ``digitscope read`` finds them, refused ones, too."""
    digits = [digit for number in reader.read(pixels).numbers for digit in number.digits]
    boxes = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in (digit.box for digit in digits)]
    return list(zip(boxes, [int(digit.text) for digit in digits], strict=True))


@pytest.mark.parametrize("kind", ["half", "hand"])
def test_digits_in_a_hard_shadow_are_read_as_well_as_python_reads_them(bench: Any, kind: str):
    """Half of a sheet behind an edge, or below a hand, has 45 or 60 % of the light of the rest."""
    reader, network = Reader(engine="own"), load("robust")
    here = python = all_digits = 0
    for seed, depth, sheet in itertools.product(range(200, 203), (0.4, 0.55), ("plain", "squared")):
        page = photo(kind, depth, seed, sheet)
        found = fields(bench, page.pixels)
        answers = network.predict(np.stack([field for _, field in found])).argmax(axis=1).tolist() if found else []
        here += read_right([(tuple(box), answer) for (box, _), answer in zip(found, answers, strict=True)], page)
        python += read_right(by_reader(page.pixels, reader), page)
        all_digits += len(page.digits)
    assert here >= max(python, 0.9 * all_digits), (here, python, all_digits)


def test_a_thick_digit_is_not_broken_up(bench: Any):
    (images, _), _ = load_mnist()
    for image in images[:12]:
        ink = cv2.resize(image, (200, 200), interpolation=cv2.INTER_CUBIC)[20:180, 20:180] > 110
        grown = np.pad(cv2.dilate(ink.astype(np.uint8), np.ones((9, 9), np.uint8)), 20)
        assert len(fields(bench, np.where(grown[..., None] > 0, (40, 45, 80), (238, 236, 228)).astype(np.uint8))) == 1


def test_paper_alone_has_no_digits(bench: Any):
    rng = np.random.default_rng(0)
    for kind in PAPERS:
        assert fields(bench, np.clip(paper(kind, 300, rng), 0, 255).astype(np.uint8)) == [], kind
    assert fields(bench, np.full((40, 60, 3), 128, np.uint8)) == []
    assert fields(bench, np.zeros((1, 1, 3), np.uint8)) == []


@pytest.mark.parametrize("how", ["file", "paste", "drop"])
def test_every_digit_of_a_picture_opens_in_the_lens(page: Any, tmp_path: Path, how: str):
    pixels, labels = line_of([0, 1, 2, 3, 5])
    assert give(page, saved(pixels, tmp_path / "line.png"), how).startswith("5 digits were found")
    assert page.locator(".found b").all_text_contents() == [str(label) for label in labels]
    assert page.locator(".found small").all_text_contents()[0].endswith("%")
    for i, label in enumerate(labels):
        page.locator(".found button").nth(i).click()
        page.evaluate("() => Digitscope.app.ask()")
        assert page.locator(".answer-digit").text_content() == str(label)
        marked = [one.get_attribute("aria-current") for one in page.locator(".found button").all()]
        assert marked == ["true" if i == at else "false" for at in range(len(labels))]
    assert "draw=p" in page.evaluate(
        "Digitscope.packPlace({ ...Digitscope.app.state, drawing: Digitscope.app.drawing }, Digitscope.app.model)"
    )
    page.keyboard.press("Control+z")
    page.evaluate("() => Digitscope.app.ask()")
    assert page.locator(".answer-digit").text_content() == str(labels[-2])


def test_the_steps_go_from_the_photo_to_the_field(page: Any, tmp_path: Path):
    pixels, label = drawn(6)[0]
    assert give(page, saved(pixels, tmp_path / "one.png")).startswith("One digit was found")
    page.evaluate("() => Digitscope.app.ask()")
    steps = page.locator(".rail .steps-list li:visible b")
    assert steps.all_text_contents() == ["photo", "ink", "20 × 20", "28 × 28"]
    colours = page.evaluate(
        """() => [...document.querySelectorAll('.rail .steps-list canvas')].map((canvas) => new Set(new Uint32Array(
             canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size)"""
    )
    assert min(colours) > 10, colours
    assert page.locator(".answer-digit").text_content() == str(label)
    before = page.evaluate("[...Digitscope.app.field]")
    page.locator(".rail .toggle").click()
    page.evaluate("() => Digitscope.app.ask()")
    assert page.evaluate("[...Digitscope.app.field]") != before
    page.evaluate("() => Digitscope.app.open(0)")
    assert "Cut out of the picture" in page.locator(".steps.large .photo").text_content()


def test_the_keyboard_opens_a_digit(page: Any, tmp_path: Path):
    pixels, labels = line_of([0, 1, 2])
    give(page, saved(pixels, tmp_path / "line.png"))
    page.get_by_role("button", name="Digit 1 of the picture").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.evaluate("() => Digitscope.app.ask()")
    assert page.locator(".answer-digit").text_content() == str(labels[1])
    page.locator(".picture").get_by_role("button", name="Close").click()
    assert page.locator(".picture").is_hidden()


def test_a_finger_opens_a_digit_and_nothing_sticks_out(browser: Any, address: str, tmp_path: Path):
    pixels, labels = line_of([0, 1, 2, 3, 5])
    with opened(browser, **PHONE) as page:
        visit(page, address)
        give(page, saved(pixels, tmp_path / "line.png"))
        page.locator(".found button").nth(2).tap()
        page.evaluate("() => Digitscope.app.ask()")
        assert page.locator(".answer-digit").text_content() == str(labels[2])
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_what_cannot_be_read_is_one_clear_sentence(page: Any, tmp_path: Path):
    blank = saved(np.full((200, 200, 3), 240, np.uint8), tmp_path / "blank.png")
    huge = tmp_path / "huge.png"
    Image.new("1", (11_000, 10_000), 1).save(huge)
    broken, text = tmp_path / "broken.png", tmp_path / "notes.txt"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    text.write_text("a 3, a 5")
    for path, said in (
        (blank, "No ink was found"),
        (huge, "11,000 × 10,000 pixels"),
        (broken, "broken.png cannot"),
        (text, "notes.txt cannot"),
    ):
        sentence = give(page, path)
        assert said in sentence and sentence.endswith("."), sentence
        assert page.locator(".found").count() == 0
        assert sentence in page.locator("p[role=status]").text_content()
        page.evaluate("() => { document.querySelector('.picture h2').textContent = ''; }")


def test_no_camera_is_one_clear_sentence(page: Any):
    for name, said in (
        ("NotFoundError", "No camera was found"),
        ("NotAllowedError", "does not let this page use the camera"),
    ):
        page.evaluate(
            "(name) => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', name)); }",
            name,
        )
        page.get_by_role("button", name="Camera").click()
        until(page, f"document.querySelector('.picture h2').textContent.includes('{said}')")
    page.evaluate("() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.get_by_role("button", name="Camera").click()
    until(page, "document.querySelector('.picture h2').textContent.includes('offers no camera')")


def test_the_camera_takes_a_picture_of_a_digit(page: Any):
    page.get_by_role("button", name="Camera").click()
    until(page, "document.querySelector('video')?.videoWidth > 0 && document.querySelector('video').currentTime > 0")
    page.get_by_role("button", name="Take the picture").click()
    until(page, "document.querySelectorAll('.found b').length === 1")
    assert page.locator(".found b").text_content() == str(load_mnist()[0][1][7])
    assert page.locator("video").count() == 0
