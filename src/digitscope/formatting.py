"""Numbers, shares, counts and names as text for people, each in one way wherever it is shown. It rounds, no more."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_TURNS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
"""The classes of characters that turn the direction of writing. Source: Unicode Standard Annex 9."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet's formulas begin with, the wide forms of East Asian keyboards included."""

_SMALL_COUNTS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


def percent(share: float, digits: int = 2) -> str:
    """A measured share 0..1 in percent; for a probability see ``probability``.

    >>> percent(0.99215), percent(1.0), percent(0.5, 0)
    ('99.22 %', '100.00 %', '50 %')
    """
    return f"{100 * share:.{digits}f} %"


def mean_percent(mean: float, deviation: float | None = None) -> str:
    """The mean of measured shares 0..1 over several trainings, in percent, and its standard deviation if given.

    It has a digit more than a single share, so that it says the same as the mean number of misses of 10,000 with one
    decimal: 78.5 misses are 99.215 %.

    >>> mean_percent(0.99215), mean_percent(0.99215, 0.000572)
    ('99.215 %', '99.215 ± 0.057 %')
    """
    return percent(mean, 3) if deviation is None else f"{100 * mean:.3f} ± {percent(deviation, 3)}"


def probability(value: float, digits: int = 2) -> str:
    """A probability 0..1 in percent, never shown as certain: where rounding gives 0 or 100 it becomes a bound.

    >>> probability(0.5), probability(0.999999), probability(1.0), probability(1e-9)
    ('50.00 %', '> 99.99 %', '> 99.99 %', '< 0.01 %')
    >>> probability(0.9994, 0), probability(0.9996, 1)
    ('> 99 %', '> 99.9 %')
    """
    rounded, step = round(100 * value, digits), 10.0**-digits
    if rounded <= 0:
        return f"< {step:.{digits}f} %"
    return f"> {100 - step:.{digits}f} %" if rounded >= 100 else f"{100 * value:.{digits}f} %"


def number(value: float, digits: int = 2) -> str:
    """A number with ``digits`` decimals, commas between thousands and a true minus sign, which no zero gets.

    >>> number(-0.126), number(-0.001), number(1234.5, 1)
    ('−0.13', '0.00', '1,234.5')
    """
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text.replace("-", "−")


def scientific(value: float, digits: int = 1) -> str:
    """A number as a power of ten.

    >>> scientific(0.0000217), scientific(-3.2e9, 0), scientific(0)
    ('2.2·10⁻⁵', '−3·10⁹', '0')
    """
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits}e}".replace("-", "−", int(value < 0)).split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(_RAISED)}"


def counted(n: int, noun: str) -> str:
    """A count with its noun, which takes an s unless the count is 1.

    >>> counted(1, "seed"), counted(2_000, "seed")
    ('1 seed', '2,000 seeds')
    """
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def times(n: int) -> str:
    """How often something happened.

    >>> times(1), times(2), times(1200)
    ('once', 'twice', '1,200 times')
    """
    return {1: "once", 2: "twice"}.get(n, f"{n:,} times")


def spelled(n: int) -> str:
    """A count as a word up to twelve, in figures above.

    >>> spelled(0), spelled(2), spelled(1700)
    ('no', 'two', '1,700')
    """
    return _SMALL_COUNTS[n] if n < len(_SMALL_COUNTS) else f"{n:,}"


def duration(seconds: float) -> str:
    """A duration in seconds, in minutes and seconds, or in hours and minutes.

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


def file_name(name: str) -> str:
    r"""A file's name fit for one line of text: itself, or quoted if it would not be shown as it is.

    That holds for control characters, which a terminal obeys, for marks that turn the direction of writing, with which
    ``gnp.exe`` reads ``exe.png``, and for names that are not Unicode.

    >>> file_name("May 5.png"), file_name("two\nlines.png")
    ('May 5.png', "'two\\nlines.png'")
    """
    return repr(name) if not name.isprintable() and any(map(_is_unseen, name)) else name


def _is_unseen(letter: str) -> bool:
    """Whether a character is shown as something else: a control character, half of one, or a mark of direction."""
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(letter) in _TURNS


def cell(text: str) -> str:
    """A text as a cell of a CSV table: with an apostrophe before it where a spreadsheet would take it for a formula.

    Numbers stay as they are. ``cell_text`` gives back what the cell was made of. Source: OWASP, "CSV Injection".

    >>> cell("=1+2.png"), cell("-12.5"), cell("'=x"), cell("May 5.png")
    ("'=1+2.png", '-12.5', "''=x", 'May 5.png')
    """
    return f"'{text}" if _is_formula(text) else text


def cell_text(cell: str) -> str:
    """The text that ``cell`` was made of.

    >>> cell_text("'=1+2.png"), cell_text("''=x"), cell_text("'quoted'")
    ('=1+2.png', "'=x", "'quoted'")
    """
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(text: str) -> bool:
    """Whether a text begins as a formula does, after any apostrophes, and is neither a number nor a lone sign."""
    bare = text.lstrip("'")
    return bare.startswith(_FORMULA) and len(bare) > 1 and re.fullmatch(r"[-+]?[0-9]+([.,][0-9]+)*", text) is None


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars in its cells are escaped.

    >>> print(markdown_table(["digit", "n"], [["7", "1,028"]]))
    | digit | n |
    |---|---|
    | 7 | 1,028 |
    """
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (head, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])
