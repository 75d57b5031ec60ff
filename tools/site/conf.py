"""How Sphinx makes a site of this repository's own pages (make site): the README and its neighbours, docs/, the guide.

The pages keep their places, so that the links between them are right as they are. The guide's chapters are shown from
their notebooks, with what these printed and drew; nothing is run. The page to draw digits in is written by the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import digitscope
from digitscope.models.model import load
from digitscope.web.lens.bundle import write_page

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent.parent

project = "Digitscope"
author = copyright = "The Digitscope developers"
version = release = digitscope.__version__

extensions = ["myst_nb"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/guide/README.md", "docs/guide/*.ipynb"]
templates_path = ["templates"]
nb_execution_mode = "off"
myst_heading_anchors = 3
"""Levels of headings that links may lead to, by the names that code hosts give them."""

html_theme = "furo"
html_title = f"Digitscope {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_favicon = "static/icon.svg"
html_additional_pages = {"index": "index.html"}
html_show_sourcelink = html_copy_source = False
html_use_index = False
html_theme_options = {
    "top_of_page_buttons": [],
    "light_css_variables": {
        "color-background-primary": "#fbfaf7",
        "color-background-secondary": "#f4f1ea",
        "color-background-hover": "#efece5",
        "color-background-border": "#e3dfd6",
        "color-foreground-primary": "#1f2328",
        "color-foreground-secondary": "#5b6169",
        "color-foreground-muted": "#5b6169",
        "color-brand-primary": "#a8440a",
        "color-brand-content": "#a8440a",
        "color-brand-visited": "#a8440a",
    },
    "dark_css_variables": {
        "color-background-primary": "#16181b",
        "color-background-secondary": "#1e2125",
        "color-background-hover": "#2b2f35",
        "color-background-border": "#34383e",
        "color-foreground-primary": "#e8e6e1",
        "color-foreground-secondary": "#a7abb1",
        "color-foreground-muted": "#a7abb1",
        "color-brand-primary": "#f0a36b",
        "color-brand-content": "#f0a36b",
        "color-brand-visited": "#f0a36b",
    },
}
"""The paper, ink and orange of the page and the report (``web/lens/static/page.css``)."""

html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "live.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}

MENU = {
    "Guide": ["docs/guide/README"],
    "Use": ["docs/examples", "docs/review", "docs/data", "docs/cli", "docs/python"],
    "Measured": ["docs/results", "docs/experiments"],
    "Project": ["ARCHITECTURE", "docs/decisions", "CONTRIBUTING", "CHANGELOG"],
}
"""The parts of the menu. A page of docs/ that is not named comes last in Use, one of the root last in Project."""

CHAPTERS = sorted(path.stem for path in (ROOT / "docs" / "guide").glob("*.ipynb"))


def setup(app: Sphinx) -> None:
    """Put the menus into the two pages that have none, and write the live page beside the others."""
    app.connect("source-read", _with_menu)
    app.connect("build-finished", _write_live_page)


def _with_menu(app: Sphinx, name: str, source: list[str]) -> None:
    """Add a menu at the end of the README, and that of the chapters to the guide's first page."""
    if name == root_doc:
        source[0] += "".join(_menu(caption, pages) for caption, pages in _all_pages().items())
    elif name == "docs/guide/README":
        source[0] += _menu("", CHAPTERS)


def _all_pages() -> dict[str, list[str]]:
    """The menu with every page in it."""
    named = {page for pages in MENU.values() for page in pages} | {root_doc}
    use = sorted({f"docs/{path.stem}" for path in (ROOT / "docs").glob("*.md")} - named)
    project = sorted({path.stem for path in ROOT.glob("*.md")} - named)
    return MENU | {"Use": MENU["Use"] + use, "Project": MENU["Project"] + project}


def _menu(caption: str, pages: list[str]) -> str:
    """Pages as a list of contents that only the sidebar shows."""
    title = f":caption: {caption}\n" if caption else ""
    return "\n".join(["", "", "```{toctree}", f":hidden:\n{title}", *pages, "```", ""])


def _write_live_page(app: Sphinx, exception: Exception | None) -> None:
    """The page to draw digits in, with the network that ``digitscope page`` takes if none is named."""
    if exception is None and app.builder.format == "html":
        write_page(load("classic"), Path(app.outdir) / "lens.html")
