"""Tables of pixels: CSV files with one image a row, as Kaggle's Digit Recognizer and its relatives lay them out.

A table is read block by block with numpy, so that memory holds the images and one block. It is not a general reader
of CSV: every value is a whole number 0..255, parted by commas, and no value holds a comma.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import IO

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Images
from digitscope.datasets.split import Part
from digitscope.errors import ConfigError, DataError
from digitscope.files import write_text

PIXELS = 28 * 28
BLOCK = 1 << 20
"""Bytes that are read at once: some 500 rows, which stay in a processor's cache."""

LONGEST_NUMBER, LONGEST_LINE = 32, 1 << 15
"""Characters of the longest number, and bytes of the longest line; numpy writes ``2.550000000000000000e+02``."""

LARGEST_TABLE = 2 * 1024**3
"""Bytes of the largest table that is read."""

LABEL_NAMES = ("label", "class")
_PIXEL_NAME = re.compile(r"(?:pixel)?(\d{1,3})|(\d{1,2})x(\d{1,2})")
_EXPECTED = "'label' and 784 pixels, named pixel0 to pixel783 or 1x1 to 28x28, parted by commas"
_COMMA, _NEWLINE, _ZERO = b",\n0"

_OTHER_FILES: Mapping[bytes, str] = MappingProxyType(
    {
        b"PK\3\4": "a ZIP archive (an .npz is one too); unpack it, or give the table itself",
        b"\x1f\x8b": "compressed with gzip; unpack it",
        b"\0\0\x08": "an IDX file; give the table itself",
        b"\xff\xfe": "text in UTF-16, by the mark at its begin; save it as UTF-8",
        b"\xfe\xff": "text in UTF-16, by the mark at its begin; save it as UTF-8",
    }
)
"""How files begin that are taken for tables but are none, and what to do about each."""


@dataclass(frozen=True, eq=False)
class _Layout:
    """Which column is what: ``width`` columns in all, ``pixels`` intp (784,), ``label`` None where there is none.

    ``names`` are those of a header, empty where there is none.
    """

    width: int
    pixels: npt.NDArray[np.intp]
    label: int | None
    names: tuple[str, ...] = ()

    def name_of(self, column: int) -> str:
        """A column in a person's words."""
        if column == self.label:
            return "the label"
        named = f" ({self.names[column]})" if self.names else ""
        return f"the pixel in {_cell(int(np.flatnonzero(self.pixels == column)[0]))}{named}"


def read_table(path: Path) -> Part:
    """The images and labels of a table.

    Raises:
        DataError: it is no such table, has no labels, or one of its rows is not as the others; the line is named.
    """
    layout, rows = _read(path)
    if layout.label is None:
        raise DataError(f"{path} has no column 'label'; to train or to test, give a table with labels")
    first = 2 if layout.names else 1
    places = [f"{path}, line {line}" for line in range(first, first + len(rows))]
    return Part(_images(rows, layout), rows[:, layout.label].copy(), places)


def read_pixels(path: Path) -> Images:
    """The images of a table uint8 (n, 28, 28), row for row; labels, if it has any, are left out.

    Raises:
        DataError: as ``read_table``.
    """
    layout, rows = _read(path)
    return _images(rows, layout)


def has_labels(path: Path) -> bool:
    """Whether a table has a column of labels, by its first line.

    Raises:
        DataError: it is no table of pixels.
    """
    with _opened(path) as file:
        return _layout(file.readline(LONGEST_LINE), path).label is not None


def write_submission(path: str | Path, answers: npt.ArrayLike) -> None:
    """Write answers as Kaggle's Digit Recognizer takes them: ``ImageId,Label``, the images counted from 1.

    Args:
        path: the CSV file; written whole or not at all.
        answers: integers (n,) 0..9, in the order of the table's rows.

    Raises:
        DataError: the answers are something else.
        ConfigError: the file cannot be written.
    """
    digits = np.asarray(answers)
    if digits.ndim != 1 or not np.issubdtype(digits.dtype, np.integer) or not np.isin(digits, range(10)).all():
        raise DataError(f"answers are {digits.dtype} {digits.shape}; a submission needs one whole number 0 to 9 a row")
    rows = (f"{number},{digit}\n" for number, digit in enumerate(digits.tolist(), start=1))
    with _writing(path):
        write_text(path, "ImageId,Label\n" + "".join(rows))


def check_submission_place(path: str | Path) -> None:
    """Find out whether a submission could be written, before the answers are worked out; its folder is made.

    Raises:
        ConfigError: it could not.
    """
    with _writing(path):
        if Path(path).is_dir():
            raise IsADirectoryError(None, "it is a folder")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=Path(path).parent).close()


@contextmanager
def _writing(path: str | Path) -> Iterator[None]:
    """What the system refuses is a sentence."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}); give another file with --out") from error


def _images(rows: npt.NDArray[np.uint8], layout: _Layout) -> Images:
    return rows[:, layout.pixels].reshape(-1, 28, 28)


def _read(path: Path) -> tuple[_Layout, npt.NDArray[np.uint8]]:
    """The layout of a table, and its values uint8 (rows, columns)."""
    with _opened(path) as file:
        first = file.readline(LONGEST_LINE)
        layout = _layout(first, path)
        line = 2 if layout.names else 1
        blocks = []
        for block in _blocks(file, path, b"" if layout.names else first.removeprefix(b"\xef\xbb\xbf")):
            blocks.append(_values(block, layout, path, line))
            line += len(blocks[-1])
    if not blocks:
        raise DataError(f"{path} has no rows below its header; it needs one image a row")
    return layout, np.concatenate(blocks)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """A table to read; what the system refuses is a sentence."""
    try:
        if path.stat().st_size > LARGEST_TABLE:
            raise DataError(f"{path} has more than {LARGEST_TABLE:,} bytes, which no table of digits needs")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its name and rights") from error


def _layout(first: bytes, path: Path) -> _Layout:
    """What the first line of a table says about its columns, or the usual order where it is a row already."""
    if not first.strip():
        raise DataError(f"{path} is empty or begins with an empty line; expected a table of {_EXPECTED}")
    text = _text(first, path)
    names = [name.strip().strip('"').strip() for name in text.split(",")]
    if not all(_is_number(name) for name in names if name):
        return _named(names, path)
    if len(names) not in (PIXELS, PIXELS + 1):
        raise DataError(f"{path}, line 1 has {len(names)} values; expected a label and 784 pixels, or 784 pixels")
    label = len(names) - PIXELS
    return _Layout(len(names), np.arange(label, len(names)), 0 if label else None)


def _text(first: bytes, path: Path) -> str:
    """The first line of a table, if it is a line of text with commas in it."""
    other = next((told for start, told in _OTHER_FILES.items() if first.startswith(start)), None)
    if other is not None:
        raise DataError(f"{path} is no CSV table but {other}")
    text = first.decode("utf-8-sig", "replace")
    if "\0" in text or "\ufffd" in text:
        raise DataError(f"{path} is no CSV table: its first line is not text in UTF-8; expected {_EXPECTED}")
    if "\r" in text.rstrip("\r\n"):
        raise DataError(f"{path} ends its lines with a carriage return alone; save it anew with line feeds")
    if len(first) == LONGEST_LINE and first[-1] != _NEWLINE:
        raise DataError(f"{path} is no CSV table: its first line goes on for {LONGEST_LINE:,} bytes without an end")
    for mark in ";\t|":
        if text.count(mark) > text.count(","):
            raise DataError(
                f"{path}, line 1: the values are parted by {mark!r}, expected ','; save it anew with commas"
            )
    return text


def _named(names: list[str], path: Path) -> _Layout:
    """The layout that a header names, in any order."""
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
    return _Layout(len(names), np.array([columns[number] for number in wanted], np.intp), label, tuple(names))


def _cell(pixel: int) -> str:
    """The place of a pixel, counted from 0, in a person's words."""
    return f"row {pixel // 28 + 1}, column {pixel % 28 + 1}"


def _pixel_name(number: int, like: str) -> str:
    """How the header that names a pixel ``like`` names another, by its number as ``_named`` counts.

    >>> _pixel_name(399, "pixel0"), _pixel_name(399, "7"), _pixel_name(28 * 2 + 28, "1x1")
    ('pixel399', '399', '2x28')
    """
    if "x" in like.removeprefix("pixel"):
        return f"{(number - 1) // 28}x{(number - 1) % 28 + 1}"
    return f"pixel{number}" if like.startswith("pixel") else str(number)


def _blocks(file: IO[bytes], path: Path, rest: bytes) -> Iterator[bytes]:
    """The rest of a file as blocks of whole lines that end in a newline; empty lines at its end are left out."""
    while read := file.read(BLOCK):
        rest += read
        whole = rest.rstrip().rfind(b"\n") + 1
        if len(rest) - whole > LONGEST_LINE:
            raise DataError(
                f"{path} goes on for {LONGEST_LINE:,} bytes without a next row; a row has at most 785 numbers"
            )
        if whole:
            yield rest[:whole].replace(b"\r\n", b"\n")
        rest = rest[whole:]
    if rest.strip():
        yield rest.rstrip() + b"\n"


def _values(block: bytes, layout: _Layout, path: Path, line: int) -> npt.NDArray[np.uint8]:
    """The numbers in a block of lines, uint8 (rows, columns).

    A number of one to three digits is put together from its last, last but one and last but two characters, for all
    numbers at once. What is written in another way is looked at one by one.

    Args:
        block: whole lines, each with its newline.
        layout: which column is what.
        path: of the table, for the message about a line that does not fit.
        line: number of the block's first line, likewise.
    """
    codes = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero((codes == _COMMA) | (codes == _NEWLINE))
    widths = np.diff(np.flatnonzero(codes[ends] == _NEWLINE), prepend=-1)
    ragged = np.flatnonzero(widths != layout.width)
    if len(ragged):
        written, count = block.split(b"\n")[ragged[0]].strip(), int(widths[ragged[0]])
        found = f"has {count} value{'s' * (count > 1)}; expected {layout.width}" if written else "is empty; take it out"
        raise DataError(f"{path}, line {line + ragged[0]} {found}")
    starts = np.concatenate([[0], ends[:-1] + 1])
    length = ends - starts
    plain = (length >= 1) & (length <= 3)
    values = np.zeros(len(ends), np.uint16)
    for place, unit in enumerate((1, 10, 100), start=1):
        digit = codes[ends - place] - np.uint8(_ZERO)
        digit[length < place] = 0
        plain &= digit <= 9
        values += digit * np.uint16(unit)
    for index in np.flatnonzero(~plain | (values > 255)).tolist():
        text = block[starts[index] : ends[index]]
        value = _whole(text)
        if value is None:
            row, column = divmod(index, layout.width)
            raise _misfit(f"{path}, line {line + row}", layout, column, text)
        values[index] = value
    rows = values.astype(np.uint8).reshape(-1, layout.width)
    wrong = [] if layout.label is None else np.flatnonzero(rows[:, layout.label] > 9).tolist()
    if wrong and layout.label is not None:
        raise _misfit(f"{path}, line {line + wrong[0]}", layout, layout.label, b"%d" % rows[wrong[0], layout.label])
    return rows


def _misfit(place: str, layout: _Layout, column: int, text: bytes) -> DataError:
    shown = repr(text[:40].decode("utf-8", "replace")) if text.strip() else "empty"
    top = 9 if column == layout.label else 255
    return DataError(f"{place}: {layout.name_of(column)} is {shown}; expected a whole number 0 to {top}")


@lru_cache(1 << 12)
def _whole(text: bytes) -> int | None:
    """A number 0..255 that is written as ``7.0``, ``"7"`` or ``7e+00``; None for everything else."""
    bare = text.strip().strip(b'"')
    if len(text) > LONGEST_NUMBER or b"_" in bare or not _is_number(bare):
        return None
    value = float(bare)
    return int(value) if 0 <= value <= 255 and value.is_integer() else None


def _is_number(text: str | bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
