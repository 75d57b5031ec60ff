"""How well a model reads digits that are not clean: under the corruptions of MNIST-C, and moved by known amounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from digitscope.arraytypes import Images
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.formatting import percent
from digitscope.models.model import Model
from digitscope.preprocessing.corruptions import CORRUPTIONS, corrupt
from digitscope.preprocessing.moves import MOVES
from digitscope.progress import Progress

CLEAN = "clean"
"""The name of the images as they are."""

PART = 250
"""Images that are changed and read together, so that the largest dataset takes little memory. The random numbers of
a corruption depend on its place among the fifteen and on the part, and on the seed."""

_Change = Callable[[Images, int], list[Images]]
"""From a part of the images and its number to the changed images, in one version or several."""

Table = tuple[list[str], list[list[str]]]
"""A head and rows, as the terminal prints them."""


@dataclass(frozen=True)
class CorruptionScores:
    """Accuracy under each of the fifteen corruptions of MNIST-C.

    Attributes:
        n: number of images.
        seed: of what the corruptions draw by chance.
        clean: share 0..1 of the images as they are that are read right.
        accuracies: name of each corruption -> share 0..1 that is read right under it.
    """

    n: int
    seed: int
    clean: float
    accuracies: Mapping[str, float]

    @property
    def mean(self) -> float:
        """The mean accuracy 0..1 over the corruptions; the clean images are not in it."""
        return float(np.mean([*self.accuracies.values()]))

    def to_dict(self) -> dict[str, Any]:
        """The scores as plain JSON values, with their mean."""
        return asdict(self) | {"mean": self.mean}

    def table(self) -> Table:
        """The scores as a head and rows of text."""
        rows = [("clean", self.clean), ("mean of the corruptions", self.mean), *self.accuracies.items()]
        return ["images", "right"], [[name.replace("_", " "), percent(share)] for name, share in rows]


@dataclass(frozen=True)
class Curve:
    """Accuracy over one kind of change.

    Attributes:
        unit: what the amounts say.
        amounts: how much the images were changed.
        accuracies: share 0..1 that is read right at each amount.
    """

    unit: str
    amounts: tuple[float, ...]
    accuracies: tuple[float, ...]


@dataclass(frozen=True)
class GeometryScores:
    """Accuracy over rotation, shift, scale and stroke width.

    Attributes:
        n: number of images.
        clean: share 0..1 of the images as they are that are read right.
        curves: ``rotation``, ``shift``, ``scale`` and ``stroke``.
    """

    n: int
    clean: float
    curves: Mapping[str, Curve]

    def to_dict(self) -> dict[str, Any]:
        """The scores as plain JSON values."""
        return asdict(self)

    def table(self) -> Table:
        """The curves as a head and rows of text, one row for each amount."""
        rows = [["clean", "", percent(self.clean)]]
        for name, curve in self.curves.items():
            pairs = zip(curve.amounts, curve.accuracies, strict=True)
            rows += [[name, f"{amount:g}", percent(share)] for amount, share in pairs]
        return ["change", "by", "right"], rows


def corruption_scores(
    model: Model, data: str | Path | Dataset = "mnist", seed: int = 0, progress: Progress | None = None
) -> CorruptionScores:
    """Measure a model on the test images of a dataset under each of the fifteen corruptions of MNIST-C.

    Args:
        model: what ``digitscope.load`` gives.
        data: a dataset, or the name or path of one, as ``digitscope.load_dataset`` takes it.
        seed: of what the corruptions draw by chance, 0 or more; the same seed gives the same pictures.
        progress: called with the images that were read, of all in all versions.

    Raises:
        ConfigError: there is no such dataset.
        DataError: the dataset is damaged.
        ModelError: the network's answers are not probabilities.
    """
    dataset = load_dataset(data)
    changes = {name: partial(_corrupted, name, seed) for name in CORRUPTIONS}
    shares = _shares(model, dataset, changes, 1 + len(changes), progress)
    return CorruptionScores(len(dataset.y_test), seed, shares.pop(CLEAN), shares)


def geometry_scores(
    model: Model, data: str | Path | Dataset = "mnist", progress: Progress | None = None
) -> GeometryScores:
    """Measure a model on the test images of a dataset, turned, shifted, scaled and thickened.

    Args:
        model: what ``digitscope.load`` gives.
        data: a dataset, or the name or path of one, as ``digitscope.load_dataset`` takes it.
        progress: called with the images that were read, of all in all versions.

    Raises:
        ConfigError: there is no such dataset.
        DataError: the dataset is damaged.
        ModelError: the network's answers are not probabilities.
    """
    dataset = load_dataset(data)
    changes = {f"{name} {n}": partial(_moved, name, n) for name in MOVES for n in range(len(MOVES[name].amounts))}
    versions = 1 + sum(move.versions * len(move.amounts) for move in MOVES.values())
    shares = _shares(model, dataset, changes, versions, progress)
    curves = {
        name: Curve(move.unit, move.amounts, tuple(shares[f"{name} {n}"] for n in range(len(move.amounts))))
        for name, move in MOVES.items()
    }
    return GeometryScores(len(dataset.y_test), shares[CLEAN], curves)


def _corrupted(name: str, seed: int, images: Images, part: int) -> list[Images]:
    """A part of the images under a corruption."""
    return [corrupt(images, name, np.random.default_rng((seed, [*CORRUPTIONS].index(name), part)))]


def _moved(name: str, place: int, images: Images, part: int) -> list[Images]:
    """A part of the images moved by one of the amounts, in all versions."""
    move = MOVES[name]
    return move.changed(images, move.amounts[place])


def _shares(
    model: Model, dataset: Dataset, changes: Mapping[str, _Change], versions: int, progress: Progress | None
) -> dict[str, float]:
    """The share 0..1 of the test images that is read right under each change, and without one (``CLEAN``).

    Args:
        model: what is measured.
        dataset: on whose test images.
        changes: name of each change -> what it does.
        versions: all images that are made of one, itself included, for the progress.
        progress: as for ``corruption_scores``.
    """
    images, labels = dataset.x_test, dataset.y_test
    everything, shares, done = {CLEAN: _unchanged, **changes}, {}, 0
    for name, change in everything.items():
        right = read = 0
        for part, first in enumerate(range(0, len(images), PART)):
            expected = labels[first : first + PART]
            for changed in change(images[first : first + PART], part):
                right += int((model.predict(changed).argmax(axis=1) == expected).sum())
                read += len(expected)
            if progress is not None:
                progress("images", done + read, versions * len(images), {})
        shares[name], done = right / read, done + read
    return shares


def _unchanged(images: Images, part: int) -> list[Images]:
    return [images]
