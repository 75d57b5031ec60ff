"""Where the report's figures lead: addresses of the page, which is ``lens.html`` beside the report, if it is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitscope.arraytypes import Levels
from digitscope.models.layers import Cell
from digitscope.models.lens import Lens
from digitscope.web import links
from digitscope.web.lens.single_file import model_in
from digitscope.web.report.record import Record


@dataclass(frozen=True, eq=False)
class PageLinks:
    """Addresses of the page, each empty where there is no page.

    Attributes:
        there: whether the page lies beside the report.
        held: indices of the test images that it holds.
        shown: the digit that the report follows, as addresses name it.
        lens: that digit on its way through the network.
    """

    there: bool
    held: frozenset[int]
    shown: str
    lens: Lens

    def whole(self) -> str:
        """The whole network at the digit that the report follows."""
        return self._address(self.shown)

    def cell(self, layer: str, cell: Cell) -> str:
        """The arithmetic of a cell of that digit."""
        return self._address(self.shown, layer, cell, "number")

    def map(self, layer: str, number: int) -> str:
        """A map of that digit, at its strongest cell."""
        if not self.there:
            return ""
        values = self.lens.layer(layer).values[:, :, number]
        row, column = np.unravel_index(int(np.abs(values).argmax()), values.shape)
        return self._address(self.shown, layer, (int(row), int(column), number))

    def layer(self, name: str) -> str:
        """A layer of that digit, at its strongest cell."""
        if not self.there:
            return ""
        values = self.lens.layer(name).values
        place = np.unravel_index(int(np.abs(values).argmax()), values.shape)
        return self._address(self.shown, name, tuple(int(part) for part in place))

    def pixel(self) -> str:
        """That digit as the table of its numbers."""
        first = self.lens.layers[0]
        return self._address(self.shown, first.name, (first.shape[0] // 2, first.shape[1] // 2, 0))

    def test(self, index: int, image: Levels) -> str:
        """A test image, uint8 (28, 28)."""
        return self._address(_drawing(index, image, self.held))

    def picture(self, image: Levels) -> str:
        """Any picture, uint8 (28, 28)."""
        return self._address(links.pixels(image))

    def _address(self, drawing: str, layer: str = "", cell: Cell = (), depth: links.Depth = "map") -> str:
        return links.address(drawing, layer, cell, depth) if self.there else ""


def page_links(record: Record) -> PageLinks:
    """The addresses of the page beside a run's report."""
    path = record.folder / links.PAGE
    held = _samples_of(path) if path.is_file() else frozenset[int]()
    return PageLinks(path.is_file(), held, _drawing(record.index, record.image, held), record.lens)


def _drawing(index: int, image: Levels, held: frozenset[int]) -> str:
    """A test image by its number where the page holds it, else by its pixels."""
    return links.sample(index) if index in held else links.pixels(image)


def _samples_of(path: Path) -> frozenset[int]:
    """The test images in a page; none in one that cannot be understood, which then gets their pixels."""
    values = model_in(path.read_text(encoding="utf-8", errors="replace"))
    try:
        return frozenset(int(sample["index"]) for sample in values["samples"]) if values else frozenset()
    except (ValueError, KeyError, TypeError):
        return frozenset()
