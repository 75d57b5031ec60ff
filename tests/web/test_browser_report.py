"""The report as a reader sees it, in a real browser: on every screen, in the dark, on paper, on the way to the page."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest

from browser import chromium, opened
from digitscope.datasets.mnist import load_mnist
from digitscope.models.model import load
from digitscope.training.recipes import recipe_of
from digitscope.web.lens.bundle import write_page
from digitscope.web.lens.single_file import model_in
from digitscope.web.lens.stages import packed
from digitscope.web.report.build import write_report

SCREENS = [(1440, 900), (1024, 768), (390, 844)]

SMALL_TEXT = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, parent = text.parentElement;
    if (!text.data.trim() || parent.closest('script, style, noscript') || !parent.checkVisibility()) continue;
    const matrix = parent.ownerSVGElement ? parent.getScreenCTM() : { a: 1, b: 0 };
    const size = parseFloat(getComputedStyle(parent).fontSize) * Math.hypot(matrix.a, matrix.b);
    if (size < 11.99 && !parent.closest('sub, sup')) found.push(`${text.data.trim()}: ${size}`);
  }
  return found; }"""
"""Texts of fewer than 12 CSS pixels."""

CUT = """() => [...document.querySelectorAll('main *')].filter((one) => one.checkVisibility()
  && one.scrollWidth > one.clientWidth + 1 && one.clientWidth
  && !['visible', 'clip'].includes(getComputedStyle(one).overflowX)
  && !one.classList.contains('scrolls') && !one.closest('pre, .math')).map((one) => one.className)"""
"""Elements that scroll sideways and do not say so; code and formulas break off where everyone sees it."""

BRIGHT = """() => [...document.querySelectorAll('figure .card, figure svg, figure table:not(.pixels)')]
  .filter((one) => one.checkVisibility()).map((one) => getComputedStyle(one).backgroundColor)
  .filter((colour) => colour.match(/\\d+/g).slice(0, 3).every((part) => part > 200) && !colour.endsWith(', 0)'))"""

CORNER = """() => {
  const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  copy.drawImage(document.querySelectorAll('[data-slide=pool] canvas')[1], 0, 0);
  return [...copy.getImageData(1, 1, 1, 1).data].slice(0, 3); }"""
"""The colour of the first cell of the pooled map, which is 0."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the shipped network on a few digits, some of them with a wrong label, with its page and report."""
    folder = tmp_path_factory.mktemp("run")
    (x, y), (x_test, y_test) = load_mnist()
    y_test = y_test[:200].copy()
    y_test[[30, 60, 190]] = (y_test[[30, 60, 190]] + 1) % 10
    np.savez(folder / "few.npz", x_train=x[:300], y_train=y[:300], x_test=x_test[:200], y_test=y_test)
    model = resources.files("digitscope") / "shipped" / "models" / "classic.onnx"
    (folder / "model.onnx").write_bytes(model.read_bytes())
    recipe, data = recipe_of("classic"), str(folder / "few.npz")
    evaluation = load(folder / "model.onnx").evaluate(data)
    records: dict[str, Any] = {
        "config": {"recipe": asdict(recipe), "seed": 7, "data": data, "execution": {}, "versions": {}},
        "metrics": {"fit_seconds": 61.0, "train_n": 300, "parameters": 225_034},
        "evaluation": evaluation.to_dict(),
    }
    for name, value in records.items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["epoch", "loss", "accuracy", "learning_rate", "images_per_second", "seconds"])
    writer.writerows([epoch, 1 / epoch, 1 - 0.1 / epoch, 0.001, 1000, 15] for epoch in range(1, recipe.epochs + 1))
    (folder / "history.csv").write_text(text.getvalue(), encoding="utf-8")
    write_page(load(folder), folder / "lens.html", data=data, report=True)
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


def visit(page: Any, folder: Path) -> None:
    page.goto((folder / "report.html").as_uri())
    page.wait_for_function("document.querySelector('[data-slide] canvas')?.width > 0")


def printed(page: Any) -> list[str]:
    """The text of every page on paper."""
    document = pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True, print_background=True))
    return [page.get_textpage().get_text_range() for page in document]


def live(page: Any) -> None:
    """Until the live page is ready."""
    for _ in range(300):
        if page.evaluate("globalThis.Digitscope?.app !== undefined"):
            return
        page.wait_for_timeout(50)
    pytest.fail("the live page never started")


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_text_is_never_small_and_what_scrolls_says_so(browser: Any, folder: Path, width: int, height: int):
    with opened(browser, viewport={"width": width, "height": height}, reduced_motion="reduce") as page:
        visit(page, folder)
        page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        page.wait_for_timeout(200)
        assert page.evaluate(SMALL_TEXT) == []
        assert page.evaluate(CUT) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        charts = page.locator("svg.chart").count()
        assert (
            page.evaluate("[...document.querySelectorAll('svg.chart')].filter((one) => one.checkVisibility()).length")
            == charts / 2
        )
        assert (page.locator(".scroller.scrolls").count() > 0) is (width < 1000)


def test_figures_are_dark_in_the_dark(browser: Any, folder: Path):
    with opened(browser, viewport={"width": 1440, "height": 900}, color_scheme="dark", reduced_motion="reduce") as page:
        visit(page, folder)
        assert page.evaluate(BRIGHT) == []
        lines = "getComputedStyle(document.querySelector('svg.chart:not(.close) text')).fill"
        assert page.evaluate(lines) == "rgb(232, 230, 225)"
        assert "invert" in page.evaluate("getComputedStyle(document.querySelector('img.signed')).filter")
        assert max(page.evaluate(CORNER)) < 90
        page.emulate_media(color_scheme="light")
        page.wait_for_function(f"Math.min(...({CORNER})()) > 200")
        assert page.evaluate(lines) == "rgb(34, 34, 34)"


def test_a_number_of_the_confusion_matrix_opens_its_pictures_and_a_picture_the_page(browser: Any, folder: Path):
    with opened(browser, viewport={"width": 1440, "height": 900}, reduced_motion="reduce") as page:
        visit(page, folder)
        cell = page.locator(".confusion td[style] a").first
        anchor = cell.get_attribute("href")
        assert page.locator(".behind:visible").count() == 0
        cell.focus()
        page.keyboard.press("Enter")
        gallery = page.locator(f".behind{anchor}")
        gallery.wait_for(state="visible")
        page.wait_for_function("document.activeElement.classList.contains('behind')")
        picture = gallery.locator("a.open").first
        index = picture.get_attribute("href").split("draw=t")[1]
        with page.context.expect_page() as found:
            picture.click()
        live(found.value)
        assert found.value.evaluate("Digitscope.app.drawing.sample") == int(index)
        _, label, _, answer = anchor[1:].split("-")
        assert found.value.evaluate("Digitscope.app.outcome.answer") == int(answer)
        assert found.value.evaluate("Digitscope.app.samples.get(Digitscope.app.drawing.sample).label") == int(label)
        page.bring_to_front()
        gallery.get_by_text("Close").click()
        gallery.wait_for(state="hidden")


def test_pictures_open_the_page_at_their_digit_and_cell_in_one_tab(browser: Any, folder: Path):
    with opened(browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as page:
        visit(page, folder)
        with page.context.expect_page() as found:
            page.locator(".way-in .button").tap()
        other = found.value
        live(other)
        assert other.evaluate("Digitscope.app.state.place.depth") == 0
        page.bring_to_front()
        page.locator("#convolution .maps a.open").nth(4).tap()
        other.wait_for_timeout(300)
        place = other.evaluate("Digitscope.app.state.place")
        layer = other.evaluate("Digitscope.app.model.layers[Digitscope.app.state.place.layer].name")
        assert (place["depth"], layer, place["cell"] % 32) == (1, "conv1", 4)
        page.bring_to_front()
        page.locator("#data .gallery.small a.open").nth(2).tap()
        other.wait_for_timeout(600)
        wanted = load_mnist()[0][0][2].ravel()
        assert np.array_equal(
            np.round(255 * np.array(list(other.evaluate("Object.values(Digitscope.app.field)")))), wanted
        )
        assert len(page.context.pages) == 2


def test_every_layer_of_the_page_leads_to_its_chapter(browser: Any, folder: Path):
    with opened(browser, viewport={"width": 1440, "height": 900}) as page:
        page.goto((folder / "lens.html").as_uri())
        live(page)
        chapters = [
            link.split("#")[1]
            for link in page.evaluate("[...document.querySelectorAll('.net-row a.chapter')].map((one) => one.href)")
        ]
        assert chapters == ["data", "convolution", "pooling", "second", "pooling", "flatten", "dense", "softmax"]
        page.locator(".layer-head").nth(3).click()
        with page.context.expect_page() as found:
            page.locator(".crumbs a.chapter").click()
        found.value.wait_for_load_state()
        assert found.value.evaluate("document.querySelector(location.hash + ' h2').textContent").startswith(
            "The second"
        )


def test_a_page_without_a_report_leads_to_none(browser: Any, folder: Path):
    text = (folder / "lens.html").read_text(encoding="utf-8")
    values, packed_there = model_in(text), re.search(r'(data-packed="gzip">)[^<]*', text)
    assert values is not None and packed_there is not None and values.pop("report")
    alone = folder / "alone.html"
    alone.write_text(
        text.replace(packed_there[0], packed_there[1] + packed(json.dumps(values).encode())), encoding="utf-8"
    )
    with opened(browser, viewport={"width": 1440, "height": 900}) as page:
        page.goto(alone.as_uri())
        live(page)
        assert page.locator("a.chapter").count() == 0 and page.get_by_text("Report", exact=True).count() == 0


def test_it_prints_on_at_most_forty_pages_with_contents_and_numbers(browser: Any, folder: Path):
    with opened(browser, viewport={"width": 1440, "height": 900}, reduced_motion="reduce") as page:
        visit(page, folder)
        headings = page.evaluate("[...document.querySelectorAll('main :is(h2, h3)')].map((one) => one.textContent)")
        pages = printed(page)
    assert len(pages) <= 40
    titles = [
        "What a convolution does",
        "Flatten: from maps to a list",
        "Where it errs, and why",
        "Sources and licences",
    ]
    assert all(title in pages[0] for title in titles)
    assert all(f"{number} / {len(pages)}" in text for number, text in enumerate(pages, start=1))
    assert not any("Three questions on this chapter" in text for text in pages), "hand-outs have them"
    foot = "How a network reads digits"
    lines = [[line.strip() for line in text.splitlines() if line.strip() and foot not in line] for text in pages]
    assert len(headings) > 40
    assert not [of_page[-1] for of_page in lines[:-1] if of_page[-1] in headings], "no heading ends a page"


def test_every_chapter_has_a_hand_out_of_at_most_two_pages(browser: Any, folder: Path):
    with opened(browser, viewport={"width": 1440, "height": 900}, reduced_motion="reduce") as page:
        visit(page, folder)
        handouts = page.evaluate("[...document.querySelectorAll('.questions')].map((one) => one.id)")
        chapters = page.evaluate("[...document.querySelectorAll('section.chapter')].map((one) => one.id)")
        assert [f"handout-{chapter}" for chapter in chapters[:-3]] == handouts
        for number, (chapter, handout) in enumerate(zip(chapters, handouts, strict=False), start=1):
            page.evaluate(f"location.hash = '{handout}'")
            page.wait_for_function(f"document.querySelector('.handed')?.id === '{chapter}'")
            text = printed(page)
            assert len(text) <= 2, chapter
            said = " ".join(" ".join(text).split())
            for wanted in page.evaluate("""[...document.querySelectorAll('.handed :is(h2, .questions li)')]
              .map((one) => one.textContent.trim())"""):
                assert " ".join(wanted.split()) in said, (chapter, wanted)
            assert f"Name {number} {page.title()}" in said
            assert page.locator(".handed .questions li i").count() == 21, "lines to write on"
            assert page.locator(".handed figure:visible").count() <= 1


def test_the_way_to_a_hand_out_and_back(browser: Any, folder: Path):
    with opened(browser, viewport={"width": 390, "height": 844}, reduced_motion="reduce") as page:
        visit(page, folder)
        assert page.locator(".sheet-bar").is_hidden()
        page.locator("#adam").get_by_text("Hand-out to print").click()
        page.get_by_role("button", name="Print this hand-out").wait_for()
        assert page.locator("#adam svg.chart:visible").count() == 1 and page.locator("#loss").is_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate(SMALL_TEXT) == []
        page.evaluate("globalThis.print = () => { globalThis.asked = true; }")
        page.get_by_role("button", name="Print this hand-out").click()
        assert page.evaluate("globalThis.asked")
        page.get_by_text("Back to the whole report").click()
        page.locator("#loss").wait_for()
        assert page.evaluate("location.hash") == "#adam" and "How a network reads" in page.title()
        page.goto((folder / "report.html").as_uri() + "#handout-relu")
        page.reload()
        page.wait_for_function("document.querySelector('.handed')?.id === 'relu'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [SCREENS[0], SCREENS[-1]])
def test_nothing_keeps_people_out_of_the_report(browser: Any, folder: Path, scheme: str, width: int, height: int):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="NO AXE: install axe-playwright-python")
    size = {"width": width, "height": height}
    with opened(browser, viewport=size, color_scheme=scheme, reduced_motion="reduce") as page:
        visit(page, folder)
        page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        gallery = page.locator(".confusion td[style] a").first.get_attribute("href")
        for place in (gallery, "#handout-mnist", "#handout-softmax"):
            page.evaluate("(place) => { location.hash = place; }", place)
            page.wait_for_timeout(300)
            found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
            assert found.response["passes"]
            wrong = [(one["id"], one["nodes"][0]["html"][:90]) for one in found.response["violations"]]
            assert not wrong, (place, wrong)


def test_the_first_chapters_have_figures_on_their_hand_outs(browser: Any, folder: Path):
    with opened(browser, viewport={"width": 1440, "height": 900}, reduced_motion="reduce") as page:
        visit(page, folder)
        for chapter, pictures in (("mnist", 1), ("split", 24)):
            page.evaluate(f"location.hash = 'handout-{chapter}'")
            page.wait_for_function(f"document.querySelector('.handed')?.id === '{chapter}'")
            assert page.locator(".handed figure img:visible").count() == pictures
