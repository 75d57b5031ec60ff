"""Loading a dataset by name or path: MNIST, which ships with the package, or your own files.

Arrays have Keras' layout: images uint8 (n, 28, 28) with 0 = paper and 255 = pen, labels uint8 (n,) 0..9. Training
scales and one-hot encodes them. Each kind of file has its own module: ``arrays`` reads IDX and NPZ, ``table``
CSV, ``folder`` images in folders.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from digitscope.arraytypes import AnyArray, Images
from digitscope.datasets.arrays import read_idx, read_npz
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.mnist import IDX_FILES, mnist_arrays
from digitscope.datasets.split import Part, data_warnings, level_warnings, split
from digitscope.datasets.table import has_labels, read_pixels, read_table
from digitscope.errors import ConfigError, DataError
from digitscope.formatting import file_name
from digitscope.progress import Progress

TABLE_FILES = (("train.csv", "test.csv"), ("mnist_train.csv", "mnist_test.csv"))
"""Names of a training and a test table in one folder."""

AND = "+"
"""Between the names of several datasets that are trained on together."""

FOLDERS = "the four IDX files, train.csv, or images in sub-folders 0 to 9 (or train/0 to 9 and test/0 to 9)"
"""What a folder may hold, for messages."""


def load_dataset(data: str | Path | Dataset = "mnist", progress: Progress | None = None) -> Dataset:
    """A dataset by name or path; docs/data.md shows each kind.

    Args:
        data: ``"mnist"``; a folder with the four IDX files, with ``train.csv``, or with sub-folders of images; an
            ``.npz``; or a table of labelled pixels. A dataset is returned as it is. If there is no test part, one in
            seven images of each digit becomes a test image (``datasets.split.split``). Several, joined by ``+``, as in
            ``"mnist+corrections/digits"``, have the test images of the first, and the training images of all; of a set
            without a test part, all images are training images if it is not the first.
        progress: called with the number of files done, for a folder of images.

    Raises:
        DataError: the files are damaged, incomplete, or not 28x28 digits.
        ImageError: a file in a folder of images is not an image.
        ConfigError: ``data`` is neither a known name nor an existing path.
    """
    if isinstance(data, Dataset):
        return data
    if str(data) == "mnist":
        return _mnist()
    first, *others = _names(data)
    if others:
        return _with_others(load_dataset(first, progress), others, progress)
    parts, warnings = _parts_of(str(data), progress)
    name = file_name(str(data))
    train, test = parts if len(parts) == 2 else split(parts[0], name)
    how = (
        "" if len(parts) == 2 else "; the test images are the 2nd, 9th, 16th ... of each digit, taken from the same set"
    )
    return Dataset(
        name,
        train.images,
        train.labels,
        test.images,
        test.labels,
        f"{len(train.labels):,} training and {len(test.labels):,} test images{how}",
        warnings + data_warnings(train, test),
        train.places,
        test.places,
    )


def load_unlabelled(path: str | Path, progress: Progress | None = None) -> Images:
    """Images without labels, uint8 (n, 28, 28) 0..255, 255 = pen.

    Args:
        path: a table of pixels, whose labels, if any, are ignored; a folder with ``test.csv``; or a folder of images,
            which are read in the order of their names, ``2.png`` before ``10.png``.
        progress: called with the number of files done, for a folder of images.

    Raises:
        DataError: it is damaged, or holds no images.
        ImageError: a file in a folder of images is not an image.
        ConfigError: there is no such path.
    """
    path = _existing(path, "a table of pixels or a folder of images")
    if path.is_dir():
        table = next((path / test for _, test in TABLE_FILES if (path / test).is_file()), None)
        if table is None:
            from digitscope.datasets.folder import read_unlabelled  # start-up: OpenCV, which only folders need

            return read_unlabelled(path, progress)
        path = table
    return read_pixels(path)


def _names(data: str | Path) -> list[str]:
    """The names of the datasets that a text stands for; one, if there is such a path."""
    text = str(data)
    if AND not in text or isinstance(data, Path) or _is_there(text):
        return [text]
    names = [name.strip() for name in text.split(AND)]
    if not all(names):
        raise ConfigError(f"{text!r} lacks a dataset before or after a {AND}; write mnist{AND}FOLDER, for example")
    return names


def _with_others(first: Dataset, names: Sequence[str], progress: Progress | None) -> Dataset:
    """A dataset with the training images of others; one that is named twice counts twice."""
    read = {name: _training_part(name, progress) for name in dict.fromkeys(names)}
    parts = [read[name][0] for name in names]
    images = np.concatenate([first.x_train, *(part.images for part in parts)])
    labels = np.concatenate([first.y_train, *(part.labels for part in parts)])
    own = first.places_train or [f"train:{index}" for index in range(len(first.y_train))]
    train = Part(images, labels, [*own, *(place for part in parts for place in part.places)])
    odd = [
        warning for part, warnings in read.values() for warning in (*warnings, *level_warnings("added", part.images))
    ]
    whole = data_warnings(train, Part(first.x_test, first.y_test, [first.place(i) for i in range(len(first.y_test))]))
    added = len(labels) - len(first.y_train)
    return replace(
        first,
        name=AND.join([first.name, *map(file_name, names)]),
        x_train=images,
        y_train=labels,
        description=f"{first.description}; and {added:,} training images of {', '.join(map(file_name, names))}",
        warnings=tuple(dict.fromkeys([*first.warnings, *odd, *whole])),
        places_train=train.places,
    )


def _training_part(name: str, progress: Progress | None) -> tuple[Part, tuple[str, ...]]:
    """All images of a dataset but those of its test part, and warnings about them."""
    if name == "mnist":
        mnist = _mnist()
        return Part(mnist.x_train, mnist.y_train, [f"train:{index}" for index in range(len(mnist.y_train))]), ()
    parts, warnings = _parts_of(name, progress)
    return parts[0], warnings


def _parts_of(name: str, progress: Progress | None) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """The parts of a file or folder, and warnings about them."""
    path = _existing(name, f"'mnist', an .npz file, a table of pixels, or a folder with {FOLDERS}")
    return _parts_of_folder(path, progress) if path.is_dir() else (_parts_of_file(path), ())


@cache
def _mnist() -> Dataset:
    return Dataset("mnist", *mnist_arrays(), "60,000 training and 10,000 test images of MNIST")


def _existing(data: str | Path, expected: str) -> Path:
    """A path that exists; ``expected`` is the message's list of what could be given instead."""
    try:
        path = Path(data).expanduser()
        path.stat()
    except (OSError, ValueError, RuntimeError) as error:  # not there, not allowed, a null in it, ~nobody
        raise ConfigError(f"no dataset {str(data)!r} ({getattr(error, 'strerror', error)}); give {expected}") from error
    if not path.is_dir() and not path.is_file():
        raise ConfigError(f"{data} is neither a file nor a folder; give {expected}")
    return path


def _is_there(name: str) -> bool:
    """Whether there is a file or folder of this name."""
    try:
        return bool(_existing(name, ""))
    except ConfigError:
        return False


def _parts_of_folder(folder: Path, progress: Progress | None) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """The parts in a folder, and warnings about them."""
    if any(_found_idx(folder, name) for name in IDX_FILES.values()):
        files = {part: _idx_file(folder, name) for part, name in IDX_FILES.items()}  # all there, before one is read
        return _parts_of_arrays(file_name(str(folder)), {part: read_idx(path) for part, path in files.items()}), ()
    for train, test in ((folder / train, folder / test) for train, test in TABLE_FILES):
        if train.is_file():
            given = [train, test] if test.is_file() and has_labels(test) else [train]
            return tuple(read_table(path) for path in given), ()
    from digitscope.datasets.folder import is_labelled, read_labelled  # start-up: OpenCV, which only folders need

    if is_labelled(folder):
        return read_labelled(folder, progress)
    raise DataError(f"{folder} holds no dataset; expected a folder with {FOLDERS}")


def _parts_of_file(path: Path) -> tuple[Part, ...]:
    """The parts in an ``.npz`` or a table."""
    if path.suffix.lower() == ".npz" or zipfile.is_zipfile(path):
        return _parts_of_arrays(file_name(str(path)), read_npz(path, [list(IDX_FILES), ["x", "y"]]))
    return (read_table(path),)


def _found_idx(folder: Path, name: str) -> Path | None:
    """An IDX file by its name with a dash or, as in some copies of MNIST, a dot; gzipped or not."""
    spellings = [spelling + suffix for spelling in (name, name.replace("-idx", ".idx")) for suffix in ("", ".gz")]
    return next((folder / spelling for spelling in spellings if (folder / spelling).is_file()), None)


def _idx_file(folder: Path, name: str) -> Path:
    """As ``_found_idx``; a missing file is an error."""
    path = _found_idx(folder, name)
    if path is None:
        raise DataError(f"{folder} has no {name} or {name}.gz; a dataset folder needs {', '.join(IDX_FILES.values())}")
    return path


def _parts_of_arrays(name: str, arrays: Mapping[str, AnyArray]) -> tuple[Part, ...]:
    """Arrays as a training and a test part, or as one part; each must be 28x28 images with labels 0..9."""
    if "x" in arrays:
        return (_part(name, "", arrays["x"], arrays["y"]),)
    return tuple(_part(name, f"{part} ", arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test"))


def _part(name: str, part: str, x: AnyArray, y: AnyArray) -> Part:
    """Images (n, 28, 28), (n, 28, 28, 1) or (n, 784) and labels, checked."""
    images = x.reshape(-1, 28, 28) if x.size and x.shape[1:] in ((28, 28, 1), (784,)) else x
    if images.shape[1:] != (28, 28) or len(images) == 0:
        raise DataError(f"{name}: {part}images are {x.dtype} {x.shape}; expected uint8 (n, 28, 28), n > 0")
    if not np.issubdtype(x.dtype, np.integer) or x.min() < 0 or x.max() > 255:
        raise DataError(f"{name}: {part}images are {_levels(x)}; expected whole numbers 0 to 255, uint8{_cure(x)}")
    if y.shape != (len(images),) or not np.issubdtype(y.dtype, np.integer):
        one_hot = "; give the digits themselves: y.argmax(1)" if y.shape == (len(images), 10) else ""
        raise DataError(f"{name}: {part}labels are {y.dtype} {y.shape}; expected {len(images)} integers{one_hot}")
    labels = y.astype(np.int64)
    wrong = np.flatnonzero((labels < 0) | (labels > 9))
    if len(wrong):
        raise DataError(f"{name}: {part}label {y[wrong[0]]} of image {wrong[0]} is not a digit 0..9")
    places = [f"{name}, {part}image {index}" for index in range(len(images))]
    return Part(np.asarray(images, np.uint8), labels.astype(np.uint8), places)


def _levels(x: AnyArray) -> str:
    """The dtype of images for a message, with their range if they are numbers."""
    return f"{x.dtype} {x.min():g} to {x.max():g}" if np.isrealobj(x) and x.dtype.kind in "iuf" else str(x.dtype)


def _cure(x: AnyArray) -> str:
    """How to convert floats or booleans to uint8, for the message; empty if that is not clear."""
    if x.dtype.kind not in "bf" or not (x.min() >= 0 and x.max() <= 255):
        return ""
    return f'; save {"x" if x.max() > 1 else "(255 * x)"}.astype("uint8")'
