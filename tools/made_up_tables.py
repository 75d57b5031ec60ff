"""The tables of docs/results.md about made-up pictures: digits and lines of unseen writers, crops and frames.

Every figure comes from `benchmarks/results/reader-digit.json`, `crops.json` and `calibration-ENGINE.json`.
"""

from __future__ import annotations

from typing import Any

from digitscope.formatting import markdown_table, percent

WRITERS = """\
## Writers that no network saw

{n:,} digits of UNIPEN's validation writers, each writer as often as every other, drawn with other pens on paper; and as
many of their letters and signs, which are to be refused. `reader-digit` has learned from other writers of the same
collection, `robust` from MNIST alone (`benchmarks/reader_digit.py --measure`). The setting of `reader-digit` and the
thresholds of an answer were chosen on these writers."""

CROPS = """\
## Crops, frames and ruling

{n} of MNIST's training digits in made-up pictures: cut out with and without a margin, in frames, on ruled paper
(`benchmarks/crops.py`). An empty frame and a plus sign are right if they are refused."""

LINES = """\
## How sure lines are

{n:,} lines drawn with the strokes of UNIPEN's validation writers, on paper, with other marks among the digits of some
(`benchmarks/calibrate_lines.py`). As many others gave the calibration. A line is answered if its confidence reaches the
threshold, {sure} if you name no other; in brackets Wilson's 95 % interval. The last columns count numbers when each
line is read as a page: there a number is refused for other reasons, too, and the marks part numbers."""

RELIABILITY = """\
![How often lines of a certain confidence are right, for both engines](pictures/reliability-lines.png)

Each point is the share of right answers among those of about this confidence, with its interval; the numbers above
count them."""

THRESHOLDS = ("0.5", "0.75", "0.9", "0.96", "0.98")
"""The thresholds of which the table speaks."""


def writers_section(found: dict[str, Any]) -> list[str]:
    """How well the digits of unseen writers are read, and their letters refused."""
    models = found["models"]
    rows = [
        [f"`{name}`", percent(its["right"], 1), percent(its["answered"], 1), percent(its["right_of_answered"], 2),
         percent(its["others_refused"], 1)]
        for name, its in models.items()
    ]  # fmt: skip
    head = ("network", "best guess right", "answered", "right among answered", "letters and signs refused")
    return [WRITERS.format(n=next(iter(models.values()))["n"]), markdown_table(head, rows)]


def crops_section(found: dict[str, Any]) -> list[str]:
    """How single digits that fill their picture, or stand in a frame, are read."""
    rows = [[kind, *map(str, its.values())] for kind, its in found["kinds"].items()]
    return [CROPS.format(n=found["n"]), markdown_table(("picture", "right", "refused", "wrong"), rows)]


def lines_section(engines: dict[str, dict[str, Any]], sure: float) -> list[str]:
    """How many lines of unseen writers are answered at several thresholds, and how many of these are right."""
    rows = [
        [f"`{engine}`", limit, *_answered(found["at_confidence"][limit]), *pages]
        for engine, found in engines.items()
        for limit in THRESHOLDS
        for pages in [_answered(found["pages"]) if float(limit) == sure else ["", ""]]
    ]
    head = ("engine", "threshold", "lines answered", "right among them", "numbers answered", "right among them")
    total = next(iter(engines.values()))["lines"] // 2
    return [LINES.format(n=total, sure=sure), markdown_table(head, rows), RELIABILITY]


def _answered(found: dict[str, Any]) -> list[str]:
    """The share that is answered, and the share of those that is right, with its interval."""
    low, high = found["interval"]
    share = percent(found["right"] / found["answered"], 1)
    return [percent(found["answered"] / found["n"], 1), f"{share} ({low:.1f} to {high:.1f})"]
