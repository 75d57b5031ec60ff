"""CTC decoding: from columns of probabilities to texts, their probabilities, and where each character stands.

Class 0 of a column is the CTC blank ("no character here"), the others are ``preprocessing.line.ALPHABET``. It runs no
network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Doubles, Floats, Integers
from digitscope.preprocessing.line import ALPHABET
from digitscope.reading.constraint import Constraint

Real = TypeVar("Real", bound=np.floating[Any])

BEAM = 10
"""Number of texts that the search keeps from column to column."""

EMPTY = 0.99
"""A column counts as empty if its blank is more probable than this."""

LEAST_OF_BEST = 1e-4
"""The search drops a text that is less probable than this share of the best one."""

LEAST_CLASS = 5e-3
"""The search ignores a class less probable than this in a column."""


def softmax(logits: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """The probabilities of logits over their last axis."""
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True), logits.dtype)


def digits_only(probabilities: Floats) -> Floats:
    """The columns float32 (columns, 11) with separators and other marks counted as blank; blank first."""
    folded = probabilities[:, :11].copy()
    folded[:, 0] += probabilities[:, 11:].sum(axis=1)
    return folded


def without_gaps(probabilities: Floats) -> Floats:
    """The columns, with only the first of several empty ones in a row; this hardly changes any text's probability."""
    empty = probabilities[:, 0] > EMPTY
    return np.asarray(probabilities[~(empty & np.concatenate([[False], empty[:-1]]))])


def best_path(scores: Floats) -> str:
    """The text of the most probable class of every column, with repeats joined and blanks left out.

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
        beam: number of texts to keep from column to column.
        constraint: the form that a text must have; if none has it, the result is empty.

    Returns:
        Texts, each with the sum of the probabilities of the paths found for it. The empty text is among them if the
        search kept it to the end.

    Source: prefix search after Graves, "Supervised Sequence Labelling with Recurrent Neural Networks", chapter 7.5.

    >>> from digitscope.preprocessing.line import CLASSES
    >>> line = np.full((4, CLASSES), 1e-3, np.float32)
    >>> line[[0, 1, 3], [8, 0, 8]] = 0.9
    >>> line[2, 0] = 0.9
    >>> beam_search(line)[0][0]
    '77'
    """
    beams: dict[str, tuple[float, float]] = {"": (1.0, 0.0)}
    size = 0.0  # log of the total scale; the beams are divided by it so that long lines do not underflow
    for column in probabilities.astype(np.float64).tolist():
        alive = [number for number, share in enumerate(column) if share > LEAST_CLASS and number]
        if not alive:
            beams = {text: (sum(both) * column[0], 0.0) for text, both in beams.items()}
            continue
        grown = _grown(beams, column, alive, constraint)
        sums = sorted(((both[0] + both[1], text) for text, both in grown.items()), reverse=True)[:beam]
        top = sums[0][0] if sums else 0.0
        if top == 0:
            return []
        size += math.log(top)
        beams = {
            text: (grown[text][0] / top, grown[text][1] / top) for share, text in sums if share > LEAST_OF_BEST * top
        }
    found = [(text, sum(both)) for text, both in beams.items() if constraint is None or constraint.fits(text)]
    return [(text, share * math.exp(size)) for text, share in sorted(found, key=lambda item: -item[1])]


def _grown(
    beams: dict[str, tuple[float, float]], column: list[float], alive: list[int], constraint: Constraint | None
) -> dict[str, list[float]]:
    """The texts after one more column: unchanged, or with one of the classes ``alive`` appended."""
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
    """Add the two ways in which a text stays the same: a blank, or its last character again."""
    both = grown.setdefault(text, [0.0, 0.0])
    both[0] += (blank + ended) * column[0]
    if text:
        both[1] += ended * column[ALPHABET.index(text[-1]) + 1]


def log_probabilities(lattices: Sequence[Floats], texts: Sequence[str]) -> Doubles:
    """The log of each text's probability in each lattice, summed over all its paths (the CTC forward algorithm).

    Args:
        lattices: float32 (columns, classes) each; their numbers of columns may differ.
        texts: characters of ``ALPHABET``.

    Returns:
        float64 (lattices, texts); very low if a text needs more columns than the lattice has.

    >>> from digitscope.preprocessing.line import CLASSES
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
    """The lattices as one array float64 (columns, lattices, classes); shorter ones end in columns of certain blanks."""
    filled = np.zeros((max(map(len, lattices)), len(lattices), lattices[0].shape[1]))
    filled[..., 0] = 1
    for number, lattice in enumerate(lattices):
        filled[: len(lattice), number] = lattice
    return filled


def _states(text: str) -> list[int]:
    """The classes of a text's characters, with a blank before, between and after them."""
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
        probabilities: float32 (10,), of each digit, adding up to 1; zeros for a separator.
    """

    text: str
    first: int
    last: int
    probabilities: Floats


def places(probabilities: Floats, text: str) -> list[Place]:
    """Where each character of a text stands on its most probable path, and the probability of each digit there.

    Args:
        probabilities: float32 (columns, CLASSES).
        text: characters of ``ALPHABET``; there must be enough columns for it.
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


def _alignment(logs: Doubles, text: str) -> Integers:
    """The state of every column on the most probable path of a text (Viterbi)."""
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
