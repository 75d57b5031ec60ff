"""Where the report's figures lead: addresses of the page, which is ``lens.html`` beside the report, if it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
        stages: the steps of the training whose weights the page holds, rising; 0 is the untrained network.
    """

    there: bool
    held: frozenset[int]
    shown: str
    lens: Lens
    stages: tuple[int, ...] = ()

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

    def stage(self, step: int) -> str:
        """That digit and the network as it was after a step of its training, one of ``stages``."""
        return links.address(self.shown, stage=str(step))

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
    values = model_in(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else None
    held, stages = frozenset(_numbers(values, _samples)), tuple(_numbers(values, _stages))
    return PageLinks(path.is_file(), held, _drawing(record.index, record.image, held), record.lens, stages)


def _drawing(index: int, image: Levels, held: frozenset[int]) -> str:
    """A test image by its number where the page holds it, else by its pixels."""
    return links.sample(index) if index in held else links.pixels(image)


def _samples(values: Any) -> list[int]:
    """The test images in a page's model."""
    return [int(sample["index"]) for sample in values["samples"]]


def _stages(values: Any) -> list[int]:
    """The stages of the training in a page's model."""
    return [int(step) for step in values["course"]["stages"]]


def _numbers(values: Any, pick: Callable[[Any], list[int]]) -> list[int]:
    """What is picked from a page's model; nothing from one that is missing, older, or cannot be understood."""
    try:
        return pick(values)
    except (ValueError, KeyError, TypeError):
        return []
