"""Batches: many files read one after the other, into a results file that survives a killed process.

It reads no picture itself; the caller passes in the function that reads a file.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from digitscope.errors import ConfigError
from digitscope.files import writing
from digitscope.formatting import cell_text, file_name
from digitscope.io.exporters import CSV_HEAD, csv_rows, json_rows
from digitscope.io.page import SCHEMA, Page
from digitscope.progress import Progress

Form = Literal["jsonl", "csv"]
"""The forms of a results file."""

ReadFile = Callable[[str | bytes, str], Iterable[Page]]
"""A function that reads a file, given its path or its bytes and a name for it, as ``Reader.read_file`` is."""


def read_files(
    files: Sequence[str],
    read: ReadFile,
    done: Collection[str] = (),
    progress: Progress | None = None,
    on_page: Callable[[Page], None] | None = None,
) -> Iterator[list[Page]]:
    """Read each file once and yield its pages, file by file; a bad file does not stop the others.

    Args:
        files: paths as ``io.paths.files_of`` returns them; ``"-"`` is the standard input.
        read: the function that reads a file. A page that cannot be read has an ``error``; an exception ends the batch.
        done: names (``formatting.file_name``) of files to skip.
        progress: called with the stage ``"read"``, the number of files done, of all files, and how many of those read
            here ``failed``.
        on_page: called with every page as soon as it is read, with its pixels; the pages in the lists have none.
    """
    named = {file_name(file): file for file in files}
    todo = {name: file for name, file in named.items() if name not in done}
    failed = 0
    for number, (name, file) in enumerate(todo.items(), len(named) - len(todo)):
        if progress is not None:
            progress("read", number, len(named), {"failed": failed})
        source = sys.stdin.buffer.read() if file == "-" else file
        pages = []
        for page in read(source, name):
            if on_page is not None:
                on_page(page)
            pages.append(replace(page, pixels=None))
        failed += any(page.error is not None for page in pages)
        yield pages
    if progress is not None:
        progress("read", len(named), len(named), {"failed": failed})


class Results:
    """A results file that grows by all rows of one file at a time; use it in a ``with`` block.

    Every row that was added stays in the file, however the process ends; only the rows of the last file may be
    incomplete. When the results are resumed, those rows are removed and that file is read again.

    Attributes:
        done: names of the files whose rows are complete.
    """

    def __init__(self, path: str | Path, form: Form = "jsonl", resume: bool = False) -> None:
        """Create a results file, or continue one.

        Args:
            path: where it is.
            form: ``"jsonl"`` or ``"csv"``.
            resume: continue the file if it exists.

        Raises:
            ConfigError: the file exists and ``resume`` is not set, it is not a results file, it cannot be
                written, or there is no such form.
        """
        if form not in get_args(Form):
            raise ConfigError(f"no results in the form {form!r}; expected {' or '.join(get_args(Form))}")
        self._path, self._form = Path(path), form
        self.done: frozenset[str] = frozenset()
        kept = 0
        with writing(path, "check its name and permissions"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            exists = self._path.exists()
            if exists and not resume:
                raise ConfigError(f"{path} exists; set resume to continue it, or give another name")
            if exists:
                self.done, kept = _complete_files(self._path, form)
            self._file = self._path.open("r+b" if exists else "xb", buffering=0)
            self._file.truncate(kept)
            self._file.seek(kept)
        if form == "csv" and kept == 0:
            self._write(CSV_HEAD)

    def add(self, pages: Sequence[Page]) -> None:
        """Append the rows of all pages of one file.

        Raises:
            ConfigError: they cannot be written, for example because the disk is full.
        """
        self._write(json_rows(pages) if self._form == "jsonl" else csv_rows(pages))

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        with writing(self._path, "its rows so far are kept; set resume to continue it"):
            while data:
                data = data[self._file.write(data) :]

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _complete_files(path: Path, form: Form) -> tuple[frozenset[str], int]:
    """The files that certainly have all their rows in a results file, and the number of bytes of those rows.

    The last file is not among them: the process may have ended between two of its rows.
    """
    start = CSV_HEAD.encode() if form == "csv" else f'{{"schema": {SCHEMA}, "file": "'.encode()
    names: list[str] = []
    with path.open("rb") as rows:
        begun = rows.read(len(start))
        if not start.startswith(begun):
            raise ConfigError(f"{path} holds no {form} results of this version; give the file and form it began with")
        if len(begun) < len(start):
            return frozenset(), 0
        kept = position = rows.seek(len(start) if form == "csv" else 0)
        for row in rows:
            if not row.endswith(b"\n"):
                break
            name = _file_of(row, form)
            if name is None:
                raise ConfigError(
                    f"{path} has something other than {form} results at byte {position:,}; repair it there"
                )
            if names[-1:] != [name]:
                kept = position
                names.append(name)
            position += len(row)
    return frozenset(names[:-1]), kept


def _file_of(row: bytes, form: Form) -> str | None:
    """The name of the file that a row is about; None if it is not a row of results."""
    try:
        if form == "csv":
            fields = next(csv.reader([row.decode()], strict=True))
            return cell_text(fields[0]) if len(fields) == CSV_HEAD.count(",") + 1 else None
        return str(json.loads(row)["file"])
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError, csv.Error):
        return None
