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


def files_of(paths: Sequence[str]) -> Iterator[str]:
    """Yield the files that paths stand for, in natural order: ``img2.png`` before ``img10.png``.

    They are found as they are asked for, one folder at a time, so that a million files take no more memory than the
    largest folder among them. Only a pattern is looked up as a whole.

    Args:
        paths: files, even if they do not exist; folders, searched with their sub-folders for names that end in one of
            ``io.document.SUFFIXES``, hidden names and links to folders left out; patterns such as ``scans/*.png``; and
            ``-`` for the standard input. What two of them stand for comes twice.

    Raises:
        ConfigError: nothing is in a folder or matches a pattern, or a folder cannot be searched.

    >>> list(files_of(["b.png", "-", "a.png"]))
    ['b.png', '-', 'a.png']
    """
    for path in paths:
        found = False
        for name in _matches(path):
            for file in _within(name) if Path(name).is_dir() else [name]:
                found = True
                yield file
        if not found:
            kinds = ", ".join(SUFFIXES)
            raise ConfigError(f"{path} holds no file to read; expected names that end in {kinds}, or a pattern of them")


def number_of_files(paths: Sequence[str]) -> int:
    """How many files ``files_of`` yields, without putting their names in order."""
    names = (name for path in paths for name in _matches(path))
    return sum(
        sum(_is_page(name) for _, _, names in _walked(name) for name in names) if Path(name).is_dir() else 1
        for name in names
    )


def _matches(path: str) -> list[str]:
    """What a pattern matches, in natural order; any other path is returned as it is."""
    if os.path.lexists(path) or not glob.has_magic(path):
        return [path]
    return sorted(glob.glob(path, recursive=True), key=natural_order)  # noqa: PTH207 (Path.glob needs a folder)


def _within(folder: str) -> Iterator[str]:
    """The files below a folder with names that end in one of ``SUFFIXES``, each folder's before its sub-folders'."""
    for parent, folders, names in _walked(folder):
        folders.sort(key=natural_order)
        for name in sorted(filter(_is_page, names), key=natural_order):
            yield str(Path(parent, name))


def _walked(folder: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """The folders below a folder, hidden ones left out, as ``os.walk`` gives them."""

    def stop(error: OSError) -> NoReturn:
        raise ConfigError(f"{error.filename} cannot be searched ({error.strerror}); check its permissions") from error

    for parent, folders, names in os.walk(folder, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield parent, folders, names


def _is_page(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")
