"""The layout of a line: where the characters of a reading stand, and what else is written among them.

Every piece of ink belongs to the characters that the network read at its place. A piece at which it read nothing, or a
separator that looks otherwise, is a *mark*: an operator, a letter, a bracket, a digit that was not recognised.
``reading.numbers`` makes numbers of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from digitscope.arraytypes import Doubles, Floats, Integers, Mask
from digitscope.preprocessing.line import HEIGHT, OTHER
from digitscope.reading.constraint import digits_of
from digitscope.reading.ctc import Place, beam_search, digits_only, places, without_gaps
from digitscope.reading.engine import View
from digitscope.reading.recognition import Reading

MARK = OTHER
"""The text of a mark. A network whose alphabet has this character says so itself; it is then laid out like one that was
found by its ink."""

PEN = 0.4
"""A pixel of a line field counts as ink if it has more than this share of full pen."""

RULE = 40
"""A level run of ink of this many pixels of a field is a printed rule, which belongs to no character."""

SOLID = 0.7
"""Least darkness of a mark at its darkest, as a share of that of the characters; patterns of paper are paler. Of 551
synthetic lines that are read surely and rightly, 2 are parted by a mark that is none; at 0.5 it would be 9."""

COVER = 0.6
"""What reaches the upper or lower rim of a strip stands on its line if it covers this share of the digits' height."""

SIZE = 0.3
"""Least height or width of a mark, in digit heights; what is smaller is a speck or a dot."""

HIGHEST = {".": 0.32, ",": 0.5, "-": 0.4}
"""Greatest height of the ink of a separator, in digit heights: a cross is no dash, and a colon no point."""

BAR, BAR_SHAPE = 1.2, 0.3
"""A 1 is the bar of a table if its ink is more than this many times as high as the other digits, ends above and below
them all, and is at most this many times as wide as high. Of synthetic lines and of UNIPEN's validation writers' digits
that are read surely and rightly, 898 and 265 lines, none has such a 1."""


@dataclass(frozen=True, eq=False)
class Character:
    """A character of a line and where its ink is.

    Attributes:
        text: a digit, a separator, or ``MARK``.
        left: left edge of its ink, in pixels of the strip, as the three that follow.
        top: upper edge.
        right: right edge.
        bottom: lower edge.
        probabilities: float32 (10,), of each digit; zeros for a separator. Those of a mark are the network's where it
            comes closest to seeing a digit in it; they add up to less than 1.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    probabilities: Floats


def characters(reading: Reading) -> list[Character]:
    """The characters of a reading's best text, separators included, and the marks among them, from left to right."""
    found = _places(reading.view.probabilities, reading.best)
    if not found:
        return []
    height, width = reading.strip.pixels.shape[:2]
    ink = _without_rules(reading.strip.field > PEN)
    scale = np.array([width / ink.shape[1], height / HEIGHT] * 2)
    spans = _spans(reading, found) / scale[0]
    labels, pieces = _pieces(ink)
    unread = _unread(pieces, spans)
    boxes = _boxes(ink & ~np.isin(labels, np.flatnonzero(unread)), spans)
    read = [place.text for place in found]
    solid = _solid(reading.strip.field, labels, pieces, unread) & _on_line(pieces, read, boxes)
    texts = _named(read, boxes, pieces[solid], spans)
    marks = [box * scale for box in _marks(pieces[unread & solid], read, boxes)]
    shares = [place.probabilities * (text == place.text) for text, place in zip(texts, found, strict=True)]
    shares += [_glimpse(reading.view, box) for box in marks]
    placed = [
        Character(text, float(box[0]), float(box[1]), float(box[2]), float(box[3]), share)
        for text, box, share in zip(texts + [MARK] * len(marks), [*(boxes * scale), *marks], shares, strict=True)
    ]
    return sorted(placed, key=lambda one: one.left + one.right)


def _glimpse(view: View, box: Doubles) -> Floats:
    """The digits' probabilities float32 (10,) where a box, in pixels of the strip, most looks like one."""
    columns = view.start + view.step * (np.arange(len(view.probabilities)) + 0.5)
    digits = view.probabilities[(columns >= box[0]) & (columns <= box[2]), 1:11]
    return digits[digits.sum(axis=1).argmax()] if len(digits) else np.zeros(10, np.float32)


def digit_height(placed: Sequence[Character]) -> float:
    """The usual height of a line's digits, in pixels of the strip, at least 1: of those other than 1, if any."""
    return _usual([one.text for one in placed], np.array([one.bottom - one.top for one in placed]))


def _usual(texts: Sequence[str], heights: Doubles) -> float:
    """The usual one of some characters' heights, at least 1: that of digits that are no 1, if there are any."""
    for kind in ("023456789", "1"):
        if any(chosen := [text in kind for text in texts]):
            return max(float(np.median(heights[chosen])), 1.0)
    return 1.0


def _places(probabilities: Floats, best: str) -> list[Place]:
    """Where the characters of the best text stand, including any separators in the view's best spelling of it."""
    if not best or 2 * len(best) > len(probabilities):
        return []
    spelled = [text for text, _ in beam_search(without_gaps(probabilities)) if digits_of(text) == best]
    if spelled and 2 * len(spelled[0]) <= len(probabilities):
        return places(probabilities, spelled[0])
    return places(digits_only(probabilities), best)


def _without_rules(ink: Mask) -> Mask:
    """The ink of a field without level rules, bool (h, w); what they cross is cut, its sides stay where they are."""
    thick = cv2.dilate(ink.astype(np.uint8), np.ones((3, 1), np.uint8))
    rules = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, RULE), np.uint8), borderValue=0)
    return np.asarray(ink & (rules == 0))


def _spans(reading: Reading, found: Sequence[Place]) -> Doubles:
    """Where the network saw each character, float64 (n, 2): left and right, in pixels of the strip."""
    view = reading.view
    return np.array([[view.start + view.step * side for side in (place.first, place.last + 1)] for place in found])


def _pieces(ink: Mask) -> tuple[Integers, Doubles]:
    """The pieces of ink: labels (h, w), 0, 1, ..., -1 for none, and boxes float64 (n, 4), left, top, right, bottom."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    corners = np.concatenate([stats[1:, :2], stats[1:, :2] + stats[1:, 2:4]], axis=1)
    return labels.astype(np.int64) - 1, corners.astype(np.float64)


def _overlap(one: Doubles, others: Doubles) -> Doubles:
    """By how much each of ``one`` (n, 2) overlaps each of ``others`` (m, 2), float64 (n, m); below 0 if it does not."""
    left = np.maximum(one[:, None, 0], others[None, :, 0])
    return np.asarray(np.minimum(one[:, None, 1], others[None, :, 1]) - left)


def _unread(pieces: Doubles, spans: Doubles) -> Mask:
    """At which pieces nothing was read, bool (n,), unless they stand above or below one at which something was."""
    sides = pieces[:, [0, 2]]
    read = (_overlap(sides, spans) > 0).any(axis=1)
    shared = _overlap(sides, sides[read]).max(axis=1, initial=0)
    return np.asarray(~read & (shared < (sides[:, 1] - sides[:, 0]) / 2))


def _solid(field: Floats, labels: Integers, pieces: Doubles, unread: Mask) -> Mask:
    """Which pieces are as dark as the writing, bool (n,)."""
    darkness = np.array([float(field[labels == piece].max()) for piece in range(len(pieces))])
    sizes = np.bincount(labels[labels >= 0], minlength=len(pieces)) * ~unread
    pen = float(np.average(darkness, weights=sizes)) if sizes.any() else 1.0
    return np.asarray(darkness >= SOLID * pen)


def _on_line(pieces: Doubles, texts: Sequence[str], boxes: Doubles) -> Mask:
    """Which pieces stand at the height of the digits and are no part of the lines above and below, bool (n,)."""
    digits = boxes[[text.isdigit() for text in texts]]
    high, low = np.median(digits[:, 1]), np.median(digits[:, 3])
    covered = _overlap(pieces[:, [1, 3]], np.array([[high, low]]))[:, 0] >= COVER * (low - high)
    middle = (pieces[:, 1] + pieces[:, 3]) / 2
    among = (digits[:, 1].min() < middle) & (middle < digits[:, 3].max())
    return np.asarray(np.where((pieces[:, 1] <= 0) | (pieces[:, 3] >= HEIGHT), covered, among))


def _boxes(ink: Mask, spans: Doubles) -> Doubles:
    """The box of each character's ink, float64 (n, 4): as far as half of the way to its neighbours."""
    middles = spans.mean(axis=1)
    between = (middles[1:] + middles[:-1]) / 2
    lefts = np.concatenate([[middles[0] - HEIGHT / 2], between])
    rights = np.concatenate([between, [middles[-1] + HEIGHT / 2]])
    return np.array([_ink_box(ink, round(left), round(right)) for left, right in zip(lefts, rights, strict=True)])


def _ink_box(ink: Mask, left: int, right: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the ink between two columns, or of the columns if they have no ink."""
    left = min(max(left, 0), ink.shape[1] - 1)
    right = min(max(right, left + 1), ink.shape[1])
    x, y, width, height = cv2.boundingRect(ink[:, left:right].astype(np.uint8))
    return (left + x, y, left + x + width, y + height) if width else (left, 0, right, ink.shape[0])


def _named(texts: Sequence[str], boxes: Doubles, pieces: Doubles, spans: Doubles) -> list[str]:
    """The texts, with ``MARK`` for a separator whose own ink is too high and for the bar of a table read as a 1."""
    tall = _usual(texts, boxes[:, 3] - boxes[:, 1])
    bars = _bars(pieces, boxes[[text in "023456789" for text in texts]])
    held = _overlap(pieces[:, [0, 2]], spans) > 0
    owned = held & (held.sum(axis=1, keepdims=True) == 1)
    named = []
    for text, held_by, own in zip(texts, held.T, owned.T, strict=True):
        high = float(np.ptp(pieces[own][:, [1, 3]])) if own.any() else 0.0
        bar = text in "1/" and bool((held_by & bars).any())
        named.append(MARK if bar or high > HIGHEST.get(text, np.inf) * tall else text)
    return named


def _bars(pieces: Doubles, digits: Doubles) -> Mask:
    """Which pieces are bars of a table, bool (n,), beside digits other than 1 with these boxes, float64 (m, 4)."""
    if len(digits) == 0:
        return np.zeros(len(pieces), bool)
    usual = float(np.median(digits[:, 3] - digits[:, 1]))
    width, height = pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1]
    beyond = (pieces[:, 1] < digits[:, 1].min()) & (pieces[:, 3] > digits[:, 3].max())
    return np.asarray(beyond & (height > BAR * usual) & (width <= BAR_SHAPE * height))


def _marks(pieces: Doubles, texts: Sequence[str], boxes: Doubles) -> list[Doubles]:
    """The boxes of marks among pieces at which nothing was read: those above each other are one, specks are none."""
    tall = _usual(texts, boxes[:, 3] - boxes[:, 1])
    groups: list[Doubles] = []
    for piece in pieces[np.argsort(pieces[:, 0])]:
        if groups and piece[0] < groups[-1][2]:
            last = groups[-1]
            groups[-1] = np.concatenate([np.minimum(last[:2], piece[:2]), np.maximum(last[2:], piece[2:])])
        else:
            groups.append(piece)
    return [box for box in groups if max(box[2] - box[0], box[3] - box[1]) >= SIZE * tall]
