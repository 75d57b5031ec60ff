"""Any file as a stream of pages: pictures, TIFFs of several pages, PDFs. It does not look at what is on a page.

Whatever the bytes are, the result is a ``Scan`` for each page; a page that cannot be used carries the reason. Only one
page is decoded at a time. A PDF is drawn at the size that the caller asks for, whatever its own page sizes are. If any
part of it unpacks to more bytes than the largest picture has, PDFium never sees it: it would take gigabytes.
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
from digitscope.io.image import decoding, load_frames, opened
from digitscope.io.pixels import LARGEST_PIXELS, Picture

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument  # for types only

SUFFIXES = (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pdf", ".png", ".tif", ".tiff", ".webp")
"""The suffixes that such files usually have."""

PDF_LONGEST = 2000
"""Pixels of the longer side of a PDF's page if no other size is asked for: 170 dpi for A4."""

MOST_PAGES = 10_000
"""The most pages of a file that are read; a small file may claim to have millions."""

GIVE_UP_AFTER = 20
"""Bad pages in a row after which the rest of a file is skipped."""

REOPENED_AFTER = 20
"""Pages after which a PDF is opened again, because PDFium keeps in memory all that it has read of an open one."""

LARGEST_STREAM, CHUNK = 3 * LARGEST_PIXELS, 1 << 20
"""Bytes that a part of a PDF may unpack to, and bytes that are unpacked at a time to find out."""

MOST_PACKED = 1032
"""Bytes that one byte of Deflate can unpack to. Source: zlib's technical notes."""

_PDF_MARK, _PDF_MARK_WITHIN = b"%PDF-", 1024
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_pdfium = threading.RLock()
"""PDFium is not thread-safe; reentrant, because the garbage collector may close a document while another is drawn."""


@dataclass(frozen=True, eq=False)
class Scan:
    """A page of a file, or why it cannot be used.

    Attributes:
        file: name of the file.
        page: its number in the file, from 1.
        picture: the page, upright; None if it cannot be used. ``width`` and ``height`` of a PDF's page are those it
            was drawn with.
        error: why it cannot be used, in one sentence; None if it can.
    """

    file: str
    page: int
    picture: Picture | None
    error: str | None


def scans(source: str | Path | bytes, longest: int | None = None, name: str | None = None) -> Iterator[Scan]:
    """Yield the pages of a file, each decoded only when its turn comes; a bad file gives an error, not an exception.

    The bytes tell the kind of file, not its name. A picture is one page (an animation its first frame), a TIFF or a PDF
    as many as it has.

    Args:
        source: the path of a file, or its bytes.
        longest: pixels of a page's longer side. A PDF is drawn at that size, by default at ``PDF_LONGEST``; a larger
            picture is reduced to it, by default not at all.
        name: what to call the file; by default its path, ``"-"`` for bytes.

    >>> [scan.error for scan in scans(b"GIF89a")]
    ['the file of 6 bytes is not a PNG, JPEG, BMP, TIFF, WebP or GIF image; convert it first']
    """
    file = name if name is not None else "-" if isinstance(source, bytes) else str(source)
    bad_in_a_row = 0
    for number, page in enumerate(_pages(source, longest), 1):
        bad_in_a_row = bad_in_a_row + 1 if isinstance(page, ImageError) else 0
        give_up = bad_in_a_row == GIVE_UP_AFTER
        if number > MOST_PAGES:
            yield Scan(
                file, number, None, f"{file} has more than {MOST_PAGES:,} pages and the rest is not read; split it"
            )
            return
        if isinstance(page, Picture):
            yield Scan(file, number, page, None)
        else:
            yield Scan(file, number, None, f"{page}; the pages after it are skipped" if give_up else str(page))
        if give_up:
            return


def _pages(source: str | Path | bytes, longest: int | None) -> Iterator[Picture | ImageError]:
    """The pages of a file of any kind."""
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
    """Make sure that no part of a PDF unpacks to more than ``LARGEST_STREAM``; rewinds the file.

    It misses parts that are packed twice, packed by another method, or used again and again by a page.

    Raises:
        ImageError: a part unpacks to more.
    """
    content = file.read()
    file.seek(0)
    for packed in _streams(content):
        if len(packed) * MOST_PACKED > LARGEST_STREAM and _unpacks_to_more(packed):
            raise ImageError(
                f"{name} is a PDF in which a part unpacks to more than {LARGEST_STREAM:,} bytes; print it to a new PDF"
            )


def _streams(content: bytes) -> Iterator[memoryview]:
    """The packed parts of a PDF; one without an end reaches to the end of the file."""
    end = 0
    while end >= 0 and (begun := _STREAM.search(content, end)):
        end = content.find(b"endstream", begun.end())
        yield memoryview(content)[begun.end() : end if end >= 0 else None]


def _unpacks_to_more(packed: memoryview) -> bool:
    """Whether bytes are packed by Deflate and unpack to more than ``LARGEST_STREAM``; nothing unpacked is kept."""
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
    """The pages of a PDF, which is opened again after every ``REOPENED_AFTER`` of them."""
    start, count = 0, 1
    while start < count:
        with _opened_pdf(file, name) as document:
            count = len(document)
            for number in range(start, min(start + REOPENED_AFTER, count)):
                page: Picture | ImageError
                try:
                    with _pdfium, decoding(f"{name} page {number + 1}"):
                        page = _rendered(document, number, longest or PDF_LONGEST)
                except ImageError as error:
                    page = error
                yield page
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
