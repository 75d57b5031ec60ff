"""The small parts that pictures of a network are put together from: maps, number grids, words, arrows. Knows no layers.

Everything is drawn on a page measured in inches, y downwards, so that parts line up and print at their true size.
One colour code throughout: white is zero, orange positive, blue negative, darker further from zero.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import FancyArrowPatch, Rectangle

from digitscope.arraytypes import AnyArray
from digitscope.plots.style import FAINT, INK, MUTED

STOPS = (0, 0.08, 0.25, 0.5, 0.75, 1)
ORANGES = ("#FFFFFF", "#FEE0B6", "#FDB863", "#E08214", "#B35806", "#7F3B08")
BLUES = ("#FFFFFF", "#D1E5F0", "#92C5DE", "#4393C3", "#2166AC", "#053061")
SIGNED = LinearSegmentedColormap.from_list(
    "signed",
    [((1 - at) / 2, blue) for at, blue in zip(STOPS[:0:-1], BLUES[:0:-1], strict=True)]
    + [((1 + at) / 2, orange) for at, orange in zip(STOPS, ORANGES, strict=True)],
    N=511,
)
"""Blue below zero, white at zero, orange above; small values are lifted, so that they can be seen beside large ones.

Source of the colours: the halves of ColorBrewer's RdBu and PuOr.
"""

POSITIVE, NEGATIVE = ORANGES[3], BLUES[3]
"""Bars above and below zero."""

MARGIN, LEFT, WIDTH = 0.35, 3.05, 7.6
"""Inches on a ``lesson``: where the words start, where the picture beside them starts, and how wide it may be."""
WRAP, LINE = 40, 0.158
"""Letters in a line of a lesson's words, and inches from line to line."""


def page(width: float, height: float, ax: Axes | None = None) -> Axes:
    """An axes without frame whose units are inches, (0, 0) at the top left."""
    if ax is None:
        ax = Figure(figsize=(width, height)).add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.set_axis_off()
    return ax


def lesson(title: str, text: str, bottom: float, top: float = 0.85, ax: Axes | None = None) -> Axes:
    """A page of 11 inches with a title and, down the left side from ``top``, the words that explain what stands beside.

    Args:
        title: one line.
        text: plain words; an empty line parts paragraphs.
        bottom: where the picture beside the words ends; the page is high enough for both.
        top: where the words begin.
        ax: where to draw.
    """
    text = "\n".join(wrapped(part, WRAP) for part in text.split("\n"))
    ax = page(11, max(bottom, top + LINE * (1 + text.count("\n"))) + 0.3, ax)
    words(ax, MARGIN, 0.28, title, 14, weight="bold")
    words(ax, MARGIN, top, text, 8.5)
    return ax


def heading(ax: Axes, title: str, text: str) -> None:
    """A title over the whole width of a page and, below it, up to two lines of explanation."""
    words(ax, MARGIN, 0.28, title, 14, weight="bold")
    words(ax, MARGIN, 0.68, wrapped(text, 156), 8.5)


def wrapped(text: str, letters: int) -> str:
    """Text in lines of at most so many letters, never broken at a times or an equals sign."""
    return textwrap.fill(re.sub(r" ([×·=]) ", "\u00a0\\1\u00a0", text), letters, break_long_words=False)


def inset(ax: Axes, x: float, y: float, width: float, height: float) -> Axes:
    """A part of a page as an axes of its own, its top left at (x, y)."""
    right, bottom = ax.get_xlim()[1], ax.get_ylim()[0]
    return ax.inset_axes((x / right, 1 - (y + height) / bottom, width / right, height / bottom))


def words(ax: Axes, x: float, y: float, text: str, size: float = 8, **more: Any) -> None:
    """Text with its top left, or what ``ha`` and ``va`` say, at (x, y)."""
    settings: dict[str, Any] = {"ha": "left", "va": "top", "color": INK, "linespacing": 1.3, "parse_math": False}
    ax.text(x, y, text, fontsize=size, **settings | more)


def number(value: float, digits: int = 2) -> str:
    """A value with ``digits`` decimals, a true minus sign, and no minus before zero.

    >>> number(-0.126), number(-0.001)
    ('−0.13', '0.00')
    """
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text.replace("-", "−")


def small(value: float) -> str:
    """A number from 0 to 1 with four decimals, or as a power of ten where these would hide it.

    >>> small(0.25), small(0.0000217)
    ('0.2500', '2.2 · 10⁻⁵')
    """
    if value >= 1e-3 or value == 0:
        return number(value, 4)
    digits, _, power = f"{value:.1e}".partition("e-")
    return f"{digits} · 10⁻{power.lstrip('0').translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def percent(share: float) -> str:
    """A share of 1 in percent, never rounded to none or all.

    >>> percent(0.5), percent(1e-9), percent(0.999999)
    ('50.00 %', '< 0.01 %', '> 99.99 %')
    """
    if 0 < share < 5e-5:
        return "< 0.01 %"
    return "> 99.99 %" if 0.99995 <= share < 1 else f"{share:.2%}".replace("%", " %")


def grey(ax: Axes, picture: AnyArray, x: float, y: float, width: float) -> None:
    """A picture (h, w) 0..1 as its bytes say: 0 is black, 1 white."""
    _place(ax, picture, x, y, width, width * picture.shape[0] / picture.shape[1], cmap="gray")


def block(ax: Axes, values: AnyArray, x: float, y: float, width: float, height: float, limit: float) -> None:
    """Numbers (h, w) as colours in a thin frame; ``limit`` is where the colour is darkest."""
    limit = limit or 1
    _place(ax, values / limit, x, y, width, height, cmap=SIGNED, lowest=-1)
    frame(ax, x, y, width, height, FAINT, 0.5)


def tiles(
    ax: Axes, maps: AnyArray, x: float, y: float, scale: float, columns: int, gap: tuple[float, float], limits: AnyArray
) -> npt.NDArray[np.float64]:
    """Many small maps side by side.

    Args:
        ax: a page.
        maps: (n, h, w) numbers.
        x: left end.
        y: top.
        scale: inches per cell of a map.
        columns: tiles in a row.
        gap: inches between two tiles, to the right and down.
        limits: (n,) where each map's colour is darkest.

    Returns:
        float64 (n, 2): x and y of every tile's top left.
    """
    count, height, width = maps.shape
    column, row = np.arange(count) % columns, np.arange(count) // columns
    places = np.column_stack((x + column * (width * scale + gap[0]), y + row * (height * scale + gap[1])))
    shares = maps / np.where(limits > 0, limits, 1)[:, None, None]
    for share, (left, top) in zip(shares, places, strict=True):
        _place(ax, share, left, top, width * scale, height * scale, cmap=SIGNED, lowest=-1)
    frames = [Rectangle((left, top), width * scale, height * scale) for left, top in places]
    ax.add_collection(PatchCollection(frames, facecolor="none", edgecolor=FAINT, linewidth=0.5))
    return places


def number_grid(
    ax: Axes, values: AnyArray, x: float, y: float, cell: float, limit: float, digits: int = 2, size: float = 7
) -> None:
    """A matrix (h, w) with every number printed on its colour, cells ``cell`` inches wide and high."""
    block(ax, values, x, y, values.shape[1] * cell, values.shape[0] * cell, limit)
    _numbers(ax, values, x, y, cell, digits, size, np.abs(values) > 0.55 * limit)


def grey_grid(ax: Axes, picture: AnyArray, x: float, y: float, cell: float, digits: int = 2, size: float = 7) -> None:
    """A part of a picture (h, w) 0..1 with every number printed on its grey."""
    grey(ax, picture, x, y, picture.shape[1] * cell)
    _numbers(ax, picture, x, y, cell, digits, size, picture < 0.5)


def _numbers(
    ax: Axes,
    values: AnyArray,
    x: float,
    y: float,
    cell: float,
    digits: int,
    size: float,
    on_dark: npt.NDArray[np.bool_],
) -> None:
    height, width = values.shape
    for (row, column), value in np.ndenumerate(values):
        middle = (x + (column + 0.5) * cell, y + (row + 0.5) * cell)
        color = "white" if on_dark[row, column] else INK
        words(ax, *middle, number(value, digits), size, ha="center", va="center_baseline", color=color)
    frame(ax, x, y, width * cell, height * cell, MUTED, 0.6)


def frame(ax: Axes, x: float, y: float, width: float, height: float, color: str = INK, linewidth: float = 1.4) -> None:
    """The outline of a rectangle."""
    ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=color, linewidth=linewidth))


def bar(ax: Axes, x: float, y: float, length: float, height: float, color: str) -> None:
    """A bar from x to the right, or to the left if ``length`` is negative."""
    ax.add_patch(Rectangle((x + min(length, 0), y), abs(length), height, facecolor=color, edgecolor="none"))


def columns_of(ax: Axes, values: AnyArray, x: float, y: float, width: float, scale: float) -> None:
    """Upright bars for numbers (n,), ``scale`` inches per 1, around the zero line at ``y``."""
    step = min(width / max(len(values), 1), 0.3)
    for i, value in enumerate(values):
        bars = Rectangle((x + (i + 0.1) * step, y), 0.8 * step, -value * scale)
        bars.set(facecolor=POSITIVE if value > 0 else NEGATIVE, edgecolor="none")
        ax.add_patch(bars)
    line(ax, (x, y), (x + width, y), MUTED)


def line(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str = FAINT, width: float = 0.7
) -> None:
    """A straight line."""
    ax.plot((start[0], end[0]), (start[1], end[1]), color=color, linewidth=width)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], bend: float = 0) -> None:
    """A thin arrow from ``start`` to ``end``; ``bend`` bows it."""
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0, color=MUTED, linewidth=1,
            connectionstyle=f"arc3,rad={bend}",
        )
    )  # fmt: skip


def key(ax: Axes, right: float, y: float, limit: float, signed: bool = False, width: float = 1.3) -> None:
    """The colour code as a strip that ends at ``right``, with the numbers at its ends."""
    lowest = -limit if signed else 0.0
    block(ax, np.linspace(lowest, limit, 96)[None], right - width, y, width, 0.11, limit)
    words(ax, right - width, y + 0.15, number(lowest) if lowest else "0", 7, color=MUTED)
    words(ax, right, y + 0.15, number(limit), 7, color=MUTED, ha="right")


def _place(
    ax: Axes, values: AnyArray, x: float, y: float, width: float, height: float, cmap: Any, lowest: float = 0
) -> None:
    """Numbers (h, w) ``lowest``..1 as an image of just as many pixels: small in a file, sharp at any size."""
    image = AxesImage(ax, cmap=cmap, interpolation="none", origin="upper", extent=(x, x + width, y + height, y))
    image.set_data(values)
    image.set_clim(lowest, 1)
    ax.add_image(image)
