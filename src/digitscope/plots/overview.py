"""A digit's way through a whole network: on one sheet to print, and as a folder of all figures."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from digitscope.errors import ConfigError
from digitscope.files import write_bytes
from digitscope.models.layers import LayerView
from digitscope.models.lens import Lens, look
from digitscope.plots import cells as steps
from digitscope.plots import dense, feature_maps
from digitscope.plots.architecture import architecture
from digitscope.plots.primitives import (
    MARGIN,
    arrow,
    bar,
    block,
    grey,
    heading,
    line,
    page,
    percent,
    tiles,
    words,
    wrapped,
)
from digitscope.plots.style import INK, MUTED, save, style
from digitscope.progress import Progress

if TYPE_CHECKING:
    from digitscope.models.model import Model

RIGHT = 10.65
"""Right end of everything on a sheet of 11 inches."""
ROWS, GAP, BETWEEN = 8, 0.05, 0.34
"""Maps one above another, inches between two maps, and between two layers."""
LARGEST_SCALE = 0.024
"""Inches per cell of a map; smaller where a network would not fit."""
BODY, SHELF = 1.75, 5
"""Where the pictures start, below the captions, and how many layers of maps stand beside each other at most."""
FIRST, ROOM = 1.3, RIGHT - MARGIN - 1.3
"""Width of the first column, input and filters, and what is left for the maps beside it."""


@style()
def overview(lens: Lens, title: str | None = None, ax: Axes | None = None) -> Axes:
    """A digit's way through the network on one sheet to print.

    Args:
        lens: one image in a network.
        title: what to write above; left out, the answer.
        ax: where to draw.
    """
    maps = [layer for layer in lens.layers[1:] if len(layer.shape) == 3]
    vectors = [layer for layer in lens.layers if len(layer.shape) == 1]
    shelves = _shelves(maps)
    scale = min(_scale(shelf) for shelf in shelves)
    tops = [BODY]
    for shelf in shelves[:-1]:
        tops.append(max(_bottoms(shelf, tops[-1], scale)) + 1.1)
    lefts, bottoms = _lefts(shelves[-1], scale), _bottoms(shelves[-1], tops[-1], scale)
    split = max((i for i, left in enumerate(lefts) if RIGHT - left >= 4.6), default=0)
    below = max(bottoms[split:], default=BODY) + 0.3
    strip = max(0.6, 0.075 * lens.before(vectors[0].name).shape[0])
    ax = page(11, max([*bottoms, BODY + 4.5, below + strip + 2.1]) + 0.3, ax)
    total = sum(layer.parameters for layer in lens.layers)
    text = (
        "White is 0, darker is further from it; every layer has a scale of its own. A map that is struck out is "
        f"silent: all 0. Parameters in all: {total:,}."
    )
    heading(ax, title or f"How the network reads this digit: {lens.answer} ({percent(lens.confidence)})", text)
    _first_column(ax, lens)
    for shelf, top in zip(shelves, tops, strict=True):
        end = _shelf(ax, shelf, top, scale)
        if shelf is not shelves[-1]:
            arrow(ax, (end + 0.05, top + 0.2), (end + 0.3, top + 0.2))
    if maps:
        middle = (lefts[-1] + end) / 2
        arrow(ax, (middle, bottoms[-1]), (middle, below - 0.14 if lefts[-1] == lefts[split] else below + 0.2))
    left = lefts[split] if maps else MARGIN
    _strip(ax, lens, vectors[0], left, below, strip)
    _vectors(ax, lens, vectors[1:], left, below + strip + 0.68)
    return ax


def _shelves(maps: Sequence[LayerView]) -> list[list[LayerView]]:
    """The layers of maps on as many shelves as they need, one above another; the lower ones hold more of them."""
    parts = np.array_split(np.arange(len(maps)), max(1, -(-len(maps) // SHELF)))
    places = iter(maps)
    return [[next(places) for _ in part] for part in parts[::-1]]


def _bottoms(maps: Sequence[LayerView], top: float, scale: float) -> list[float]:
    """Where each layer of maps ends that starts at ``top``."""
    return [top + min(ROWS, layer.shape[2]) * (layer.shape[0] * scale + GAP) for layer in maps]


def _widths(maps: Sequence[LayerView], scale: float) -> list[float]:
    """How wide each layer of maps is, its caption included, with ``scale`` inches per cell."""
    caption = min(1.2, ROOM / max(len(maps), 1) - BETWEEN)
    return [max(-(-layer.shape[2] // ROWS) * (layer.shape[1] * scale + GAP), caption) for layer in maps]


def _scale(maps: Sequence[LayerView]) -> float:
    """Inches per cell with which all maps fit beside each other."""
    scales: list[float] = np.linspace(LARGEST_SCALE, LARGEST_SCALE / 20, 96).tolist()
    fitting = (scale for scale in scales if sum(_widths(maps, scale)) + BETWEEN * len(maps) <= ROOM)
    return next(fitting, scales[-1])


def _lefts(maps: Sequence[LayerView], scale: float) -> list[float]:
    """Where each layer of maps starts; room that is left goes between them."""
    widths = _widths(maps, scale)
    between = min((ROOM - sum(widths)) / max(len(maps), 1), 0.8)
    starts = MARGIN + FIRST + np.cumsum([between, *(width + between for width in widths)])
    return [float(start) for start in starts[: len(maps)]]


def _caption(ax: Axes, x: float, y: float, layer: LayerView, width: float) -> None:
    """A layer's name, shape, parameters and what it does, one below the other."""
    words(ax, x, y, layer.name, 9, weight="bold", va="baseline")
    words(ax, x, y + 0.15, layer.size, 7.5, va="baseline")
    words(ax, x, y + 0.28, _learned(layer), 7, va="baseline")
    words(ax, x, y + 0.34, wrapped(_in_words(layer), max(int(width / 0.052), 12)), 7, color=MUTED)


def _caption_line(ax: Axes, x: float, y: float, layer: LayerView) -> None:
    """The same in two lines."""
    words(ax, x, y, layer.name, 9, weight="bold", va="baseline")
    words(ax, x, y + 0.15, f"{layer.size} numbers, {_learned(layer)}", 7, va="baseline")
    words(ax, x, y + 0.28, _in_words(layer), 7, va="baseline", color=MUTED)


def _learned(layer: LayerView) -> str:
    return f"{layer.parameters:,} parameters" if layer.parameters else "nothing to learn"


def _in_words(layer: LayerView) -> str:
    """What a layer does, in a few words."""
    if layer.activation == "softmax":
        return "ten sums, turned into probabilities"
    if layer.kernel is not None and layer.kernel.ndim == 4 and layer.kernel.shape[2] > 1:
        return f"every filter reads all {layer.kernel.shape[2]} maps"
    return {
        "input": "each pixel is a number from 0 to 1",
        "conv2d": "every filter is laid on every spot",
        "max_pooling2d": "the largest of every window",
        "average_pooling2d": "the mean of every window",
        "flatten": "the same numbers in a row: place by place, at each place all channels",
        "dense": "each number times a weight, all added up",
    }[layer.kind]


def _first_column(ax: Axes, lens: Lens) -> None:
    """The image, and below it the filters that look at it."""
    _caption(ax, MARGIN, BODY - 0.66, lens.layers[0], FIRST)
    grey(ax, lens.image, MARGIN, BODY, FIRST)
    layer = lens.layers[1]
    if layer.kind != "conv2d":
        return
    kernel, _ = layer.learned
    width, count = kernel.shape[1], kernel.shape[3]
    columns = -(-count // ROWS)
    pitch = min(FIRST / columns, 0.33)
    scale = (pitch - GAP) / width
    y = BODY + FIRST + 0.28
    words(ax, MARGIN, y, f"{layer.name}'s {count} filters", 7.5, va="baseline")
    words(ax, MARGIN, y + 0.06, "orange: bright here counts for;\nblue, with a dash: against", 6.2, color=MUTED)
    limits = np.full(count, np.abs(kernel).max())
    kernels = kernel[:, :, 0].transpose(2, 0, 1)
    places = tiles(ax, kernels, MARGIN, y + 0.36, scale, columns, (GAP, GAP), limits)
    for (i, row, column), weight in np.ndenumerate(kernels):
        if weight < 0:
            x, y = places[i] + scale * (np.array([column, row]) + 0.5)
            words(ax, x, y, "−", 4.5, ha="center", va="center")


def _shelf(ax: Axes, maps: Sequence[LayerView], top: float, scale: float) -> float:
    """Layers of maps beside each other, an arrow before each; returns the right end of the last."""
    end = MARGIN + FIRST
    for layer, left in zip(maps, _lefts(maps, scale), strict=True):
        if layer is maps[0] and top > BODY:
            end = left - 0.35
        arrow(ax, (end + 0.05, top + 0.2), (left - 0.05, top + 0.2))
        end = _maps(ax, layer, left, top, scale)
    return end


def _maps(ax: Axes, layer: LayerView, left: float, top: float, scale: float) -> float:
    """All maps of a layer with its caption; returns their right end."""
    height, width, count = layer.shape
    columns = -(-count // ROWS)
    right = left + columns * (width * scale + GAP) - GAP
    _caption(ax, left, top - 0.66, layer, max(right - left, 1.2))
    limits = np.full(count, np.abs(layer.values).max())
    places = tiles(ax, layer.values.transpose(2, 0, 1), left, top, scale, columns, (GAP, GAP), limits)
    for i, (x, y) in enumerate(places):
        if not layer.values[..., i].any():
            line(ax, (x, y + height * scale), (x + width * scale, y))
    return right


def _vectors(ax: Axes, lens: Lens, layers: Sequence[LayerView], left: float, y: float) -> None:
    """The layers after Flatten: dense layers as blocks, the ten answers as bars."""
    bars = RIGHT - 2.35
    pitch = (bars - left) / max(len(layers) - 1, 1)
    for i, layer in enumerate(layers[:-1]):
        x, columns = left + i * pitch, -(-layer.shape[0] // ROWS)
        size = min(0.12, (pitch - 0.45) / columns)
        _caption_line(ax, x, y, layer)
        cells = np.zeros(columns * ROWS, np.float32)
        cells[: layer.shape[0]] = layer.values
        block(ax, cells.reshape(columns, ROWS).T, x, y + 0.38, columns * size, ROWS * size, float(np.abs(cells).max()))
        arrow(ax, (x + columns * size + 0.08, y + 0.86), (x + pitch - 0.08, y + 0.86))
    _caption_line(ax, bars, y, layers[-1])
    for digit, share in enumerate(lens.probabilities.tolist()):
        base = y + 0.47 + 0.105 * digit
        weight = "bold" if digit == lens.answer else "normal"
        words(ax, bars, base, str(digit), 7, va="baseline", weight=weight)
        bar(ax, bars + 0.13, base - 0.075, share * 1.6, 0.08, INK)
        words(ax, RIGHT, base, percent(share), 6.5, ha="right", va="baseline", weight=weight)


def _strip(ax: Axes, lens: Lens, layer: LayerView, left: float, top: float, height: float) -> None:
    """Flatten as lines of numbers: a line for each row of the maps before, in it a block for each place."""
    _caption_line(ax, left, top, layer)
    rows, columns, channels = lens.before(layer.name).shape
    down, right = height / rows, (RIGHT - left + 0.03) / columns
    limit = float(np.abs(layer.values).max())
    for place, part in enumerate(layer.values.reshape(-1, channels)):
        x, y = left + place % columns * right, top + 0.38 + place // columns * down
        block(ax, part[None], x, y, right - 0.03, 0.75 * down, limit)


def write_look(
    model: Model,
    image: npt.ArrayLike,
    folder: str | Path,
    title: str | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Write every figure of one image's way through a model, and all its numbers.

    Args:
        model: what ``digitscope.load`` gives.
        image: (28, 28); uint8 0..255 or floats 0..1, pen bright.
        folder: where to write; made if it is missing.
        title: what to write above the overview.
        progress: is told after every figure how many are done.

    Returns:
        Every figure as ``.svg`` and ``.png``, the overview first, and ``numbers.npz`` with the activations of each
        layer (``conv1.values``) and its sums before the activation (``conv1.sums``).

    Raises:
        ConfigError: the folder cannot be written.
        DataError: the image has another shape or type, or values outside the range.
        ModelError: the model cannot be looked into.
    """
    lens, folder = look(model, image), Path(folder)
    try:
        return [*_write_figures(lens, title, folder, progress), _write_numbers(lens, folder / "numbers.npz")]
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}); give another folder with --out") from error


def _write_figures(lens: Lens, title: str | None, folder: Path, progress: Progress | None) -> list[Path]:
    paths = []
    figures = list(_figures(lens, title))
    for done, (name, draw) in enumerate(figures, start=1):
        drawn = draw()
        paths += [save(drawn, folder / f"{name}{suffix}") for suffix in (".svg", ".png")]
        if progress is not None:
            progress("figures", done, len(figures), {})
    return paths


def _write_numbers(lens: Lens, path: Path) -> Path:
    numbers: dict[str, Any] = {f"{layer.name}.values": layer.values for layer in lens.layers}
    numbers |= {f"{layer.name}.sums": layer.sums for layer in lens.layers if layer.sums is not None}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **numbers)
    write_bytes(path, buffer.getvalue())
    return path


def _figures(lens: Lens, title: str | None) -> Iterator[tuple[str, Callable[[], Axes]]]:
    """File name and drawing of every figure that fits the network, in reading order."""
    yield "overview", partial(overview, lens, title)
    yield "architecture", partial(architecture, lens.layers)
    yield "00-input", partial(feature_maps.digit_and_matrix, lens)
    for i, layer in enumerate(lens.layers):
        name = f"{i:02d}-{re.sub(r'[^A-Za-z0-9_]', '-', layer.name)}"
        if layer.kind == "conv2d":
            strongest = int(layer.values.max(axis=(0, 1)).argmax())
            yield f"{name}-filters", partial(feature_maps.filters, layer)
            if lens.layers[i - 1].shape[2] > 1:
                yield f"{name}-filter-{strongest}", partial(feature_maps.filters, layer, strongest)
            yield f"{name}-one-number", partial(steps.convolution_step, lens, layer.name)
        if layer.kind.endswith("pooling2d"):
            yield f"{name}-one-number", partial(steps.pooling_step, lens, layer.name)
        if layer.kind != "input" and len(layer.shape) == 3:
            yield f"{name}-maps", partial(feature_maps.feature_maps, layer)
        if layer.kind == "flatten":
            yield name, partial(feature_maps.flattened, lens)
        if layer.kind == "dense":
            yield f"{name}-one-number", partial(dense.dense_step, lens, layer.name)
    last = f"{len(lens.layers) - 1:02d}"
    yield f"{last}-why", partial(dense.evidence, lens)
    yield f"{last}-softmax", partial(dense.softmax, lens)
