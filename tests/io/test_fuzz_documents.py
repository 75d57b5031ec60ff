"""Damaged and hostile PDFs: refused in one sentence, without gigabytes."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from damage import tally
from digitscope.io.document import scans
from digitscope.io.pdf_streams import LARGEST_STREAM
from hostile_files import from_objects

MEGABYTE = 1 << 20


def page_of(data: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    """A PDF with a page that does what a packed stream says."""
    return from_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R >>",
        b"<< /Length %d /Filter %s >>\nstream\n%s\nendstream" % (len(data), filters, data),
    )


def packed(start: bytes, size: int) -> bytes:
    """Some text and blanks, so many bytes in all, packed."""
    pack = zlib.compressobj(1)
    whole, rest = divmod(size - len(start), MEGABYTE)
    blanks = [pack.compress(b" " * MEGABYTE) for _ in range(whole)]
    return b"".join([pack.compress(start), *blanks, pack.compress(b" " * rest), pack.flush()])


def test_a_page_that_would_unpack_to_gigabytes_is_refused(tmp_path: Path):
    square = b"0 g 0 0 50 50 re f "
    (good,) = scans(page_of(packed(square, 4 * MEGABYTE)), 20)
    assert good.picture is not None and good.picture.pixels[15, 5].tolist() == [0, 0, 0]
    bomb = page_of(packed(square, LARGEST_STREAM + 1))
    assert len(bomb) < 2_000_000
    (tmp_path / "bomb.pdf").write_bytes(bomb)

    def read(number: int) -> None:
        (scan,) = scans((bomb, tmp_path / "bomb.pdf")[number], 20)
        assert scan.picture is None and "a part unpacks to more than 300,000,000 bytes" in str(scan.error)

    tally(2, read)


@pytest.mark.parametrize("lost", [b"endstream", b"stream", b"\nendstream\nendobj\n"])
def test_a_bomb_without_an_end_is_refused(lost: bytes):
    start, _, end = page_of(packed(b"0 g ", LARGEST_STREAM + 1)).rpartition(lost)
    (scan,) = scans(start + end, 20)
    assert scan.picture is None and "a part unpacks to more than 300,000,000 bytes" in str(scan.error)


@pytest.mark.parametrize("part", [b"stream\n", b"stream\r\n", b"streamstream\n", b"stream\nendstream", b"\nstream\n x"])
def test_a_megabyte_of_streams_that_begin_is_looked_at_once(part: bytes):
    (scan,) = scans(b"%PDF-1.4\n" + part * (MEGABYTE // len(part)))
    assert scan.picture is None and "damaged" in str(scan.error)


def test_streams_that_are_not_what_they_say():
    good = packed(b"0 g 0 0 50 50 re f ", 2 * MEGABYTE)
    for data in (
        good[:-100],
        good + b"endstream" + good,
        b"x" * 400_000,
        b"stream\n" * 50_000,
        good[:50] + bytes(400_000),
    ):
        (scan,) = scans(page_of(data), 20)
        assert (scan.picture is None) != (scan.error is None)
