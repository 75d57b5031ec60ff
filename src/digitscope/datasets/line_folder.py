"""Pictures of real lines with their texts, as ``labels.csv`` lists them: what ``synth`` and the review queue write."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np

from digitscope.datasets.synthetic.lines import SyntheticLine
from digitscope.errors import DataError, ImageError, first_line
from digitscope.formatting import cell_text
from digitscope.io.image import load_picture
from digitscope.preprocessing.line import ALPHABET

LABELS = "labels.csv"
"""The table in a folder of lines: a header, then the file and the text of each line."""

LARGEST_TABLE = 64 * 1024**2
"""Bytes of the largest table that is read: a million lines."""

LONGEST = 1600
"""Pixels of the longer side to which a line is reduced."""


class LineFolder:
    """Lines of a folder. Only their texts are kept; a picture is opened when its line is asked for.

    Attributes:
        sha256: of the table.
    """

    def __init__(self, folder: str | Path) -> None:
        """Read the table, and make sure that the pictures are there.

        Args:
            folder: it holds ``labels.csv`` with the columns ``file`` and ``text``, and the files.

        Raises:
            DataError: the table is missing or damaged, a text has other characters than ``ALPHABET``, a file is
                missing, or there is no line at all.
        """
        self._folder = Path(folder)
        path = self._folder / LABELS
        try:
            if path.stat().st_size > LARGEST_TABLE:
                raise DataError(f"{path} has more than {LARGEST_TABLE:,} bytes, which no table of lines needs")
            content = path.read_bytes()
            rows = list(csv.DictReader(content.decode().splitlines(), strict=True))
        except (OSError, ValueError, csv.Error) as error:
            raise DataError(
                f"{path} cannot be read ({first_line(error)}); give a folder with lines, such as the folder lines of "
                "an exported review queue"
            ) from error
        self._lines = [self._line_of(number, row) for number, row in enumerate(rows, 2)]
        if not self._lines:
            raise DataError(f"{path} lists no line; it needs a header file,text and a row for each line")
        self.sha256 = hashlib.sha256(content).hexdigest()

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, number: int) -> SyntheticLine:
        """A line, of which it is not known where each character stands.

        Raises:
            DataError: its picture cannot be opened.
        """
        name, text = self._lines[number]
        try:
            return SyntheticLine(load_picture(self._folder / name, LONGEST).pixels, text, ())
        except ImageError as error:
            raise DataError(str(error)) from error

    def check(self) -> None:
        """Make sure that every picture can be opened; errors as of ``line``."""
        for number in range(len(self)):
            self.line(number)

    def random(self, rng: np.random.Generator) -> SyntheticLine:
        """Any line, each as likely as the others; errors as of ``line``."""
        return self.line(int(rng.integers(len(self))))

    def _line_of(self, number: int, row: dict[str | None, str]) -> tuple[str, str]:
        """The file and the text of a row of the table."""
        place = f"{self._folder / LABELS}, line {number}"
        name, text = (cell_text(row.get(column) or "") for column in ("file", "text"))
        if not name or Path(name).name != name or not (self._folder / name).is_file():
            raise DataError(f"{place} names the file {name!r}, which is not in the folder")
        if not text or not set(text) <= set(ALPHABET):
            raise DataError(f"{place} has the text {text!r}; expected digits and {' '.join(ALPHABET[10:])}")
        return name, text
