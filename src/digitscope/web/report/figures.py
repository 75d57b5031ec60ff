"""The figures of the story, drawn by the package's own figure functions for one run. Computes no result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from digitscope.plots import concepts, feature_maps, overview, results
from digitscope.plots import sweeps as compare
from digitscope.plots.architecture import architecture
from digitscope.plots.dense import dense_step
from digitscope.plots.style import svg
from digitscope.web.report.digits import SAMPLES, SHIFTS, TURNS
from digitscope.web.report.html import Html, fill, read
from digitscope.web.report.record import Record
from digitscope.web.report.shape import parts

Draw = Callable[[], Any]


def draw(record: Record, facts: Mapping[str, Any], comparisons: Mapping[str, Any]) -> dict[str, tuple[str, Draw]]:
    """Every figure by its name: what it shows, for those who cannot see it, and the function that draws it."""
    return _of_data(record) | _of_network(record) | _of_results(record) | _of_comparisons(record, facts, comparisons)


def inline(name: str, description: str, drawn: Any) -> Html:
    """A drawn figure as an ``<svg>`` for the page."""
    return Html(svg(drawn, name.replace("_", "-"), description))


def channels(facts: Mapping[str, Any]) -> Html:
    """The drawing of grey and colour pictures, with the sizes of this network."""
    kernel = 45  # pixels of the drawing
    places = [kernel * line / facts["k"] for line in range(1, facts["k"])]
    lines = "".join(f"M{place:.4g} 0v{kernel}M0 {place:.4g}h{kernel}" for place in places)
    return fill(read("channels.svg"), {**facts, "kernel_lines": lines})


def _of_data(record: Record) -> dict[str, tuple[str, Draw]]:
    data, image = record.data, record.image
    return {
        "counts": (
            "Bars: how many training and test pictures there are of each digit.",
            lambda: results.counts({"training": data.y_train, "test": data.y_test}),
        ),
        "samples": (
            f"The first {SAMPLES} training pictures with their labels.",
            lambda: results.samples(data.x_train[:SAMPLES], data.y_train[:SAMPLES]),
        ),
        "matrix_raw": ("The digit as a table of whole numbers from 0 to 255.", lambda: results.matrix(image)),
        "matrix_scaled": ("The same table with numbers from 0 to 1.", lambda: results.matrix(image, scaled=True)),
        "mean_images": (
            "Ten blurred pictures: the mean of all training pictures of each digit.",
            lambda: results.mean_images(data.x_train, data.y_train),
        ),
        "one_hot": (
            f"Ten boxes for the digits 0 to 9; the one for {record.label} holds a 1, the others a 0.",
            lambda: concepts.one_hot(record.label),
        ),
    }


def _of_network(record: Record) -> dict[str, tuple[str, Draw]]:
    lens, found = record.lens, parts(record.lens)
    conv1, second, pooled = found.first, found.second, found.pooled
    repeated = {} if pooled is conv1 else {
        "maps_pooled": (
            f"The {pooled.shape[2]} maps of {pooled.name} for the digit, before they are pooled.",
            lambda: feature_maps.feature_maps(pooled),
        ),
    }  # fmt: skip
    which = second.name if repeated else "the second convolution"
    return repeated | {
        "architecture": (
            "The layers of the network as boxes that get smaller and deeper, with their shapes and parameters.",
            lambda: architecture(lens.layers),
        ),
        "filters": (
            f"The {conv1.shape[2]} kernels of the first convolution, orange positive, blue negative.",
            lambda: feature_maps.filters(conv1),
        ),
        "maps1": (
            f"The {conv1.shape[2]} maps of the first convolution for the digit.",
            lambda: feature_maps.feature_maps(conv1),
        ),
        "maps2": (
            f"The {second.shape[2]} maps of {which} for the digit.",
            lambda: feature_maps.feature_maps(second),
        ),
        "activation": ("Curves of ReLU and sigmoid, and of their slopes.", concepts.activation_functions),
        "flattened": (
            "How the pooled maps are laid out as one list, with the list’s values.",
            lambda: feature_maps.flattened(lens),
        ),
        "dense": ("The largest terms of one dense unit and their sum.", lambda: dense_step(lens, "dense")),
        "softmax": (
            "Three bar charts: the ten sums, their exponentials, the ten shares.",
            lambda: concepts.softmax_steps(lens.softmax().logits),
        ),
        "overview": (
            "The digit’s way from the picture through all maps to the ten shares, on one sheet.",
            lambda: overview.overview(lens),
        ),
    }


def _of_results(record: Record) -> dict[str, tuple[str, Draw]]:
    found = record.evaluation
    return {
        "cross_entropy": (
            "The loss falls from large values at small shares to 0 at a share of 1.",
            concepts.cross_entropy,
        ),
        "learning_rate": (
            "The learning rate over all steps of the training.",
            lambda: results.learning_rate(record.learning_rates),
        ),
        "training": (
            "Two curves over the epochs: the loss falls, the accuracy rises.",
            lambda: results.training_curves(record.history, test=found),
        ),
        "confusion": (
            "Table of ten by ten counts: rows are labels, columns are answers.",
            lambda: results.confusion(found.confusion),
        ),
        "reliability": (
            "Confidence against the part of the answers that is right, in bins.",
            lambda: results.reliability(found.bins, found.ece),
        ),
    }


def _of_comparisons(
    record: Record, facts: Mapping[str, Any], comparisons: Mapping[str, Any]
) -> dict[str, tuple[str, Draw]]:
    sideways, around = facts["robustness"]

    def moved(section: str, steps_of: str, x: range, own: list[float], label: str) -> Draw:
        lines: dict[str, Any] = {"this run": own}
        shipped = comparisons.get(section, {})
        if list(shipped.get(steps_of, ())) == list(x):
            names = {"cnn": "convolutions", "dense": "dense", "robust": "recipe robust"}
            lines |= {name: shipped[key] for key, name in names.items() if key in shipped}
        return lambda: compare.robustness(list(x), lines, xlabel=label)

    found: dict[str, tuple[str, Draw]] = {
        "shift": (
            "Accuracy falls as digits are shifted further.",
            moved("shift", "pixels", SHIFTS, sideways, "shifted by … pixels"),
        ),
        "turn": (
            "Accuracy falls as digits are turned further.",
            moved("turn", "degrees", TURNS, around, "turned by … degrees"),
        ),
    }
    if comparisons.get("filters"):
        x = [entry["filters"][0] for entry in comparisons["filters"]]
        found["filters_sweep"] = (
            "Accuracy against the number of filters.",
            _sweep(x, comparisons["filters"], "filters in the first convolution (twice as many in the second)"),
        )
    if comparisons.get("training_images"):
        x = [entry["n"] for entry in comparisons["training_images"]]
        found["data_sweep"] = (
            "Accuracy against the number of training digits.",
            _sweep(x, comparisons["training_images"], "training digits"),
        )
    return found


def _sweep(x: list[int], entries: list[Mapping[str, Any]], label: str) -> Draw:
    means = [100 * float(np.mean(entry["accuracy"])) for entry in entries]
    spread = [100 * float(np.std(entry["accuracy"], ddof=min(1, len(entry["accuracy"]) - 1))) for entry in entries]
    return lambda: compare.sweep(x, means, spread, xlabel=label, ylabel="accuracy, %")
