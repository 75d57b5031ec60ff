"""Figures that set networks or settings beside each other, with the spread between runs. Computes no result.

Each function draws on the axes it is given, or on new ones, and returns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from digitscope.errors import DataError
from digitscope.plots.style import (
    BLUE,
    CYCLE,
    DASHED,
    MUTED,
    grid_lines,
    new_axes,
    percent,
    style,
)

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


@style()
def sweep_points(
    series: Mapping[str, Sequence[tuple[int, str, Sequence[float]]]], limit: float | None = None, ax: Axes | None = None
) -> Axes:
    """The accuracies of a sweep over the number of parameters: a pale dot per training, mean and standard deviation.

    Args:
        series: a name for each line, and its points: parameters, a word for the point, the accuracy 0..1 of each seed.
        limit: accuracy 0..1 of a dashed line, one standard error below the best point.
        ax: where to draw.
    """
    if not 1 <= len(series) <= len(CYCLE):
        raise DataError(f"{len(series)} lines cannot be told apart in one figure; give 1 to {len(CYCLE)}")
    ax = new_axes(7.2, 4.4) if ax is None else ax
    ax.set_xscale("log")
    words_at = {parameters: word for points in series.values() for parameters, word, _ in points}
    few = _apart(sorted(words_at))
    for place, ((name, points), color, marker) in enumerate(zip(series.items(), CYCLE, MARKERS, strict=False)):
        aside = 1.04 ** (place - (len(series) - 1) / 2) if few else 1.0  # whiskers at one place stand side by side
        x = np.array([parameters * aside for parameters, _, _ in points])
        seeds = [np.asarray(accuracies, float) for *_, accuracies in points]
        means = np.array([accuracies.mean() for accuracies in seeds])
        spreads = np.array([accuracies.std(ddof=1) if len(accuracies) > 1 else 0.0 for accuracies in seeds])
        for at, accuracies in zip(x, seeds, strict=True):
            ax.plot([at / 1.015] * len(accuracies), accuracies, ".", color=color, alpha=0.4, markeredgewidth=0)
        ax.errorbar(
            x, means, yerr=spreads, color=color, marker=marker, capsize=3, elinewidth=1.2, linewidth=1.2, label=name
        )
        side = 1 if place % 2 == 0 else -1  # of the whisker's ends, so that the words of two lines keep apart
        for at, end, (_, word, _) in zip(x, means + side * spreads, points, strict=True):
            if not few:
                ax.annotate(word, (at, end), (0, 7 * side), textcoords="offset points",
                            fontsize=7, color=color, ha="center", va="center")  # fmt: skip
    if limit is not None:
        ax.axhline(limit, color=MUTED, linewidth=1, linestyle=DASHED, zorder=0)
        ax.annotate("one standard error below the best", (0, limit), (4, 3), xycoords=ax.get_yaxis_transform(),
                    textcoords="offset points", fontsize=7.5, color=MUTED)  # fmt: skip
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    if few:
        ax.set_xticks(list(words_at), [f"{word}\n{parameters:,}" for parameters, word in words_at.items()])
    ax.minorticks_off()
    ax.set(xlabel="parameters", ylabel="validation accuracy")
    ax.yaxis.set_major_formatter(percent)
    if len(series) > 1:
        columns = max(1, 100 // (8 + max(map(len, series))))
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)
    grid_lines(ax)
    return ax


def _apart(counts: Sequence[int]) -> bool:
    """Whether numbers, from small to large, leave room for a word below each on a logarithmic axis."""
    logs = np.log(counts)
    return len(counts) < 2 or bool(np.diff(logs).min() > 0.12 * (logs[-1] - logs[0]))
