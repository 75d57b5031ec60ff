"""Reading: a picture in, answers and refusals out: of the one digit in it, or of all the numbers on a page.

How a digit is cut out is ``preprocessing.ink``'s business; how lines are found and read, that of
``reading.page``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from digitscope.errors import ConfigError
from digitscope.io.document import Scan
from digitscope.io.elements import Box, Digit, Number, Page
from digitscope.io.image import ImageSource, Picture, load_picture
from digitscope.models.model import Model, load
from digitscope.preprocessing import field, ink
from digitscope.reading.ctc import Constraint
from digitscope.reading.engine import Engine
from digitscope.reading.out_of_distribution import known, shipped_known
from digitscope.reading.page import LONGEST, PageReader
from digitscope.reading.page import SURE as SURE_OF_NUMBER

UPRIGHT = (0.0, 0.5)
"""The views of a digit whose probabilities are averaged: as written, and with half of its slant taken out."""

LEAST_SIDE = 8
"""Pixels of the longer side of the smallest digit that is answered."""

SURE = 0.75
"""Confidence from which on an answer is given: the least at which a plain network was right in 99.7 % of its answers
about MNIST training digits on synthetic pages (16 kinds of paper, pen, light and noise); it answered 97.8 % of them."""

DIGIT = 0.05
"""Digit probability below which a picture holds no digit: 99 % of the single digits on made-up paper that were read
right are above it."""

BLANK, TOO_SMALL, SEVERAL, NO_DIGIT, UNCERTAIN = "blank", "too small", "several digits", "no digit", "too uncertain"
"""The reasons for a refusal."""


class Reader:
    """Reads handwritten digits and numbers; use it again and again, opening it is the slow part."""

    def __init__(
        self,
        model: str | Path | Model = "robust",
        engine: str | Path | Engine | Sequence[Engine] = "own",
        min_confidence: float | None = None,
    ) -> None:
        """Open a reader.

        Args:
            model: for single digits: a model, or what ``digitscope.load`` takes.
            engine: for lines: ``"own"``; ``"ocr"`` for RapidOCR's network; an ``.onnx`` file of an own one.
            min_confidence: 0..1, below which an answer is refused; None takes what was chosen for each kind.

        Raises:
            ConfigError: there is no such model or engine, or a confidence outside 0..1.
            MissingExtra: the engine is ``"ocr"``, and rapidocr is not installed.
            ModelError: a file is damaged, or not a classifier of 28x28 digits or a line reader.
        """
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise ConfigError(f"min_confidence={min_confidence} is out of range; expected 0 to 1")
        self.min_confidence = min_confidence
        self._model, self._engine = model, engine
        if model != "robust":
            self.model  # noqa: B018 (what was asked for is opened at once, so that an error comes here)
        if engine != "own":
            self.pages  # noqa: B018

    @cached_property
    def model(self) -> Model:
        """What reads single digits; opened when it is first needed."""
        return self._model if isinstance(self._model, Model) else load(self._model)

    @cached_property
    def pages(self) -> PageReader:
        """What reads lines; opened when it is first needed."""
        return PageReader(self._engine, SURE_OF_NUMBER if self.min_confidence is None else self.min_confidence)

    def read(
        self,
        image: ImageSource,
        *,
        rotate: int | None = None,
        length: int | None = None,
        pattern: str | None = None,
        max_value: int | None = None,
    ) -> Page:
        """Read all the numbers in a picture: a page of them, or one line cut out.

        Args:
            image: as for ``digit``; of a file with several pages the first (``io.document.scans``
                gives all of them).
            rotate: degrees 0 | 90 | 180 | 270 by which to turn it counter-clockwise first; None finds out.
            length: how many digits every number has, where that is known.
            pattern: ``#`` for a digit, anything else for itself, e.g. ``"#####-####"``.
            max_value: the largest number that may be meant.

        Returns:
            The page with its lines, numbers and digits; ``text`` is what was accepted, and a number that was refused
            has its reason. ``show()`` opens it with boxes drawn.

        Raises:
            ImageError: it cannot be used as a picture at all.
            ConfigError: options that are out of range or contradict each other.
        """
        constraint = Constraint.of(length, pattern, max_value)
        name = str(image) if isinstance(image, str | os.PathLike) else ""
        picture = load_picture(image, LONGEST)
        page = self.scan(Scan(name, 1, picture, None), rotate=rotate, constraint=constraint)
        return replace(page, pixels=picture.pixels)

    def scan(
        self, scan: Scan, *, single: bool = False, rotate: int | None = None, constraint: Constraint | None = None
    ) -> Page:
        """The record of a page of a file: never an exception for a bad one, its ``error`` says why.

        Args:
            scan: the page, see ``io.document.scans``, its longer side at most ``LONGEST`` pixels, or
                ``preprocessing.ink.LONGEST`` if ``single``.
            single: whether it holds one digit.
            rotate: as for ``read``.
            constraint: what is known about every number's form.
        """
        start = time.perf_counter()
        if scan.picture is None:
            return Page(scan.file, scan.page, 0, 0, 0, (), 0.0, scan.error)
        degrees, numbers = (
            (0, (self._number(scan.picture),)) if single else self.pages.numbers(scan.picture, rotate, constraint)
        )
        size = scan.picture.width, scan.picture.height
        spent = round((time.perf_counter() - start) * 1000, 3)
        return Page(scan.file, scan.page, *size, degrees, numbers, spent)

    def digit(self, image: ImageSource) -> Number:
        """Read the one digit in a picture.

        Args:
            image: the path or the bytes of an image file, a PIL image, or an array (h, w), (h, w, 3) or (h, w, 4) of
                bool, uint8, uint16, or floats 0..1; pen and paper may have any colour.

        Returns:
            The digit, its box in pixels of the picture as it is seen upright; or a refusal, ``text`` None, whose
            ``reason`` is "blank", "too small", "several digits", "no digit" or "too uncertain".

        Raises:
            ImageError: it cannot be used as a picture at all.

        >>> from digitscope.datasets.load import load_mnist
        >>> Reader().digit(load_mnist()[1][0][0]).text
        '7'
        """
        return self._number(load_picture(image, ink.LONGEST))

    def _number(self, picture: Picture) -> Number:
        found = ink.find_ink(picture.pixels)
        if found.box is None:
            small = max(picture.width, picture.height) < LEAST_SIDE
            return Number(None, "", "", 0.0, 0.0, None, TOO_SMALL if small else BLANK, ())
        views = np.stack([field.field_of(found.ink, found.box, upright).pixels for upright in UPRIGHT])
        probabilities = self.model.predict(views).mean(axis=0)
        known_model, fitted = shipped_known()
        digit_probability = float(known(known_model, fitted, views).mean())
        best = int(probabilities.argmax())
        confidence = float(probabilities[best])
        box = _in_source(found.box, picture)
        reason = _reason(found, box, digit_probability)
        if reason is None and confidence < (SURE if self.min_confidence is None else self.min_confidence):
            reason = UNCERTAIN
        digit = Digit(str(best), box, tuple(float(p) for p in probabilities))
        text = None if reason else digit.text
        return Number(text, digit.text, digit.text, confidence, digit_probability, box, reason, (digit,))


def _reason(found: ink.Ink, box: Box, digit_probability: float) -> str | None:
    """Why this is not one digit; None if it is. ``box`` is in pixels of the source."""
    if max(box.width, box.height) < LEAST_SIDE:
        return TOO_SMALL
    if found.box is not None and ink.is_several(found.ink, found.box):
        return SEVERAL
    return NO_DIGIT if digit_probability < DIGIT else None


def _in_source(box: Box, picture: Picture) -> Box:
    """A box of the reduced pixels in pixels of the source, grown outwards to whole pixels."""
    height, width = picture.pixels.shape[:2]
    left, right = box.x * picture.width // width, -(-(box.x + box.width) * picture.width // width)
    top, bottom = box.y * picture.height // height, -(-(box.y + box.height) * picture.height // height)
    return Box(left, top, right - left, bottom - top)
