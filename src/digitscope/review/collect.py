"""Fills a review queue while files are read: each number that is refused or unsure goes in, with its crop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitscope.arraytypes import Levels
from digitscope.io.elements import Box, Number
from digitscope.io.page import Page
from digitscope.reading.geometry import turned_box
from digitscope.reading.options import ReadFile
from digitscope.review.items import DIGIT, LINE, Item
from digitscope.review.store import ReviewStore

MARGIN = 0.5
"""Paper around a number in its crop, as a share of its height, or of its width if that is more and it is one digit."""


@dataclass(frozen=True)
class Collecting:
    """Opens a function that reads files as another does, and puts what is doubtful into a review queue.

    It can be sent to other processes; all of them add to one file. A page goes into the queue before it is handed on,
    so that a batch that is killed and resumed leaves nothing out; what is read again is added once.

    Attributes:
        open_reader: makes the other function.
        queue: the file of the queue, which must be there.
        below: confidence 0..1; a number that was accepted with less goes in too.
    """

    open_reader: Callable[[], ReadFile]
    queue: str | Path
    below: float = 0.0

    def __call__(self) -> ReadFile:
        """The function.

        Raises:
            DigitscopeError: as the other; or the queue cannot be opened.
        """
        read, store = self.open_reader(), ReviewStore(self.queue)

        def collecting(source: str | bytes, name: str) -> Iterator[Page]:
            for page in read(source, name):
                if found := doubtful(page, self.below):
                    store.add(found)
                yield page

        return collecting


def doubtful(page: Page, below: float = 0.0) -> list[Item]:
    """The numbers of a page that were refused, or accepted with a confidence 0..1 of less than ``below``.

    Args:
        page: with its pixels.
        below: see above.
    """
    pixels = page.pixels
    if pixels is None:
        return []
    chosen = [number for number in page.numbers if number.refused or number.confidence < below]
    return [_item(page, number, pixels) for number in chosen]


def _item(page: Page, number: Number, pixels: Levels) -> Item:
    """A number of a page as an item."""
    height, width = pixels.shape[:2]
    kind = DIGIT if page.engine is None else LINE
    box = Box(0, 0, width, height) if number.box is None else _scaled(number.box, page, width, height)
    upright = np.rot90(pixels, page.rotation // 90)
    place = turned_box(box, page.rotation, width, height)
    margin = math.ceil(MARGIN * (max(place.width, place.height) if kind == DIGIT else place.height))
    left, top = max(0, place.x - margin), max(0, place.y - margin)
    crop = upright[top : place.y + place.height + margin, left : place.x + place.width + margin]
    frame = Box(place.x - left, place.y - top, place.width, place.height)
    guess = "".join(number.written.split()) or number.best_guess
    return Item(page.file, page.page, number.box, kind, guess, number.confidence, number.reason, _png(crop), frame)


def _scaled(box: Box, page: Page, width: int, height: int) -> Box:
    """A box of the source, in pixels of the page as it was read: rounded outwards and never empty."""
    across, down = width / page.width, height / page.height
    x, y = min(int(box.x * across), width - 1), min(int(box.y * down), height - 1)
    right, bottom = math.ceil((box.x + box.width) * across), math.ceil((box.y + box.height) * down)
    return Box(x, y, max(1, min(right, width) - x), max(1, min(bottom, height) - y))


def _png(pixels: Levels) -> bytes:
    """Pixels uint8 (h, w) or (h, w, 3) RGB as PNG."""
    ordered = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    return cv2.imencode(".png", np.ascontiguousarray(ordered))[1].tobytes()
