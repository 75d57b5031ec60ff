"""How the report and the page lead to each other: their files, places in the page, chapters in the report.

``web/lens/static/place.js`` and ``drawing.js`` read the addresses that are made here.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlencode

from digitscope.arraytypes import Levels
from digitscope.models.layers import LayerView

PAGE, REPORT = "lens.html", "report.html"
"""What the two files are called where they lie beside each other: in the folder of a run."""

Depth = Literal["map", "number"]
"""How near the page goes: to the map or list that a cell belongs to, or to the arithmetic of the cell itself."""


def sample(index: int) -> str:
    """A test image that the page holds, as the page's addresses name it."""
    return f"t{index}"


def pixels(image: Levels) -> str:
    """Any picture uint8 (28, 28) 0..255 as the page's addresses hold it: runs of equal pixels, base64 of their bytes.

    >>> import numpy as np; pixels(np.zeros((28, 28), np.uint8))
    'poAwA'
    """
    runs = [(len(list(run)), value) for value, run in itertools.groupby(image.ravel().tolist())]
    packed = b"".join(_bytes(number) for run in runs for number in run)
    return "p" + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def address(drawing: str, layer: str = "", cell: Sequence[int] = (), depth: Depth = "map", stage: str = "") -> str:
    """The page at a digit and, if given, at a cell of one of its layers or at a stage of the training.

    Args:
        drawing: what ``sample`` or ``pixels`` gives.
        layer: its name; left out, the whole network.
        cell: (row, column, map), or (index,) in a layer that is a list.
        depth: see ``Depth``.
        stage: a step of the training after which the page holds the weights; left out, the finished network.

    >>> address(sample(7), "conv1", (3, 4, 0))
    'lens.html#map=conv1,3.4.0&draw=t7'
    >>> address(sample(7), stage="50")
    'lens.html#stage=50&draw=t7'
    """
    place = {depth: f"{layer},{'.'.join(map(str, cell))}"} if layer else {}
    at = {"stage": stage} if stage else {}
    return f"{PAGE}#{urlencode(place | at | {'draw': drawing}, safe=',')}"


def chapters(layers: Sequence[LayerView]) -> dict[str, str]:
    """The chapter of the report that explains each layer, by the layer's name; only of layers that one explains."""
    pooled, found = False, {}
    for layer, before in zip(layers, [None, *layers], strict=False):
        chapter = _chapter(layer, before, pooled)
        pooled = pooled or layer.kind.endswith("pooling2d")
        if chapter:
            found[layer.name] = chapter
    return found


def _chapter(layer: LayerView, before: LayerView | None, pooled: bool) -> str:
    """The anchor of a chapter, e.g. ``convolution``."""
    if layer.kind == "conv2d":
        if pooled:
            return "second"
        return "convolution" if before is not None and before.kind == "input" else "relu"
    if layer.kind == "dense" and layer.activation == "softmax":
        return "softmax"
    kinds = {"input": "data", "max_pooling2d": "pooling", "average_pooling2d": "pooling"}
    return kinds.get(layer.kind, layer.kind if layer.kind in ("flatten", "dense") else "")


def _bytes(number: int) -> bytes:
    """A number as bytes of seven bits each, whose eighth says that more follow; its lowest bit would be the sign."""
    rest, found = 2 * number, []
    while rest > 127:
        found.append(128 | rest & 127)
        rest >>= 7
    return bytes([*found, rest])
