"""The review page in a real browser: by keyboard, by touch, without the service for a while, by two people at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
from browser import chromium, opened, until
from digitscope.review.agreement import progress_of
from digitscope.review.items import Action
from digitscope.review.store import ReviewStore
from review_items import digit, item
from served import Served, serving

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SHOWN = "document.querySelector('.read-guess')?.textContent"
SAID = "document.querySelector('.status')?.textContent"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        store.add([
            item(1, "12"), item(2, "345", written="346"), digit(3, "7", reason=None), item(4, "", written="ab"),
            item(5, "2.5"), item(6, "99"),
        ])  # fmt: skip
    return tmp_path / "queue.db"


@pytest.fixture
def served(queue: Path) -> Iterator[Served]:
    with serving("--review", str(queue)) as served:
        yield served


def visit(page: Any, served: Served) -> None:
    page.goto(f"{served.address}/review/")
    until(page, "document.querySelector('.crop img')?.clientWidth > 50")


def shows(page: Any, guess: str) -> None:
    until(page, f"(guess) => {SHOWN} === guess", guess)
    until(page, "document.activeElement.id === 'answer'")


def says(page: Any, text: str) -> None:
    until(page, f"(text) => {SAID} === text", text)


def journal(queue: Path) -> list[tuple[Any, ...]]:
    with ReviewStore(queue) as store:
        return store.base.all("SELECT action, item, text FROM journal ORDER BY row")


def test_everything_is_done_by_keyboard(browser: Any, served: Served, queue: Path):
    with opened(browser) as page:
        visit(page, served)
        shows(page, "12")
        page.keyboard.press("Enter")
        says(page, "Saved: 12")
        shows(page, "345")
        page.keyboard.type("346")
        page.keyboard.press("Enter")
        says(page, "Saved: 346")
        shows(page, "7")
        page.keyboard.press("s")
        says(page, "Skipped; it comes again at the end")
        shows(page, "No guess")
        page.keyboard.press("Enter")
        until(page, "document.querySelector('.answer-wrong').textContent.startsWith('There is no guess')")
        page.keyboard.press("x")
        says(page, "Saved: no number")
        shows(page, "2.5")
        page.keyboard.type("2.6")
        page.keyboard.press("Control+z")
        says(page, "Taken back: no number")
        shows(page, "No guess")
        page.keyboard.press("x")
        shows(page, "2.5")
        assert page.locator("#answer").input_value() == "2.6", "what was typed is still there"
        page.keyboard.press("Enter")
        shows(page, "99")
        page.keyboard.press("u")
        says(page, "Taken back: 2.6")
        shows(page, "2.5")
        assert page.locator("#answer").input_value() == "2.6"
        for _ in range(3):
            says_before = len(journal(queue))
            page.keyboard.press("Enter")
            until(page, "Digitscope.review.outbox.acts.length === 0")
            assert len(journal(queue)) == says_before + 1
        until(page, "document.querySelector('.nothing').checkVisibility()")
        assert "6 of 6 done" in page.locator(".facts").inner_text()
    with ReviewStore(queue) as store:
        assert {queued.number: queued.text for queued in store.settled()} == {
            1: "12", 2: "346", 3: "7", 4: None, 5: "2.6", 6: "99",
        }  # fmt: skip


def test_many_answers_in_a_row_are_taken_back(browser: Any, served: Served, queue: Path):
    with ReviewStore(queue) as store:
        store.add(item(number, f"{number}00") for number in range(7, 15))
    with opened(browser) as page:
        visit(page, served)
        for number in range(1, 9):
            until(page, "(number) => Digitscope.review?.queue[0]?.number === number", number)
            page.keyboard.press("x")
        until(page, "Digitscope.review.outbox.acts.length === 0")
        for _ in range(8):
            page.keyboard.press("u")
        until(page, "Digitscope.review.outbox.acts.length === 0")
        shows(page, "12")
        says(page, "Taken back: no number")
        numbers = page.evaluate("Digitscope.review.queue.map(({ number }) => number)")
        assert numbers[:11] == list(range(1, 12)) and len(numbers) == len(set(numbers))


def test_what_is_no_number_is_not_sent(browser: Any, served: Served, queue: Path):
    with opened(browser) as page:
        visit(page, served)
        for typed in ("1e5", "--", "1 000 a"):
            page.locator("#answer").fill(typed)
            page.keyboard.press("Enter")
            until(page, "document.querySelector('.answer-wrong').textContent.startsWith('Type digits')")
            assert page.locator("#answer").get_attribute("aria-invalid") == "true"
        page.locator("#answer").fill(" 1 2,5 ")
        page.keyboard.press("Enter")
        says(page, "Saved: 12,5")
    assert journal(queue) == [("text", 1, "12,5")]


def test_without_the_service_answers_are_kept_and_sent_again(browser: Any, queue: Path):
    """It is killed; two answers wait, outlive a reload that needs no service, and are taken once it is back."""
    with serving("--review", str(queue)) as first, opened_without_judge(browser) as page:
        visit(page, first)
        first.process.kill()
        first.process.wait()
        page.keyboard.press("Enter")
        shows(page, "345")
        page.keyboard.type("346")
        page.keyboard.press("Enter")
        until(page, "document.querySelector('.gone').textContent.includes('Your last 2 answers are kept here')")
        assert journal(queue) == [] and not page.locator(".status").inner_text().startswith("Saved")
        page.keyboard.type("8")
        with serving_again(queue, first.port):
            until(page, "Digitscope.review.outbox.acts.length === 0")
            until(page, "document.querySelector('.gone').hidden")
            says(page, "Saved: 346")
            assert page.locator("#answer").input_value() == "8" and page.evaluate(SHOWN) == "7"
            assert journal(queue) == [("text", 1, "12"), ("text", 2, "346")]
            numbers = page.evaluate("Digitscope.review.queue.map(({ number }) => number)")
            assert numbers == [3, 4, 5], "what was answered does not come again"


def test_answers_wait_while_something_else_is_at_the_address(browser: Any, served: Served, queue: Path):
    page = opened_without_judge(browser)
    visit(page, served)
    for number, status in enumerate((403, 404, 421), 1):
        page.route("**/v1/review/answers", refusing(status))
        page.keyboard.press("x")
        until(page, "(said) => document.querySelector('.gone').textContent.includes(said)", f"Not here: {status}")
        assert page.evaluate("Digitscope.review.outbox.acts.map(({ item }) => item)") == [number]
        page.unroute("**/v1/review/answers")
        until(page, "document.querySelector('.gone').hidden")
        assert journal(queue)[-1] == ("unreadable", number, None)
    page.context.close()


def refusing(status: int) -> Any:
    """What answers requests with a problem."""
    return lambda route: route.fulfill(status=status, json={"detail": f"Not here: {status}"})


def opened_without_judge(browser: Any) -> Any:
    """A page that may have errors in its console: those of requests that nobody answers."""
    return browser.new_context().new_page()


def serving_again(queue: Path, port: int) -> Any:
    """A service on the port of one that has ended."""
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
    return serving("--review", str(queue), port=port)


def test_two_people_get_different_numbers_and_a_dispute_is_shown(browser: Any, served: Served, queue: Path):
    with opened(browser) as anna, opened(browser) as boris:
        visit(anna, served)
        visit(boris, served)
        shows(anna, "12")
        shows(boris, "No guess")
        boris.keyboard.type("1")
        boris.keyboard.press("Enter")
        says(boris, "Saved: 1")
    with ReviewStore(queue) as store:
        progress = progress_of(store)
        assert (progress.open, progress.corrected) == (5, 1)
        (other,) = store.base.one("SELECT person FROM journal")
        store.record("answer-x", f"{other}-too", Action.TEXT, 4, "17")
        store.base.run("UPDATE items SET held_until = 0")
        for number in (1, 2, 3, 5, 6):
            store.record(f"answer-{number}", "person-1", Action.TEXT, number, "7")
    with opened(browser) as clara:
        visit(clara, served)
        assert clara.locator(".said").inner_text() == "People differ: 1, 17. Your answer decides."
        assert "1 disputed" in clara.locator(".facts").inner_text()
        clara.keyboard.type("17")
        clara.keyboard.press("Enter")
        says(clara, "Saved: 17")
        until(clara, "document.querySelector('.facts').textContent.startsWith('6 of 6 done')")


def test_the_token_is_asked_for(browser: Any, queue: Path):
    with serving("--review", str(queue), token="a-token-of-some-length") as served:
        page = opened_without_judge(browser)
        page.goto(f"{served.address}/review/")
        until(page, "document.activeElement?.id === 'token'")
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        until(page, "document.querySelector('.token .note').textContent === 'That was not the token.'")
        page.locator("#token").fill("a-token-of-some-length")
        page.keyboard.press("Enter")
        shows(page, "12")
        page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(browser: Any, served: Served, queue: Path, scheme: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="NO AXE: install axe-playwright-python")
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    with opened(browser, **PHONE, color_scheme=scheme) as page:
        visit(page, served)
        page.locator(".acts button").nth(0).tap()
        says(page, "Saved: no number")
        page.locator(".acts button").nth(2).tap()
        says(page, "Taken back: no number")
        page.locator("#answer").fill("x1")
        page.locator(".answer-line button").tap()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.locator("button:visible, input:visible").evaluate_all(
            "(all) => all.every((one) => one.offsetHeight >= 44)"
        )
        found = axe.Axe().run(page, options=rules)
        assert not found.response["violations"], found.generate_report()
        page.evaluate("document.querySelector('.gone').hidden = false")
        page.evaluate("document.querySelector('.gone').textContent = 'The service does not answer.'")
        found = axe.Axe().run(page, options=rules)
        assert not found.response["violations"], found.generate_report()
    with ReviewStore(queue) as store:
        for number in range(1, 7):
            store.record(f"end-{number}", "person-1", Action.UNREADABLE, number, seen=99)
    with opened(browser, color_scheme=scheme) as page:
        page.goto(f"{served.address}/review/")
        until(page, "document.querySelector('.nothing')?.checkVisibility()")
        found = axe.Axe().run(page, options=rules)
        assert not found.response["violations"], found.generate_report()
