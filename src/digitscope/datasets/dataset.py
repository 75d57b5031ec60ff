"""A dataset: 28x28 digits with their labels, split into training and test images. ``datasets.load`` reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitscope.arraytypes import Images, Labels
from digitscope.datasets.mnist import is_mnist


def short_name(name: str) -> str:
    """The name of a dataset without its folders.

    >>> short_name("mnist"), short_name("photos/own.npz"), short_name("mnist+review/digits")
    ('mnist', 'own.npz', 'mnist+digits')
    """
    return "+".join(Path(part).name for part in name.split("+"))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test images with their labels.

    Attributes:
        name: as given to ``load_dataset``.
        x_train: uint8 (n, 28, 28) 0..255, 255 = pen.
        y_train: uint8 (n,) 0..9.
        x_test: uint8 (m, 28, 28) 0..255.
        y_test: uint8 (m,) 0..9.
        description: where the images come from, one sentence.
        warnings: reasons to be careful with figures measured on it, one sentence each.
        places_train: where each training image is found: a file, or a file and a line; empty for MNIST.
        places_test: the same for each test image.
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
        """Where a test image is found, in a form that ``digitscope look`` understands.

        >>> import digitscope
        >>> digitscope.load_dataset("mnist").place(17)
        'test:17'
        """
        return self.places_test[index] if self.places_test else f"test:{index}"

    @property
    def is_mnist(self) -> bool:
        """Whether the test images are MNIST's, label for label and pixel for pixel."""
        return is_mnist(self.x_test, self.y_test, "test")

    def sha256(self) -> str:
        """A hash of all four arrays; two runs with the same hash used the same data."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def learned_elsewhere(self, models: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
        """Notes about models that were trained on other data than this, one sentence each.

        Args:
            models: name of each model that is measured on this dataset -> its ``digitscope.Model.card``.
        """
        here = self.sha256()
        learners: dict[str, list[str]] = {}
        for name, card in models.items():
            config = card.get("config", card)
            data, digest = (config.get(key) if isinstance(config, Mapping) else None for key in ("data", "data_sha256"))
            if isinstance(data, str) and isinstance(digest, str) and digest != here:
                learners.setdefault(data, []).append(name)
        return tuple(
            f"{' and '.join(names)} learned from {data}"
            + (f", not from {self.name}, on which this measures" if data != self.name else ", which has changed since")
            for data, names in learners.items()
        )
