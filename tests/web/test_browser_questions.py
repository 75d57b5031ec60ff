"""Predict, then look: ten questions in a real browser, their answers against the same network in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from browser import chromium, opened
from browser import until as wait_until
from digitscope.datasets.load import load_dataset
from digitscope.models.lens import look
from digitscope.models.model import load
from digitscope.web.lens.bundle import write_page
from page_models import few_images, rounded

until = partial(wait_until, seconds=10)
WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
IDS = ("empty", "relu", "pool", "moved", "products", "weights", "units", "softmax", "turned", "stroke")
PLACE = """() => { const { app } = Digitscope;
  return Digitscope.packPlace({ ...app.state, drawing: app.drawing }, app.model); }"""
TURNED = """(sample) => { const { app } = Digitscope, { bytes } = app.samples.get(sample);
  const run = Digitscope.run(app.model, Float32Array.from(bytes, (byte) => byte / 255).reverse());
  return [run.refused, Digitscope.strongest(run.probabilities)]; }"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    few = few_images(100)
    return write_page(load("classic"), tmp_path_factory.mktemp("page") / "lens.html", data=few).as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, **WIDE) as page:
        start(page, address)
        yield page


def start(page: Any, address: str) -> None:
    page.goto("about:blank")
    page.goto(address)
    until(page, "globalThis.Digitscope?.app !== undefined")


def open_at(page: Any, name: str) -> None:
    page.get_by_role("button", name="Ten questions").click()
    page.get_by_role("button", name=re.compile(f"^Question {IDS.index(name) + 1}(, answered)?$")).click()


def guess(page: Any, which: int) -> str:
    """Predict, and what the page says then."""
    page.locator(".question-choices button").nth(which).click()
    return str(page.locator(".question-verdict").text_content())


def right(page: Any) -> str:
    return str(page.locator(".question-choices .right").text_content()).removeprefix("✓ ")


def test_every_question_is_predicted_shown_and_leads_somewhere(page: Any):
    page.get_by_role("button", name="Ten questions").click()
    titles, places = set(), set()
    for step in range(1, 11):
        title = page.locator(".questions h2").text_content()
        assert title.startswith(f"{step}. ") and page.locator(".question-verdict").text_content() == ""
        assert not page.get_by_role("button", name="Show me").is_visible(), "first the prediction"
        said = guess(page, 0)
        text = said + page.locator(".question-body").text_content()
        assert not re.search(r"[{}]|undefined|NaN", text), text
        assert page.locator(".question-choices .right").count() == 1
        assert said.startswith("As you predicted." if right(page) == choices(page)[0] else "Not as you predicted.")
        page.get_by_role("button", name="Show me").click()
        page.wait_for_timeout(100)
        assert page.locator(".question-verdict").text_content() == said, "it stays about the digit that was there"
        places.add(page.evaluate(PLACE))
        titles.add(title)
        page.evaluate(
            "() => { const { app } = Digitscope; while (app.drawings.canUndo) app.undo(); return app.ask(); }"
        )
        page.locator(".question-buttons .main").click()
    assert len(titles) == 10 and len(places) >= 8
    assert page.locator(".questions").is_hidden()


def choices(page: Any) -> list[str]:
    return [text.lstrip("✓✗ ") for text in page.locator(".question-choices button").all_text_contents()]


def test_the_answers_are_what_the_same_network_gives_in_python(page: Any):
    model, image = rounded(load("classic")), load_dataset("mnist").x_test[0]
    seen, blank = look(model, image), look(model, np.zeros((28, 28), np.uint8))
    zero = int((seen.layer("conv1").values == 0).sum())
    active = int((seen.layer("dense").values > 0).sum())
    moved = model.predict(np.roll(image, 2, axis=1)[None])[0, 7]
    sums = blank.layer("conv1").learned[1]
    wanted = {
        "empty": (f"{(sums > 0).sum()} of the 32 through", "One number per map, the same everywhere"),
        "relu": (f"{zero:,} of 21,632 are 0", ("Fewer", "Between", "More")[np.digitize(zero / 21632, [1 / 3, 2 / 3])]),
        "moved": (f"now gets {100 * moved:.1f} %", "What they show moves along"),
        "products": ("3 × 3 × 32 = 288", "288"),
        "weights": ("dense has 204,928", "dense"),
        "units": (f"{active} of 128", ("Fewer", "Between", "More")[np.digitize(active / 128, [1 / 4, 1 / 2])]),
        "softmax": ("e ≈ 2.718", "They stay the same"),
    }
    for name, (said, choice) in wanted.items():
        open_at(page, name)
        assert said in guess(page, 2), name
        assert right(page).startswith(choice), name


def test_a_turned_six_is_read_as_the_network_reads_it(page: Any):
    whole = load_dataset("mnist")
    index = next(i for i in range(100) if whole.y_test[i] == 6)
    page.evaluate("(sample) => { const { app } = Digitscope; app.keep({ sample }); return app.ask(); }", index)
    open_at(page, "turned")
    said = guess(page, 1)
    refused, digit = page.evaluate(TURNED, index)
    assert right(page) == ("Not a digit it knows" if refused else "Still 6" if digit == 6 else "Another digit")
    assert ("refuses" if refused else f"It says {digit}") in said


def test_predictions_are_remembered_and_can_be_made_again(page: Any, address: str):
    page.get_by_role("button", name="Ten questions").click()
    guess(page, 1)
    start(page, address)
    page.get_by_role("button", name="Ten questions").click()
    assert page.locator(".questions h2").text_content().startswith("2. "), "it goes on where one was"
    page.get_by_role("button", name="Question 1, answered").click()
    assert page.locator('.question-choices [aria-pressed="true"]').count() == 1
    page.get_by_role("button", name="Predict again").click()
    assert page.locator(".question-verdict").text_content() == ""
    page.evaluate("() => localStorage.setItem('digitscope-questions', 'nonsense')")
    start(page, address)
    page.get_by_role("button", name="Ten questions").click()
    assert page.locator(".questions h2").text_content().startswith("1. ")


def test_about_a_digit_it_asks_for_one_and_answers_follow_the_pad(page: Any):
    open_at(page, "units")
    before = guess(page, 0)
    page.evaluate("() => { const { app } = Digitscope; app.keep({ sample: 1 }); return app.ask(); }")
    assert page.locator(".question-verdict").text_content() != before
    page.evaluate("() => { const { app } = Digitscope; app.keep({ strokes: [] }); return app.ask(); }")
    assert "Draw one that the network reads" in page.locator(".question-text").text_content()
    assert page.locator(".question-choices button").count() == 0


def test_the_keyboard_is_enough_and_nothing_moves(page: Any):
    top = page.locator(".stage-bar").bounding_box()["y"]
    button = page.get_by_role("button", name="Ten questions")
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator(".questions").is_visible() and page.locator(".stage-bar").bounding_box()["y"] == top
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.question-choices') !== null"):
            break
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Show me ›"
    page.keyboard.press("Enter")
    assert page.evaluate("document.body.dataset.depth") == "1"
    page.get_by_role("button", name="Predict again").focus()
    page.keyboard.press("Escape")
    assert page.locator(".questions").is_hidden()
    assert page.evaluate("document.activeElement.textContent") == "Ten questions"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(browser: Any, address: str, scheme: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="NO AXE: install axe-playwright-python")
    with opened(browser, **PHONE, color_scheme=scheme) as page:
        start(page, address)
        page.get_by_role("button", name="Ten questions").tap()
        page.locator(".question-choices button").nth(0).tap()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        buttons = page.locator(".questions button:visible")
        assert not buttons.evaluate_all(
            "(all) => all.filter((one) => one.offsetHeight < 44).map((one) => one.textContent)"
        )
        found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert not found.response["violations"], found.generate_report()
