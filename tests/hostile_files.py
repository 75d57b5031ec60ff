"""Files that someone makes to hurt a reader, built here so that no such file lies in the repository."""

from __future__ import annotations

import zlib
from pathlib import Path

MEGABYTE = 1 << 20


def from_objects(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, of which the first is the catalogue."""
    out, places = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    end = b"startxref\n%d\n%%%%EOF\n" % len(out)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer) + end


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """An object of a PDF with data."""
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)


def nested_forms(depth: int = 12, good_pages: int = 0) -> bytes:
    """A PDF of two kilobytes whose first page draws a form ten times, which draws another ten times, and so on.

    Args:
        depth: of the forms; the last one draws a square, ten to this power times.
        good_pages: pages after it that only draw a square.
    """
    square = b"0 g 10 10 50 50 re f"
    first = 5 + good_pages
    pages = b" ".join(b"%d 0 R" % number for number in range(3, 4 + good_pages))
    bad = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 100] /Contents %d 0 R /Resources %s >>" % (
        4 + good_pages, b"<< /XObject << /X %d 0 R >> >>" % first)  # fmt: skip
    good = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 100] /Contents %d 0 R >>" % (first + depth)
    forms = [
        stream(b"/X Do " * 10, b"/Type /XObject /Subtype /Form /BBox [0 0 300 100] /Resources "
               b"<< /XObject << /X %d 0 R >> >>" % (number + 1))
        for number in range(first, first + depth - 1)
    ]  # fmt: skip
    last = stream(square, b"/Type /XObject /Subtype /Form /BBox [0 0 300 100]")
    return from_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (pages, 1 + good_pages),
        bad,
        *[good] * good_pages,
        stream(b"/X Do " * 10),
        *forms,
        last,
        stream(square),
    )


def packed_twice(size: int) -> bytes:
    """A PDF of some kilobytes whose page unpacks to so many bytes, because it is packed twice."""
    pack = zlib.compressobj(9)
    once = [pack.compress(b"0 g 0 0 50 50 re f ")]
    once += [pack.compress(b" " * MEGABYTE) for _ in range(size // MEGABYTE)]
    data = zlib.compress(b"".join([*once, pack.flush()]), 9)
    return from_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R >>",
        stream(data, b"/Filter [/FlateDecode /FlateDecode]"),
    )


def sparse(path: Path, start: bytes, size: int) -> Path:
    """A file that begins with some bytes and claims so many, which take no room on the disk."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)
    return path
