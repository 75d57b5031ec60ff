"""Arrays of pixels as pictures: any accepted type as 8-bit levels, transparency as paper, large ones reduced.

It opens no files; that is ``io.image``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from digitscope.arraytypes import AnyArray, Floats, Levels
from digitscope.errors import ImageError

LARGEST_PIXELS = 100_000_000
"""Pixels of the largest picture that is taken: an A4 page scanned at 1,000 dpi, about 300 MB as RGB."""


BAND = 256
"""Rows of a picture that are converted at a time: whole, a large one would take ten times the memory of its pixels."""

Bands = Callable[[], Iterator[AnyArray]]
"""Gives the rows of a picture from top to bottom, some at a time, as often as it is called."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright, perhaps reduced.

    Attributes:
        pixels: uint8 (h, w) grey or (h, w, 3) RGB, 0 = black.
        width: pixels of the source from left to right, after EXIF orientation and before any reduction.
        height: pixels of the source from top to bottom, likewise.
    """

    pixels: Levels
    width: int
    height: int


def picture_of_array(array: AnyArray) -> Picture:
    """An array as a picture.

    Args:
        array: (h, w), (h, w, 1), (h, w, 3) RGB or (h, w, 4) RGBA of bool, uint8, uint16, or floats 0..1. A uint16 array
            may use fewer than 16 bits, as 12-bit scanners do; its largest value shows how many.

    Raises:
        ImageError: another shape or type, no pixels, too many, or floats outside 0..1.
    """
    shape = array.shape
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3, 4)) or 0 in shape:
        raise ImageError(
            f"the array has shape {shape}; expected (height, width) or (height, width, 1, 3 or 4), not empty"
        )
    check_size(shape[1], shape[0], "the array")
    levels = _eight_bits(array)
    if levels.ndim == 3 and levels.shape[2] == 1:
        levels = levels[..., 0]
    if levels.ndim == 3 and levels.shape[2] == 4:
        levels = on_paper(rows_of(levels))
    return Picture(np.ascontiguousarray(levels), shape[1], shape[0])


def check_size(width: int, height: int, name: str, largest: int = LARGEST_PIXELS) -> None:
    """Make sure that a picture has pixels, and at most ``largest``; ``name`` is what the message calls it.

    Raises:
        ImageError: it has none, or more.
    """
    if width < 1 or height < 1:
        raise ImageError(f"{name} is {width}x{height} px; expected at least one pixel")
    if width * height > largest:
        raise ImageError(f"{name} is {width}x{height} px; expected at most {largest:,} pixels, reduce it first")


def size_within(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height with the longer side at most ``longest``, the proportions kept, neither below 1.

    >>> size_within(3000, 2000, 600), size_within(30, 20, 600)
    ((600, 400), (30, 20))
    """
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def reduced(pixels: AnyArray, longest: int) -> AnyArray:
    """Pixels with the longer side at most ``longest``, reduced by averaging areas; small ones as they are.

    Args:
        pixels: uint8 or float32 (h, w) or (h, w, 3).
        longest: pixels of the longer side of the result.
    """
    height, width = pixels.shape[:2]
    if max(height, width) <= longest:
        return pixels
    small = cv2.resize(pixels, size_within(width, height, longest), interpolation=cv2.INTER_AREA)
    return np.asarray(small, pixels.dtype)


def deep_levels(bands: Bands) -> Levels:
    """Deep grey as uint8: floats divided by 1, 255 or 65535, whichever first covers them; integers by their bits.

    Args:
        bands: gives the rows of the picture from top to bottom, some at a time, floats or integers (rows, w).

    Raises:
        ImageError: the levels are outside 0..65535.
    """
    spans = [(band.min(), band.max(), band.dtype, len(band)) for band in bands()]
    low, high, height = min(span[0] for span in spans), max(span[1] for span in spans), sum(span[3] for span in spans)
    if np.issubdtype(spans[0][2], np.floating):
        top = next((top for top in (1, 255, 65535) if high <= top), 1)
        return joined((_eight_bits(band / np.float32(top)) for band in bands()), height)
    if low < 0 or high > 65535:
        raise ImageError(f"the grey levels span {low} to {high}; expected 0..65535")
    return joined((_of_sixteen_bits(band.astype(np.uint16), int(high)) for band in bands()), height)


def on_paper(bands: Bands) -> Levels:
    """RGB of a picture with transparency: transparent pixels become paper.

    If most of the picture is visible, paper takes the median colour of that part, so that no false edge appears. If
    most is transparent, the visible part is the pen, and paper is white or black, whichever differs more from it.

    Args:
        bands: gives the rows of the picture from top to bottom, some at a time, uint8 (rows, w, 4).
    """
    counts, pixels, height = np.zeros((3, 256), np.int64), 0, 0
    for band in bands():
        visible = band[..., :3][band[..., 3] > 127]
        counts += [np.bincount(visible[:, channel], minlength=256) for channel in range(3)]
        pixels += band.shape[0] * band.shape[1]
        height += len(band)
    seen = int(counts[0].sum())
    if seen == 0:
        return joined((np.full((*band.shape[:2], 3), 255, np.uint8) for band in bands()), height)
    if seen * 2 > pixels:
        sums = counts.cumsum(axis=1)
        middle = [(sums <= place).sum(axis=1) for place in ((seen - 1) // 2, seen // 2)]
        paper = np.mean(middle, axis=0)
    else:
        paper = np.full(3, 255 if (counts @ np.arange(256)).sum() / (3 * seen) < 128 else 0)
    return joined((_composed(band, paper.astype(np.float32)) for band in bands()), height)


def joined(bands: Iterable[Levels], height: int) -> Levels:
    """Some rows at a time as one array of ``height`` rows; to collect them first would take their memory twice."""
    top, whole = 0, np.empty(0, np.uint8)
    for band in bands:
        if top == 0:
            whole = np.empty((height, *band.shape[1:]), np.uint8)
        whole[top : top + len(band)] = band
        top += len(band)
    return whole


def rows_of(array: AnyArray) -> Bands:
    """The rows of an array from top to bottom, ``BAND`` at a time."""
    return lambda: (array[start : start + BAND] for start in range(0, len(array), BAND))


def _composed(rgba: Levels, paper: Floats) -> Levels:
    """Some rows of a picture, uint8 (rows, w, 4), over paper of one colour, float32 (3,)."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.asarray(rgba[..., :3] * alpha + paper * (1 - alpha), np.uint8)


def _of_sixteen_bits(levels: AnyArray, high: int) -> Levels:
    """Levels uint16 as uint8 0..255, by the bits that the largest of the whole picture needs."""
    bits = max(8, high.bit_length())
    return np.asarray(levels.astype(np.float32) * (255 / (2**bits - 1)), np.uint8)


def _eight_bits(array: AnyArray) -> Levels:
    """Levels of any accepted type as uint8 0..255."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return _of_sixteen_bits(array, int(array.max()))
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if np.isnan(low) or low < 0 or high > 1:
            raise ImageError(f"the floats span {low:g} to {high:g}; expected 0..1 (divide by 255, or give uint8)")
        return np.asarray(np.rint(array.astype(np.float32) * 255), np.uint8)
    raise ImageError(f"the array is {array.dtype}; expected bool, uint8, uint16 or floats 0..1")
