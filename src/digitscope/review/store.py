"""A review queue in one SQLite file: items, their crops, and a journal of answers to which rows are only ever added.

What ``record`` has returned is on the disk: every call is one transaction. So a killed process loses nothing that it
had confirmed, and several processes may use one file.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from digitscope.errors import ConfigError
from digitscope.io.elements import Box
from digitscope.review.database import Database
from digitscope.review.items import Action, Answer, Item, State, checked, digits_of, standing, state_of

LEASE = 120.0
"""Seconds for which an item is given to nobody else once somebody looks at it."""

_ITEM = """SELECT file, page, items.x, items.y, items.width, items.height, kind, guess, confidence, reason, state, text,
    png, crops.x, crops.y, crops.width, crops.height FROM items JOIN crops ON item = id WHERE id = ?"""
_STANDING = """SELECT row, seen, text FROM journal WHERE item = ? AND action IN ('text', 'unreadable')
    AND row NOT IN (SELECT undoes FROM journal WHERE item = ? AND undoes IS NOT NULL) ORDER BY row"""
_LAST = """SELECT row, item, action FROM journal WHERE person = ? AND action <> 'undo'
    AND row NOT IN (SELECT undoes FROM journal WHERE person = ? AND undoes IS NOT NULL) ORDER BY row DESC LIMIT 1"""
_HOLD = "UPDATE items SET holder = ?, held_until = ? WHERE id = ?"
_FREE = "(holder IS NULL OR holder = ? OR held_until < ?)"
_WAITING = f"""SELECT id FROM items WHERE state <> 'settled' AND {_FREE} AND id NOT IN (SELECT value FROM json_each(?))
    ORDER BY state = 'disputed', skips, id LIMIT ?"""  # noqa: S608 - put together from constants
_ADD = """INSERT INTO items (key, file, page, x, y, width, height, kind, guess, confidence, reason, added)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"""
_WRITE = "INSERT INTO journal (id, person, action, item, text, seen, undoes, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Queued(NamedTuple):
    """An item in the queue.

    Attributes:
        number: of the item.
        item: what there is to see.
        state: how far it is.
        text: what is written, once it is settled; None also where nothing can be read.
        seen: number of the newest row of the journal about it; 0 if there is none.
        said: the answers that stand, None for "no number".
    """

    number: int
    item: Item
    state: State
    text: str | None
    seen: int
    said: tuple[str | None, ...]


class Undone(NamedTuple):
    """What was taken back: the item, and the text that had been given, None if it was none."""

    queued: Queued
    text: str | None


class ReviewStore:
    """An open review queue; use it in a ``with`` block, and from one thread."""

    def __init__(self, path: str | Path, create: bool = False) -> None:
        """Open a queue.

        Args:
            path: its file.
            create: whether to make it if it is not there, readable by its owner alone.

        Raises:
            ConfigError: there is none, it cannot be made, or it is of another program or a newer version.
            DigitscopeError: it cannot be read or written.
        """
        self.base = Database(path, create)

    def add(self, items: Iterable[Item]) -> int:
        """Add items; those that are there already, from the same place and with the same crop, stay as they are.

        Returns:
            How many were added.

        Raises:
            DigitscopeError: they cannot be written, for example because the disk is full.
        """
        with self.base.transaction():
            return sum(map(self._added, items))

    def next(self, person: str, count: int = 2, held: Sequence[int] = (), now: float | None = None) -> list[Queued]:
        """Give items to somebody, who holds them for ``LEASE`` seconds; the longest waiting first.

        Args:
            person: who.
            count: how many the person should hold, those ``held`` included.
            held: numbers of items that the person has already; they are held anew and not returned.
            now: seconds since the epoch; None takes the clock.

        Returns:
            At most ``count - len(held)`` items that nobody else holds; disputed ones come last.
        """
        now = time.time() if now is None else now
        with self.base.transaction():
            for number in held:
                self.base.run(f"{_HOLD} AND {_FREE}", person, now + LEASE, number, person, now)
            wanted = max(0, count - len(held))
            found = [number for (number,) in self.base.all(_WAITING, person, now, json.dumps([*held]), wanted)]
            for number in found:
                self.base.run(_HOLD, person, now + LEASE, number)
            return [self._queued(number) for number in found]

    def record(
        self, identity: str, person: str, action: Action, number: int, text: str | None = None, seen: int = 0
    ) -> None:
        """Add a row to the journal: what somebody says of an item. When this returns, it is on the disk.

        Args:
            identity: of the row, made by whoever asks; a second row with the same one is not added.
            person: who says it.
            action: ``TEXT``, ``UNREADABLE`` or ``SKIP``.
            number: of the item.
            text: what is written, for ``TEXT``.
            seen: number of the newest row about the item that the person knew (``Queued.seen``). Answers of people who
                did not see each other's both stand; if they differ, the item is disputed.

        Raises:
            ConfigError: there is no such item, or the text is no number.
            DigitscopeError: it cannot be written.
        """
        with self.base.transaction():
            if self.base.one("SELECT 1 FROM journal WHERE id = ?", identity) is not None:
                return
            kind = self.base.one("SELECT kind FROM items WHERE id = ?", number)
            if kind is None:
                raise ConfigError(f"there is no item {number}; load the page again")
            said = checked(text or "", kind[0]) if action is Action.TEXT else None
            self.base.run(_WRITE, identity, person, action.value, number, said, seen, None, time.time())
            self.base.run(_HOLD, None, 0, number)
            self._skipped(number, 1) if action is Action.SKIP else self._settle(number)

    def undo(self, identity: str, person: str, now: float | None = None) -> Undone | None:
        """Take back somebody's last answer or skip: a row is added that says so, and the item is given to them again.

        Args:
            identity: of the row; with one that is there already, nothing more is undone.
            person: who.
            now: seconds since the epoch; None takes the clock.

        Returns:
            What was taken back; None if there is nothing left to take back.
        """
        now = time.time() if now is None else now
        with self.base.transaction():
            before = self.base.one("SELECT undoes FROM journal WHERE id = ?", identity)
            row = self._undone(identity, person) if before is None else before[0]
            found = None if row is None else self.base.one("SELECT item, text FROM journal WHERE row = ?", row)
            if found is None:
                return None
            self.base.run(_HOLD, person, now + LEASE, found[0])
            return Undone(self._queued(found[0]), found[1])

    def settled(self) -> Iterator[Queued]:
        """Yield the items that were answered in one way."""
        for (number,) in self.base.all("SELECT id FROM items WHERE state = 'settled' ORDER BY id"):
            yield self._queued(number)

    def close(self) -> None:
        """Close the file."""
        self.base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _added(self, item: Item) -> bool:
        """Add an item; whether it is new."""
        box = (None,) * 4 if item.box is None else (item.box.x, item.box.y, item.box.width, item.box.height)
        place = json.dumps([item.file, item.page, *box, item.kind]).encode()
        key = hashlib.sha256(place + item.crop).digest()
        read = (item.kind, item.guess, item.confidence, item.reason)
        number = self.base.run(_ADD, key, item.file, item.page, *box, *read, time.time())
        if number is None:
            return False
        frame = (item.frame.x, item.frame.y, item.frame.width, item.frame.height)
        self.base.run("INSERT INTO crops VALUES (?, ?, ?, ?, ?, ?)", number, item.crop, *frame)
        return True

    def _queued(self, number: int) -> Queued:
        found = self._one(_ITEM, number)
        file, page, *place, kind, guess, confidence, reason, state, text, png = found[:13]
        box = None if place[0] is None else Box(*place)
        item = Item(file, page, box, kind, guess, confidence, reason, png, Box(*found[13:]))
        (seen,) = self._one("SELECT coalesce(max(row), 0) FROM journal WHERE item = ?", number)
        return Queued(number, item, State(state), text, seen, tuple(one.text for one in self._standing(number)))

    def _one(self, question: str, number: int) -> tuple[Any, ...]:
        """The row that answers a question about an item that is there."""
        (found,) = self.base.all(question, number)
        return found

    def _standing(self, number: int) -> list[Answer]:
        return standing([Answer(*row) for row in self.base.all(_STANDING, number, number)])

    def _settle(self, number: int) -> None:
        """Write into an item what follows from the journal."""
        state, text = state_of(self._standing(number))
        (guess,) = self._one("SELECT guess FROM items WHERE id = ?", number)
        agreed = None if text is None else digits_of(text) == digits_of(guess)
        self.base.run(
            "UPDATE items SET state = ?, text = ?, agreed = ? WHERE id = ?", state.value, text, agreed, number
        )

    def _skipped(self, number: int, times: int) -> None:
        self.base.run("UPDATE items SET skips = skips + ? WHERE id = ?", times, number)

    def _undone(self, identity: str, person: str) -> int | None:
        """Undo somebody's last action; returns its row, None if there is none."""
        last = self.base.one(_LAST, person, person)
        if last is None:
            return None
        row, number, action = last
        self.base.run(_WRITE, identity, person, Action.UNDO.value, number, None, 0, row, time.time())
        self._skipped(number, -1) if action == Action.SKIP else self._settle(number)
        return int(row)
