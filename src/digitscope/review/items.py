"""What a review queue holds: numbers to look at, and what people say of them. Frozen values; they open no file."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from digitscope.errors import ConfigError
from digitscope.io.elements import Box
from digitscope.preprocessing.line import SEPARATORS

LONGEST_TEXT = 64
"""Characters of the longest answer."""

DIGIT, LINE = "digit", "line"
"""The kinds of items: a picture that should hold one digit, and a number on a line."""


@dataclass(frozen=True)
class Item:
    """A number that somebody should look at.

    Attributes:
        file: name of the file that it comes from.
        page: number of the page in the file, from 1.
        box: where it is, in pixels of the source; None if nothing was found on the page.
        kind: ``DIGIT`` or ``LINE``.
        guess: the most probable digits with the separators between them, without blanks; empty if there is no guess.
        confidence: calibrated probability 0..1 that the guess is right.
        reason: why it was refused; None if it was accepted.
        crop: the number with some paper around it, turned as it was read, as PNG.
        frame: where the number is in the crop, in its pixels.
    """

    file: str
    page: int
    box: Box | None
    kind: str
    guess: str
    confidence: float
    reason: str | None
    crop: bytes
    frame: Box


class Action(enum.StrEnum):
    """What somebody does with an item."""

    TEXT = "text"
    UNREADABLE = "unreadable"
    SKIP = "skip"
    UNDO = "undo"


class State(enum.StrEnum):
    """How far an item is; disputed are those that people answered differently who did not see each other's answer."""

    OPEN = "open"
    SETTLED = "settled"
    DISPUTED = "disputed"


@dataclass(frozen=True)
class Answer:
    """A row of the journal that says what is written.

    Attributes:
        row: its number.
        seen: number of the newest row about the item that the person knew; 0 if there was none.
        text: what is written; None if it cannot be read or is no number.
    """

    row: int
    seen: int
    text: str | None


def standing(answers: Sequence[Answer]) -> list[Answer]:
    """The answers about an item that count: those that nobody replaced who had seen them.

    Args:
        answers: in the order of their rows, without those that were undone.

    >>> [one.text for one in standing([Answer(1, 0, "7"), Answer(2, 0, "1")])]
    ['7', '1']
    >>> [one.text for one in standing([Answer(1, 0, "7"), Answer(2, 0, "1"), Answer(3, 2, "7")])]
    ['7']
    """
    return [one for one in answers if not any(other.seen >= one.row < other.row for other in answers)]


def state_of(counted: Sequence[Answer]) -> tuple[State, str | None]:
    """The state that answers put an item in, and the text if it is settled."""
    texts = {one.text for one in counted}
    if len(texts) == 1:
        return State.SETTLED, texts.pop()
    return (State.DISPUTED if texts else State.OPEN), None


def checked(text: str, kind: str) -> str:
    """An answer as it is kept, without blanks.

    Raises:
        ConfigError: it is no number, or not a digit where the item is one.

    >>> checked(" 7.795 ", LINE), checked("12", DIGIT)
    ('7.795', '12')
    """
    bare = "".join(text.split())
    allowed = SEPARATORS if kind == LINE else ""
    if not bare.strip(allowed) or len(bare) > LONGEST_TEXT or not all(c in "0123456789" + allowed for c in bare):
        also = f" and {' '.join(allowed)} between them" if allowed else ""
        raise ConfigError(f"the answer is {text[:LONGEST_TEXT]!r}; expected 1 to {LONGEST_TEXT} digits{also}")
    return bare


def digits_of(text: str) -> str:
    """The digits of a text, without separators."""
    return "".join(character for character in text if character.isdigit())
