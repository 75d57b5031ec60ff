"""What reading returns, from small to large: boxes, digits, numbers, lines. The page that holds them is ``io.page``.

Frozen values; they compute nothing, draw nothing and open no file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the source image, turned upright; ``x``, ``y`` is its top left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Digit:
    """One character that was read.

    Attributes:
        text: the character.
        box: where it is.
        probabilities: ten floats 0..1 that add up to 1, the calibrated probability of each digit 0..9.
    """

    text: str
    box: Box
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Number:
    """A run of digits on one line, or the refusal to read it.

    Attributes:
        text: the digits, if they were accepted; None if the number was refused.
        best_guess: the most probable digits, accepted or not; empty if nothing is written.
        written: the most probable digits with the separators and wide gaps between them, ``"7.795"``, ``"12 34"``.
        confidence: calibrated probability 0..1 that ``best_guess`` is right.
        digit_probability: probability 0..1 that these are digits, and not letters, a drawing or nothing.
        box: where it is; None if nothing is written.
        reason: why it was refused; None if it was accepted.
        digits: its digits from left to right.
        line: number of its line on the page, counted from 0.
    """

    text: str | None
    best_guess: str
    written: str
    confidence: float
    digit_probability: float
    box: Box | None
    reason: str | None
    digits: tuple[Digit, ...]
    line: int = 0

    @property
    def refused(self) -> bool:
        """Whether it was refused; ``reason`` says why."""
        return self.text is None

    def to_dict(self) -> dict[str, Any]:
        """The number as plain JSON values."""
        return {
            "text": self.text,
            "best_guess": self.best_guess,
            "written": self.written,
            "confidence": self.confidence,
            "digit_probability": self.digit_probability,
            "box": None if self.box is None else asdict(self.box),
            "refused": self.refused,
            "reason": self.reason,
            "line": self.line,
            "digits": [asdict(digit) | {"probabilities": list(digit.probabilities)} for digit in self.digits],
        }


@dataclass(frozen=True)
class Line:
    """The numbers on one line of writing, from left to right."""

    numbers: tuple[Number, ...]

    @property
    def text(self) -> str:
        """The accepted numbers, separated by spaces."""
        return " ".join(number.text for number in self.numbers if number.text is not None)
