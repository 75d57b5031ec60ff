"""Small files of pen trajectories, drawn from the forms of the package's own pen strokes and a few made-up letters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from digitscope.datasets.synthetic import handwriting
from digitscope.datasets.trajectories import UNKNOWN

LETTERS = {
    "A": "0,100 25,0 50,100; 10,60 40,60",
    "k": "0,0 0,100; 30,40 0,70 32,100",
    "g": "30,40 5,50 5,90 30,95 30,40 28,130 2,125",
    "N": "0,100 0,0 40,100 40,0",
    "o": "15,50 0,75 15,100 30,75 15,50",
    "x": "0,50 30,100; 30,50 0,100",
}
"""Letters in hundredths of a digit height, as ``handwriting.FORMS``."""

STRINGS = {"12": ("1", "2"), "305": ("3", "0", "5"), "4-7": ("4", "-", "7"), "8+9": ("8", "+", "9")}
"""Strings and their characters."""

WRITERS = 8
"""The last two are validation writers."""

Sample = dict[str, Any]


PLUS = "20,30 20,70; 0,50 40,50"
"""The same of a plus sign."""


def forms(character: str, writer: int) -> list[np.ndarray]:
    """A writer's strokes of a character, float (points, 2) in digit heights, with the writing line at 1."""
    if character in LETTERS or character == "+":
        form = LETTERS.get(character, PLUS)
        strokes = [[point.split(",") for point in one.split()] for one in form.split(";")]
        return [np.array(one, float) / 100 for one in strokes]
    return [np.asarray(one) for one in handwriting.curve(character, writer, np.random.default_rng(writer), 0.01)]


def sample(label: str, writer: int, characters: tuple[str, ...] | None = None, known: bool = True) -> Sample:
    """A sample as the files keep it: in units, shifted to its own upper left corner."""
    strokes, owners, x = [], [], 0.0
    for place, character in enumerate(characters or (label,)):
        drawn = forms(character, writer)
        left, right = (side(float(side(one[:, 0])) for one in drawn) for side in (min, max))
        strokes += [one + np.array([x - left, 0]) for one in drawn]
        owners += [place if known else -1] * len(drawn)
        x += right - left + 0.2
    whole = np.concatenate(strokes)
    corner = whole.min(axis=0)
    units = [np.rint((one - corner) * 1000).astype(np.int16) for one in strokes]
    baseline = round((1 - corner[1]) * 1000) if known else UNKNOWN
    return {"label": label, "writer": writer, "strokes": units, "owners": owners, "baseline": baseline}


def arrays(samples: list[Sample], kind: str) -> dict[str, np.ndarray]:
    """The arrays of a file."""
    strokes = [stroke for one in samples for stroke in one["strokes"]]
    labels = [one["label"] for one in samples]
    writers = np.array([one["writer"] for one in samples], np.uint16)
    made = {
        "points": np.concatenate(strokes),
        "stroke_off": np.cumsum([0, *map(len, strokes)]).astype(np.int32),
        "sample_off": np.cumsum([0, *(len(one["strokes"]) for one in samples)]).astype(np.int32),
        "label": np.array(labels, np.uint8) if kind == "digits" else np.array(labels),
        "writer": writers,
        "split": (writers >= WRITERS - 2).astype(np.uint8),
        "baseline": np.array([one["baseline"] for one in samples], np.int16),
    }
    if kind == "strings":
        made["stroke_char"] = np.array([owner for one in samples for owner in one["owners"]], np.int16)
    return made


def samples_of(kind: str) -> list[Sample]:
    """The samples of a kind by all writers; the first writer has no 7, and only the even ones have all symbols."""
    if kind == "digits":
        return [sample(str(d), w, known=d != 3) for w in range(WRITERS) for d in range(10) if (w, d) != (0, 7)]
    if kind == "letters":
        return [sample(letter, writer) for writer in range(WRITERS) for letter in LETTERS]
    if kind == "symbols":
        return [sample(c, w, known=w > 1) for w in range(WRITERS) for c in (".,-/=#$*" if w % 2 == 0 else ".-")]
    apart = [sample(label, w, parts, known=w % 3 > 0) for w in range(WRITERS) for label, parts in STRINGS.items()]
    return apart + [joined(writer) for writer in range(WRITERS)]


def joined(writer: int) -> Sample:
    """Two zeros in one stroke, of which no file can say where one ends."""
    both = sample("00", writer, ("0", "0"))
    return both | {"strokes": [np.concatenate(both["strokes"])], "owners": [-1]}


def write_files(folder: Path) -> Path:
    """Write the four files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("digits", "strings", "letters", "symbols"):
        np.savez_compressed(folder / f"{kind}.npz", **arrays(samples_of(kind), kind))
    return folder
