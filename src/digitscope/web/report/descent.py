"""Facts about gradient descent: the loss over two numbers of the finished network, and the way down from a bad start.

Everything but one weight and one bias of the last layer stays as training left it, so the loss is that of the real
network on real digits, and its slopes follow from answer minus label. The network itself is not changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from digitscope.arraytypes import Doubles, Integers
from digitscope.models.inputs import network_input
from digitscope.plots.descent import Descent, Path
from digitscope.web.report.cells import DenseFacts
from digitscope.web.report.record import Record

DIGITS = 1000
"""Training digits that the loss is a mean of: enough for a smooth surface, few enough for a fraction of a second."""

STEPS = 40
"""Steps of each way down: with fewer, Adam has not come to rest; more would only crowd the picture."""

RISE = 0.35
"""How much the loss rises if either number alone is moved from the lowest point to where the ways start."""

CELLS, MARGIN = 41, 1.4
"""Places of the surface from side to side, and how far it reaches: so many times from the lowest point to the start."""

TOO_SMALL, FASTEST = 0.1, 2.0**20
"""A learning rate that is too small, and the largest that is tried, as multiples of the right one. That is the inverse
of the curvature at the start; more than twice as much would overshoot if the curvature were the same all the way.

Source: LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998.
"""

REACH = 10
"""Adam's learning rate is this part of the way from the start to the lowest point: it should arrive in a few dozen
steps."""

EPSILON, NEWTON = 1e-7, 50
"""Keras' own epsilon for Adam, and the most steps of Newton's method to the lowest point."""


@dataclass(frozen=True, eq=False)
class Valley:
    """The mean loss over n digits as a function of one weight and one bias of the last layer.

    Attributes:
        sums: float64 (n,) the sum for the digit whose weight and bias they are, without either.
        units: float64 (n,) what the weight is multiplied by.
        rest: float64 (n,) logarithm of the other nine powers of e added up.
        wanted: bool (n,) whether the digit is the label.
        fixed: mean sum of the label where it is another digit.
    """

    sums: Doubles
    units: Doubles
    rest: Doubles
    wanted: np.typing.NDArray[np.bool_]
    fixed: float

    def loss(self, weight: Doubles, bias: Doubles) -> Doubles:
        """The mean loss at each weight and bias, all of one shape."""
        sums = self.sums + weight[..., None] * self.units + bias[..., None]
        own = np.where(self.wanted, sums, 0).mean(axis=-1)
        return np.asarray(np.logaddexp(self.rest, sums).mean(axis=-1) - own - self.fixed)

    def slopes(self, place: Doubles) -> Doubles:
        """The gradient (2,) at a weight and bias: the mean of answer minus label, times what each is multiplied by."""
        wrong = self._shares(place) - self.wanted
        return np.array([(wrong * self.units).mean(), wrong.mean()])

    def curvature(self, place: Doubles) -> Doubles:
        """How fast the slopes change, (2, 2)."""
        bend = self._shares(place)
        bend = bend * (1 - bend)
        mixed = (bend * self.units).mean()
        return np.array([[(bend * self.units**2).mean(), mixed], [mixed, bend.mean()]]) + EPSILON * np.eye(2)

    def _shares(self, place: Doubles) -> Doubles:
        """The share that each digit gets."""
        sums = self.sums + place[0] * self.units + place[1]
        return np.asarray(np.exp(sums - np.logaddexp(self.rest, sums)))

    def at(self, place: Doubles) -> float:
        """The loss at one weight and bias, (2,)."""
        return float(self.loss(place[:1], place[1:])[0])


def facts(record: Record, dense: DenseFacts) -> Descent:
    """The way down to the weight of the largest vote for the digit on show, and to that digit's bias."""
    unit, digit = int(dense.largest_vote.source[0]), record.lens.answer
    valley = _valley(record, unit, digit)
    kernel, bias = record.lens.layers[-1].learned
    trained = np.array([float(kernel[unit, digit]), float(bias[digit])])
    low = _lowest(valley, trained)
    away = np.array([-_distance(valley, low, np.array([-1.0, 0])), _distance(valley, low, np.array([0, 1.0]))])
    start, sides = low + away, MARGIN * np.abs(away)
    weights, biases = (np.linspace(low[i] - sides[i], low[i] + sides[i], CELLS) for i in (0, 1))
    rate = 1 / float(np.linalg.eigvalsh(valley.curvature(start)).max())
    large, adam = _too_large(valley, start, rate), float(np.abs(away).max()) / REACH
    return Descent(
        unit=unit,
        digit=digit,
        n=len(valley.units),
        weights=weights,
        biases=biases,
        losses=valley.loss(*np.meshgrid(weights, biases)),
        trained=(float(trained[0]), float(trained[1])),
        plain=_way(valley, start, rate, _plain(rate)),
        adam=_way(valley, start, adam, _adam(adam, record.recipe.beta_1, record.recipe.beta_2)),
        small=_way(valley, start, TOO_SMALL * rate, _plain(TOO_SMALL * rate)),
        large=_way(valley, start, large, _plain(large)),
    )


def _valley(record: Record, unit: int, digit: int) -> Valley:
    """The loss over one weight and the bias of a digit, on the first training digits."""
    labels: Integers = np.asarray(record.data.y_train[:DIGITS], np.int64)
    output = next(layer["output"] for layer in record.model.session.layers if layer["name"] == "dense")["tensor"]
    images = network_input(record.data.x_train[:DIGITS])
    units = record.model.session.tensors(images, [output])[output].astype(np.float64)
    kernel, bias = (part.astype(np.float64) for part in record.lens.layers[-1].learned)
    sums, wanted = units @ kernel + bias, labels == digit
    others = np.delete(sums, digit, axis=1)
    highest = others.max(axis=1)
    return Valley(
        sums=sums[:, digit] - units[:, unit] * kernel[unit, digit] - bias[digit],
        units=units[:, unit],
        rest=highest + np.log(np.exp(others - highest[:, None]).sum(axis=1)),
        wanted=wanted,
        fixed=float(np.where(wanted, 0, sums[np.arange(len(labels)), labels]).mean()),
    )


def _lowest(valley: Valley, place: Doubles) -> Doubles:
    """The weight and bias with the lowest loss, by Newton's method with shortened steps."""
    for _ in range(NEWTON):
        step, share = np.linalg.solve(valley.curvature(place), valley.slopes(place)), 1.0
        while share > EPSILON and valley.at(place - share * step) > valley.at(place):
            share /= 2
        if share <= EPSILON:
            break
        place = place - share * step
    return place


def _distance(valley: Valley, low: Doubles, way: Doubles) -> float:
    """How far to go from the lowest point, along a way (2,) of length 1, until the loss has risen by ``RISE``."""
    wanted, far = valley.at(low) + RISE, 0.1
    while far < 100 and valley.at(low + far * way) < wanted:
        far *= 1.1
    return far


def _too_large(valley: Valley, start: Doubles, rate: float) -> float:
    """The rate, doubled until the first step ends higher than it began."""
    slopes, limit = valley.slopes(start), FASTEST * rate
    while rate < limit and valley.at(start - rate * slopes) <= valley.at(start):
        rate *= 2
    return rate


def _plain(rate: float) -> Callable[[Doubles], Doubles]:
    """A step of plain gradient descent from the slopes."""
    return lambda slopes: rate * slopes


def _adam(rate: float, beta_1: float, beta_2: float) -> Callable[[Doubles], Doubles]:
    """A step of Adam from the slopes, which it remembers (Kingma and Ba 2015)."""
    mean, square, taken = np.zeros(2), np.zeros(2), 0

    def step(slopes: Doubles) -> Doubles:
        nonlocal mean, square, taken
        taken += 1
        mean = beta_1 * mean + (1 - beta_1) * slopes
        square = beta_2 * square + (1 - beta_2) * slopes**2
        steady, loud = mean / (1 - beta_1**taken), square / (1 - beta_2**taken)
        return np.asarray(rate * steady / (np.sqrt(loud) + EPSILON))

    return step


def _way(valley: Valley, start: Doubles, rate: float, step: Callable[[Doubles], Doubles]) -> Path:
    """The places on a way of ``STEPS`` steps, and the loss at each."""
    places = [start]
    for _ in range(STEPS):
        places.append(places[-1] - step(valley.slopes(places[-1])))
    way = np.array(places)
    return Path(rate, way, valley.loss(way[:, 0], way[:, 1]))
