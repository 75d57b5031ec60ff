"""The figures of the report, drawn for one run by the package's own figure functions. Computes no result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from digitscope.plots import concepts, feature_maps, overview, results, sweeps
from digitscope.plots.architecture import architecture
from digitscope.plots.data import counts, matrix, mean_images, samples
from digitscope.plots.dense import dense_step
from digitscope.plots.filters import filters
from digitscope.plots.style import svg
from digitscope.web.report import compared
from digitscope.web.report.compared import Compared, Curve
from digitscope.web.report.data import SAMPLES
from digitscope.web.report.moved import SHIFTS, TURNS, MovedFacts
from digitscope.web.report.network import Network
from digitscope.web.report.record import Record
from digitscope.web.report.templates import trusted


class Figure(NamedTuple):
    """A figure: what it shows, for those who cannot see it, and the function that draws it."""

    description: str
    draw: Callable[[], Any]


def figures(record: Record, network: Network, moved: MovedFacts, comparisons: Compared) -> dict[str, Figure]:
    """Every figure by its name."""
    return {
        **_of_data(record),
        **_of_network(record, network),
        **_of_results(record),
        **_of_moved(moved, comparisons),
        **_of_comparisons(comparisons),
    }


def inline(name: str, figure: Figure) -> Markup:
    """A figure drawn as an ``<svg>`` for the page."""
    return trusted(svg(figure.draw(), name.replace("_", "-"), figure.description))


def _of_data(record: Record) -> dict[str, Figure]:
    data, image = record.data, record.image
    return {
        "counts": Figure(
            "Bars: how many training and test pictures there are of each digit.",
            lambda: counts({"training": data.y_train, "test": data.y_test}),
        ),
        "samples": Figure(
            f"The first {SAMPLES} training pictures with their labels.",
            lambda: samples(data.x_train[:SAMPLES], data.y_train[:SAMPLES]),
        ),
        "matrix_raw": Figure("The digit as a table of whole numbers from 0 to 255.", lambda: matrix(image)),
        "matrix_scaled": Figure("The same table with numbers from 0 to 1.", lambda: matrix(image, scaled=True)),
        "mean_images": Figure(
            "Ten blurred pictures: the mean of all training pictures of each digit.",
            lambda: mean_images(data.x_train, data.y_train),
        ),
        "one_hot": Figure(
            f"Ten boxes for the digits 0 to 9; the one for {record.label} holds a 1, the others a 0.",
            lambda: concepts.one_hot(record.label),
        ),
    }


def _of_network(record: Record, network: Network) -> dict[str, Figure]:
    lens = record.lens
    conv1, second, pooled = (lens.layer(layer.name) for layer in (network.first, network.second, network.pooled))
    repeated = {} if not network.repeats else {
        "maps_pooled": Figure(
            f"The {pooled.shape[2]} maps of {pooled.name} for the digit, before they are pooled.",
            lambda: feature_maps.feature_maps(pooled),
        ),
    }  # fmt: skip
    which = second.name if repeated else "the second convolution"
    return repeated | {
        "architecture": Figure(
            "The layers of the network as boxes that get smaller and deeper, with their shapes and parameters.",
            lambda: architecture(lens.layers),
        ),
        "filters": Figure(
            f"The {conv1.shape[2]} kernels of the first convolution, orange positive, blue negative.",
            lambda: filters(conv1),
        ),
        "maps1": Figure(
            f"The {conv1.shape[2]} maps of the first convolution for the digit.",
            lambda: feature_maps.feature_maps(conv1),
        ),
        "maps2": Figure(
            f"The {second.shape[2]} maps of {which} for the digit.",
            lambda: feature_maps.feature_maps(second),
        ),
        "activation": Figure("Curves of ReLU and sigmoid, and of their slopes.", concepts.activation_functions),
        "flattened": Figure(
            "How the pooled maps are laid out as one list, with the list’s values.",
            lambda: feature_maps.flattened(lens),
        ),
        "dense": Figure("The largest terms of one dense unit and their sum.", lambda: dense_step(lens, "dense")),
        "softmax": Figure(
            "Three bar charts: the ten sums, their exponentials, the ten shares.",
            lambda: concepts.softmax_steps(lens.softmax().logits),
        ),
        "overview": Figure(
            "The digit’s way from the picture through all maps to the ten shares, on one sheet.",
            lambda: overview.overview(lens),
        ),
    }


def _of_results(record: Record) -> dict[str, Figure]:
    found = record.evaluation
    return {
        "cross_entropy": Figure(
            "The loss falls from large values at small shares to 0 at a share of 1.",
            concepts.cross_entropy,
        ),
        "learning_rate": Figure(
            "The learning rate over all steps of the training.",
            lambda: results.learning_rate(record.learning_rates),
        ),
        "training": Figure(
            "Two curves over the epochs: the loss falls, the accuracy rises.",
            lambda: results.training_curves(record.history, test=found),
        ),
        "confusion": Figure(
            "Table of ten by ten counts: rows are labels, columns are answers.",
            lambda: results.confusion(found.confusion),
        ),
        "reliability": Figure(
            "Confidence against the part of the answers that is right, in bins.",
            lambda: results.reliability(found.bins, found.ece),
        ),
    }


def _of_moved(moved: MovedFacts, comparisons: Compared) -> dict[str, Figure]:
    def curves(x: range, own: tuple[float, ...], shipped: Curve | None, label: str) -> Callable[[], Any]:
        lines: dict[str, Sequence[float]] = {"this run": own}
        if shipped is not None and shipped.steps == tuple(x):
            lines |= shipped.accuracies
        return lambda: sweeps.robustness(list(x), lines, xlabel=label)

    return {
        "shift": Figure(
            "Accuracy falls as digits are shifted further.",
            curves(SHIFTS, moved.by_shift, comparisons.shift, "shifted by … pixels"),
        ),
        "turn": Figure(
            "Accuracy falls as digits are turned further.",
            curves(TURNS, moved.by_turn, comparisons.turn, "turned by … degrees"),
        ),
    }


def _of_comparisons(comparisons: Compared) -> dict[str, Figure]:
    found = {}
    if comparisons.filters:
        label = "filters in the first convolution (twice as many in the second)"
        found["filters_sweep"] = Figure(
            "Accuracy against the number of filters.", lambda: _sweep(comparisons.filters, label)
        )
    if comparisons.training_images:
        found["data_sweep"] = Figure(
            "Accuracy against the number of training digits.",
            lambda: _sweep(comparisons.training_images, "training digits"),
        )
    return found


def _sweep(networks: tuple[compared.Network, ...], label: str) -> Any:
    """Mean and standard deviation of networks of growing size."""
    means = [100 * network.mean for network in networks]
    spread = [100 * float(np.std(one.accuracies, ddof=min(1, len(one.accuracies) - 1))) for one in networks]
    return sweeps.sweep_line([network.size for network in networks], means, spread, xlabel=label, ylabel="accuracy, %")
