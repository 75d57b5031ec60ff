"""Five questions of a new user, answered by the clicks of docs/tasks.md; the panels with axe; a picture on its way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from browser import chromium, opened
from browser import until as wait_until
from digitscope.datasets.load import load_dataset
from digitscope.models.course import Course, flat
from digitscope.models.layers import layer_views
from digitscope.models.lens import look
from digitscope.models.model import Model, load
from digitscope.reading.detectors import detector_of
from digitscope.web.lens import bundle
from digitscope.web.lens.bundle import write_page
from page_models import few_images

until = partial(wait_until, seconds=60)
TASKS = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
SCREENS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of `classic` that is said to have begun with noise."""
    folder = tmp_path_factory.mktemp("run")
    model = load("classic")
    views = layer_views(model.session)
    size = sum(part.size for view in views if view.kernel is not None for part in view.learned)
    noise = flat([np.random.default_rng(1).normal(0, 0.05, size)])
    Course(np.linspace(2.3, 0.3, 100, dtype=np.float32), np.array([0]), noise[None]).write(folder / "course.npz")
    few = few_images(1500)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "detector_of", lambda *given: detector_of(model))
        return write_page(Model(str(folder), model.session, model.card), folder / "lens.html", data=few).as_uri()


@pytest.fixture(params=list(SCREENS))
def page(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, **SCREENS[request.param]) as page:
        visit(page, address)
        page.touch = request.param == "phone"
        yield page


def visit(page: Any, address: str) -> None:
    page.goto(address)
    until(page, "globalThis.Digitscope?.app?.stage !== undefined")


def follow(page: Any, question: str) -> list[str]:
    """Press what docs/tasks.md says, by its visible words, up to the picture to choose or the slider to move."""
    found = re.search(rf"^\| {re.escape(question)} \| (.+?) \|", TASKS, re.MULTILINE)
    assert found, question
    steps = re.findall(r"“(.+?)”", found[1])
    for step in steps:
        buttons = page.locator(".against button:visible" if step.isdigit() else "button:visible")
        button = buttons.filter(has_text=re.compile(rf"^{re.escape(step)}")).first
        button.tap() if page.touch else button.click()
    return steps


def test_why_is_this_a_7_and_not_a_1(page: Any):
    assert len(follow(page, "Why is this a 7 and not a 1?")) == 2
    assert page.locator(".stage-bar h2").text_content() == "Why 7 and not 1?"
    until(page, "document.querySelector('.why .lead').textContent.includes('for 1')")


def test_which_filter_sees_slanted_strokes(page: Any):
    follow(page, "Which filter sees slanted strokes?")
    row = page.locator(".strokes li").filter(has_text="slanted /")
    numbers = [int(text) for text in row.locator("button").all_text_contents()]
    bars = np.zeros((2, 28, 28), np.uint8)
    cv2.line(bars[0], (0, 27), (27, 0), 255, 3)
    cv2.line(bars[1], (0, 13), (27, 13), 255, 3)
    first = next(view.name for view in layer_views(load("classic").session) if view.kernel is not None)
    slanted, level = (look(load("classic"), bar).layer(first).values.max(axis=(0, 1)) for bar in bars)
    assert len(numbers) > 2 and (slanted[numbers] > level[numbers]).mean() > 0.8
    assert row.locator("button").first.is_visible()
    listed = page.locator(".strokes .plain").count()
    assert listed == len(slanted), "every filter stands somewhere"
    row.locator("button").first.click()
    assert f"filter {numbers[0]}" in page.locator(".stage-bar h2").text_content()


def test_where_does_it_err_most(page: Any):
    follow(page, "Where does it err most?")
    model, whole = load("classic"), load_dataset("mnist")
    wrong = [
        (int(label), int(answer))
        for label, answer in zip(whole.y_test[:1500], model.predict(whole.x_test[:1500]).argmax(axis=1), strict=True)
        if label != answer
    ]
    assert f"it misreads {len(wrong)}" in page.locator(".errors .lead").text_content()
    most = max(wrong.count(pair) for pair in wrong)
    first = page.locator(".errors li b").first.text_content()
    named = tuple(int(one) for one in re.findall(r"a (\d) taken for a (\d)", first)[0])
    assert wrong.count(named) == most and page.locator(".errors li").first.locator("button").count() == most
    page.locator(".errors button").first.click()
    until(page, "document.querySelector('.answer').classList.contains('misread')")
    assert page.locator(".stage-bar h2").text_content() == f"Why {named[1]} and not {named[0]}?"
    page.go_back()
    until(page, "document.querySelector('.errors') !== null")


def test_what_did_training_change(page: Any):
    follow(page, "What did training change?")
    until(page, "Digitscope.app.wornName === 'Untrained: random weights'")
    filters = "() => document.querySelector('.learn-filters canvas').toDataURL()"
    before = page.evaluate(filters)
    page.get_by_label("Stage of the training").focus()
    page.keyboard.press("End")
    until(page, "Digitscope.app.wornName === null && document.querySelector('.learn-name').textContent === 'Finished'")
    assert page.evaluate(filters) != before and page.locator(".answer-digit").text_content() == "7"


def test_an_address_that_names_no_map_before_opens_at_the_one_that_adds_most(browser: Any, address: str):
    best = "Digitscope.app.bestSource(Digitscope.app.state.place.layer, Digitscope.app.state.place.cell).from"
    with opened(browser, **SCREENS["wide"]) as page:
        for cell in ("3.7.42", "5.5.3"):
            visit(page, f"{address}#map=conv2,{cell}&draw=t0")
            wanted = page.evaluate(best)
            assert page.evaluate("Digitscope.app.state.place.from") == wanted
            assert f"map {wanted}" in page.locator(".big .map-name").first.text_content()
            page.evaluate("(from) => Digitscope.app.go({ from })", (wanted + 1) % 32)
            until(page, f"location.hash.includes('from={(wanted + 1) % 32}&')")
            page.goto("about:blank")


def photo(path: Path) -> Path:
    """Two drawn digits on squared paper, half of it in shadow."""
    sheet = np.full((300, 480, 3), (234, 241, 243), np.float32)
    sheet[::24], sheet[:, ::24] = (222, 196, 176), (222, 196, 176)
    cv2.ellipse(sheet, (130, 150), (45, 80), 0, 0, 360, (120, 60, 40), 14)
    cv2.line(sheet, (350, 60), (350, 240), (120, 60, 40), 14)
    sheet[:, 250:] *= 0.6
    noise = np.random.default_rng(0).normal(0, 3, sheet.shape)
    Image.fromarray(np.clip(sheet + noise, 0, 255).astype(np.uint8)[:, :, ::-1]).save(path)
    return path


def test_read_my_photo(page: Any, tmp_path: Path):
    with page.expect_file_chooser() as chooser:
        follow(page, "Read my photo")
    chooser.value.set_files(photo(tmp_path / "photo.png"))
    until(page, "document.querySelectorAll('.found b').length === 2")
    assert page.locator(".found b").all_text_contents() == ["0", "1"]
    assert page.locator(".picture").get_attribute("aria-busy") == "false"
    assert "stand apart" in page.locator(".picture .note").text_content()


def test_a_picture_is_read_beside_the_page_and_can_be_cancelled(browser: Any, address: str, tmp_path: Path):
    picture = photo(tmp_path / "photo.png")
    with opened(browser, **SCREENS["wide"]) as page:
        visit(page, address)
        page.evaluate("() => { Digitscope.findInk = () => { throw new Error('on the main thread'); }; }")
        page.evaluate(
            """() => { const { finder } = Digitscope.app.picture; globalThis.gate = {};
              const find = finder.find; gate.closed = new Promise((open) => { gate.open = open; });
              finder.find = async (image) => { await gate.closed; return find(image); }; }"""
        )
        page.locator("input[type=file]").set_input_files(picture)
        until(page, "document.querySelector('.picture').getAttribute('aria-busy') === 'true'")
        assert page.locator(".picture progress").is_visible()
        page.get_by_role("button", name="Cancel").click()
        assert page.locator(".picture").is_hidden()
        assert page.evaluate("document.activeElement.textContent") == "Read a picture"
        assert "not read" in page.locator("p[role=status]").last.text_content()
        page.evaluate("() => gate.open()")
        page.wait_for_timeout(1500)
        assert page.locator(".picture").is_hidden() and page.evaluate("Digitscope.app.drawing.sample") == 0
        page.locator("input[type=file]").set_input_files(picture)
        until(page, "document.querySelectorAll('.found b').length === 2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SCREENS))
def test_nothing_keeps_people_out_of_the_panels(browser: Any, address: str, scheme: str, size: str, tmp_path: Path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="NO AXE: install axe-playwright-python")
    names = ("Why 7", "Where it errs most", "Which filter sees", "Map of the", "Watch it learn", "A convolution")
    with opened(browser, color_scheme=scheme, **SCREENS[size]) as page:
        visit(page, address)
        page.locator("input[type=file]").set_input_files(photo(tmp_path / "photo.png"))
        until(page, "document.querySelectorAll('.found b').length === 2")
        for name in ("", *names):
            if name:
                page.evaluate("() => Digitscope.app.keep({ sample: 0 })")
                until(page, "Digitscope.app.drawing.sample === 0 && Digitscope.app.pad.hint.textContent !== ''")
                page.wait_for_timeout(500)
                page.locator("button:visible").filter(has_text=re.compile(f"^{name}")).first.click()
                page.wait_for_timeout(1000)
            found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
            assert not [(one["id"], one["nodes"][0]["html"][:90]) for one in found.response["violations"]], name
