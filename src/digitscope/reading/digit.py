"""Reading one digit: a picture in; the digit, or the reason for refusing it, out.

``preprocessing.ink`` finds what is written, ``preprocessing.field`` makes it the classifier's input.
"""

from __future__ import annotations

import numpy as np

from digitscope.arraytypes import Floats
from digitscope.io.elements import Box, Digit, Number
from digitscope.io.pixels import Picture
from digitscope.models.model import Model
from digitscope.preprocessing import field, ink
from digitscope.reading.detectors import judge_of
from digitscope.reading.geometry import source_box
from digitscope.reading.out_of_distribution import digit_probability

UPRIGHT = (0.0, 0.5)
"""The two views of a digit, as shares of its slant that are removed; their probabilities are averaged."""

LEAST_SIDE = 8
"""Pixels of the longer side of the smallest digit that is answered."""

TOGETHER = 2 * ink.SPECK
"""What is small for its picture is one digit if it is no larger than this share of the picture's longer side."""

SURE = 0.75
"""Least confidence of an answer: the lowest at which a plain network was right in 99.7 % of its answers about MNIST
training digits on synthetic pages (16 kinds of paper, pen, light and noise); it answered 97.8 % of them."""

DIGIT = {"robust": 0.05, "reader-digit": 0.2}
"""Least digit probability of an answer, for each model that judges. ``robust``: 99 % of the single digits on synthetic
paper that were read correctly are above it. ``reader-digit``: 99.5 % of UNIPEN's validation digits are, and it lets
through 9 % of their letters and signs, where 0.05 lets through 21 %."""

LOW = 0.4
"""Least height of the smaller digits of a number, as a share of its tallest one."""

BLANK, TOO_SMALL, SEVERAL, NO_DIGIT, UNCERTAIN = "blank", "too small", "several digits", "no digit", "too uncertain"
"""The reasons for a refusal."""


def read_digit(picture: Picture, model: Model, sure: float = SURE) -> Number:
    """The one digit in a picture, or its refusal; boxes are in pixels of the source.

    Args:
        picture: its longer side at most ``preprocessing.ink.LONGEST`` pixels.
        model: a classifier of 28x28 digits.
        sure: confidence 0..1 below which the digit is refused.
    """
    found = ink.find_ink(picture.pixels)
    if found.box is None:
        return Number(None, "", "", 0.0, 0.0, None, _reason_of_nothing(found, picture), ())
    best, probabilities, is_digit = _looked_at(found, found.box, model)
    confidence = float(probabilities[best])
    place = found.box
    box = source_box((place.x, place.y, place.x + place.width, place.y + place.height), picture)
    reason = _reason(found, box, is_digit, model)
    if reason is None and (confidence < sure or not _the_line_is_no_matter(found, best, model)):
        reason = UNCERTAIN
    digit = Digit(str(best), box, tuple(float(p) for p in probabilities))
    text = None if reason else digit.text
    return Number(text, digit.text, digit.text, confidence, is_digit, box, reason, (digit,))


def _reason_of_nothing(found: ink.Ink, picture: Picture) -> str:
    """Why no digit was found: there is nothing, or something that is small for the picture, in one place or in many."""
    if max(picture.width, picture.height) < LEAST_SIDE:
        return TOO_SMALL
    if found.specks is None:
        return BLANK
    together = max(found.specks.width, found.specks.height) <= TOGETHER * max(found.ink.shape)
    return TOO_SMALL if together else SEVERAL


def _looked_at(found: ink.Ink, box: Box, model: Model) -> tuple[int, Floats, float]:
    """The most probable digit, float32 (10,) probabilities, and the probability 0..1 that it is one, over all views."""
    views = np.stack([field.field_of(found.ink, box, upright).pixels for upright in UPRIGHT])
    probabilities = model.predict(views).mean(axis=0)
    return int(probabilities.argmax()), probabilities, float(digit_probability(*judge_of(model), views).mean())


def _the_line_is_no_matter(found: ink.Ink, best: int, model: Model) -> bool:
    """Whether the digit is the same with the line that strokes hang on, if there is one, as without it."""
    other = found.with_line
    if other is None or other.box is None:
        return True
    digit, _, is_digit = _looked_at(other, other.box, model)
    return digit == best and _is_digit(is_digit, model)


def _are_level(specks: Box | None, box: Box) -> bool:
    """Whether small parts stand beside a digit as further digits do: in its rows, and not much smaller."""
    if specks is None:
        return False
    shared = min(specks.y + specks.height, box.y + box.height) - max(specks.y, box.y)
    return 2 * shared >= specks.height and specks.height >= LOW * box.height


def _is_digit(probability: float, model: Model) -> bool:
    """Whether a digit probability is high enough for an answer of a model."""
    return probability >= DIGIT[judge_of(model)[0].name]


def _reason(found: ink.Ink, box: Box, is_digit: float, model: Model) -> str | None:
    """Why this is not one digit; None if it is.

    Args:
        found: what is written.
        box: where, in pixels of the source.
        is_digit: probability 0..1 that it is a digit.
        model: what read it.
    """
    if max(box.width, box.height) < LEAST_SIDE:
        return TOO_SMALL
    if found.box is not None and (ink.is_several(found.ink, found.box) or _are_level(found.specks, found.box)):
        return SEVERAL
    return None if _is_digit(is_digit, model) else NO_DIGIT
