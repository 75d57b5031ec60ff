"""Damaged and hostile fonts and PDFs, and odd requests to the server: refused in one sentence, without gigabytes."""

from __future__ import annotations

import asyncio
import random
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from test_documents import from_objects

from damage import damaged, tally
from digitscope.datasets.synthetic.glyphs import font_glyphs
from digitscope.errors import DataError
from digitscope.io.document import LARGEST_STREAM, scans
from digitscope.models.model import load

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


def font() -> bytes:
    """A small font with the ten digits: each a box of its own width."""
    builder = pytest.importorskip("fontTools.fontBuilder")
    pens = pytest.importorskip("fontTools.pens.ttGlyphPen")
    names = [".notdef", *(f"digit{digit}" for digit in range(10))]
    glyphs = {}
    for number, name in enumerate(names):
        pen = pens.TTGlyphPen(None)
        pen.moveTo((50, 0))
        for corner in ((50, 700), (200 + 40 * number, 700), (200 + 40 * number, 0)):
            pen.lineTo(corner)
        pen.closePath()
        glyphs[name] = pen.glyph()
    made = builder.FontBuilder(1000, isTTF=True)
    made.setupGlyphOrder(names)
    made.setupCharacterMap({ord("0") + digit: f"digit{digit}" for digit in range(10)})
    made.setupGlyf(glyphs)
    made.setupHorizontalMetrics(dict.fromkeys(names, (700, 50)))
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    made.setupOS2()
    made.setupPost()
    file = BytesIO()
    made.save(file)
    return file.getvalue()


def test_damaged_fonts(tmp_path: Path):
    path, good = tmp_path / "a.ttf", font()
    path.write_bytes(good)
    whole = font_glyphs(path)
    assert whole is not None and {"0", "1", "8"} <= set(whole)

    def read(seed: int) -> None:
        path.write_bytes(damaged(good, seed))
        for glyph in (font_glyphs(path) or {}).values():
            assert glyph.ink.ndim == 2 and glyph.ink.size

    assert set(tally(200, read)) == {None, "DataError"}


@pytest.mark.parametrize("content", [b"", b"no font", b"wOF2" + b"\xff" * 200, None])
def test_what_is_no_font(content: bytes | None, tmp_path: Path):
    path = tmp_path / "a.woff2"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.woff2 is not a usable font"):
        font_glyphs(path)


def test_odd_requests_are_answered(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
    from digitscope.web.lens import server as app

    monkeypatch.setattr(app, "page_model", lambda model, snapshots: {"name": "classic"})
    served = app.create_app(load("classic"))
    rng = random.Random(0)
    parts = ("/", "..", "index.html", "%", "\0", "é", "a" * 3000, "model.json", ".", "?")
    hosts = (b"localhost", b"localhost", b"", b"\xff\xfe", b"a" * 5000, b"127.0.0.1:99999999")
    seen = set()
    for _ in range(150):
        path = "/" + "".join(rng.choices(parts, k=rng.randrange(4)))
        headers = [(b"host", rng.choice(hosts)), (rng.choice((b"range", b"accept-encoding")), rng.randbytes(9))]
        seen.add(asyncio.run(status_of(served, rng.choice(("GET", "GET", "POST", "\0")), path, headers)))
    assert seen - {307} == {200, 400, 404, 405}


async def status_of(served: Any, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> int:
    """What the application answers to a request, past the parser of the web server."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"\0", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode("utf-8", "replace"), "query_string": b"a=%ff&&", "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8128),
    }  # fmt: skip
    await served(scope, receive, send)
    return int(sent[0]["status"])
