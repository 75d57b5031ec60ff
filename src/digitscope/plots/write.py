"""Writing folders of figures: of a dataset, of an evaluation, of one image's way through a network."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from digitscope.arraytypes import Images, Labels
from digitscope.datasets.dataset import Dataset
from digitscope.errors import ConfigError
from digitscope.files import write_bytes, write_json, writing
from digitscope.models.evaluation import Evaluation
from digitscope.models.lens import Lens, look
from digitscope.models.model import Model
from digitscope.models.robustness import CorruptionScores, GeometryScores
from digitscope.plots import cells, data, dense, feature_maps, results, robustness
from digitscope.plots.architecture import architecture
from digitscope.plots.filters import filters
from digitscope.plots.overview import overview
from digitscope.plots.style import DIGITS, AnyFigure, save
from digitscope.progress import Progress

SAMPLES_PER_DIGIT = 5
"""Images of each digit that the samples of a training or test part show."""

CURE = "give another folder"
"""What helps where a folder cannot be written."""


def write_data_figures(dataset: Dataset, index: int, folder: str | Path) -> list[Path]:
    """Write the figures of a dataset: counts, samples of both parts, one image as numbers, the mean images.

    Args:
        dataset: what to show.
        index: of the training image that is shown as numbers, both 0..255 and 0..1.
        folder: where to write; made if it is missing.

    Returns:
        Every figure as ``.png`` and ``.svg``.

    Raises:
        ConfigError: there is no such training image, or the folder cannot be written.
    """
    if not 0 <= index < len(dataset.x_train):
        raise ConfigError(f"there is no training image {index}; {dataset.name} has 0 to {len(dataset.x_train) - 1}")
    image = dataset.x_train[index]
    drawn: dict[str, Axes | AnyFigure] = {
        "counts": data.counts({"training": dataset.y_train, "test": dataset.y_test}),
        "samples-training": _first_of_each_digit(dataset.x_train, dataset.y_train),
        "samples-test": _first_of_each_digit(dataset.x_test, dataset.y_test),
        "matrix-raw": data.matrix(image),
        "matrix-scaled": data.matrix(image, scaled=True),
        "mean-images": data.mean_images(dataset.x_train, dataset.y_train),
    }
    return _write_all(drawn, Path(folder))


def write_evaluation_figures(evaluation: Evaluation, dataset: Dataset, folder: str | Path) -> list[Path]:
    """Write the figures of an evaluation: confusion matrix, scores of each digit, calibration, confident mistakes.

    Args:
        evaluation: what ``digitscope.Model.evaluate`` gives.
        dataset: the dataset that was evaluated; its test images show the mistakes.
        folder: where to write; made if it is missing.

    Returns:
        Every figure as ``.png`` and ``.svg``.

    Raises:
        ConfigError: the folder cannot be written.
    """
    drawn: dict[str, Axes | AnyFigure] = {
        "confusion": results.confusion(evaluation.confusion),
        "per-class": results.per_class(evaluation),
        "reliability": results.reliability(evaluation.bins, evaluation.ece),
    }
    if evaluation.mistakes:
        drawn["mistakes"] = results.mistakes(dataset.x_test, evaluation.mistakes)
    return _write_all(drawn, Path(folder))


def write_robustness(
    scores: CorruptionScores | GeometryScores, record: Mapping[str, Any], dataset: Dataset, folder: str | Path
) -> list[Path]:
    """Write the figures of a model under corruptions or over geometry, and its numbers as JSON.

    Args:
        scores: what ``digitscope.corruption_scores`` or ``digitscope.geometry_scores`` gives.
        record: what the JSON file holds.
        dataset: the dataset that was measured on; its first test image shows the corruptions.
        folder: where to write; made if it is missing.

    Returns:
        Every figure as ``.png`` and ``.svg``, then ``corruptions.json`` or ``geometry.json``.

    Raises:
        ConfigError: the folder cannot be written.
    """
    drawn: dict[str, Axes | AnyFigure]
    if isinstance(scores, CorruptionScores):
        name = "corruptions"
        drawn = {name: robustness.corruptions(scores), f"{name}-samples": robustness.corrupted(dataset.x_test, scores)}
    else:
        name = "geometry"
        drawn = {name: robustness.geometry(scores)}
    paths, numbers = _write_all(drawn, Path(folder)), Path(folder) / f"{name}.json"
    with writing(folder, CURE):
        write_json(numbers, record)
    return [*paths, numbers]


def write_look(
    model: Model,
    image: npt.ArrayLike,
    folder: str | Path,
    title: str | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Write every figure of one image's way through a network, and all its numbers.

    Args:
        model: what ``digitscope.load`` gives.
        image: (28, 28); uint8 0..255 or floats 0..1, the pen bright.
        folder: where to write; made if it is missing.
        title: of the overview; left out, the answer.
        progress: called after every figure with how many are done.

    Returns:
        Every figure as ``.svg`` and ``.png``, the overview first, then ``numbers.npz`` with the activations of each
        layer (``conv1.values``) and its sums before the activation (``conv1.sums``).

    Raises:
        ConfigError: the folder cannot be written.
        DataError: the image has another shape or type, or values outside the range.
        ModelError: the model cannot be looked into.
    """
    lens, folder = look(model, image), Path(folder)
    figures, paths = list(_figures_of_look(lens, title)), []
    with writing(folder, CURE):
        for done, (name, draw) in enumerate(figures, start=1):
            drawn = draw()
            paths += [save(drawn, folder / f"{name}{suffix}") for suffix in (".svg", ".png")]
            if progress is not None:
                progress("figures", done, len(figures), {})
        return [*paths, _write_numbers(lens, folder / "numbers.npz")]


def _write_all(drawn: Mapping[str, Axes | AnyFigure], folder: Path) -> list[Path]:
    """Write every figure as PNG and SVG under its name."""
    paths = [folder / f"{name}{suffix}" for name in drawn for suffix in (".png", ".svg")]
    with writing(folder, CURE):
        return [save(drawn[path.stem], path) for path in paths]


def _first_of_each_digit(images: Images, labels: Labels) -> AnyFigure:
    """The first few images of each digit, one digit in each column."""
    places = [np.flatnonzero(labels == digit)[:SAMPLES_PER_DIGIT] for digit in DIGITS]
    chosen = [place[row] for row in range(SAMPLES_PER_DIGIT) for place in places if row < len(place)]
    return data.samples(images[chosen], labels[chosen], rows=SAMPLES_PER_DIGIT, columns=len(DIGITS))


def _write_numbers(lens: Lens, path: Path) -> Path:
    """Write the activations and sums of all layers as one ``.npz`` file."""
    numbers: dict[str, Any] = {f"{layer.name}.values": layer.values for layer in lens.layers}
    numbers |= {f"{layer.name}.sums": layer.sums for layer in lens.layers if layer.sums is not None}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **numbers)
    write_bytes(path, buffer.getvalue())
    return path


def _figures_of_look(lens: Lens, title: str | None) -> Iterator[tuple[str, Callable[[], Axes]]]:
    """File name and drawing of every figure that fits the network, in reading order."""
    yield "overview", partial(overview, lens, title)
    yield "architecture", partial(architecture, lens.layers)
    yield "00-input", partial(feature_maps.digit_and_matrix, lens)
    for i, layer in enumerate(lens.layers):
        name = f"{i:02d}-{re.sub(r'[^A-Za-z0-9_]', '-', layer.name)}"
        if layer.kind == "conv2d":
            strongest = int(layer.values.max(axis=(0, 1)).argmax())
            yield f"{name}-filters", partial(filters, layer)
            if lens.layers[i - 1].shape[2] > 1:
                yield f"{name}-filter-{strongest}", partial(filters, layer, strongest)
            yield f"{name}-one-number", partial(cells.convolution_step, lens, layer.name)
        if layer.kind.endswith("pooling2d"):
            yield f"{name}-one-number", partial(cells.pooling_step, lens, layer.name)
        if layer.kind != "input" and len(layer.shape) == 3:
            yield f"{name}-maps", partial(feature_maps.feature_maps, layer)
        if layer.kind == "flatten":
            yield name, partial(feature_maps.flattened, lens)
        if layer.kind == "dense":
            yield f"{name}-one-number", partial(dense.dense_step, lens, layer.name)
    last = f"{len(lens.layers) - 1:02d}"
    yield f"{last}-why", partial(dense.evidence, lens)
    yield f"{last}-softmax", partial(dense.softmax, lens)
