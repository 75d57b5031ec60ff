"""Tables of pixels: CSV files with one image per row, in the layout of Kaggle's Digit Recognizer and its relatives.

A table is read block by block, so that memory holds the images and one block. This is not a general CSV reader: every
value is a whole number 0..255, values are separated by commas, and no value holds a comma.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np

from digitscope.arraytypes import Images, Levels
from digitscope.datasets.split import Part
from digitscope.datasets.table_header import LONGEST_LINE, Columns, columns_of, is_number
from digitscope.errors import DataError
from digitscope.formatting import file_name

BLOCK = 1 << 20
"""Bytes that are read at a time: some 500 rows."""

LONGEST_NUMBER = 32
"""Characters of the longest number."""

LARGEST_TABLE = 2 * 1024**3
"""Bytes of the largest table that is read."""


def read_table(path: Path) -> Part:
    """The images and labels of a table.

    Raises:
        DataError: it is not a table of pixels, has no labels, or a row does not fit; the message names the line.
    """
    columns, rows = _read(path)
    if columns.label is None:
        raise DataError(f"{path} has no column 'label'; to train or to test, give a table with labels")
    first = 2 if columns.names else 1
    name = file_name(str(path))
    places = [f"{name}, line {line}" for line in range(first, first + len(rows))]
    return Part(_images(rows, columns), rows[:, columns.label].copy(), places)


def read_pixels(path: Path) -> Images:
    """The images of a table, uint8 (n, 28, 28), in the order of its rows; labels are ignored.

    Raises:
        DataError: as ``read_table``.
    """
    columns, rows = _read(path)
    return _images(rows, columns)


def has_labels(path: Path) -> bool:
    """Whether the first line of a table shows a column of labels.

    Raises:
        DataError: it is not a table of pixels.
    """
    with _opened(path) as file:
        return columns_of(file.readline(LONGEST_LINE), path).label is not None


def _images(rows: Levels, columns: Columns) -> Images:
    return rows[:, columns.pixels].reshape(-1, 28, 28)


def _read(path: Path) -> tuple[Columns, Levels]:
    """The columns of a table, and its values uint8 (rows, columns)."""
    with _opened(path) as file:
        first = file.readline(LONGEST_LINE)
        columns = columns_of(first, path)
        line = 2 if columns.names else 1
        blocks = []
        for block in _blocks(file, path, b"" if columns.names else first.removeprefix(b"\xef\xbb\xbf")):
            rows = _plain_rows(block, columns)
            blocks.append(_rows(block, columns, path, line) if rows is None else rows)
            line += len(blocks[-1])
    if not blocks:
        raise DataError(f"{path} has no rows below its header; it needs one image per row")
    return columns, np.concatenate(blocks)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a table; an error of the system becomes a ``DataError``."""
    try:
        if path.stat().st_size > LARGEST_TABLE:
            raise DataError(f"{path} has more than {LARGEST_TABLE:,} bytes, which no table of digits needs")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its name and permissions") from error


def _blocks(file: IO[bytes], path: Path, rest: bytes) -> Iterator[bytes]:
    """``rest`` and the rest of a file as blocks of whole lines, each with a newline, without empty lines at the end."""
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


def _plain_rows(block: bytes, columns: Columns) -> Levels | None:
    """The values of a block, uint8 (rows, columns), if it is all digits and commas and nothing in it is wrong.

    None leaves the block to ``_rows``, which also reads ``7.0`` and ``"7"`` and says what is wrong.
    """
    if block.translate(None, b"0123456789,\n"):
        return None
    lines = block.decode("ascii").split("\n")[:-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy 1.26 only warns of 256
        try:
            rows = np.loadtxt(lines, np.uint8, delimiter=",", comments=None, ndmin=2)
        except (ValueError, Warning):
            return None
    fits = rows.shape == (len(lines), columns.count) and (columns.label is None or rows[:, columns.label].max() <= 9)
    return rows if fits else None


def _rows(block: bytes, columns: Columns, path: Path, line: int) -> Levels:
    """The values of a block, uint8 (rows, columns), read one by one.

    Args:
        block: whole lines, each with its newline.
        columns: of the table.
        path: of the table, for messages.
        line: number of the block's first line, for messages.

    Raises:
        DataError: a row or a value does not fit.
    """
    rows = []
    for number, row in enumerate(block.split(b"\n")[:-1], start=line):
        if not row.strip():
            raise DataError(f"{path}, line {number} is empty; remove it")
        texts = row.split(b",")
        if len(texts) != columns.count:
            values = "1 value" if len(texts) == 1 else f"{len(texts)} values"
            raise DataError(f"{path}, line {number} has {values}; expected {columns.count}")
        found = [_whole(text) for text in texts]
        wrong = found.index(None) if None in found else columns.label
        top = 9 if wrong == columns.label else 255
        if wrong is not None and ((value := found[wrong]) is None or value > top):
            shown = repr(texts[wrong][:40].decode("utf-8", "replace")) if texts[wrong].strip() else "empty"
            raise DataError(
                f"{path}, line {number}: {columns.title(wrong)} is {shown}; expected a whole number 0 to {top}"
            )
        rows.append(found)
    return np.array(rows, np.uint8)


@lru_cache(1 << 12)
def _whole(text: bytes) -> int | None:
    """A whole number 0..255, even if written as ``7.0``, ``"7"`` or ``7e+00``; None for everything else."""
    bare = text.strip().strip(b'"')
    if len(text) > LONGEST_NUMBER or b"_" in bare or not is_number(bare):
        return None
    value = float(bare)
    return int(value) if 0 <= value <= 255 and value.is_integer() else None
