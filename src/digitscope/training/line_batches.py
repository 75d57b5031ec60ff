"""Batches of lines for the line reader, made by a separate process while the network learns.

The lines are synthetic; real ones that people have labelled may be among them.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Floats, Levels
from digitscope.datasets.line_folder import LineFolder
from digitscope.datasets.synthetic.lines import Lines, SyntheticLine
from digitscope.errors import DigitscopeError
from digitscope.preprocessing.line import ALPHABET, HEIGHT, line_field

Classes = npt.NDArray[np.int32]
Batch = tuple[Levels, Classes, Classes]
"""Fields uint8 (n, HEIGHT, width); classes of the texts int32 (n, LONGEST_TEXT), 0 after the end; the class of each
column int32 (n, width // 2), -1 where any answer will do."""

WIDTHS = (48, 72, 96, 128, 168, 224, 304)
"""Widths of the batches in pixels; a line goes into the narrowest that it fits in, a wider line is left out."""

MARGIN = 4
"""Pixels of paper left and right of every line, at least."""

LINES_PER_BATCH = 96
"""Lines in a batch of middle width; narrower batches hold more."""

LONGEST_TEXT = 24
"""Characters of the longest text; a longer line is left out."""

AHEAD = 24
"""Batches that are made before they are asked for."""

WARM = 20
"""New batches that the training waits for at the start; after that it also repeats old ones."""

REPEATED = 0.5
"""Share of old batches among all, at least: making a line costs more than half as much as learning from it."""

KEPT = 3000
"""Batches that are kept to be seen again; they take 1.2 GB."""


REAL = 0.1
"""Share of the lines that are real ones, where there are any."""


class LineSource(Protocol):
    """Where lines come from; the same seed and number give the same line.

    Attributes:
        seed: of all lines.
    """

    seed: int

    def line(self, index: int) -> SyntheticLine:
        """The line with this number, counted from 0."""


class MixedLines:
    """Synthetic lines, of which every tenth or so is replaced by a real one (``REAL``).

    Attributes:
        seed: of all lines.
    """

    def __init__(self, lines: LineSource, real: LineFolder) -> None:
        """Mix two sources."""
        self.seed, self._lines, self._real = lines.seed, lines, real

    def line(self, index: int) -> SyntheticLine:
        """The line with this number."""
        rng = np.random.default_rng((self.seed, index, 2))
        return self._real.random(rng) if rng.random() < REAL else self._lines.line(index)


class BatchPool:
    """New batches as they arrive, and old ones when none is ready.

    Attributes:
        next_line: number of the next line that has not been in a batch.
    """

    def __init__(self, arriving: Connection, next_line: int, rng: np.random.Generator) -> None:
        """Begin with nothing.

        Args:
            arriving: delivers ``(next line, batch)``, as ``line_batches`` yields them.
            next_line: number of the next line.
            rng: chooses which old batch is given or replaced.
        """
        self.next_line = next_line
        self._arriving, self._rng = arriving, rng
        self._seen: list[Batch] = []

    def take(self) -> Batch:
        """A new batch while fewer than ``WARM`` were seen; later an old one as often as ``REPEATED`` says, and
        whenever no new one is ready.

        Raises:
            DigitscopeError: the process that makes batches has ended.
        """
        try:
            if len(self._seen) >= WARM and (self._rng.random() < REPEATED or not self._arriving.poll()):
                return self._seen[int(self._rng.integers(len(self._seen)))]
            new: tuple[int, Batch] = self._arriving.recv()
        except (EOFError, OSError) as error:
            raise DigitscopeError(
                "the line generator died (out of memory?); train again to resume from the last save"
            ) from error
        self.next_line, batch = new
        if len(self._seen) < KEPT:
            self._seen.append(batch)
        else:
            self._seen[int(self._rng.integers(KEPT))] = batch
        return batch


@contextlib.contextmanager
def batch_pool(
    seed: int, first: int, rng: np.random.Generator, trajectories: Path | None = None, real: Path | None = None
) -> Iterator[BatchPool]:
    """A pool that a separate process fills until the block ends.

    Args:
        seed: of the lines.
        first: number of the first line.
        rng: as for ``BatchPool``.
        trajectories: as for ``datasets.synthetic.lines.Lines``.
        real: a folder of real lines (``datasets.line_folder``) to mix in; None: there are none.
    """
    context = multiprocessing.get_context("spawn")
    arriving, leaving = context.Pipe(duplex=False)
    maker = context.Process(target=_make, args=(seed, first, leaving, trajectories, real), daemon=True)
    maker.start()
    leaving.close()  # so that the pipe ends with the maker
    try:
        yield BatchPool(arriving, first, rng)
    finally:
        maker.terminate()
        maker.join()
        arriving.close()


def first_batches(source: LineSource, lines: int) -> Iterator[Batch]:
    """Yield the first batches of a source that hold at least so many lines together."""
    seen = 0
    for _, batch in line_batches(source):
        yield batch
        seen += len(batch[0])
        if seen >= lines:
            return


def line_batches(source: LineSource, first: int = 0) -> Iterator[tuple[int, Batch]]:
    """Endless batches of lines; the same source gives the same batches.

    Args:
        source: of the lines.
        first: number of the first line.

    Yields:
        The number of the next line, and a batch.
    """
    buckets = [_Bucket(width) for width in WIDTHS]
    for number in itertools.count(first):
        line, rng = source.line(number), np.random.default_rng((source.seed, number, 1))
        pixels = line_field(line.pixels)
        bucket = next((bucket for bucket in buckets if bucket.width >= pixels.shape[1] + 2 * MARGIN), None)
        if bucket is None or not fits(line.text, pixels.shape[1] // 2):
            continue
        bucket.add(line, pixels, rng)
        if bucket.full:
            yield number + 1, bucket.batch()


@dataclass(eq=False)
class _Bucket:
    """Lines of about one width, until there are enough for a batch."""

    width: int
    fields: list[Levels] = field(default_factory=list)
    texts: list[Classes] = field(default_factory=list)
    columns: list[Classes] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.fields) * self.width >= LINES_PER_BATCH * 128

    def add(self, line: SyntheticLine, pixels: Floats, rng: np.random.Generator) -> None:
        """Put a line's field float32 (HEIGHT, w) 0..1 somewhere in a wider field."""
        left = int(rng.integers(MARGIN, self.width - pixels.shape[1] - MARGIN + 1))
        padded = np.zeros((HEIGHT, self.width), np.uint8)
        padded[:, left : left + pixels.shape[1]] = np.rint(pixels * 255)
        spans = np.array(line.spans, np.float32).reshape(-1, 2) * pixels.shape[1] + left
        self.fields.append(padded)
        self.texts.append(text_classes(line.text))
        self.columns.append(column_classes(line.text, spans / 2, self.width // 2))

    def batch(self) -> Batch:
        """The lines as a batch; the bucket is empty afterwards."""
        made = np.stack(self.fields), np.stack(self.texts), np.stack(self.columns)
        self.fields, self.texts, self.columns = [], [], []
        return made


def text_classes(text: str) -> Classes:
    """The classes of a text's characters, int32 (LONGEST_TEXT,), 0 after its end."""
    classes = np.zeros(LONGEST_TEXT, np.int32)
    classes[: len(text)] = [ALPHABET.index(character) + 1 for character in text]
    return classes


def column_classes(text: str, spans: Floats, columns: int) -> Classes:
    """The class that each column should answer with, int32 (columns,).

    A character around its middle, 0 (blank) between characters, -1 where either will do.

    Args:
        text: of the line.
        spans: float32 (characters, 2), where each begins and ends, in columns; empty if that is not known.
        columns: how many there are.
    """
    if len(spans) < len(text):
        return np.full(columns, -1, np.int32)
    wanted = np.zeros(columns, np.int32)
    for left, right in spans:
        wanted[max(0, int(left)) : int(np.ceil(right))] = -1
    for (_, end), (start, _) in itertools.pairwise(spans):
        wanted[min(columns - 1, int((end + start) / 2))] = 0
    for character, (left, right) in zip(text, spans, strict=True):
        middle, reach = (left + right) / 2, 0.15 * (right - left)
        wanted[max(0, int(middle - reach)) : int(middle + reach) + 1] = ALPHABET.index(character) + 1
    return wanted


def fits(text: str, columns: int) -> bool:
    """Whether a number of columns can spell a text: one per character, and a blank between two equal ones.

    >>> fits("123", 10), fits("1111", 8)
    (True, False)
    """
    repeats = sum(a == b for a, b in itertools.pairwise(text))
    return len(text) <= LONGEST_TEXT and len(text) + repeats <= 0.8 * columns


def _make(seed: int, first: int, leaving: Connection, trajectories: Path | None, real: Path | None) -> None:
    """Make batches until this process is terminated or the training has ended."""
    cv2.setNumThreads(1)
    ahead: queue.Queue[tuple[int, Batch]] = queue.Queue(AHEAD)

    def hand_over() -> None:
        with contextlib.suppress(OSError):
            while True:
                leaving.send(ahead.get())
        os._exit(0)  # the training has ended

    threading.Thread(target=hand_over, daemon=True).start()
    lines = Lines(seed, trajectories=trajectories)
    for item in line_batches(lines if real is None else MixedLines(lines, LineFolder(real)), first):
        ahead.put(item)
