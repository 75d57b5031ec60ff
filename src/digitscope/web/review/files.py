"""The files of the review page. What it shares with the page to draw digits in is taken from there."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from digitscope.web.lens.bundle import TYPES, page_files

SHARED = ("dom.js", "files.js", "page.css")
"""Files of the page to draw digits in that this page uses, too."""


def review_files() -> dict[str, bytes]:
    """The page's files, name -> contents.

    >>> {"index.html", "review.js", "dom.js"} <= set(review_files())
    True
    """
    folder, lens = resources.files("digitscope.web.review") / "static", page_files()
    own = {entry.name: entry.read_bytes() for entry in folder.iterdir() if Path(entry.name).suffix in TYPES}
    return {name: lens[name] for name in SHARED} | own
