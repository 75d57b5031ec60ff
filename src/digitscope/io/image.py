"""Any image file, PIL image or array as plain 8-bit pixels. It decodes, orients and reduces; it does not look for ink.

Whatever the bytes are, the outcome is a ``Picture`` or an ``errors.ImageError``. A picture of
more than ``LARGEST_PIXELS`` is refused by its header, before it is decoded.
"""

from __future__ import annotations

import io
import itertools
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin

from digitscope.errors import ImageError, first_line

ImageSource = str | os.PathLike[str] | bytes | Image.Image | npt.NDArray[Any]
"""What can be read: a file's path or bytes, a PIL image, or an array (see ``picture_of_array``)."""

LARGEST_PIXELS = 100_000_000
"""Pixels of the largest picture that is decoded: an A4 page scanned at 1,000 dpi, about 300 MB as RGB."""

FORMATS = ("PNG", "JPEG", "BMP", "GIF", TiffImagePlugin.TiffImageFile.format, WebPImagePlugin.WebPImageFile.format)
"""What Pillow may open. Everything else it knows stays shut, above all PostScript, which starts another program."""

EXIF_ORIENTATION = 0x0112
"""Number of the EXIF tag that says how the camera was held."""

SUBFILE_TYPE = 0x00FE
"""Number of the TIFF tag that says what a frame is to the others."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_decoding = threading.Lock()


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright, perhaps reduced.

    Attributes:
        pixels: uint8 (h, w) grey or (h, w, 3) RGB, 0 = black.
        width: pixels of the source from left to right, after EXIF orientation and before any reduction.
        height: pixels of the source from top to bottom, likewise.
    """

    pixels: npt.NDArray[np.uint8]
    width: int
    height: int


def load_picture(source: ImageSource, longest: int | None = None) -> Picture:
    """The first page or frame of a picture, turned upright as its EXIF orientation says, without transparency.

    Args:
        source: a path, the bytes of a file, a PIL image, or an array as ``picture_of_array`` takes.
        longest: reduce a larger picture, by averaging areas, until its longer side has this many pixels.

    Raises:
        ImageError: it cannot be decoded, has no pixels, or more than ``LARGEST_PIXELS``.

    >>> load_picture(np.zeros((40, 30), np.uint8)).height
    40
    """
    if isinstance(source, np.ndarray):
        return _reduced(picture_of_array(source), longest)
    if isinstance(source, Image.Image):
        with explained("the PIL image"):
            return _reduced(_decoded(source, "the PIL image", None), longest)
    if isinstance(source, bytes | bytearray | memoryview | str | os.PathLike):
        with opened(source) as (file, name):
            first = next(load_frames(file, name, longest))
        if isinstance(first, ImageError):
            raise first
        return first
    raise ImageError(f"got {type(source).__name__}; expected a path, the bytes of a file, a PIL image or a numpy array")


def picture_of_array(array: npt.NDArray[Any]) -> Picture:
    """An array as a picture.

    Args:
        array: (h, w), (h, w, 1), (h, w, 3) RGB or (h, w, 4) RGBA of bool, uint8, uint16, or floats 0..1. Integers of
            16 bits may use fewer of them, as 12-bit scanners do: the largest value tells.

    Raises:
        ImageError: another shape or type, no pixels, too many, or floats outside 0..1.
    """
    shape = array.shape
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3, 4)) or 0 in shape:
        raise ImageError(
            f"the array has shape {shape}; expected (height, width) or (height, width, 1, 3 or 4), not empty"
        )
    _check_size(shape[1], shape[0], "the array")
    levels = _eight_bits(array)
    if levels.ndim == 3 and levels.shape[2] == 1:
        levels = levels[..., 0]
    if levels.ndim == 3 and levels.shape[2] == 4:
        levels = _on_paper(levels)
    return Picture(np.ascontiguousarray(levels), shape[1], shape[0])


def _eight_bits(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Levels of any accepted type as uint8 0..255."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        bits = max(8, int(array.max()).bit_length())
        return np.asarray(array.astype(np.float32) * (255 / (2**bits - 1)), np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if np.isnan(low) or low < 0 or high > 1:
            raise ImageError(f"the floats span {low:g} to {high:g}; expected 0..1 (divide by 255, or give uint8)")
        return np.asarray(np.rint(array.astype(np.float32) * 255), np.uint8)
    raise ImageError(f"the array is {array.dtype}; expected bool, uint8, uint16 or floats 0..1")


@contextmanager
def opened(source: str | os.PathLike[str] | bytes) -> Iterator[tuple[BinaryIO, str]]:
    """The open file of a path, or of a file's bytes, and what a sentence calls it.

    Raises:
        ImageError: there is no plain file at the path, or it cannot be opened.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        yield io.BytesIO(source), f"the file of {len(source):,} bytes"
        return
    path = Path(source)
    name = str(path) if str(path).isprintable() else repr(str(path))
    try:
        if not path.is_file():
            found = "is a folder" if path.is_dir() else "is no plain file" if path.exists() else "is not there"
            raise ImageError(f"{name} {found}; give the path of an image file")
        with path.open("rb") as file:
            yield file, name
    except OSError as error:
        raise ImageError(f"{name} cannot be opened ({first_line(error)}); check its name and rights") from error


def load_frames(file: BinaryIO, name: str, longest: int | None = None) -> Iterator[Picture | ImageError]:
    """Every page of a TIFF, the first frame of any other picture; where one cannot be decoded, the error instead.

    A page is decoded when it is asked for. The reduced copies and masks that a TIFF keeps beside a page are no pages.

    Args:
        file: the open file.
        name: what a sentence calls it.
        longest: as for ``load_picture``.
    """
    try:
        with explained(name), _quietly():
            image = Image.open(file, formats=FORMATS)
    except ImageError as error:
        yield error
        return
    many = isinstance(image, TiffImagePlugin.TiffImageFile)
    with image:
        for number in itertools.count() if many else (0,):
            frame: Picture | ImageError | None
            called = f"{name} page {number + 1}" if number else name
            try:
                with explained(called), _quietly():
                    if not _turned_to(image, number):
                        return
                    frame = None if _is_beside(image, number) else _reduced(_decoded(image, called, longest), longest)
            except ImageError as error:
                frame = error
            if not many:
                image.close()  # its pixels need not wait in memory while the picture is read
            if frame is not None:
                yield frame


def _turned_to(image: Image.Image, number: int) -> bool:
    """Go to a frame, counted from 0; False where there is none."""
    try:
        image.seek(number)
    except EOFError:
        return False
    return True


def _is_beside(image: Image.Image, number: int) -> bool:
    """Whether a frame after the first is a reduced copy (bit 0) or a mask (bit 2) of another, by its TIFF header."""
    return number > 0 and bool(getattr(image, "tag_v2", {}).get(SUBFILE_TYPE, 0) & 0b101)


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises on damaged bytes into an ImageError: one sentence about ``name``."""
    try:
        yield
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} has far more than {LARGEST_PIXELS:,} pixels; reduce it first") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is not a PNG, JPEG, BMP, TIFF, WebP or GIF image; convert it first") from error
    except Exception as error:  # decoders raise a dozen types
        raise ImageError(f"{name} is damaged and cannot be decoded ({first_line(error)}); save it anew") from error


def _decoded(image: Image.Image, name: str, longest: int | None) -> Picture:
    """A PIL image, upright and flattened; ``longest`` lets the JPEG decoder leave out detail that is not wanted."""
    width, height = image.size
    _check_size(width, height, name)
    turn = _TURNS.get(_orientation(image))
    if longest is not None and max(width, height) > longest:
        scale = longest / max(width, height)
        image.draft(None, (max(1, round(width * scale)), max(1, round(height * scale))))
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = image if turn is None else image.transpose(turn)
        pixels = _deep_levels(np.asarray(image))
    else:
        see_through = image.has_transparency_data
        image = image.convert("RGBA" if see_through else "L" if image.mode in ("1", "L") else "RGB")
        image = image if turn is None else image.transpose(turn)
        pixels = _on_paper(np.asarray(image)) if see_through else np.asarray(image)
    turned = turn in (_TURNS[5], _TURNS[6], _TURNS[7], _TURNS[8])
    return Picture(pixels, *((height, width) if turned else (width, height)))


def _deep_levels(levels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Grey of more than 8 bits as uint8: integers by their bits, floats by the top 1, 255 or 65535."""
    if np.issubdtype(levels.dtype, np.floating):
        top = next((top for top in (1, 255, 65535) if levels.max() <= top), 1)
        return _eight_bits(levels / np.float32(top))
    if levels.min() < 0 or levels.max() > 65535:
        raise ImageError(f"the grey levels span {levels.min()} to {levels.max()}; expected 0..65535")
    return _eight_bits(levels.astype(np.uint16))


def _on_paper(rgba: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """RGB of uint8 (h, w, 4): what is seen through becomes paper.

    Where most of the picture is visible, paper takes its middle colour, so that no false edge appears. Where most is
    transparent, what is visible is the pen, and paper is white or black, whichever differs more from it.
    """
    alpha = rgba[..., 3:].astype(np.float32) / 255
    visible = rgba[..., :3][rgba[..., 3] > 127]
    if len(visible) == 0:
        return np.full((*rgba.shape[:2], 3), 255, np.uint8)
    if len(visible) * 2 > rgba.shape[0] * rgba.shape[1]:
        paper = np.median(visible, axis=0)
    else:
        paper = np.full(3, 255 if visible.mean() < 128 else 0)
    return np.asarray(rgba[..., :3] * alpha + paper.astype(np.float32) * (1 - alpha), np.uint8)


def _reduced(picture: Picture, longest: int | None) -> Picture:
    """The picture with its longer side at most ``longest`` pixels."""
    height, width = picture.pixels.shape[:2]
    if longest is None or max(height, width) <= longest:
        return picture
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
    return Picture(np.asarray(pixels, np.uint8), picture.width, picture.height)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation 1..8 left to apply; 1 where there is none, it is damaged, or Pillow turns the picture."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 1
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block does not make the picture unreadable
        return 1


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"{name} is {width}x{height} px; expected at least one pixel")
    if width * height > LARGEST_PIXELS:
        raise ImageError(f"{name} is {width}x{height} px; expected at most {LARGEST_PIXELS:,} pixels, reduce it first")


@contextmanager
def _quietly() -> Iterator[None]:
    """Pillow's warnings (bombs, odd EXIF, cut TIFFs) stay inside. One thread at a time: the filters are global."""
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
