"""MNIST, which ships with the package: its files, a check of every byte, and its labels that are known to be wrong."""

from __future__ import annotations

import hashlib
import struct
from functools import cache
from importlib import resources
from typing import Literal

import numpy as np

from digitscope.arraytypes import Images, Labels, Levels
from digitscope.datasets.arrays import read_idx
from digitscope.errors import DataError

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
"""The names of MNIST's four files, without ``.gz``."""

MNIST_MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}
"""MD5 of each file, unzipped."""

WRONG_TEST_LABELS = {
    947: 9, 1621: 6, 1901: 4, 2462: 0, 2597: 3, 3558: 0, 5937: 3, 6651: 6, 6783: 6, 9729: 6,
}  # fmt: skip
"""Test images with a wrong label, and the digit that people see. Source: human checks, see docs/decisions.md."""

UNCLEAR_TEST_LABELS = (2130, 2654, 3520, 8527, 9679)
"""Test images about which people disagree. Source: as above."""


def load_mnist() -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """MNIST in Keras' layout.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 (60000, 28, 28) and (10000, 28, 28) 0..255 with
        255 = pen, labels uint8 (60000,) and (10000,) 0..9. The arrays are yours to change.

    Raises:
        DataError: a file that ships with the package is missing or damaged.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits" (CC BY-SA 3.0).
    """
    x_train, y_train, x_test, y_test = (array.copy() for array in mnist_arrays())
    return (x_train, y_train), (x_test, y_test)


@cache
def mnist_arrays() -> tuple[Images, Labels, Images, Labels]:
    """The arrays of ``IDX_FILES`` in that order, as ``load_mnist``, but read-only and read once per process."""
    arrays = {}
    folder = resources.files("digitscope") / "shipped" / "mnist"
    for part, name in IDX_FILES.items():
        with resources.as_file(folder / f"{name}.gz") as path:
            arrays[part] = read_idx(path)
        digest = md5_of_idx(arrays[part])
        if digest != MNIST_MD5[part]:
            raise DataError(
                f"{name}.gz of the installed package is damaged: its content has MD5 {digest}, expected "
                f"{MNIST_MD5[part]}; install digitscope again"
            )
    x_train, y_train, x_test, y_test = (arrays[part] for part in IDX_FILES)
    return x_train, y_train, x_test, y_test


def is_mnist(images: Images, labels: Labels, part: Literal["train", "test"]) -> bool:
    """Whether these are MNIST's training or test images, label for label and pixel for pixel."""
    return all(md5_of_idx(x) == MNIST_MD5[f"{name}_{part}"] for name, x in (("y", labels), ("x", images)))


def md5_of_idx(array: Levels) -> str:
    """MD5 of the IDX file that holds a uint8 array."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    digest = hashlib.md5(header, usedforsecurity=False)
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
