"""What a batch reads: files, lists of files, and tables that hold their paths or their bytes. It decodes no picture.

Everything is found as it is asked for, so that a million pictures take no more memory than a hundred.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from digitscope.errors import ConfigError, first_line
from digitscope.formatting import file_name
from digitscope.io.image import LARGEST_FILE
from digitscope.io.parquet import check_pyarrow
from digitscope.io.paths import files_of, number_of_files

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile  # for types only

LIST, CSV, PARQUET = ".txt", ".csv", ".parquet"
"""The suffixes of a list and of the two kinds of tables."""

PATH_COLUMNS = ("file", "path", "image", "filename")
"""The names of a column with paths; the first that a table has counts."""

ROWS = 64
"""Rows of a table of bytes that are taken into memory at a time."""


@dataclass(frozen=True)
class Source:
    """A file to read.

    Attributes:
        name: what results call it: its path, or ``TABLE:ROW`` for bytes in a table, rows counted from 1.
        content: its path, or its bytes.
    """

    name: str
    content: str | bytes

    @classmethod
    def of(cls, path: str) -> Source:
        """The file at a path; ``-`` is the standard input, which is read here as far as a file may be long."""
        return cls(file_name(path), _all_of(sys.stdin.buffer) if path == "-" else path)


@lru_cache(maxsize=1)
def _all_of(stream: BinaryIO) -> bytes:
    """What comes from a stream, which can be read only once."""
    return stream.read(LARGEST_FILE + 1)


class Sources:
    """The files that the arguments of a batch stand for; iterating finds them, each time anew."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Look for the first file of each argument.

        Args:
            paths: what ``io.paths.files_of`` takes; among these, a name that ends in ``.txt`` is a list of files, one
                path a line, one in ``.csv`` a table with a column of paths (``PATH_COLUMNS``), one in ``.parquet`` a
                table with such a column or with one of bytes, or of structs with a field ``bytes``. Paths in them
                start from the working folder, as those in the shell do.

        Raises:
            ConfigError: an argument holds no file, or cannot be read.
            MissingExtra: a ``.parquet``, and pyarrow is not installed.
        """
        self._paths = paths
        for path in paths:
            if path != "-" and next(_sources(path), None) is None:
                raise ConfigError(f"{path} holds no file to read; expected at least one row")

    def __iter__(self) -> Iterator[Source]:
        for path in self._paths:
            yield from _sources(path)

    def count(self) -> int:
        """How many files there are; what is named twice counts twice."""
        plain = [path for path in self._paths if not _is_record(path)]
        return number_of_files(plain) + sum(_rows(path) for path in self._paths if _is_record(path))


def _is_record(path: str) -> bool:
    """Whether a path is a list or a table, by its name."""
    return path.lower().endswith((LIST, CSV, PARQUET)) and not Path(path).is_dir()


def _sources(path: str) -> Iterator[Source]:
    for file in files_of([path]):
        yield from sources_in(file)


def sources_in(file: str) -> Iterator[Source]:
    """Yield the files that one file stands for: those in a list or a table, or else itself.

    Raises:
        ConfigError: the list or table cannot be read.
        MissingExtra: a ``.parquet``, and pyarrow is not installed.
    """
    if not _is_record(file):
        yield Source.of(file)
    elif file.lower().endswith(PARQUET):
        yield from in_parquet(file)
    else:
        yield from map(Source.of, _in_csv(file) if file.lower().endswith(CSV) else _in_list(file))


def _rows(pattern: str) -> int:
    """How many files the lists and tables hold that a pattern matches."""
    count = 0
    for file in files_of([pattern]):
        if file.lower().endswith(PARQUET):
            with _parquet(file) as table:
                count += table.metadata.num_rows
        else:
            count += sum(1 for _ in (_in_csv if file.lower().endswith(CSV) else _in_list)(file))
    return count


@contextmanager
def _text(path: str) -> Iterator[Iterable[str]]:
    """The lines of a text file; names in it that are not Unicode stay what they are."""
    try:
        with Path(path).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
            yield lines
    except (OSError, csv.Error) as error:
        raise ConfigError(
            f"{path} cannot be read ({getattr(error, 'strerror', None) or first_line(error)}); expected a list with a "
            f"path a line, or a table with a column named {PATH_COLUMNS[0]} (digitscope submit reads tables of pixels)"
        ) from error


def _in_list(path: str) -> Iterator[str]:
    with _text(path) as lines:
        yield from (line for line in (line.rstrip("\r\n") for line in lines) if line.strip())


def _in_csv(path: str) -> Iterator[str]:
    with _text(path) as lines:
        rows = csv.reader(lines, strict=True)
        head = [name.strip().lower() for name in next(rows, [])]
        column = head.index(_path_column(path, head))
        yield from (row[column] for row in rows if len(row) > column and row[column])


def _path_column(path: str, names: Sequence[str]) -> str:
    """The column of paths among those of a table."""
    found = next((name for name in PATH_COLUMNS if name in names), None)
    if found is None:
        raise ConfigError(
            f"{path} has no column of paths, named {', '.join(PATH_COLUMNS[:-1])} or {PATH_COLUMNS[-1]}, nor one of "
            "bytes; digitscope submit reads tables of pixels"
        )
    return found


@contextmanager
def _parquet(path: str) -> Iterator[ParquetFile]:
    """An open Parquet file."""
    pyarrow = check_pyarrow()
    from pyarrow.parquet import ParquetFile  # extra parquet

    try:
        with ParquetFile(path) as table:
            yield table
    except (OSError, pyarrow.ArrowException) as error:
        raise ConfigError(f"{path} is not a usable Parquet file ({first_line(error)}); write it again") from error


def in_parquet(path: str, first: int = 0, end: int | None = None) -> Iterator[Source]:
    """Yield the rows of a Parquet file, from row ``first`` to the one before ``end``, counted from 0.

    Raises:
        ConfigError: it cannot be read, or has no column of paths or bytes.
        MissingExtra: pyarrow is not installed.
    """
    with _parquet(path) as table:
        column, kind = _column(path, table.schema_arrow)
        row, groups = _row_groups(table, first, end)
        for batch in table.iter_batches(ROWS, groups, columns=[column]):
            values = batch.column(0) if row + len(batch) > first else ()
            for number, value in enumerate(values, row):
                if first <= number and (end is None or number < end):
                    content = value.as_py()
                    yield _source(path, number, (content or {}).get("bytes") if kind == "struct" else content)
            row += len(batch)


def _row_groups(table: ParquetFile, first: int, end: int | None) -> tuple[int, list[int]]:
    """The row groups that hold some rows, and the number of the first row in them."""
    ends = list(accumulate(table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)))
    starts = [0, *ends][: len(ends)]
    groups = [group for group, start in enumerate(starts) if ends[group] > first and (end is None or start < end)]
    return (starts[groups[0]] if groups else 0), groups


class TableOfBytes(NamedTuple):
    """A Parquet file with a column of bytes: its rows, and the bytes that all of them have."""

    rows: int
    size: int


def table_of_bytes(file: str) -> TableOfBytes | None:
    """What a Parquet file with a column of bytes holds; None if the file is anything else.

    Raises:
        ConfigError: as ``in_parquet``.
        MissingExtra: a ``.parquet``, and pyarrow is not installed.
    """
    if not (_is_record(file) and file.lower().endswith(PARQUET)):
        return None
    with _parquet(file) as table:
        if _column(file, table.schema_arrow)[1] == "path":
            return None
        groups = range(table.num_row_groups)
        size = sum(table.metadata.row_group(group).total_byte_size for group in groups)
        return TableOfBytes(table.metadata.num_rows, size)


def name_of_row(table: str, row: int) -> str:
    """What results call a row of a table of bytes, which is counted from 0."""
    return f"{file_name(table)}:{row + 1}"


def _source(path: str, row: int, content: str | bytes | None) -> Source:
    return Source.of(content) if isinstance(content, str) else Source(name_of_row(path, row), content or b"")


def _column(path: str, schema: Any) -> tuple[str, str]:
    """The column with the pictures, and what it holds: ``"bytes"``, ``"struct"`` or ``"path"``."""
    from pyarrow import types  # extra parquet

    for field in schema:
        if types.is_binary(field.type) or types.is_large_binary(field.type):
            return field.name, "bytes"
        if types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0:
            return field.name, "struct"
    return _path_column(path, schema.names), "path"
