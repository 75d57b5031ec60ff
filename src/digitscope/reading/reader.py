"""The reader: a picture or a file in; its digits and numbers out, each with a confidence or a reason for refusing it.

``reading.digit`` reads a single digit, ``reading.page`` all the numbers on a page.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from digitscope.errors import ConfigError, ImageError, first_line
from digitscope.io.document import Scan, picture_of, scans
from digitscope.io.elements import Number
from digitscope.io.image import ImageSource
from digitscope.io.page import Page
from digitscope.io.pixels import Picture
from digitscope.models.model import Model, load
from digitscope.preprocessing import ink
from digitscope.reading.constraint import Constraint
from digitscope.reading.digit import SURE as SURE_OF_DIGIT
from digitscope.reading.digit import read_digit
from digitscope.reading.engine import Engine
from digitscope.reading.engine_rapidocr import installed_network
from digitscope.reading.page import LONGEST, PageReader, check_rotation
from digitscope.reading.page import SURE as SURE_OF_NUMBER
from digitscope.reading.second_look import second_look

THIN = 16
"""Pixels of the shorter side that a picture must keep when it is reduced. Of 30 numbers of MNIST's training digits, in
strips reduced to heights of 24, 16, 14, 12, 10 and 8 pixels, the own engine's best guesses were right for 30, 29, 25,
20, 8 and 1."""

DIGIT_MODEL = "reader-digit"
"""The shipped model that reads single digits. ``robust`` has seen MNIST alone."""


class Reader:
    """Reads handwritten digits and numbers. Opening it is the slow part, so use it again and again."""

    def __init__(
        self,
        model: str | Path | Model = DIGIT_MODEL,
        engine: str | Path | Sequence[Engine] = "auto",
        min_confidence: float | None = None,
        untrusted: bool = False,
    ) -> None:
        """Open a reader.

        Args:
            model: for single digits: a model, or what ``digitscope.load`` takes.
            engine: for lines: ``"own"``, Digitscope's network; ``"ocr"``, RapidOCR's network together with it;
                ``"auto"``, the second where its package is installed, else the first; an ``.onnx`` file with a network
                like the own one; or several engines (``reading.engine.Engine``). A page says which read it.
            min_confidence: 0..1, below which an answer is refused; None takes ``reading.digit.SURE`` for single digits
                and ``reading.page.SURE`` for numbers.
            untrusted: whether files come from strangers: pictures are then decoded as PDFs always are, in a child
                process with limits (``io.decoder``), where what makes a decoder hang or crash costs one page.

        Raises:
            ConfigError: there is no such model or engine, or ``min_confidence`` is not within 0..1.
            MissingExtra: the engine is ``"ocr"``, and rapidocr is not installed.
            ModelError: a file is damaged, or not a classifier of 28x28 digits or a line reader.
        """
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise ConfigError(f"min_confidence={min_confidence} is out of range; expected 0 to 1")
        self.min_confidence, self.untrusted = min_confidence, untrusted
        self._model, self._engine = model, engine
        # What is not the default may be missing or damaged: open it now, so that the error comes here.
        if model != DIGIT_MODEL:
            _ = self.model
        if engine not in ("auto", "own"):
            _ = self.pages

    @cached_property
    def model(self) -> Model:
        """The model for single digits; opened when it is first needed."""
        return self._model if isinstance(self._model, Model) else load(self._model)

    @cached_property
    def _chosen(self) -> str | Path | Sequence[Engine]:
        """The engine for lines, with the one that ``"auto"`` stands for here; looked up when it is first needed."""
        if self._engine != "auto":
            return self._engine
        return "own" if installed_network() is None else "ocr"

    @cached_property
    def pages(self) -> PageReader:
        """The reader of lines; opened when it is first needed."""
        return PageReader(self._chosen, SURE_OF_NUMBER if self.min_confidence is None else self.min_confidence)

    def read(
        self,
        image: ImageSource,
        *,
        rotate: int | None = None,
        length: int | None = None,
        pattern: str | None = None,
        max_value: int | None = None,
    ) -> Page:
        """Read all the numbers in a picture: a page of them, or one line cut out.

        Args:
            image: as for ``digit``. Of a file with several pages this reads the first; ``read_file`` reads them all.
            rotate: degrees 0 | 90 | 180 | 270 by which to turn it counter-clockwise first; None tries them.
            length: number of digits of every number, if that is known.
            pattern: ``#`` for a digit, anything else for itself, e.g. ``"#####-####"``.
            max_value: the largest value that a number may have.

        Returns:
            The page with its lines, numbers and digits. Its ``text`` is what was accepted; a refused number has a
            ``reason``. ``show()`` opens the page with boxes drawn.

        Raises:
            ImageError: it cannot be used as a picture.
            ConfigError: an option is out of range, or two contradict each other.
        """
        constraint = Constraint.of(length, pattern, max_value)
        name = str(image) if isinstance(image, str | os.PathLike) else ""
        picture = picture_of(image, LONGEST, self.untrusted)
        return self._page(name, 1, picture, False, rotate, constraint)

    def read_file(
        self,
        file: str | Path | bytes,
        name: str | None = None,
        *,
        single: bool = False,
        rotate: int | None = None,
        length: int | None = None,
        pattern: str | None = None,
        max_value: int | None = None,
    ) -> Iterator[Page]:
        """Read every page of an image, a TIFF or a PDF, in order.

        A bad page does not stop the others: its ``error`` says why it could not be read. The same holds for a file that
        cannot be opened; it counts as one page.

        Args:
            file: its path, or its bytes.
            name: what the pages call the file; default its path, ``"-"`` for bytes.
            single: whether every page holds one digit, as for ``digit``.
            rotate: as for ``read``.
            length: as for ``read``.
            pattern: as for ``read``.
            max_value: as for ``read``.

        Returns:
            The pages, each decoded and read only when its turn comes. Each keeps its pixels for ``show()``, some
            megabytes.

        Raises:
            ConfigError: an option is out of range, or two contradict each other.

        >>> [page.error for page in Reader().read_file(b"GIF89a")]
        ['the file of 6 bytes is not a PNG, JPEG, BMP, TIFF, WebP or GIF image; convert it first']
        """
        check_rotation(rotate)
        constraint = Constraint.of(length, pattern, max_value)
        if single and (rotate is not None or constraint is not None):
            raise ConfigError("single reads one digit a page; leave out rotate, length, pattern and max_value")
        return (
            self.scan(scan, single=single, rotate=rotate, constraint=constraint)
            for scan in scans(file, ink.LONGEST if single else LONGEST, name, self.untrusted)
        )

    def scan(
        self, scan: Scan, *, single: bool = False, rotate: int | None = None, constraint: Constraint | None = None
    ) -> Page:
        """Read one page that ``io.document.scans`` has opened; ``read_file`` does this for every page of a file.

        Args:
            scan: the page, its longer side reduced to ``reading.page.LONGEST`` pixels, or ``preprocessing.ink.LONGEST``
                if ``single``: a larger page takes longer and is read no better.
            single: whether it holds one digit, as for ``digit``.
            rotate: as for ``read``.
            constraint: what is known about the form of every number.

        Returns:
            The page; one that cannot be read has an ``error`` instead of numbers.
        """
        if scan.picture is None:
            return _unread(scan, scan.error)
        try:
            return self._page(scan.file, scan.page, scan.picture, single, rotate, constraint)
        except ImageError as error:
            return _unread(scan, str(error))
        except Exception as error:  # one page of ten thousand must not stop the others
            reason = f"{type(error).__name__}: {first_line(error)}"
            return _unread(scan, f"{scan.file} page {scan.page} could not be read ({reason}); please report this")

    def digit(self, image: ImageSource) -> Number:
        """Read the one digit in a picture.

        Args:
            image: the path or the bytes of an image file, a PIL image, or an array (h, w), (h, w, 3) or (h, w, 4) of
                bool, uint8, uint16, or floats 0..1; pen and paper may have any colour.

        Returns:
            The digit, with its box in pixels of the upright picture; or a refusal, with None as its ``text`` and a
            ``reason``: "blank", "too small", "several digits", "no digit" or "too uncertain".

        Raises:
            ImageError: it cannot be used as a picture.

        >>> from digitscope.datasets.mnist import load_mnist
        >>> Reader().digit(load_mnist()[1][0][0]).text
        '7'
        """
        return self._digit(picture_of(image, ink.LONGEST, self.untrusted))

    def _page(
        self, file: str, number: int, picture: Picture, single: bool, rotate: int | None, constraint: Constraint | None
    ) -> Page:
        """Read a picture as a page of a file."""
        numbers: tuple[Number, ...]
        start = time.perf_counter()
        if single:
            degrees, numbers = 0, (self._digit(picture),)
        else:
            _check_shape(picture, file)
            degrees, numbers = self.pages.numbers(picture, rotate, constraint)
            numbers = tuple(
                second_look(one, picture, degrees, self.model) if len(one.text or "") == 1 else one for one in numbers
            )
        milliseconds = round((time.perf_counter() - start) * 1000, 3)
        size = picture.width, picture.height
        engine = None if single else str(self._chosen) if isinstance(self._chosen, str | Path) else "several"
        return Page(file, number, *size, degrees, numbers, milliseconds, engine=engine, pixels=picture.pixels)

    def _digit(self, picture: Picture) -> Number:
        return read_digit(picture, self.model, SURE_OF_DIGIT if self.min_confidence is None else self.min_confidence)


def _check_shape(picture: Picture, file: str) -> None:
    """Make sure that a picture is not so long and thin that its writing vanishes when it is reduced.

    Raises:
        ImageError: it is.
    """
    low = min(picture.pixels.shape[:2])
    if low < THIN <= min(picture.width, picture.height):
        most = LONGEST * min(picture.width, picture.height) // THIN
        raise ImageError(
            f"{file or 'the picture'} is {picture.width:,}x{picture.height:,} px, too long to be read as one; "
            f"cut it between numbers into pieces of at most {most:,} px"
        )


def _unread(scan: Scan, error: str | None) -> Page:
    """The page of a scan that could not be read."""
    return Page(scan.file, scan.page, 0, 0, 0, (), 0.0, error=error)
