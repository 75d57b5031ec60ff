"""The images and labels a network learns from: MNIST, which ships with the package, and data of one's own.

Arrays have Keras' layout: images uint8 (n, 28, 28) with 0 = paper and 255 = pen, labels uint8 (n,) of 0..9.
Scaling, reshaping and one-hot labels are the training's business, not done here. Files of arrays are read
in :mod:`digitscope.arrays`, tables in :mod:`digitscope.tables`, folders of images in :mod:`digitscope.folders`.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope import tables
from digitscope.arrays import read_idx, read_npz
from digitscope.errors import ConfigError, DataError
from digitscope.parts import EVERY, Part, oddities, split
from digitscope.values import Progress

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
TABLE_FILES = (("train.csv", "test.csv"), ("mnist_train.csv", "mnist_test.csv"))
"""Names of a training and a test table that stand in one folder."""

FOLDERS = "the four IDX files, train.csv, or images in sub-folders 0 to 9 (or train/0 to 9 and test/0 to 9)"
"""What a folder can be, in a person's words."""

MNIST_MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}
"""MD5 of the four unzipped MNIST files."""

WRONG_TEST_LABELS = {
    947: 9, 1621: 6, 1901: 4, 2462: 0, 2597: 3, 3558: 0, 5937: 3, 6651: 6, 6783: 6, 9729: 6,
}  # fmt: skip
"""Test images whose given label is wrong, with the digit people see. Source: human checks, see docs/decisions.md."""

UNCLEAR_TEST_LABELS = (2130, 2654, 3520, 8527, 9679)
"""Test images on which people do not agree. Source: as above."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training and a test part.

    Attributes:
        name: what ``--data`` was given.
        x_train: uint8 (n, 28, 28) 0..255, 255 = pen.
        y_train: uint8 (n,) 0..9.
        x_test: uint8 (m, 28, 28) 0..255.
        y_test: uint8 (m,) 0..9.
        description: where the two parts come from, one sentence.
        warnings: what a person should know before trusting figures measured on it, one sentence each.
        places_train: what leads a person to each training image, a file or a file and a line; empty for MNIST.
        places_test: the same of each test image.
    """

    name: str
    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels
    description: str = ""
    warnings: tuple[str, ...] = ()
    places_train: Sequence[str] = ()
    places_test: Sequence[str] = ()

    def place(self, index: int) -> str:
        """What leads a person, and ``digitscope look``, to a test image.

        >>> load_dataset("mnist").place(17)
        'test:17'
        """
        return self.places_test[index] if self.places_test else f"test:{index}"

    @property
    def is_mnist(self) -> bool:
        """Whether the test part is MNIST's own, label for label and pixel for pixel."""
        return all(_md5_of_idx(getattr(self, part)) == MNIST_MD5[part] for part in ("y_test", "x_test"))

    def sha256(self) -> str:
        """Hash of all four arrays: two runs with the same hash saw the same data."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def learned_elsewhere(self, models: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
        """What a person should know where models that are measured on this learned from other data, a sentence each.

        Args:
            models: name of a model -> what is known about it, :attr:`digitscope.models.Model.card`.
        """
        here = self.sha256()
        taught: dict[str, list[str]] = {}
        for name, card in models.items():
            told = card.get("config", card)
            data, digest = (told.get(key) if isinstance(told, Mapping) else None for key in ("data", "data_sha256"))
            if isinstance(data, str) and isinstance(digest, str) and digest != here:
                taught.setdefault(data, []).append(name)
        return tuple(
            f"{' and '.join(names)} learned from {data}"
            + (f", not from {self.name}, on which this measures" if data != self.name else ", which has changed since")
            for data, names in taught.items()
        )


def load_mnist() -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """MNIST in Keras' layout.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 (60000, 28, 28) and (10000, 28, 28) 0..255 with
        255 = pen, labels uint8 (60000,) and (10000,) 0..9. The arrays are yours to change.

    Raises:
        DataError: a file that ships with the package is missing or one byte of it is wrong.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits" (CC BY-SA 3.0).
    """
    mnist = _mnist()
    return (mnist.x_train.copy(), mnist.y_train.copy()), (mnist.x_test.copy(), mnist.y_test.copy())


def load_dataset(data: str | Path | Dataset = "mnist", progress: Progress | None = None) -> Dataset:
    """A dataset by name or path; docs/data.md shows each kind.

    Args:
        data: ``"mnist"``; a folder with the four IDX files, with ``train.csv``, or with sub-folders of images; an
            ``.npz``; or a table of labelled pixels. A dataset is returned as it is. What has no test part is split
            by :func:`parts.split`.
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
            from digitscope.folders import read_unlabelled

            return read_unlabelled(path, progress)
        path = table
    return tables.read_pixels(path)


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
    from digitscope.folders import is_labelled, read_labelled  # with OpenCV, which nothing else here needs

    if is_labelled(folder):
        return read_labelled(folder, progress)
    raise DataError(f"{folder} holds no dataset; expected a folder with {FOLDERS}")


def _parts_of_file(path: Path) -> tuple[Part, ...]:
    """What an ``.npz`` or a table holds."""
    if path.suffix.lower() == ".npz" or zipfile.is_zipfile(path):
        return _parts_of_arrays(str(path), read_npz(path, [list(IDX_FILES), ["x", "y"]]))
    return (tables.read_table(path),)


@cache
def _mnist() -> Dataset:
    """MNIST, read once per process; the arrays are read-only."""
    arrays = {}
    folder = resources.files("digitscope") / "shipped" / "mnist"
    for part, name in IDX_FILES.items():
        with resources.as_file(folder / f"{name}.gz") as path:
            arrays[part] = read_idx(path)
        digest = _md5_of_idx(arrays[part])
        if digest != MNIST_MD5[part]:
            raise DataError(
                f"{name}.gz of the installed package is damaged: its content has MD5 {digest}, expected "
                f"{MNIST_MD5[part]}; install digitscope again"
            )
    x_train, y_train, x_test, y_test = (arrays[part] for part in IDX_FILES)
    return Dataset("mnist", x_train, y_train, x_test, y_test, "60,000 training and 10,000 test images of MNIST")


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


def _md5_of_idx(images: Images) -> str:
    """MD5 of ``images`` written as an IDX file."""
    header = bytes([0, 0, 8, images.ndim]) + struct.pack(f">{images.ndim}I", *images.shape)
    digest = hashlib.md5(header, usedforsecurity=False)
    digest.update(np.ascontiguousarray(images).data)
    return digest.hexdigest()
