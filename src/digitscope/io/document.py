"""Any file as a stream of pages: pictures, TIFFs of several pages, PDFs. It does not look at what is on a page.

Whatever the bytes are, the result is a ``Scan`` for each page; a page that cannot be used carries the reason. Only one
page is decoded at a time. A PDF is drawn by a child process with limits (``io.decoder``), because nothing else ends
what PDFium has begun; pictures are decoded there, too, if the caller says that they come from strangers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digitscope.errors import ImageError
from digitscope.io.decoder import Decoder
from digitscope.io.image import ImageSource, load_frames, load_picture, opened
from digitscope.io.pdf import is_pdf
from digitscope.io.pixels import Picture

SUFFIXES = (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pdf", ".png", ".tif", ".tiff", ".webp")
"""The suffixes that such files usually have."""

MOST_PAGES = 10_000
"""The most pages of a file that are read; a small file may claim to have millions."""

GIVE_UP_AFTER = 20
"""Bad pages in a row after which the rest of a file is skipped."""

_decoder = Decoder()
"""Its children draw every PDF of this process, and decode its pictures if they are said to be untrusted."""


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


def picture_of(source: ImageSource, longest: int | None = None, untrusted: bool = False) -> Picture:
    """A picture as ``io.image.load_picture`` gives it; if its file is ``untrusted``, a child process decodes it.

    Raises:
        ImageError: as ``load_picture``; also if it takes too long or too much memory.
    """
    if not untrusted or not isinstance(source, bytes | bytearray | memoryview | str | os.PathLike):
        return load_picture(source, longest)
    found = next(_decoder.pages(source, longest, pdf=False))
    if isinstance(found, ImageError):
        raise found
    return found


def scans(
    source: str | Path | bytes, longest: int | None = None, name: str | None = None, untrusted: bool = False
) -> Iterator[Scan]:
    """Yield the pages of a file, each decoded only when its turn comes; a bad file gives an error, not an exception.

    The bytes tell the kind of file, not its name. A picture is one page (an animation its first frame), a TIFF or a PDF
    as many as it has.

    Args:
        source: the path of a file, or its bytes.
        longest: pixels of a page's longer side. A PDF is drawn at that size, by default at ``io.pdf.PDF_LONGEST``; a
            larger picture is reduced to it, by default not at all.
        name: what to call the file; by default its path, ``"-"`` for bytes.
        untrusted: whether a child process decodes pictures, too, and not only PDFs: what breaks a decoder then costs
            one page. It costs the start of a process, and some milliseconds for each picture.

    >>> [scan.error for scan in scans(b"GIF89a")]
    ['the file of 6 bytes is not a PNG, JPEG, BMP, TIFF, WebP or GIF image; convert it first']
    """
    file = name if name is not None else "-" if isinstance(source, bytes) else str(source)
    bad_in_a_row = 0
    for number, page in enumerate(_pages(source, longest, untrusted), 1):
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


def _pages(
    source: str | os.PathLike[str] | bytes, longest: int | None, untrusted: bool
) -> Iterator[Picture | ImageError]:
    """The pages of a file of any kind."""
    try:
        with opened(source) as (file, name):
            pdf = is_pdf(file)
            if not pdf and not untrusted:
                yield from (page for _, page in load_frames(file, name, longest))
                return
        yield from _decoder.pages(source, longest, pdf)
    except ImageError as error:
        yield error
