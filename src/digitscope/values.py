"""The frozen results that reading hands out, and the progress protocol. No computing, no drawing, no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

SCHEMA = 1
"""Version of the JSON record that :meth:`Page.to_dict` returns; it grows when a field changes its meaning."""


class Progress(Protocol):
    """How long work reports: called often, must be quick, prints nothing itself unless it is the command line's."""

    def __call__(self, stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        """Take one report.

        Args:
            stage: what is being done, e.g. ``"fit"``, ``"figures"``, ``"report"``.
            done: units finished (images while training, files while reading).
            total: units in all.
            facts: what is known now, e.g. ``{"epoch": 2, "loss": 0.05, "accuracy": 0.985}``.
        """


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the source image after its EXIF orientation; ``x``, ``y`` is the top left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Digit:
    """One character that was read.

    ``probabilities``: ten floats 0..1 that add up to 1, the calibrated probability of each digit 0..9.
    """

    text: str
    box: Box
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Number:
    """A run of digits on one line, or the refusal to read it.

    ``text`` is None when it was refused; ``best_guess`` is there either way (empty where nothing is written).
    ``confidence``: calibrated probability 0..1 that ``best_guess`` is right.
    """

    text: str | None
    best_guess: str
    confidence: float
    box: Box | None
    reason: str | None
    digits: tuple[Digit, ...]

    @property
    def refused(self) -> bool:
        """Whether there is no answer; ``reason`` says why."""
        return self.text is None

    def to_dict(self) -> dict[str, Any]:
        """The number as plain JSON values."""
        return {
            "text": self.text,
            "best_guess": self.best_guess,
            "confidence": self.confidence,
            "box": None if self.box is None else asdict(self.box),
            "refused": self.refused,
            "reason": self.reason,
            "digits": [asdict(digit) | {"probabilities": list(digit.probabilities)} for digit in self.digits],
        }


@dataclass(frozen=True)
class Page:
    """What was read on one page of one file: the record that ``digitscope read --format jsonl`` prints a line of.

    ``rotation``: degrees 0 | 90 | 180 | 270 by which the page was turned counter-clockwise to read it.
    ``error``: why the page could not be used at all, else None.
    """

    file: str
    page: int
    width: int
    height: int
    rotation: int
    numbers: tuple[Number, ...]
    milliseconds: float
    error: str | None = None

    @property
    def text(self) -> str:
        """What was accepted, in reading order, one line of writing a line."""
        return "\n".join(number.text for number in self.numbers if number.text is not None)

    def to_dict(self) -> dict[str, Any]:
        """The page as plain JSON values, schema :data:`SCHEMA`."""
        return {
            "schema": SCHEMA,
            "file": self.file,
            "page": self.page,
            "width": self.width,
            "height": self.height,
            "rotation": self.rotation,
            "text": self.text,
            "numbers": [number.to_dict() for number in self.numbers],
            "milliseconds": self.milliseconds,
            "error": self.error,
        }
