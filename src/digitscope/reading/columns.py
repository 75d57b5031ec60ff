"""Columns: bars that stand above each other on several lines are the rules of a table, not a 1 on every line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digitscope.arraytypes import Doubles
from digitscope.reading.detection import Strip
from digitscope.reading.layout import BAR_SHAPE, MARK, Character

LINES = 3
"""Fewest lines through which a column goes."""

CLOSE = 0.5
"""Greatest gap between a bar and the one below it, as a share of its height; the lines of a list are further apart."""

ASIDE = 0.2
"""By how much a bar may stand to the side of the one above it, as a share of its height."""


def without_columns(strips: Sequence[Strip], lines: Sequence[Sequence[Character]]) -> list[list[Character]]:
    """The characters of a page's lines, with ``MARK`` for each 1 that is part of a column.

    Args:
        strips: the lines.
        lines: the characters of each.
    """
    bars = [
        (line, place, _on_page(strip, one))
        for line, (strip, placed) in enumerate(zip(strips, lines, strict=True))
        for place, one in enumerate(placed)
        if one.text in ("1", MARK) and one.right - one.left < BAR_SHAPE * (one.bottom - one.top)
    ]
    found = [list(placed) for placed in lines]
    for column in _columns([box for _, _, box in bars]):
        for line, place, _ in (bars[number] for number in column):
            found[line][place] = replace(found[line][place], text=MARK, probabilities=np.zeros(10, np.float32))
    return found


def _on_page(strip: Strip, one: Character) -> Doubles:
    """The box of a character in pixels of the page, float64 (4,): left, top, right, bottom."""
    corners = np.array([[one.left, one.right, one.right, one.left], [one.top, one.top, one.bottom, one.bottom]])
    placed = strip.matrix[:, :2] @ corners + strip.matrix[:, 2:]
    return np.concatenate([placed.min(axis=1), placed.max(axis=1)])


def _columns(boxes: Sequence[Doubles]) -> list[list[int]]:
    """The numbers of the boxes of each column of at least ``LINES``, from top to bottom."""
    columns: list[list[int]] = []
    for number in sorted(range(len(boxes)), key=lambda one: float(boxes[one][1])):
        above = next((column for column in columns if _continues(boxes[column[-1]], boxes[number])), None)
        if above is None:
            columns.append([number])
        else:
            above.append(number)
    return [column for column in columns if len(column) >= LINES]


def _continues(above: Doubles, below: Doubles) -> bool:
    """Whether one box stands right below another."""
    height = above[3] - above[1]
    aside = abs(above[0] + above[2] - below[0] - below[2]) / 2
    return bool(aside < ASIDE * height and -CLOSE * height < below[1] - above[3] < CLOSE * height)
