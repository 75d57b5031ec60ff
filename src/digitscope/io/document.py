"""Any file as a stream of pages: pictures, TIFFs of several pages, PDFs. It finds out nothing about what is on a page.

Whatever the bytes are, the outcome is a ``Scan`` per page; a page that cannot be used carries the reason. Only one
page is decoded at a time. A PDF is drawn at the size that is asked for, so its own sizes cannot make it large; one of
which a part unpacks to more than the largest picture is not given to PDFium, which would take gigabytes.
"""

from __future__ import annotations

import math
import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from digitscope.errors import ImageError
from digitscope.io.image import LARGEST_PIXELS, Picture, explained, load_frames, opened

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

SUFFIXES = (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pdf", ".png", ".tif", ".tiff", ".webp")
"""Endings of the names that such files usually have."""

PDF_LONGEST = 2000
"""Pixels of the longer side of a PDF's page where nothing else is asked for: 170 dpi for A4."""

MOST_PAGES = 10_000
"""Pages of a file that are read; a small file may claim millions."""

LOST = 20
"""Pages in a row that cannot be decoded before the rest of a file is given up."""

REOPENED_AFTER = 20
"""Pages of a PDF after which it is opened anew: PDFium keeps all that it ever read of an open one in memory."""

LARGEST_STREAM, CHUNK = 3 * LARGEST_PIXELS, 1 << 20
"""Bytes that a part of a PDF may unpack to, and bytes that are unpacked at once to find that out."""

MOST_PACKED = 1032
"""Bytes that one byte of Deflate can stand for. Source: zlib's technical notes."""

_PDF_MARK, _PDF_MARK_WITHIN = b"%PDF-", 1024
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_pdfium = threading.RLock()
"""PDFium works for one thread at a time; the garbage collector may close a document while another one is drawn."""


@dataclass(frozen=True, eq=False)
class Scan:
    """A page of a file, or why it cannot be used.

    Attributes:
        file: name of the file.
        page: its number in the file, from 1.
        picture: the page, upright; of a PDF its ``width`` and ``height`` are those it was drawn with. None if it cannot
            be used.
        error: why it cannot be used, in one sentence; else None.
    """

    file: str
    page: int
    picture: Picture | None
    error: str | None


def scans(source: str | Path | bytes, longest: int | None = None, name: str | None = None) -> Iterator[Scan]:
    """The pages of a file, one after the other, each decoded when it is asked for; never an exception for a bad file.

    The kind of file is told by its bytes. A picture is one page (of an animation the first frame), a TIFF and a PDF as
    many as they have.

    Args:
        source: the path of a file, or its bytes.
        longest: pixels of a page's longer side: what a PDF is drawn with (default ``PDF_LONGEST``), and to what a
            larger picture is reduced (default: not at all).
        name: what to call the file; default its path, ``"-"`` for bytes.

    >>> [scan.error for scan in scans(b"GIF89a")]
    ['the file of 6 bytes is not a PNG, JPEG, BMP, TIFF, WebP or GIF image; convert it first']
    """
    file = name if name is not None else "-" if isinstance(source, bytes) else str(source)
    lost = 0
    for number, page in enumerate(_pages(source, longest), 1):
        lost = lost + 1 if isinstance(page, ImageError) else 0
        if number > MOST_PAGES:
            yield Scan(file, number, None, f"{file} has more than {MOST_PAGES:,} pages; split it, the rest is not read")
            return
        if isinstance(page, Picture):
            yield Scan(file, number, page, None)
        else:
            yield Scan(file, number, None, f"{page}; the pages after it are given up" if lost == LOST else str(page))
        if lost == LOST:
            return


def _pages(source: str | Path | bytes, longest: int | None) -> Iterator[Picture | ImageError]:
    """The pages of a file, whatever its kind."""
    try:
        with opened(source) as (file, name):
            is_pdf = _PDF_MARK in file.read(_PDF_MARK_WITHIN)
            file.seek(0)
            if is_pdf:
                _check_streams(file, name)
            yield from (_pdf_pages if is_pdf else load_frames)(file, name, longest)
    except ImageError as error:
        yield error


def _check_streams(file: BinaryIO, name: str) -> None:
    """Make sure that no part of a PDF unpacks to more than ``LARGEST_STREAM``; the file is at its start again.

    What is packed twice or otherwise than by Deflate, or used by a page again and again, is left to PDFium.

    Raises:
        ImageError: one does.
    """
    content = file.read()
    file.seek(0)
    for packed in _streams(content):
        if len(packed) * MOST_PACKED > LARGEST_STREAM and _unpacks_to_more(packed):
            raise ImageError(
                f"{name} is a PDF of which a part unpacks to more than {LARGEST_STREAM:,} bytes; print it to a new PDF"
            )


def _streams(content: bytes) -> Iterator[memoryview]:
    """The packed parts of a PDF; one whose end is missing reaches to the end of the file."""
    end = 0
    while end >= 0 and (begun := _STREAM.search(content, end)):
        end = content.find(b"endstream", begun.end())
        yield memoryview(content)[begun.end() : end if end >= 0 else None]


def _unpacks_to_more(packed: memoryview) -> bool:
    """Whether bytes are packed by Deflate, and come from more than ``LARGEST_STREAM``; none of them is kept."""
    unpack, size = zlib.decompressobj(), 0
    try:
        for start in range(0, len(packed), CHUNK):
            waiting: bytes | memoryview = packed[start : start + CHUNK]
            while waiting and not unpack.eof:
                size += len(unpack.decompress(waiting, CHUNK))
                if size > LARGEST_STREAM:
                    return True
                waiting = unpack.unconsumed_tail
    except zlib.error:
        pass
    return False


def _pdf_pages(file: BinaryIO, name: str, longest: int | None) -> Iterator[Picture | ImageError]:
    """The pages of a PDF, opened anew for every ``REOPENED_AFTER`` of them."""
    start, count = 0, 1
    while start < count:
        with _opened_pdf(file, name) as document:
            count = len(document)
            for number in range(start, min(start + REOPENED_AFTER, count)):
                page: Picture | ImageError
                try:
                    with _pdfium, explained(f"{name} page {number + 1}"):
                        page = _drawn(document, number, longest or PDF_LONGEST)
                except ImageError as error:
                    page = error
                yield page
        start += REOPENED_AFTER


@contextmanager
def _opened_pdf(file: BinaryIO, name: str) -> Iterator[PdfDocument]:
    """The PDF in an open file, with what was typed into its form.

    Raises:
        ImageError: it is damaged, locked, or has no pages.
    """
    from pypdfium2 import PdfDocument, internal, raw

    access, _callback = internal.get_bufreader(file)  # to be kept until the document is closed
    with _pdfium:
        handle = raw.FPDF_LoadCustomDocument(access, None)
        if not handle and raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD:
            raise ImageError(f"{name} is locked with a password; save it without one")
        if not handle:
            raise ImageError(f"{name} is damaged and cannot be opened as a PDF; save it anew")
        document = PdfDocument(handle)
    try:
        with _pdfium, explained(name):
            if document.get_formtype() == raw.FORMTYPE_ACRO_FORM:
                document.init_forms()
            if len(document) == 0:
                raise ImageError(f"{name} is a PDF without pages; save it anew")
        yield document
    finally:
        with _pdfium:
            document.close()


def _drawn(document: PdfDocument, number: int, longest: int) -> Picture:
    """A page of a PDF as RGB, its longer side ``longest`` pixels; never more than a square of the largest picture."""
    page = document[number]
    try:
        side = min(longest, math.isqrt(LARGEST_PIXELS))
        bitmap = page.render(scale=(side - 0.5) / max(page.get_size()), rev_byteorder=True)  # it rounds up
        pixels = bitmap.to_numpy().copy()
        bitmap.close()
    finally:
        page.close()
    return Picture(pixels, pixels.shape[1], pixels.shape[0])
