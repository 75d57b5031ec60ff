"""A page that was read: its numbers, its record as JSON, and the picture of it with boxes around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from digitscope.arraytypes import Levels
from digitscope.errors import ConfigError
from digitscope.io.elements import Line, Number

if TYPE_CHECKING:
    from PIL.Image import Image  # for types only

SCHEMA = 1
"""Version of the JSON record that ``Page.to_dict`` returns; it grows when the meaning of a field changes."""


@dataclass(frozen=True)
class Page:
    """What was read on one page of one file; ``digitscope read --format jsonl`` prints one line for each.

    Attributes:
        file: name of the file; empty if the picture did not come from one.
        page: number of the page in the file, from 1.
        width: pixels of the page from left to right, after EXIF orientation.
        height: pixels of the page from top to bottom, likewise.
        rotation: degrees 0 | 90 | 180 | 270 by which the page was turned counter-clockwise to read it.
        numbers: what was found, in reading order.
        milliseconds: how long reading took.
        error: why the page could not be read; None if it could.
        engine: what read its lines: ``"own"``, ``"ocr"``, the path of a network, or ``"several"``; None for a single
            digit and for a page that could not be read.
        pixels: uint8 (h, w) or (h, w, 3), the page, perhaps reduced; for ``show``, not part of the record.
    """

    file: str
    page: int
    width: int
    height: int
    rotation: int
    numbers: tuple[Number, ...]
    milliseconds: float
    error: str | None = None
    engine: str | None = None
    pixels: Levels | None = field(default=None, repr=False, compare=False)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of writing, from top to bottom."""
        order = sorted({number.line for number in self.numbers})
        return tuple(Line(tuple(number for number in self.numbers if number.line == line)) for line in order)

    @property
    def text(self) -> str:
        """The accepted numbers in reading order, one text line for each line of writing."""
        return "\n".join(line.text for line in self.lines if line.text)

    @property
    def confidence(self) -> float:
        """The lowest confidence of its numbers; 0 if there are none."""
        return min((number.confidence for number in self.numbers), default=0.0)

    def annotated(self, pixels: Levels | None = None) -> Image:
        """The page as a picture, each number with its box, its text and its confidence; see ``io.annotate``.

        Args:
            pixels: uint8 (h, w) or (h, w, 3), the page as it stands in the file, perhaps reduced; None takes
                ``self.pixels``.

        Raises:
            ConfigError: ``pixels`` is None and the page has none; it has if a ``Reader`` could read it.
            ImageError: ``pixels`` is not a picture.
        """
        from digitscope.io.annotate import annotated  # start-up: Pillow's drawing takes 5 ms

        pixels = self.pixels if pixels is None else pixels
        if pixels is None:
            raise ConfigError("this page has no pixels to show; read it with Reader.read or Reader.read_file")
        return annotated(pixels, self.numbers, (self.width, self.height), self.error)

    def show(self) -> None:
        """Open the page, with boxes around what was read, in the system's picture viewer.

        Raises:
            ConfigError: the page has no pixels; it has if a ``Reader`` could read it.
        """
        self.annotated().show()

    def _repr_html_(self) -> str | None:
        """What a notebook shows: the page with boxes, and a table of its numbers."""
        from digitscope.io.notebook import html_of  # start-up: Pillow's drawing takes 5 ms

        return None if self.pixels is None else html_of(self.annotated(), self.numbers, self.text or self.error)

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
            "engine": self.engine,
        }
