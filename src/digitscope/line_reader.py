"""Reading lines and pages of numbers: pictures in, numbers with digits, places and a calibrated confidence out.

Every line is looked at in several views, perhaps by several engines; each proposes texts, and every text is weighed by
all of them. Finding lines is :mod:`digitscope.lines`, spelling is :mod:`digitscope.decode`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from digitscope.decode import Constraint, beam_search, digits_only, log_probabilities, places, without_gaps
from digitscope.errors import ConfigError, ImageError
from digitscope.images import ImageSource, load_picture
from digitscope.line_model import Engine, LineModel, View
from digitscope.lines import HEIGHT, Strip, find_lines, line_field, whole
from digitscope.values import Box, Digit, Number, Page

Levels = npt.NDArray[np.uint8]

LONGEST = 1600
"""Pixels of the longer side that a page is reduced to."""

ENGINES = ("own", "ocr")

PROPOSALS = 4
"""Texts that a view proposes."""

SURE = 0.9
"""Calibrated confidence from which on a number is given: of made-up lines that no training saw half were above it, and
97.4 % of those were right."""

WRITTEN = 0.5
"""Digit probability below which a line holds no number."""

CALIBRATIONS = {"own": (1.65, 0.0), "ocr": (1.0, 0.0)}
"""For each engine slope and start of the log-odds of being right over those of the score, fitted on made-up lines that
no training saw (``benchmarks/calibrate_lines.py``)."""

CROP_HEIGHT, CROP_SHAPE = 260, 1.3
"""A picture no higher than this, and wider than high by this, may itself be one line."""

SMALL = 0.55
"""Share of such a picture's height: where all lines found in it are lower, they are cut out; their digits would be too
small for the network otherwise."""

UPRIGHT = 0.6
"""Mean score of an upright page's digits from which on other rotations are not tried."""

TURN = 0.1
"""By how much the mean score must be better on a turned page than on the page as it is."""

ROTATIONS = (0, 90, 270, 180)
BLANK, UNCERTAIN = "blank", "too uncertain"
"""The reasons for a refusal."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a strip says.

    Attributes:
        strip: the line.
        texts: digits-only texts and their shares 0..1 of what was proposed, best first; the empty text means nothing.
        view: the view in which the best text's places are looked up.
    """

    strip: Strip
    texts: dict[str, float]
    view: View

    @property
    def best(self) -> str:
        """The most probable text, digits only."""
        return next(iter(self.texts), "")

    @property
    def score(self) -> float:
        """Share of the best text, before calibration."""
        return self.texts.get(self.best, 0.0)

    @property
    def digit_probability(self) -> float:
        """Probability that the strip holds any digit at all."""
        return 1 - self.texts.get("", 0.0)


class LineReader:
    """Reads numbers off lines and pages; use it again and again, opening it is the slow part."""

    def __init__(self, engine: str | Path | Engine | Sequence[Engine] = "own", sure: float = SURE) -> None:
        """Open a reader.

        Args:
            engine: ``"own"``; ``"ocr"`` for RapidOCR's network; an ``.onnx`` file of an own one; or several engines,
                whose verdicts are added.
            sure: calibrated confidence below which a number is refused.

        Raises:
            ConfigError: there is no such engine.
            MissingExtra: ``"ocr"``, and rapidocr is not installed.
            ModelError: a model file is damaged, or no line reader.
        """
        self.engines = _opened(engine)
        self.engine = "ocr" if engine == "ocr" else "own"
        self.sure = sure

    def line(self, image: ImageSource, constraint: Constraint | None = None) -> Number:
        """Read a picture that is itself one line.

        Args:
            image: what :func:`digitscope.images.load_picture` takes.
            constraint: what is known about the number's form.

        Raises:
            ImageError: it cannot be used as a picture at all.
        """
        picture = load_picture(image, LONGEST)
        reading = self._crop(picture.pixels, constraint)
        return self._number(reading, picture.width / picture.pixels.shape[1])

    def reading(self, image: ImageSource, constraint: Constraint | None = None) -> Reading:
        """All that is known about a picture that is itself one line; same arguments and errors as :meth:`line`."""
        return self._crop(load_picture(image, LONGEST).pixels, constraint)

    def page(
        self, image: ImageSource, rotate: int | None = None, constraint: Constraint | None = None, name: str = ""
    ) -> Page:
        """Read all numbers on a page.

        Args:
            image: what :func:`digitscope.images.load_picture` takes.
            rotate: degrees 0 | 90 | 180 | 270 by which to turn it counter-clockwise first; None finds out.
            constraint: what is known about every number's form.
            name: what to call the page in its record.

        Raises:
            ImageError: it cannot be used as a picture at all.
            ConfigError: another rotation.
        """
        if rotate not in (None, *ROTATIONS):
            raise ConfigError(f"rotate={rotate} is no quarter turn; give 0, 90, 180, 270, or None to find out")
        start = time.perf_counter()
        picture = load_picture(image, LONGEST)
        degrees, readings = self._upright(picture.pixels, rotate, constraint)
        scale = picture.width / picture.pixels.shape[1]
        size = (picture.width, picture.height)
        numbers = tuple(_turned(self._number(reading, scale), degrees, size) for reading in readings)
        spent = round((time.perf_counter() - start) * 1000, 3)
        return Page(name, 1, *size, degrees, numbers, spent)

    def page_of_file(self, path: str | Path, rotate: int | None = None, constraint: Constraint | None = None) -> Page:
        """The record of a file: never an exception for a bad one, its ``error`` says why."""
        try:
            return self.page(path, rotate, constraint, str(path))
        except ImageError as error:
            return Page(str(path), 1, 0, 0, 0, (), 0.0, str(error))

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
            worth = sum(len(reading.best) * reading.score for reading in readings) / digits - TURN * (degrees != 0)
            if worth > best[0]:
                best = worth, degrees, readings
            if degrees == 0 and worth > UPRIGHT:
                break
        return best[1], best[2]

    def _readings(self, pixels: Levels, constraint: Constraint | None) -> list[Reading]:
        """The lines of an upright page that hold digits, from top to bottom."""
        if _is_crop(pixels):
            found = [self._crop(pixels, constraint)]
        else:
            found = [self._read(strip, constraint) for strip in find_lines(pixels)]
        return [reading for reading in found if reading.best and reading.digit_probability >= WRITTEN]

    def _crop(self, pixels: Levels, constraint: Constraint | None) -> Reading:
        """The reading of a picture that is one line: of several strips in it the one with most to say."""
        readings = [self._read(strip, constraint) for strip in _strips(pixels)]
        return max(readings, key=lambda reading: reading.score * reading.digit_probability * len(reading.best))

    def _read(self, strip: Strip, constraint: Constraint | None) -> Reading:
        """What a line says: the texts that its views propose, each weighed by all views of all engines."""
        looks = [engine.look(strip.pixels) for engine in self.engines]
        columns = [[without_gaps(digits_only(view.probabilities)) for view in views] for views in looks]
        proposed = {
            text: None
            for views in columns
            for view in views
            for text, _ in beam_search(view, constraint=constraint)[:PROPOSALS]
        }
        texts = list(proposed)
        if not texts:
            return Reading(strip, {}, looks[0][0])
        logs = sum(np.mean([log_probabilities(view, texts) for view in views], axis=0) for views in columns)
        shares = np.exp(logs - np.max(logs))
        shares /= shares.sum()
        order = np.argsort(-shares)
        ranked = {texts[number]: float(shares[number]) for number in order}
        own = [log_probabilities(view, [texts[order[0]]])[0] for view in columns[-1]]
        return Reading(strip, ranked, looks[-1][int(np.argmax(own))])

    def _number(self, reading: Reading, scale: float) -> Number:
        """The reading as a result in pixels of the source."""
        if not reading.best:
            return Number(None, "", 0.0, None, BLANK, ())
        confidence = calibrated(reading.score, self.engine)
        sides = (reading.strip.box.x, reading.strip.box.y, reading.strip.box.width, reading.strip.box.height)
        box = Box(*(round(side * scale) for side in sides))
        reason = BLANK if reading.digit_probability < WRITTEN else UNCERTAIN if confidence < self.sure else None
        return Number(
            None if reason else reading.best, reading.best, confidence, box, reason, tuple(_digits(reading, scale))
        )


def _is_crop(pixels: Levels) -> bool:
    """Whether a picture is so low and wide that it may itself be one line."""
    height, width = pixels.shape[:2]
    return bool(height <= CROP_HEIGHT and width >= CROP_SHAPE * height)


def _strips(pixels: Levels) -> list[Strip]:
    """A crop as one line; where all that is found in it is much smaller, the lines found."""
    found = find_lines(pixels)
    largest = max((strip.pixels.shape[0] for strip in found), default=0)
    return found if 0 < largest < SMALL * pixels.shape[0] else [whole(pixels)]


def calibrated(score: float, engine: str = "own") -> float:
    """The probability that a text of this score is right.

    >>> calibrated(0.0) < 0.1 < 0.9 < calibrated(1.0)
    True
    """
    slope, start = CALIBRATIONS[engine]
    share = float(np.clip(score, 1e-6, 1 - 1e-6))
    return float(1 / (1 + np.exp(-(slope * np.log(share / (1 - share)) + start))))


def _opened(engine: str | Path | Engine | Sequence[Engine]) -> tuple[Engine, ...]:
    """The engines that a reader was given; the last one says where the digits are."""
    if isinstance(engine, str) and engine == "own":
        return (LineModel(),)
    if isinstance(engine, str) and engine == "ocr":
        from digitscope.ocr import OcrModel

        return (OcrModel(),)
    if isinstance(engine, Sequence) and not isinstance(engine, str):
        return tuple(engine)
    if not isinstance(engine, str | Path):
        return (engine,)
    if Path(engine).suffix != ".onnx":
        raise ConfigError(f"no engine {str(engine)!r}; give {' or '.join(ENGINES)}, or an .onnx file")
    return (LineModel(engine),)


def _digits(reading: Reading, scale: float) -> list[Digit]:
    """The digits of the best text, with their boxes in pixels of the source."""
    view, strip = reading.view, reading.strip
    columns = digits_only(view.probabilities)
    if 2 * len(reading.best) > len(columns):
        return []
    found = places(columns, reading.best)
    middles = [view.start + view.step * ((place.first + place.last + 1) / 2) for place in found]
    field = line_field(strip.pixels)
    height = strip.pixels.shape[0]
    across = strip.pixels.shape[1] / field.shape[1]
    digits = []
    for number, (place, middle) in enumerate(zip(found, middles, strict=True)):
        left = (middles[number - 1] + middle) / 2 if number else middle - height / 2
        right = (middles[number + 1] + middle) / 2 if number + 1 < len(found) else middle + height / 2
        x0, y0, x1, y1 = _ink_box(field, round(left / across), round(right / across))
        corners = np.array([[x0, x1, x1, x0], [y0, y0, y1, y1], [1, 1, 1, 1]], np.float64)
        corners[:2] *= [[across], [height / HEIGHT]]
        x, y = (strip.matrix @ corners) * scale
        low = max(0, int(x.min())), max(0, int(y.min()))
        box = Box(*low, max(1, round(float(x.max())) - low[0]), max(1, round(float(y.max())) - low[1]))
        digits.append(Digit(place.text, box, tuple(float(p) for p in place.probabilities)))
    return digits


def _ink_box(field: npt.NDArray[np.float32], left: int, right: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the ink between two columns of a field; all of it where there is none."""
    left = int(np.clip(left, 0, field.shape[1] - 1))
    right = int(np.clip(right, left + 1, field.shape[1]))
    x, y, width, height = cv2.boundingRect((field[:, left:right] > 0.4).astype(np.uint8))
    return (left + x, y, left + x + width, y + height) if width else (left, 0, right, field.shape[0])


def _turned(number: Number, degrees: int, size: tuple[int, int]) -> Number:
    """A number found on a page that was turned counter-clockwise, its boxes back on the page as it is."""
    if degrees == 0 or number.box is None:
        return number
    digits = tuple(replace(digit, box=_back(digit.box, degrees, size)) for digit in number.digits)
    return replace(number, digits=digits, box=_back(number.box, degrees, size))


def _back(box: Box, degrees: int, size: tuple[int, int]) -> Box:
    """A box of a page turned counter-clockwise by some degrees, on the page of ``size`` (width, height)."""
    width, height = size
    if degrees == 90:
        return Box(width - box.y - box.height, box.x, box.height, box.width)
    if degrees == 180:
        return Box(width - box.x - box.width, height - box.y - box.height, box.width, box.height)
    return Box(box.y, height - box.x - box.width, box.height, box.width)
