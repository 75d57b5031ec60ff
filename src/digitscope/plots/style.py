"""The style all figures share, new figures without pyplot, and saving them. Draws no data itself.

Figures are plain ``matplotlib.figure.Figure`` objects: they need no display, are freed like any other object, and
leave matplotlib's settings as they were.
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
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from digitscope.errors import ConfigError
from digitscope.files import atomic_path

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
"""Colours that can be told apart with any kind of colour vision.

Source: Okabe and Ito, "Color Universal Design", 2008.
"""

CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
"""The order in which a figure uses its colours."""

MARKERS = "osD^vP"
"""The marker that goes with each colour of ``CYCLE``, so that lines can be told apart without colour."""

INK, MUTED, FAINT, GRID = "#222222", "#666666", "#B8B8B8", "#E6E6E6"
"""Greys: text, secondary text, faint lines, grid lines."""

DASHED = (0, (4, 3))
"""The line style of a reference value, which is not a measurement."""

DIGITS = range(10)

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
    "text.parse_math": False,  # a name of a file may hold dollars
}
"""matplotlib settings of the shared style, in force inside ``style`` only."""


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw in the shared style inside this block, or inside the function this decorates."""
    with matplotlib.style.context(STYLE, after_reset=True):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, ``width`` x ``height`` inches, whose layout keeps labels inside it."""
    return Figure(figsize=(width, height), layout="constrained")


def new_axes(width: float, height: float) -> Axes:
    """One axes that fills a new figure of ``width`` x ``height`` inches."""
    return new_figure(width, height).add_subplot()


def grid_lines(ax: Axes, axis: str = "y") -> None:
    """Draw light grid lines behind the data and remove the tick marks of that axis."""
    ax.grid(axis=axis)  # type: ignore[arg-type]
    ax.tick_params(axis=axis, length=0)  # type: ignore[arg-type]


def panels(figure: AnyFigure, n: int) -> list[Axes]:
    """``n`` axes: side by side in a wide figure, one above the other in a high one."""
    rows, columns = (1, n) if figure.bbox.width >= figure.bbox.height else (n, 1)
    return list(np.ravel(figure.subplots(rows, columns)))


def percent_tick(share: float, _: float | None = None) -> str:
    """The label of a tick on an axis of shares 0..1, with as many decimals as it needs."""
    return f"{100 * share:.6g} %"


@style()
def save(drawn: AnyFigure | Axes, path: str | Path) -> Path:
    """Save a figure, whole or not at all; the same figure gives the same bytes.

    Args:
        drawn: what a figure function returned.
        path: ends in ``.svg``, or in ``.png`` for 150 dots per inch.

    Raises:
        ConfigError: the path ends otherwise.
        OSError: the file cannot be written.
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
    """The figure as an ``<svg>`` element for an HTML page.

    Text stays text, so that it can be read aloud, found and copied, in whichever font the page has.

    Args:
        drawn: what a figure function returned.
        prefix: starts every id inside, so it must differ between the figures of a page; a letter, then letters,
            digits, '-' or '_'.
        description: what the figure shows, for screen readers; left out, they skip the figure.

    Raises:
        ConfigError: ``prefix`` has another form.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", prefix):
        raise ConfigError(f"{prefix!r} cannot start an id; give a letter, then letters, digits, '-' or '_'")
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        _finished(drawn).savefig(buffer, format="svg", metadata={"Date": None})
    text = _compact(buffer.getvalue())
    named = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda id_: f' id="{prefix}-{id_[1]}"' if id_[1] in named else "", text)
    text = re.sub(r'(href="|url\()#', rf"\1#{prefix}-", text)
    label = f'role="img" aria-label="{escape(description)}"' if description else 'aria-hidden="true"'
    return text.replace("<svg ", f'<svg {label} style="stroke-linejoin:round;stroke-linecap:butt" ', 1)


def _compact(text: str) -> str:
    """The ``<svg>`` element of matplotlib's file without what a page does not need, rounded to 0.01 point."""
    text = text[text.index("<svg ") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'<defs>\s*</defs>|<g( id="[^"]*")?/>|(?<=base64,)\s+', "", text)
    text = re.sub(
        r'(?: (?:d|x|y)="|translate\()[^")]*', lambda numbers: re.sub(r"\d+\.\d{3,}", _rounded, numbers[0]), text
    )
    text = re.sub(r'\s*\n\s*(?=[A-Za-z"])', " ", text)
    return re.sub(r">\s+<", "><", text).strip()


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _finished(drawn: AnyFigure | Axes) -> Figure:
    """The whole figure that something was drawn on, with its layout computed and then fixed.

    Otherwise matplotlib would move the parts a little each time it draws, and no two files would be the same.
    """
    figure = drawn.figure
    while not isinstance(figure, Figure):
        figure = figure.figure
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return figure
