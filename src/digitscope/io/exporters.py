"""Pages as text: lines for people, JSON, CSV. It writes no file and prints nothing.

Every function takes the pages of one file.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from digitscope.formatting import cell, probability
from digitscope.io.elements import Number
from digitscope.io.page import Page

CSV_HEAD = (
    "file,page,line,text,best_guess,written,confidence,digit_probability,refused,reason,x,y,width,height,rotation,"
    "engine,milliseconds,error\n"
)
"""The first line of a CSV."""


def text_rows(pages: Sequence[Page], separators: bool = False) -> str:
    """The pages as lines for people: the file's name, then its numbers with their confidence, by lines of writing.

    Args:
        pages: the pages of one file.
        separators: give numbers as they are written, with their separators, instead of the digits with a word about it.
    """
    names = [f"{page.file} page {page.page}" if len(pages) > 1 else page.file for page in pages]
    return "".join(f"{name}:{_page_text(page, separators)}\n" for name, page in zip(names, pages, strict=True))


def _page_text(page: Page, separators: bool) -> str:
    """What follows a file's name: one line of writing beside it, several below it."""
    lines = [", ".join(_number_text(number, separators) for number in line.numbers) for line in page.lines]
    if len(lines) > 1:
        return "".join(f"\n    {line}" for line in lines)
    return " " + ((page.error or "").removeprefix(f"{page.file} ") or "".join(lines) or "no number")


def _number_text(number: Number, separators: bool) -> str:
    """A number, or its refusal with the best guess; and how it is written, if the digits alone do not say it."""
    guess = number.written if separators else number.best_guess
    sure, written = probability(number.confidence, 1), "" if number.written == guess else f", written {number.written}"
    if not number.refused:
        return f"{guess}  ({sure} sure{written})"
    return f"refused: {number.reason}" + (f"; best guess {guess}{written}, {sure}" if guess else "")


def json_rows(pages: Sequence[Page]) -> str:
    """The pages as JSON, one line for each."""
    return "".join(json.dumps(page.to_dict(), ensure_ascii=False) + "\n" for page in pages)


def csv_rows(pages: Sequence[Page]) -> str:
    """The pages as CSV without its head: a line for each number, and one with empty fields for a page without any.

    No name of a file becomes a formula in a spreadsheet (``formatting.cell``).
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for page in pages:
        for number in page.numbers or (None,):
            fields = [""] * 12 if number is None else _fields(number)
            end = [page.rotation, cell(page.engine or ""), f"{page.milliseconds:.2f}", cell(page.error or "")]
            writer.writerow([cell(page.file), page.page, *fields, *end])
    return text.getvalue()


def _fields(number: Number) -> list[str]:
    """A number's fields, from ``line`` to ``height``."""
    box = number.box
    place = [""] * 4 if box is None else [str(side) for side in (box.x, box.y, box.width, box.height)]
    return [
        str(number.line),
        number.text or "",
        number.best_guess,
        cell(number.written),
        f"{number.confidence:.6f}",
        f"{number.digit_probability:.6f}",
        str(number.refused),
        number.reason or "",
        *place,
    ]
