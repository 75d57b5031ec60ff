"""What an engine is: something that looks at a line of writing and answers with columns of probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from digitscope.arraytypes import Floats, Levels


@dataclass(frozen=True, eq=False)
class View:
    """What a network answered to one way of looking at a strip.

    Attributes:
        probabilities: float32 (columns, CLASSES), blank first, rows that add up to 1.
        start: where column 0 begins, in pixels of the strip.
        step: pixels of the strip that a column stands for.
        nothing: log of the probability that there is no digit; None where that is what the columns say.
    """

    probabilities: Floats
    start: float
    step: float
    nothing: float | None = None


class Engine(Protocol):
    """A network that reads strips."""

    def look(self, pixels: Levels) -> list[View]:
        """All views of a strip uint8 (h, w) or (h, w, 3)."""
