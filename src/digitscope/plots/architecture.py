"""The drawing of a network's architecture: layers as boxes, with shapes and parameters. Needs no image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from digitscope.arraytypes import Doubles
from digitscope.errors import ConfigError
from digitscope.formatting import percent
from digitscope.models.layers import LayerView
from digitscope.plots.primitives import MARGIN, heading, line, sheet, text
from digitscope.plots.style import INK, MUTED, style

WIDTH, SLOT = 11, 1.14
"""Inches: how wide the drawing is, and what a layer's caption needs; more layers make it wider."""
BASE, TALLEST = 3.8, 2.05
"""Inches: the ground line of all boxes, and the height of the highest."""
SLANT = (0.34, 0.22)
"""How far a box leans to the right and up, for each inch of its depth."""
KIND_NAMES = {
    "input": "grey picture",
    "conv2d": "convolution",
    "max_pooling2d": "max pooling",
    "average_pooling2d": "average pooling",
    "flatten": "all in one row",
    "dense": "dense layer",
}
FILLS = {
    "input": "#E3E3E3",
    "conv2d": "#FDB863",
    "max_pooling2d": "#92C5DE",
    "average_pooling2d": "#92C5DE",
    "flatten": "#E3E3E3",
    "dense": "#9FD8C3",
}


@style()
def architecture(layers: Sequence[LayerView], ax: Axes | None = None) -> Axes:
    """The layers as boxes with their shapes and parameters, and a bar that shows where the parameters are.

    Args:
        layers: all layers of a network, the input first.
        ax: where to draw.

    Raises:
        ConfigError: there are no layers.
    """
    if not layers:
        raise ConfigError("there are no layers to draw; give lens.layers")
    total = sum(layer.parameters for layer in layers)
    width = max(WIDTH, 2 * MARGIN + SLOT * len(layers))
    ax = sheet(width, 5.9, ax)
    explanation = (
        "A box is a stack of maps: its height and depth show their size, to scale, and its width how many there are. "
        "From Flatten on, a column is a row of numbers: longer for more numbers, but not to scale. The ten answers are "
        "drawn large."
    )
    heading(ax, f"{len(layers) - 1} layers, {total:,} parameters", explanation)
    slot = (width - 2 * MARGIN) / len(layers)
    inch = TALLEST / max(layer.shape[0] for layer in layers if len(layer.shape) == 3)
    thick = min(0.011, 0.62 * slot / max(layer.shape[-1] for layer in layers if len(layer.shape) == 3))
    joints: Doubles = np.empty((0, 2))
    for i, layer in enumerate(layers):
        x = MARGIN + i * slot
        if len(layer.shape) == 3:
            window = layers[i + 1].window if i + 1 < len(layers) else None
            joints = _box(ax, layer, x, inch, thick, window, joints)
        else:
            joints = _number_column(ax, layer, x + 0.25, joints)
        _label(ax, layer, x)
    _shares(ax, layers, total, width - MARGIN)
    return ax


def _box(
    ax: Axes, layer: LayerView, x: float, inch: float, thick: float, window: tuple[int, int] | None, joints: Doubles
) -> Doubles:
    """Maps as a box.

    Args:
        ax: a sheet.
        layer: a layer of maps.
        x: left end.
        inch: inches per cell of a map.
        thick: inches of width per map.
        window: height and width of the window through which the next layer looks at these maps, if it has one.
        joints: (2, 2) or (0, 2), where the lines from the layer before start.

    Returns:
        (2, 2), where the lines to the next layer start: at the window, or at the box's right end.
    """
    height, width, count = layer.shape
    corner, right = np.array([x, BASE]), np.array([max(count * thick, 0.03), 0])
    up, lean = np.array([0, -height * inch]), width * inch * np.array([SLANT[0], -SLANT[1]])
    front = [corner, corner + right, corner + right + up, corner + up]
    lid = [corner + up, corner + up + right, corner + up + right + lean, corner + up + lean]
    side = [corner + right, corner + right + lean, corner + right + lean + up, corner + right + up]
    for points, shade in ((front, 1.0), (lid, 1.12), (side, 0.86)):
        _polygon(ax, points, _shade(FILLS[layer.kind], shade))
    for point in joints:
        line(ax, tuple(point), tuple(corner + 0.5 * up), MUTED, 0.6)
    if window is None:
        return np.array([side[2], side[0]])
    down, across = -window[0] / height * up, window[1] / width * lean
    start = corner + right + max(0.55, window[0] / height) * up + min(0.4, 1 - window[1] / width) * lean
    _polygon(ax, [start, start + across, start + across + down, start + down], "white")
    return np.array([start + across, start + across + down])


def _polygon(ax: Axes, points: Sequence[npt.ArrayLike], fill: Any) -> None:
    ax.add_patch(Polygon(np.array(points), facecolor=fill, edgecolor=INK, linewidth=0.7, joinstyle="round"))


def _shade(colour: str, factor: float) -> tuple[float, ...]:
    """A lighter (above 1) or darker colour."""
    return tuple(min(1.0, factor * int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))


def _number_column(ax: Axes, layer: LayerView, x: float, joints: Doubles) -> Doubles:
    """A row of numbers as an upright column, the ten answers with their digits; otherwise like ``_box``."""
    count, width = layer.shape[0], 0.17
    answers = layer.activation == "softmax"
    size = 1.6 if answers else TALLEST * min(1.0, 0.25 + 0.75 * np.sqrt(count / 1600))
    top = BASE - size
    for point, end in zip(joints, (top, BASE), strict=True):
        line(ax, tuple(point), (x, end), MUTED, 0.6)
    _polygon(ax, [(x, top), (x + width, top), (x + width, BASE), (x, BASE)], FILLS[layer.kind])
    cells = count if answers else min(count, 40)
    for i in range(cells):
        y = top + i * size / cells
        line(ax, (x, y), (x + width, y), INK, 0.5 if answers else 0.2)
        if answers:
            text(ax, x + width + 0.1, y + size / cells / 2, str(i), 8, va="center_baseline")
    return np.array([(x + width, top), (x + width, BASE)])


def _label(ax: Axes, layer: LayerView, x: float) -> None:
    """Name, kind, shape and parameters below a box."""
    text(ax, x, BASE + 0.25, layer.name, 9, weight="bold", va="baseline")
    window = f" {layer.window[0]} × {layer.window[1]}" if layer.window else ""
    kind = KIND_NAMES[layer.kind] + window
    activation = {"relu": "then ReLU", "softmax": "then softmax", "linear": ""}[layer.activation]
    formula = layer.parameter_formula.partition(" = ")
    learned = [formula[0], f"= {formula[2]} parameters"] if layer.parameters else ["nothing to learn"]
    for i, caption in enumerate((kind, activation, layer.size, *learned)):
        size, color = 7.5 if i < 3 else 6.6, MUTED if i < 2 else INK
        text(ax, x, BASE + 0.41 + 0.15 * i, caption, size, va="baseline", color=color)


def _shares(ax: Axes, layers: Sequence[LayerView], total: int, right: float) -> None:
    """One bar, up to ``right``, that shows in which layers the parameters are."""
    text(ax, MARGIN, 5.2, "Where the parameters are", 8, va="baseline")
    x = MARGIN
    for layer in layers:
        width = (right - MARGIN) * layer.parameters / max(total, 1)
        if not width:
            continue
        _polygon(ax, [(x, 5.28), (x + width, 5.28), (x + width, 5.5), (x, 5.5)], FILLS[layer.kind])
        if width > 0.5:
            caption = f"{layer.name} {percent(layer.parameters / total, 0)}"
            text(ax, x + width / 2, 5.39, caption, 7.5, ha="center", va="center_baseline")
        x += width
