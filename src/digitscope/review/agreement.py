"""What a review queue says about the reader and the people: how often guesses are right, and how fast it goes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from statistics import median

from digitscope.review.items import State
from digitscope.review.store import ReviewStore

BANDS = (0.0, 0.5, 0.8, 0.9, 0.96, 0.99, 1.0)
"""Edges of the bands of confidence."""

PAUSE = 60.0
"""Seconds between two answers of somebody, above which they did something else meanwhile."""

_COUNTS = "SELECT state, agreed, count(*) FROM items GROUP BY state, agreed"
_BANDS = """SELECT confidence, reason IS NOT NULL, agreed FROM items WHERE state = 'settled' AND guess <> ''"""
_REASONS = """SELECT coalesce(reason, ''), count(*), sum(agreed = 1), sum(agreed = 0), sum(text IS NULL) FROM items
    WHERE state = 'settled' GROUP BY reason ORDER BY count(*) DESC"""
_GAPS = """SELECT gap FROM (SELECT action, at - lag(at) OVER (PARTITION BY person ORDER BY row) AS gap FROM journal
    WHERE row > (SELECT max(row) FROM journal) - ?) WHERE action IN ('text', 'unreadable') AND gap BETWEEN 0 AND ?"""
EVER = 1 << 62
"""More rows than a journal has."""


@dataclass(frozen=True)
class Progress:
    """How far a queue is.

    Attributes:
        items: how many there are.
        open: of those, how many have no answer yet.
        disputed: how many have different answers.
        confirmed: how many guesses were right.
        corrected: how many were wrong, or there was none.
        unreadable: how many items hold nothing that can be read.
    """

    items: int
    open: int
    disputed: int
    confirmed: int
    corrected: int
    unreadable: int

    @property
    def agreement(self) -> float | None:
        """The share 0..1 of right guesses among the items with a text; None if there are none."""
        readable = self.confirmed + self.corrected
        return self.confirmed / readable if readable else None


@dataclass(frozen=True)
class Share:
    """Items that belong together.

    Attributes:
        name: what they have in common.
        items: how many were answered.
        right: of those, how many guesses were right.
        unreadable: how many items hold nothing that can be read.
    """

    name: str
    items: int
    right: int
    unreadable: int


@dataclass(frozen=True)
class Throughput:
    """How fast people answer, pauses of more than ``PAUSE`` seconds left out.

    Attributes:
        answers: how many of their answers had another one shortly before.
        per_minute: answers in a minute; None if there are none.
        seconds: the median time for one.
    """

    answers: int
    per_minute: float | None
    seconds: float | None


def progress_of(store: ReviewStore) -> Progress:
    """How far a queue is."""
    found = {(state, agreed): count for state, agreed, count in store.base.all(_COUNTS)}
    settled = (found.get((State.SETTLED, agreed), 0) for agreed in (1, 0, None))
    still, disputed = (found.get((state, None), 0) for state in (State.OPEN, State.DISPUTED))
    return Progress(sum(found.values()), still, disputed, *settled)


def throughput_of(store: ReviewStore, rows: int = EVER) -> Throughput:
    """How fast people answer, by the last rows of the journal."""
    gaps = [gap for (gap,) in store.base.all(_GAPS, rows, PAUSE)]
    if not gaps or not sum(gaps):
        return Throughput(len(gaps), None, None)
    return Throughput(len(gaps), 60 * len(gaps) / sum(gaps), median(gaps))


def by_confidence(store: ReviewStore) -> list[Share]:
    """How often guesses of each band of confidence are right, refused and accepted ones apart; no empty bands."""
    rows = store.base.all(_BANDS)
    found = []
    for refused, (low, high) in itertools.product((1, 0), itertools.pairwise(BANDS)):
        inside = [agreed for confidence, was, agreed in rows if was == refused and _within(confidence, low, high)]
        if inside:
            name = f"{'refused' if refused else 'accepted'}, {low:g} to {high:g}"
            found.append(Share(name, len(inside), inside.count(1), inside.count(None)))
    return found


def by_reason(store: ReviewStore) -> list[Share]:
    """The same for each reason of a refusal, the most frequent first; accepted numbers have an empty one."""
    return [
        Share(reason or "accepted", items, right or 0, unreadable or 0)
        for reason, items, right, _, unreadable in store.base.all(_REASONS)
    ]


def _within(confidence: float, low: float, high: float) -> bool:
    return low <= confidence < high or confidence == high == BANDS[-1]
