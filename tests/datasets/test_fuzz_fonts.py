"""Damaged fonts, and files that are no fonts: refused in one sentence."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from damage import damaged, tally
from digitscope.datasets.synthetic.glyphs import font_glyphs
from digitscope.errors import DataError


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
