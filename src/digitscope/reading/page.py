"""Reading pages: pixels in; the numbers on every line, with their places and calibrated confidence, out.

This decides how a page is turned, whether a picture is a page or itself one line, and what is refused.
``reading.detection`` finds the lines, ``reading.recognition`` reads them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digitscope.arraytypes import Levels
from digitscope.errors import ConfigError
from digitscope.io.elements import Box, Digit, Number
from digitscope.io.pixels import Picture
from digitscope.reading.constraint import Constraint
from digitscope.reading.detection import Strip, find_lines
from digitscope.reading.engine import Engine
from digitscope.reading.geometry import source_box
from digitscope.reading.recognition import Character, LineReader, Reading, characters

LONGEST = 1600
"""Pixels of the longer side to which a page is reduced."""

SURE = 0.9
"""Least calibrated confidence of a number that is accepted. Two thirds of synthetic lines that no training saw were
above it, and 98 % of those were right, with either engine."""

WRITTEN = 0.5
"""Least digit probability of a line that counts as holding a number."""

CROP_HEIGHT, CROP_SHAPE = 260, 1.3
"""A picture of at most this height, and at least this many times as wide as high, may itself be one line."""

LOW = 64
"""A crop of at most this height in pixels is taken as it is: its writing is large enough for the network."""

SMALL = 0.55
"""If all lines found in a crop are lower than this share of its height, they are cut out; their digits would be too
small for the network otherwise."""

UPRIGHT = 0.7
"""If the mean confidence of an upright page's digits is above this, no other rotation is tried."""

TURN = 0.1
"""A turned page must beat the page as it is by this much mean confidence."""

BLANK_GAP, NUMBER_GAP = 0.7, 1.6
"""The least gaps between two digits, in digit heights, that count as a blank and as the start of another number."""

WIDER = 2.0
"""Such a gap must also be more than this many times as wide as the line's narrow gaps: if all digits are widely spaced,
there are no blanks."""

LEVEL = 0.5
"""Greatest distance between the middles of two strips on one line, in heights of the lower one."""

ROTATIONS = (0, 90, 270, 180)
"""The rotations, in degrees counter-clockwise, in the order in which they are tried."""

UNCERTAIN = "too uncertain"
"""The reason for refusing a number."""


class PageReader:
    """Reads pages and crops. Opening it is the slow part, so use it again and again."""

    def __init__(self, engine: str | Path | Sequence[Engine] = "own", sure: float = SURE) -> None:
        """Open a reader.

        Args:
            engine: as for ``reading.recognition.LineReader``, which also lists the errors.
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
            rotate: degrees 0 | 90 | 180 | 270 by which to turn it counter-clockwise first; None tries them.
            constraint: what is known about the form of every number.

        Returns:
            The degrees by which the page was turned, and its numbers from top to bottom, with boxes in pixels of the
            source.

        Raises:
            ConfigError: ``rotate`` is another angle.
        """
        check_rotation(rotate)
        degrees, readings = self._upright(picture.pixels, rotate, constraint)
        rows = _rows([reading.strip.box for reading in readings])
        ordered = sorted(zip(rows, readings, strict=True), key=lambda placed: (placed[0], placed[1].strip.box.x))
        found = [
            number
            for row, reading in ordered
            for number in self._numbers(reading, picture, degrees, row, split=constraint is None)
        ]
        return degrees, tuple(found)

    def reading(self, pixels: Levels, constraint: Constraint | None = None) -> Reading:
        """The reading of a picture of one line; if it has several strips, the one with the most digits, by confidence.

        Args:
            pixels: uint8 (h, w) or (h, w, 3).
            constraint: what is known about the form of the number.
        """
        readings = [self.lines.read(strip, constraint) for strip in _strips(pixels)]
        return max(readings, key=lambda reading: reading.score * reading.digit_probability * len(reading.best))

    def _upright(self, pixels: Levels, rotate: int | None, constraint: Constraint | None) -> tuple[int, list[Reading]]:
        """The degrees that turn a page upright, and its readings then."""
        if rotate is None and _is_crop(pixels):
            rotate = 0
        best: tuple[float, int, list[Reading]] = (-1.0, rotate or 0, [])
        for degrees in ROTATIONS if rotate is None else (rotate,):
            readings = self._readings(np.ascontiguousarray(np.rot90(pixels, degrees // 90)), constraint)
            digits = sum(len(reading.best) for reading in readings)
            if digits == 0:
                continue
            confidence = sum(len(reading.best) * self.lines.confidence(reading) for reading in readings) / digits
            worth = confidence - TURN * (degrees != 0)
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

    def _numbers(self, reading: Reading, picture: Picture, degrees: int, line: int, split: bool) -> list[Number]:
        """The numbers of one line; each has the confidence of the whole line."""
        confidence = self.lines.confidence(reading)
        reason = None if confidence >= self.sure else UNCERTAIN
        strip, found = reading.strip, []
        for written, run in _runs(characters(reading), split) or [(reading.best, [])]:
            placed = [one for one in run if one.text.isdigit()]
            digits = tuple(
                Digit(one.text, _box(strip, [one], picture, degrees), tuple(float(p) for p in one.probabilities))
                for one in placed
            )
            best = "".join(digit.text for digit in digits) or reading.best
            box, digit_probability = _box(strip, placed, picture, degrees), reading.digit_probability
            text = None if reason else best
            found.append(Number(text, best, written, confidence, digit_probability, box, reason, digits, line))
        return found


def check_rotation(rotate: int | None) -> None:
    """Make sure that an angle is a quarter turn, or None.

    Raises:
        ConfigError: it is something else.
    """
    if rotate not in (None, *ROTATIONS):
        raise ConfigError(f"rotate={rotate} is not a quarter turn; give 0, 90, 180 or 270, or None to try them")


def _is_crop(pixels: Levels) -> bool:
    """Whether a picture is so low and wide that it may itself be one line."""
    height, width = pixels.shape[:2]
    return bool(height <= CROP_HEIGHT and width >= CROP_SHAPE * height)


def _strips(pixels: Levels) -> list[Strip]:
    """A crop as one line, or the lines found in it if all of them are much lower than the crop."""
    if pixels.shape[0] <= LOW:
        return [Strip.of(pixels)]
    found = find_lines(pixels)
    largest = max((strip.pixels.shape[0] for strip in found), default=0)
    return found if 0 < largest < SMALL * pixels.shape[0] else [Strip.of(pixels)]


def _rows(boxes: Sequence[Box]) -> list[int]:
    """The line of writing of each strip; strips next to each other whose middles are level share one.

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


def _runs(placed: Sequence[Character], split: bool) -> list[tuple[str, list[Character]]]:
    """The numbers of a line, as written and as characters; ``split`` begins another number after a very wide gap."""
    runs: list[tuple[str, list[Character]]] = []
    for one, blank in zip(placed, _blanks(placed), strict=True):
        if not runs or (blank == "|" and split):
            runs.append((one.text, [one]))
        else:
            written, run = runs[-1]
            runs[-1] = written + " " * bool(blank) + one.text, [*run, one]
    return runs


def _blanks(placed: Sequence[Character]) -> list[str]:
    """What stands before each character: nothing, a blank, or ``|``, the end of a number."""
    heights = [one.bottom - one.top for one in placed if one.text.isdigit()]
    height = max(float(np.median(heights)), 1.0) if heights else 1.0
    gaps = np.array(
        [
            (b.left - a.right) / height if a.text.isdigit() and b.text.isdigit() else 0.0
            for a, b in itertools.pairwise(placed)
        ]
    )
    usual = float(np.quantile(gaps, 0.3)) if len(gaps) > 1 else 0.0
    kinds = ["|" if gap > NUMBER_GAP else " " if gap > BLANK_GAP else "" for gap in gaps]
    return [""] * bool(placed) + [kind if gap > WIDER * usual else "" for gap, kind in zip(gaps, kinds, strict=True)]


def _box(strip: Strip, placed: Sequence[Character], picture: Picture, degrees: int) -> Box:
    """The box around characters of a strip, or around the whole strip if there are none, in pixels of the source."""
    if not placed:
        box = strip.box
        return source_box((box.x, box.y, box.x + box.width, box.y + box.height), picture, degrees)
    left, right = min(one.left for one in placed), max(one.right for one in placed)
    top, bottom = min(one.top for one in placed), max(one.bottom for one in placed)
    x, y = strip.matrix @ np.array([[left, right, right, left], [top, top, bottom, bottom], [1, 1, 1, 1]], np.float64)
    return source_box((float(x.min()), float(y.min()), float(x.max()), float(y.max())), picture, degrees)
