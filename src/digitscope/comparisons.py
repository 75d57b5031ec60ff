"""Figures that set networks or settings beside each other, with the spread between runs. Computes no result.

Each function draws on the axes it is given, or on new ones, and returns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from digitscope.canvas import BLUE, CYCLE, DASHED, MUTED, grid_lines, new_axes, percent, style
from digitscope.errors import DataError

MARKERS = "osD^vP"
"""One for each colour, so that lines are told apart without it."""


@style()
def comparison_bars(
    names: Sequence[str],
    means: npt.ArrayLike,
    deviations: npt.ArrayLike,
    ax: Axes | None = None,
    unit: str = "%",
    baseline: float | None = None,
) -> Axes:
    """Variants beside each other: a dot for the mean, a whisker of one standard deviation to each side.

    Args:
        names: of the variants, first on top.
        means: floats (n,) in ``unit``.
        deviations: floats (n,) in ``unit``, 0 where there is one run only.
        ax: where to draw.
        unit: of the axis.
        baseline: a value in ``unit`` to compare with, drawn as a dashed line.
    """
    middle, spread = _equally_long(names, means, deviations)
    ax = new_axes(6.4, 0.9 + 0.34 * len(names)) if ax is None else ax
    places = np.arange(len(names))
    if baseline is not None:
        ax.axvline(baseline, color=MUTED, linewidth=1, linestyle=DASHED)
    ax.errorbar(middle, places, xerr=spread, fmt="o", color=BLUE, capsize=3, elinewidth=1.2)
    ax.set_yticks(places, names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlabel(unit)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    for place, mean, deviation in zip(places, middle, spread, strict=True):
        text = f"{mean:.2f}" + (f" ± {deviation:.2f}" if deviation else "")
        ax.annotate(
            text, (1, place), (8, 0), xycoords=ax.get_yaxis_transform(), textcoords="offset points", va="center"
        )
    ax.spines.left.set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.08)
    grid_lines(ax, "both")
    return ax


@style()
def sweep(
    x: npt.ArrayLike,
    means: npt.ArrayLike,
    deviations: npt.ArrayLike,
    ax: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "",
) -> Axes:
    """What one setting does: a line through the means, whiskers of one standard deviation.

    Args:
        x: values of the setting, floats (n,), shown at equal distances if they double.
        means: floats (n,).
        deviations: floats (n,).
        ax: where to draw.
        xlabel: the setting's name.
        ylabel: what was measured, with its unit.
    """
    values = np.asarray(x, float)
    middle, spread = _equally_long(values, means, deviations)
    ax = new_axes(5.6, 3.2) if ax is None else ax
    ax.errorbar(values, middle, yerr=spread, marker="o", color=BLUE, capsize=3, elinewidth=1.2)
    if len(values) > 2 and values.min() > 0 and values.max() / values.min() >= 4:
        ax.set_xscale("log", base=2)
        ax.minorticks_off()
    ax.set_xticks(values, [f"{value:g}" for value in values])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    grid_lines(ax)
    return ax


@style()
def robustness(
    x: npt.ArrayLike, accuracies: Mapping[str, npt.ArrayLike], ax: Axes | None = None, xlabel: str = ""
) -> Axes:
    """How accuracy falls as the images are changed more and more, beside what guessing would give.

    Args:
        x: how much the images were changed, floats (n,).
        accuracies: a network's name and its accuracies, floats (n,) 0..1.
        ax: where to draw.
        xlabel: the change and its unit, e.g. ``"turned by degrees"``.
    """
    values = np.asarray(x, float)
    if len(accuracies) > len(CYCLE):
        raise DataError(f"{len(accuracies)} networks are more than the {len(CYCLE)} that one figure can tell apart")
    ax = new_axes(6, 3.4) if ax is None else ax
    for (name, accuracy), color, marker in zip(accuracies.items(), CYCLE, MARKERS, strict=False):
        (heights,) = _equally_long(values, accuracy)
        ax.plot(values, heights, marker=marker, color=color, label=name)
    ax.axhline(0.1, color=MUTED, linewidth=1, linestyle=DASHED)
    ax.annotate("guessing", (0, 0.1), (4, 3), xycoords=ax.get_yaxis_transform(), textcoords="offset points",
                fontsize=8, color=MUTED)  # fmt: skip
    ax.set(xlabel=xlabel, ylabel="accuracy", ylim=(0, 1.02))
    ax.yaxis.set_major_formatter(percent)
    ax.legend()
    grid_lines(ax)
    return ax


def _equally_long(first: Sequence[Any] | npt.NDArray[Any], *others: npt.ArrayLike) -> list[npt.NDArray[np.float64]]:
    """``others`` as floats (n,), where n is how many ``first`` has."""
    arrays = [np.asarray(values, float) for values in others]
    if not len(first) or any(array.shape != (len(first),) for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise DataError(f"{len(first)} entries came with values of shape {shapes}; expected as many, and at least one")
    return arrays
