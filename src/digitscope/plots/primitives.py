"""The small parts that drawings of a network are made of: heatmaps, grids of numbers, text, bars and arrows.

Everything is drawn on a sheet measured in inches, with y downwards, so that parts line up and print at their true size.
All heatmaps share one colour code: white is zero, orange positive, blue negative, darker further from zero.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import FancyArrowPatch, Rectangle

from digitscope.arraytypes import AnyArray, Doubles, Mask
from digitscope.formatting import number
from digitscope.plots.style import FAINT, INK, MUTED

STOPS = (0, 0.08, 0.25, 0.5, 0.75, 1)
ORANGES = ("#FFFFFF", "#FEE0B6", "#FDB863", "#E08214", "#B35806", "#7F3B08")
BLUES = ("#FFFFFF", "#D1E5F0", "#92C5DE", "#4393C3", "#2166AC", "#053061")
DARK_ORANGES = ("#2B2F35", "#4D3926", "#86521D", "#D07A1F", "#F6AE62", "#FFE6C6")
DARK_BLUES = ("#2B2F35", "#27405A", "#2B638F", "#4798CF", "#93C8EC", "#E0F1FF")


def _signed(blues: tuple[str, ...], oranges: tuple[str, ...]) -> LinearSegmentedColormap:
    """Colours from the last of the blues over zero to the last of the oranges."""
    below = [((1 - at) / 2, blue) for at, blue in zip(STOPS[:0:-1], blues[:0:-1], strict=True)]
    above = [((1 + at) / 2, orange) for at, orange in zip(STOPS, oranges, strict=True)]
    return LinearSegmentedColormap.from_list("signed", below + above, N=511)


SIGNED, SIGNED_DARK = _signed(BLUES, ORANGES), _signed(DARK_BLUES, DARK_ORANGES)
"""Blue below zero, white at zero, orange above; small values are lifted so that they show beside large ones.
In the dark zero is dark, too, and what is far from it bright.

Source of the colours: the halves of ColorBrewer's RdBu and PuOr.
"""

POSITIVE, NEGATIVE = ORANGES[3], BLUES[3]
"""Colours of bars above and below zero."""

MARGIN, LEFT, TOP, WIDTH = 0.35, 3.05, 0.95, 7.6
"""Inches on an ``explained_sheet``: left end of the text, then left end, top and width of the picture beside it."""
WRAP, LINE = 40, 0.158
"""Characters in a line of that text, and inches from one line to the next."""


def sheet(width: float, height: float, ax: Axes | None = None) -> Axes:
    """An empty axes without a frame whose units are inches, (0, 0) at the top left."""
    if ax is None:
        ax = Figure(figsize=(width, height)).add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.set_axis_off()
    return ax


def explained_sheet(title: str, explanation: str, bottom: float, top: float = 0.85, ax: Axes | None = None) -> Axes:
    """A sheet 11 inches wide with a title and, down its left side, the text that explains the picture beside it.

    Args:
        title: one line.
        explanation: plain text; an empty line separates paragraphs.
        bottom: where the picture ends, in inches; the sheet is high enough for both.
        top: where the text starts, in inches.
        ax: where to draw.
    """
    explanation = "\n".join(wrapped(paragraph, WRAP) for paragraph in explanation.split("\n"))
    ax = sheet(11, max(bottom, top + LINE * (1 + explanation.count("\n"))) + 0.3, ax)
    text(ax, MARGIN, 0.28, title, 14, weight="bold")
    text(ax, MARGIN, top, explanation, 8.5)
    return ax


def heading(ax: Axes, title: str, explanation: str) -> None:
    """A title over the whole width of a sheet and, below it, up to two lines of explanation."""
    text(ax, MARGIN, 0.28, title, 14, weight="bold")
    text(ax, MARGIN, 0.68, wrapped(explanation, 156), 8.5)


def wrapped(words: str, width: int) -> str:
    """Text in lines of at most ``width`` characters, never broken at a times or an equals sign."""
    return textwrap.fill(re.sub(r" ([×·=]) ", "\u00a0\\1\u00a0", words), width, break_long_words=False)


def inset(ax: Axes, x: float, y: float, width: float, height: float) -> Axes:
    """A part of a sheet as an axes of its own, its top left at (x, y)."""
    right, bottom = ax.get_xlim()[1], ax.get_ylim()[0]
    return ax.inset_axes((x / right, 1 - (y + height) / bottom, width / right, height / bottom))


def text(ax: Axes, x: float, y: float, words: str, size: float = 8, **more: Any) -> None:
    """Text with its top left, or the corner that ``ha`` and ``va`` name, at (x, y)."""
    settings: dict[str, Any] = {"ha": "left", "va": "top", "color": INK, "linespacing": 1.3, "parse_math": False}
    ax.text(x, y, words, fontsize=size, **settings | more)


def grey_image(ax: Axes, picture: AnyArray, x: float, y: float, width: float) -> None:
    """A grey picture (h, w) 0..1: 0 is black, 1 white."""
    _pixels(ax, picture, x, y, width, width * picture.shape[0] / picture.shape[1], cmap="gray")


def heatmap(ax: Axes, values: AnyArray, x: float, y: float, width: float, height: float, limit: float) -> None:
    """Numbers (h, w) as colours in a thin frame; the colour is darkest at ``limit``."""
    limit = limit or 1
    _pixels(ax, values / limit, x, y, width, height, cmap=SIGNED, lowest=-1)
    frame(ax, x, y, width, height, FAINT, 0.5)


def heatmaps(
    ax: Axes, maps: AnyArray, x: float, y: float, scale: float, columns: int, gap: tuple[float, float], limits: AnyArray
) -> Doubles:
    """Many small heatmaps in rows.

    Args:
        ax: a sheet.
        maps: (n, h, w) numbers.
        x: left end.
        y: top.
        scale: inches per cell of a map.
        columns: maps in a row.
        gap: inches between two maps, to the right and down.
        limits: (n,) where each map's colour is darkest.

    Returns:
        float64 (n, 2): x and y of every map's top left.
    """
    count, height, width = maps.shape
    column, row = np.arange(count) % columns, np.arange(count) // columns
    corners = np.column_stack((x + column * (width * scale + gap[0]), y + row * (height * scale + gap[1])))
    shares = maps / np.where(limits > 0, limits, 1)[:, None, None]
    for share, (left, top) in zip(shares, corners, strict=True):
        _pixels(ax, share, left, top, width * scale, height * scale, cmap=SIGNED, lowest=-1)
    frames = [Rectangle((left, top), width * scale, height * scale) for left, top in corners]
    ax.add_collection(PatchCollection(frames, facecolor="none", edgecolor=FAINT, linewidth=0.5))
    return corners


def heatmap_with_numbers(
    ax: Axes, values: AnyArray, x: float, y: float, cell: float, limit: float, digits: int = 2, size: float = 7
) -> None:
    """A matrix (h, w) with every number printed on its colour, cells ``cell`` inches wide and high."""
    heatmap(ax, values, x, y, values.shape[1] * cell, values.shape[0] * cell, limit)
    _numbers(ax, values, x, y, cell, digits, size, np.abs(values) > 0.55 * limit)


def grey_image_with_numbers(
    ax: Axes, picture: AnyArray, x: float, y: float, cell: float, digits: int = 2, size: float = 7
) -> None:
    """A part of a grey picture (h, w) 0..1 with every number printed on its grey."""
    grey_image(ax, picture, x, y, picture.shape[1] * cell)
    _numbers(ax, picture, x, y, cell, digits, size, picture < 0.5)


def _numbers(
    ax: Axes, values: AnyArray, x: float, y: float, cell: float, digits: int, size: float, on_dark: Mask
) -> None:
    height, width = values.shape
    for (row, column), value in np.ndenumerate(values):
        middle = (x + (column + 0.5) * cell, y + (row + 0.5) * cell)
        color = "white" if on_dark[row, column] else INK
        text(ax, *middle, number(value, digits), size, ha="center", va="center_baseline", color=color)
    frame(ax, x, y, width * cell, height * cell, MUTED, 0.6)


def frame(ax: Axes, x: float, y: float, width: float, height: float, color: str = INK, linewidth: float = 1.4) -> None:
    """The outline of a rectangle."""
    ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=color, linewidth=linewidth))


def bar(ax: Axes, x: float, y: float, length: float, height: float, color: str) -> None:
    """A bar from x to the right, or to the left if ``length`` is negative."""
    ax.add_patch(Rectangle((x + min(length, 0), y), abs(length), height, facecolor=color, edgecolor="none"))


def upright_bars(ax: Axes, values: AnyArray, x: float, y: float, width: float, scale: float) -> None:
    """An upright bar for each of the numbers (n,), ``scale`` inches per 1, above or below the zero line at ``y``."""
    step = min(width / max(len(values), 1), 0.3)
    for i, value in enumerate(values):
        drawn = Rectangle((x + (i + 0.1) * step, y), 0.8 * step, -value * scale)
        drawn.set(facecolor=POSITIVE if value > 0 else NEGATIVE, edgecolor="none")
        ax.add_patch(drawn)
    line(ax, (x, y), (x + width, y), MUTED)


def line(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str = FAINT, width: float = 0.7
) -> None:
    """A straight line."""
    ax.plot((start[0], end[0]), (start[1], end[1]), color=color, linewidth=width)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A thin arrow from ``start`` to ``end``."""
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0, color=MUTED, linewidth=1)
    )


def colorbar(ax: Axes, right: float, y: float, limit: float, signed: bool) -> None:
    """The colour code as a strip that ends at ``right``, with the numbers at its ends."""
    width, lowest = 1.3, -limit if signed else 0.0
    heatmap(ax, np.linspace(lowest, limit, 96)[None], right - width, y, width, 0.11, limit)
    text(ax, right - width, y + 0.15, number(lowest) if lowest else "0", 7, color=MUTED)
    text(ax, right, y + 0.15, number(limit), 7, color=MUTED, ha="right")


def _pixels(
    ax: Axes, values: AnyArray, x: float, y: float, width: float, height: float, cmap: Any, lowest: float = 0
) -> None:
    """Numbers (h, w) ``lowest``..1 as an image of h x w pixels: small in a file, sharp at any size."""
    image = AxesImage(ax, cmap=cmap, interpolation="none", origin="upper", extent=(x, x + width, y + height, y))
    image.set_data(values)
    image.set_clim(lowest, 1)
    ax.add_image(image)
