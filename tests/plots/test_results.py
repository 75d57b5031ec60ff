"""Figures of a training and of its results show the numbers they are given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digitscope.datasets.load import load_dataset
from digitscope.errors import DataError
from digitscope.models.evaluation import Bin, Mistake
from digitscope.models.metrics import evaluate_predictions, wilson_interval
from digitscope.plots import results

HISTORY = [{"epoch": 1, "loss": 0.5, "accuracy": 0.9}, {"epoch": 2, "loss": 0.2, "accuracy": 0.97}]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def only_axes(figure: Figure) -> Axes:
    (ax,) = figure.axes
    return ax


def test_training_curves() -> None:
    found = evaluate_predictions(np.eye(10), np.arange(10))
    loss, accuracy = results.training_curves(HISTORY, test=found).axes
    assert loss.lines[0].get_xydata().tolist() == [[1, 0.5], [2, 0.2]]
    assert accuracy.lines[0].get_xydata().tolist() == [[1, 0.9], [2, 0.97]]
    assert accuracy.lines[1].get_ydata() == [1.0, 1.0] and loss.get_ylim()[0] == 0
    for ax in results.training_curves(HISTORY[:1]).axes:
        assert len(ax.lines) == 1 and [tick for tick in ax.get_xticks() if 0.5 <= tick <= 1.5] == [1]


@pytest.mark.parametrize("history", [[], [{"epoch": 1}], [{"epoch": 1, "loss": "much", "accuracy": 1}]])
def test_a_damaged_history_is_one_sentence(history: list[dict[str, object]]) -> None:
    with pytest.raises(DataError, match="training history"):
        results.training_curves(history)


def test_learning_rate_counts_steps_from_one() -> None:
    assert results.learning_rate([0.1, 0.3]).lines[0].get_xydata().tolist() == [[1, 0.1], [2, 0.3]]


def test_confusion_shows_every_count_and_colours_only_errors() -> None:
    counts = np.diag(np.arange(1000, 1010))
    counts[4, 9], counts[7, 2] = 12, 3
    ax = results.confusion(counts)
    assert [int(text.replace(",", "")) for text in texts(ax)] == counts.ravel().tolist()
    errors = ax.images[0].get_array()
    assert errors.count() == 2 and errors[4, 9] == 12 and errors[7, 2] == 3
    assert ax.images[0].get_clim() == (0, 12)
    assert ax.texts[0 * 10 + 1].get_color() == results.FAINT
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("the network's answer", "the label")


def test_confusion_in_percent_of_a_row() -> None:
    counts = np.diag([50] * 10)
    counts[0, 1], counts[9] = 150, 0
    found = texts(results.confusion(counts, normalize=True))
    assert found[:3] == ["25.0", "75.0", "0"] and found[90:] == ["0"] * 10


def test_confusion_stays_pale_where_errors_are_few() -> None:
    counts = np.diag([50] * 10)
    counts[3, 5] = 1
    assert results.confusion(counts).images[0].get_clim() == (0, 5)
    assert results.confusion(np.diag([5] * 10)).images[0].get_array().count() == 0


def test_confusion_is_ten_by_ten() -> None:
    with pytest.raises(DataError, match=r"expected \(10, 10\)"):
        results.confusion(np.eye(9))


def test_reliability_shows_each_bin_where_it_lies() -> None:
    bins = [Bin(0.0, 0.5, 0, None, None), Bin(0.5, 0.9, 10, 0.7, 0.8), Bin(0.9, 1.0, 9_990, 0.997, 0.999)]
    ax = results.reliability(bins, 0.0021)
    assert texts(ax) == ["n =", "0", "10", "9,990"]
    assert [bar.get_height() for bar in ax.patches] == [0.8, 0.999]
    points = [line.get_xydata()[0].tolist() for line in ax.lines if line.get_marker() == "o"]
    assert points == [[0.7, 0.8], [0.997, 0.999]]
    whiskers = [tuple(line.get_ydata()) for line in ax.lines[1:] if line.get_marker() != "o"]
    assert whiskers == [wilson_interval(8, 10), wilson_interval(9_980, 9_990)]
    assert "0.21 points" in ax.get_title(loc="left")


def test_per_class_says_where_its_axis_starts() -> None:
    labels = np.repeat(np.arange(10), 50)
    answers = labels.copy()
    answers[0] = 1
    evaluation = evaluate_predictions(np.eye(10)[answers], labels)
    ax = results.per_class(evaluation)
    for line, name in zip(ax.lines, ("precision", "recall", "f1"), strict=False):
        assert list(line.get_ydata()) == [getattr(scores, name) for scores in evaluation.per_class]
    start, end = ax.get_ylim()
    assert end == 1 and start < min(scores.recall for scores in evaluation.per_class)
    assert ax.get_ylabel() == f"(the axis starts at {100 * start:g} %)"


def test_per_class_leaves_out_digits_without_images() -> None:
    ax = results.per_class(evaluate_predictions(np.eye(10)[[3, 5]], [3, 5]))
    assert list(ax.lines[2].get_xdata()) == [3, 5] and ax.get_ylim()[0] > 0.9


def test_mistakes_show_the_right_images() -> None:
    images = load_dataset("mnist").x_test
    listed = [Mistake(2597, 5, 3, 0.9987), Mistake(947, 8, 9, 0.8)]
    ax = only_axes(results.mistakes(images, listed))
    assert texts(ax) == ["5 → 3\n99.9 %", "8 → 9\n80.0 %"]
    np.testing.assert_allclose(np.asarray(ax.images[0].get_array())[:28, :28], images[2597] / 255)


def test_no_mistakes() -> None:
    figure = results.mistakes(np.zeros((3, 28, 28)), [])
    assert [text.get_text() for text in figure.texts] == ["There are no mistakes to show."]


def test_mistakes_of_other_images() -> None:
    with pytest.raises(DataError, match="mistake 5 is outside the 3 images"):
        results.mistakes(np.zeros((3, 28, 28)), [Mistake(5, 1, 2, 0.9)])
