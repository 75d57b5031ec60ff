"""The frozen results that reading hands out, and the progress protocol. No computing, no drawing, no files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope.errors import ConfigError

SCHEMA = 1
"""Version of the JSON record that ``Page.to_dict`` returns; it grows when a field changes its meaning."""


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

    Attributes:
        text: the digits that were accepted; None when it was refused.
        best_guess: the most probable digits either way; empty where nothing is written.
        written: the most probable digits with the separators and wide gaps between them, ``"7.795"``, ``"12 34"``.
        confidence: calibrated probability 0..1 that ``best_guess`` is right.
        digit_probability: probability 0..1 that there are digits at all, and not letters, a drawing or nothing.
        box: its place; None where nothing is written.
        reason: why it was refused, else None.
        digits: one after the other from left to right.
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
        """Whether there is no answer; ``reason`` says why."""
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
    """The numbers that stand beside each other, from left to right."""

    numbers: tuple[Number, ...]

    @property
    def text(self) -> str:
        """What was accepted, numbers parted by a blank."""
        return " ".join(number.text for number in self.numbers if number.text is not None)


@dataclass(frozen=True)
class Page:
    """What was read on one page of one file: the record that ``digitscope read --format jsonl`` prints a line of.

    ``rotation``: degrees 0 | 90 | 180 | 270 by which the page was turned counter-clockwise to read it.
    ``error``: why the page could not be used at all, else None.
    ``pixels``: uint8 (h, w) or (h, w, 3), the page, perhaps reduced; for ``show``, not in the record.
    """

    file: str
    page: int
    width: int
    height: int
    rotation: int
    numbers: tuple[Number, ...]
    milliseconds: float
    error: str | None = None
    pixels: npt.NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of writing, from top to bottom."""
        order = sorted({number.line for number in self.numbers})
        return tuple(Line(tuple(number for number in self.numbers if number.line == line)) for line in order)

    @property
    def text(self) -> str:
        """What was accepted, in reading order, one line of writing a line."""
        return "\n".join(line.text for line in self.lines if line.text)

    @property
    def confidence(self) -> float:
        """The least confidence of its numbers; 0 where there is none."""
        return min((number.confidence for number in self.numbers), default=0.0)

    def show(self) -> None:
        """Open the page with boxes around what was read in the system's picture viewer.

        Raises:
            ConfigError: the page was not read by ``Reader.read``, which keeps its pixels.
        """
        from digitscope.io.annotate import annotated

        if self.pixels is None:
            raise ConfigError("this page has no pixels to show; read it with Reader.read")
        annotated(self, self.pixels).show()

    def _repr_html_(self) -> str | None:
        """What a notebook shows: the page with boxes, and a table of its numbers."""
        from digitscope.io.annotate import page_html

        return None if self.pixels is None else page_html(self, self.pixels)

    def to_dict(self) -> dict[str, Any]:
        """The page as plain JSON values, schema ``SCHEMA``."""
        return {
            "schema": SCHEMA,
            "file": self.file,
            "page": self.page,
            "width": self.width,
            "height": self.height,
            "rotation": self.rotation,
            "text": self.text,
            "confidence": self.confidence,
            "numbers": [number.to_dict() for number in self.numbers],
            "milliseconds": self.milliseconds,
            "error": self.error,
        }
