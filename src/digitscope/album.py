"""Which digit to look at, by name or file, and the folder of figures that shows a dataset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from digitscope import fields, ink, plots
from digitscope.canvas import AnyFigure, save
from digitscope.datasets import Dataset, load_dataset
from digitscope.errors import ConfigError, ImageError
from digitscope.evaluate import Evaluation
from digitscope.images import load_picture

SAMPLES = 50
"""Images that the sample grid of each part shows: the first of each digit in turn."""


@dataclass(frozen=True, eq=False)
class NamedDigit:
    """A digit to look at.

    Attributes:
        name: short, fit for a file name.
        title: for people.
        pixels: (28, 28), uint8 0..255 of a dataset or float32 0..1 of a picture, pen bright.
    """

    name: str
    title: str
    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.float32]


def digit_named(name: str, data: str | Path | Dataset = "mnist") -> NamedDigit:
    """A digit of a dataset by its number, ``test:17`` or ``train:5``, or by its place; or one in an image file.

    Args:
        name: the number of a test or training image; what :meth:`digitscope.datasets.Dataset.place` calls a test
            image, or the same of a training image; or a path.
        data: what :func:`digitscope.datasets.load_dataset` takes.

    Raises:
        ConfigError: the dataset has no such image.
        ImageError: there is no such file, it is no picture, or nothing is written on it.

    >>> digit_named("test:17").title
    'test image 17, labelled 7'
    """
    if data == "mnist" and not re.fullmatch(r"(test|train):\d{1,9}", name):
        return _in_file(name)  # MNIST's images have numbers only, so it need not be loaded
    dataset = load_dataset(data)
    parts = {
        "test": (dataset.places_test, dataset.x_test, dataset.y_test),
        "train": (dataset.places_train, dataset.x_train, dataset.y_train),
    }
    for part, (places, images, labels) in parts.items():
        numbered = re.fullmatch(rf"{part}:(\d{{1,9}})", name)
        if numbered is None and name not in places:
            continue
        index = int(numbered[1]) if numbered else list(places).index(name)
        if index >= len(images):
            known = f"images go from {part}:0 to {part}:{len(images) - 1}"
            raise ConfigError(f"{name} does not exist; the {part} {known} in {dataset.name}")
        kind = "test image" if part == "test" else "training image"
        title = f"{kind} {index}" if not places else places[index]
        return NamedDigit(f"{part}-{index}", f"{title}, labelled {labels[index]}", images[index])
    return _in_file(name)


def _in_file(name: str) -> NamedDigit:
    """The digit in an image file."""
    found = ink.find_ink(load_picture(name, ink.LONGEST).pixels)
    if found.box is None:
        raise ImageError(f"{name} is blank; give a picture with a digit on it, or test:17 for a test image")
    short = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower()).strip("-") or "digit"
    return NamedDigit(short, Path(name).name, fields.field_of(found.ink, found.box).pixels)


def write_data_figures(dataset: Dataset, index: int, folder: str | Path) -> list[Path]:
    """Show a dataset: counts, samples of both parts, one training image as numbers raw and scaled, the mean images.

    Args:
        dataset: what to show.
        index: of the training image that is shown as numbers.
        folder: where SVG and PNG files go.

    Raises:
        ConfigError: there is no such training image.
    """
    if not 0 <= index < len(dataset.x_train):
        raise ConfigError(f"there is no training image {index}; {dataset.name} has 0 to {len(dataset.x_train) - 1}")
    image = dataset.x_train[index]
    drawn: dict[str, Axes | AnyFigure] = {
        "counts": plots.counts({"training": dataset.y_train, "test": dataset.y_test}),
        "samples-training": _samples(dataset.x_train, dataset.y_train),
        "samples-test": _samples(dataset.x_test, dataset.y_test),
        "matrix-raw": plots.matrix(image),
        "matrix-scaled": plots.matrix(image, scaled=True),
        "mean-images": plots.mean_images(dataset.x_train, dataset.y_train),
    }
    return _saved(drawn, folder)


def write_evaluation_figures(evaluation: Evaluation, dataset: Dataset, folder: str | Path) -> list[Path]:
    """Show an evaluation: confusion matrix, scores of each digit, reliability diagram, most confident mistakes.

    Args:
        evaluation: what was measured on the test part of ``dataset``.
        dataset: whose images the mistakes are.
        folder: where SVG and PNG files go.
    """
    drawn: dict[str, Axes | AnyFigure] = {
        "confusion": plots.confusion(evaluation.confusion),
        "per-class": plots.per_class(evaluation),
        "reliability": plots.reliability(evaluation.bins, evaluation.ece),
    }
    if evaluation.mistakes:
        drawn["mistakes"] = plots.mistakes(dataset.x_test, evaluation.mistakes)
    return _saved(drawn, folder)


def _saved(drawn: Mapping[str, Axes | AnyFigure], folder: str | Path) -> list[Path]:
    """Write every figure as PNG and SVG under its name."""
    paths = [Path(folder) / f"{name}{suffix}" for name in drawn for suffix in (".png", ".svg")]
    try:
        return [save(drawn[path.stem], path) for path in paths]
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}); give another folder with --out") from error


def _samples(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> AnyFigure:
    """The first few of each digit, one digit a column."""
    rows = SAMPLES // 10
    places = [np.flatnonzero(labels == digit)[:rows] for digit in range(10)]
    chosen = [place[row] for row in range(rows) for place in places if row < len(place)]
    return plots.samples(images[chosen], labels[chosen], rows=rows, columns=10)
