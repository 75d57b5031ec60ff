"""Writes annotated pages as files, and gives each file a name. ``io.annotate`` draws them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from digitscope import files
from digitscope.arraytypes import Levels
from digitscope.io.page import Page

LONGEST_NAME = 200
"""Bytes of a source file's name that the name of its pages keeps; most systems allow 255 in all."""

_LATER_PAGE = re.compile(r"-p[0-9]+$")
"""The end of the name of every page but the first of a file."""


def check_annotated_folder(folder: str | Path) -> None:
    """Make the folder for annotated pages, and make sure that files can be written there.

    Raises:
        ConfigError: they cannot.
    """
    with files.writing(folder, "give another folder for the annotated pages"):
        files.check_folder(folder)


def write_annotated(page: Page, pixels: Levels, folder: str | Path, name: str) -> Path:
    """Write an annotated page as ``FOLDER/NAME.jpg``; later pages of a file as ``NAME-p2.jpg`` and so on.

    Args:
        page: what was read.
        pixels: uint8 (h, w) or (h, w, 3), the page as it stands in the file, perhaps reduced.
        folder: where to write it.
        name: the name that ``annotated_names`` gave the file.

    Raises:
        ImageError: ``pixels`` is not a picture.
    """
    path = Path(folder) / (f"{name}.jpg" if page.page == 1 else f"{name}-p{page.page}.jpg")
    with files.atomic_path(path) as temporary:
        page.annotated(pixels).save(temporary, quality=92, subsampling=0)
    return path


def annotated_names(sources: Sequence[str]) -> dict[str, str]:
    """The name of each file's annotated pages. No two pages get the same one, whatever the order of the files.

    The name is the file's own without folder and suffix. If that is taken, as by ``x.png`` in two folders or by
    ``x-p2.png`` beside page 2 of ``x.pdf``, it is the whole path; if that is taken too, a hash is added.

    >>> annotated_names(["a/x.png", "b/x.png", "y.pdf"])
    {'a/x.png': 'a-x.png', 'b/x.png': 'b-x.png', 'y.pdf': 'y'}
    """
    longer = {file: _names(file) for file in sources}
    names = {file: next(longer[file]) for file in longer}
    while taken := _taken(names):
        names |= {file: next(longer[file], names[file]) for file in taken}
    return names


def _names(file: str) -> Iterator[str]:
    """Names for a file's pages, each longer than the one before and less likely to be taken by another file."""
    path, code = Path(file), hashlib.sha256(file.encode(errors="surrogatepass")).hexdigest()
    joined = _end("-".join(part for part in path.parts if part not in (path.anchor, ".", "..")))
    yield _end(path.stem)
    yield joined
    yield f"{joined}-{code[:8]}"
    yield f"{joined}-{code[:32]}"


def _end(name: str) -> str:
    """The last ``LONGEST_NAME`` bytes of a name, in whole characters."""
    return name.encode(errors="surrogatepass")[-LONGEST_NAME:].decode(errors="ignore")


def _taken(names: dict[str, str]) -> list[str]:
    """The files that need a longer name, because a page of another file may have the same."""
    plain = {file: name.casefold() for file, name in names.items()}  # some file systems ignore case
    count = Counter(plain.values())
    first = {file: _LATER_PAGE.sub("", name) for file, name in plain.items()}
    return [file for file, name in plain.items() if count[name] > 1 or (first[file] != name and first[file] in count)]
