"""Reading pages: pixels in, the numbers on every line with places and calibrated confidence out.

It decides how the page stands, whether a picture is a page or itself one line, and what is refused. Finding lines is
``reading.detection``, reading one is ``reading.recognition``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from digitscope.arraytypes import Levels
from digitscope.errors import ConfigError
from digitscope.io.elements import Box, Digit, Number
from digitscope.io.image import Picture
from digitscope.reading.ctc import Constraint
from digitscope.reading.detection import Strip, find_lines, whole
from digitscope.reading.engine import Engine
from digitscope.reading.recognition import Character, LineReader, Reading, characters

LONGEST = 1600
"""Pixels of the longer side that a page is reduced to."""

SURE = 0.9
"""Calibrated confidence from which on a number is given: of made-up lines that no training saw two thirds were above
it, and 98 % of those were right, with either engine."""

WRITTEN = 0.5
"""Digit probability below which a line holds no number."""

CROP_HEIGHT, CROP_SHAPE = 260, 1.3
"""A picture no higher than this, and wider than high by this, may itself be one line."""

LOW = 64
"""Pixels of height up to which a crop is taken as it is: what is written in it is large enough for the network."""

SMALL = 0.55
"""Share of such a picture's height: where all lines found in it are lower, they are cut out; their digits would be too
small for the network otherwise."""

UPRIGHT = 0.7
"""Mean confidence of an upright page's digits from which on other rotations are not tried."""

TURN = 0.1
"""By how much the mean confidence must be better on a turned page than on the page as it is."""

BLANK_GAP, NUMBER_GAP = 0.7, 1.6
"""Empty space between two digits that is a blank, and one that begins another number, in digit heights."""

WIDER = 2.0
"""How many times as wide as the line's narrow gaps they are at least: who writes far apart writes no blanks."""

LEVEL = 0.5
"""Height, of the lower of two strips, by which their middles differ at most where they stand on one line."""

ROTATIONS = (0, 90, 270, 180)
BLANK, UNCERTAIN = "blank", "too uncertain"
"""The reasons for a refusal."""


class PageReader:
    """Reads pages and crops; use it again and again, opening it is the slow part."""

    def __init__(self, engine: str | Path | Engine | Sequence[Engine] = "own", sure: float = SURE) -> None:
        """Open a reader.

        Args:
            engine: as for ``reading.recognition.LineReader``, which tells the errors.
            sure: calibrated confidence below which a number is refused.
        """
        self.lines = LineReader(engine)
        self.sure = sure

    def numbers(
        self, picture: Picture, rotate: int | None = None, constraint: Constraint | None = None
    ) -> tuple[int, tuple[Number, ...]]:
        """All numbers on a page.

        Args:
            picture: the page, its longer side at most ``LONGEST`` pixels.
            rotate: degrees 0 | 90 | 180 | 270 by which to turn it counter-clockwise first; None finds out.
            constraint: what is known about every number's form.

        Returns:
            By how many degrees it was turned, and the numbers from top to bottom, boxes in pixels of the source.

        Raises:
            ConfigError: another rotation.
        """
        if rotate not in (None, *ROTATIONS):
            raise ConfigError(f"rotate={rotate} is no quarter turn; give 0, 90, 180, 270, or None to find out")
        degrees, readings = self._upright(picture.pixels, rotate, constraint)
        scale = picture.width / picture.pixels.shape[1]
        size = (picture.width, picture.height)
        rows = _rows([reading.strip.box for reading in readings])
        ordered = sorted(zip(rows, readings, strict=True), key=lambda placed: (placed[0], placed[1].strip.box.x))
        found = [
            _on_page(number, degrees, size)
            for row, reading in ordered
            for number in self._numbers(reading, scale, row, constraint is None)
        ]
        return degrees, tuple(found)

    def reading(self, pixels: Levels, constraint: Constraint | None = None) -> Reading:
        """The reading of a picture that is one line: of several strips in it the one with most to say.

        Args:
            pixels: uint8 (h, w) or (h, w, 3).
            constraint: what is known about the number's form.
        """
        readings = [self.lines.read(strip, constraint) for strip in _strips(pixels)]
        return max(readings, key=lambda reading: reading.score * reading.digit_probability * len(reading.best))

    def _upright(self, pixels: Levels, rotate: int | None, constraint: Constraint | None) -> tuple[int, list[Reading]]:
        """By how much the page was turned, and its readings as it stands upright then."""
        if rotate is None and _is_crop(pixels):
            rotate = 0
        best: tuple[float, int, list[Reading]] = (-1.0, rotate or 0, [])
        for degrees in ROTATIONS if rotate is None else (rotate,):
            readings = self._readings(np.ascontiguousarray(np.rot90(pixels, degrees // 90)), constraint)
            digits = sum(len(reading.best) for reading in readings)
            if digits == 0:
                continue
            sure = sum(len(reading.best) * self.lines.confidence(reading) for reading in readings) / digits
            worth = sure - TURN * (degrees != 0)
            if worth > best[0]:
                best = worth, degrees, readings
            if degrees == 0 and worth > UPRIGHT:
                break
        return best[1], best[2]

    def _readings(self, pixels: Levels, constraint: Constraint | None) -> list[Reading]:
        """The lines of an upright page that hold digits, from top to bottom."""
        if _is_crop(pixels):
            found = [self.reading(pixels, constraint)]
        else:
            found = [self.lines.read(strip, constraint) for strip in find_lines(pixels)]
        return [reading for reading in found if reading.best and reading.digit_probability >= WRITTEN]

    def _numbers(self, reading: Reading, scale: float, line: int, parted: bool) -> list[Number]:
        """The numbers of a line; all are as sure as the whole line is."""
        confidence = self.lines.confidence(reading)
        reason = None if confidence >= self.sure else UNCERTAIN
        placed = characters(reading)
        if placed:
            found = [_placed_number(reading.strip, *run, scale) for run in _runs(placed, parted)]
        else:
            found = [(reading.best, reading.best, _box_of(reading.strip, scale), ())]
        return [
            Number(
                None if reason else best,
                best,
                written,
                confidence,
                reading.digit_probability,
                box,
                reason,
                digits,
                line,
            )
            for best, written, box, digits in found
        ]


def _placed_number(
    strip: Strip, written: str, run: Sequence[Character], scale: float
) -> tuple[str, str, Box, tuple[Digit, ...]]:
    """The digits of a run as text, how it is written, its box and its digits, in pixels of the source."""
    placed = [one for one in run if one.text.isdigit()]
    digits = tuple(
        Digit(one.text, _box(strip, [one], scale), tuple(float(p) for p in one.probabilities)) for one in placed
    )
    return "".join(one.text for one in placed), written, _box(strip, placed, scale), digits


def _is_crop(pixels: Levels) -> bool:
    """Whether a picture is so low and wide that it may itself be one line."""
    height, width = pixels.shape[:2]
    return bool(height <= CROP_HEIGHT and width >= CROP_SHAPE * height)


def _strips(pixels: Levels) -> list[Strip]:
    """A crop as one line; where all that is found in it is much smaller, the lines found."""
    if pixels.shape[0] <= LOW:
        return [whole(pixels)]
    found = find_lines(pixels)
    largest = max((strip.pixels.shape[0] for strip in found), default=0)
    return found if 0 < largest < SMALL * pixels.shape[0] else [whole(pixels)]


def _rows(boxes: Sequence[Box]) -> list[int]:
    """The line of writing on which each strip stands: strips are side by side where their middles are level.

    >>> _rows([Box(0, 0, 50, 20), Box(90, 4, 50, 20), Box(0, 30, 50, 20)])
    [0, 0, 1]
    """
    order = sorted(range(len(boxes)), key=lambda number: boxes[number].y + boxes[number].height / 2)
    line = [0] * len(boxes)
    for before, number in itertools.pairwise(order):
        a, b = boxes[before], boxes[number]
        apart = (b.y + b.height / 2) - (a.y + a.height / 2)
        beside = a.x + a.width <= b.x or b.x + b.width <= a.x
        line[number] = line[before] + (0 if beside and apart < LEVEL * min(a.height, b.height) else 1)
    return line


def _blanks(placed: Sequence[Character]) -> list[str]:
    """What is before each character but the first: nothing, a blank, or the end of a number."""
    height = float(np.median([one.bottom - one.top for one in placed if one.text.isdigit()]))
    gaps = np.array(
        [
            (b.left - a.right) / max(height, 1.0) if a.text.isdigit() and b.text.isdigit() else 0.0
            for a, b in itertools.pairwise(placed)
        ]
    )
    usual = float(np.quantile(gaps, 0.3)) if len(gaps) > 1 else 0.0
    wide = gaps > WIDER * usual
    return [
        "|" if w and gap > NUMBER_GAP else " " if w and gap > BLANK_GAP else ""
        for gap, w in zip(gaps, wide, strict=True)
    ]


def _runs(placed: list[Character], parted: bool) -> list[tuple[str, list[Character]]]:
    """A line's characters with the text they are written as; parted, if wished, where a gap is as between numbers."""
    runs = [(placed[0].text, [placed[0]])]
    for one, blank in zip(placed[1:], _blanks(placed), strict=True):
        written, run = runs[-1]
        if blank == "|" and parted:
            runs.append((one.text, [one]))
        else:
            runs[-1] = written + " " * bool(blank) + one.text, [*run, one]
    return runs


def _box(strip: Strip, placed: Sequence[Character], scale: float) -> Box:
    """The box around characters of a strip, in pixels of the source."""
    left, right = min(one.left for one in placed), max(one.right for one in placed)
    top, bottom = min(one.top for one in placed), max(one.bottom for one in placed)
    corners = np.array([[left, right, right, left], [top, top, bottom, bottom], [1, 1, 1, 1]], np.float64)
    x, y = (strip.matrix @ corners) * scale
    low = math.floor(x.min()), math.floor(y.min())
    return Box(*low, max(1, round(float(x.max())) - low[0]), max(1, round(float(y.max())) - low[1]))


def _box_of(strip: Strip, scale: float) -> Box:
    """A strip's own box, in pixels of the source."""
    return Box(*(round(side * scale) for side in (strip.box.x, strip.box.y, strip.box.width, strip.box.height)))


def _on_page(number: Number, degrees: int, size: tuple[int, int]) -> Number:
    """A number found on a page that was turned counter-clockwise, its boxes on the page as it is."""
    if number.box is None:
        return number
    digits = tuple(replace(digit, box=_within(_back(digit.box, degrees, size), size)) for digit in number.digits)
    return replace(number, digits=digits, box=_within(_back(number.box, degrees, size), size))


def _within(box: Box, size: tuple[int, int]) -> Box:
    """What of a box is on the page, never empty; a line is cut out with a margin, which may go beyond the page."""
    width, height = size
    left, top = min(max(0, box.x), width - 1), min(max(0, box.y), height - 1)
    right, bottom = min(box.x + box.width, width), min(box.y + box.height, height)
    return Box(left, top, max(1, right - left), max(1, bottom - top))


def _back(box: Box, degrees: int, size: tuple[int, int]) -> Box:
    """A box of a page turned counter-clockwise by some degrees, on the page of ``size`` (width, height)."""
    width, height = size
    if degrees == 0:
        return box
    if degrees == 90:
        return Box(width - box.y - box.height, box.x, box.height, box.width)
    if degrees == 180:
        return Box(width - box.x - box.width, height - box.y - box.height, box.width, box.height)
    return Box(box.y, height - box.x - box.width, box.height, box.width)
