"""Characters as small pictures: MNIST's training digits and the glyphs of fonts, cut to their ink.

They are laid out in ``datasets.synthetic.hand``.
"""

from __future__ import annotations

import os
import string
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitscope.arraytypes import Levels
from digitscope.datasets.load import load_dataset
from digitscope.errors import DataError, first_line

SIZE = 44
"""Height of a font's zero in pixels."""

LARGEST = 40
"""The largest width and height of a character, in heights of a zero."""

LETTERS = "ACEFHKLMNRTUVWXYadfhkmnrtuvwxy"
"""Letters that do not look like a digit."""

MARKS = "$#*+×÷:()%<>"
"""Marks beside numbers that are neither digits nor separators."""

CHARACTERS = string.digits + ".,-/=" + MARKS + string.ascii_letters
"""The characters that are taken from a font."""


@dataclass(frozen=True, eq=False)
class Glyph:
    """One character.

    Attributes:
        ink: uint8 (h, w) 0..255, cut to its ink.
        top: its upper rim, in digit heights below the upper rim of a digit.
        height: its height, in digit heights.
    """

    ink: Levels
    top: float
    height: float


def fonts_folder() -> Path:
    """The folder into which ``benchmarks/fetch_fonts.py`` puts fonts: ``$DIGITSCOPE_FONTS`` or the user's cache."""
    return Path(os.environ.get("DIGITSCOPE_FONTS", str(Path.home() / ".cache" / "digitscope" / "fonts")))


def check_fonts() -> None:
    """Make sure that there are fonts.

    Raises:
        DataError: there are none; the message says how to get them.
    """
    for kind in ("handwritten", "printed"):
        font_files(fonts_folder(), kind)


def font_files(folder: Path, kind: str) -> list[Path]:
    """The font files of a kind, ``"handwritten"`` or ``"printed"``, by name.

    Raises:
        DataError: there is none.
    """
    found = sorted(path for path in (folder / kind).glob("*") if path.suffix in (".woff2", ".ttf", ".otf"))
    if not found:
        raise DataError(f"{folder / kind} holds no fonts; run benchmarks/fetch_fonts.py first")
    return found


def font_glyphs(path: Path) -> dict[str, Glyph] | None:
    """Those of ``CHARACTERS`` that a font has, each as a glyph; None if it has no digits.

    Raises:
        DataError: the file is damaged or not a font.
    """
    try:
        return _drawn(path)
    except Exception as error:  # Pillow raises half a dozen types on damaged files
        raise DataError(f"{path} is not a usable font ({first_line(error)}); fetch it again or remove it") from error


def _drawn(path: Path) -> dict[str, Glyph] | None:
    """As ``font_glyphs``, with Pillow's own exceptions."""
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
    """MNIST's training digits, cut to their ink: a list of glyphs for each digit 0..9."""
    mnist = load_dataset("mnist")
    found: list[list[Glyph]] = [[] for _ in range(10)]
    for image, label in zip(mnist.x_train, mnist.y_train, strict=True):
        x, y, width, height = cv2.boundingRect((image > 60).view(np.uint8))
        found[label].append(Glyph(image[y : y + height, x : x + width], 0.0, 1.0))
    return found


def paste(canvas: Levels, ink: Levels, x: float, y: float, wide: float, high: float, slant: float) -> float:
    """Lay a character's ink over a canvas, scaled and slanted; returns the x where it ends.

    Args:
        canvas: uint8 (h, w), changed in place; what does not fit is cut off.
        ink: uint8 (h, w) 0..255.
        x: of its upper left corner, pixels.
        y: of the same.
        wide: canvas pixels per ink pixel, across.
        high: the same, down.
        slant: to the right, in widths per height.
    """
    height, width = ink.shape
    size = float(width * wide), float(height * high)
    lean = abs(slant) * size[1]
    left, top = int(x) - 1, int(y) - 1
    right, bottom = int(x + size[0] + lean) + 3, int(y + size[1]) + 3
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, canvas.shape[1]), min(bottom, canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return x + size[0]
    shear = -slant * high
    start = x - x0 + (lean if slant > 0 else 0)
    matrix = np.array([[wide, shear, start + 0.5 * wide], [0, high, y - y0 + 0.5 * high]], np.float32)
    part = cv2.warpAffine(ink, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    region = canvas[y0:y1, x0:x1]
    np.maximum(region, part, out=region)
    return x + size[0] + lean
