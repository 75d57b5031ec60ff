"""Any image file, PIL image or array as plain 8-bit pixels: decoded, upright, reduced. It does not look for ink.

Whatever the bytes are, the outcome is a ``Picture`` or an ``ImageError``. A picture of more than ``LARGEST_PIXELS`` is
refused by its header, before it is decoded.
"""

from __future__ import annotations

import io
import itertools
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin

from digitscope.arraytypes import AnyArray
from digitscope.errors import ImageError, first_line
from digitscope.files import POINTER, check_fetched
from digitscope.io.pixels import (
    LARGEST_PIXELS,
    Picture,
    check_size,
    deep_levels,
    on_paper,
    picture_of_array,
    reduced,
    size_within,
)

ImageSource = str | os.PathLike[str] | bytes | Image.Image | AnyArray
"""What can be read: a file's path or bytes, a PIL image, or an array (see ``io.pixels.picture_of_array``)."""

FORMATS = ("PNG", "JPEG", "BMP", "GIF", TiffImagePlugin.TiffImageFile.format, WebPImagePlugin.WebPImageFile.format)
"""The only formats that Pillow may open. It knows others; PostScript, for one, would run another program."""

EXIF_ORIENTATION = 0x0112
"""The EXIF tag that says how the camera was held."""

SUBFILE_TYPE = 0x00FE
"""The TIFF tag that says whether a frame is a page, or a reduced copy or mask of one."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn a picture upright, by EXIF orientation. ``ImageOps.exif_transpose`` would do it, but it also
rewrites the EXIF block, and fails if any part of that is damaged."""

_warning_filters = threading.Lock()


def load_picture(source: ImageSource, longest: int | None = None) -> Picture:
    """The first page or frame of a picture, upright by its EXIF orientation, without transparency.

    Args:
        source: a path, the bytes of a file, a PIL image, or an array as for ``io.pixels.picture_of_array``.
        longest: pixels of the longer side that a larger picture is reduced to, by averaging areas; None keeps it.

    Raises:
        ImageError: it cannot be decoded, has no pixels, or has more than ``LARGEST_PIXELS``.

    >>> load_picture(np.zeros((40, 30), np.uint8)).height
    40
    """
    if isinstance(source, np.ndarray):
        return _within(picture_of_array(source), longest)
    if isinstance(source, Image.Image):
        with decoding("the PIL image"):
            return _within(_decoded(source, "the PIL image", None), longest)
    if isinstance(source, bytes | bytearray | memoryview | str | os.PathLike):
        with opened(source) as (file, name):
            first = next(load_frames(file, name, longest))
        if isinstance(first, ImageError):
            raise first
        return first
    raise ImageError(f"got {type(source).__name__}; expected a path, the bytes of a file, a PIL image or a numpy array")


@contextmanager
def opened(source: str | os.PathLike[str] | bytes) -> Iterator[tuple[BinaryIO, str]]:
    """Open a path, or the bytes of a file; yields the open file and what messages call it.

    Raises:
        ImageError: the path is not a regular file, or cannot be opened.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        yield io.BytesIO(source), f"the file of {len(source):,} bytes"
        return
    path = Path(source)
    name = str(path) if str(path).isprintable() else repr(str(path))
    try:
        if not path.is_file():
            found = "is a folder" if path.is_dir() else "is not a regular file" if path.exists() else "does not exist"
            raise ImageError(f"{name} {found}; give the path of an image file")
        with path.open("rb") as file:
            check_fetched(file.peek(len(POINTER)), name, ImageError)
            yield file, name
    except OSError as error:
        raise ImageError(f"{name} cannot be opened ({first_line(error)}); check its name and permissions") from error


def load_frames(file: BinaryIO, name: str, longest: int | None = None) -> Iterator[Picture | ImageError]:
    """Yield every page of a TIFF, or the first frame of any other picture; an error for one that cannot be decoded.

    Each is decoded only when its turn comes. The reduced copies and masks that a TIFF may hold do not count as pages.

    Args:
        file: the open file.
        name: what messages call it.
        longest: as for ``load_picture``.
    """
    try:
        with decoding(name), _no_warnings():
            image = Image.open(file, formats=FORMATS)
    except ImageError as error:
        yield error
        return
    paged = isinstance(image, TiffImagePlugin.TiffImageFile)
    with image:
        for number in itertools.count() if paged else (0,):
            frame: Picture | ImageError | None
            called = f"{name} page {number + 1}" if number else name
            try:
                with decoding(called), _no_warnings():
                    if not _seek(image, number):
                        return
                    frame = (
                        None if _is_copy_or_mask(image, number) else _within(_decoded(image, called, longest), longest)
                    )
            except ImageError as error:
                frame = error
            if not paged:
                image.close()  # its pixels need not stay in memory while the picture is read
            if frame is not None:
                yield frame


def _seek(image: Image.Image, number: int) -> bool:
    """Go to a frame, counted from 0; False if there is none."""
    try:
        image.seek(number)
    except EOFError:
        return False
    return True


def _is_copy_or_mask(image: Image.Image, number: int) -> bool:
    """Whether a frame after the first is a reduced copy (bit 0) or a mask (bit 2) of another, as its TIFF tag says."""
    return number > 0 and bool(getattr(image, "tag_v2", {}).get(SUBFILE_TYPE, 0) & 0b101)


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises on damaged bytes into an ``ImageError`` of one sentence about ``name``."""
    try:
        yield
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} has far more than {LARGEST_PIXELS:,} pixels; reduce it first") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is not a PNG, JPEG, BMP, TIFF, WebP or GIF image; convert it first") from error
    except Exception as error:  # decoders raise a dozen types
        raise ImageError(
            f"{name} is damaged and cannot be decoded ({first_line(error)}); save or download it again"
        ) from error


def _decoded(image: Image.Image, name: str, longest: int | None) -> Picture:
    """A PIL image, upright and flattened; ``longest`` lets the JPEG decoder skip detail that is not needed."""
    width, height = image.size
    check_size(width, height, name)
    turn = _TURNS.get(_orientation(image))
    if longest is not None and max(width, height) > longest:
        image.draft(None, size_within(width, height, longest))
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = image if turn is None else image.transpose(turn)
        pixels = deep_levels(np.asarray(image))
    else:
        see_through = image.has_transparency_data
        image = image.convert("RGBA" if see_through else "L" if image.mode in ("1", "L") else "RGB")
        image = image if turn is None else image.transpose(turn)
        pixels = on_paper(np.asarray(image)) if see_through else np.asarray(image)
    turned = turn in (_TURNS[5], _TURNS[6], _TURNS[7], _TURNS[8])
    return Picture(pixels, *((height, width) if turned else (width, height)))


def _within(picture: Picture, longest: int | None) -> Picture:
    """The picture with its longer side at most ``longest`` pixels."""
    if longest is None:
        return picture
    return Picture(reduced(picture.pixels, longest), picture.width, picture.height)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation 1..8 still to apply; 1 if there is none, it is unreadable, or Pillow applies it itself."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 1
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block does not make the picture unreadable
        return 1


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Silence Pillow's warnings (bombs, odd EXIF, cut TIFFs); one thread at a time, because the filters are global."""
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
