"""What all figures share: the house style, new figures without pyplot, and writing them down. Draws no data itself.

Figures are built as plain ``matplotlib.figure.Figure`` objects: they need no display, are freed like any other
object, and leave matplotlib's settings as they were.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import matplotlib.style
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from digitscope.errors import ConfigError
from digitscope.files import atomic_path

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
"""Colours that people with every kind of colour vision tell apart.

Source: Okabe and Ito, "Color Universal Design", 2008.
"""

CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
"""The order in which a figure takes its colours."""

INK, MUTED, FAINT, GRID = "#222222", "#666666", "#B8B8B8", "#E6E6E6"
"""Greys: text, second-rank text, what should nearly vanish, grid lines."""

DASHED = (0, (4, 3))
"""The line of what is compared with, not measured."""

AnyFigure = Figure | SubFigure

STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "image.composite_image": False,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "savefig.dpi": 150,
    "svg.fonttype": "path",
    "svg.hashsalt": "digitscope",
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}
"""Settings of the house style, in force inside ``style`` only."""


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw in the house style until the block, or the function this decorates, ends."""
    with matplotlib.style.context(STYLE, after_reset=True):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, sides in inches, that keeps its labels inside."""
    return Figure(figsize=(width, height), layout="constrained")


def new_axes(width: float, height: float) -> Axes:
    """One axes that fills a new figure, sides in inches."""
    return new_figure(width, height).add_subplot()


def grid_lines(ax: Axes, axis: str = "y") -> None:
    """Light lines behind the data, and no tick marks where they start."""
    ax.grid(axis=axis)  # type: ignore[arg-type]
    ax.tick_params(axis=axis, length=0)  # type: ignore[arg-type]


def percent(part: float, _: float | None = None) -> str:
    """A tick's label on an axis of parts 0..1."""
    return f"{100 * part:.6g} %"


@style()
def save(drawn: AnyFigure | Axes, path: str | Path) -> Path:
    """Write a figure, whole or not at all; the same figure gives the same bytes.

    Args:
        drawn: what a figure function returned.
        path: ends in ``.svg``, or in ``.png`` for 150 dots per inch.

    Raises:
        ConfigError: another ending.
    """
    path = Path(path)
    if path.suffix not in (".svg", ".png"):
        raise ConfigError(f"a figure cannot be written as {path.name!r}; give a name that ends in .svg or .png")
    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    with atomic_path(path) as temporary:
        _finished(drawn).savefig(temporary, metadata=metadata)
    return path


@style()
def svg(drawn: AnyFigure | Axes, prefix: str, description: str = "") -> str:
    """The figure as an ``<svg>`` element to put into an HTML page.

    Text becomes outlines, so it looks the same where the font is missing.

    Args:
        drawn: what a figure function returned.
        prefix: letters and digits that start every id inside; another one for each figure of a page.
        description: what the figure shows, for people who hear the page instead of seeing it.

    Raises:
        ConfigError: ``prefix`` is no name.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", prefix):
        raise ConfigError(f"{prefix!r} cannot start an id; give a letter, then letters, digits, '-' or '_'")
    buffer = io.StringIO()
    _finished(drawn).savefig(buffer, format="svg", metadata={"Date": None})
    text = _compact(buffer.getvalue())
    named = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda id_: f' id="{prefix}-{id_[1]}"' if id_[1] in named else "", text)
    text = re.sub(r'(href="|url\()#', rf"\1#{prefix}-", text)
    label = f'role="img" aria-label="{escape(description)}"' if description else 'aria-hidden="true"'
    return text.replace("<svg ", f'<svg {label} style="stroke-linejoin:round;stroke-linecap:butt" ', 1)


def _compact(text: str) -> str:
    """An SVG file of matplotlib's as one element, without what a page does not need, to a hundredth of a point."""
    text = text[text.index("<svg ") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'<defs>\s*</defs>|<g( id="[^"]*")?/>|(?<=base64,)\s+', "", text)
    text = re.sub(
        r'(?: (?:d|x|y)="|translate\()[^")]*', lambda numbers: re.sub(r"\d+\.\d{3,}", _short, numbers[0]), text
    )
    text = re.sub(r'\s*\n\s*(?=[A-Za-z"])', " ", text)
    return re.sub(r">\s+<", "><", text).strip()


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _finished(drawn: AnyFigure | Axes) -> Figure:
    """The whole figure that something was drawn on, its parts put in their final places.

    They are fixed there: matplotlib would move them a little each time it draws, and no two files would be the same.
    """
    figure = drawn.figure
    while not isinstance(figure, Figure):
        figure = figure.figure
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return figure
