"""Figures that explain one idea each: activation functions, cross-entropy, one-hot labels, softmax, pooling.

They need no trained network. A network's inside is drawn by ``plots.feature_maps``, its results by ``plots.results``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from digitscope.arraytypes import Doubles
from digitscope.errors import ConfigError, DataError
from digitscope.formatting import number, probability, scientific
from digitscope.plots.style import (
    BLUE,
    DIGITS,
    FAINT,
    INK,
    MUTED,
    SKY,
    VERMILION,
    AnyFigure,
    grid_lines,
    new_axes,
    new_figure,
    panels,
    percent_tick,
    style,
)

TINTS = ("#C3E4F6", "#F6DDA6", "#A8DDCC", "#EED1E0")
"""The colours of neighbouring pooling windows."""


@style()
def activation_functions(figure: AnyFigure | None = None) -> AnyFigure:
    """ReLU and sigmoid on the left, their slopes on the right: where a slope is nearly 0, a network hardly learns."""
    figure = new_figure(9, 3.4) if figure is None else figure
    x = np.linspace(-6, 6, 481)
    sigmoid = 1 / (1 + np.exp(-x))
    curves, slopes = panels(figure, 2)
    curves.plot(x, np.maximum(x, 0), color=BLUE, label="ReLU: max(0, x)")
    curves.plot(x, sigmoid, color=VERMILION, label="sigmoid: 1 / (1 + exp(−x))")
    curves.set(title="Activation function", ylim=(-0.2, 4), xlabel="x")
    slopes.plot([-6, 0], [0, 0], color=BLUE)
    slopes.plot([0, 6], [1, 1], color=BLUE)
    slopes.plot([0, 0], [0, 1], color=BLUE, linewidth=0.8, linestyle=":")
    slopes.plot(x, sigmoid * (1 - sigmoid), color=VERMILION)
    slopes.set(title="Its slope, which training multiplies by", ylim=(-0.05, 1.25), xlabel="x")
    slopes.text(3, 1.04, "1 wherever x > 0", color=BLUE, ha="center", va="bottom")
    slopes.text(0.4, 0.26, "never above 0.25", color=VERMILION, va="bottom")
    slopes.text(5.9, 0.035, "nearly 0 far out", color=VERMILION, ha="right", va="bottom")
    curves.legend(loc="upper left")
    for ax in (curves, slopes):
        ax.set_xlim(-6, 6)
        grid_lines(ax, "both")
    return figure


@style()
def cross_entropy(ax: Axes | None = None) -> Axes:
    """The loss of an answer: -ln p, where p is the probability that the network gave the right digit."""
    ax = new_axes(5.6, 3.4) if ax is None else ax
    p = np.geomspace(0.004, 1, 400)
    ax.plot(p, -np.log(p), color=BLUE)
    for value, offset in ((0.01, (8, 4)), (0.1, (8, 4)), (0.5, (8, 4)), (0.9, (-4, 16)), (0.99, (-4, 32))):
        loss = -np.log(value)
        ax.plot(value, loss, "o", color=VERMILION, clip_on=False)
        ax.annotate(
            f"{probability(value, 0)}: {loss:.2f}",
            (value, loss),
            offset,
            textcoords="offset points",
            ha="left" if offset[0] > 0 else "center",
            arrowprops={"arrowstyle": "-", "color": FAINT, "shrinkB": 4},
        )
    ax.set(xlim=(0, 1), ylim=(0, 5), xlabel="probability p of the right digit", ylabel="loss = −ln p")
    ax.xaxis.set_major_formatter(percent_tick)
    ax.set_title("Cross-entropy: confident mistakes cost most")
    grid_lines(ax)
    return ax


@style()
def one_hot(label: int, ax: Axes | None = None) -> Axes:
    """A label as ten numbers: 1 at the digit, 0 everywhere else.

    Args:
        label: 0..9.
        ax: where to draw.
    """
    _check_digit(label)
    ax = new_axes(6, 1.15) if ax is None else ax
    for digit in DIGITS:
        fill, ink, text = (BLUE, "white", INK) if digit == label else ("white", MUTED, MUTED)
        ax.add_patch(Rectangle((digit - 0.5, 0), 1, 1, facecolor=fill, edgecolor=MUTED, linewidth=0.8))
        ax.text(digit, 0.48, str(int(digit == label)), ha="center", va="center", fontsize=13, color=ink)
        ax.text(digit, 1.22, str(digit), ha="center", fontsize=9, color=text)
    ax.set(xlim=(-1.9, 9.6), ylim=(-0.1, 1.7), aspect="equal")
    ax.text(-0.75, 1.22, "digit", ha="right", fontsize=9, color=MUTED)
    ax.text(-0.75, 0.48, "label", ha="right", va="center", fontsize=9, color=MUTED)
    ax.set_axis_off()
    return ax


@style()
def softmax_steps(logits: npt.ArrayLike, figure: AnyFigure | None = None) -> AnyFigure:
    """How softmax turns ten numbers into ten probabilities: e to the power of each, then divided by their sum.

    Args:
        logits: floats (10,), the sums of the last layer before softmax.
        figure: where to draw.
    """
    z = np.asarray(logits, float)
    if z.shape != (10,) or not (np.abs(z) < 500).all():
        raise DataError(f"logits are {z.tolist()}; expected ten numbers between -500 and 500")
    powers = np.exp(z)
    parts = powers / powers.sum()
    steps = (
        ("1. The ten sums z", z, [number(value) for value in z]),
        ("2. e$^{z}$: all are positive", powers, [_short(value) for value in powers.tolist()]),
        (f"3. Divided by their sum, {_short(float(powers.sum()))}", parts, [probability(part) for part in parts]),
    )
    figure = new_figure(9, 3.4) if figure is None else figure
    for ax, (title, values, texts) in zip(figure.subplots(1, 3, sharey=True), steps, strict=True):
        bars = ax.barh(DIGITS, values, height=0.7, color=[BLUE if digit == z.argmax() else SKY for digit in DIGITS])
        ax.bar_label(bars, texts, padding=3, fontsize=8)
        ax.axvline(0, color=MUTED, linewidth=0.8)
        ax.set_title(title, parse_math=True)
        ax.margins(x=0.3)
        ax.xaxis.set_major_locator(NullLocator())
        ax.spines[:].set_visible(False)
        ax.set_yticks(DIGITS)
        ax.set_ylim(9.6, -0.6)
        ax.tick_params(axis="y", length=0)
    return figure


@style()
def pooling_example(values: npt.ArrayLike, figure: AnyFigure | None = None) -> AnyFigure:
    """The same numbers after max and after average pooling, in windows of 2x2; each window has one colour.

    Args:
        values: floats (h, w) with h and w even, e.g. 4x4.
        figure: where to draw.
    """
    patch = np.asarray(values, float)
    if patch.ndim != 2 or patch.size == 0 or patch.shape[0] % 2 or patch.shape[1] % 2:
        raise DataError(f"the patch is {patch.shape}; expected two even sides, e.g. (4, 4)")
    windows = patch.reshape(patch.shape[0] // 2, 2, patch.shape[1] // 2, 2)
    figure = new_figure(8, 0.5 + 2.5 * patch.shape[0] / patch.shape[1]) if figure is None else figure
    axes = figure.subplots(1, 3)
    _cells(axes[0], patch, 2, "Feature map")
    _cells(axes[1], windows.max(axis=(1, 3)), 1, "Max pooling: the largest")
    _cells(axes[2], windows.mean(axis=(1, 3)), 1, "Average pooling: the mean")
    return figure


def _cells(ax: Axes, values: Doubles, window: int, title: str) -> None:
    """A table of numbers on the colours of the windows they belong to; each window is two units wide."""
    height, width = values.shape
    side = 2 / window
    for (row, column), value in np.ndenumerate(values):
        color = TINTS[row // window % 2 * 2 + column // window % 2]
        corner = (column * side, row * side)
        ax.add_patch(Rectangle(corner, side, side, facecolor=color, edgecolor="white", linewidth=2))
        ax.text(corner[0] + side / 2, corner[1] + side / 2, f"{value:.2f}", ha="center", va="center", fontsize=10)
    ax.set(xlim=(0, width * side), ylim=(height * side, 0), aspect="equal", title=title)
    ax.set_axis_off()


def _check_digit(label: int) -> None:
    if label not in DIGITS:
        raise ConfigError(f"{label!r} is not a digit; give 0 to 9")


def _short(value: float) -> str:
    """A positive number of any size in few characters: 0.00340, 12.2, 16,318, 3.2·10⁹."""
    if 0.001 <= value < 1000:
        return f"{value:#.3g}".rstrip(".")
    return number(value, 0) if 1000 <= value < 1e6 else scientific(value)
