"""The page as a person uses it, in a real browser and from one file: drawing, walking, keys, address, files, access."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from browser import chromium, opened
from browser import until as wait_until
from digitscope.models.model import load
from digitscope.web.lens.bundle import page_files, write_page
from page_models import few_images

until = partial(wait_until, seconds=15)
WIDE = {"width": 1440, "height": 900}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
THREE = [(80, 60), (140, 45), (190, 75), (175, 120), (130, 135), (180, 150), (200, 195), (160, 235), (90, 225)]
PLACES = ("", "map=input,14.14.0", "map=conv2,3.4.15", "map=dense,5", "map=softmax,7", "number=conv2,3.4.15",
          "number=dense,5", "tour=4", "draw=s", "panel=why")  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A self-contained page of the shipped model, with fewer samples than a real one has."""
    few = few_images(300)
    return write_page(load("classic"), tmp_path_factory.mktemp("page") / "lens.html", data=few).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, viewport=WIDE, accept_downloads=True) as page:
        visit(page, address)
        yield page


def visit(page: Any, address: str, place: str = "") -> None:
    page.goto("about:blank")
    page.goto(f"{address}#{place}")
    until(page, "globalThis.Digitscope?.app !== undefined")


def draw(page: Any, points: list[tuple[int, int]]) -> None:
    """One stroke with the mouse, in pad units 0..280."""
    box = page.locator("canvas.pad").bounding_box()
    at = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def answer(page: Any) -> str:
    return str(page.locator(".answer-digit").text_content())


def settled(page: Any) -> None:
    """Until the worker has answered for what is drawn now."""
    page.evaluate("() => Digitscope.app.ask()")


def depth(page: Any) -> str:
    return str(page.evaluate("document.body.dataset.depth"))


def status(page: Any, wanted: str) -> None:
    until(page, "(text) => document.querySelector('[role=status]').textContent.includes(text)", wanted)


def test_it_opens_on_a_real_digit_with_every_map_drawn(page: Any):
    colours = page.evaluate(
        """() => [...document.querySelectorAll('.net-row canvas.atlas')].map((canvas) => new Set(new Uint32Array(
             canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size)"""
    )
    assert len(colours) == 7
    assert min(colours) > 10, colours
    assert answer(page) == "7"
    shares = page.locator(".share-row .share").all_text_contents()
    assert len(shares) == 10


def test_the_answer_follows_the_pen_and_every_stroke_can_be_taken_back(page: Any):
    page.evaluate("""() => { globalThis.seen = 0; const take = Digitscope.app.take.bind(Digitscope.app);
                            Digitscope.app.take = (run) => { globalThis.seen++; take(run); }; }""")
    draw(page, THREE)
    settled(page)
    assert page.evaluate("seen") > 5
    assert answer(page) == "3"
    draw(page, [(60, 260), (220, 270)])
    page.keyboard.press("Control+z")
    settled(page)
    assert answer(page) == "3"
    page.keyboard.press("Control+z")
    settled(page)
    assert answer(page) == "7"
    page.keyboard.press("Control+Shift+z")
    settled(page)
    assert answer(page) == "3"
    page.get_by_role("button", name="Clear the pad").click()
    settled(page)
    assert answer(page) == "–"
    assert page.locator(".answer").get_by_text("Nothing drawn yet").is_visible()


def test_the_eraser_takes_ink_off_strokes_and_off_test_images(page: Any):
    ink = "() => Digitscope.app.field.reduce((sum, one) => sum + one, 0)"
    for prepare in (lambda: None, lambda: draw(page, THREE)):
        prepare()
        settled(page)
        before = page.evaluate(ink)
        page.get_by_role("button", name="Eraser").click()
        draw(page, [(60, 100), (220, 100)])
        settled(page)
        assert page.evaluate(ink) != before
        page.get_by_role("button", name="Pen", exact=True).click()


def test_a_digit_in_a_corner_is_misread_without_centring(page: Any):
    draw(page, [(x / 4 + 200, y / 4 + 205) for x, y in THREE])
    settled(page)
    assert answer(page) == "3"
    page.locator(".rail .toggle").click()
    settled(page)
    assert answer(page) != "3"


def test_a_digit_is_drawn_with_the_keyboard(page: Any):
    page.locator("canvas.pad").focus()
    page.keyboard.press("Delete")
    for key, times in (("ArrowUp", 9), ("Space", 1), ("ArrowDown", 18), ("Space", 1)):
        for _ in range(times):
            page.keyboard.press(key)
    settled(page)
    assert answer(page) == "1"


def test_tab_stops_at_every_layer(page: Any):
    page.locator("canvas.pad").focus()
    where = """() => { const { activeElement: at } = document, layers = [...document.querySelectorAll(".layer")];
      return `${layers.indexOf(at.closest(".layer"))},${at.role ?? "button"}`; }"""
    stops = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        stops.add(page.evaluate(where))
    assert {f"{layer},grid" for layer in range(7)} | {f"{layer},button" for layer in range(8)} <= stops


WALK = """(index) => {
  const { app } = Digitscope;
  const { shape } = app.model.layers[index], maps = shape[2] ?? 1;
  const press = (key, more = {}) => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
  const here = () => app.state.place.cell;
  const reached = { maps: new Set(), cells: new Set(), checked: new Set(), depths: [] };
  const walk = (visit) => {
    const grid = document.activeElement;
    const [rows, columns] = ["row", "col"].map((side) => Number(grid.getAttribute(`aria-${side}count`)));
    press("Home", { ctrlKey: true });
    for (let row = 0; row < rows; row++) {
      visit();
      for (let column = 1; column < columns; column++) {
        press(row % 2 ? "ArrowLeft" : "ArrowRight");
        visit();
      }
      press("ArrowDown");
    }
  };
  const depth = () => reached.depths.push(`${app.state.place.depth}${document.activeElement.getAttribute("role")}`);

  document.querySelectorAll(".layer")[index].querySelector("[role=grid]").focus();
  walk(() => reached.maps.add(here() % (shape.length === 3 ? maps : shape[0])));
  press("Home", { ctrlKey: true });
  press("Enter");
  depth();
  for (let map = 0; map < maps; map++) {
    if (map) app.drawStage = () => {}; // painting each of 20,000 steps takes a minute, and no step needs it
    walk(() => reached.cells.add(here()));
    delete app.drawStage;
    for (let steps = map % 7; steps > 0; steps--) press(steps % 2 ? "ArrowUp" : "ArrowLeft");
    press("Enter");
    if (document.querySelector(".check.ok")?.textContent.startsWith("\u2713")) reached.checked.add(here());
    if (map === maps - 1) depth();
    press("Escape");
    press("]");
  }
  depth();
  press("Escape");
  depth();
  return { cells: reached.cells.size, maps: reached.maps.size, checked: reached.checked.size, depths: reached.depths };
}"""


@pytest.mark.parametrize("layer", ["input", "conv1", "pool1", "conv2", "pool2", "flatten", "dense"])
def test_the_keyboard_reaches_every_cell_of_every_map_and_its_arithmetic(page: Any, layer: str):
    layers = page.evaluate("Digitscope.app.model.layers.map(({ name, shape }) => [name, shape])")
    index = [name for name, _ in layers].index(layer)
    shape = layers[index][1]
    maps = shape[2] if len(shape) == 3 else 1
    reached = page.evaluate(WALK, index)
    assert reached["cells"] == math.prod(shape)
    assert reached["maps"] == (maps if len(shape) == 3 else shape[0])
    assert reached["checked"] == maps, "one number of every map ends with its check"
    assert reached["depths"] == ["1grid", "2grid", "1grid", "0grid"]


def test_the_keyboard_reaches_the_ten_shares(page: Any):
    page.locator(".layer").last.locator(".layer-head").focus()
    page.keyboard.press("Enter")
    for digit in range(10):
        page.locator("#stage").focus()
        page.get_by_role("button", name=f"How the sum of digit {digit} was made").focus()
        page.keyboard.press("Enter")
        assert (depth(page), page.evaluate("Digitscope.app.state.place.cell")) == ("2", digit)
        assert page.locator(".check.ok").text_content().startswith("✓")
        page.keyboard.press("]")
        assert page.evaluate("Digitscope.app.state.place.cell") == digit, "a list has no map after this one"
        page.keyboard.press("Escape")
        assert depth(page) == "1"


def test_a_test_image_is_picked_by_number_by_digit_and_by_how_hard_it_is(page: Any):
    shown = "Digitscope.app.drawing.sample"
    number = page.get_by_label("Number of a test image, 0 to 299")
    assert number.get_attribute("max") == "299" and page.get_by_text("Images 0–299 and the 30 hardest").is_visible()
    for wanted, found in ((123, 123), (0, 0), (299, 299), (5000, 299), (-7, 0)):
        number.fill(str(wanted))
        number.press("Enter")
        settled(page)
        assert page.evaluate(shown) == found and number.input_value() == str(found)
        assert (page.locator(".toast").count() > 0) == (wanted != found)
    assert "0 to 299" in page.locator(".toast").last.text_content()
    number.fill("")
    number.press("Enter")
    assert page.evaluate(shown) == 0
    found = set()
    for _ in range(8):
        page.get_by_role("button", name="A random 3 from the test images").click()
        settled(page)
        found.add(page.evaluate(shown))
        assert page.locator(".samples").get_by_text("label 3").is_visible()
    assert len(found) > 1
    hardest = page.evaluate("Digitscope.app.model.hardest")
    for wanted in hardest[:3]:
        page.get_by_role("button", name="A hard one", exact=True).click()
        assert page.evaluate(shown) == wanted


def test_the_grids_say_how_large_they_are(page: Any):
    for layer in page.evaluate("Digitscope.app.model.layers.slice(0, -1).map(({ name, shape }) => ({ name, shape }))"):
        shape = layer["shape"]
        page.evaluate(
            "(name) => Digitscope.app.open(Digitscope.app.model.layers.findIndex((one) => one.name === name))",
            layer["name"],
        )
        grid = (
            page.locator(".stage-body [role=grid]").first
            if len(shape) == 1 or shape[2] == 1
            else page.locator(".big [role=grid]")
        )
        rows, columns = (int(grid.get_attribute(f"aria-{side}count")) for side in ("row", "col"))
        assert rows * columns == (shape[0] * shape[1] if len(shape) == 3 else shape[0]), layer
        cell = grid.locator("[role=row] [role=gridcell]")
        assert grid.get_attribute("aria-activedescendant") == cell.get_attribute("id")
        assert cell.text_content().startswith(layer["name"][:4])


def test_the_live_region_speaks_in_sentences(page: Any):
    page.evaluate("() => Digitscope.app.open(1, Digitscope.flatIndex([26, 26, 32], [12, 9, 5]))")
    status(page, "conv 1, filter 5, row 12, column 9: ")
    assert re.search(r": −?\d\.\d\d, ReLU gives \d", page.locator("[role=status]").text_content())
    page.evaluate("() => Digitscope.app.go({ depth: 1, layer: 0, cell: 0 })")
    status(page, "input, row 0, column 0: 0 of 255")


@pytest.mark.parametrize("layer", ["input", "conv1", "pool1", "conv2", "pool2", "flatten", "dense", "softmax"])
def test_every_number_ends_with_its_check(page: Any, layer: str):
    for share in (0, 0.31, 0.62, 1):
        page.evaluate(
            """([name, share]) => { const { app } = Digitscope;
              const layer = app.model.layers.findIndex((one) => one.name === name);
              app.go({ depth: 2, layer, cell: Math.round(share * (app.run.layers[layer].values.length - 1)) }); }""",
            [layer, share],
        )
        assert page.locator(".check.ok").text_content().startswith("✓")
        lines = page.locator(".account td").all_text_contents()
        assert lines[-1] == lines[-2] or layer == "input"


def test_the_address_holds_everything(page: Any, address: str):
    draw(page, THREE)
    settled(page)
    page.evaluate(
        """() => { Digitscope.app.set({ view: "sum", scale: "map" });
                   Digitscope.app.go({ depth: 2, layer: 3, cell: 777, from: 4 }); }"""
    )
    before = page.evaluate("() => [Digitscope.app.state, [...Digitscope.app.field], Digitscope.app.drawing]")
    page.wait_for_timeout(400)
    visit(page, address, page.url.split("#")[1])
    after = page.evaluate("() => [Digitscope.app.state, [...Digitscope.app.field], Digitscope.app.drawing]")
    for state in (before[0], after[0]):
        state.pop("drawing", None)
    assert after == before


def test_the_browsers_own_back_button_goes_back(page: Any):
    page.evaluate("() => Digitscope.app.open(1)")
    page.evaluate("() => Digitscope.app.go({ depth: 2 })")
    assert depth(page) == "2"
    page.go_back()
    until(page, "document.body.dataset.depth === '1'")


@pytest.mark.parametrize(
    "place",
    ["draw=sAAAA", "draw=t99999", "draw=p!!", "map=conv1,99.0.0", "number=nothing,1", "tour=99", "map=conv1,1.1", "%",
     "draw=x&without=all"],
)  # fmt: skip
def test_a_spoilt_address_opens_on_a_digit(browser: Any, address: str, place: str):
    with opened(browser, viewport=WIDE) as page:
        visit(page, address, place)
        assert answer(page) == "7"


def test_typed_numbers_paint(page: Any):
    page.evaluate("() => Digitscope.app.open(0)")
    page.locator(".matrix [role=grid]").focus()
    page.keyboard.press("Control+Home")
    for key in ("ArrowDown", "2", "0", "0", "ArrowRight", "9", "9", "9"):
        page.keyboard.press(key)
    settled(page)
    field = page.evaluate("[Digitscope.app.field[28], Digitscope.app.field[29]]")
    assert field == pytest.approx([200 / 255, 1])
    page.get_by_role("radio", name="0 … 1").click()
    assert page.get_by_text("Row 1, column 1: 255 / 255 = 1.0000").is_visible()


def test_the_window_slides_over_the_whole_map(page: Any):
    page.evaluate("() => Digitscope.app.open(3)")
    page.get_by_label("Speed").fill("8")
    page.get_by_role("button", name="Slide the window").click()
    assert page.get_by_role("button", name="Pause").is_visible()
    until(page, "Digitscope.app.state.place.cell >= 120 * 64")
    assert page.get_by_text("cell 121 of 121").is_visible()
    assert page.get_by_role("button", name="Slide the window").is_visible()


def saved(page: Any, kind: str) -> bytes:
    page.locator(".menu > summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=kind).click()
    return Path(download.value.path()).read_bytes()


def test_what_one_sees_can_be_saved(page: Any):
    assert saved(page, "Picture (PNG)")[:8] == b"\x89PNG\r\n\x1a\n"
    assert b"<image" in saved(page, "Drawing (SVG)")
    page.evaluate("() => Digitscope.app.open(3)")
    rows = list(csv.reader(io.StringIO(saved(page, "Numbers (CSV)").decode())))
    assert [len(row) for row in rows] == [11] * 11
    page.evaluate("() => Digitscope.app.go({ depth: 2 })")
    terms = list(csv.DictReader(io.StringIO(saved(page, "Numbers (CSV)").decode())))
    products = sum(float(row["product"]) for row in terms if row["source"].split()[0].isdigit())
    named = {row["source"]: float(row["product"]) for row in terms if not row["source"].split()[0].isdigit()}
    assert products + named["bias"] == pytest.approx(named["sum"], abs=1e-9)
    assert named["result"] == pytest.approx(named["stored"], abs=1e-5)
    assert saved(page, "Drawing (SVG)").count(b"<rect") == 122


def test_the_tour_tells_ten_steps_and_shows_each(page: Any):
    page.get_by_role("button", name="Take the tour").click()
    seen = set()
    for step in range(1, 11):
        assert page.locator(".tour h2").text_content().startswith(f"{step}. ")
        text = page.locator(".tour-text").text_content()
        assert "{" not in text and "undefined" not in text
        seen.add(text)
        page.locator(".tour-buttons .main").click()
    assert len(seen) == 10
    assert page.locator(".tour").is_hidden()


def test_the_tour_knows_whose_digit_is_on_the_pad(page: Any):
    page.get_by_role("button", name="Take the tour").click()
    assert "The digit on the pad is from the test set" in page.locator(".tour-text").text_content()
    draw(page, THREE)
    settled(page)
    assert "What you draw yourself" in page.locator(".tour-text").text_content()


def test_a_layer_bright_all_over_still_opens_at_its_strongest_cell(page: Any):
    bright = """() => { const { app } = Digitscope; const { values } = app.run.layers[1];
                        values.fill(1); values[777] = 5; return app.interesting(1); }"""
    assert page.evaluate(bright) == 777


@pytest.mark.parametrize("width", [1100, 1200, 1280, 1350])
def test_nothing_is_cut_off_or_covered_on_a_narrow_stage(browser: Any, address: str, width: int):
    with opened(browser, viewport={"width": width, "height": 900}) as page:
        visit(page, address)
        row = "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.net-scroll'))"
        until(page, f"{row} === 0")
        for place in ("number=conv1,3.4.5", "number=dense,5", "number=softmax,7"):
            visit(page, address, place)
            table = page.locator(".detail table").last.bounding_box()
            card = page.locator(".number-parts > .sum").bounding_box()
            assert table["x"] + table["width"] <= card["x"] or table["y"] + table["height"] <= card["y"], place


def test_a_refusal_is_shown_as_one(page: Any):
    page.evaluate("() => { const { app } = Digitscope; app.take({ ...app.run, refused: true }); app.drawRail(); }")
    assert answer(page) == "?"
    assert page.locator(".answer").get_by_text("Not a digit I know").is_visible()


def dot(page: Any, at: tuple[int, int]) -> None:
    draw(page, [at, (at[0] + 4, at[1])])


REFUSE = """() => { const { app } = Digitscope;
  app.take({ ...app.run, refused: true, known: 0.01 }); app.drawRail(); }"""


def test_a_refusal_says_why_and_names_no_share(page: Any):
    card = page.locator(".answer")
    draw(page, THREE)
    settled(page)
    page.evaluate(REFUSE)
    assert "none of the digits it knows: 1.0 % probable" in card.inner_text()
    assert not any(page.locator(".tenths .share").all_text_contents()), "no 99.8 beside a refusal"
    assert page.locator(".tenths .best").count() == 0
    page.get_by_role("button", name="Clear the pad").click()
    draw(page, [(60, 40), (60, 240)])
    draw(page, [(200, 40), (200, 240)])
    settled(page)
    page.evaluate(REFUSE)
    assert "Two pieces of ink: draw one digit at a time." in card.inner_text()
    page.get_by_role("button", name="Clear the pad").click()
    dot(page, (140, 140))
    settled(page)
    page.evaluate(REFUSE)
    assert "Too little ink" in card.inner_text()


def test_a_misread_test_image_says_so_in_words_and_colour(page: Any):
    card = page.locator(".answer")
    assert card.locator(".answer-verdict").text_content() == ""
    wrong = """() => { const { app } = Digitscope; const probabilities = new Float32Array(10); probabilities[5] = 1;
                       app.take({ ...app.run, probabilities, refused: false }); app.drawRail(); }"""
    page.evaluate(wrong)
    assert card.locator(".answer-verdict").text_content() == "\u2717 It is a 7. The network says 5."
    assert page.locator(".answer-why").text_content() == "Why 5 and not 7? \u203a", "compared with what it is"
    colour = "(one) => getComputedStyle(document.querySelector(one)).color"
    assert page.evaluate(colour, ".answer-digit") == page.evaluate(colour, ".answer-verdict")
    draw(page, THREE)
    settled(page)
    assert card.locator(".answer-verdict").text_content() == "", "nobody knows what a drawing is meant to be"


def test_the_bar_of_an_answer_never_says_less_than_the_answer(page: Any):
    assert "> 99.9 %" in page.locator(".answer-sure").text_content()
    assert ">99" in page.locator(".tenths .share").all_text_contents()


def numbers_of(page: Any, part: str) -> list[float]:
    texts = page.locator(f"{part} .account td").all_text_contents()
    return [float(text.split(",")[0].replace("\u2212", "-")) for text in texts]


def test_why_this_digit_is_answered_pixel_by_pixel_and_unit_by_unit(page: Any, address: str):
    page.get_by_role("button", name=re.compile("^Why 7 and not")).click()
    assert page.locator(".crumbs h2").text_content().startswith("Why 7 and not ")
    until(page, "document.querySelectorAll('.unit-list li').length > 6")
    listed, others, bias, total, stored = numbers_of(page, ".why-side")
    assert listed + others + bias == pytest.approx(total, abs=0.002) and total == pytest.approx(stored, abs=0.002)
    assert page.locator(".why .check.ok").text_content().startswith("✓")
    page.get_by_role("radio", name="integrated gradients").click()
    until(page, "document.querySelectorAll('.pixels .account tr').length > 6")
    above, below, whole, score, empty, wanted, missing = numbers_of(page, ".pixels")
    assert above > 0 > below and above + below == pytest.approx(whole, abs=0.002)
    assert score + empty == pytest.approx(wanted, abs=0.002)
    assert wanted - whole == pytest.approx(missing, abs=0.002) and abs(missing) < 0.01 * wanted
    page.locator(".against button", has_text="3").click()
    until(page, "document.querySelector('.crumbs h2').textContent === 'Why 7 and not 3?'")
    page.wait_for_timeout(400)
    visit(page, address, page.url.split("#")[1])
    assert page.locator(".crumbs h2").text_content() == "Why 7 and not 3?", "the address holds it"


def test_the_keyboard_walks_the_pixels_of_the_reasons(page: Any):
    page.locator(".answer-why").focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.unit-list li').length > 6")
    page.locator(".pixels [role=grid]").focus()
    page.keyboard.press("Control+Home")
    said = "document.querySelector('.pixels [role=gridcell]').textContent"
    assert page.evaluate(said) == "Row 0, column 0: no ink, so no share"
    page.evaluate("""() => { const cell = Digitscope.app.field.indexOf(Math.max(...Digitscope.app.field));
      const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      for (let i = 0; i < Math.floor(cell / 28); i++) press("ArrowDown");
      for (let i = 0; i < cell % 28; i++) press("ArrowRight"); }""")
    ink, slope, value = re.search(
        r": ink (.+) × slope (.+) = (.+), for", page.evaluate(said).replace("\u2212", "-")
    ).groups()
    assert float(ink) * float(slope) == pytest.approx(float(value), abs=0.02) and float(ink) > 0.9
    page.keyboard.press("Escape")
    assert depth(page) == "0"


def test_what_would_change_its_mind_can_be_tried_and_taken_back(page: Any):
    draw(page, [(80, 60), (200, 60), (130, 230)])
    settled(page)
    assert answer(page) == "7"
    page.locator(".answer-why").click()
    until(page, "document.querySelectorAll('.unit-list li').length > 6")
    page.locator(".against button", has_text="8").click()
    pad = "document.querySelector('canvas.pad').toDataURL()"
    before = page.evaluate(pad)
    page.locator(".mind .main").click()
    until(page, "document.querySelectorAll('.change').length === 2")
    assert page.evaluate(pad) != before, "a ghost over the pad"
    assert page.evaluate("Digitscope.app.drawing.strokes.length") == 1, "nothing is drawn yet"
    said = page.locator(".change", has_text="Add ink").inner_text()
    assert re.search(r"As much ink as \d+\.\d % of what is there, and it reads 8 with \d", said)
    page.locator(".change", has_text="Add ink").get_by_role("button", name="Try it").click()
    settled(page)
    assert answer(page) == "8"
    assert page.evaluate("Digitscope.app.drawing.strokes.length") == 2
    page.keyboard.press("Control+z")
    settled(page)
    assert answer(page) == "7"


def test_an_empty_pad_stays_pale_and_says_that_the_biases_speak(page: Any):
    strongest = "Math.max(...Digitscope.app.run.layers[1].values) / Digitscope.app.ranges[1].limits[0]"
    assert page.evaluate(strongest) == pytest.approx(1)
    page.get_by_role("button", name="Clear the pad").click()
    settled(page)
    assert 0 < page.evaluate(strongest) < 0.5
    assert "only the biases speak" in page.locator(".readout").inner_text()


def test_the_frame_follows_the_strongest_cell_until_one_chooses(page: Any):
    here = "[Digitscope.app.pointed.layer, Digitscope.app.pointed.cell]"
    strongest = "[3, Digitscope.app.interesting(3)]"
    seen = set()
    for points in (THREE, [(80, 60), (200, 60), (130, 230)]):
        page.get_by_role("button", name="Clear the pad").click()
        draw(page, points)
        settled(page)
        assert page.evaluate(here) == page.evaluate(strongest)
        seen.add(page.evaluate(here)[1])
    assert len(seen) == 2
    page.locator(".layer [role=grid]").nth(1).focus()
    page.keyboard.press("ArrowRight")
    chosen = page.evaluate(here)
    draw(page, THREE)
    settled(page)
    assert page.evaluate(here) == chosen and chosen[0] == 1


def test_the_theme_is_kept(page: Any, address: str):
    scheme = "document.documentElement.style.colorScheme"
    page.get_by_role("button", name="Light / dark").click()
    chosen = page.evaluate(scheme)
    assert chosen == "dark"
    visit(page, address)
    assert page.evaluate(scheme) == chosen


def test_the_tour_moves_nothing(page: Any):
    page.evaluate("() => Digitscope.app.open(1)")
    top = page.locator(".stage-bar").bounding_box()["y"]
    page.evaluate("() => { const { app } = Digitscope; app.set({ tour: 3 }); }")
    assert page.locator(".tour").is_visible()
    assert page.locator(".stage-bar").bounding_box()["y"] == top


def test_on_a_phone_the_pad_stays_beside_the_maps_and_fingers_fit(browser: Any, address: str):
    with opened(browser, **PHONE) as page:
        visit(page, address)
        page.evaluate("() => scrollTo(0, document.querySelectorAll('.layer')[3].offsetTop + 900)")
        until(page, "document.querySelector('.pad-box.strip') !== null")
        box = page.locator("canvas.pad").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] < 200, "the small pad at the top of the screen"
        page.touchscreen.tap(box["x"] + 30, box["y"] + 50)
        settled(page)
        assert page.evaluate("Digitscope.app.drawing.strokes.length") == 1, "one can draw in it"
        page.evaluate("() => scrollTo(0, 0)")
        until(page, "document.querySelector('.pad-box.strip') === null")
        page.locator(".answer-why").tap()
        until(page, "document.querySelectorAll('.unit-list li').length > 3")
        assert not page.locator("kbd").first.is_visible(), "no Esc where there is no such key"
        small = page.evaluate("""() => [...document.querySelectorAll("button, summary, input")].filter((one) =>
          one.checkVisibility({ visibilityProperty: true }) && !one.closest(".dots, .toggle"))
          .map((one) => [one.className, one.textContent.slice(0, 20), one.getBoundingClientRect()])
          .filter(([, , { width, height }]) => width && Math.min(width, height) < 44)
          .map(([name, text, { width, height }]) => [name, text, width, height])""")
        assert not small


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_nothing_keeps_people_out(browser: Any, address: str, scheme: str, size: str):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="NO AXE: install axe-playwright-python"
    ).Axe()
    found = []
    with opened(browser, color_scheme=scheme, **(PHONE if size == "phone" else {"viewport": WIDE})) as page:
        for place in PLACES:
            visit(page, address, place)
            result = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
            assert result.response["passes"]
            found += [(place, one["id"], one["nodes"][0]["html"][:100]) for one in result.response["violations"]]
    assert not found, found


@pytest.mark.parametrize("place", PLACES)
def test_on_a_phone_the_pad_comes_first_and_nothing_sticks_out(browser: Any, address: str, place: str):
    with opened(browser, **PHONE) as page:
        visit(page, address, place)
        tops = [page.locator(one).first.bounding_box()["y"] for one in (".draw", ".answer", ".seen", ".stage")]
        assert tops == sorted(tops)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        if not place:
            layers = [box["x"] for box in (one.bounding_box() for one in page.locator(".layer").all())]
            assert len(set(layers)) == 1


def test_a_finger_draws(browser: Any, address: str):
    with opened(browser, **PHONE) as page:
        visit(page, address)
        box = page.locator("canvas.pad").bounding_box()
        page.touchscreen.tap(box["x"] + 100, box["y"] + 100)
        settled(page)
        assert page.evaluate("Digitscope.app.drawing.strokes.length") == 1


def test_it_prints_in_light_colours_without_controls(page: Any):
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator(".tools").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.slow
def test_memory_stays_flat_over_1000_strokes(page: Any):
    session = page.context.new_cdp_session(page)

    def used() -> int:
        session.send("HeapProfiler.collectGarbage")
        return int(session.send("Runtime.getHeapUsage")["usedSize"])

    strokes = """async (n) => { const { app } = Digitscope;
      for (let i = 0; i < n; i++) {
        const points = [40 + i % 200, 50, 60, 120, 150, 60 + i % 150];
        app.drawings.push({ strokes: [{ points, width: 22, erase: false }] });
        await app.ask(true);
      } }"""
    page.evaluate(strokes, 300)
    before = used()
    page.evaluate(strokes, 1000)
    assert used() - before < 2_000_000


def test_every_text_is_used_and_every_used_text_exists():
    files = {name: content.decode() for name, content in page_files().items()}
    keys = set(json.loads(files["strings.en.json"]))
    code = "\n".join(text for name, text in files.items() if name.endswith(".js"))
    plain = set(re.findall(r'"([a-z]+(?:\.[a-z0-9_]+)*)"', code))
    patterns = [
        re.sub(r"\\\$\\\{.*?\\\}", ".+", re.escape(one))
        for one in re.findall(r"`([a-z]+\.[^`\s]*\$\{[^`]*?\}[^`\s]*)`", code)
    ]
    unused = {key for key in keys if key not in plain and not any(re.fullmatch(one, key) for one in patterns)}
    assert not unused, unused
    called = set(re.findall(r'words\("([^"]+)"', code))
    assert called <= keys, called - keys


def test_the_page_names_no_other_place():
    for name, content in page_files().items():
        found = re.findall(r"https?://[^\s\"'<>]+", unquote(content.decode()))
        assert set(found) <= {"http://www.w3.org/2000/svg"}, (name, found)
