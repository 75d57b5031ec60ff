"""From names, folders and patterns to the files they stand for, in the order people expect. It opens none."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from digitscope.errors import ConfigError
from digitscope.io.document import SUFFIXES


def natural_order(name: str) -> tuple[list[str | int], str]:
    """A key that sorts names by their letters, ignoring case, and by the values of the numbers in them.

    >>> sorted(["b10.png", "c.png", "B9.png", "b2.png"], key=natural_order)
    ['b2.png', 'B9.png', 'b10.png', 'c.png']
    """
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if number % 2 else part.casefold() for number, part in enumerate(parts)], name


def files_of(paths: Sequence[str]) -> list[str]:
    """The files that paths stand for, each once, in natural order: ``img2.png`` before ``img10.png``.

    Args:
        paths: files, even if they do not exist; folders, searched with their sub-folders for names that end in one of
            ``io.document.SUFFIXES``, hidden names and links to folders left out; patterns such as ``scans/*.png``; and
            ``-`` for the standard input.

    Raises:
        ConfigError: nothing is in a folder or matches a pattern, or a folder cannot be searched.

    >>> files_of(["b.png", "-", "a.png"])
    ['b.png', '-', 'a.png']
    """
    files: list[str] = []
    for path in paths:
        found = [file for name in _matches(path) for file in (_within(name) if Path(name).is_dir() else [name])]
        if not found:
            kinds = ", ".join(SUFFIXES)
            raise ConfigError(f"{path} holds no file to read; expected names that end in {kinds}, or a pattern of them")
        files += found
    return list(dict.fromkeys(files))


def _matches(path: str) -> list[str]:
    """What a pattern matches, in natural order; any other path is returned as it is."""
    if os.path.lexists(path) or not glob.has_magic(path):
        return [path]
    return sorted(glob.glob(path, recursive=True), key=natural_order)  # noqa: PTH207 (Path.glob needs a folder)


def _within(folder: str) -> Iterator[str]:
    """The files below a folder with names that end in one of ``SUFFIXES``, each folder's before its sub-folders'."""

    def stop(error: OSError) -> NoReturn:
        raise ConfigError(f"{error.filename} cannot be searched ({error.strerror}); check its permissions") from error

    for parent, folders, names in os.walk(folder, onerror=stop):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural_order)
        for name in sorted(names, key=natural_order):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield str(Path(parent, name))
