"""An annotated page as a notebook shows it: the picture above a table of its numbers. It draws nothing itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

from PIL import Image

from digitscope.formatting import probability
from digitscope.io.annotate import NOTHING
from digitscope.io.elements import Number

NOTEBOOK_LONGEST = 1000
"""Pixels of the longer side of the picture that a notebook shows."""

_HEAD = '<tr><th scope="col">number</th><th scope="col">confidence</th><th scope="col">refused because</th></tr>'

_STYLE = (
    ".digitscope-page img{display:block;max-width:100%;height:auto}"
    ".digitscope-page table{margin:.8em 0;border-collapse:collapse;color:inherit;background:none}"
    ".digitscope-page tr{background:none}"
    ".digitscope-page th,.digitscope-page td{padding:.25em 1.2em .25em 0;border:0;"
    "border-bottom:1px solid rgba(128,128,128,.35);text-align:left;font-variant-numeric:tabular-nums}"
    ".digitscope-page th{font-weight:normal;opacity:.7}"
    ".digitscope-page td:nth-child(2),.digitscope-page th:nth-child(2){text-align:right}"
    ".digitscope-page .refused{opacity:.75}"
)


def html_of(picture: Image.Image, numbers: Sequence[Number], text: str | None) -> str:
    """An annotated page above a table of its numbers, as a piece of HTML for light and dark notebooks.

    Args:
        picture: what ``annotated`` returned.
        numbers: what was read.
        text: what was accepted, for screen readers; None or empty if no number was.
    """
    shown, file = picture.copy(), io.BytesIO()
    shown.thumbnail((NOTEBOOK_LONGEST, NOTEBOOK_LONGEST), Image.Resampling.LANCZOS)
    shown.save(file, "JPEG", quality=88, subsampling=0)
    source = base64.b64encode(file.getvalue()).decode("ascii")
    rows = "".join(_row(number) for number in numbers)
    body = f"<table><thead>{_HEAD}</thead><tbody>{rows}</tbody></table>" if rows else ""
    alt = escape(f"The page with what was read: {text or ('all refused' if rows else NOTHING)}")
    return (
        f'<div class="digitscope-page"><style>{_STYLE}</style>'
        f'<img src="data:image/jpeg;base64,{source}" width="{shown.width}" alt="{alt}">{body}</div>'
    )


def _row(number: Number) -> str:
    """A number's row of the table; a refused one shows its best guess after a question mark."""
    text = f"<b>{escape(number.text)}</b>" if number.text is not None else f"? {escape(number.best_guess)}"
    cells = text, escape(probability(number.confidence, 0)), escape(number.reason or "")
    kind = ' class="refused"' if number.refused else ""
    return f"<tr{kind}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
