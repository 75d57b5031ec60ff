"""The figure of gradient descent shows the ways that it is given, side by side or one above the other."""

from __future__ import annotations

import numpy as np
import pytest

from digitscope.plots.descent import Descent, Path, gradient_descent
from digitscope.plots.style import new_figure


def way(rate: float, losses: list[float]) -> Path:
    """A way straight along the diagonal with the given losses."""
    places = np.linspace(2, 0, len(losses))
    return Path(rate, np.stack([places, places], axis=1), np.array(losses))


@pytest.fixture
def bowl() -> Descent:
    """A round bowl whose lowest point is at 0, 0."""
    sides = np.linspace(-3, 3, 21)
    across, up = np.meshgrid(sides, sides)
    ways = (way(1, [8, 2, 1]), way(0.5, [8, 4, 2]), way(0.1, [8, 7, 6]), way(9, [8, 30, 3]))
    return Descent(5, 7, 100, sides, sides, across**2 + up**2, (0.0, 0.0), *ways)


@pytest.mark.parametrize(("size", "beside"), [((9, 4), True), ((3.4, 7), False)])
def test_map_and_curves_are_those_given(bowl: Descent, size: tuple[float, float], beside: bool):
    figure = gradient_descent(bowl, new_figure(*size))
    figure.draw_without_rendering()
    surface, course = figure.axes
    (left, low), (right, lower) = (ax.get_position().p0 for ax in (surface, course))
    assert bool(right > left + 0.1) is beside and bool(low > lower + 0.1) is not beside
    assert (surface.get_xlabel(), surface.get_ylabel()) == ("weight of unit 5 for 7", "bias of 7")
    drawn = {line.get_label(): line.get_ydata() for line in course.lines if not str(line.get_label()).startswith("_")}
    assert list(drawn) == ["rate too small", "rate too large", "rate just right", "Adam"]
    for label, path in zip(drawn, (bowl.small, bowl.large, bowl.plain, bowl.adam), strict=True):
        np.testing.assert_array_equal(np.asarray(drawn[label]), path.losses)
    assert course.get_ylim()[1] < 30, "what shoots up does not squeeze the others"
    places = [np.asarray(line.get_xydata()) for line in surface.lines]
    assert any(np.array_equal(each, bowl.plain.places) for each in places)
    assert any(np.array_equal(each, bowl.adam.places) for each in places)
    assert {text.get_text() for text in surface.texts} == {"start", "as trained"}
