"""The page in other languages: every text is there, only those asked for are in a page, and a browser shows them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from browser import chromium, opened, until
from digitscope.datasets.dataset import Dataset
from digitscope.errors import ConfigError
from digitscope.models.model import load
from digitscope.web.lens.bundle import page_files, write_page
from page_models import few_images

CODES = ("de", "es", "fr", "hi", "tr", "zh")
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PLACES = ("", "map=input,14.14.0", "map=conv2,3.4.15", "map=dense,5", "map=softmax,7", "number=conv2,3.4.15",
          "number=dense,5", "tour=4", "draw=s", "panel=why")  # fmt: skip
SEEN = """() => [document.title, document.body.innerText, ...['title', 'aria-label'].flatMap((name) =>
  [...document.querySelectorAll(`[${name}]`)].map((one) => one.getAttribute(name)))].join('\\n')"""


def strings(code: str) -> dict[str, str]:
    path = resources.files("digitscope.web.lens") / "static" / f"strings.{code}.json"
    texts: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def pairs_only(pairs: list[tuple[str, str]]) -> dict[str, str]:
    assert len(dict(pairs)) == len(pairs), "a text is there twice"
    return dict(pairs)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def few() -> Dataset:
    return few_images(100)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, few: Dataset) -> str:
    """A page that speaks every language."""
    path = tmp_path_factory.mktemp("page") / "lens.html"
    return write_page(load("classic"), path, data=few, chosen=CODES).as_uri()


def visit(page: Any, address: str, place: str = "") -> None:
    page.goto("about:blank")
    page.goto(f"{address}#{place}")
    ready(page)


def ready(page: Any) -> None:
    until(page, "globalThis.Digitscope?.app !== undefined", seconds=10)


def language(page: Any) -> str:
    return str(page.evaluate("document.documentElement.lang"))


@pytest.mark.parametrize("code", CODES)
def test_every_text_is_there_once_and_speaks_of_the_same_values(code: str):
    path = resources.files("digitscope.web.lens") / "static" / f"strings.{code}.json"
    there, english = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=pairs_only), strings("en")
    assert list(there) == list(english), set(there) ^ set(english)
    for key, text in english.items():
        assert set(re.findall(r"{(\w+)}", there[key])) == set(re.findall(r"{(\w+)}", text)), key
        assert bool(there[key]) == bool(text), key
        assert re.match(r"\s*", there[key])[0] == re.match(r"\s*", text)[0], key  # type: ignore[index]
    same = [key for key, text in english.items() if len(re.findall(r"[a-z]{2,}", text)) > 3 and there[key] == text]
    assert not same, "left in English"


@pytest.mark.parametrize("code", CODES)
def test_texts_that_name_a_button_call_it_what_it_is_called(code: str):
    texts = {key: text.lower() for key, text in strings(code).items()}
    for place, button in [("tour.4.text", "slide.play"), ("tour.5.text", "maps.sum"), ("tour.5.text", "maps.relu"),
                          ("learn.none", "learn.train")]:  # fmt: skip
        assert re.sub(r"^\W+", "", texts[button]) in texts[place], (place, texts[button])


def test_only_the_languages_asked_for_are_in_a_page(tmp_path: Path, few: Dataset):
    plain, two = page_files(), page_files(["de", "zh", "en"])
    found = [{name for name in files if name.startswith("strings.")} for files in (plain, two)]
    assert found == [{"strings.en.json"}, {f"strings.{code}.json" for code in ("en", "de", "zh")}]
    text = write_page(load("classic"), tmp_path / "a.html", data=few, chosen=["tr"]).read_text(encoding="utf-8")
    held = re.findall(r'data-file="(strings\.\w+\.json)">(.*?)</script>', text, re.DOTALL)
    assert {name: json.loads(content) for name, content in held} == {
        f"strings.{code}.json": strings(code) for code in ("en", "tr")
    }
    with pytest.raises(ConfigError, match=r"the page has no language 'it'; give one of de, es, fr, hi, tr, zh"):
        page_files(["de", "it"])


@pytest.mark.parametrize("code", CODES)
def test_it_speaks_the_browsers_language_and_leaves_nothing_in_english(browser: Any, address: str, code: str):
    there, english = strings(code), strings("en")
    left = [text for key, text in english.items() if len(text) > 11 and there[key] != text and "{" not in text]
    left = [text for text in left if not any(text in one for one in there.values())]
    with opened(browser, **PHONE, locale=code) as page:
        for place in PLACES:
            visit(page, address, place)
            assert language(page) == code
            said = page.evaluate(SEEN)
            assert there["title"] in said and there["pad.title"] in said
            assert not re.search(r"undefined|\{\w+\}", said)
            assert not [text for text in left if text in said], place
            assert page.evaluate("document.documentElement.scrollWidth") == 390, place
        page.locator(".top-buttons .ask").tap()
        assert page.locator(".questions h2").text_content() == f"1. {there['question.empty.title']}"
        page.locator(".question-choices button").nth(1).tap()
        assert there["questions.right"] in page.locator(".question-verdict").text_content()
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_language_is_chosen_from_a_menu_and_kept(browser: Any, address: str):
    with opened(browser, locale="pl-PL") as page:
        visit(page, address, "map=conv1,3.4.5")
        assert language(page) == "en", "nothing else is left"
        menu = page.get_by_label("Language")
        assert menu.locator("option").all_text_contents()[:2] == ["English", "Deutsch"]
        menu.select_option("de")
        page.wait_for_timeout(300)
        ready(page)
        assert language(page) == "de" and "map=conv1,3.4.5" in page.url
        visit(page, address)
        assert language(page) == "de"
        assert page.get_by_label("Sprache").input_value() == "de"


@pytest.mark.parametrize(
    ("code", "sure", "learned"),
    [("en", "> 99.9 % sure", "225,034"), ("de", "zu > 99,9 % sicher", "225.034"), ("tr", "> %99,9 emin", "225.034"),
     ("hi", "> 99.9% निश्चित", "2,25,034"), ("zh-CN", "把握 > 99.9%", "225,034")],
)  # fmt: skip
def test_numbers_are_written_as_the_language_writes_them(
    browser: Any, address: str, code: str, sure: str, learned: str
):
    with opened(browser, locale=code) as page:
        visit(page, address)
        assert page.locator(".answer-sure").text_content() == sure
        assert learned in page.locator(".facts").text_content()
        weights = page.locator(".learned").all_text_contents()
        assert any(page.evaluate("Digitscope.count(18496)") in text for text in weights)
        assert page.evaluate("Digitscope.pixelText(Digitscope.app, 'csv')").count(",") == 28 * 27


def test_a_page_in_english_alone_has_no_menu(browser: Any, tmp_path: Path, few: Dataset):
    address = write_page(load("classic"), tmp_path / "a.html", data=few).as_uri()
    with opened(browser, locale="de") as page:
        visit(page, address)
        assert language(page) == "en"
        assert page.locator("select.languages").count() == 0
