"""Characters as little pictures: MNIST's training digits and the glyphs of fonts, cut to their ink.

It lays out nothing; that is ``datasets.synthetic.lines``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitscope.arraytypes import Levels
from digitscope.datasets.load import load_dataset
from digitscope.errors import DataError

SIZE = 44
"""Pixels of height of a font's zero in the bank."""

LARGEST = 40
"""Heights of a zero that a character may be wide or high."""

LETTERS = "ACEFHKLMNRTUVWXYadfhkmnrtuvwxy"
"""Letters that look like no digit."""

CHARACTERS = "0123456789.,-/=$#*" + LETTERS


@dataclass(frozen=True, eq=False)
class Glyph:
    """One character.

    Attributes:
        ink: uint8 (h, w) 0..255, cut to its ink.
        top: where its upper rim is, in digit heights below the upper rim of a digit.
        height: its height in digit heights.
    """

    ink: Levels
    top: float
    height: float


def fonts_folder() -> Path:
    """Where ``benchmarks/fetch_fonts.py`` puts the fonts: ``$DIGITSCOPE_FONTS`` or the user's cache."""
    return Path(os.environ.get("DIGITSCOPE_FONTS", str(Path.home() / ".cache" / "digitscope" / "fonts")))


def check_fonts() -> None:
    """Raise DataError, which says how to get them, where there are no fonts."""
    for kind in ("handwritten", "printed"):
        font_files(fonts_folder(), kind)


def font_files(folder: Path, kind: str) -> list[Path]:
    """The fonts of a kind, ``"handwritten"`` or ``"printed"``, in the order of their names.

    Raises:
        DataError: there is none.
    """
    found = sorted(path for path in (folder / kind).glob("*") if path.suffix in (".woff2", ".ttf", ".otf"))
    if not found:
        raise DataError(f"{folder / kind} holds no fonts; run benchmarks/fetch_fonts.py first")
    return found


def font_glyphs(path: Path) -> dict[str, Glyph] | None:
    """All of ``CHARACTERS`` that a font has; None where it lacks digits of its own.

    Raises:
        DataError: the file is damaged, or no font.
    """
    try:
        return _drawn(path)
    except Exception as error:  # Pillow raises half a dozen types on what FreeType makes of damaged files
        raise DataError(f"{path} is not a usable font ({error}); fetch it anew or take it away") from error


def _drawn(path: Path) -> dict[str, Glyph] | None:
    """What ``font_glyphs`` returns; a damaged file raises what Pillow does."""
    zero = ImageFont.truetype(str(path), 100).getbbox("0", anchor="ls")
    if zero[3] - zero[1] < 5:
        return None
    font = ImageFont.truetype(str(path), max(8, round(100 * SIZE / (zero[3] - zero[1]))))
    unknown = font.getmask("\uffff").getbbox()
    if unknown is not None and font.getmask("8").getbbox() == unknown == font.getmask("3").getbbox():
        return None
    unit = font.getbbox("0", anchor="ls")
    high = max(1, unit[3] - unit[1])
    found = {}
    for character in CHARACTERS:
        left, top, right, bottom = (round(side) for side in font.getbbox(character, anchor="ls"))
        if right - left < 1 or bottom - top < 1:
            continue
        if max(right - left, bottom - top) > LARGEST * SIZE:
            raise ValueError(f"its {character} is {right - left}x{bottom - top} px where a zero is {SIZE} high")
        image = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(image).text((-left, -top), character, 255, font=font, anchor="ls")
        found[character] = Glyph(np.asarray(image), (top - unit[1]) / high, (bottom - top) / high)
    return found


def mnist_glyphs() -> list[list[Glyph]]:
    """MNIST's training digits cut to their ink: for each digit 0..9 its glyphs."""
    mnist = load_dataset("mnist")
    found: list[list[Glyph]] = [[] for _ in range(10)]
    for image, label in zip(mnist.x_train, mnist.y_train, strict=True):
        x, y, width, height = cv2.boundingRect((image > 60).view(np.uint8))
        found[label].append(Glyph(image[y : y + height, x : x + width], 0.0, 1.0))
    return found
