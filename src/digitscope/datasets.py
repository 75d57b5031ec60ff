"""The images and labels a network learns from: MNIST, which ships with the package, and files of the same kinds.

Arrays have Keras' layout: images uint8 (n, 28, 28) with 0 = paper and 255 = pen, labels uint8 (n,) of 0..9.
Scaling, reshaping and one-hot labels are the training's business, not done here.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from digitscope.errors import ConfigError, DataError

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
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

LARGEST_FILE = 2 * 1024**3
"""Bytes that one file of a dataset may unpack to; more is refused before it is read."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training and a test part.

    Attributes:
        name: what ``--data`` was given.
        x_train: uint8 (n, 28, 28) 0..255, 255 = pen.
        y_train: uint8 (n,) 0..9.
        x_test: uint8 (m, 28, 28) 0..255.
        y_test: uint8 (m,) 0..9.
    """

    name: str
    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels

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


def load_dataset(data: str | Path | Dataset = "mnist") -> Dataset:
    """A dataset by name or path.

    Args:
        data: ``"mnist"``, a folder with the four IDX files (gzipped or not), or an ``.npz`` with ``x_train``,
            ``y_train``, ``x_test`` and ``y_test`` as Keras lays out ``mnist.npz``; a dataset is returned as it is.

    Raises:
        DataError: the files are damaged, incomplete, or not 28x28 digits.
        ConfigError: ``data`` is neither a known name nor an existing path.
    """
    if isinstance(data, Dataset):
        return data
    if str(data) == "mnist":
        return _mnist()
    path = Path(data).expanduser()
    if path.is_dir():
        return _checked(str(data), {part: read_idx(_idx_file(path, name)) for part, name in IDX_FILES.items()})
    if path.is_file():
        return _checked(str(data), _read_npz(path))
    raise ConfigError(f"no dataset {str(data)!r}; give 'mnist', a folder with the four IDX files, or an .npz file")


def read_idx(path: str | Path) -> npt.NDArray[np.uint8]:
    """One IDX file, gzipped or not, as a uint8 array of the shape its header gives.

    Raises:
        DataError: it cannot be read, is not IDX of unsigned bytes, or holds more or fewer bytes than it announces.

    Source: the IDX format as described on the MNIST page: two zero bytes, a type byte (8 = unsigned byte), the number
    of dimensions, each dimension as a big-endian 32-bit integer, then the data.
    """
    path = Path(path)
    array, _ = _read_idx(path)
    return array


def _read_idx(path: Path) -> tuple[npt.NDArray[np.uint8], str]:
    """The array of an IDX file and the MD5 of its unzipped bytes."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            content = _bounded(gzip.GzipFile(fileobj=raw) if zipped else raw, path)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}); copy it anew, it may be cut short") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != 8 or not 1 <= content[3] <= 4:
        raise DataError(f"{path} is not an IDX file of unsigned bytes: it starts with {content[:4].hex(' ')!r}")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{path} ends inside its header; copy it anew")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    expected = start + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        raise DataError(f"{path} holds {len(content):,} bytes, its header announces {expected:,}; copy it anew")
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape), digest


def _bounded(stream: IO[bytes] | gzip.GzipFile, path: Path) -> bytes:
    """Everything in ``stream``, unless it is more than :data:`LARGEST_FILE`."""
    content = stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise DataError(f"{path} unpacks to more than {LARGEST_FILE:,} bytes, which no digit dataset needs")
    return content


@cache
def _mnist() -> Dataset:
    """MNIST, read once per process; the arrays are read-only."""
    arrays = {}
    folder = resources.files("digitscope") / "shipped" / "mnist"
    for part, name in IDX_FILES.items():
        with resources.as_file(folder / f"{name}.gz") as path:
            arrays[part], digest = _read_idx(path)
        if digest != MNIST_MD5[part]:
            raise DataError(
                f"{name}.gz of the installed package is damaged: its content has MD5 {digest}, expected "
                f"{MNIST_MD5[part]}; install digitscope again"
            )
    return Dataset("mnist", **arrays)


def _idx_file(folder: Path, name: str) -> Path:
    """The file ``name`` in ``folder``, gzipped or not, with the dot or the dash that copies of MNIST use."""
    for candidate in (name, name.replace("-idx", ".idx")):
        for suffix in ("", ".gz"):
            if (folder / (candidate + suffix)).is_file():
                return folder / (candidate + suffix)
    raise DataError(f"{folder} has no {name} or {name}.gz; a dataset folder needs {', '.join(IDX_FILES.values())}")


def _read_npz(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    """The four arrays of an ``.npz`` laid out as Keras' ``mnist.npz``; never unpickles."""
    try:
        with zipfile.ZipFile(path) as archive:
            for item in archive.infolist():
                if item.file_size > LARGEST_FILE:
                    raise DataError(f"{path}: {item.filename} unpacks to {item.file_size:,} bytes, refused")
        with np.load(path, allow_pickle=False) as file:
            missing = [part for part in IDX_FILES if part not in file.files]
            if missing:
                raise DataError(f"{path} has no {', '.join(missing)}; it needs {', '.join(IDX_FILES)}")
            return {part: file[part] for part in IDX_FILES}
    except DataError:
        raise
    except Exception as error:  # numpy and zipfile raise a dozen types on damaged bytes
        raise DataError(f"{path} is not a readable .npz of plain arrays ({type(error).__name__}: {error})") from error


def _checked(name: str, arrays: dict[str, npt.NDArray[np.generic]]) -> Dataset:
    """The arrays as a dataset, if they are images of 28x28 bytes with labels 0..9."""
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.ndim == 4 and x.shape[-1] == 1:
            x = arrays[f"x_{part}"] = x[..., 0]
        if x.shape[1:] != (28, 28) or x.dtype != np.uint8 or len(x) == 0:
            raise DataError(f"{name}: {part} images are {x.dtype} {x.shape}; expected uint8 (n, 28, 28), n > 0")
        if y.shape != (len(x),) or not np.issubdtype(y.dtype, np.integer):
            raise DataError(f"{name}: {part} labels are {y.dtype} {y.shape}; expected {len(x)} integers")
        wrong = np.flatnonzero((y.astype(np.int64) < 0) | (y.astype(np.int64) > 9))
        if len(wrong):
            raise DataError(f"{name}: {part} label {y[wrong[0]]} of image {wrong[0]} is not a digit 0..9")
        arrays[f"y_{part}"] = y.astype(np.uint8)
    return Dataset(name, **{part: np.asarray(arrays[part], np.uint8) for part in IDX_FILES})


def _md5_of_idx(images: Images) -> str:
    """MD5 of ``images`` written as an IDX file."""
    header = bytes([0, 0, 8, images.ndim]) + struct.pack(f">{images.ndim}I", *images.shape)
    return hashlib.md5(header + np.ascontiguousarray(images).tobytes(), usedforsecurity=False).hexdigest()
