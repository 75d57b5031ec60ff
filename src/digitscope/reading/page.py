"""Reading pages: pixels in; the numbers on every line, with their places and calibrated confidence, out.

This decides how a page is turned, whether a picture is a page or itself one line, and what is refused.
``reading.detection`` finds the lines, ``reading.recognition`` reads them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from digitscope.arraytypes import Levels
from digitscope.errors import ConfigError
from digitscope.io.elements import Box, Digit, Number
from digitscope.io.pixels import Picture
from digitscope.preprocessing.line import OTHER
from digitscope.reading.columns import without_columns
from digitscope.reading.constraint import Constraint
from digitscope.reading.ctc import best_path
from digitscope.reading.detection import Strip, find_lines, levelled
from digitscope.reading.engine import Engine
from digitscope.reading.geometry import source_box
from digitscope.reading.layout import Character, characters
from digitscope.reading.numbers import Run, parted
from digitscope.reading.recognition import LineReader, Reading

LONGEST = 1600
"""Pixels of the longer side to which a page is reduced."""

SURE = 0.96
"""Least calibrated confidence of a number that is accepted: the least, in hundredths, at which 98 % of the answers of
either engine are right on lines by writers that no training saw (``benchmarks/calibrate_lines.py``)."""

WRITTEN = 0.5
"""Least digit probability of a line that counts as holding a number."""

CROP_HEIGHT, CROP_SHAPE = 260, 1.3
"""A picture of at most this height, and at least this many times as wide as high, may itself be one line."""

LOW = 64
"""A crop of at most this height in pixels is taken as it is: its writing is large enough for the network."""

SMALL = 0.55
"""If all lines found in a crop are lower than this share of its height, they are cut out; their digits would be too
small for the network otherwise."""

ALIKE = 0.7
"""Of several lines in a crop, those count that are at least this many times as high as the one that says most."""

TILT, STEEP = 0.1, 0.25
"""Least slopes of a line that is read again, made level, if it is not read surely, and if it is. Of 70 numbers by
UNIPEN's validation writers, turned by 5 degrees (a slope of 0.09), this changes nothing; turned by 8, 12, 18 and 25
degrees, 68, 65, 60 and 53 are right instead of 68, 65, 55 and 44, and 68, 65, 59 and 54 are read surely instead of 66,
61, 51 and 38, of which 1, 1, 3 and 4 are wrong instead of 1, 1, 1 and 2. That was measured when no two
readings had to agree."""

UPRIGHT = 0.7
"""If the mean confidence of an upright page's digits is above this, no other rotation is tried."""

WORD, LETTER = 3, 2
"""A line without a number in which at least this many other marks are read is a word. A page of such lines alone is
only turned if the lines that it then has are of this many digits on average: letters on their side stand alone."""

TURN = 1.1
"""A turned page must have this many times as many digits that are expected to be right as the page as it is."""

NEXT = 0.7
"""Greatest gap between two lines of which one may be the rest of the other, in heights of the lower one."""

LEVEL = 0.5
"""Greatest distance between the middles of two strips on one line, in heights of the lower one."""

ROTATIONS = (0, 90, 270, 180)
"""The rotations, in degrees counter-clockwise, in the order in which they are tried."""

SAME = {0: "", 90: "01", 270: "01", 180: "018"}
"""Digits that say nothing about a page that is turned by so many degrees: a 0 stays one, and a 1 may be a dash."""

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
        strips = [reading.strip for reading in readings]
        rows = _rows([strip.box for strip in strips])
        placed = without_columns(strips, [characters(reading) for reading in readings])
        unsure = [reading.strip.box for reading in readings if self.lines.confidence(reading) < self.sure]
        found: list[Number] = []
        for row, reading, line in sorted(
            zip(rows, readings, placed, strict=True), key=lambda one: (one[0], one[1].strip.box.x)
        ):
            parts = parted(line, constraint, _torn(reading.strip, unsure)) if line else [Run((), reading.best)]
            found += [self._number(run, reading, picture, degrees, row) for run in parts]
        return degrees, tuple(found)

    def reading(self, pixels: Levels, constraint: Constraint | None = None) -> Reading:
        """The reading of a picture of one line; if it has several strips, the one with the most digits, by confidence.

        Args:
            pixels: uint8 (h, w) or (h, w, 3).
            constraint: what is known about the form of the number.
        """
        readings = [self._level(strip, constraint) for strip in _strips(pixels)]
        return max(readings, key=_worth)

    def _level(self, strip: Strip, constraint: Constraint | None) -> Reading:
        """The reading of a strip, as it is and made level; what is read surely is levelled only if steep.

        Of these readings the surest counts on which two agree. The surest alone would be too sure: it was chosen for
        that. If no two agree, it is no surer than the least sure one.
        """
        reading = self.lines.read(strip, constraint)
        sure = self.lines.unconstrained_confidence(reading) >= self.sure
        if not reading.best or (sure and strip.pixels.shape[0] <= LOW):
            return reading
        others = [self.lines.read(other, constraint) for other in levelled(strip, STEEP if sure else TILT)]
        written = [one for one in (reading, *others) if _is_written(one)]
        texts = [one.best for one in written]
        agreed = [one for one in written if texts.count(one.best) > 1]
        best = max(
            agreed or written, key=lambda one: self.lines.confidence(one) * one.digit_probability, default=reading
        )
        if agreed or len(written) < 2:
            return best
        share = min(one.score for one in written) / best.score
        lowered = {text: its * (share if text else 1) for text, its in best.texts.items()}
        return replace(best, texts=lowered, unconstrained=best.free)

    def _upright(self, pixels: Levels, rotate: int | None, constraint: Constraint | None) -> tuple[int, list[Reading]]:
        """The degrees that turn a page upright, as seen without the constraint, and its readings then."""
        if rotate is None and _is_crop(pixels):
            rotate = 0
        best: tuple[float, int, list[Reading]] = (-1.0, rotate or 0, [])
        words = False
        for degrees in ROTATIONS if rotate is None else (rotate,):
            found = self._readings(np.ascontiguousarray(np.rot90(pixels, degrees // 90)), constraint)
            free = [reading.free for reading in found if _is_written(reading.free)]
            words |= degrees == 0 and not free and any(map(_is_word, found))
            if words and sum(len(reading.best) for reading in free) < LETTER * len(free):
                continue
            votes = [_votes(reading.best, degrees) for reading in free]
            if not any(votes):
                continue
            digits = float(np.dot([self.lines.confidence(reading) for reading in free], votes))
            worth = digits / (TURN if degrees else 1.0)
            if worth > best[0]:
                lines = [_of_line(reading, constraint) for reading in found]
                best = worth, degrees, [reading for reading in lines if _is_written(reading)]
            if degrees == 0 and digits > UPRIGHT * sum(votes):
                break
        return best[1], best[2]

    def _readings(self, pixels: Levels, constraint: Constraint | None) -> list[Reading]:
        """The lines of an upright page, from top to bottom."""
        if _is_crop(pixels):
            found = [self._level(strip, constraint) for strip in _strips(pixels)]
            least = ALIKE * max(found, key=_worth).strip.pixels.shape[0]
            return [reading for reading in found if reading.strip.pixels.shape[0] >= least]
        return [self._level(strip, constraint) for strip in find_lines(pixels)]

    def _number(self, run: Run, reading: Reading, picture: Picture, degrees: int, line: int) -> Number:
        """A number of a line, with the confidence of the whole line."""
        confidence, strip = self.lines.confidence(reading), reading.strip
        placed = [one for one in run.characters if one.text.isdigit()]
        digits = tuple(
            Digit(one.text, _box(strip, [one], picture, degrees), tuple(float(p) for p in one.probabilities))
            for one in placed
        )
        best = "".join(digit.text for digit in digits) or reading.best
        reason = UNCERTAIN if confidence < self.sure else run.reason
        text, box = None if reason else best, _box(strip, placed, picture, degrees)
        return Number(text, best, run.written, confidence, reading.digit_probability, box, reason, digits, line)


def check_rotation(rotate: int | None) -> None:
    """Make sure that an angle is a quarter turn, or None.

    Raises:
        ConfigError: it is something else.
    """
    if rotate not in (None, *ROTATIONS):
        raise ConfigError(f"rotate={rotate} is not a quarter turn; give 0, 90, 180 or 270, or None to try them")


def _is_written(reading: Reading) -> bool:
    """Whether a line holds a number, read surely or not."""
    return bool(reading.best) and reading.digit_probability >= WRITTEN


def _of_line(reading: Reading, constraint: Constraint | None) -> Reading:
    """The reading of a line; without the constraint if that is a mere maximum, and the line has several numbers."""
    one = constraint is None or constraint.digits is not None or len(parted(characters(reading.free))) < 2
    return reading if one else reading.free


def _is_word(reading: Reading) -> bool:
    """Whether there are several other marks in a line, which holds no number."""
    return best_path(reading.view.probabilities).count(OTHER) >= WORD


def _worth(reading: Reading) -> float:
    """How much a reading of a strip tells: its digits, by confidence."""
    return reading.score * reading.digit_probability * len(reading.best)


def _votes(digits: str, degrees: int) -> int:
    """How many digits of a line decide how a page is turned: those that do not look the same the other way round.

    >>> _votes("1101", 0), _votes("1121", 90), _votes("108", 90), _votes("108", 180)
    (4, 1, 1, 0)
    """
    return sum(digit not in SAME[degrees] for digit in digits)


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


def _torn(strip: Strip, unsure: Sequence[Box]) -> tuple[bool, bool]:
    """Whether the left and the right end of a line may lack something, be it only a line that is not read surely."""
    here, (left, right) = strip.box, strip.torn
    for box in unsure:
        near = NEXT * min(here.height, box.height)
        if min(here.y + here.height, box.y + box.height) > max(here.y, box.y):
            left |= abs(here.x - box.x - box.width) < near
            right |= abs(box.x - here.x - here.width) < near
    return left, right


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


def _box(strip: Strip, placed: Sequence[Character], picture: Picture, degrees: int) -> Box:
    """The box around characters of a strip, or around the whole strip if there are none, in pixels of the source."""
    if not placed:
        box = strip.box
        return source_box((box.x, box.y, box.x + box.width, box.y + box.height), picture, degrees)
    left, right = min(one.left for one in placed), max(one.right for one in placed)
    top, bottom = min(one.top for one in placed), max(one.bottom for one in placed)
    x, y = strip.matrix @ np.array([[left, right, right, left], [top, top, bottom, bottom], [1, 1, 1, 1]], np.float64)
    return source_box((float(x.min()), float(y.min()), float(x.max()), float(y.max())), picture, degrees)
