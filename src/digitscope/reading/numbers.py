"""From the characters of a line to its numbers: where one ends and the next begins, and which of them is not whole."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from digitscope.preprocessing.line import SEPARATORS
from digitscope.reading.constraint import DIGITS, PLACES, Constraint
from digitscope.reading.layout import MARK, Character, digit_height

BLANK_GAP, NUMBER_GAP, PAIR_GAP = 0.7, 1.0, 1.6
"""The least gaps between two digits, in digit heights, that count as a blank, as the start of another number, and as
that start if the line has no other gap to compare it with. Of 166 numbers by UNIPEN's validation writers three have a
wider gap than 1.0, all of them pairs of digits, and none has one of 1.6; of 9 that the writers parted, 7 have gaps over
1.0 and two narrower ones. Of 898 synthetic lines that are read surely and rightly, 4 would be torn at 1.0."""

WIDER = 3.0
"""Such a gap must also be more than this many times as wide as the line's narrow gaps: if all digits are widely spaced,
there are no blanks. At 2.0, 8 of those synthetic lines would be torn, and the same 7 of 9 numbers be parted."""

HINT = 0.1
"""A mark in which the network sees a digit with at least this probability may be one that it did not recognise. Of 130
marks among digits of UNIPEN's validation writers that are read surely and rightly, 2 reach it (13 reach 0.05); of 36
beside synthetic lines that are read wrongly, 9 do."""

NEAR = 1.0
"""Greatest gap between such a mark and a number to which it may belong, in digit heights."""

PART = "part of a number"
"""The reason for refusing a number: a digit that was not recognised may belong to it."""

SEVERAL = "several numbers"
"""The reason for refusing a number: a gap as wide as between two numbers stands where its pattern has no separator. In
drawn digits that stand in the middle of equal boxes no gap is, as long as it is at most two digits wide."""

TOO_LARGE = "above the maximum"
"""The reason for refusing one of several numbers on a line."""

MARKS = "other marks"
"""The reason for refusing a number: something that is no digit, and not in its pattern, stands among its digits."""


@dataclass(frozen=True, eq=False)
class Run:
    """The characters of one number.

    Attributes:
        characters: from left to right.
        written: their texts, with blanks.
        reason: why it must be refused however sure the reading is; None if nothing speaks against it.
    """

    characters: tuple[Character, ...]
    written: str
    reason: str | None = None


def parted(
    placed: Sequence[Character], constraint: Constraint | None = None, torn: tuple[bool, bool] = (False, False)
) -> list[Run]:
    """The numbers of a line.

    Args:
        placed: the line's characters and marks, from left to right.
        constraint: what is known of every number; if that is more than a maximum, the line is one.
        torn: whether something may be missing at the line's left and right end, for all that is known.
    """
    found = _runs(placed)
    if constraint is not None:
        apart = constraint.digits is None and len(found) > 1
        found = [_held(run, constraint) for run in found] if apart else [_whole(placed, constraint)]
    if found and (constraint is None or constraint.digits is None):
        for end, lacks in zip((0, -1), torn, strict=True):
            found[end] = replace(found[end], reason=PART) if lacks else found[end]
    return found


def _runs(placed: Sequence[Character]) -> list[Run]:
    """The numbers of a line: marks, equals signs between digits, and wide gaps part them."""
    blanks, tall = _blanks(placed), digit_height(placed)
    starts = [blank == "|" for blank in blanks]
    for place in _parting(placed):
        starts[place] = True
        starts[place + 1 : place + 2] = [True]
    ends = [place for place, start in enumerate(starts) if start]
    found = []
    for first, last in itertools.pairwise([0, *ends, len(placed)]):
        part = tuple(placed[first:last])
        if any(one.text.isdigit() for one in part):
            reason = PART if _is_part(placed[max(first - 1, 0) : last + 1], NEAR * tall) else None
            found.append(Run(part, _written(part, blanks[first:last]), reason))
    return found


def _held(run: Run, constraint: Constraint) -> Run:
    """One of several numbers on a line, refused if it is above the maximum."""
    return run if constraint.fits(_inner(run.written)) else replace(run, reason=TOO_LARGE)


def _whole(placed: Sequence[Character], constraint: Constraint) -> Run:
    """A line as the one number that it must be; it is refused if marks or gaps stand in it that its pattern has not.

    Separators before its first digit and after its last one are no reason: a frame may be read as one.
    """
    kept = [one for one in placed if one.text != MARK]
    blanks = _blanks(kept)
    written = _written(kept, blanks)
    if _is_part(placed, NEAR * digit_height(placed)):
        return Run(tuple(kept), written, PART)
    known = (_has_marks(constraint) or not _parting(placed)) and constraint.fits(_inner(written))
    if known and not _may_part(kept, blanks, constraint):
        return Run(tuple(kept), written, SEVERAL)
    return Run(tuple(kept), written, None if known else MARKS)


def _may_part(placed: Sequence[Character], blanks: Sequence[str], constraint: Constraint) -> bool:
    """Whether a pattern has a separator wherever the gap before a character would end a number."""
    read = [sum(one.text.isdigit() for one in placed[:place]) for place, blank in enumerate(blanks) if blank == "|"]
    return {0} | constraint.separated >= {*read}


def _is_part(placed: Sequence[Character], near: float) -> bool:
    """Whether a mark that may be a digit stands beside a digit, at most this many pixels from it."""
    return any(
        b.left - a.right <= near and max(_hint(a), _hint(b)) >= HINT
        for a, b in itertools.pairwise(placed)
        if {a.text, b.text} & set(DIGITS)
    )


def _hint(one: Character) -> float:
    """The probability that a mark is a digit; 0 for everything else."""
    return float(one.probabilities.sum()) if one.text == MARK else 0.0


def _written(placed: Sequence[Character], blanks: Sequence[str]) -> str:
    """The texts of digits and separators with blanks between them."""
    kept = [(blank, one) for blank, one in zip(blanks, placed, strict=True) if one.text != MARK]
    return "".join(" " * bool(blank) + one.text for blank, one in kept).strip()


def _inner(written: str) -> str:
    """A text from its first digit to its last, without blanks.

    >>> _inner("-1 2.50.")
    '12.50'
    """
    return written.strip(SEPARATORS + " ").replace(" ", "")


def _parting(placed: Sequence[Character]) -> list[int]:
    """The places between two digits of what never stands within a number: marks and equals signs."""
    digits = [place for place, one in enumerate(placed) if one.text.isdigit()]
    inner = range(min(digits, default=0), max(digits, default=0))
    return [place for place in inner if placed[place].text in (MARK, "=")]


def _has_marks(constraint: Constraint) -> bool:
    """Whether a pattern has characters that the network does not read, such as brackets."""
    return any(character not in PLACES + SEPARATORS + " " for character in constraint.pattern or "")


def _blanks(placed: Sequence[Character]) -> list[str]:
    """What stands before each character: nothing, a blank, or ``|``, the end of a number."""
    tall = digit_height(placed)
    gaps = np.array([(b.left - a.right) / tall for a, b in itertools.pairwise(placed)])
    before, after = (np.array([one.text.isdigit() for one in ones], bool) for ones in (placed[:-1], placed[1:]))
    known = gaps[before & after]
    usual, least = (float(np.quantile(known, 0.3)), NUMBER_GAP) if len(known) > 1 else (0.0, PAIR_GAP)
    wide = gaps > WIDER * usual
    far = wide & (gaps > np.where(before & after, least, NUMBER_GAP))
    # A separator parts if it is far from both sides.
    part = far & after & (before | np.concatenate([[False], far[:-1]]))
    blank = wide & (gaps > BLANK_GAP) & before & after
    return [""] * bool(placed) + [
        "|" if ends else " " * bool(is_wide) for ends, is_wide in zip(part, blank, strict=True)
    ]
