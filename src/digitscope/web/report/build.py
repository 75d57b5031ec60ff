"""The report of a run: one self-contained HTML page that tells how its network reads. Trains nothing.

The text, the looks and the numbers are those of ``story``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from digitscope.datasets.dataset import Dataset
from digitscope.files import write_text
from digitscope.progress import Progress
from digitscope.web.report import compared, digits, inside, numbers, shape
from digitscope.web.report import figures as pictures
from digitscope.web.report.html import Html, chapter_names, fill, join, read
from digitscope.web.report.record import Record


def write_report(
    run_folder: str | Path,
    progress: Progress | None = None,
    comparisons: Mapping[str, Any] | None = None,
    data: Dataset | None = None,
) -> Path:
    """Write ``report.html`` and the figures it shows, as ``figures/*.svg``, into a run folder.

    Args:
        run_folder: what a training has left.
        progress: told how many figures are drawn.
        comparisons: results to compare with; None takes those that ship with the package.
        data: what the run was trained on, if that is loaded already.

    Returns:
        The page.

    Raises:
        DataError: a file of the run is missing or damaged.
        ModelError: so is its model.
        ConfigError: its dataset is not there any more.
    """
    record = Record.read(Path(run_folder), data)
    compared_with = compared.shipped() if comparisons is None else comparisons
    facts = numbers.facts(record) | digits.facts(record) | compared.facts(compared_with)
    facts |= shape.facts(record.lens) | inside.facts(record)
    facts["fig_channels"] = pictures.channels(facts)
    drawings = pictures.draw(record, facts, compared_with)
    for done, (name, (description, draw)) in enumerate(drawings.items(), start=1):
        facts[f"fig_{name}"] = figure = pictures.inline(name, description, draw())
        write_text(record.folder / "figures" / f"{name}.svg", figure + "\n")
        if progress is not None:
            progress("report", done, len(drawings), {})
    page = record.folder / "report.html"
    write_text(page, _page(facts, inside.window_data(record.lens)))
    return page


def _page(facts: Mapping[str, Any], window_data: Html) -> str:
    """The whole page: every chapter in its place, and the contents that lead to it."""
    contents, chapters = [], []
    for name in chapter_names():
        body = fill(read(f"chapters/{name}.html"), facts)
        title = re.match(r"<h2>(.*?)</h2>", body)
        if title is None:
            chapters.append(body)
            continue
        anchor = name.partition("-")[2]
        contents.append(Html(f'<li><a href="#{anchor}">{title[1]}</a></li>'))
        chapters.append(Html(f'<section class="chapter" id="{anchor}">\n{body}</section>\n'))
    parts = {
        "contents": join(contents, "\n"),
        "chapters": join(chapters, "\n"),
        "style": Html(read("page.css")),
        "script": Html(read("window.js")),
        "window_data": window_data,
    }
    return fill(read("page.html"), {**facts, **parts})
