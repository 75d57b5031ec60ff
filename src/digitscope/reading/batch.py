"""Many files: which there are, reading them one after the other, and a results file that survives being killed.

It reads no picture itself; what reads a page is handed to it.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

from digitscope.errors import ConfigError, first_line
from digitscope.formatting import file_name
from digitscope.io.document import Scan, scans
from digitscope.io.elements import SCHEMA, Page
from digitscope.io.exporters import CSV_HEAD, csv_rows, json_rows
from digitscope.progress import Progress

Form = Literal["jsonl", "csv"]
"""The forms that a results file can have."""


def read_files(
    files: Sequence[str],
    read: Callable[[Scan], Page],
    longest: int | None = None,
    done: Collection[str] = (),
    progress: Progress | None = None,
) -> Iterator[list[Page]]:
    """Read files, each once, and yield the pages of one after the other; a bad file stops nothing.

    Args:
        files: as ``files_of`` gives them.
        read: what makes a record of a page, be it good or bad; if it raises, that is the page's error.
        longest: as for ``io.document.scans``.
        done: names of records (``formatting.file_name``) that are there already.
        progress: told the stage ``"read"`` with files done of all, and how many of those read here ``failed``.
    """
    named = {file_name(file): file for file in files}
    todo = {name: file for name, file in named.items() if name not in done}
    failed = 0
    for number, (name, file) in enumerate(todo.items(), len(named) - len(todo)):
        if progress is not None:
            progress("read", number, len(named), {"failed": failed})
        source = sys.stdin.buffer.read() if file == "-" else file
        pages = [_page(scan, read) for scan in scans(source, longest, name)]
        failed += any(page.error is not None for page in pages)
        yield pages
    if progress is not None:
        progress("read", len(named), len(named), {"failed": failed})


def _page(scan: Scan, read: Callable[[Scan], Page]) -> Page:
    """The record of a page, whatever happens while it is read."""
    try:
        return read(scan)
    except Exception as error:  # one page of ten thousand must not end the others
        what = f"{type(error).__name__}: {first_line(error)}"
        sentence = scan.error or f"{scan.file} page {scan.page} could not be read ({what}); please report this"
        return Page(scan.file, scan.page, 0, 0, 0, (), 0.0, sentence)


class Results:
    """A results file that grows by all rows of one file at a time; use it in a ``with`` block.

    However the process ends, the file keeps what was added, but perhaps the last file's rows; when it is resumed, those
    are dropped and the file is read again.

    Attributes:
        done: names of the files whose rows are in it.
    """

    def __init__(self, path: str | Path, form: Form = "jsonl", resume: bool = False) -> None:
        """Begin a results file or take one up.

        Args:
            path: its path.
            form: what its rows are.
            resume: go on with it where it exists.

        Raises:
            ConfigError: it exists and is not resumed, it is resumed and holds something else, it cannot be opened, or
                there is no such form.
        """
        if form not in get_args(Form):
            raise ConfigError(f"no results in the form {form!r}; expected {' or '.join(get_args(Form))}")
        self._path, self._form = Path(path), form
        self.done: frozenset[str] = frozenset()
        kept = 0
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            exists = self._path.exists()
            if exists and resume:
                self.done, kept = _taken_up(self._path, form)
            self._file = self._path.open("r+b" if exists and resume else "xb", buffering=0)
            self._file.truncate(kept)
            self._file.seek(kept)
        except FileExistsError as error:
            raise ConfigError(f"{path} exists; go on with it (--resume), or give another name") from error
        except OSError as error:
            raise ConfigError(f"{path} cannot be written ({first_line(error)}); check its name and rights") from error
        if form == "csv" and kept == 0:
            self._write(CSV_HEAD)

    def add(self, pages: Sequence[Page]) -> None:
        """Append all pages of a file, in one go.

        Raises:
            ConfigError: they cannot be written, e.g. because the disk is full.
        """
        self._write(json_rows(pages) if self._form == "jsonl" else csv_rows(pages))

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            raise ConfigError(
                f"{self._path} cannot be written ({first_line(error)}); what is in it is kept, resume it (--resume)"
            ) from error

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _taken_up(path: Path, form: Form) -> tuple[frozenset[str], int]:
    """The files whose rows a results file certainly holds all of, and how many bytes those take.

    The last file's rows are not among them: the process may have ended between two of them.
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
                raise ConfigError(f"{path} is no {form} results file any more from byte {position:,} on; mend it there")
            if names[-1:] != [name]:
                kept = position
                names.append(name)
            position += len(row)
    return frozenset(names[:-1]), kept


def _file_of(row: bytes, form: Form) -> str | None:
    """The name of the file that a whole row is about; None if it is no row."""
    try:
        if form == "csv":
            fields = next(csv.reader([row.decode()], strict=True))
            return fields[0] if len(fields) == CSV_HEAD.count(",") + 1 else None
        return str(json.loads(row)["file"])
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError, csv.Error):
        return None
