"""Reading: a picture of one digit in, an answer or a refusal out. Finding digits on a page is not done here."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitscope import fields, ink
from digitscope.errors import ImageError
from digitscope.images import ImageSource, Picture, load_picture
from digitscope.models import Model, load
from digitscope.values import Box, Digit, Number, Page

UPRIGHT = (0.0, 0.5)
"""The views of a digit whose probabilities are averaged: as written, and with half of its slant taken out."""

LEAST_SIDE = 8
"""Pixels of the longer side of the smallest digit that is answered."""

SURE = 0.75
"""Confidence from which on an answer is given: the least at which a plain network was right in 99.7 % of its answers
about MNIST training digits on synthetic pages (16 kinds of paper, pen, light and noise); it answered 97.8 % of them."""

BLANK, TOO_SMALL, SEVERAL, UNCERTAIN = "blank", "too small", "several digits", "too uncertain"
"""The reasons for a refusal."""


class Reader:
    """Reads handwritten digits with one model; use it again and again, opening it is the slow part."""

    def __init__(self, model: str | Path | Model = "robust") -> None:
        """Open a reader.

        Args:
            model: a model, or what :func:`digitscope.models.load` takes.

        Raises:
            ConfigError: there is no such model.
            ModelError: the file is damaged, or not a classifier of 28x28 digits.
        """
        self.model = model if isinstance(model, Model) else load(model)

    def digit(self, image: ImageSource) -> Number:
        """Read the one digit in a picture.

        Args:
            image: the path or the bytes of an image file, a PIL image, or an array (h, w), (h, w, 3) or (h, w, 4) of
                bool, uint8, uint16, or floats 0..1; pen and paper may have any colour.

        Returns:
            The digit, its box in pixels of the picture as it is seen upright; or a refusal, ``text`` None, whose
            ``reason`` is "blank", "too small", "several digits" or "too uncertain".

        Raises:
            ImageError: it cannot be used as a picture at all.

        >>> from digitscope.datasets import load_mnist
        >>> Reader().digit(load_mnist()[1][0][0]).text
        '7'
        """
        return self._number(load_picture(image, ink.LONGEST))

    def digit_page(self, path: str | os.PathLike[str]) -> Page:
        """The record of a file that holds one digit: never an exception for a bad file, its ``error`` says why."""
        start = time.perf_counter()
        page = Page(str(path), 1, 0, 0, 0, (), 0.0)
        try:
            picture = load_picture(path, ink.LONGEST)
            page = replace(page, width=picture.width, height=picture.height, numbers=(self._number(picture),))
        except ImageError as error:
            page = replace(page, error=str(error))
        return replace(page, milliseconds=round((time.perf_counter() - start) * 1000, 3))

    def _number(self, picture: Picture) -> Number:
        found = ink.find_ink(picture.pixels)
        if found.box is None:
            small = max(picture.width, picture.height) < LEAST_SIDE
            return Number(None, "", 0.0, None, TOO_SMALL if small else BLANK, ())
        probabilities = self._probabilities(found.ink, found.box)
        best = int(probabilities.argmax())
        confidence = float(probabilities[best])
        box = _in_source(found.box, picture)
        reason = _reason(found, box, confidence)
        digit = Digit(str(best), box, tuple(float(p) for p in probabilities))
        return Number(None if reason else digit.text, digit.text, confidence, box, reason, (digit,))

    def _probabilities(self, writing: npt.NDArray[np.float32], box: Box) -> npt.NDArray[np.float32]:
        """Probabilities float32 (10,) of the digit in a box, averaged over its views."""
        views = np.stack([fields.field_of(writing, box, upright).pixels for upright in UPRIGHT])
        return np.asarray(self.model.predict(views).mean(axis=0))


def _reason(found: ink.Ink, box: Box, confidence: float) -> str | None:
    """Why the digit is not answered; None if it is. ``box`` is in pixels of the source."""
    if max(box.width, box.height) < LEAST_SIDE:
        return TOO_SMALL
    if found.box is not None and ink.is_several(found.ink, found.box):
        return SEVERAL
    return UNCERTAIN if confidence < SURE else None


def _in_source(box: Box, picture: Picture) -> Box:
    """A box of the reduced pixels in pixels of the source, grown outwards to whole pixels."""
    height, width = picture.pixels.shape[:2]
    left, right = box.x * picture.width // width, -(-(box.x + box.width) * picture.width // width)
    top, bottom = box.y * picture.height // height, -(-(box.y + box.height) * picture.height // height)
    return Box(left, top, right - left, bottom - top)
