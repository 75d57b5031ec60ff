"""The forms of what the review page asks and is answered, for OpenAPI and to check requests."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator  # extra serve

from digitscope.review.items import Action
from digitscope.service.records import Record

_MOST = 2**53
"""The largest number of a row, and of an item: what JavaScript can count to."""


class Ask(Record):
    """Somebody asks for numbers to look at."""

    person: str = Field(
        pattern=r"^[\w-]{8,64}$", description="Who asks: anything that stays the same.", examples=["person-1"]
    )
    held: list[Annotated[int, Field(ge=0, le=_MOST)]] = Field(
        default=[], max_length=8, description="Items that they have already; these stay theirs, and are not sent again."
    )


class Act(Ask):
    """Somebody says what is written, or takes back what they said last."""

    id: str = Field(
        pattern=r"^[\w-]{8,64}$", description="Made by who asks; sent again, it is taken once.", examples=["answer-1"]
    )
    action: Action
    item: int = Field(default=0, ge=0, le=_MOST, description="The number of the item; not for `undo`.", examples=[1])
    text: str | None = Field(default=None, max_length=128, description="What is written, for `text`.", examples=["7"])
    seen: int = Field(
        default=0, ge=0, le=_MOST, description="`seen` of the item: what they knew of others' answers about it."
    )

    @model_validator(mode="after")
    def _complete(self) -> Act:
        if (self.action is Action.TEXT) != (self.text is not None):
            raise ValueError("text belongs to the action text, and to no other")
        return self


class ItemRecord(Record):
    """A number to look at."""

    number: int
    file: str
    page: int
    kind: str = Field(description="`digit`, or `line` for a number on a line.")
    guess: str = Field(description="The most probable digits with their separators; empty if there is no guess.")
    confidence: float = Field(ge=0, le=1)
    reason: str | None = Field(description="Why it was refused; null if it was accepted.")
    crop: str = Field(description="The picture as PNG, in base64.")
    frame: list[int] = Field(description="x, y, width and height of the number in the crop, in its pixels.")
    seen: int = Field(description="To be sent with an answer.")
    said: list[str | None] = Field(description="What others said of it and nobody has settled; null for no number.")


class UndoneRecord(Record):
    """What was taken back."""

    item: ItemRecord
    text: str | None = Field(description="The text that had been given.")


class ProgressRecord(Record):
    """How far a queue is."""

    items: int
    open: int
    disputed: int
    confirmed: int
    corrected: int
    unreadable: int
    agreement: float | None = Field(description="The share 0..1 of right guesses where there is something to read.")
    per_minute: float | None = Field(description="Answers a minute of one person lately, on average, pauses left out.")
    seconds: float | None = Field(description="The median time of one answer lately, whoever gave it.")


class ReviewAnswer(Record):
    """Numbers to look at, and how far the queue is."""

    items: list[ItemRecord]
    undone: UndoneRecord | None
    progress: ProgressRecord
