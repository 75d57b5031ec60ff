"""Any image file, PIL image or array as plain 8-bit pixels: decoded, upright, reduced. It does not look for ink.

Whatever the bytes are, the outcome is a ``Picture`` or an ``ImageError``. A picture of more than ``LARGEST_PIXELS`` or
``LARGEST_WEBP`` is refused by its header, before it is decoded.
"""

from __future__ import annotations

import io
import itertools
import os
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin

from digitscope.arraytypes import AnyArray, Levels
from digitscope.errors import ImageError, first_line
from digitscope.files import POINTER, check_fetched
from digitscope.formatting import file_name
from digitscope.io.pixels import (
    BAND,
    LARGEST_PIXELS,
    Bands,
    Picture,
    check_size,
    deep_levels,
    joined,
    on_paper,
    picture_of_array,
    reduced,
    size_within,
)

ImageSource = str | os.PathLike[str] | bytes | Image.Image | AnyArray
"""What can be read: a file's path or bytes, a PIL image, or an array (see ``io.pixels.picture_of_array``)."""

FORMATS = ("PNG", "JPEG", "BMP", "GIF", TiffImagePlugin.TiffImageFile.format, WebPImagePlugin.WebPImageFile.format)
"""The only formats that Pillow may open. It knows others; PostScript, for one, would run another program."""

LARGEST_FILE, LARGEST_PICTURE = 1 << 30, 4 * LARGEST_PIXELS
"""Bytes of the largest file that is opened: a PDF or TIFF of a thousand pages of a megabyte each; any other picture, of
which four bytes a pixel are the most that such formats need."""

LARGEST_WEBP = LARGEST_PIXELS // 2
"""Pixels of the largest WebP: its decoder holds four copies of four bytes a pixel at once."""

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""What a TIFF begins with, in either order of bytes, the last two for files above 4 GB. Source: TIFF 6.0, BigTIFF."""

EXIF_ORIENTATION = 0x0112
"""The EXIF tag that says how the camera was held."""

SUBFILE_TYPE = 0x00FE
"""The TIFF tag that says whether a frame is a page, or a reduced copy or mask of one."""

_TURNS: Mapping[int, Callable[[Levels], Levels]] = types.MappingProxyType(
    {
        2: lambda pixels: pixels[:, ::-1],
        3: lambda pixels: pixels[::-1, ::-1],
        4: lambda pixels: pixels[::-1],
        5: lambda pixels: pixels.swapaxes(0, 1),
        6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
        7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
        8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
    }
)
"""How to turn pixels upright, by EXIF orientation. ``ImageOps.exif_transpose`` would do it, but it also rewrites the
EXIF block, and fails if any part of that is damaged."""

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
            _, first = next(load_frames(file, name, longest))
        if isinstance(first, ImageError):
            raise first
        return first
    raise ImageError(f"got {type(source).__name__}; expected a path, the bytes of a file, a PIL image or a numpy array")


@contextmanager
def opened(source: str | os.PathLike[str] | bytes) -> Iterator[tuple[BinaryIO, str]]:
    """Open a path, or the bytes of a file; yields the open file and what messages call it.

    Raises:
        ImageError: the path is not a regular file, is larger than ``LARGEST_FILE``, or cannot be opened.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        name = f"the file of {len(source):,} bytes"
        _check_bytes(len(source), LARGEST_FILE, name)
        yield io.BytesIO(source), name
        return
    path = Path(source)
    name = file_name(str(path))
    try:
        if not path.is_file():
            found = "is a folder" if path.is_dir() else "is not a regular file" if path.exists() else "does not exist"
            raise ImageError(f"{name} {found}; give the path of an image file")
        with path.open("rb") as file:
            _check_bytes(os.fstat(file.fileno()).st_size, LARGEST_FILE, name)
            check_fetched(file.peek(len(POINTER)), name, ImageError)
            yield file, name
    except OSError as error:
        raise ImageError(f"{name} cannot be opened ({first_line(error)}); check its name and permissions") from error


def load_frames(
    file: BinaryIO, name: str, longest: int | None = None, start: int = 0
) -> Iterator[tuple[int, Picture | ImageError]]:
    """Yield every page of a TIFF, or the first frame of any other picture; an error for one that cannot be decoded.

    Each is decoded only when its turn comes, and comes with the number of its frame, from 0. The reduced copies and
    masks that a TIFF may hold do not count as pages.

    Args:
        file: the open file.
        name: what messages call it.
        longest: as for ``load_picture``.
        start: number of the first frame to look at.
    """
    try:
        with decoding(name), _no_warnings():
            image = _opened_image(file, name)
    except ImageError as error:
        yield start, alone(error)
        return
    paged = isinstance(image, TiffImagePlugin.TiffImageFile)
    with image:
        for number in itertools.count(start) if paged else range(start, 1):
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
                frame = alone(error)
            if not paged:
                image.close()  # its pixels need not stay in memory while the picture is read
            if frame is not None:
                yield number, frame


def _opened_image(file: BinaryIO, name: str) -> Image.Image:
    """The image in an open file, not decoded yet; some decoders read all of a file for that."""
    if file.read(len(TIFF[0])) not in TIFF:
        _check_bytes(file.seek(0, os.SEEK_END), LARGEST_PICTURE, name)
    file.seek(0)
    return Image.open(file, formats=FORMATS)


def _check_bytes(size: int, largest: int, name: str) -> None:
    """Make sure that a file is not too large to be looked at."""
    if size > largest:
        raise ImageError(f"{name} has {size:,} bytes; expected at most {largest:,}, reduce or split it first")


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
    except MemoryError as error:
        raise ImageError(f"{name} takes more memory than there is; reduce it first") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is not a PNG, JPEG, BMP, TIFF, WebP or GIF image; convert it first") from error
    except Exception as error:  # decoders raise a dozen types
        raise ImageError(
            f"{name} is damaged and cannot be decoded ({first_line(error)}); save or download it again"
        ) from error


def alone(error: ImageError) -> ImageError:
    """The error as a value to hand on: without the traceback, which would keep what was decoded in memory."""
    return ImageError(str(error))


def _decoded(image: Image.Image, name: str, longest: int | None) -> Picture:
    """A PIL image, upright and flattened; ``longest`` lets the JPEG decoder skip detail that is not needed."""
    width, height = image.size
    check_size(width, height, name, LARGEST_WEBP if image.format == "WEBP" else LARGEST_PIXELS)
    if longest is not None and max(width, height) > longest:
        image.draft(None, size_within(width, height, longest))
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        pixels = deep_levels(_rows(image, None))
    elif image.has_transparency_data:
        pixels = on_paper(_rows(image, "RGBA"))
    else:
        pixels = joined(_rows(image, "L" if image.mode in ("1", "L") else "RGB")(), image.height)
    orientation = _orientation(image)
    if orientation in _TURNS:
        pixels = np.ascontiguousarray(_TURNS[orientation](pixels))
    return Picture(pixels, *((height, width) if orientation >= 5 else (width, height)))


def _rows(image: Image.Image, mode: str | None) -> Bands:
    """The rows of a PIL image from top to bottom, ``BAND`` at a time, in a mode, or in its own."""
    image.load()
    width, height = image.size

    def bands() -> Iterator[AnyArray]:
        for start in range(0, height, BAND):
            band = image.crop((0, start, width, min(height, start + BAND)))
            yield np.asarray(band if mode is None else band.convert(mode))

    return bands


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
