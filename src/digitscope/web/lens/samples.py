"""Digits to open the page with: test images, the hardest of them, and the patches that excite each filter most.

Nothing is chosen for the network here; the test images are only shown.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Images, base64_text
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.mnist import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS
from digitscope.models.layers import LayerView
from digitscope.models.model import Model, network_input

EACH = 30
"""Test images of each digit that a page holds, in the order of the file."""

HARDEST = 30
"""Test images on which the model gives the right digit least."""

PATCHES = 9
"""Patches shown for each filter."""

SEARCHED = 3000
"""Test images that are searched for patches."""

BATCH = 100
"""Images whose activations are looked at together: some tens of megabytes."""


def hardest(model: Model, data: Dataset) -> list[int]:
    """Indices of the test images to whose label the model gives the least probability, the hardest first.

    MNIST's test images whose label is wrong or unclear are left out: on those the model is not to blame.
    """
    right = model.predict(data.x_test)[np.arange(len(data.y_test)), data.y_test]
    disputed = [*WRONG_TEST_LABELS, *UNCLEAR_TEST_LABELS] if data.is_mnist else []
    right[disputed] = np.inf
    return [int(index) for index in np.argsort(right, kind="stable")[: min(HARDEST, len(right) - len(disputed))]]


def samples(data: Dataset, wanted: list[int]) -> list[dict[str, Any]]:
    """The first ``EACH`` test images of every digit and those ``wanted``, by index."""
    first = [index for digit in range(10) for index in np.flatnonzero(data.y_test == digit)[:EACH].tolist()]
    return [
        {"index": index, "label": int(data.y_test[index]), "pixels": base64_text(data.x_test[index])}
        for index in sorted({*first, *wanted})
    ]


def patches(model: Model, layers: tuple[LayerView, ...], data: Dataset) -> dict[str, list[list[dict[str, Any]]]]:
    """For each filter of each convolution, the parts of test images that excite it most, at most one an image.

    Args:
        model: the network.
        layers: its layers, for any image.
        data: whose test images are searched.

    Returns:
        By the layer's name: per filter ``PATCHES`` records, the strongest first, of ``sample`` (index of the test
        image), ``row`` and ``column`` of the cell, its ``activation``, and ``pixels``, the patch that the cell sees,
        uint8 ``height`` x ``width``, 0 where it reaches over the edge.
    """
    images = data.x_test[:SEARCHED]
    seen = {layer.name: sight for layer, sight in _sights(layers) if layer.kind == "conv2d"}
    found: dict[str, list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]]] = {name: [] for name in seen}
    references = {entry["name"]: entry["output"] for entry in model.session.layers[1:] if entry["name"] in seen}
    for start in range(0, len(images), BATCH):
        batch = network_input(images[start : start + BATCH])
        tensors = model.session.tensors(batch, [reference["tensor"] for reference in references.values()])
        for name, reference in references.items():
            found[name].append(_strongest(tensors[reference["tensor"]], reference["layout"]))
    views = {layer.name: layer for layer in layers}
    return {name: _records(found[name], views[name], seen[name], images) for name in seen}


class _Sight:
    """Which pixels the cells of a layer depend on: the cell at n sees ``size`` of them from ``start + n * step``."""

    def __init__(self, start: tuple[int, int], size: tuple[int, int], step: tuple[int, int]) -> None:
        self.start, self.size, self.step = start, size, step

    def through(self, layer: LayerView, before: LayerView) -> _Sight:
        """The same after a layer with a window."""
        start, size, step = [], [], []
        for axis in (0, 1):
            window, stride = (layer.window or (1, 1))[axis], (layer.strides or (1, 1))[axis]
            needed = (layer.shape[axis] - 1) * stride + window - before.shape[axis]
            over = max(needed, 0) // 2 if layer.padding == "same" else 0
            start.append(self.start[axis] - over * self.step[axis])
            size.append(self.size[axis] + (window - 1) * self.step[axis])
            step.append(self.step[axis] * stride)
        return _Sight((start[0], start[1]), (size[0], size[1]), (step[0], step[1]))

    def patch(self, image: Images, row: int, column: int) -> Images:
        """The pixels that one cell sees."""
        top, left = self.start[0] + row * self.step[0], self.start[1] + column * self.step[1]
        margin = max(28, *self.size)
        wide = np.pad(image, margin)
        return wide[margin + top : margin + top + self.size[0], margin + left : margin + left + self.size[1]]


def _sights(layers: tuple[LayerView, ...]) -> Iterator[tuple[LayerView, _Sight]]:
    """Every layer of maps with what its cells see."""
    sight = _Sight((0, 0), (1, 1), (1, 1))
    for before, layer in itertools.pairwise(layers):
        if layer.window is None:
            return
        sight = sight.through(layer, before)
        yield layer, sight


def _strongest(values: npt.NDArray[np.float32], layout: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Per image and filter the largest activation (n, filters) and at which place of the map, counted row by row."""
    maps = values if layout == "nchw" else values.transpose(0, 3, 1, 2)
    flat = maps.reshape(*maps.shape[:2], math.prod(maps.shape[2:]))
    place = flat.argmax(axis=2)
    return np.take_along_axis(flat, place[..., None], axis=2)[..., 0], place


def _records(
    found: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]], layer: LayerView, sight: _Sight, images: Images
) -> list[list[dict[str, Any]]]:
    """The records of one layer, see ``patches``."""
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
                "height": sight.size[0],
                "width": sight.size[1],
                "pixels": base64_text(sight.patch(images[index], *divmod(int(place[index, unit]), layer.shape[1]))),
            }
            for index in order[:, unit]
        ]
        for unit in range(layer.shape[2])
    ]
