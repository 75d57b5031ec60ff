"""Folders of images: a sub-folder for each digit, or images without labels. Each image becomes a 28x28 field.

An image that is 28x28 and grey already is taken as it is. Any other image is cut to its ink and scaled as in reading
(``preprocessing.ink``, ``preprocessing.field``).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitscope.arraytypes import Images, Levels, Mask
from digitscope.datasets.split import Part, bright_paper
from digitscope.errors import DataError
from digitscope.formatting import file_name
from digitscope.io.image import load_picture
from digitscope.io.paths import natural_order
from digitscope.preprocessing import field, ink
from digitscope.progress import Progress

TRAIN, TEST = ("train", "training"), ("test", "testing")
"""Names of the folders of the training and the test part, if the images are split already."""

DIGITS = tuple("0123456789")
"""Names of the folders with each digit's images."""

HIDDEN = ("thumbs.db", "desktop.ini")
"""Files that Windows hides in folders of images, in lower case."""


@dataclass(frozen=True, eq=False)
class Fields:
    """Image files as 28x28 fields.

    Attributes:
        images: uint8 (n, 28, 28) 0..255, 255 = pen.
        warnings: what is odd about the files, one sentence each.
    """

    images: Images
    warnings: tuple[str, ...]


def is_labelled(folder: Path) -> bool:
    """Whether a folder looks like labelled images: it holds a digit's folder, or a folder of training images."""
    return any((folder / name).is_dir() for name in (*TRAIN, *DIGITS))


def read_labelled(folder: Path, progress: Progress | None = None) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """The labelled images of a folder.

    Args:
        folder: holds a sub-folder for each digit, named 0 to 9; or ``train`` and ``test`` with such sub-folders.
        progress: called with the number of files done.

    Returns:
        One part, or a training and a test part; and what is odd about them, one sentence each.

    Raises:
        DataError: a sub-folder has another name, there is none, or a part has no image at all.
        ImageError: a file in it is not an image.
    """
    given = [[folder / name for name in names if (folder / name).is_dir()] for names in (TRAIN, TEST)]
    roots = [found[0] for found in given if found] if given[0] else [folder]
    listed = [
        _in_turn([[(path, digit) for path in _entries(root / digit)] for digit in _digits_in(root)]) for root in roots
    ]
    for root, files in zip(roots, listed, strict=True):
        if not files:
            raise DataError(f"{root} holds no image in any of its sub-folders; put the images of each digit in its own")
    fields = read_images([path for files in listed for path, _ in files], progress)
    parts, start = [], 0
    for files in listed:
        labels = np.array([int(digit) for _, digit in files], np.uint8)
        parts.append(
            Part(fields.images[start : start + len(files)], labels, [file_name(str(path)) for path, _ in files])
        )
        start += len(files)
    return tuple(parts), (*_ignored_folders(folder, roots), *fields.warnings)


def _ignored_folders(folder: Path, roots: Sequence[Path]) -> list[str]:
    """A warning if there are folders beside the training and test folders."""
    others = (
        []
        if folder in roots
        else [file_name(path.name) for path in _entries(folder) if path.is_dir() and path not in roots]
    )
    read = " and ".join(root.name for root in roots)
    return (
        [f"{file_name(str(folder))} has {', '.join(others)} too, which is not used; only {read} is read"]
        if others
        else []
    )


def read_unlabelled(folder: Path, progress: Progress | None = None) -> Images:
    """The images in a folder, uint8 (n, 28, 28), by name; ``2.png`` comes before ``10.png``.

    Raises:
        DataError: there is none.
        ImageError: a file in it is not an image.
    """
    return read_images(_files_in(folder), progress).images


def read_images(paths: Sequence[Path], progress: Progress | None = None) -> Fields:
    """The fields of image files, in their order.

    Images that are 28x28 and grey already are inverted, all of them, if most have bright rims and so show a dark pen
    on bright paper. An image without ink becomes an empty field.

    Raises:
        ImageError: a file is not an image.
    """
    images = np.zeros((len(paths), 28, 28), np.uint8)
    ready, blank = np.zeros(len(paths), bool), np.zeros(len(paths), bool)
    for index, path in enumerate(paths):
        pixels = load_picture(path, ink.LONGEST).pixels
        if pixels.shape[:2] == (28, 28) and _is_grey(pixels):
            ready[index], images[index] = True, pixels if pixels.ndim == 2 else pixels[..., 0]
        else:
            found = ink.find_ink(pixels)
            blank[index] = found.box is None
            if found.box is not None:
                images[index] = np.rint(255 * field.field_of(found.ink, found.box).pixels)
        if progress is not None:
            progress("images", index + 1, len(paths), {})
    bright = ready & bright_paper(images)
    inverted = 2 * bright.sum() > ready.sum()
    if inverted:
        images[ready] = 255 - images[ready]
    odd = ready & (bright != inverted)
    return Fields(images, tuple(_image_warnings(paths, ready, blank, odd)))


def _image_warnings(paths: Sequence[Path], ready: Mask, blank: Mask, odd: Mask) -> list[str]:
    """What is odd about images, one sentence each: only some were 28x28 already, some are inverted, some blank."""
    found, names = [], [file_name(str(path)) for path in paths]
    if ready.any() and not ready.all():
        found.append(
            f"{ready.sum():,} of {len(paths):,} images are 28x28 and grey already and were taken as they are, the "
            f"others were cut to their ink: {names[int(ready.argmax())]} and {names[int(ready.argmin())]}"
        )
    if odd.any():
        found.append(
            f"{odd.sum():,} of the {ready.sum():,} images of 28x28 have pen and paper swapped compared with the "
            f"rest: the first is {names[int(odd.argmax())]}"
        )
    if blank.any():
        found.append(
            f"{blank.sum():,} of {len(paths):,} images show no ink and count as empty: the first is "
            f"{names[int(blank.argmax())]}"
        )
    return found


def _is_grey(pixels: Levels) -> bool:
    """Whether an image has no colours; many programs save grey as RGB."""
    return pixels.ndim == 2 or bool((pixels == pixels[..., :1]).all())


def _in_turn(lists: list[list[tuple[Path, str]]]) -> list[tuple[Path, str]]:
    """The first of each list, then the second of each, and so on, so that a part begins with all digits."""
    return [item for turn in itertools.zip_longest(*lists) for item in turn if item is not None]


def _digits_in(folder: Path) -> list[str]:
    """The names of the sub-folders; each must be a digit."""
    names = [path.name for path in _entries(folder) if path.is_dir()]
    strange = [name for name in names if name not in DIGITS]
    if strange:
        raise DataError(f"{folder / strange[0]} is not named after a digit; expected sub-folders 0 to 9 and no others")
    if not names:
        raise DataError(f"{folder} has no sub-folders; expected one for each digit, named 0 to 9, with its images")
    return names


def _files_in(folder: Path) -> list[Path]:
    """The files in a folder of images, by name; ``io.image.load_picture`` refuses sub-folders."""
    files = _entries(folder)
    if not files:
        raise DataError(f"{folder} holds no image; put images into it or remove it")
    return files


def _entries(folder: Path) -> list[Path]:
    """A folder's entries in natural order, without hidden ones."""
    try:
        there = list(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder} cannot be listed ({error.strerror}); check its permissions") from error
    shown = [path for path in there if not path.name.startswith((".", "__")) and path.name.lower() not in HIDDEN]
    return sorted(shown, key=lambda path: natural_order(path.name))
