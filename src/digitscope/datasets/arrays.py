"""Files of plain arrays: IDX, the format of MNIST, and NPZ, NumPy's. ``datasets.load`` knows what they mean.

Nothing is unpickled, and memory grows with the bytes that are there, whatever a header says.
"""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from digitscope.arraytypes import AnyArray, Levels
from digitscope.errors import DataError
from digitscope.files import POINTER, check_fetched

LARGEST_FILE = 2 * 1024**3
"""The most bytes that one array may unpack to, unless the caller gives another limit."""

CHUNK = 1 << 20
"""Bytes that are unpacked at a time."""

SHOWN = 8
"""The most names in the message about an ``.npz`` that lacks the wanted arrays."""


def read_idx(path: str | Path) -> Levels:
    """The array in an IDX file, gzipped or not: uint8, of the shape in its header.

    Raises:
        DataError: the file cannot be read, is not IDX of unsigned bytes, or is longer or shorter than its header says.

    Source: the IDX format as described on the MNIST page: two zero bytes, a type byte (8 = unsigned byte), the number
    of dimensions, each dimension as a big-endian 32-bit integer, then the data.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            content = _bounded(gzip.GzipFile(fileobj=raw) if zipped else raw, path)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}); copy it again, it may be cut short") from error
    check_fetched(content, path, DataError)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != 8 or not 1 <= content[3] <= 4:
        raise DataError(f"{path} is not an IDX file of unsigned bytes: it starts with {content[:4].hex(' ')!r}")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{path} ends inside its header; copy it again")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    if 0 in shape:
        raise DataError(f"{path} holds nothing: its header announces {' x '.join(map(str, shape))} numbers")
    expected = start + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        raise DataError(f"{path} holds {len(content):,} bytes, its header announces {expected:,}; copy it again")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def read_npz(path: str | Path, choices: Sequence[Sequence[str]], largest: int | None = None) -> dict[str, AnyArray]:
    """Arrays of an ``.npz`` by name.

    Args:
        path: of the file.
        choices: lists of names; the first list that the file has completely is read.
        largest: the most bytes that one of them may unpack to; None takes ``LARGEST_FILE``.

    Raises:
        DataError: the file cannot be read, or has none of the lists completely.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            check_fetched(file.read(len(POINTER)), path, DataError)
        with zipfile.ZipFile(path) as archive:
            there = archive.namelist()
            names = next((names for names in choices if {f"{name}.npy" for name in names} <= {*there}), None)
            if names is None:
                wanted = ", or ".join(map(", ".join, choices))
                raise DataError(f"{path} holds {_content(there)}; expected an .npz with {wanted}")
            return {name: _read_npy(archive, name, path, largest) for name in names}
    except DataError:
        raise
    except Exception as error:  # numpy and zipfile raise a dozen types on damaged bytes
        raise DataError(f"{path} is not a readable .npz of plain arrays ({type(error).__name__}: {error})") from error


def _content(files: list[str]) -> str:
    """What an archive holds instead of the wanted arrays, for the message; one without arrays needs unpacking."""
    names = ", ".join([*(name.removesuffix(".npy") for name in files[:SHOWN]), *["..."] * (len(files) > SHOWN)])
    if any(name.endswith(".npy") for name in files):
        return f"the arrays {names}"
    return f"{names} and no arrays; unpack it and give its content" if files else "nothing"


def _read_npy(archive: zipfile.ZipFile, name: str, path: Path, largest: int | None) -> AnyArray:
    """One array of an ``.npz``, without trusting the size in its header."""
    with archive.open(f"{name}.npy") as file:
        versions = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = versions[np.lib.format.read_magic(file)](file)
        if dtype.hasobject:
            raise DataError(f"{path}: {name} holds Python objects, which are not loaded; save it as plain numbers")
        content = _bounded(file, path, largest)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _bounded(stream: IO[bytes] | gzip.GzipFile, path: Path, largest: int | None = None) -> bytes:
    """Everything in a stream, unless it is more than ``largest`` bytes, or ``LARGEST_FILE`` if that is None."""
    largest = LARGEST_FILE if largest is None else largest
    chunks: list[bytes] = []
    size = 0
    while chunk := stream.read(CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > largest:
            raise DataError(f"{path} unpacks to more than {largest:,} bytes, which no digit dataset needs")
    return b"".join(chunks)
