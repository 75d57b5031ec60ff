"""The file of a review queue: its tables, and transactions in it.

It is in WAL mode with ``synchronous=FULL``: what was committed is on the disk, whatever ends the process or the
machine, and several processes may use the file. What the rows mean is known to ``review.store``.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from digitscope.errors import ConfigError, DigitscopeError, first_line

APPLICATION, VERSION = 0x44735251, 1
"""What the file says that it is, and the version of its tables."""

PATIENCE = 30.0
"""Seconds to wait for another process that writes."""

_TABLES = """
CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    file TEXT NOT NULL, page INTEGER NOT NULL, x INTEGER, y INTEGER, width INTEGER, height INTEGER,
    kind TEXT NOT NULL, guess TEXT NOT NULL, confidence REAL NOT NULL, reason TEXT,
    added REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'open', text TEXT, agreed INTEGER,
    skips INTEGER NOT NULL DEFAULT 0, holder TEXT, held_until REAL NOT NULL DEFAULT 0
);
CREATE INDEX waiting ON items (state = 'disputed', skips, id) WHERE state <> 'settled';
CREATE INDEX counts ON items (state, agreed);
CREATE TABLE crops (
    item INTEGER PRIMARY KEY REFERENCES items, png BLOB NOT NULL,
    x INTEGER NOT NULL, y INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL
);
CREATE TABLE journal (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL, action TEXT NOT NULL, item INTEGER NOT NULL REFERENCES items,
    text TEXT, seen INTEGER NOT NULL, undoes INTEGER UNIQUE REFERENCES journal, at REAL NOT NULL
);
CREATE INDEX about ON journal (item);
CREATE INDEX by_person ON journal (person, row);
"""
"""An item's ``state``, ``text`` and ``agreed`` follow from the journal; they are kept so that it need not be searched.
``agreed`` says whether the digits of the text are those of the guess; it is null where there is no text."""


class Database:
    """An open file, to be used from one thread."""

    def __init__(self, path: str | Path, create: bool = False) -> None:
        """Open a file, or make one that its owner alone may read; see ``review.store.ReviewStore``."""
        self._path = Path(path)
        if create:
            self._create()
        elif not self._path.is_file():
            raise ConfigError(f"there is no review queue {path}; digitscope read fills one, see docs/review.md")
        with self._told():
            self._base = sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None)
        try:
            with self._told():
                self._base.execute("PRAGMA trusted_schema=OFF")
                self._check(create)
                for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                    self._base.execute(f"PRAGMA {setting}")
        except BaseException:
            self._base.close()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it; another process that writes is waited for.

        Raises:
            DigitscopeError: the file cannot be written, for example because the disk is full.
        """
        with self._told():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    def run(self, statement: str, *values: Any) -> int | None:
        """Execute a statement; returns the number of the row if it has added one, else None."""
        done = self._base.execute(statement, values)
        return done.lastrowid if done.rowcount == 1 else None

    def all(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows that answer a question.

        Raises:
            DigitscopeError: the file cannot be read.
        """
        with self._told():
            return self._base.execute(question, values).fetchall()

    def one(self, question: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row that answers a question; None if there is none."""
        return next(iter(self.all(question, *values)), None)

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _create(self) -> None:
        """Make an empty file; SQLite gives the two that it puts beside it the same rights."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConfigError(
                f"{self._path} cannot be written ({error.strerror}); give another file for the review queue"
            ) from error

    def _check(self, create: bool) -> None:
        """Make the tables in an empty file, or make sure that the file is a queue of this version."""
        with self.transaction():
            (application,), (version,) = (
                self._base.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
            )
            if create and not application and self.one("SELECT 1 FROM sqlite_master") is None:
                for statement in _TABLES.split(";"):
                    self._base.execute(statement)
                self._base.execute(f"PRAGMA application_id={APPLICATION}")
                self._base.execute(f"PRAGMA user_version={VERSION}")
            elif application != APPLICATION:
                raise ConfigError(f"{self._path} is no review queue; give another file")
            elif version != VERSION:
                raise ConfigError(
                    f"{self._path} is a review queue of version {version}, and this program knows {VERSION}; "
                    "install the newer one"
                )

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn an error of SQLite into one sentence."""
        try:
            yield
        except DigitscopeError:
            raise
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:  # Python's own errors have no code
                raise ConfigError(f"{self._path} is no review queue; give another file") from error
            raise DigitscopeError(
                f"the review queue {self._path} cannot be used ({first_line(error)}); what was confirmed is kept, "
                "check the file, the disk and its permissions"
            ) from error
