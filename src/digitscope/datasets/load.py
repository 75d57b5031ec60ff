"""The images and labels a network learns from: MNIST, which ships with the package, and data of one's own.

Arrays have Keras' layout: images uint8 (n, 28, 28) with 0 = paper and 255 = pen, labels uint8 (n,) of 0..9.
Scaling, reshaping and one-hot labels are the training's business, not done here. Each kind of
file has a module of its own: ``arrays`` reads IDX and NPZ, ``table`` CSV, ``folder`` images in folders.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Images
from digitscope.datasets import table as tables
from digitscope.datasets.arrays import read_idx, read_npz
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.mnist import IDX_FILES, mnist_arrays
from digitscope.datasets.split import EVERY, Part, oddities, split
from digitscope.errors import ConfigError, DataError
from digitscope.progress import Progress

TABLE_FILES = (("train.csv", "test.csv"), ("mnist_train.csv", "mnist_test.csv"))
"""Names of a training and a test table that stand in one folder."""

FOLDERS = "the four IDX files, train.csv, or images in sub-folders 0 to 9 (or train/0 to 9 and test/0 to 9)"
"""What a folder can be, in a person's words."""


def load_dataset(data: str | Path | Dataset = "mnist", progress: Progress | None = None) -> Dataset:
    """A dataset by name or path; docs/data.md shows each kind.

    Args:
        data: ``"mnist"``; a folder with the four IDX files, with ``train.csv``, or with sub-folders of images; an
            ``.npz``; or a table of labelled pixels. A dataset is returned as it is. What has no test part is split
            by ``datasets.split.split``.
        progress: told how many files of a folder of images are done.

    Raises:
        DataError: the files are damaged, incomplete, or not 28x28 digits.
        ImageError: a file in a folder of images is none.
        ConfigError: ``data`` is neither a known name nor an existing path.
    """
    if isinstance(data, Dataset):
        return data
    if str(data) == "mnist":
        return _mnist()
    path = _existing(data, f"'mnist', an .npz file, a table of pixels, or a folder with {FOLDERS}")
    parts, warnings = _parts_of_folder(path, progress) if path.is_dir() else (_parts_of_file(path), ())
    train, test = parts if len(parts) == 2 else split(parts[0], str(data))
    how = "" if len(parts) == 2 else f"; the test images are one in {EVERY} of each digit, taken out of the same set"
    return Dataset(
        str(data),
        train.images,
        train.labels,
        test.images,
        test.labels,
        f"{len(train.labels):,} training and {len(test.labels):,} test images{how}",
        warnings + oddities(train, test),
        train.places,
        test.places,
    )


def load_unlabelled(path: str | Path, progress: Progress | None = None) -> Images:
    """Images that wait for an answer, uint8 (n, 28, 28) 0..255, 255 = pen.

    Args:
        path: a table of pixels, whose labels, if it has any, are left out; a folder with ``test.csv``; or a folder
            of images, which are taken by name, ``2.png`` before ``10.png``.
        progress: told how many files of a folder of images are done.

    Raises:
        DataError: it is damaged, or holds no images.
        ImageError: a file in a folder of images is none.
        ConfigError: there is no such path.
    """
    path = _existing(path, "a table of pixels or a folder of images")
    if path.is_dir():
        table = next((path / test for _, test in TABLE_FILES if (path / test).is_file()), None)
        if table is None:
            from digitscope.datasets.folder import read_unlabelled

            return read_unlabelled(path, progress)
        path = table
    return tables.read_pixels(path)


@cache
def _mnist() -> Dataset:
    return Dataset("mnist", *mnist_arrays(), "60,000 training and 10,000 test images of MNIST")


def _existing(data: str | Path, expected: str) -> Path:
    """The file or folder that was meant; ``expected`` is what a person could give instead."""
    try:
        path = Path(data).expanduser()
        path.stat()
    except (OSError, ValueError, RuntimeError) as error:  # not there, not allowed, a null in it, ~nobody
        raise ConfigError(f"no dataset {str(data)!r} ({getattr(error, 'strerror', error)}); give {expected}") from error
    if not path.is_dir() and not path.is_file():
        raise ConfigError(f"{data} is neither a file nor a folder; give {expected}")
    return path


def _parts_of_folder(folder: Path, progress: Progress | None) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """What a folder holds, and what its reader warns of."""
    if any(_found_idx(folder, name) for name in IDX_FILES.values()):
        arrays = {part: read_idx(_idx_file(folder, name)) for part, name in IDX_FILES.items()}
        return _parts_of_arrays(str(folder), arrays), ()
    for train, test in ((folder / train, folder / test) for train, test in TABLE_FILES):
        if train.is_file():
            given = [train, test] if test.is_file() and tables.has_labels(test) else [train]
            return tuple(tables.read_table(path) for path in given), ()
    from digitscope.datasets.folder import is_labelled, read_labelled  # with OpenCV, which nothing else here needs

    if is_labelled(folder):
        return read_labelled(folder, progress)
    raise DataError(f"{folder} holds no dataset; expected a folder with {FOLDERS}")


def _parts_of_file(path: Path) -> tuple[Part, ...]:
    """What an ``.npz`` or a table holds."""
    if path.suffix.lower() == ".npz" or zipfile.is_zipfile(path):
        return _parts_of_arrays(str(path), read_npz(path, [list(IDX_FILES), ["x", "y"]]))
    return (tables.read_table(path),)


def _found_idx(folder: Path, name: str) -> Path | None:
    """The file ``name`` in ``folder``, gzipped or not, with the dot or the dash that copies of MNIST use."""
    spellings = [spelling + suffix for spelling in (name, name.replace("-idx", ".idx")) for suffix in ("", ".gz")]
    return next((folder / spelling for spelling in spellings if (folder / spelling).is_file()), None)


def _idx_file(folder: Path, name: str) -> Path:
    path = _found_idx(folder, name)
    if path is None:
        raise DataError(f"{folder} has no {name} or {name}.gz; a dataset folder needs {', '.join(IDX_FILES.values())}")
    return path


def _parts_of_arrays(name: str, arrays: Mapping[str, npt.NDArray[np.generic]]) -> tuple[Part, ...]:
    """The arrays as a training and a test part, or as one, if they are images of 28x28 bytes with labels 0..9."""
    if "x" in arrays:
        return (_part(name, "", arrays["x"], arrays["y"]),)
    return tuple(_part(name, f"{part} ", arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test"))


def _part(name: str, part: str, x: npt.NDArray[np.generic], y: npt.NDArray[np.generic]) -> Part:
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


def _levels(x: npt.NDArray[np.generic]) -> str:
    """The type of an array of images, and for numbers the range of its values."""
    return f"{x.dtype} {x.min():g} to {x.max():g}" if np.isrealobj(x) and x.dtype.kind in "iuf" else str(x.dtype)


def _cure(x: npt.NDArray[np.generic]) -> str:
    """What makes the right numbers of floats or truth values, where that is known."""
    if x.dtype.kind not in "bf" or not (x.min() >= 0 and x.max() <= 255):
        return ""
    return f'; save {"x" if x.max() > 1 else "(255 * x)"}.astype("uint8")'
