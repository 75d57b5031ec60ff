"""Where the labels of a page's numbers go: clear of the numbers and of each other. It draws nothing.

A label sits at its number like a tab; if the page has no room for it there, it goes to a margin beside the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from PIL import ImageFont

from digitscope.arraytypes import Integers, Levels

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Size = tuple[int, int]

LEAST_TYPE = 13
"""Pixels of the smallest type."""

SMALLER = (1.0, 0.8, 0.64)
"""Sizes of type to try, as shares of the largest, until all labels fit on the page."""

AHEAD = 0.04
"""By how much emptier, in mean contrast 0..1, a place must be to be preferred to the candidate before it."""


class Sides(NamedTuple):
    """A rectangle in pixels of the drawing; ``right`` and ``bottom`` are the first pixels outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Mark:
    """A number on the drawing: the box of its ink, the boxes of its digits, and what its label says."""

    sides: Sides
    digits: tuple[Sides, ...]
    text: str
    confidence: str
    refused: bool


@dataclass(frozen=True)
class LabelStyle:
    """The fonts of all labels of a drawing, and the measures that follow from their size."""

    size: int
    text_font: Font
    confidence_font: Font

    @classmethod
    def of(cls, size: float) -> LabelStyle:
        """The style with type about ``size`` pixels high."""
        whole = max(LEAST_TYPE, round(size))
        return cls(whole, ImageFont.load_default(whole), ImageFont.load_default(0.8 * whole))

    @property
    def line(self) -> int:
        """Width of the line around a number."""
        return max(1, round(self.size / 11))

    @property
    def pad(self) -> int:
        """Space between a label's edge and its text."""
        return max(3, round(self.size / 3))

    @property
    def margin(self) -> int:
        """Space between the page and the labels in its margin."""
        return 4 * self.pad

    def label(self, mark: Mark) -> Size:
        """Width and height of a label."""
        words = self.text_font.getlength(mark.text) + self.confidence_font.getlength(mark.confidence)
        return int(np.ceil(words)) + 3 * self.pad, round(1.4 * self.size)

    def frame(self, mark: Mark, size: Size) -> Sides:
        """Where the line around a number is drawn: a little outside its ink, inside the picture."""
        out = 2 * self.line
        left, top, right, bottom = mark.sides
        return Sides(max(0, left - out), max(0, top - out), min(size[0], right + out), min(size[1], bottom + out))


@dataclass(frozen=True)
class Spot:
    """Where everything of one number goes.

    Attributes:
        mark: the number.
        frame: where the line around it is drawn.
        label: where its label goes.
        lead: the corners of a line from the frame to a label in the margin; none if the label is at the frame.
    """

    mark: Mark
    frame: Sides
    label: Sides
    lead: tuple[Size, ...]


@dataclass(frozen=True)
class Layout:
    """Where all numbers and labels go, in which type, and the size of page and margin together."""

    spots: tuple[Spot, ...]
    style: LabelStyle
    size: Size


def laid_out(marks: Sequence[Mark], shown: Levels, size: float) -> Layout:
    """Where every label goes, in the largest type with which all fit on the page, else in the smallest.

    Args:
        marks: the numbers.
        shown: uint8 (h, w, 3), the page.
        size: pixels of the largest type to try.
    """
    whole = shown.shape[1], shown.shape[0]
    grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)
    edges = np.asarray(cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.uint8)
    for share in SMALLER:
        style = LabelStyle.of(share * size)
        frames = [style.frame(mark, whole) for mark in marks]
        sizes = [style.label(mark) for mark in marks]
        places = _on_page(sizes, frames, edges)
        if None not in places:
            break
    waiting = {number: sizes[number] for number, place in enumerate(places) if place is None}
    beside = _in_margin(waiting, frames, whole[0] + style.margin, style.pad)
    spots = tuple(
        Spot(mark, frame, place or beside[number], () if place else _lead(frame, beside[number], frames, whole[0]))
        for number, (mark, frame, place) in enumerate(zip(marks, frames, places, strict=True))
    )
    right = max([whole[0], *(label.right + style.pad for label in beside.values())])
    bottom = max([whole[1], *(label.bottom + style.pad for label in beside.values())])
    return Layout(spots, style, (right, bottom))


def _on_page(labels: Sequence[Size], frames: Sequence[Sides], edges: Levels) -> list[Sides | None]:
    """A place on the page for each label, clear of the other frames and labels; None if there is no room.

    A label takes the emptiest of its clear places, or the earlier one if they are much alike.
    """
    places: list[Sides | None] = []
    for number, (label, frame) in enumerate(zip(labels, frames, strict=True)):
        taken = np.array([*frames[:number], *frames[number + 1 :], *filter(None, places)]).reshape(-1, 4)
        clear = [
            (AHEAD * order + float(edges[place.top : place.bottom, place.left : place.right].mean()) / 255, place)
            for order, place in enumerate(_candidates(frame, label, edges.shape[::-1]))
            if _is_clear(place, taken, label[1] // 6)
        ]
        places.append(min(clear)[1] if clear else None)
    return places


def _is_clear(place: Sides, taken: Integers, gap: int) -> bool:
    """Whether a place is at least ``gap`` pixels away from every rectangle int (n, 4) left, top, right, bottom."""
    left, top, right, bottom = place
    apart = (taken[:, :2] >= (right + gap, bottom + gap)) | (taken[:, 2:] <= (left - gap, top - gap))
    return bool(apart.any(axis=1).all())


def _candidates(frame: Sides, label: Size, size: tuple[int, ...]) -> Iterator[Sides]:
    """The places at a frame that lie on the picture: above, below, to the right, to the left."""
    width, height = label
    beside = round((frame.top + frame.bottom - height) / 2)
    flush, far = min(frame.left, size[0] - width), frame.right - width
    corners = [(flush, frame.top - height), (flush, frame.bottom), (far, frame.top - height), (far, frame.bottom)]
    for left, top in [*corners, (frame.right, beside), (frame.left - width, beside)]:
        if left >= 0 and top >= 0 and left + width <= size[0] and top + height <= size[1]:
            yield Sides(left, top, left + width, top + height)


def _in_margin(waiting: Mapping[int, Size], frames: Sequence[Sides], left: int, pad: int) -> dict[int, Sides]:
    """Places for labels in a column from ``left`` on, each as close to the height of its frame as possible."""
    places: dict[int, Sides] = {}
    free = pad
    for number in sorted(waiting, key=lambda number: frames[number].top + frames[number].bottom):
        width, height = waiting[number]
        top = max(free, (frames[number].top + frames[number].bottom - height) // 2)
        places[number] = Sides(left, top, left + width, top + height)
        free = top + height + pad
    return places


def _lead(frame: Sides, label: Sides, frames: Sequence[Sides], edge: int) -> tuple[Size, ...]:
    """The line from a frame, or from its foot if another frame is in the way, to the page's edge and its label."""
    middle = (frame.top + frame.bottom) // 2
    blocked = any(other.left > frame.left and other.top <= middle < other.bottom for other in frames)
    leave = frame.bottom - 1 if blocked else middle
    return (frame.right, leave), (edge, leave), (label.left, (label.top + label.bottom) // 2)
