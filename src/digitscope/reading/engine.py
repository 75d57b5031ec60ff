"""What an engine is: a network that turns a line of writing into columns of character probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from digitscope.arraytypes import Floats
from digitscope.reading.detection import Strip


@dataclass(frozen=True, eq=False)
class View:
    """A network's answer to one rendering of a strip; an engine may show it as it is, enlarged, cleaned or blurred.

    The answer is a row of columns from left to right, as in any CTC model. Column ``i`` covers the strip's pixels from
    ``start + i * step`` to ``start + (i + 1) * step``.

    Attributes:
        probabilities: float32 (columns, CLASSES), of each character in each column, blank first; rows add up to 1.
        start: left edge of column 0, in pixels of the strip.
        step: width of a column, in pixels of the strip.
        log_empty: log of the probability that the strip has no digit; None if the columns themselves give it.
    """

    probabilities: Floats
    start: float
    step: float
    log_empty: float | None = None


class Engine(Protocol):
    """A network that reads strips."""

    def look(self, strip: Strip) -> list[View]:
        """The network's answers to one or more renderings of a strip."""
