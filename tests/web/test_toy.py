"""The convolution to play with: its sizes and sums against NumPy, by mouse, finger and keys."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from browser import chromium, opened
from digitscope.web.lens.bundle import page_files

SETTINGS = {
    "input": range(5, 11),
    "kernel": range(1, 6),
    "stride": range(1, 4),
    "padding": range(3),
    "dilation": range(1, 4),
}

SHOWN = """() => [...document.querySelectorAll('.toy-cells')].map((cells) => [...cells.children].map((cell) => [
  Number(cell.textContent.replace('\\u2212', '-')), cell.classList.contains('at')]))"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    """A page that holds nothing but the toy, at the width of a phone."""
    files = {name: content.decode() for name, content in page_files().items()}
    strings = json.loads(files["strings.en.json"])
    with chromium() as browser, opened(browser, viewport={"width": 390, "height": 844}, has_touch=True) as page:
        page.set_content(f"<!doctype html><style>{files['toy.css']}</style>")
        for name in ("dom.js", "toy.js"):
            page.add_script_tag(content=files[name])
        page.evaluate(
            "(strings) => { Digitscope.setStrings(strings); document.body.append(Digitscope.toy()); }", strings
        )
        yield page


def choose(page: Any, **settings: int) -> None:
    for name, value in settings.items():
        page.get_by_label(name, exact=True).fill(str(value))


def shown(page: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of input, kernel and output: the numbers, and which of them are marked; each (side, side)."""
    made = []
    for cells in page.evaluate(SHOWN):
        side = round(len(cells) ** 0.5)
        values, marks = (np.array([cell[i] for cell in cells]).reshape(side, side) for i in (0, 1))
        made.append((values, marks))
    return made


def test_the_size_is_the_number_of_places_where_the_window_fits(page: Any):
    for n, k, s, p, d in itertools.product(*SETTINGS.values()):
        places = [start for start in range(0, n + 2 * p, s) if start + d * (k - 1) < n + 2 * p]
        assert page.evaluate(
            "(given) => Digitscope.outputSize(given)", {"n": n, "k": k, "s": s, "p": p, "d": d}
        ) == len(places)


@pytest.mark.parametrize(
    "chosen", [(8, 3, 1, 0, 1), (8, 3, 2, 1, 1), (10, 3, 2, 1, 2), (7, 2, 3, 2, 1), (5, 1, 1, 0, 3), (9, 5, 1, 2, 1)]
)
def test_the_output_is_the_convolution_of_what_is_shown(page: Any, chosen: tuple[int, ...]):
    _, k, s, _, d = chosen
    choose(page, **dict(zip(SETTINGS, chosen, strict=True)))
    (padded, _), (kernel, _), (output, _) = shown(page)
    assert kernel.shape == (k, k) and np.abs(output).max() > 0
    for row, column in np.ndindex(output.shape):
        window = padded[row * s : row * s + d * (k - 1) + 1 : d, column * s : column * s + d * (k - 1) + 1 : d]
        assert output[row, column] == (window * kernel).sum()


def test_the_formula_has_the_numbers_put_in(page: Any):
    choose(page, input=8, kernel=3, stride=2, padding=1, dilation=1)
    assert (
        page.locator(".toy-formula").text_content().endswith("= ⌊(8 + 2·1 − 1·(3 − 1) − 1) / 2⌋ + 1 = ⌊7 / 2⌋ + 1 = 4")
    )
    assert "The last 1 rows" in page.locator(".toy-notes").text_content()
    choose(page, stride=1)
    assert 'padding="same"' in page.locator(".toy-notes").text_content()
    choose(page, input=5, kernel=5, padding=0, dilation=3)
    assert "spans 13 cells and the input has 5" in page.locator(".toy-formula").text_content()
    assert shown(page)[2][0].size == 0 and page.locator(".toy-sum").text_content() == ""


@pytest.mark.parametrize("by", ["keys", "mouse", "finger"])
def test_the_window_shows_what_a_number_is_made_of(page: Any, by: str):
    choose(page, input=8, kernel=3, stride=2, padding=0, dilation=2)
    choose(page, stride=1)
    if by == "keys":
        page.get_by_label("The output").focus()
        for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowDown"):
            page.keyboard.press(key)
    else:
        cell = page.locator(".toy-cells").last.locator("span").nth(4 * 1 + 2)
        cell.hover() if by == "mouse" else cell.tap()
    (_, seen), _, (output, at) = shown(page)
    assert np.argwhere(at).tolist() == [[1, 2]]
    assert np.argwhere(seen).tolist() == [[row, column] for row in (1, 3, 5) for column in (2, 4, 6)]
    assert page.locator(".toy-sum").text_content().endswith(f"= {str(output[1, 2]).replace('-', '−')}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


KEYS = """(keys) => { for (const key of keys) document.querySelector('.toy-cells[tabindex]').dispatchEvent(
  new KeyboardEvent('keydown', { key, bubbles: true })); }"""


def test_the_windows_arrows_stop_at_the_edge_and_a_resting_mouse_takes_no_part(page: Any):
    choose(page, input=8, kernel=3, stride=1, padding=0, dilation=1)
    page.locator(".toy-cells").last.locator("span").nth(8).hover()
    choose(page, input=5)  # other cells lie below the mouse now, of which the browser tells the page some time later
    page.evaluate(KEYS, ["ArrowUp", *["ArrowLeft"] * 3, *["ArrowDown"] * 9])
    page.wait_for_timeout(300)
    assert np.argwhere(shown(page)[2][1]).tolist() == [[2, 0]]
