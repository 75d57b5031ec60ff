"""Any file becomes a stream of pages, and a bad one becomes a sentence."""

from __future__ import annotations

import io
import itertools
import struct
import tracemalloc
import warnings
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from digitscope.io.document import GIVE_UP_AFTER, MOST_PAGES, Scan, scans
from digitscope.io.image import load_picture
from digitscope.io.pdf import PDF_LONGEST
from digitscope.io.pixels import LARGEST_PIXELS
from hostile_files import from_objects

MARK = b"1 0 0 rg 10 10 60 20 re f"
"""Draws a red block near the lower left corner of a PDF's page."""


def sheet(level: int, size: tuple[int, int] = (60, 40)) -> Image.Image:
    """A grey sheet with a black block at its top left, so that turning it shows."""
    pixels = np.full((size[1], size[0]), level, np.uint8)
    pixels[:10, :20] = 0
    return Image.fromarray(pixels)


def encoded(pages: list[Image.Image], form: str, **options) -> bytes:
    file = io.BytesIO()
    pages[0].save(file, form, save_all=len(pages) > 1, append_images=pages[1:], **options)
    return file.getvalue()


def pdf(*boxes: str, count: int | None = None) -> bytes:
    """A PDF written by hand with a page for every media box; they are the objects from number 4 on."""
    kids = b" ".join(b"%d 0 R" % number for number in range(4, 4 + len(boxes)))
    pages = [b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 3 0 R >>" % box.encode() for box in boxes]
    return from_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(boxes) if count is None else count),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(MARK), MARK),
        *pages,
    )


@cache
def samples() -> dict[str, bytes]:
    """A small file of every kind, by name."""
    pages = [sheet(level) for level in (90, 160, 230)]
    return {
        "png": encoded(pages[:1], "PNG"),
        "jpeg": encoded(pages[:1], "JPEG"),
        "tiff": encoded(pages, "TIFF"),
        "tiff packed": encoded(pages, "TIFF", compression="tiff_lzw"),
        "gif": encoded(pages, "GIF"),
        "webp": encoded(pages, "WEBP", lossless=True),
        "pdf": pdf("[0 0 200 100]", "[0 0 100 200]"),
        "pdf of pictures": encoded(pages, "PDF"),
    }


def pixels_of(scan: Scan) -> np.ndarray:
    assert scan.error is None, scan.error
    return scan.picture.pixels


@pytest.mark.parametrize(("name", "pages"), [("png", 1), ("gif", 1), ("webp", 1), ("tiff", 3), ("tiff packed", 3)])
def test_pictures_and_tiffs(name: str, pages: int, tmp_path: Path):
    path = tmp_path / "named.wrongly"
    path.write_bytes(samples()[name])
    found = list(scans(path))
    assert [(scan.file, scan.page) for scan in found] == [(str(path), page) for page in range(1, pages + 1)]
    assert np.array_equal(pixels_of(found[0]), load_picture(path).pixels), "the first page is what load_picture gives"
    for scan, level in zip(found, (90, 160, 230), strict=False):
        assert pixels_of(scan)[0, 0].max() == 0 and pixels_of(scan)[-1, -1].max() == level
    assert [pixels_of(scan).tobytes() for scan in scans(samples()[name])] == [pixels_of(s).tobytes() for s in found]


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("value", range(1, 9))
def test_every_page_of_a_tiff_is_upright(value: int, compression: str | None):
    exif = Image.Exif()
    exif[0x0112] = value
    content = encoded([sheet(90), sheet(200)], "TIFF", exif=exif, compression=compression)
    with Image.open(io.BytesIO(content)) as image:
        for number, scan in enumerate(scans(content)):
            image.seek(number)
            upright = np.asarray(ImageOps.exif_transpose(image))
            assert np.array_equal(pixels_of(scan), upright)
            assert (scan.picture.width, scan.picture.height) == upright.shape[::-1]


def test_thumbnails_in_a_tiff_are_no_pages():
    info = [Image.Exif(), Image.Exif(), Image.Exif()]
    for exif, kind in zip(info, (0, 1, 2), strict=True):
        exif[0x00FE] = kind
    pages = [sheet(level) for level in (90, 160, 230)]
    for page, exif in zip(pages, info, strict=True):
        page.encoderinfo = {"exif": exif}
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], exif=info[0])
    assert [pixels_of(scan)[-1, -1] for scan in scans(file.getvalue())] == [90, 230]


def test_pages_of_a_pdf_are_drawn_at_the_size_asked_for(tmp_path: Path):
    path = tmp_path / "two.pdf"
    path.write_bytes(b"\n\n" + samples()["pdf"])
    wide, high = scans(str(path), 400)
    assert (wide.file, wide.page, high.page) == (str(path), 1, 2)
    assert pixels_of(wide).shape == (200, 400, 3) and pixels_of(high).shape == (400, 200, 3)
    assert (wide.picture.width, wide.picture.height) == (400, 200)
    assert pixels_of(wide)[5, 5].tolist() == [255, 255, 255]
    assert pixels_of(wide)[200 - 40, 80].tolist() == [255, 0, 0], "RGB, the origin at the lower left"
    assert max(pixels_of(next(scans(path))).shape) == PDF_LONGEST
    for number in range(1, 60):
        assert max(pixels_of(next(scans(pdf(f"[0 0 {number * 7.3} 10]"), 97 + number))).shape) == 97 + number


def test_pictures_within_a_pdf():
    levels = [int(pixels_of(scan)[-10, -10, 0]) for scan in scans(samples()["pdf of pictures"], 120)]
    assert np.abs(np.array(levels) - (90, 160, 230)).max() <= 2


def test_what_is_typed_into_a_form_is_seen():
    look = b"0 g 0 0 80 40 re f"
    content = from_objects(
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Annots [4 0 R] >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (7) /Rect [20 20 100 60] /F 4 /AP << /N 5 0 R >> >>",
        b"<< /Subtype /Form /BBox [0 0 80 40] /Length %d >>\nstream\n%s\nendstream" % (len(look), look),
    )
    (scan,) = scans(content, 200)
    assert pixels_of(scan)[60, 60].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "box",
    [
        "[0 0 0 0]",
        "[0 0 1000000 1000000]",
        "[0 0 1000000 1]",
        "[100 100 0 0]",
        "[-1 -1 -100 -50]",
        "[0 0 1e38 1]",
        "[0 0 0.001 0.002]",
        "[0 0 99999999999999999999 1]",
        "[]",
        "5",
        "[0 0 (a) /b]",
    ],
)
def test_absurd_pages_take_no_memory(box: str):
    tracemalloc.start()
    (scan,) = scans(pdf(box), 300)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    assert max(pixels_of(scan).shape) == 300
    huge = next(scans(pdf("[0 0 1000000 1]"), 10**9))
    assert pixels_of(huge).size <= 3 * LARGEST_PIXELS


def locked() -> bytes:
    """A PDF that says it is encrypted, with a password that nobody knows."""
    key = b"<" + b"41" * 32 + b">"
    entry = b"/ID [<01><01>] /Encrypt << /Filter /Standard /V 1 /R 2 /O %s /U %s /P -4 >>" % (key, key)
    return from_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        trailer=entry,
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a PNG"),
        (b"no picture at all", "is not a PNG"),
        (b"%PDF-1.4\n", "is damaged"),
        (b"%PDF-1.4\n" + bytes(3000), "is damaged"),
        (pdf(), "without pages"),
        (locked(), "locked with a password"),
    ],
)
def test_what_cannot_be_used_says_why(content: bytes, words: str, tmp_path: Path):
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    for source in (path, content):
        (scan,) = scans(source, name="mine")
        assert scan.picture is None and words in scan.error and "\n" not in scan.error
        assert (scan.file, scan.page) == ("mine", 1)
    assert str(path) in next(scans(path)).error


def test_paths_that_lead_nowhere(tmp_path: Path):
    for source in (tmp_path, tmp_path / "missing.pdf", "/dev/null", "a\0b", "\udcff.png", "x" * 5000):
        (scan,) = scans(source)
        assert scan.picture is None and scan.file == str(source) and "\n" not in scan.error
    assert next(scans(b"")).file == "-"


def test_a_damaged_page_does_not_stop_the_others():
    content = samples()["tiff packed"]
    with Image.open(io.BytesIO(content)) as image:
        image.seek(1)
        (start,), (length,) = image.tag_v2[273], image.tag_v2[279]
    broken = content[:start] + bytes(length) + content[start + length :]
    first, second, third = scans(broken, name="scan.tif")
    assert pixels_of(first)[-1, -1] == 90 and pixels_of(third)[-1, -1] == 230
    assert second.picture is None and "page 2 is damaged" in second.error

    kids = samples()["pdf"].replace(b"/Kids [4 0 R 5 0 R] /Count 2", b"/Kids [4 0 R 9 0 R 5 0 R] /Count 3")
    found = list(scans(kids, 100))
    assert [scan.page for scan in found] == list(range(1, len(found) + 1))
    assert sum(scan.picture is not None for scan in found) == 2 and "damaged" in found[1].error


def test_pages_that_are_only_claimed_end_soon():
    *_, last = found = list(scans(pdf("[0 0 100 100]", count=1_000_000), 50))
    assert len(found) == 1 + GIVE_UP_AFTER and last.error.endswith("the pages after it are skipped")


def test_a_file_with_too_many_pages(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("digitscope.io.document.MOST_PAGES", 2)
    *pages, last = scans(samples()["tiff"])
    assert [scan.error for scan in pages] == [None, None] and "more than 2 pages" in last.error
    assert MOST_PAGES > 2


@pytest.mark.parametrize("form", ["TIFF", "PDF"])
def test_pages_are_decoded_one_by_one(form: str, tmp_path: Path):
    path = tmp_path / "many"
    path.write_bytes(encoded([sheet(60 + page, (900, 700)) for page in range(100)], form))
    tracemalloc.start()
    levels, most = [], []
    for scan in scans(path, 600):
        levels.append(int(pixels_of(scan)[-20, -20].max()))
        most.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert np.abs(np.array(levels) - np.arange(60, 160)).max() <= 2
    assert most[-1] - most[9] < 500_000, "the hundredth page takes no more than the tenth"


def test_a_reader_that_stops_early_leaves_the_file_closed(tmp_path: Path):
    path = tmp_path / "a.pdf"
    path.write_bytes(samples()["pdf"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stream = scans(path, 50)
        assert next(stream).error is None
        stream.close()
        assert len(list(itertools.islice(scans(path, 50), 1))) == 1


@pytest.mark.parametrize("side", [20_000, 100_000])
def test_bombs_are_refused_by_their_header(side: int):
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    (scan,) = scans(b"\x89PNG\r\n\x1a\n" + body)
    assert f"{LARGEST_PIXELS:,} pixels" in scan.error
    second = Image.new("1", (40, 40))
    content = bytearray(encoded([second, second], "TIFF"))
    with Image.open(io.BytesIO(content)) as image:
        image.seek(1)
        start = image._frame_pos[1]
    for entry in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", content, start)[0], 12):
        if struct.unpack_from("<H", content, entry)[0] in (256, 257):
            struct.pack_into("<HII", content, entry + 2, 4, 1, side)
    good, bomb = scans(bytes(content))
    assert good.error is None and f"{LARGEST_PIXELS:,} pixels" in bomb.error


def checked(content: bytes) -> None:
    """Scans numbered from 1, each a picture or one sentence; no exception, no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number, scan in enumerate(itertools.islice(scans(content, 64), 50), 1):
            assert scan.page == number and (scan.picture is None) != (scan.error is None)
            if scan.error is None:
                assert 0 < max(scan.picture.pixels.shape[:2]) <= 64 and scan.picture.pixels.dtype == np.uint8
            else:
                assert "\n" not in scan.error and len(scan.error) < 500


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["", "%PDF-1.7\n", "\x89PNG\r\n\x1a\n", "II*\0\x08\0\0\0"]), st.binary(max_size=300))
@example("", b"")
def test_random_bytes(start: str, content: bytes):
    checked(start.encode("latin-1") + content)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(samples())), st.floats(0, 1))
def test_cut_files(name: str, share: float):
    content = samples()[name]
    checked(content[: int(len(content) * share)])


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(sorted(samples())),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_files_with_wrong_bytes(name: str, changes: list[tuple[float, int]]):
    content = bytearray(samples()[name])
    for place, value in changes:
        content[int(place * len(content))] = value
    checked(bytes(content))
