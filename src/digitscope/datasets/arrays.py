"""Files of plain arrays: IDX, the format of MNIST, and NPZ, NumPy's. ``datasets.load`` knows what they mean.

Nothing is unpickled. The sizes that a file announces are read and compared before memory is taken, and memory grows
with the bytes that are there.
"""

from __future__ import annotations

import gzip
import os
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from digitscope.arraytypes import AnyArray, Levels
from digitscope.errors import DataError, first_line
from digitscope.files import POINTER, check_directory, check_fetched, check_packed

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
            beginning = raw.read(len(POINTER))
            check_fetched(beginning, path, DataError)
            size = raw.seek(0, os.SEEK_END)
            raw.seek(0)
            if not beginning.startswith(b"\x1f\x8b"):
                return _idx_array(raw, size, path)
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return _idx_array(unpacked, None, path, size)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({first_line(error)}); copy it again, it may be cut short") from error


def _idx_array(stream: IO[bytes] | gzip.GzipFile, size: int | None, path: Path, packed: int = 0) -> Levels:
    """The array in an open IDX file.

    Args:
        stream: the file, unpacked.
        size: its bytes, or None if it is packed: then they show only at its end.
        path: of the file, for messages.
        packed: the bytes that it is packed in.
    """
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] != 8 or not 1 <= head[3] <= 4:
        raise DataError(f"{path} is not an IDX file of unsigned bytes: it starts with {head.hex(' ')!r}")
    sizes = stream.read(4 * head[3])
    if len(sizes) < 4 * head[3]:
        raise DataError(f"{path} ends inside its header; copy it again")
    shape = struct.unpack(f">{head[3]}I", sizes)
    if 0 in shape:
        raise DataError(f"{path} holds nothing: its header announces {' x '.join(map(str, shape))} numbers")
    start, numbers = 4 + len(sizes), int(np.prod(shape, dtype=object))
    if size is not None and size != start + numbers:
        raise DataError(f"{path} holds {size:,} bytes, its header announces {start + numbers:,}; copy it again")
    if size is None:
        check_packed(numbers, packed, path, DataError)
    content = _filled(stream, numbers, path)
    if len(content) != numbers or stream.read(1):
        held = f"{start + len(content):,}" if len(content) < numbers else "more"
        raise DataError(f"{path} holds {held} bytes, its header announces {start + numbers:,}; copy it again")
    return content.reshape(shape)


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
        check_directory(path, DataError)
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
    """One array of an ``.npz``, if its header, the archive and the bytes that are there agree about its size."""
    info = archive.getinfo(f"{name}.npy")
    check_packed(info.file_size, info.compress_size, f"{path}: {name}", DataError)
    with archive.open(info) as file:
        versions = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = versions[np.lib.format.read_magic(file)](file)
        if dtype.hasobject:
            raise DataError(f"{path}: {name} holds Python objects, which are not loaded; save it as plain numbers")
        announced, held = int(np.prod(shape, dtype=object)) * dtype.itemsize, info.file_size - file.tell()
        if announced != held:
            raise DataError(f"{path}: {name} holds {held:,} bytes, its header announces {announced:,}; save it again")
        content = _filled(file, announced, path, largest)
    if len(content) != announced:
        raise DataError(f"{path}: {name} is cut short; copy or save it again")
    return content.view(dtype).reshape(shape, order="F" if fortran else "C")


def _filled(stream: IO[bytes] | gzip.GzipFile, size: int, path: Path, largest: int | None = None) -> Levels:
    """The next so many bytes of a stream, uint8 (n,) and read-only; fewer if it ends before.

    Memory that nothing was written to is not taken, so it grows with the bytes that are there.

    Raises:
        DataError: they are more than ``largest``, or ``LARGEST_FILE`` if that is None.
    """
    largest = LARGEST_FILE if largest is None else largest
    if size > largest:
        raise DataError(f"{path} unpacks to more than {largest:,} bytes, which no digit dataset needs")
    content, filled = np.empty(size, np.uint8), 0
    while filled < size and (chunk := stream.read(min(CHUNK, size - filled))):
        content[filled : filled + len(chunk)] = np.frombuffer(chunk, np.uint8)
        filled += len(chunk)
    content.flags.writeable = False
    return content[:filled]
