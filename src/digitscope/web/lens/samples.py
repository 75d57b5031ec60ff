"""Test images in the page: the first ones, the hardest ones, and the patches to which each filter responds most.

They are only shown; no network is chosen by them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from digitscope.arraytypes import Floats, Images, Integers, base64_text
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.mnist import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS
from digitscope.models.inputs import network_input
from digitscope.models.layers import LayerView
from digitscope.models.model import Model
from digitscope.models.receptive_fields import ReceptiveFields, receptive_fields

EACH = 30
"""Test images of each digit in a page, in the order of the file."""

HARDEST = 30
"""Number of hardest test images in a page."""

PATCHES = 9
"""Patches of each filter."""

MISREAD = 200
"""Misread test images in a page, so that a report can lead to each of them; a weak network has more of them."""

PAIRS, SHOWN = 12, 8
"""Kinds of mistakes that a page lists, and pictures of each: as many as fit on a screen."""

SEARCHED = 3000
"""Test images among which the patches are found."""

AT_ONCE = 1000
"""Test images that are judged between two reports of progress."""

BATCH = 100
"""Images that go through the network together while patches are searched; their activations take tens of megabytes."""


def answers_to(model: Model, data: Dataset, after_batch: Callable[[int], None] = lambda done: None) -> Floats:
    """The probabilities float32 (n, 10) 0..1 that a network gives to the test images.

    Args:
        model: the network.
        data: the dataset whose test images are judged.
        after_batch: called with the number of images done.
    """
    answers = []
    for start in range(0, len(data.x_test), AT_ONCE):
        answers.append(model.predict(data.x_test[start : start + AT_ONCE]))
        after_batch(start + len(answers[-1]))
    return np.concatenate(answers)


def misread(answers: Floats, data: Dataset) -> list[int]:
    """Indices of the misread test images, at most ``MISREAD``, those with the surest answers first."""
    wrong = np.flatnonzero(answers.argmax(axis=1) != data.y_test)
    surest = wrong[np.argsort(-answers[wrong].max(axis=1), kind="stable")][:MISREAD]
    return [int(index) for index in surest]


def errors(answers: Floats, data: Dataset) -> dict[str, Any]:
    """What a network misreads, as the page lists it.

    Args:
        answers: what ``answers_to`` gives.
        data: the dataset whose test images were judged.

    Returns:
        ``tested`` and ``wrong``, numbers of test images; ``pairs``, the ``PAIRS`` most frequent mistakes: ``label``,
        ``answer``, ``n``, and ``shown``, indices of at most ``SHOWN`` of them, all among ``misread``.
    """
    given = answers.argmax(axis=1)
    counts = Counter(zip(data.y_test.tolist(), given.tolist(), strict=True))
    wrong = [(-n, label, answer) for (label, answer), n in counts.items() if label != answer]
    held = misread(answers, data)
    pairs = [
        {"label": label, "answer": answer, "n": -n,
         "shown": [i for i in held if (data.y_test[i], given[i]) == (label, answer)][:SHOWN]}
        for n, label, answer in sorted(wrong)[:PAIRS]
    ]  # fmt: skip
    return {"tested": len(given), "wrong": -sum(n for n, _, _ in wrong), "pairs": pairs}


def hardest(answers: Floats, data: Dataset) -> list[int]:
    """Indices of the test images whose label gets the lowest probability, the hardest first.

    MNIST's test images with a wrong or unclear label are left out, because the model is not to blame for those.

    Args:
        answers: what ``answers_to`` gives.
        data: the dataset whose test images were judged.
    """
    right = answers[np.arange(len(data.y_test)), data.y_test]
    disputed = [*WRONG_TEST_LABELS, *UNCLEAR_TEST_LABELS] if data.is_mnist else []
    right[disputed] = np.inf
    return [int(index) for index in np.argsort(right, kind="stable")[: min(HARDEST, len(right) - len(disputed))]]


def samples(data: Dataset, wanted: list[int]) -> list[dict[str, Any]]:
    """The first ``EACH`` test images of every digit and those at the indices ``wanted``, ordered by index.

    Returns:
        ``index``, ``label`` and ``pixels``, base64 of uint8 (28, 28), of each; where MNIST's label is wrong, also
        ``seen``, the digit that people see.
    """
    first = [index for digit in range(10) for index in np.flatnonzero(data.y_test == digit)[:EACH].tolist()]
    seen = WRONG_TEST_LABELS if data.is_mnist else {}
    return [
        {"index": index, "label": int(data.y_test[index]), "pixels": base64_text(data.x_test[index])}
        | ({"seen": seen[index]} if index in seen else {})
        for index in sorted({*first, *wanted})
    ]


def patches(
    model: Model,
    layers: tuple[LayerView, ...],
    data: Dataset,
    after_batch: Callable[[int], None] = lambda done: None,
) -> dict[str, list[list[dict[str, Any]]]]:
    """For each filter of each convolution, the parts of test images to which it responds most, at most one per image.

    Args:
        model: the network.
        layers: its layers, for any image.
        data: the dataset whose test images are searched.
        after_batch: called with the number of images done.

    Returns:
        Layer name -> for each filter ``PATCHES`` records, the strongest first: ``sample`` (index of the test image),
        ``row`` and ``column`` of the cell, its ``activation``, and ``pixels``, the patch that the cell sees, base64 of
        uint8 (``height``, ``width``), 0 beyond the edge of the image.
    """
    images = data.x_test[:SEARCHED]
    fields = zip(layers, receptive_fields(layers), strict=True)
    seen = {layer.name: seen for layer, seen in fields if layer.kind == "conv2d"}
    found: dict[str, list[tuple[Floats, Integers]]] = {name: [] for name in seen}
    references = {entry["name"]: entry["output"] for entry in model.session.layers[1:] if entry["name"] in seen}
    for start in range(0, len(images), BATCH):
        batch = network_input(images[start : start + BATCH])
        tensors = model.session.tensors(batch, [reference["tensor"] for reference in references.values()])
        for name, reference in references.items():
            found[name].append(_strongest(tensors[reference["tensor"]], reference["layout"]))
        after_batch(start + len(batch))
    views = {layer.name: layer for layer in layers}
    return {name: _records(found[name], views[name], seen[name], images) for name in seen}


def _strongest(values: Floats, layout: str) -> tuple[Floats, Integers]:
    """The largest activation of each filter on each image, and its index in the flattened map; both (n, filters)."""
    maps = values if layout == "nchw" else values.transpose(0, 3, 1, 2)
    flat = maps.reshape(*maps.shape[:2], math.prod(maps.shape[2:]))
    place = flat.argmax(axis=2)
    return np.take_along_axis(flat, place[..., None], axis=2)[..., 0], place


def _records(
    found: list[tuple[Floats, Integers]], layer: LayerView, fields: ReceptiveFields, images: Images
) -> list[list[dict[str, Any]]]:
    """The records of one layer, as ``patches`` returns them."""
    activation = np.concatenate([values for values, _ in found])
    place = np.concatenate([places for _, places in found])
    order = np.argsort(-activation, axis=0, kind="stable")[:PATCHES]
    return [
        [
            {
                "sample": int(index),
                "row": int(place[index, unit]) // layer.shape[1],
                "column": int(place[index, unit]) % layer.shape[1],
                "activation": float(activation[index, unit]),
                "height": fields.size[0],
                "width": fields.size[1],
                "pixels": base64_text(_patch(images[index], fields, divmod(int(place[index, unit]), layer.shape[1]))),
            }
            for index in order[:, unit]
        ]
        for unit in range(layer.shape[2])
    ]


def _patch(image: Images, fields: ReceptiveFields, cell: tuple[int, int]) -> Images:
    """The pixels uint8 (height, width) that a cell, (row, column), sees."""
    margin = max(28, *fields.size)
    top, left = (margin + fields.start[axis] + cell[axis] * fields.step[axis] for axis in (0, 1))
    return np.pad(image, margin)[top : top + fields.size[0], left : left + fields.size[1]]
