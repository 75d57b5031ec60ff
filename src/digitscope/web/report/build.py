"""Writes the report of a run: one self-contained HTML page that explains how its network reads. Trains nothing.

The facts come from the modules beside this one, the text from ``chapters/``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from digitscope import __version__
from digitscope.arraytypes import Floats
from digitscope.datasets.dataset import Dataset
from digitscope.files import write_text
from digitscope.models.model import Model
from digitscope.progress import Progress
from digitscope.web import links
from digitscope.web.lens.bundle import page_files
from digitscope.web.report import (
    cells,
    compared,
    data,
    descent,
    figures,
    keras_lines,
    learned,
    linked,
    mistakes,
    moved,
    network,
    recipes,
    result,
    sheets,
    templates,
    thread,
    training,
    window,
)
from digitscope.web.report.record import Record

SCRIPTS = ("window.js", "reader.js")
"""The page's scripts, in the order in which they run."""


class Chapter(NamedTuple):
    """A chapter of the page; the opening has no title."""

    anchor: str
    title: Markup | None
    body: Markup


def write_report(
    run_folder: str | Path,
    progress: Progress | None = None,
    comparisons: Mapping[str, Any] | None = None,
    data: Dataset | None = None,
    model: Model | None = None,
    probabilities: Floats | None = None,
) -> Path:
    """Write ``report.html`` and the charts it shows, as ``figures/*.svg``, into a run folder.

    Args:
        run_folder: the folder of a finished training.
        progress: called with the number of figures drawn.
        comparisons: results to compare with; None takes those that ship with the package.
        data: what the run was trained on, if that is loaded already.
        model: the trained network, if that is loaded already.
        probabilities: its answers to the test images, float32 (n, 10) 0..1, if they are known already.

    Returns:
        The page.

    Raises:
        DataError: a file of the run is missing or damaged.
        ModelError: its model is missing or damaged.
        ConfigError: its dataset no longer exists.
    """
    record = Record.read(Path(run_folder), data, model, probabilities)
    facts = facts_of(record, compared.shipped() if comparisons is None else comparisons)
    facts["figures"] = _drawn(record.folder / "figures", facts, progress)
    page = record.folder / links.REPORT
    write_text(page, templates.render("page.html", facts | _parts(facts)))
    return page


def facts_of(record: Record, comparisons: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the chapters say about a run, except for the drawn figures, by the names that templates use.

    Raises:
        DataError: the comparisons cannot be read.
    """
    build = network.facts(record.lens)
    inside = cells.facts(record, build)
    return {
        "version": __version__,
        "run": record,
        "recipe": record.recipe,
        "test": record.evaluation,
        "lens": record.lens,
        "network": build,
        "chapter_of": links.chapters(record.lens.layers),
        "page": linked.page_links(record),
        "cells": inside,
        "sheets": sheets.facts(record.lens, build, inside.dense),
        "thread": thread.facts(record, build, inside),
        "keras": keras_lines.facts(record),
        "descent": descent.facts(record, inside.dense),
        "learned": learned.facts(record),
        "data": data.facts(record),
        "moved": moved.facts(record),
        "practice": training.practice(record),
        "training": training.facts(record),
        "scaling": result.scaling(record),
        "loss": result.loss(record),
        "accuracy": result.accuracy(record),
        "errors": mistakes.errors(record),
        "measured": recipes.measured(record),
        "recipes": recipes.settings(),
        "compared": compared.facts(comparisons),
        "verdict": compared.verdict,
    }


def _drawn(folder: Path, facts: Mapping[str, Any], progress: Progress | None) -> dict[str, Markup]:
    """Every figure as ``<svg>``, after it was written into ``folder``."""
    drawn = {}
    wanted = figures.figures(facts["run"], facts["descent"], facts["moved"], facts["compared"])
    for done, (name, figure) in enumerate(wanted.items(), start=1):
        drawn[name] = figures.inline(name, figure)
        write_text(folder / f"{name}.svg", figures.alone(name, figure))
        if progress is not None:
            progress("report", done, len(wanted), {})
    return drawn


def _parts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What ``page.html`` adds to the facts: the chapters, the looks and the scripts with their data.

    The convolution to play with, its looks and its words are those of the page to draw digits in.
    """
    shared = {name: content.decode("utf-8") for name, content in page_files().items()}
    strings = json.loads(shared["strings.en.json"])
    return {
        "chapters": [chapter(name, facts) for name in templates.chapter_names()],
        "style": templates.trusted(templates.text_of("page.css") + shared["toy.css"]),
        "script": templates.trusted("\n".join([shared["dom.js"], shared["toy.js"], *map(templates.text_of, SCRIPTS)])),
        "window": window.data(facts["lens"], facts["network"])
        | {"toy": {key: text for key, text in strings.items() if key.startswith("toy.")}},
    }


def chapter(name: str, facts: Mapping[str, Any]) -> Chapter:
    """A chapter with its facts, e.g. ``08-convolution``."""
    body = templates.render(f"chapters/{name}.html", facts)
    return Chapter(name.partition("-")[2], templates.title_of(body), body)
