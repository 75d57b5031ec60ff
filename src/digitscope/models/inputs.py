"""From images in the usual forms to the array that a classifier takes. It opens no files."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import AnyArray, Floats
from digitscope.errors import DataError, first_line


def network_input(x: npt.ArrayLike) -> Floats:
    """Images as float32 (n, 28, 28, 1) 0..1, as a network takes them.

    Args:
        x: (28, 28), (n, 28, 28) or (n, 28, 28, 1); uint8 0..255 is divided by 255, floats must be 0..1 already.

    Raises:
        DataError: another shape or type, or values outside the range.
    """
    try:
        images = np.asarray(x)
    except ValueError as error:  # rows of different lengths
        raise DataError(
            f"the images are not an array ({first_line(error)}); give (n, 28, 28), uint8 or floats"
        ) from error
    if images.ndim == 2:
        images = images[None]
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise DataError(f"images have shape {np.shape(x)}; expected (28, 28), (n, 28, 28) or (n, 28, 28, 1)")
    return _scaled(images)[..., None]


def _scaled(images: AnyArray) -> Floats:
    """uint8 0..255 or floats 0..1 as float32 0..1."""
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    if not np.issubdtype(images.dtype, np.floating):
        raise DataError(f"images are {images.dtype}; expected uint8 0..255 or floats 0..1")
    scaled = images.astype(np.float32)
    if scaled.size and not (scaled.min() >= 0 and scaled.max() <= 1):
        raise DataError(
            f"float images span {scaled.min():g} to {scaled.max():g}; expected 0..1 (divide by 255, or give uint8)"
        )
    return scaled
