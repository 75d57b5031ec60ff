"""The pages of a PDF as pixels, drawn in this process. ``io.document`` has a child process do it (``io.decoder``).

A PDF is drawn at the size that the caller asks for, whatever its own page sizes are. How long PDFium draws, and how
much memory it takes, cannot be told beforehand: the limits of the child process are for that.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from digitscope.errors import ImageError
from digitscope.io.image import alone, decoding
from digitscope.io.pdf_streams import check_streams
from digitscope.io.pixels import LARGEST_PIXELS, Picture

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument  # for types only

PDF_LONGEST = 2000
"""Pixels of the longer side of a PDF's page if no other size is asked for: 170 dpi for A4."""

REOPENED_AFTER = 20
"""Pages after which a PDF is opened again, because PDFium keeps in memory all that it has read of an open one."""

_MARK, _MARK_WITHIN = b"%PDF-", 1024
_pdfium = threading.RLock()
"""PDFium is not thread-safe; reentrant, because the garbage collector may close a document while another is drawn."""


def is_pdf(file: BinaryIO) -> bool:
    """Whether an open file is a PDF by its first bytes; rewinds it."""
    marked = _MARK in file.read(_MARK_WITHIN)
    file.seek(0)
    return marked


def load_pdf(
    file: BinaryIO, name: str, longest: int | None = None, start: int = 0
) -> Iterator[tuple[int, Picture | ImageError]]:
    """Yield the pages of a PDF, each with its number from 0; an error for one that cannot be drawn.

    Args:
        file: the open file.
        name: what messages call it.
        longest: pixels of a page's longer side; None takes ``PDF_LONGEST``.
        start: number of the first page to yield.

    Raises:
        ImageError: the file is damaged, locked or without pages, or a part of it unpacks to gigabytes.
    """
    check_streams(file, name)
    count = start + 1
    while start < count:
        with _opened_pdf(file, name) as document:
            count = len(document)
            for number in range(start, min(start + REOPENED_AFTER, count)):
                page: Picture | ImageError
                try:
                    with _pdfium, decoding(f"{name} page {number + 1}"):
                        page = _rendered(document, number, longest or PDF_LONGEST)
                except ImageError as error:
                    page = alone(error)
                yield number, page
        start += REOPENED_AFTER


@contextmanager
def _opened_pdf(file: BinaryIO, name: str) -> Iterator[PdfDocument]:
    """The PDF in an open file, with what was typed into its form fields.

    Raises:
        ImageError: it is damaged, locked with a password, or has no pages.
    """
    from pypdfium2 import PdfDocument, internal, raw  # start-up: PDFium takes 0.07 s

    access, _callback = internal.get_bufreader(file)  # must live until the document is closed
    with _pdfium:
        handle = raw.FPDF_LoadCustomDocument(access, None)
        if not handle and raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD:
            raise ImageError(f"{name} is locked with a password; save it without one")
        if not handle:
            raise ImageError(f"{name} is damaged and cannot be opened as a PDF; save or download it again")
        document = PdfDocument(handle)
    try:
        with _pdfium, decoding(name):
            if document.get_formtype() == raw.FORMTYPE_ACRO_FORM:
                document.init_forms()
            if len(document) == 0:
                raise ImageError(f"{name} is a PDF without pages; save it again")
        yield document
    finally:
        with _pdfium:
            document.close()


def _rendered(document: PdfDocument, number: int, longest: int) -> Picture:
    """A page of a PDF as RGB, its longer side ``longest`` pixels, but never larger than ``LARGEST_PIXELS`` allow."""
    page = document[number]
    try:
        side = min(longest, math.isqrt(LARGEST_PIXELS))
        bitmap = page.render(scale=(side - 0.5) / max(page.get_size()), rev_byteorder=True)  # it rounds up
        pixels = bitmap.to_numpy().copy()
        bitmap.close()
    finally:
        page.close()
    return Picture(pixels, pixels.shape[1], pixels.shape[0])
