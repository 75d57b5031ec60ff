"""What was read off a file as text: lines for people, JSON, CSV. It writes no file and prints nothing.

Every function takes the pages of one file. A record is one line of text, as names and reasons are.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from digitscope.io.elements import Number, Page

CSV_HEAD = (
    "file,page,line,text,best_guess,written,confidence,digit_probability,refused,reason,x,y,width,height,rotation,"
    "milliseconds,error\n"
)
"""The first line of a CSV."""


def text_rows(pages: Sequence[Page], separators: bool = False) -> str:
    """The pages for people: the file, its numbers and how sure they are, several lines of writing each on its own.

    Args:
        pages: the pages of one file.
        separators: numbers as they are written, with their separators, instead of the digits alone.
    """
    names = [f"{page.file} page {page.page}" if len(pages) > 1 else page.file for page in pages]
    return "".join(f"{name}:{_words(page, separators)}\n" for name, page in zip(names, pages, strict=True))


def _words(page: Page, separators: bool) -> str:
    """What follows a file's name: one line of writing on the same line, several below it."""
    lines = [", ".join(_said(number, separators) for number in line.numbers) for line in page.lines]
    if len(lines) > 1:
        return "".join(f"\n    {line}" for line in lines)
    return " " + (page.error or "".join(lines) or "no number")


def _said(number: Number, separators: bool) -> str:
    """A number, or its refusal with the best guess."""
    guess = number.written if separators else number.text or number.best_guess
    if not number.refused:
        return f"{guess}  ({_sure(number.confidence)} sure)"
    return f"refused: {number.reason}" + (f"; best guess {guess}, {_sure(number.confidence)}" if guess else "")


def _sure(confidence: float) -> str:
    """A confidence in percent; nothing is ever called certain."""
    return "over 99.9 %" if confidence > 0.9995 else f"{100 * confidence:.1f} %"


def json_rows(pages: Sequence[Page]) -> str:
    """The pages as JSON, a line each."""
    return "".join(json.dumps(page.to_dict(), ensure_ascii=False) + "\n" for page in pages)


def csv_rows(pages: Sequence[Page]) -> str:
    """The pages as CSV under ``CSV_HEAD``, a line for each number; a page without any has one with empty fields."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for page in pages:
        for number in page.numbers or (None,):
            fields = [""] * 12 if number is None else _fields(number)
            end = [page.rotation, f"{page.milliseconds:.2f}", page.error or ""]
            writer.writerow([page.file, page.page, *fields, *end])
    return text.getvalue()


def _fields(number: Number) -> list[str]:
    """A number's fields, from ``line`` to ``height``."""
    box = number.box
    place = [""] * 4 if box is None else [str(side) for side in (box.x, box.y, box.width, box.height)]
    return [
        str(number.line),
        number.text or "",
        number.best_guess,
        number.written,
        f"{number.confidence:.6f}",
        f"{number.digit_probability:.6f}",
        str(number.refused),
        number.reason or "",
        *place,
    ]
