"""People whose pens were recorded, as writers of synthetic lines: their digits, letters, signs and whole numbers.

``datasets.trajectories`` reads the files, ``hand`` lays the strokes out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitscope.arraytypes import Doubles, Floats, Mask
from digitscope.datasets.synthetic import handwriting
from digitscope.datasets.synthetic.recipe import HandRecipe
from digitscope.datasets.trajectories import UNIT, EvenChoice, Trajectories, read_trajectories
from digitscope.errors import DataError

HEIGHTS = {"digits": (0.55, 1.7), "letters": (0.2, 2.2), "symbols": (0.0, 1.8)}
"""Least and greatest height of a sample, in digit heights; others are left out. Of UNIPEN's training digits 99 % are
within."""

LEVEL = 0.25
"""By how many digit heights a sample may stand above or below the usual place of its character: the writing line is
taken from its neighbours, and may be another's. 92 % of UNIPEN's training digits stand within it."""

FEWEST = 5
"""Different digits that someone must have written to be the writer of a line."""

LONGEST_STRING = 10.5
"""Digit heights of the longest number that is copied whole; a longer one would not fit on a line's canvas."""

ALIKE = {"×": "x"}
"""Signs that nobody was asked to write, and what people write for them."""

TALLEST = 0.8
"""Quantile of someone's digits that becomes one digit height on a line. With 1 as the usual height instead, a third of
the lines lost more than a twentieth of their ink at the picture's rim, twice as many as with drawn strokes."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A character of someone.

    Attributes:
        file: where it is.
        index: its number there.
        down: how far it is to be moved down, so that the writing line is at 1.
        height: its own, in digit heights.
    """

    file: Trajectories
    index: int
    down: float
    height: float


@dataclass(frozen=True, eq=False)
class RecordedNumber:
    """A number as someone wrote it, with its own gaps and its own line.

    Attributes:
        text: what is written, without blanks.
        strokes: float32 (points, 2) each, in digit heights, with the writing line at y = 1.
        owners: for each stroke, the place in the text of its character; None if that is not known.
    """

    text: str
    strokes: list[Floats]
    owners: list[int] | None


class RecordedWriters:
    """The training or the validation writers of a folder of trajectories."""

    def __init__(self, folder: str | Path | None, validation: bool = False) -> None:
        """Read the files.

        Args:
            folder: as for ``datasets.trajectories.trajectories_folder``.
            validation: whether the validation writers write; otherwise the others do, and none of both sides ever.

        Raises:
            DataError: a file is missing or damaged, or nobody on this side has written enough digits.
        """
        self._people: dict[int, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
        for kind in HEIGHTS:
            for writer, label, sample in _samples(kind, read_trajectories(kind, folder), validation):
                self._people[writer][label].append(sample)
        able = [own for own in self._people.values() if sum(map(str.isdigit, own)) >= FEWEST]
        self._writers = [(own, _digit_height(own)) for own in able]
        self._strings = read_trajectories("strings", folder)
        right, bottom = _ends(self._strings).T
        self._lines = np.where(np.isnan(self._strings.baseline), bottom, self._strings.baseline)
        chosen = np.flatnonzero((self._strings.validation == validation) & (right <= LONGEST_STRING))
        if not self._writers or not len(chosen):
            side = "validation" if validation else "training"
            raise DataError(
                f"the pen trajectories have no {side} writers with digits and strings; docs/data.md says more"
            )
        self._numbers = EvenChoice(self._strings.writers, chosen)

    def writer(self, recipe: HandRecipe, rng: np.random.Generator) -> Callable[[str], list[Floats] | None]:
        """One of them, each as likely as the others, who takes any of their samples of a character.

        A digit that they never wrote gets a form of ``handwriting``; another character comes from someone else.

        Returns:
            A function from a character to its strokes, as that of ``handwriting.writer``.
        """
        own, height = self._writers[int(rng.integers(len(self._writers)))]
        forms = handwriting.writer(recipe, rng)

        def strokes(character: str) -> list[Floats] | None:
            written = ALIKE.get(character, character)
            samples = own[written] if written in own else self._of_another(written, rng)
            if not samples:
                return forms(character)
            sample = samples[int(rng.integers(len(samples)))]
            return _moved(sample.file, sample.index, sample.down, height)

        return strokes

    def number(self, rng: np.random.Generator) -> RecordedNumber:
        """A whole number, chosen evenly by writer."""
        index = self._numbers.choose(rng)
        text = str(self._strings.labels[index])
        strokes = _moved(self._strings, index, 1.0 - float(self._lines[index]))
        return RecordedNumber(text, strokes, _owners(len(text), strokes, self._strings.owners(index)))

    def _of_another(self, character: str, rng: np.random.Generator) -> list[Sample]:
        """Someone's samples of a sign or letter; none of a digit, and none if nobody wrote it."""
        able = [] if character.isdigit() else [own for own in self._people.values() if character in own]
        return able[int(rng.integers(len(able)))][character] if able else []


def _samples(kind: str, file: Trajectories, validation: bool) -> list[tuple[int, str, Sample]]:
    """The samples of one side, with writer and label, without those of an odd height."""
    bottom = _ends(file)[:, 1]
    low, high = HEIGHTS[kind]
    chosen: Mask = (file.validation == validation) & (bottom >= low) & (bottom <= high)
    below = bottom - file.baseline
    found = []
    for label in np.unique(file.labels):
        of_label = file.labels == label
        known = below[of_label & ~np.isnan(below)]
        usual = float(np.median(known)) if len(known) else 0.0
        for index in np.flatnonzero(of_label & chosen).tolist():
            own = usual if np.isnan(below[index]) else float(np.clip(below[index], usual - LEVEL, usual + LEVEL))
            height = float(bottom[index])
            found.append((int(file.writers[index]), str(label), Sample(file, index, 1 + own - height, height)))
    return found


def _ends(file: Trajectories) -> Doubles:
    """The right and the lower end of every sample, float64 (n, 2), in digit heights; they begin at 0."""
    starts = file.stroke_starts[file.sample_starts[:-1]]
    return np.maximum.reduceat(file.points, starts, axis=0) / UNIT


def _digit_height(own: dict[str, list[Sample]]) -> float:
    """What is one digit height of someone on a line."""
    return float(np.quantile([one.height for label in own if label.isdigit() for one in own[label]], TALLEST))


def _moved(file: Trajectories, index: int, down: float, height: float = 1.0) -> list[Floats]:
    """The strokes of a sample, moved down, and with another digit height; a dot becomes two points, to be drawn."""
    scale, start = np.float32(1 / height), np.array([0, (down - 1) / height + 1], np.float32)
    moved = [stroke * scale + start for stroke in file.strokes(index)]
    return [np.repeat(stroke, 2, axis=0) if len(stroke) == 1 else stroke for stroke in moved]


def _owners(length: int, strokes: list[Floats], owners: list[int]) -> list[int] | None:
    """To which character each stroke of a number belongs: as the file says, or by the gaps if their number fits."""
    if sorted({*owners}) == list(range(length)):
        return owners
    order = sorted(range(len(strokes)), key=lambda number: float(strokes[number][:, 0].min()))
    by_gap, right, character = [0] * len(strokes), -np.inf, -1
    for number in order:
        character += bool(strokes[number][:, 0].min() > right)
        right = max(right, float(strokes[number][:, 0].max()))
        by_gap[number] = character
    return by_gap if character + 1 == length else None
