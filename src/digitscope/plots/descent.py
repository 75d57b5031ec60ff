"""The figure of gradient descent: the loss over two learned numbers as a map, and ways down. Computes no loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from digitscope.arraytypes import Doubles
from digitscope.plots.style import (
    BLUE,
    DASHED,
    FAINT,
    GREEN,
    INK,
    MUTED,
    PURPLE,
    SKY,
    VERMILION,
    AnyFigure,
    grid_lines,
    new_figure,
    panels,
    style,
)

LINES, DEEPEST = 9, 0.5
"""Lines of equal loss, and how much colour lies above the highest."""


class Path(NamedTuple):
    """A way down: its learning rate, its places float64 (steps + 1, 2), weight and bias, and the loss at each."""

    rate: float
    places: Doubles
    losses: Doubles


@dataclass(frozen=True, eq=False)
class Descent:
    """The loss over a weight and a bias, and ways down from one start.

    Attributes:
        unit: the weight belongs to this unit of the dense layer.
        digit: and to the sum for this digit, as the bias does.
        n: digits that the loss is a mean of.
        weights: float64 (w,) places of the surface from left to right.
        biases: float64 (b,) from bottom to top.
        losses: float64 (b, w).
        trained: where training left the weight and the bias.
        plain: gradient descent with a fitting learning rate.
        adam: Adam.
        small: gradient descent with a rate that is too small.
        large: and with one that is too large.
    """

    unit: int
    digit: int
    n: int
    weights: Doubles
    biases: Doubles
    losses: Doubles
    trained: tuple[float, float]
    plain: Path
    adam: Path
    small: Path
    large: Path


@style()
def gradient_descent(descent: Descent, figure: AnyFigure | None = None) -> AnyFigure:
    """On the left the loss as a map with two ways down, on the right the loss after each step of four ways."""
    figure = new_figure(9, 3.8) if figure is None else figure
    surface, course = panels(figure, 2)
    _draw_surface(surface, descent)
    _draw_course(course, descent)
    return figure


def _draw_surface(ax: Axes, descent: Descent) -> None:
    """Lines of equal loss, deeper in colour the higher they lie, and the two ways on them."""
    low, high = float(descent.losses.min()), float(descent.losses.max())
    levels = low + (high - low) * np.linspace(0, 1, LINES + 1) ** 2  # closer at the bottom, where it is flat
    tints = [to_rgba(SKY, alpha) for alpha in np.linspace(0, DEEPEST, LINES)]
    ax.contourf(descent.weights, descent.biases, descent.losses, levels=levels, colors=tints)
    ax.contour(descent.weights, descent.biases, descent.losses, levels=levels[1:-1], colors=FAINT, linewidths=0.8)
    for path, color, marker in ((descent.plain, VERMILION, "o"), (descent.adam, BLUE, "s")):
        ax.plot(*path.places.T, color=color, marker=marker, markersize=3.2, linewidth=1)
    start = descent.plain.places[0]
    ax.plot(*start, marker="D", color=INK, markersize=6)
    ax.annotate("start", start, (0, 7), textcoords="offset points", ha="center")
    ax.plot(*descent.trained, marker="X", color=INK, markersize=8, linestyle="none")
    ax.annotate("as trained", descent.trained, (0, -15), textcoords="offset points", ha="center")
    ax.set(xlim=(descent.weights[0], descent.weights[-1]), ylim=(descent.biases[0], descent.biases[-1]))
    ax.set(title="Loss over two numbers")
    ax.set(xlabel=f"weight of unit {descent.unit} for {descent.digit}", ylabel=f"bias of {descent.digit}")


def _draw_course(ax: Axes, descent: Descent) -> None:
    """The loss after each step; what shoots out of the top is cut off there."""
    ways = (
        (descent.small, GREEN, "rate too small", "dotted"),
        (descent.large, PURPLE, "rate too large", DASHED),
        (descent.plain, VERMILION, "rate just right", "solid"),
        (descent.adam, BLUE, "Adam", "solid"),
    )
    for path, color, label, line in ways:
        ax.plot(path.losses, color=color, label=label, linestyle=line)
    ax.set_ylim(0, 1.6 * float(descent.plain.losses[0]))
    ax.set(title="Loss after each step", xlabel="step", xlim=(0, len(descent.plain.losses) - 1))
    ax.axhline(float(descent.losses.min()), color=MUTED, linewidth=0.8, linestyle=DASHED)
    ax.legend(loc="upper right")
    grid_lines(ax)
