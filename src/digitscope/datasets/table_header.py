"""The columns of a table of pixels, from its first line. It reads no rows; ``datasets.table`` does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from digitscope.arraytypes import Integers
from digitscope.errors import DataError
from digitscope.files import check_fetched

PIXELS = 28 * 28

LONGEST_LINE = 1 << 15
"""Bytes of the longest line: numpy writes a number as ``2.550000000000000000e+02``."""

LABEL_NAMES = ("label", "class")

_PIXEL_NAME = re.compile(r"(?:pixel)?(\d{1,3})|(\d{1,2})x(\d{1,2})")
_EXPECTED = "'label' and 784 pixels, named pixel0 to pixel783 or 1x1 to 28x28, separated by commas"
_UTF_16 = "UTF-16 text (byte-order mark); save it as UTF-8"
_OTHER_FILES: Mapping[bytes, str] = MappingProxyType(
    {
        b"PK\3\4": "a ZIP archive (an .npz is one too); unpack it, or give the table itself",
        b"\x1f\x8b": "compressed with gzip; unpack it",
        b"\0\0\x08": "an IDX file; give the table itself",
        b"\xff\xfe": _UTF_16,
        b"\xfe\xff": _UTF_16,
    }
)
"""First bytes of files that are mistaken for tables -> what each is, and what to do."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Which column of a table holds what.

    Attributes:
        count: columns in all.
        pixels: int64 (784,), the column of each pixel, row by row from the upper left corner.
        label: the column of the label; None if there is none.
        names: the names in the header; empty if there is none.
    """

    count: int
    pixels: Integers
    label: int | None
    names: tuple[str, ...] = ()

    def title(self, column: int) -> str:
        """What a message calls a column."""
        if column == self.label:
            return "the label"
        named = f" ({self.names[column]})" if self.names else ""
        return f"the pixel in {_cell(int(np.flatnonzero(self.pixels == column)[0]))}{named}"


def columns_of(first: bytes, path: Path) -> Columns:
    """The columns that a table's first line names, or their usual order if that line is a row of numbers.

    Args:
        first: the line, at most ``LONGEST_LINE`` bytes of it.
        path: of the table, for messages.

    Raises:
        DataError: the line does not begin a table of pixels.
    """
    if not first.strip():
        raise DataError(f"{path} is empty or begins with an empty line; expected a table of {_EXPECTED}")
    text = _text(first, path)
    names = [name.strip().strip('"').strip() for name in text.split(",")]
    if not all(is_number(name) for name in names if name):
        return _named(names, path)
    if len(names) not in (PIXELS, PIXELS + 1):
        raise DataError(f"{path}, line 1 has {len(names)} values; expected a label and 784 pixels, or 784 pixels")
    label = len(names) - PIXELS
    return Columns(len(names), np.arange(label, len(names)), 0 if label else None)


def is_number(text: str | bytes) -> bool:
    """Whether ``float`` takes a text."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text(first: bytes, path: Path) -> str:
    """The first line, if it is text with commas in it."""
    check_fetched(first, path, DataError)
    other = next((what for start, what in _OTHER_FILES.items() if first.startswith(start)), None)
    if other is not None:
        raise DataError(f"{path} is not a CSV table but {other}")
    text = first.decode("utf-8-sig", "replace")
    if "\0" in text or "\ufffd" in text:
        raise DataError(f"{path} is not a CSV table: its first line is not text in UTF-8; expected {_EXPECTED}")
    if "\r" in text.rstrip("\r\n"):
        raise DataError(f"{path} ends its lines with carriage returns only; save it with line feeds")
    if len(first) == LONGEST_LINE and not first.endswith(b"\n"):
        raise DataError(f"{path} is not a CSV table: its first line is longer than {LONGEST_LINE:,} bytes")
    for mark in ";\t|":
        if text.count(mark) > text.count(","):
            raise DataError(f"{path}, line 1: the values are separated by {mark!r}, expected ','; save it with commas")
    return text


def _named(names: list[str], path: Path) -> Columns:
    """The columns of a header, which may name them in any order."""
    columns: dict[int | str, int] = {}
    for column, name in enumerate(names):
        found = _PIXEL_NAME.fullmatch(name.lower())
        if found is None and name.lower() not in LABEL_NAMES:
            shown = repr(name[:40]) if name else "empty"
            raise DataError(f"{path}, line 1: the name of column {column + 1} is {shown}; expected {_EXPECTED}")
        key = "label" if found is None else int(found[1]) if found[1] else 28 * int(found[2]) + int(found[3])
        if key in columns:
            raise DataError(f"{path}, line 1: columns {columns[key] + 1} and {column + 1} are both {name!r}")
        columns[key] = column
    label = columns.pop("label", None)
    like = next((name.lower() for name in names if name.lower() not in LABEL_NAMES), "pixel0")
    crossed = "x" in like.removeprefix("pixel")
    start = 0 if 0 in columns else 29 if crossed else int(PIXELS in columns)  # by the names: 0, 1x1, 1
    wanted = range(start, start + PIXELS)
    missing = next((number for number in wanted if number not in columns), None)
    if missing is not None or len(columns) > PIXELS:
        gap = "" if missing is None else f", none for {_cell(missing - start)} ({_pixel_name(missing, like)})"
        raise DataError(f"{path}, line 1 names {len(columns)} pixels{gap}; expected {_EXPECTED}")
    return Columns(len(names), np.array([columns[number] for number in wanted], np.int64), label, tuple(names))


def _cell(pixel: int) -> str:
    """The row and column of a pixel in the image, counted from 1.

    >>> _cell(0), _cell(783)
    ('row 1, column 1', 'row 28, column 28')
    """
    return f"row {pixel // 28 + 1}, column {pixel % 28 + 1}"


def _pixel_name(number: int, like: str) -> str:
    """The name of a pixel in the style of another, by its number as ``_named`` counts.

    >>> _pixel_name(399, "pixel0"), _pixel_name(399, "7"), _pixel_name(28 * 2 + 28, "1x1")
    ('pixel399', '399', '2x28')
    """
    if "x" in like.removeprefix("pixel"):
        return f"{(number - 1) // 28}x{(number - 1) % 28 + 1}"
    return f"pixel{number}" if like.startswith("pixel") else str(number)
