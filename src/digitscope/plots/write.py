"""Which digit to look at, by name or file, and the folder of figures that shows a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from digitscope.datasets.dataset import Dataset
from digitscope.errors import ConfigError
from digitscope.models.metrics import Evaluation
from digitscope.plots import results
from digitscope.plots.style import AnyFigure, save

SAMPLES = 50
"""Images that the sample grid of each part shows: the first of each digit in turn."""


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
        "counts": results.counts({"training": dataset.y_train, "test": dataset.y_test}),
        "samples-training": _samples(dataset.x_train, dataset.y_train),
        "samples-test": _samples(dataset.x_test, dataset.y_test),
        "matrix-raw": results.matrix(image),
        "matrix-scaled": results.matrix(image, scaled=True),
        "mean-images": results.mean_images(dataset.x_train, dataset.y_train),
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
        "confusion": results.confusion(evaluation.confusion),
        "per-class": results.per_class(evaluation),
        "reliability": results.reliability(evaluation.bins, evaluation.ece),
    }
    if evaluation.mistakes:
        drawn["mistakes"] = results.mistakes(dataset.x_test, evaluation.mistakes)
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
    return results.samples(images[chosen], labels[chosen], rows=rows, columns=10)
