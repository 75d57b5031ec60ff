"""Figures of several runs show the means and spreads they are given."""

from __future__ import annotations

import numpy as np
import pytest

from digitscope.errors import DataError
from digitscope.plots import sweeps


def test_comparison_bars() -> None:
    ax = sweeps.comparison_bars(["seed", "classic"], [99.03, 99.25], [0.08, 0.0], baseline=99.1)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["seed", "classic"]
    assert [text.get_text() for text in ax.texts] == ["99.03 ± 0.08", "99.25"]
    line, _, (whiskers,) = ax.containers[0]
    assert line.get_xydata().tolist() == [[99.03, 0], [99.25, 1]]
    np.testing.assert_allclose(whiskers.get_segments()[0], [[98.95, 0], [99.11, 0]])
    assert ax.lines[0].get_xdata() == [99.1, 99.1]
    assert ax.yaxis_inverted() and ax.get_xlim()[0] > 98.5


def test_sweep_spaces_doublings_evenly() -> None:
    ax = sweeps.sweep_line([4, 8, 32], [98.0, 98.5, 99.0], [0.1, 0.2, 0.0], xlabel="filters", ylabel="accuracy in %")
    assert ax.containers[0][0].get_xydata().tolist() == [[4, 98.0], [8, 98.5], [32, 99.0]]
    assert ax.get_xscale() == "log" and [t.get_text() for t in ax.get_xticklabels()] == ["4", "8", "32"]
    assert sweeps.sweep_line([-2, 0, 2], [1, 2, 3], [0, 0, 0]).get_xscale() == "linear"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("filters", "accuracy in %")


def test_robustness() -> None:
    ax = sweeps.robustness([0, 10], {"a": [0.99, 0.5], "b": [0.99, 0.9]}, xlabel="turned by degrees")
    assert [line.get_ydata().tolist() for line in ax.lines[:2]] == [[0.99, 0.5], [0.99, 0.9]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert ax.get_ylim()[0] == 0 and ax.lines[2].get_ydata() == [0.1, 0.1]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: sweeps.comparison_bars([], [], []),
        lambda: sweeps.comparison_bars(["a"], [1, 2], [0]),
        lambda: sweeps.sweep_line([1, 2], [1, 2], [0]),
        lambda: sweeps.robustness([1, 2], {"a": [0.5]}),
    ],
)
def test_lists_of_different_length_are_one_sentence(draw: object) -> None:
    with pytest.raises(DataError, match="expected as many"):
        draw()  # type: ignore[operator]


def test_more_networks_than_colours() -> None:
    with pytest.raises(DataError, match="7 networks are more than the 6"):
        sweeps.robustness([1], {str(n): [0.5] for n in range(7)})


def test_sweep_points_have_mean_and_spread():
    series = {"max": [(1000, "8", (0.98, 0.99)), (4000, "16", (0.995,))], "average": [(1000, "8", (0.97, 0.97))]}
    ax = sweeps.sweep_points(series, limit=0.985)
    first, second = ax.containers
    np.testing.assert_allclose(first[0].get_ydata(), [0.985, 0.995])
    low, high = first[2][0].get_segments()[0][:, 1]
    assert (high - low) / 2 == pytest.approx(np.std([0.98, 0.99], ddof=1))
    assert first[0].get_xdata()[0] < 1000 < second[0].get_xdata()[0], "whiskers at one place stand side by side"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["8\n1,000", "16\n4,000"]
    dots = [tuple(line.get_ydata()) for line in ax.lines if line.get_marker() == "."]
    assert dots == [(0.98, 0.99), (0.995,), (0.97, 0.97)]
    assert any(line.get_linestyle() == "--" and line.get_ydata()[0] == 0.985 for line in ax.lines)


def test_close_points_are_labelled_beside_their_whiskers():
    ax = sweeps.sweep_points({"": [(n, f"w{n}", (0.9, 0.91)) for n in (1000, 1010, 9000)]})
    assert [text.get_text() for text in ax.texts] == ["w1000", "w1010", "w9000"]
    assert not any("w" in label.get_text() for label in ax.get_xticklabels())
    assert ax.get_legend() is None, "one line needs no name"
    with pytest.raises(DataError, match="cannot be told apart"):
        sweeps.sweep_points({})
