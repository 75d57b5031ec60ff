"""Figures of how well a network reads digits that are not clean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from digitscope.formatting import percent
from digitscope.models.robustness import CorruptionScores, GeometryScores
from digitscope.plots.data import samples
from digitscope.plots.style import (
    BLUE,
    DASHED,
    MUTED,
    ORANGE,
    AnyFigure,
    grid_lines,
    new_axes,
    new_figure,
    percent_tick,
    style,
)
from digitscope.preprocessing.corruptions import corrupt

SAMPLE_COLUMNS = 8
"""Pictures in a row of the samples."""


@style()
def corruptions(scores: CorruptionScores, ax: Axes | None = None) -> Axes:
    """A bar for the accuracy under each corruption, the worst below; lines for the clean images and the mean."""
    ax = new_axes(7, 4.6) if ax is None else ax
    ordered = sorted(scores.accuracies.items(), key=lambda pair: -pair[1])
    names, shares = [name.replace("_", " ") for name, _ in ordered], [share for _, share in ordered]
    places = np.arange(len(names))
    ax.barh(places, shares, height=0.72, color=BLUE)
    ax.set_yticks(places, names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    for place, share in zip(places, shares, strict=True):
        ax.annotate(percent(share, 1), (1, place), (8, 0), xycoords=ax.get_yaxis_transform(),
                    textcoords="offset points", va="center", fontsize=8)  # fmt: skip
    for share, color, words in ((scores.mean, ORANGE, "mean"), (scores.clean, MUTED, "clean images")):
        ax.axvline(share, color=color, linewidth=1.2, linestyle=DASHED, label=f"{words}: {percent(share)}")
    ax.set(xlim=(0, 1), xlabel=f"right of {scores.n:,} images")
    ax.xaxis.set_major_formatter(percent_tick)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    ax.tick_params(axis="y", length=0)
    grid_lines(ax, "x")
    return ax


@style()
def corrupted(images: npt.ArrayLike, scores: CorruptionScores, figure: AnyFigure | None = None) -> AnyFigure:
    """The first image as it is and under each corruption, with the share of all that is read right under it.

    Args:
        images: uint8 (n, 28, 28) 0..255, those that were measured on.
        scores: what was measured.
        figure: where to draw.
    """
    first = np.asarray(images)[:1]
    shown = [first, *(corrupt(first, name, np.random.default_rng(scores.seed)) for name in scores.accuracies)]
    shares = {"clean": scores.clean, **scores.accuracies}
    captions = [f"{name.replace('_', ' ')}\n{percent(share, 1)}" for name, share in shares.items()]
    return samples(np.concatenate(shown), captions, len(shown), SAMPLE_COLUMNS, figure)


@style()
def geometry(scores: GeometryScores, figure: AnyFigure | None = None) -> AnyFigure:
    """Four curves: accuracy over rotation, shift, scale and stroke width; a dashed line for the clean images."""
    figure = new_figure(9, 5.6) if figure is None else figure
    for ax, (name, curve) in zip(np.ravel(figure.subplots(2, 2)), scores.curves.items(), strict=True):
        ax.axhline(scores.clean, color=MUTED, linewidth=1, linestyle=DASHED)
        ax.plot(curve.amounts, curve.accuracies, marker="o", color=BLUE)
        ax.set(title=name.capitalize(), xlabel=curve.unit, ylim=(0, 1.02))
        ax.yaxis.set_major_formatter(percent_tick)
        grid_lines(ax)
    return figure
