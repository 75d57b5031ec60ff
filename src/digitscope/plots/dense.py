"""Figures of what dense layers compute: one unit, the evidence for the answer, softmax.

All numbers come from ``digitscope.Lens``; only the sums and differences that are shown are computed here.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from digitscope.arraytypes import Doubles
from digitscope.errors import ConfigError
from digitscope.formatting import number, probability, scientific
from digitscope.models.layers import Cell, LayerView
from digitscope.models.lens import Lens
from digitscope.models.terms import Softmax, Terms, unflatten
from digitscope.plots.primitives import (
    MARGIN,
    NEGATIVE,
    POSITIVE,
    bar,
    heading,
    line,
    sheet,
    text,
    upright_bars,
)
from digitscope.plots.style import FAINT, INK, MUTED, style

TOP, STEP = 1.2, 0.24
"""Inches: where the pictures start, and from one line of a table to the next."""
SHOWN = 12
"""Products of a unit that are shown one by one."""
SUM = 5.75
"""Inches to the right end of the column that is added up."""


@style()
def dense_step(lens: Lens, name: str, unit: int | None = None, ax: Axes | None = None) -> Axes:
    """How one unit of a dense layer is computed: its largest products, the sum of the others, and the bias.

    Args:
        lens: one image in a network.
        name: of a dense layer.
        unit: its index; left out, the unit with the largest number.
        ax: where to draw.

    Raises:
        ConfigError: no such layer or unit, or the layer is not dense.
    """
    layer = lens.layer(name)
    if layer.kind != "dense":
        raise ConfigError(f"layer {name!r} is of kind {layer.kind}; give a dense layer")
    terms = lens.terms(name, int(layer.values.argmax()) if unit is None else unit)
    shown = terms.ranking[:SHOWN]
    rest = float(np.delete(terms.products, shown).sum())
    ends = np.cumsum([0, *terms.products[shown], rest, terms.bias])
    ax = sheet(11, TOP + 0.3 + STEP * (len(shown) + 5), ax)
    what = f"the sum for the answer {terms.cell[0]}" if layer.activation == "softmax" else f"unit {terms.cell[0]}"
    explanation = (
        f"Each of the {len(terms):,} numbers before it has its own weight. The {len(shown)} products that change the "
        "sum most come first; each bar starts where the last one ended."
    )
    heading(ax, f"{name}: how {what} is computed", explanation)
    base = TOP + 0.3
    _products(ax, lens, terms, base)
    last = _total(ax, terms, rest, base + STEP * len(shown))
    _waterfall(ax, ends, base)
    text(ax, MARGIN, last + 0.3, _after_the_sum(layer, terms), 8.5, va="baseline", color=MUTED)
    return ax


def _products(ax: Axes, lens: Lens, terms: Terms, base: float) -> None:
    """The largest products as a table: where from, number, weight, product."""
    for x, label in ((3.75, "number"), (4.7, "weight"), (SUM, "product")):
        text(ax, x, base - 0.24, label, 8, ha="right", va="baseline", color=MUTED)
    for index in terms.ranking[:SHOWN]:
        term = terms[int(index)]
        text(ax, MARGIN, base, _source_name(lens, terms.layer, term.source), 8.5, va="baseline")
        for x, value in ((3.75, term.value), (4.7, term.weight), (SUM, term.product)):
            text(ax, x, base, number(value, 3), 8.5, ha="right", va="baseline")
        for x, sign in ((3.87, "×"), (4.86, "=")):
            text(ax, x, base, sign, 8.5, ha="center", va="baseline", color=MUTED)
        base += STEP


def _total(ax: Axes, terms: Terms, rest: float, base: float) -> float:
    """The lines below the products: all others together, the bias and the sum; returns where the sum stands."""
    others = f"the other {len(terms) - len(terms.ranking[:SHOWN]):,} products add up to"
    for label, value in ((others, rest), ("bias", terms.bias)):
        text(ax, MARGIN, base, label, 8.5, va="baseline")
        text(ax, SUM, base, number(value, 3), 8.5, ha="right", va="baseline")
        base += STEP
    line(ax, (MARGIN, base - 0.16), (SUM, base - 0.16), INK)
    text(ax, MARGIN, base, "sum", 8.5, va="baseline", weight="bold")
    text(ax, SUM, base, number(terms.sum, 3), 8.5, ha="right", va="baseline", weight="bold")
    return base


def _waterfall(ax: Axes, ends: Doubles, base: float) -> None:
    """A bar from each running sum to the next, and one from zero to the last."""
    left, right = 6.55, 10.3
    scale = (right - left) / max(float(ends.max() - ends.min()), 1e-9)
    zero = left - float(ends.min()) * scale
    for start, end in pairwise(ends.tolist()):
        bar(ax, zero + start * scale, base - 0.115, (end - start) * scale, 0.15, POSITIVE if end > start else NEGATIVE)
        base += STEP
    bar(ax, zero, base - 0.115, float(ends[-1]) * scale, 0.15, INK)
    line(ax, (zero, TOP + 0.17), (zero, base + 0.05), MUTED)


def _after_the_sum(layer: LayerView, terms: Terms) -> str:
    """What the activation of a dense layer makes of a sum, and what the network stored."""
    if layer.activation == "softmax":
        result, stored = probability(terms.result), probability(terms.stored)
        return f"Softmax turns it into {result}; stored by the network: {stored}."
    start = f"ReLU gives {number(terms.result, 5)}; stored" if layer.activation == "relu" else "Stored"
    return f"{start} by the network: {number(terms.stored, 5)}."


def _source_name(lens: Lens, name: str, source: Cell) -> str:
    """The name of a cell in the layer before ``name``, as a person would give it."""
    before = lens.before(name)
    if before.kind != "flatten":
        return f"{before.name}, unit {source[0]}"
    maps = lens.before(before.name)
    if len(maps.shape) != 3:
        return f"{before.name}, number {source[0]}"
    row, column, channel = unflatten(maps.shape, source[0])
    return f"{maps.name}, map {channel}, row {row}, column {column}"


@style()
def evidence(lens: Lens, ax: Axes | None = None) -> Axes:
    """What each unit of the last hidden layer adds to the best digit, to the second best, and the difference."""
    last, before = lens.layers[-1], lens.layers[-2]
    best, second = lens.answer, lens.runner_up
    first, other = (lens.terms(last.name, digit) for digit in (best, second))
    difference = first.products - other.products
    order = np.argsort(-difference, kind="stable")
    order = order[before.values[order] != 0]
    ax = sheet(11, 6.5, ax)
    silent = len(before.values) - len(order)
    explanation = (
        f"Each of the {len(before.values)} units of {before.name} counts for (orange) or against (blue) a digit: its "
        f"number times its weight. {silent} are 0 for this picture and add nothing. The other {len(order)} are sorted "
        f"by how much more they add to {best} than to {second} (numbers are rounded)."
    )
    heading(ax, f"Why {best} and not {second}", explanation)
    _three_rows(
        ax,
        (f"for {best}", f"for {second}", f"for {best} rather than {second}"),
        [products[order] for products in (first.products, other.products, difference)],
        (first.bias, other.bias, first.bias - other.bias),
    )
    lead = first.sum - other.sum
    odds = math.exp(min(lead, 50.0))
    times = f"exp({number(lead, 4)}) ≈ {number(odds, 0 if odds > 100 else 1)} times"
    text(ax, 2.5, 6.2, f"A lead of {number(lead, 4)} makes {best} {times} as likely as {second}.", 8.5, va="baseline")
    return ax


def _three_rows(ax: Axes, labels: tuple[str, ...], rows: list[Doubles], biases: tuple[float, ...]) -> None:
    """Rows of upright bars on one scale, each with its label, the sum of its bars, its bias, and both together."""
    ups = [float(values.max(initial=0)) for values in rows]
    downs = [-float(values.min(initial=0)) for values in rows]
    scale = 3.7 / max(sum(ups) + sum(downs), 1e-9)
    y = 1.3
    for label, values, bias, up, down in zip(labels, rows, biases, ups, downs, strict=True):
        y += up * scale
        upright_bars(ax, values, 2.5, y, 8.15, scale)
        text(ax, MARGIN, y - 0.28, label, 9.5, weight="bold", va="baseline")
        total = float(values.sum())
        for i, (value, what) in enumerate(((total, "units"), (bias, "bias"), (total + bias, "sum"))):
            text(ax, MARGIN + 0.5, y - 0.08 + 0.17 * i, number(value, 3), 8.5, ha="right", va="baseline")
            text(ax, MARGIN + 0.6, y - 0.08 + 0.17 * i, what, 8.5, va="baseline", color=MUTED)
        y += down * scale + 0.4


@style()
def softmax(lens: Lens, ax: Axes | None = None) -> Axes:
    """How the ten sums of the last layer become ten probabilities."""
    steps = lens.softmax()
    ax = sheet(11, 5.2, ax)
    explanation = (
        "exp makes every sum positive and widens the lead of the largest; dividing by the total makes all ten add up "
        "to 1. The largest sum is subtracted first: that changes no probability, but keeps exp from getting too large."
    )
    heading(ax, "Softmax: from ten sums to ten probabilities", explanation)
    heads = (
        (MARGIN, "digit", "left"),
        (1.85, "sum", "right"),
        (4.75, f"exp(sum − {number(float(steps.logits.max()))})", "left"),
        (8.0, f"divided by the total, {number(steps.total, 4)}", "left"),
    )
    for x, head, ha in heads:
        text(ax, x, 1.48, head, 8.5, va="baseline", color=MUTED, ha=ha)
    lowest = min(float(steps.logits.min()), 0.0)
    scale = 2.0 / max(float(steps.logits.max()) - lowest, -lowest, 1e-9)
    zero = 2.0 - lowest * scale
    for digit in range(10):
        _softmax_line(ax, steps, digit, zero, scale, digit == lens.answer)
    line(ax, (zero, 1.6), (zero, 4.87), FAINT)
    return ax


def _softmax_line(ax: Axes, steps: Softmax, digit: int, zero: float, scale: float, bold: bool) -> None:
    """One digit's sum, exponential and probability, each as a number and a bar."""
    y = 1.62 + 0.33 * digit
    logit, exponential, share = (float(part[digit]) for part in (steps.logits, steps.exponentials, steps.probabilities))
    how: dict[str, Any] = {"va": "baseline", "weight": "bold" if bold else "normal"}
    text(ax, MARGIN + 0.15, y + 0.155, str(digit), 11, ha="center", **how)
    text(ax, 1.85, y + 0.15, number(logit), 8.5, ha="right", **how)
    bar(ax, zero, y, logit * scale, 0.2, POSITIVE if logit > 0 else NEGATIVE)
    text(ax, 4.75, y + 0.15, _small(exponential), 8.5, **how)
    bar(ax, 5.65, y, exponential * 1.85, 0.2, POSITIVE)
    text(ax, 8.0, y + 0.15, probability(share), 8.5, **how)
    bar(ax, 8.8, y, share * 1.85, 0.2, INK)


def _small(value: float) -> str:
    """A number 0..1 with four decimals, or as a power of ten where these would hide it."""
    return number(value, 4) if value >= 1e-3 or value == 0 else scientific(value)
