"""Figures of several runs with the spread between them: variants, a setting, a sweep, robustness.

Each function draws on the axes it is given, or on new ones, and returns them. Two models are set beside each other,
image by image, in ``plots.comparison``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from digitscope.arraytypes import AnyArray, Doubles
from digitscope.errors import DataError
from digitscope.formatting import number
from digitscope.plots.style import (
    BLUE,
    CYCLE,
    DASHED,
    MARKERS,
    MUTED,
    grid_lines,
    new_axes,
    percent_tick,
    style,
)

Point = tuple[int, str, Sequence[float]]
"""A point of a sweep: the number of parameters, a label, the accuracy 0..1 of each run."""


@style()
def comparison_bars(
    names: Sequence[str],
    means: npt.ArrayLike,
    deviations: npt.ArrayLike,
    ax: Axes | None = None,
    unit: str = "%",
    baseline: float | None = None,
) -> Axes:
    """Variants below each other: a dot for the mean, whiskers of one standard deviation.

    Args:
        names: of the variants, from top to bottom.
        means: floats (n,) in ``unit``.
        deviations: floats (n,) in ``unit``, 0 where there is only one run.
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
        text = number(mean) + (f" ± {number(deviation)}" if deviation else "")
        ax.annotate(
            text, (1, place), (8, 0), xycoords=ax.get_yaxis_transform(), textcoords="offset points", va="center"
        )
    ax.spines.left.set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.08)
    grid_lines(ax, "both")
    return ax


@style()
def sweep_line(
    x: npt.ArrayLike,
    means: npt.ArrayLike,
    deviations: npt.ArrayLike,
    ax: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "",
) -> Axes:
    """The effect of one setting: a line through the means, whiskers of one standard deviation.

    Args:
        x: values of the setting, floats (n,); positive values that span a factor of 4 or more get a logarithmic axis.
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
    """How accuracy falls as the images are changed more and more; a dashed line shows what guessing gives.

    Args:
        x: how much the images were changed, floats (n,).
        accuracies: the name of each network and its accuracies, floats (n,) 0..1.
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
    ax.annotate("guessing", (0, 0.1), (4, -3), xycoords=ax.get_yaxis_transform(), textcoords="offset points",
                va="top", fontsize=8, color=MUTED)  # fmt: skip
    ax.set(xlabel=xlabel, ylabel="accuracy", ylim=(0, 1.02))
    ax.yaxis.set_major_formatter(percent_tick)
    ax.legend()
    grid_lines(ax)
    return ax


@style()
def sweep_points(series: Mapping[str, Sequence[Point]], limit: float | None = None, ax: Axes | None = None) -> Axes:
    """The accuracies of a sweep over the number of parameters: a pale dot per run, mean and standard deviation.

    Args:
        series: the name of each line, and its points.
        limit: accuracy 0..1 of a dashed line, one standard error below the best point.
        ax: where to draw.
    """
    if not 1 <= len(series) <= len(CYCLE):
        raise DataError(f"{len(series)} lines cannot be told apart in one figure; give 1 to {len(CYCLE)}")
    ax = new_axes(7.2, 4.4) if ax is None else ax
    ax.set_xscale("log")
    labels = {parameters: label for points in series.values() for parameters, label, _ in points}
    at_axis = _fit_below_axis(sorted(labels))
    for place, (name, points) in enumerate(series.items()):
        aside = 1.04 ** (place - (len(series) - 1) / 2) if at_axis else 1.0  # whiskers at one place stand side by side
        _sweep_series(ax, name, points, place, aside, labelled=not at_axis)
    if limit is not None:
        ax.axhline(limit, color=MUTED, linewidth=1, linestyle=DASHED, zorder=0)
        ax.annotate("one standard error below the best", (0, limit), (4, 3), xycoords=ax.get_yaxis_transform(),
                    textcoords="offset points", fontsize=7.5, color=MUTED)  # fmt: skip
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    if at_axis:
        ax.set_xticks(list(labels), [f"{label}\n{parameters:,}" for parameters, label in labels.items()])
    ax.minorticks_off()
    ax.set(xlabel="parameters", ylabel="validation accuracy")
    ax.yaxis.set_major_formatter(percent_tick)
    if len(series) > 1:
        columns = max(1, 100 // (8 + max(map(len, series))))
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)
    grid_lines(ax)
    return ax


def _sweep_series(ax: Axes, name: str, points: Sequence[Point], place: int, aside: float, labelled: bool) -> None:
    """One line of a sweep.

    Args:
        ax: with a logarithmic x axis.
        name: of the line.
        points: of the line.
        place: index of the line, which chooses colour and marker.
        aside: factor that moves the line sideways.
        labelled: write each point's label beside its whisker.
    """
    color, marker = CYCLE[place], MARKERS[place]
    x = np.array([parameters * aside for parameters, _, _ in points])
    runs = [np.asarray(accuracies, float) for *_, accuracies in points]
    means = np.array([accuracies.mean() for accuracies in runs])
    spreads = np.array([accuracies.std(ddof=1) if len(accuracies) > 1 else 0.0 for accuracies in runs])
    for at, accuracies in zip(x, runs, strict=True):
        ax.plot([at / 1.015] * len(accuracies), accuracies, ".", color=color, alpha=0.4, markeredgewidth=0)
    ax.errorbar(
        x, means, yerr=spreads, color=color, marker=marker, capsize=3, elinewidth=1.2, linewidth=1.2, label=name
    )
    if not labelled:
        return
    side = 1 if place % 2 == 0 else -1  # above or below the whiskers, so that the labels of two lines keep apart
    for at, end, (_, label, _) in zip(x, means + side * spreads, points, strict=True):
        ax.annotate(label, (at, end), (0, 7 * side), textcoords="offset points",
                    fontsize=7, color=color, ha="center", va="center")  # fmt: skip


def _fit_below_axis(counts: Sequence[int]) -> bool:
    """Whether numbers in ascending order leave room for a label below each on a logarithmic axis."""
    logs = np.log(counts)
    return len(counts) < 2 or bool(np.diff(logs).min() > 0.12 * (logs[-1] - logs[0]))


def _equally_long(first: Sequence[str] | AnyArray, *others: npt.ArrayLike) -> list[Doubles]:
    """``others`` as floats (n,), where n is the length of ``first``."""
    arrays = [np.asarray(values, float) for values in others]
    if not len(first) or any(array.shape != (len(first),) for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise DataError(f"{len(first)} entries came with values of shape {shapes}; expected as many, and at least one")
    return arrays
