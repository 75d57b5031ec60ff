"""The site of the documentation: built without a warning, whole, asking nothing of others, and fit for every screen."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from browser import chromium, opened

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "docs/guide/README.md", *ROOT.glob("docs/guide/*.ipynb")]

pytestmark = pytest.mark.slow


class Links(HTMLParser):
    """What a page refers to, what it loads, and the places in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.places |= {str(given["id"])} if "id" in given else set()
        for key in ("href", "src", "poster", "data"):
            if given.get(key):
                (self.links if tag == "a" else self.loads).append(str(given[key]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as ``make site`` builds it: a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    words = ["-m", "sphinx", "-W", "-q", "-c", "tools/site", "-d", f"{folder}-doctrees", ".", str(folder)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Quiet(SimpleHTTPRequestHandler):
    """A handler that writes no line for each request."""

    def log_message(self, format: str, *args: object) -> None: ...


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server that delivers a folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_every_page_is_in_the_site_and_its_menu(site: Path):
    menu = Links(site / "README.html").links
    for path in PAGES:
        page = path.relative_to(ROOT).with_suffix(".html").as_posix()
        assert (site / page).is_file(), page
        assert path.stem == "README" or path.suffix == ".ipynb" or page in menu, f"{page} is not in the menu"
    assert "lens.html" in menu and "docs/guide/README.html" in menu
    assert 'href="5-inside.html"' in (site / "docs/guide/README.html").read_text("utf-8")


def test_no_link_is_dead_and_nothing_is_loaded_from_elsewhere(site: Path):
    pages = {path: Links(path) for path in site.rglob("*.html") if path.name != "lens.html"}
    for path, found in pages.items():
        assert not [one for one in found.loads if re.match(r"(https?:)?//", one)], path
        for link in [*found.links, *found.loads]:
            target, _, place = unquote(link).partition("#")
            if re.match(r"[a-z]+:", link):
                continue
            there = (path.parent / target.partition("?")[0]).resolve() if target else path
            assert there.is_file(), f"{path.name} -> {link}"
            assert not place or there not in pages or place in pages[there].places, f"{path.name} -> {link}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", sheet.read_text("utf-8")), sheet


def test_chapters_show_what_their_notebooks_printed_and_drew(site: Path):
    text = (site / "docs/guide/5-inside.html").read_text("utf-8")
    assert "labelled 7, read as 7" in text and text.count("<img") >= 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_the_screen_and_stay_quiet(width: int, scheme: str, site: Path):
    """``opened`` fails at any request that leaves the machine and at any error in the console."""
    window = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
    with served(site) as address, chromium() as browser, opened(browser, **window) as page:
        page.goto(f"{address}/")
        page.wait_for_url("**/README.html")
        for name in ("README", "docs/results", "docs/examples", "docs/guide/README", "docs/guide/5-inside"):
            page.goto(f"{address}/{name}.html")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth)"), name
        page.goto(f"{address}/search.html?q=temperature")
        page.wait_for_selector("ul.search li a")
        page.wait_for_load_state("networkidle")
        page.goto(f"{address}/lens.html")
        page.wait_for_selector("canvas")
