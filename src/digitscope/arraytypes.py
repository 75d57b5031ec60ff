"""The names that annotations give to NumPy arrays, and an array as text.

A name says the type only; docstrings give shapes, ranges and units.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

AnyArray = npt.NDArray[Any]

Levels = npt.NDArray[np.uint8]
"""Grey or colour levels of a picture, 0..255."""

Images = npt.NDArray[np.uint8]
"""28x28 images of a dataset, 0 = paper, 255 = pen."""

Labels = npt.NDArray[np.uint8]
"""Digits 0..9."""

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def base64_text(values: AnyArray) -> str:
    """An array's bytes, little-endian and row by row, as base64."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
