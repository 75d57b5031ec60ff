"""Results that survive a killed process: a file of rows, JSON lines or CSV, or a folder of Parquet files.

They are locked while they grow, and keep with which options they were made. It reads no picture.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Protocol, Self, get_args

from digitscope.errors import ConfigError
from digitscope.files import locked, writing
from digitscope.formatting import cell_text
from digitscope.io.exporters import CSV_HEAD, csv_rows, json_rows
from digitscope.io.names import Names
from digitscope.io.page import SCHEMA, Page
from digitscope.io.parquet import PART, check_pyarrow, files_in_part, parquet_rows, write_part
from digitscope.reading.options import complete_bytes, keep_options

Form = Literal["jsonl", "csv", "parquet"]
"""The forms of results."""

PART_FILES, PART_SECONDS = 10_000, 60.0
"""A part of Parquet results is written when it has so many files, or is so old: a kill costs at most that much work."""


class Results(Protocol):
    """Results that grow by all rows of one file at a time; use them in a ``with`` block.

    Attributes:
        done: names of the files whose rows are complete.
        cut: the file whose rows were removed when the results were opened, because some may be missing; None if none.
    """

    done: Names
    cut: str | None

    def add(self, pages: Sequence[Page]) -> None:
        """Append the rows of all pages of one file.

        Raises:
            ConfigError: they cannot be written, for example because the disk is full.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_results(
    path: str | Path, form: Form = "jsonl", resume: bool = False, options: Mapping[str, Any] | None = None
) -> Results:
    """Create results, or continue them.

    Args:
        path: the file, or for ``"parquet"`` the folder.
        form: ``"jsonl"``, ``"csv"`` or ``"parquet"``.
        resume: continue the results if there are any.
        options: with which they are made (``ReadOptions.record``), kept beside them; None keeps none.

    Raises:
        ConfigError: there are results and ``resume`` is not set, they have other options, they are no results, they
            cannot be written, another process writes them, or there is no such form.
        MissingExtra: ``"parquet"``, and pyarrow is not installed.
    """
    if form not in get_args(Form):
        raise ConfigError(f"no results in the form {form!r}; expected {', '.join(get_args(Form)[:-1])} or parquet")
    return (ResultsFolder if form == "parquet" else ResultsFile)(Path(path), form, resume, options)


class ResultsFile:
    """A file of rows as ``Results``.

    Every row that was added stays in the file, however the process ends; only the rows of the last file may be
    incomplete. When the results are resumed, those rows are removed and that file is read again; not so if the block
    ended without an error, which is noted beside the options.
    """

    def __init__(self, path: Path, form: Form, resume: bool, options: Mapping[str, Any] | None) -> None:
        """Create the file, or continue it; see ``open_results``."""
        self._path, self._form, self._options = path, form, options
        self.done = Names()
        self.cut: str | None = None
        with ExitStack() as opened, writing(path, "check its name and permissions"):
            path.parent.mkdir(parents=True, exist_ok=True)
            exists = path.exists()
            if exists and not resume:
                raise ConfigError(f"{path} exists; set resume to continue it, or give another name")
            self._file = opened.enter_context(path.open("r+b" if exists else "xb", buffering=0))
            opened.enter_context(locked(path))
            kept, self.cut = _complete_files(path, form, self.done) if exists else (0, None)
            if options is not None:
                keep_options(path, options, exists, kept)
            self._file.truncate(kept)
            self._file.seek(kept)
            self._opened = opened.pop_all()
        if form == "csv" and kept == 0:
            self._write(CSV_HEAD)

    def add(self, pages: Sequence[Page]) -> None:
        """Append the rows of all pages of one file."""
        self._write(json_rows(pages) if self._form == "jsonl" else csv_rows(pages))

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        with writing(self._path, "its rows so far are kept; set resume to continue it"):
            while data:
                data = data[self._file.write(data) :]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with self._opened:
            if not any(error) and self._options is not None:
                with writing(self._path, "its rows are kept; set resume to continue it"):
                    keep_options(self._path, self._options, False, self._file.tell())


def _complete_files(path: Path, form: Form, done: Names) -> tuple[int, str | None]:
    """Add the files that certainly have all their rows in a file of results.

    The last file is not among them, unless that was noted: the process may have ended between two of its rows.

    Returns:
        The bytes of those rows, and the name of the last file if it is not among them.
    """
    start = CSV_HEAD.encode() if form == "csv" else f'{{"schema": {SCHEMA}, "file": "'.encode()
    last: str | None = None
    with path.open("rb") as rows:
        begun = rows.read(len(start))
        if not start.startswith(begun):
            raise ConfigError(f"{path} holds no {form} results of this version; give the file and form it began with")
        if len(begun) < len(start):
            return 0, None
        noted, kept = complete_bytes(path), rows.seek(len(start) if form == "csv" else 0)
        position = kept
        for row in rows:
            if not row.endswith(b"\n"):
                break
            name = _file_of(row, form)
            if name is None:
                raise ConfigError(
                    f"{path} has something other than {form} results at byte {position:,}; repair it there"
                )
            if name != last:
                if last is not None:
                    done.add(last)
                kept, last = position, name
            position += len(row)
            if position == noted:
                done.add(name)
                kept, last = position, None
    return kept, last


def _file_of(row: bytes, form: Form) -> str | None:
    """The name of the file that a row is about; None if it is not a row of results."""
    try:
        if form == "csv":
            fields = next(csv.reader([row.decode()], strict=True))
            return cell_text(fields[0]) if len(fields) == CSV_HEAD.count(",") + 1 else None
        return str(json.loads(row)["file"])
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError, csv.Error):
        return None


class ResultsFolder:
    """A folder of Parquet files as ``Results``: nothing can be appended to such a file, so that each is a part.

    A part appears whole or not at all, and holds all rows of each of its files. What a killed process had not put into
    a part is read again.
    """

    def __init__(self, path: Path, form: Form, resume: bool, options: Mapping[str, Any] | None) -> None:
        """Create the folder, or continue it; see ``open_results``."""
        check_pyarrow()
        self._path = path
        self.done = Names()
        self.cut: str | None = None
        with ExitStack() as opened, writing(path, "give another name"):
            if path.exists() and not path.is_dir():
                raise ConfigError(f"{path} is a file; {form} results are a folder of parts, give another name")
            path.mkdir(parents=True, exist_ok=True)
            opened.enter_context(locked(path))
            parts = _parts(path)
            if parts and not resume:
                raise ConfigError(f"{path} holds results; set resume to continue them, or give another name")
            for part in parts:
                for name in files_in_part(part):
                    self.done.add(name)
            if options is not None:
                keep_options(path, options, bool(parts))
            self._opened = opened.pop_all()
        self.next_part = 1 + (int(parts[-1].stem.removeprefix("part-")) if parts else -1)
        self._begin()

    def _begin(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._files, self._since = 0, time.monotonic()

    def add(self, pages: Sequence[Page]) -> None:
        """Add the rows of all pages of one file; they are on the disk when their part is."""
        self._rows += parquet_rows(pages)
        self._files += 1
        if self._files >= PART_FILES or time.monotonic() - self._since > PART_SECONDS:
            self._write()

    def _write(self) -> None:
        if self._rows:
            with writing(self._path, "its parts so far are kept; set resume to continue it"):
                write_part(self._path / PART.format(self.next_part), self._rows)
            self.next_part += 1
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._opened:
            self._write()


def _parts(folder: Path) -> list[Path]:
    """The parts in a folder of results, in order; what a killed process left under a temporary name is removed."""
    for left in folder.glob(".part-*"):
        left.unlink(missing_ok=True)
    return sorted(folder.glob("part-*.parquet"))
