"""Recorded pen trajectories in ``.npz`` files: digits, strings of digits, letters and symbols; see docs/data.md.

It reads and checks them. ``datasets.synthetic.recorded`` writes lines with them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import AnyArray, Floats, Integers, Mask
from digitscope.datasets.arrays import read_npz
from digitscope.errors import DataError, first_line

FOLDER_VARIABLE = "DIGITSCOPE_UNIPEN"
"""The environment variable that names the folder with the files."""

KINDS = ("digits", "strings", "letters", "symbols")
"""The files, without ``.npz``."""

UNIT = 1000
"""Units of a file in a digit height."""

UNKNOWN = -32768
"""The baseline of a sample whose writing line is not known."""

LARGEST_ARRAY = 1 << 24
"""The most bytes that an array may unpack to: eight times as many as the largest of UNIPEN."""

LONGEST_LABEL = 64
"""Characters of the longest label."""

ARRAYS = ("points", "stroke_off", "sample_off", "label", "writer", "split", "baseline")
"""The arrays that every file must have; strings also have ``stroke_char``. Others are not read."""


@dataclass(frozen=True, eq=False)
class Trajectories:
    """The samples of one file.

    Attributes:
        labels: str (n,), what is written.
        writers: int64 (n,), who wrote it; the numbers are the same in all files.
        validation: bool (n,), whether the writer is kept out of training.
        baseline: float32 (n,), y of the line on which it is written, in digit heights below the sample's top; NaN if
            it is not known.
        points: int16 (points, 2), x and y of all strokes, one after the other, in units.
        stroke_starts: int64 (strokes + 1,), where each stroke begins in ``points``, and the end.
        sample_starts: int64 (n + 1,), where each sample begins among the strokes, and the end.
        characters: int64 (strokes,), the place in the label of the character to which a stroke belongs, -1 if that is
            not known; only the strings have it.
    """

    labels: npt.NDArray[np.str_]
    writers: Integers
    validation: Mask
    baseline: Floats
    points: npt.NDArray[np.int16]
    stroke_starts: Integers
    sample_starts: Integers
    characters: Integers | None = None

    def strokes(self, index: int) -> list[Floats]:
        """The strokes of a sample, in the order in which they were written.

        Returns:
            float32 (points, 2) per stroke: x and y in digit heights, y downwards, the smallest of each near 0. A stroke
            of one point is a dot.
        """
        first, last = self.sample_starts[index], self.sample_starts[index + 1]
        starts = self.stroke_starts[first : last + 1]
        scaled = self.points[starts[0] : starts[-1]].astype(np.float32) / np.float32(UNIT)
        return np.split(scaled, starts[1:-1] - starts[0])

    def owners(self, index: int) -> list[int]:
        """The place in the label to which each stroke of a sample belongs; -1 if that is not known."""
        first, last = int(self.sample_starts[index]), int(self.sample_starts[index + 1])
        return [-1] * (last - first) if self.characters is None else self.characters[first:last].tolist()


class EvenChoice:
    """Chooses samples evenly by writer: first a writer, then a sample of theirs, each as likely as the others.

    Attributes:
        groups: int64 (samples,) per writer, by number of the writer: the samples to choose from.
    """

    def __init__(self, writers: Integers, samples: Integers) -> None:
        """Group samples by their writers.

        Args:
            writers: int64 (n,), who wrote each sample of a file.
            samples: int64, those to choose from, at least one.
        """
        of = writers[samples]
        self.groups = {int(writer): samples[of == writer] for writer in np.unique(of)}
        self._order = list(self.groups.values())

    def choose(self, rng: np.random.Generator) -> int:
        """A sample."""
        group = self._order[int(rng.integers(len(self._order)))]
        return int(group[int(rng.integers(len(group)))])


def trajectories_folder(folder: str | Path | None = None) -> Path:
    """A folder that has all files.

    Args:
        folder: the folder; None takes the one that ``DIGITSCOPE_UNIPEN`` names.

    Raises:
        DataError: there is none, or a file is missing.
    """
    named = os.environ.get(FOLDER_VARIABLE, "") if folder is None else str(folder)
    if not named:
        raise DataError(f"no folder with pen trajectories is known; give one, or name it in {FOLDER_VARIABLE}")
    try:
        missing = [f"{kind}.npz" for kind in KINDS if not (Path(named) / f"{kind}.npz").is_file()]
    except (OSError, ValueError) as error:  # not allowed, a null in it
        raise DataError(
            f"{named} cannot be read ({first_line(error)}); give the folder with the pen trajectories"
        ) from error
    if missing:
        raise DataError(f"{named} has no {', '.join(missing)}; docs/data.md says how to get the pen trajectories")
    return Path(named)


def read_trajectories(kind: str, folder: str | Path | None = None) -> Trajectories:
    """The samples of a file.

    Args:
        kind: one of ``KINDS``.
        folder: as for ``trajectories_folder``.

    Raises:
        DataError: the folder or a file is missing, or the file is damaged or of another layout.
    """
    path = trajectories_folder(folder) / f"{kind}.npz"
    names = [*ARRAYS, "stroke_char"] if kind == "strings" else list(ARRAYS)
    arrays = read_npz(path, [names], LARGEST_ARRAY)
    numbers = {name: _whole_numbers(path, name, arrays[name]) for name in names if name != "label"}
    points = numbers["points"]
    if points.ndim != 2 or points.shape[1] != 2 or not _within(points, -UNKNOWN - 1):
        raise _damaged(path, f"points have the shape {points.shape}, expected (n, 2) of 16-bit numbers")
    strokes = _starts(path, "stroke_off", numbers["stroke_off"], len(points))
    samples = _starts(path, "sample_off", numbers["sample_off"], len(strokes) - 1)
    labels = _labels(path, kind, arrays["label"], len(samples) - 1)
    writers, split, baseline = (_of_length(path, name, numbers[name], len(labels)) for name in ARRAYS[4:])
    validation = _validation(path, writers, split)
    heights = np.where(baseline == UNKNOWN, np.nan, baseline / UNIT).astype(np.float32)
    owners = _owners(path, numbers["stroke_char"], samples, labels) if kind == "strings" else None
    return Trajectories(labels, writers, validation, heights, points.astype(np.int16), strokes, samples, owners)


def _damaged(path: Path, what: str) -> DataError:
    return DataError(f"{path} is damaged: {what}; make or fetch it again (docs/data.md)")


def _whole_numbers(path: Path, name: str, values: AnyArray) -> Integers:
    """An array of whole numbers as int64, of any shape."""
    if values.dtype.kind not in "iu" or values.dtype.itemsize > 4:
        raise _damaged(path, f"{name} holds {values.dtype}, expected whole numbers of at most 32 bits")
    return values.astype(np.int64)


def _within(values: Integers, largest: int) -> bool:
    return bool((np.abs(values) <= largest).all())


def _of_length(path: Path, name: str, values: Integers, length: int) -> Integers:
    if values.shape != (length,):
        raise _damaged(path, f"{name} has the shape {values.shape}, expected ({length},)")
    return values


def _starts(path: Path, name: str, starts: Integers, end: int) -> Integers:
    """Starts that ascend from 0 to an end, so that there is at least one part and none is empty."""
    fits = starts.ndim == 1 and len(starts) > 1 and starts[0] == 0 and starts[-1] == end and (np.diff(starts) > 0).all()
    if not fits:
        raise _damaged(path, f"{name} does not ascend from 0 to {end}")
    return starts


def _labels(path: Path, kind: str, labels: AnyArray, length: int) -> npt.NDArray[np.str_]:
    """Labels as text (length,): digits 0..9, single characters, or strings of printable ASCII characters."""
    digits = kind == "digits"
    digits = kind == "digits"
    if labels.shape != (length,) or labels.dtype.kind not in ("iu" if digits else "U"):
        raise _damaged(path, f"label has the shape {labels.shape} of {labels.dtype}, expected ({length},) labels")
    if digits and ((labels < 0) | (labels > 9)).any():
        raise _damaged(path, "label has other values than 0 to 9")
    texts = labels.astype("U1") if digits else labels
    for text in np.unique(texts).tolist():
        plain = text.isascii() and text.isprintable() and " " not in text
        if not plain or not 1 <= len(text) <= (LONGEST_LABEL if kind == "strings" else 1):
            raise _damaged(path, f"{text[:LONGEST_LABEL]!r} is no label of {kind}")
    return np.asarray(texts, np.str_)


def _validation(path: Path, writers: Integers, split: Integers) -> Mask:
    """Which samples are by validation writers; nobody may be on both sides."""
    if not np.isin(split, (0, 1)).all():
        raise _damaged(path, "split has other values than 0 and 1")
    both = np.intersect1d(writers[split == 0], writers[split == 1])
    if len(both):
        raise _damaged(path, f"writer {both[0]} is among those for training and those for validation")
    return np.asarray(split == 1)


def _owners(path: Path, owners: Integers, samples: Integers, labels: npt.NDArray[np.str_]) -> Integers:
    """The places in the labels to which the strokes of strings belong."""
    owners = _of_length(path, "stroke_char", owners, int(samples[-1]))
    longest = np.repeat(np.char.str_len(labels), np.diff(samples))
    if (owners < -1).any() or (owners >= longest).any():
        raise _damaged(path, "stroke_char points outside the labels")
    return owners
