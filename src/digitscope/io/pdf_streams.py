"""What the packed parts of a PDF unpack to, found out before PDFium sees them, and without keeping what is unpacked.

It knows Deflate alone, packed once or several times over, because nothing else makes gigabytes of a small file.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from digitscope.errors import ImageError
from digitscope.io.pixels import LARGEST_PIXELS

LARGEST_STREAM, CHUNK = 3 * LARGEST_PIXELS, 1 << 20
"""Bytes that a part of a PDF may unpack to, and bytes that are read or unpacked at a time to find out."""

MOST_LAYERS = 6
"""How many times over a part may be packed; programs that write PDFs pack once."""

_BEGIN, _END = re.compile(rb"(?<!end)stream\r?\n"), b"endstream"
_HELD = 12
"""Bytes in which a mark may have begun that ends in the next ones: "endstream", or "stream" with what is before it."""


def check_streams(file: BinaryIO, name: str) -> None:
    """Make sure that no part of a PDF unpacks to more than ``LARGEST_STREAM``; rewinds the file.

    It misses parts that are packed by another method, or used again and again by a page.

    Raises:
        ImageError: a part unpacks to more, or is packed more than ``MOST_LAYERS`` times over.
    """
    for piece, begins in _pieces(file):
        if begins:
            layers: list[zlib._Decompress | None] = []
            sizes: list[int] = []
        if _unpacks_to_more(piece, layers, sizes, 0):
            raise ImageError(
                f"{name} is a PDF in which a part unpacks to more than {LARGEST_STREAM:,} bytes, or is packed more "
                f"than {MOST_LAYERS} times over; print it to a new PDF"
            )
    file.seek(0)


def _pieces(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The packed parts of a PDF in pieces, and whether a part begins with it; one without an end reaches to the file's.

    Memory holds one piece, however large the file is.
    """
    rest, inside, more = b"", False, True
    while more:
        block = file.read(CHUNK)
        window, at, more = rest + block, 0, bool(block)
        while inside or (begun := _BEGIN.search(window, at)) is not None:
            at = at if inside else begun.end()  # type: ignore[union-attr]
            end = window.find(_END, at)
            stop = end if end >= 0 else max(at, len(window) - (_HELD if more else 0))
            yield window[at:stop], not inside
            at, inside = stop, end < 0
            if inside:
                break
        rest = window[at if inside else max(at, len(window) - _HELD) :]


def _unpacks_to_more(data: bytes, layers: list[zlib._Decompress | None], sizes: list[int], depth: int) -> bool:
    """Whether the next bytes of a part make a layer of it too large, or its layers too many.

    Args:
        data: the next bytes of the layer.
        layers: what unpacks each layer so far; None for one that is not packed. It is continued.
        sizes: the bytes of each layer so far. It is continued.
        depth: number of the layer, from 0.
    """
    if depth == len(layers):
        layers.append(zlib.decompressobj())
        sizes.append(0)
    while data and (unpack := layers[depth]) is not None and not unpack.eof:
        try:
            inside = unpack.decompress(data, CHUNK)
        except zlib.error:
            layers[depth] = None
            break
        data = unpack.unconsumed_tail
        sizes[depth] += len(inside)
        too_much = sizes[depth] > LARGEST_STREAM or (inside and depth == MOST_LAYERS)
        if too_much or _unpacks_to_more(inside, layers, sizes, depth + 1):
            return True
    return False
