"""The report's templates in Jinja2, and how they write numbers and pictures.

Every value is escaped, and a name that no module provides is an error.
"""

from __future__ import annotations

import base64
import functools
import io
import re
import shlex
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from digitscope import formatting
from digitscope.arraytypes import Levels

NBSP = "\N{NO-BREAK SPACE}"


def chapter_names() -> list[str]:
    """The chapters in reading order, e.g. ``08-convolution``."""
    folder = resources.files("digitscope.web.report") / "chapters"
    return sorted(file.name.removesuffix(".html") for file in folder.iterdir() if file.name.endswith(".html"))


def text_of(name: str) -> str:
    """A file of the report as it is, e.g. ``page.css``."""
    return (resources.files("digitscope.web.report") / name).read_text(encoding="utf-8")


def render(name: str, facts: Mapping[str, Any]) -> Markup:
    """A template with its facts filled in, as HTML.

    Args:
        name: its file, e.g. ``chapters/08-convolution.html``.
        facts: what it may use, by name.

    Raises:
        jinja2.UndefinedError: the template uses a fact that is not there.
    """
    return trusted(environment().get_template(name).render(facts))


def trusted(text: str) -> Markup:
    """A text as HTML that templates do not escape; only for text that this package wrote."""
    return Markup(text)  # noqa: S704


@functools.cache
def environment() -> Environment:
    """The settings that all templates share."""
    made = Environment(
        loader=PackageLoader("digitscope.web.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    made.filters |= FILTERS
    return made


def unbroken(write: Callable[..., str]) -> Callable[..., str]:
    r"""The formatter with no-break spaces: 5.00 and its % stay on one line.

    >>> unbroken(formatting.percent)(0.05)
    '5.00\xa0%'
    """
    return lambda *values: write(*values).replace(" ", NBSP)


def whole(value: float) -> str:
    """A whole number with its thousands marked.

    >>> whole(225034)
    '225,034'
    """
    return formatting.number(value, 0)


def fine_probability(value: float) -> str:
    """A probability 0..1 in percent, with as many digits as it takes to tell it from 0 and from 100 %.

    >>> fine_probability(0.9731), fine_probability(0.999987), fine_probability(3e-9), fine_probability(1.0)
    ('97.3 %', '99.999 %', '3·10⁻⁷ %', '> 99.999999 %')
    """
    for digits in range(1, 7):
        rounded = round(100 * value, digits)
        if (0.05 < 100 * value < 99.95) if digits == 1 else (0 < rounded < 100):
            return formatting.percent(value, digits)
    return formatting.probability(value, 6) if value > 0.5 else f"{formatting.scientific(100 * value, 0)} %"


def in_product(value: float) -> str:
    """A factor of a written product: a negative one stands in brackets.

    >>> in_product(0.5), in_product(-0.25)
    ('0.5000', '(−0.2500)')
    """
    text = formatting.number(value, 4)
    return f"({text})" if text.startswith("−") else text


def with_article(digit: int) -> str:
    """A digit with its article.

    >>> with_article(3), with_article(8)
    ('a 3', 'an 8')
    """
    return f"an {digit}" if digit == 8 else f"a {digit}"


def shade(level: int, scaled: bool) -> str:
    """A pixel 0..255 as text; ``scaled``: divided by 255, with two decimals and without the 0 before the point.

    >>> shade(51, False), shade(51, True), shade(0, True), shade(255, True)
    ('51', '.20', '0', '1')
    """
    return str(level // 255 if scaled and level % 255 == 0 else f"{level / 255:.2f}"[1:] if scaled else level)


def png(pixels: Levels) -> str:
    """A small picture, uint8 (h, w) or (h, w, 3), as the address of an ``<img>`` that holds its own bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def title_of(chapter: str) -> Markup | None:
    """The heading that a chapter starts with; the opening has none."""
    found = re.match(r"<h2>(.*?)</h2>", chapter)
    return trusted(found[1]) if found else None


FILTERS: Mapping[str, Callable[..., Any]] = {
    "article": with_article,
    "duration": unbroken(formatting.duration),
    "fine_probability": unbroken(fine_probability),
    "in_product": in_product,
    "mean_percent": unbroken(formatting.mean_percent),
    "number": formatting.number,
    "percent": unbroken(formatting.percent),
    "png": png,
    "probability": unbroken(formatting.probability),
    "scientific": formatting.scientific,
    "shade": shade,
    "shell": shlex.quote,
    "spelled": formatting.spelled,
    "times": formatting.times,
    "whole": whole,
}
"""How templates write values: ``{{ test.accuracy|percent }}``."""
