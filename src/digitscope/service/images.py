"""The 28x28 images in the body of ``/v1/predict``: JSON or NumPy's file format, one image or a batch."""

from __future__ import annotations

import contextlib
import io
import math
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic_core import from_json  # extra serve; four times as fast as Python's own

from digitscope.arraytypes import Floats
from digitscope.errors import DataError, first_line
from digitscope.models.inputs import network_input
from digitscope.service.problems import Kind, Problem

JSON, NPY = "application/json", ("application/x-npy", "application/octet-stream")
"""The types of bodies that are read."""

LONGEST_HEADER = 1024
"""Bytes of the longest header; NumPy writes 128."""

_EXPECTED = "expected (28, 28) or (n, 28, 28)"


def images_of(body: bytearray, kind: str, most: int) -> Floats:
    """The images of a body as float32 (n, 28, 28, 1) 0..1.

    Args:
        body: the bytes.
        kind: their type.
        most: images.

    Raises:
        Problem: the type is another, the bytes hold no such images, or more than ``most``.
    """
    if kind == JSON:
        images = _of_json(body)
    elif kind in NPY:
        images = _of_npy(body)
    else:
        raise Problem(
            Kind.UNSUPPORTED_TYPE, f"the body is {kind or 'of no type'}; send {JSON} or {NPY[0]}, as the docs show"
        )
    if len(images) > most:
        raise Problem(Kind.TOO_LARGE, f"{len(images):,} images came; the service takes at most {most:,} at once")
    if len(images) == 0:
        raise Problem(Kind.UNUSABLE, f"no image came; {_EXPECTED}")
    return images


def _of_json(body: bytearray) -> Floats:
    """``{"images": [...]}``; values up to 1 are shares of ink, others whole numbers up to 255."""
    try:
        found = from_json(body)
    except ValueError as error:
        raise Problem(Kind.UNUSABLE, f"the body is not JSON ({first_line(error)}); check the client") from error
    if not isinstance(found, dict) or "images" not in found:
        raise Problem(Kind.UNUSABLE, 'the body has no images; expected {"images": [[0, ...], ...]}')
    try:
        images = _floats(found["images"])
    except (ValueError, TypeError, OverflowError) as error:
        raise Problem(
            Kind.UNUSABLE, f"the images are not an array of numbers ({first_line(error)}); {_EXPECTED}"
        ) from error
    if images.size and images.max() > 1:
        if images.min() < 0 or images.max() > 255 or (images != np.rint(images)).any():
            raise Problem(
                Kind.UNUSABLE,
                f"the values span {images.min():g} to {images.max():g}; expected 0..1, or whole numbers 0..255",
            )
        images /= np.float32(255)
    return _checked(images)


def _floats(rows: Any) -> Floats:
    """Nested lists as float32; one image of whole numbers 0..255, as most send it, in an eighth of the time.

    Raises:
        ValueError, TypeError, OverflowError: they are no array of numbers.
    """
    if isinstance(rows, list) and len(rows) == 28 and all(type(row) is list and len(row) == 28 for row in rows):
        with contextlib.suppress(ValueError, TypeError):
            return np.frombuffer(b"".join(map(bytes, rows)), np.uint8).reshape(28, 28).astype(np.float32)
    return np.array(rows, np.float32)


def _of_npy(body: bytearray) -> Floats:
    """An array of uint8 0..255 or floats 0..1, as ``numpy.save`` writes it."""
    try:
        start = _beginning(body)
        shape, fortran, dtype = _header(bytes(body[:start]))
        if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(body) - start:
            raise ValueError(f"{dtype} {shape} does not match {len(body) - start:,} bytes")
        images = np.frombuffer(body, dtype, offset=start).reshape(shape, order="F" if fortran else "C")
    except Exception as error:  # NumPy evaluates the header, and raises what comes
        raise Problem(Kind.UNUSABLE, f"the body is not an .npy file ({first_line(error)}); use numpy.save") from error
    return _checked(images)


def _beginning(body: bytearray) -> int:
    """Where the numbers begin in an .npy file. Source: NumPy's description of the format, versions 1 to 3."""
    width = 2 if body[6:7] == b"\x01" else 4
    start = 8 + width + int.from_bytes(body[8 : 8 + width], "little")
    if not 10 < start <= min(len(body), LONGEST_HEADER):
        raise ValueError("its header has no end")
    return start


@lru_cache(64)  # a client sends the same header again and again
def _header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, order and type that a header announces."""
    file = io.BytesIO(header)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    return shape, fortran, dtype


def _checked(images: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Floats:
    try:
        return network_input(images)
    except DataError as error:
        raise Problem(Kind.UNUSABLE, str(error)) from error
