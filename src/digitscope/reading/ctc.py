"""From a line reader's columns to texts: CTC prefix beam search, where each character stands, and what else it may be.

Class 0 of a column is the CTC blank ("nothing here"), the others are ``ALPHABET``. It knows no pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Doubles, Floats
from digitscope.errors import ConfigError
from digitscope.preprocessing.line import ALPHABET

PLACES = "#" + ALPHABET[:10]
"""What stands for a digit in a pattern: any, or itself."""

BEAM = 10
"""Texts that are followed from column to column."""

GAP = 0.99
"""A column whose blank is more probable than this holds surely nothing."""

BEHIND = 1e-4
"""A text that is by this factor less probable than the best one is followed no further."""

CUT = 5e-3
"""A class less probable than this in a column is not followed."""


@dataclass(frozen=True)
class Constraint:
    """What is known about a field's form; every part may be left open.

    Attributes:
        length: how many digits it has.
        pattern: ``#`` for a digit, anything else for itself (``"#####-####"``, ``"20##"``); a separator may be missing.
        max_value: the largest number that its digits may spell.
    """

    length: int | None = None
    pattern: str | None = None
    max_value: int | None = None

    def __post_init__(self) -> None:
        """Check the parts against each other."""
        if self.length is not None and self.length < 1:
            raise ConfigError(f"length={self.length} is out of range; expected at least 1")
        if self.max_value is not None and self.max_value < 0:
            raise ConfigError(f"max_value={self.max_value} is out of range; expected 0 or more")
        if self.pattern is not None and "#" not in self.pattern:
            raise ConfigError(f"pattern={self.pattern!r} has no place for a digit; write # for each")
        if self.pattern is not None and self.length not in (None, self.digits):
            raise ConfigError(f"length={self.length} does not fit pattern={self.pattern!r} with {self.digits} digits")

    @classmethod
    def of(
        cls, length: int | None = None, pattern: str | None = None, max_value: int | None = None
    ) -> Constraint | None:
        """The constraint of some options; None where none is given."""
        given = (length, pattern, max_value)
        return None if given == (None, None, None) else cls(*given)

    @property
    def digits(self) -> int | None:
        """How many digits there must be; None = any number."""
        return self.length if self.pattern is None else sum(one in PLACES for one in self.pattern)

    def begins(self, text: str) -> bool:
        """Whether a text may go on to one that fits.

        >>> Constraint(pattern="##-#").begins("12-"), Constraint(length=2).begins("123")
        (True, False)
        >>> Constraint(pattern="20##").begins("201"), Constraint(pattern="20##").begins("21")
        (True, False)
        """
        digits = digits_of(text)
        if self.digits is not None and len(digits) > self.digits:
            return False
        if self.max_value is not None and digits and int(digits) > self.max_value:
            return False
        return self.pattern is None or _follows(text, self.pattern)

    def fits(self, text: str) -> bool:
        """Whether a text is whole and of the form."""
        return self.begins(text) and (self.digits is None or len(digits_of(text)) == self.digits)


def _follows(text: str, pattern: str) -> bool:
    """Whether a text can be the beginning of a pattern; separators of the pattern may be missing in it."""
    at = 0
    for character in text:
        while at < len(pattern) and pattern[at] not in PLACES and pattern[at] != character and character.isdigit():
            at += 1
        if at == len(pattern) or (pattern[at] != character and not (pattern[at] == "#" and character.isdigit())):
            return False
        at += 1
    return True


def digits_of(text: str) -> str:
    """The digits of a text.

    >>> digits_of("7.795.-")
    '7795'
    """
    return "".join(character for character in text if character.isdigit())


def probabilities_of(scores: Floats) -> Floats:
    """Softmax of logits (columns, CLASSES) over the classes."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def digits_only(probabilities: Floats) -> Floats:
    """The columns with the separators taken for nothing: float32 (columns, 11), blank first."""
    folded = probabilities[:, :11].copy()
    folded[:, 0] += probabilities[:, 11:].sum(axis=1)
    return folded


def without_gaps(probabilities: Floats) -> Floats:
    """The columns without those that, like the one before them, hold surely nothing: they change no text's chances."""
    nothing = probabilities[:, 0] > GAP
    return np.asarray(probabilities[~(nothing & np.concatenate([[False], nothing[:-1]]))])


def best_path(scores: Floats) -> str:
    """What the most probable class of every column spells: repeats joined, blanks left out.

    Args:
        scores: float32 (columns, CLASSES), logits or probabilities.
    """
    classes = scores.argmax(axis=1)
    kept = classes[np.flatnonzero(np.diff(classes, prepend=0))]
    return "".join(ALPHABET[number - 1] for number in kept if number)


def beam_search(
    probabilities: Floats, beam: int = BEAM, constraint: Constraint | None = None
) -> list[tuple[str, float]]:
    """The most probable texts and their probabilities, best first.

    Args:
        probabilities: float32 (columns, classes), rows that add up to 1.
        beam: texts that are followed.
        constraint: what the text must fit; none may be found then.

    Returns:
        Texts with the probability of all the paths found that spell them. The empty text is among them where it is
        followed to the end.

    Source: prefix search after Graves, "Supervised Sequence Labelling with Recurrent Neural Networks", chapter 7.5.

    >>> line = np.full((4, CLASSES), 1e-3, np.float32)
    >>> line[[0, 1, 3], [8, 0, 8]] = 0.9
    >>> line[2, 0] = 0.9
    >>> beam_search(line)[0][0]
    '77'
    """
    beams: dict[str, tuple[float, float]] = {"": (1.0, 0.0)}
    size = 0.0  # the log of what the beams were divided by, against underflow on long lines
    for column in probabilities.astype(np.float64).tolist():
        alive = [number for number, share in enumerate(column) if share > CUT and number]
        if not alive:
            beams = {text: (sum(both) * column[0], 0.0) for text, both in beams.items()}
            continue
        grown = _grown(beams, column, alive, constraint)
        sums = sorted(((both[0] + both[1], text) for text, both in grown.items()), reverse=True)[:beam]
        top = sums[0][0] if sums else 0.0
        if top == 0:
            return []
        size += math.log(top)
        beams = {text: (grown[text][0] / top, grown[text][1] / top) for share, text in sums if share > BEHIND * top}
    found = [(text, sum(both)) for text, both in beams.items() if constraint is None or constraint.fits(text)]
    return [(text, share * math.exp(size)) for text, share in sorted(found, key=lambda item: -item[1])]


def _grown(
    beams: dict[str, tuple[float, float]], column: list[float], alive: list[int], constraint: Constraint | None
) -> dict[str, list[float]]:
    """The texts after one more column: as they were, or longer by one of the classes ``alive``."""
    grown: dict[str, list[float]] = {}
    for text, (blank, ended) in beams.items():
        _stay(grown, text, blank, ended, column)
        for number in alive:
            character = ALPHABET[number - 1]
            before = blank if text.endswith(character) else blank + ended
            longer = text + character
            if before and (constraint is None or constraint.begins(longer)):
                grown.setdefault(longer, [0.0, 0.0])[1] += before * column[number]
    return grown


def _stay(grown: dict[str, list[float]], text: str, blank: float, ended: float, column: list[float]) -> None:
    """A text goes on as it is: with a blank, or with its last character held."""
    both = grown.setdefault(text, [0.0, 0.0])
    both[0] += (blank + ended) * column[0]
    if text:
        both[1] += ended * column[ALPHABET.index(text[-1]) + 1]


def log_probabilities(lattices: Sequence[Floats], texts: Sequence[str]) -> Doubles:
    """The log of each text's probability in each lattice: of all the paths that spell it (the CTC forward sum).

    Args:
        lattices: float32 (columns, classes) each, of any number of columns.
        texts: characters of ``ALPHABET``.

    Returns:
        float64 (lattices, texts), very low where a text needs more columns than there are.

    >>> sure = np.eye(CLASSES, dtype=np.float32)[[0, 4, 0]]
    >>> np.exp(log_probabilities([sure], ["3", ""])).round(6).tolist()
    [[1.0, 0.0]]
    """
    longest = 2 * max(map(len, texts), default=0) + 1
    states = np.zeros((len(texts), longest), np.intp)
    for row, text in zip(states, texts, strict=True):
        row[: 2 * len(text) + 1] = _states(text)
    skips = np.zeros(states.shape)
    skips[:, 2:] = (states[:, 2:] > 0) & (states[:, 2:] != states[:, :-2])
    scores = _side_by_side(lattices)[:, :, states].clip(1e-12)
    table = np.zeros((len(lattices), len(texts), longest + 2))
    table[..., 2:4] = scores[0][..., :2]
    size = np.zeros((len(lattices), len(texts)))
    for column in scores[1:]:
        table[..., 2:] = (table[..., 2:] + table[..., 1:-1] + skips * table[..., :-2]) * column
        total = np.maximum(table.sum(axis=-1), 1e-250)
        table /= total[..., None]
        size += np.log(total)
    ends = np.array([2 * len(text) + 2 for text in texts])
    rows = np.arange(len(texts))
    last = table[:, rows, ends] + np.where(ends > 2, table[:, rows, ends - 1], 0)
    return np.asarray(size + np.log(np.maximum(last, 1e-250)))


def _side_by_side(lattices: Sequence[Floats]) -> Doubles:
    """Float64 (columns, lattices, classes), shorter lattices filled up with columns that surely hold nothing."""
    filled = np.zeros((max(map(len, lattices)), len(lattices), lattices[0].shape[1]))
    filled[..., 0] = 1
    for number, lattice in enumerate(lattices):
        filled[: len(lattice), number] = lattice
    return filled


def _states(text: str) -> list[int]:
    """Classes of a text with a blank before, between and after its characters."""
    states = [0]
    for character in text:
        states += [ALPHABET.index(character) + 1, 0]
    return states


@dataclass(frozen=True, eq=False)
class Place:
    """Where a character of a text stands.

    Attributes:
        text: the character.
        first: its first column.
        last: its last column.
        probabilities: float32 (10,), that it is each of the digits, adding up to 1; zeros for a separator.
    """

    text: str
    first: int
    last: int
    probabilities: Floats


def places(probabilities: Floats, text: str) -> list[Place]:
    """Where each character of a text stands on its most probable path, and which digits it may be.

    Args:
        probabilities: float32 (columns, CLASSES).
        text: characters of ``ALPHABET`` that so many columns can spell.
    """
    logs = np.log(np.maximum(probabilities.astype(np.float64), 1e-12))
    path = _alignment(logs, text)
    found = []
    for number, character in enumerate(text):
        columns = np.flatnonzero(path == 2 * number + 1)
        share = np.zeros(10, np.float32)
        if character.isdigit():
            mass = probabilities[columns, 1:11].astype(np.float64)
            weights = np.exp(np.log(np.maximum(mass, 1e-12)).mean(axis=0))
            share = np.asarray(weights / weights.sum(), np.float32)
        found.append(Place(character, int(columns[0]), int(columns[-1]), share))
    return found


def _alignment(logs: Doubles, text: str) -> npt.NDArray[np.int64]:
    """The state of every column on the best path that spells a text (Viterbi)."""
    states = np.array(_states(text))
    scores = logs[:, states]
    skipped = np.full(len(states), -np.inf)
    skipped[2:][(states[2:] > 0) & (states[2:] != states[:-2])] = 0
    choices = np.full((3, len(states)), -np.inf)
    best = np.full(len(states), -np.inf)
    best[:2] = scores[0, :2]
    came = np.zeros(scores.shape, np.int64)
    for t in range(1, len(scores)):
        choices[0], choices[1, 1:], choices[2, 2:] = best, best[:-1], best[:-2] + skipped[2:]
        came[t] = choices.argmax(axis=0)
        best = choices.max(axis=0) + scores[t]
    at = len(states) - 1 if len(states) == 1 or best[-1] > best[-2] else len(states) - 2
    path = np.zeros(len(scores), np.int64)
    for t in range(len(scores) - 1, -1, -1):
        path[t] = at
        at -= int(came[t, at])
    return path
