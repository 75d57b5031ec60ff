"""Writing files whole or not at all: a killed process leaves the old file or the new one, never half of one.

Beside it, a lock that keeps two processes from writing the same place, and three questions about files that are read:
whether they are there, or only the note that Git LFS keeps in their place; and whether what is packed in them, or the
list of it, was made to fill the memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from digitscope.errors import ConfigError, DigitscopeError

MUCH, MOST_PACKED = 64 * 1024**2, 100
"""Bytes from which on it matters how well a part of a file is packed, and how many of them a packed byte may stand for:
MNIST's images are packed 5 to 1, and a bomb 1,000 to 1."""

LARGEST_DIRECTORY = 1 << 20
"""Bytes of the longest directory of a zip file, which Python's ``zipfile`` reads whole: about 15,000 entries."""

END, COMMENT = struct.Struct("<4s8xIIH"), 1 << 16
"""The record that ends a zip file: its signature, the directory's size and place, and the length of the comment, at
most 64 KiB, that may follow. Source: PKWARE's APPNOTE.TXT, 4.3.16."""

LOCATOR = b"PK\x06\x07"
"""What stands, 20 bytes long, before that record if the file has more than 65,535 entries or 4 GiB; 4.3.15."""

POINTER = b"version https://git-lfs"
"""What a pointer of Git LFS begins with. Source: the specification of Git LFS."""


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; what is written there takes the final name when the block ends well.

    The temporary name keeps the suffix of ``path``, by which many writers choose their format, but only the beginning
    of a long name, so that the system accepts it. If the block raises, the temporary file is removed and ``path`` stays
    as it was.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{_start(path.stem)}-", suffix=_start(path.suffix), dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; it takes the final name when the block ends well.

    If the block raises, or there is something at ``path`` then, the temporary folder is removed with all that is in it.

    >>> with tempfile.TemporaryDirectory() as above:
    ...     with atomic_folder(Path(above) / "a") as temporary:
    ...         _ = (temporary / "b.txt").write_text("whole")
    ...     [path.name for path in (Path(above) / "a").iterdir()]
    ['b.txt']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{_start(path.name)}-", dir=path.parent))
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(0o777 & ~_umask())
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Make sure that every file in a folder is on the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


@contextlib.contextmanager
def writing(path: str | Path, cure: str = "give another place") -> Iterator[None]:
    """Turn the system's refusal to write into one sentence.

    Args:
        path: the file or folder that the block writes.
        cure: what the user can do; it ends the sentence.

    Raises:
        ConfigError: the block raised an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror or error}); {cure}") from error


def check_folder(folder: str | Path) -> None:
    """Make a folder, with those above it, and make sure that files can be written in it.

    Raises:
        OSError: they cannot; ``writing`` turns it into a sentence.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()


@contextlib.contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Hold a file or folder, which must exist, for this process alone until the block ends.

    The system drops the lock when the process ends, however it ends, so that none is left behind. Nothing is held where
    the system has no such locks: on Windows and on some network drives.

    Raises:
        ConfigError: another process holds it, or another part of this one.
        OSError: it cannot be opened.

    >>> with tempfile.TemporaryDirectory() as folder, locked(folder):
    ...     with locked(folder):  # doctest: +ELLIPSIS
    ...         pass
    Traceback (most recent call last):
    digitscope.errors.ConfigError: ... is being written by another process; wait until it has ended, or ...
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        _lock(handle, path)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, path: str | Path) -> None:
    with contextlib.suppress(ImportError, OSError):
        import fcntl  # POSIX only

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"{path} is being written by another process; wait until it has ended, or give another place"
            ) from None


@contextlib.contextmanager
def sole_writer(folder: str | Path, cure: str = "set out to another folder") -> Iterator[None]:
    """Make a folder, and hold it for this process alone until the block ends, as ``locked`` does.

    Args:
        folder: the folder.
        cure: what the user can do if files cannot be written there.

    Raises:
        ConfigError: they cannot, it is a file, or another process holds it.
    """
    with contextlib.ExitStack() as held:
        with writing(folder, cure):
            check_folder(folder)
            held.enter_context(locked(folder))
        yield


def write_text(path: str | Path, text: str) -> None:
    r"""Write ``text`` as UTF-8, whole or not at all.

    The name of a file may hold what is no character; it is written as in JSON, ``\udcff``.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write ``data``, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all; NaN, which JSON cannot hold, is an error."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def _start(name: str) -> str:
    """The first 60 bytes of a name, without half a character at the end."""
    return name.encode(errors="ignore")[:60].decode(errors="ignore")


def _umask() -> int:
    """The process's umask; POSIX offers no way to read it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def check_fetched(content: bytes, name: str | Path, kind: type[DigitscopeError]) -> None:
    """Make sure that a file is not the pointer that Git LFS leaves in its place.

    Args:
        content: the file, or its beginning.
        name: what the message calls it.
        kind: what is raised.

    Raises:
        DigitscopeError: it is a pointer; of the type ``kind``.
    """
    if content.startswith(POINTER):
        raise kind(f"{name} is a pointer of Git LFS, not the file itself; fetch that with: git lfs pull")


def check_packed(size: int, packed: int, name: str | Path, kind: type[DigitscopeError]) -> None:
    """Make sure that a packed part of a file is no bomb, which is all alike inside; before it is unpacked.

    Args:
        size: the bytes that it announces to unpack to.
        packed: the bytes that it has.
        name: what the message calls it.
        kind: what is raised.

    Raises:
        DigitscopeError: it has at least ``MUCH`` bytes, more than ``MOST_PACKED`` times as many as are packed.
    """
    if size >= MUCH and size > MOST_PACKED * packed:
        raise kind(f"{name} unpacks from {packed:,} to {size:,} bytes, as no numbers that mean anything do; refused")


def check_directory(path: Path, kind: type[DigitscopeError]) -> None:
    """Make sure that a zip file has no directory of millions of entries, before ``zipfile`` reads it into memory.

    Args:
        path: of the file; one that is no zip file passes.
        kind: what is raised.

    Raises:
        DigitscopeError: its directory has more than ``LARGEST_DIRECTORY`` bytes.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - COMMENT - END.size - 20))
        tail = file.read()
    bare = tail[-END.size :].startswith(b"PK\x05\x06") and tail.endswith(b"\0\0")
    start = len(tail) - END.size if bare else tail.rfind(b"PK\x05\x06")
    if start < 0 or len(tail) < start + END.size:
        return
    size = END.unpack_from(tail, start)[1]
    if size > LARGEST_DIRECTORY or tail[max(0, start - 20) : start].startswith(LOCATOR):
        raise kind(f"{path} is a zip file with thousands of entries; expected a few arrays; refused")
