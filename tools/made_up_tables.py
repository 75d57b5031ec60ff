"""The tables of docs/results.md about single digits on pictures that are made up: unseen writers, crops and frames.

Every figure comes from `benchmarks/results/reader-digit.json` and `crops.json`.
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
