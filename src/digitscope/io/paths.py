"""Which files are meant: names, folders and patterns, in the order people expect."""

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
    """Sorts names by their letters, large and small alike, and the numbers in them by their value.

    >>> sorted(["b10.png", "c.png", "B9.png", "b2.png"], key=natural_order)
    ['b2.png', 'B9.png', 'b10.png', 'c.png']
    """
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if number % 2 else part.casefold() for number, part in enumerate(parts)], name


def files_of(paths: Sequence[str]) -> list[str]:
    """The files that paths mean, each once, in natural order: ``img2.png`` before ``img10.png``.

    Args:
        paths: files, which are taken as they are, also where there is none; folders, searched through and through for
            names with one of ``io.document.SUFFIXES``, without hidden ones and without following links to
            folders; patterns such as ``scans/*.png``; and ``-`` for the standard input.

    Raises:
        ConfigError: a folder or a pattern with nothing in it, or a folder that may not be looked into.

    >>> files_of(["b.png", "-", "a.png"])
    ['b.png', '-', 'a.png']
    """
    files: list[str] = []
    for path in paths:
        found = [path]
        if glob.has_magic(path) and not os.path.lexists(path):
            found = sorted(glob.glob(path, recursive=True), key=natural_order)  # noqa: PTH207 (Path.glob wants a folder)
        found = [file for each in found for file in (_within(each) if Path(each).is_dir() else [each])]
        if not found:
            kinds = ", ".join(SUFFIXES)
            raise ConfigError(f"{path} holds no file to read; expected names that end in {kinds}, or a pattern of them")
        files += found
    return list(dict.fromkeys(files))


def _within(folder: str) -> Iterator[str]:
    """The files below a folder that look like pictures, TIFFs and PDFs, those of a folder before its folders'."""

    def stop(error: OSError) -> NoReturn:
        raise ConfigError(f"{error.filename} cannot be searched ({error.strerror}); check its rights") from error

    for parent, folders, names in os.walk(folder, onerror=stop):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural_order)
        for name in sorted(names, key=natural_order):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield str(Path(parent, name))
