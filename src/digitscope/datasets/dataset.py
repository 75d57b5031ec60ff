"""A dataset: a training and a test part of 28x28 digits with their labels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitscope.arraytypes import Images, Labels
from digitscope.datasets.mnist import MNIST_MD5, md5_of_idx


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
        return all(md5_of_idx(getattr(self, part)) == MNIST_MD5[part] for part in ("y_test", "x_test"))

    def sha256(self) -> str:
        """Hash of all four arrays: two runs with the same hash saw the same data."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def learned_elsewhere(self, models: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
        """What a person should know where models that are measured on this learned from other data, a sentence each.

        Args:
            models: name of a model -> what is known about it, ``digitscope.Model.card``.
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
