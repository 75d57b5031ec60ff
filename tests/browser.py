"""A real Chromium for tests: one for the whole session, every request that leaves this machine refused."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

PAUSE = 0.05
"""Seconds between two looks at whether something has come true."""


@contextlib.contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A headless Chromium, with further arguments; the test is skipped, with the reason, where there is none."""
    if PROGRAM is None:
        pytest.skip("NO BROWSER: install Chromium to test the page")
    sync_playwright = pytest.importorskip(
        "playwright.sync_api", reason="NO PLAYWRIGHT: install it to test the page"
    ).sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu", *arguments]
        )
        try:
            yield browser
        finally:
            browser.close()


def until(page: Page, expression: str, argument: Any = None, *, seconds: float = 30) -> None:
    """Wait until it holds; Playwright's own way of waiting needs `eval`, which the page does not allow."""
    for _ in range(round(seconds / PAUSE)):
        if page.evaluate(expression, argument):
            return
        page.wait_for_timeout(1000 * PAUSE)
    pytest.fail(f"it never came true: {expression} {argument or ''}")


@contextlib.contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page that must stay quiet: no error in the console, no request to anywhere but this machine."""
    context = browser.new_context(**options)
    page = context.new_page()
    wrong: list[str] = []

    def judge(route: Route) -> None:
        if route.request.url.startswith(("http://127.0.0.1", "http://localhost", "file:", "data:", "blob:")):
            route.continue_()
        else:
            wrong.append(f"request to {route.request.url}")
            route.abort()

    context.route("**/*", judge)
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        yield page
        assert not wrong, wrong
    finally:
        context.close()
