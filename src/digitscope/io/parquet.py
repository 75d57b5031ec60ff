"""Pages as rows of Parquet files, with the columns of the CSV. Needs pyarrow (extra ``parquet``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from digitscope import files
from digitscope.errors import ConfigError, MissingExtra, first_line
from digitscope.io.elements import Number
from digitscope.io.page import SCHEMA, Page

PART = "part-{:06}.parquet"
"""The name of a part in a folder of results, by its number; readers of Parquet take such a folder as one table."""

COLUMNS = {
    "file": "string", "page": "int32", "line": "int32", "text": "string", "best_guess": "string", "written": "string",
    "confidence": "float32", "digit_probability": "float32", "refused": "bool", "reason": "string", "x": "int32",
    "y": "int32", "width": "int32", "height": "int32", "rotation": "int32", "engine": "string",
    "milliseconds": "float32", "error": "string",
}  # fmt: skip
"""The columns, as those of ``io.exporters.CSV_HEAD``, and the type of each. What is empty there is null here."""

SCHEMA_KEY = b"digitscope.schema"
"""Metadata key of a part: the version of its records, ``io.page.SCHEMA``."""


def parquet_rows(pages: Sequence[Page]) -> list[dict[str, Any]]:
    """The pages as rows: one for each number, and one with nulls for a page without any."""
    return [
        {"file": page.file, "page": page.page, **({} if number is None else _fields(number)), "rotation": page.rotation,
         "engine": page.engine, "milliseconds": page.milliseconds, "error": page.error}
        for page in pages
        for number in page.numbers or (None,)
    ]  # fmt: skip


def _fields(number: Number) -> dict[str, Any]:
    """A number's fields, from ``line`` to ``height``."""
    box = number.box
    place = {} if box is None else {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    return place | {
        "line": number.line,
        "text": number.text,
        "best_guess": number.best_guess,
        "written": number.written,
        "confidence": number.confidence,
        "digit_probability": number.digit_probability,
        "refused": number.refused,
        "reason": number.reason,
    }


def write_part(path: str | Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as a Parquet file, whole or not at all.

    Raises:
        MissingExtra: pyarrow is not installed.
        OSError: it cannot be written.
    """
    pyarrow = check_pyarrow()
    from pyarrow.parquet import write_table  # extra parquet

    schema = pyarrow.schema(COLUMNS.items(), metadata={SCHEMA_KEY: str(SCHEMA)})
    safe = [{key: _storable(value) for key, value in row.items()} for row in rows]
    with files.atomic_path(path) as temporary:
        write_table(pyarrow.Table.from_pylist(safe, schema), temporary)


def _storable(value: Any) -> Any:
    """A text without halves of characters, which UTF-8 cannot hold; any other value as it is."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def files_in_part(path: str | Path) -> Iterator[str]:
    """Yield the name of each row's file in a part.

    Raises:
        ConfigError: it is not a part of results of this version.
    """
    pyarrow = check_pyarrow()
    from pyarrow.parquet import ParquetFile  # extra parquet

    try:
        with ParquetFile(path) as table:
            schema = table.schema_arrow
            if (schema.metadata or {}).get(SCHEMA_KEY) != str(SCHEMA).encode() or schema.names != list(COLUMNS):
                raise ConfigError(f"{path} holds no results of this version; give another name for the results")
            for batch in table.iter_batches(columns=["file"]):
                yield from batch.column(0).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise ConfigError(
            f"{path} is damaged ({first_line(error)}); delete it, and its files are read again"
        ) from error


def check_pyarrow() -> Any:
    """The package pyarrow.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import pyarrow  # extra parquet
    except ModuleNotFoundError as error:
        raise MissingExtra("pyarrow, which reads and writes Parquet,", "parquet") from error
    return pyarrow
