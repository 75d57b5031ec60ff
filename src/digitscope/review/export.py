"""A review queue as a dataset: digits in folders for ``train``, lines with their texts for ``train-reader``."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitscope import files
from digitscope.arraytypes import Levels
from digitscope.errors import ConfigError
from digitscope.formatting import cell
from digitscope.io.elements import Box
from digitscope.progress import Progress
from digitscope.review.agreement import progress_of
from digitscope.review.items import DIGIT, digits_of
from digitscope.review.store import Queued, ReviewStore

DIGITS, LINES, LABELS, CORRECTIONS = "digits", "lines", "labels.csv", "corrections.csv"
"""The folders of an export, the texts of the lines, and what is known about every exported item."""

AROUND = 0.22
"""Paper around a line, as a share of its height: as much as where lines are cut out of pages."""

READY = (28, 28)
"""A picture of this size would be taken for a finished field, so it gets a rim."""

HEAD = ("file", "text", "source", "page", "x", "y", "width", "height", "guess", "confidence", "reason", "answer")
"""The columns of ``CORRECTIONS``; ``LABELS`` has the first two."""


@dataclass(frozen=True)
class Exported:
    """What an export holds.

    Attributes:
        folder: where it is.
        digits: how many pictures of single digits.
        lines: how many lines.
    """

    folder: Path
    digits: int
    lines: int


def export(store: ReviewStore, folder: str | Path, progress: Progress | None = None) -> Exported:
    """Write what people said is written, confirmed guesses and corrections alike, as a dataset.

    ``FOLDER/digits/0`` to ``9`` holds pictures of single digits, ``FOLDER/lines`` lines with their texts in
    ``labels.csv``, ``FOLDER/corrections.csv`` where each comes from, what the guess was, and whether it was confirmed
    or corrected. What cannot be read, is disputed or has no answer is left out. A picture that was taken for one digit
    and holds several is a line.

    Args:
        store: the queue.
        folder: it must not be there yet; it appears whole or not at all.
        progress: called with the number of items done.

    Raises:
        ConfigError: the folder is there, cannot be written, or there is nothing to export.
    """
    folder = Path(folder)
    if folder.exists():
        raise ConfigError(f"{folder} exists; give another folder for the export")
    counts, stands = {DIGITS: 0, LINES: 0}, progress_of(store)
    total = stands.confirmed + stands.corrected
    with files.writing(folder, "give another folder"), files.atomic_folder(folder) as place:
        rows: list[list[str]] = []
        for queued in store.settled():
            if queued.text is not None:
                rows.append(_written(place, queued, counts))
                if progress is not None:
                    progress("export", len(rows), total, {})
        if not rows:
            raise ConfigError("the review queue has no answer with a text yet; there is nothing to export")
        _write_table(place / CORRECTIONS, HEAD, rows)
        if counts[LINES]:
            lines = [[Path(row[0]).name, row[1]] for row in rows if row[0].startswith(f"{LINES}/")]
            _write_table(place / LINES / LABELS, HEAD[:2], lines)
    return Exported(folder, counts[DIGITS], counts[LINES])


def _written(place: Path, queued: Queued, counts: dict[str, int]) -> list[str]:
    """Write the picture of an item with a text, and return its row."""
    item, text = queued.item, queued.text or ""
    one = item.kind == DIGIT and len(text) == 1
    kind, name = (f"{DIGITS}/{text}", DIGITS) if one else (LINES, LINES)
    file = f"{kind}/{queued.number:06d}.png"
    (place / kind).mkdir(parents=True, exist_ok=True)
    (place / file).write_bytes(_as_digit(item.crop) if one else _as_line(item.crop, item.frame))
    counts[name] += 1
    box = [""] * 4 if item.box is None else [*map(str, (item.box.x, item.box.y, item.box.width, item.box.height))]
    answer = "confirmed" if digits_of(text) == digits_of(item.guess) else "corrected"
    where = [item.file, str(item.page), *box]
    return [file, text, *where, item.guess, f"{item.confidence:.6f}", item.reason or "", answer]


def _as_digit(png: bytes) -> bytes:
    """A crop as the picture of a digit; training cuts it to its ink, as reading does."""
    pixels = _decoded(png)
    if pixels.shape[:2] != READY:
        return png
    return _encoded(np.asarray(cv2.copyMakeBorder(pixels, 1, 1, 1, 1, cv2.BORDER_REPLICATE), np.uint8))


def _as_line(png: bytes, frame: Box) -> bytes:
    """A crop as a line, with the paper around it that lines on pages have when they are read."""
    pixels, margin = _decoded(png), round(AROUND * frame.height)
    top, left = max(0, frame.y - margin), max(0, frame.x - margin)
    return _encoded(pixels[top : frame.y + frame.height + margin, left : frame.x + frame.width + margin])


def _decoded(png: bytes) -> Levels:
    """A crop's pixels, grey uint8 (h, w) or blue first (h, w, 3)."""
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ConfigError("a crop in the review queue is damaged; the file was changed by something else")
    return np.asarray(pixels, np.uint8)


def _encoded(pixels: Levels) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def _write_table(path: Path, head: tuple[str, ...], rows: list[list[str]]) -> None:
    """Write a CSV in which nothing is a formula."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(_cells([list(head), *rows]))


def _cells(rows: list[list[str]]) -> Iterator[list[str]]:
    return ([cell(text) for text in row] for row in rows)
