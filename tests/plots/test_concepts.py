"""The figures that explain an idea show the right arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes

from digitscope.errors import ConfigError, DataError
from digitscope.formatting import probability
from digitscope.plots import concepts


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_slopes_are_those_of_the_curves() -> None:
    curves, slopes = concepts.activation_functions().axes
    relu, sigmoid = (line.get_xydata() for line in curves.lines)
    np.testing.assert_array_equal(relu[:, 1], np.maximum(relu[:, 0], 0))
    assert sigmoid[np.searchsorted(sigmoid[:, 0], 0.0), 1] == 0.5
    measured = np.gradient(sigmoid[:, 1], sigmoid[:, 0])
    np.testing.assert_allclose(slopes.lines[-1].get_ydata()[1:-1], measured[1:-1], atol=1e-4)
    assert slopes.lines[-1].get_ydata().max() == 0.25


def test_cross_entropy_marks_what_probabilities_cost() -> None:
    ax = concepts.cross_entropy()
    assert texts(ax) == ["1 %: 4.61", "10 %: 2.30", "50 %: 0.69", "90 %: 0.11", "99 %: 0.01"]
    curve = ax.lines[0].get_xydata()
    np.testing.assert_allclose(curve[:, 1], -np.log(curve[:, 0]))


@pytest.mark.parametrize("label", range(10))
def test_one_hot(label: int) -> None:
    ax = concepts.one_hot(label)
    assert [int(text) for text in texts(ax)[:20:2]] == np.eye(10, dtype=int)[label].tolist()
    assert len({patch.get_facecolor() for patch in ax.patches}) == 2


@pytest.mark.parametrize("label", [-1, 10, 3.5, "7", None])
def test_one_hot_of_no_digit(label: object) -> None:
    with pytest.raises(ConfigError, match="give 0 to 9"):
        concepts.one_hot(label)  # type: ignore[arg-type]


def test_softmax_steps() -> None:
    logits = np.array([-9.0, 1.0, 4.0, 6.5, -8.0, 2.2, -11.0, 20.0, 0.5, 3.3])
    sums, powers, parts = ([bar.get_width() for bar in ax.patches] for ax in concepts.softmax_steps(logits).axes)
    np.testing.assert_allclose(sums, logits)
    np.testing.assert_allclose(powers, np.exp(logits))
    np.testing.assert_allclose(parts, np.exp(logits) / np.exp(logits).sum())
    labels = [texts(ax) for ax in concepts.softmax_steps(logits).axes]
    assert labels[0][0] == "−9.00" and labels[2][7] == "> 99.99 %"
    assert labels[2] == [probability(part) for part in np.exp(logits) / np.exp(logits).sum()], "as the page prints them"
    assert [labels[1][i] for i in (0, 1, 3, 7)] == ["1.2·10⁻⁴", "2.72", "665", "4.9·10⁸"]


@pytest.mark.parametrize("logits", [[1.0] * 9, [[1.0] * 10], [np.nan] * 10, [1e6] * 10, [-1e6] * 10])
def test_softmax_steps_of_something_else(logits: list[float]) -> None:
    with pytest.raises(DataError, match="expected ten"):
        concepts.softmax_steps(logits)


def test_pooling_example() -> None:
    patch = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [0, 0, 1, 0], [0, 4, 0, 0]])
    whole, largest, mean = concepts.pooling_example(patch).axes
    assert [float(text) for text in texts(whole)] == patch.ravel().tolist()
    assert texts(largest) == ["6.00", "8.00", "4.00", "1.00"] and texts(mean) == ["3.50", "5.50", "1.00", "0.25"]
    windows = [patch.get_facecolor() for patch in whole.patches]
    assert windows[0] == windows[1] == windows[4] == windows[5] != windows[2]
    assert [windows[0], windows[2], windows[8], windows[10]] == [patch.get_facecolor() for patch in mean.patches]


@pytest.mark.parametrize("shape", [(3, 4), (4, 5), (4,), (0, 0), (2, 2, 2)])
def test_pooling_example_needs_even_sides(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="two even sides"):
        concepts.pooling_example(np.zeros(shape))
