"""Small pieces of the report's HTML: filled templates, tables, pictures of digits, numbers as people write them.

Everything that is not ``Html`` already is escaped. No number of a run is computed here.
"""

from __future__ import annotations

import base64
import io
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from digitscope.formatting import probability

NBSP = "\N{NO-BREAK SPACE}"

_CONDITION = re.compile(r"<!-- (if|unless) (\w+) -->\n?(.*?)<!-- end \2 -->\n?", re.DOTALL)


class Html(str):
    """Text that is HTML already and is put into a page as it is."""

    __slots__ = ()


def read(name: str) -> str:
    """A file of the story, e.g. ``page.css``."""
    return (resources.files("digitscope.web.report") / name).read_text(encoding="utf-8")


def chapter_names() -> list[str]:
    """The chapters in the order in which they are told, e.g. ``08-convolution``."""
    folder = resources.files("digitscope.web.report") / "chapters"
    return sorted(file.name.removesuffix(".html") for file in folder.iterdir() if file.name.endswith(".html"))


def fill(template: str, facts: Mapping[str, Any]) -> Html:
    """A template with its facts in place.

    ``$name`` becomes the fact, escaped unless it is ``Html``. ``<!-- if name -->...<!-- end name -->`` stays if
    the fact is there and true, ``<!-- unless name -->...<!-- end name -->`` if it is not.

    Raises:
        KeyError: the template asks for a fact that is not there.

    >>> fill("<!-- if n -->$n of <!-- end n -->$all", {"n": 0, "all": "a < b"})
    'a &lt; b'
    """

    def choose(match: re.Match[str]) -> str:
        kept = bool(facts.get(match[2])) == (match[1] == "if")
        return _CONDITION.sub(choose, match[3]) if kept else ""

    chosen = _CONDITION.sub(choose, template)
    return Html(string.Template(chosen).substitute({name: markup(value) for name, value in facts.items()}))


def markup(value: object) -> Html:
    """A value as HTML: unchanged if it is that already, else escaped.

    >>> markup("<"), markup(Html("<b>"))
    ('&lt;', '<b>')
    """
    return value if isinstance(value, Html) else Html(escape(str(value)))


def join(parts: Iterable[object], between: str = "") -> Html:
    """Several values as one piece of HTML."""
    return Html(between.join(markup(part) for part in parts))


def table(
    caption: object,
    head: Sequence[object],
    rows: Sequence[Sequence[object]],
    mine: int | None = None,
    text: int = 1,
    broad: bool = False,
) -> Html:
    """A table whose first column names the rows.

    Args:
        caption: what it shows.
        head: names of the columns.
        rows: their cells.
        mine: number of the row to print bold.
        text: how many columns hold words and are aligned to the left.
        broad: whether it may be wider than the text.
    """
    kinds = [' class="text"' if column < text else "" for column in range(len(head))]
    titles = join(Html(f'<th scope="col"{kind}>{markup(name)}</th>') for name, kind in zip(head, kinds, strict=True))
    lines = []
    for number, row in enumerate(rows):
        first, *rest = row
        cells = join(Html(f"<td{kind}>{markup(cell)}</td>") for cell, kind in zip(rest, kinds[1:], strict=True))
        style = ' class="mine"' if number == mine else ""
        lines.append(Html(f'<tr{style}><th scope="row">{markup(first)}</th>{cells}</tr>'))
    width = "table broad" if broad else "table"
    content = f"<caption>{markup(caption)}</caption><thead><tr>{titles}</tr></thead><tbody>{join(lines)}</tbody>"
    label = escape(str(caption))
    return Html(f'<div class="{width}" tabindex="0" role="region" aria-label="{label}"><table>{content}</table></div>')


def picture(pixels: npt.NDArray[np.uint8], description: str) -> Html:
    """A small picture, uint8 (h, w) or (h, w, 3), as an ``<img>`` that holds its own bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    height, width = pixels.shape[:2]
    return Html(
        f'<img class="digit" width="{width}" height="{height}" alt="{escape(description)}" '
        f'src="data:image/png;base64,{data}">'
    )


def gallery(entries: Iterable[tuple[Html, object]]) -> Html:
    """List items of a picture and what to say below it."""
    return join(Html(f"<li>{image}<div>{markup(words)}</div></li>\n") for image, words in entries)


def bright(values: npt.ArrayLike, largest: float | None = None) -> npt.NDArray[np.uint8]:
    """Values from 0 to ``largest`` (of them, if not given) as greys uint8 0..255, 0 black."""
    array = np.asarray(values, np.float64)
    top = float(array.max()) if largest is None else largest
    return np.round(255 * np.clip(array / (top or 1.0), 0, 1)).astype(np.uint8)


def count(value: float) -> str:
    """A whole number with its thousands marked.

    >>> count(225034)
    '225,034'
    """
    return f"{value:,.0f}"


def percent(part: float, digits: int = 2) -> str:
    """A part 0..1 in percent, with a space that does not break."""
    return f"{100 * part:.{digits}f}{NBSP}%"


def number(value: float, digits: int = 3) -> str:
    """A number with a true minus sign.

    >>> number(-0.12345), number(2, 2)
    ('−0.123', '2.00')
    """
    text = f"{value:.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}") if float(text) else f"{0:.{digits}f}"


def tiny(value: float) -> str:
    """A number near 0 by its size only.

    >>> tiny(-3.2e-7), tiny(0)
    ('3·10⁻⁷', '0')
    """
    if value == 0:
        return "0"
    digits, exponent = f"{abs(value):.0e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digits}·10{raised}"


def share(part: float) -> str:
    r"""A probability 0..1 in percent with as many digits as it takes to tell it from 0 and from 100 %.

    >>> share(0.9731), share(0.999987), share(3e-9)
    ('97.3\xa0%', '99.999\xa0%', '3·10⁻⁷\xa0%')
    """
    for digits in range(1, 7):
        text = f"{100 * part:.{digits}f}"
        if 0.05 < 100 * part < 99.95 and digits == 1:
            return f"{text}{NBSP}%"
        if 0 < float(text) < 100 and digits > 1:
            return f"{text}{NBSP}%"
    return f"100{NBSP}%" if part > 0.5 else f"{tiny(100 * part)}{NBSP}%"


def rough_share(part: float) -> str:
    r"""A probability 0..1 in percent to two digits, at its ends only as a bound.

    >>> rough_share(0.5), rough_share(0.99999), rough_share(1e-9)
    ('50.00\xa0%', '>\xa099.99\xa0%', '<\xa00.01\xa0%')
    """
    return probability(part).replace(" ", NBSP)


def a(digit: int) -> str:
    """A digit with its article.

    >>> a(3), a(8)
    ('a 3', 'an 8')
    """
    return f"an {digit}" if digit == 8 else f"a {digit}"


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> duration(7.25), duration(94), duration(7260)
    ('7.2 s', '1 min 34 s', '2 h 1 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def spelled(n: int) -> str:
    """A small count in words.

    >>> spelled(2), spelled(17)
    ('two', '17')
    """
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return words[n] if n < len(words) else str(n)


def times(n: int) -> str:
    """How often.

    >>> times(1), times(12)
    ('once', '12 times')
    """
    return {1: "once", 2: "twice"}.get(n, f"{n:,} times")
