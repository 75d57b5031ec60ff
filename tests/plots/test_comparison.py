"""Figures of models beside each other show the numbers they are given."""

from __future__ import annotations

import numpy as np
import pytest

from digitscope.errors import DataError
from digitscope.plots import comparison

NAMES = ("A = one", "B = two")


def texts(figure: object) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts]  # type: ignore[attr-defined]


def test_differences_are_sorted_by_who_is_right():
    answers = np.array([(3, 3, 5), (4, 9, 4), (7, 1, 2), (0, 0, 6)])
    images = np.zeros((4, 28, 28), np.uint8)
    figure = comparison.differences(images, answers, [f"test:{i}" for i in range(4)], (90, 2, 1, 7), NAMES, "It is so.")
    said = texts(figure)
    assert said[:3] == ["4 of 100 images are read differently", *NAMES]
    headings = [text for text in said if (":" in text and "right" in text) or "wrong, with" in text]
    assert headings == ["Only A is right: 2", "Only B is right: 1", "Both are wrong, with different answers: 1"]
    assert [text for text in said if text.startswith("test:")] == ["test:0", "test:3", "test:1", "test:2"]
    assert said[said.index("label 4") : said.index("label 4") + 3] == ["label 4", "A: 9", "B: 4"]
    bold = [t.get_text() for t in figure.axes[0].texts if t.get_weight() == "bold" and t.get_text()[1:2] == ":"]
    assert bold == ["A: 3", "A: 0", "B: 4"]
    assert {"90", "2", "1", "7"} <= set(said)


def test_a_long_place_stays_below_its_digit():
    places = ["digits/test/7/scan-000123.png", "test:1"]
    images, answers = np.zeros((2, 28, 28), np.uint8), np.array([(7, 7, 1)] * 2)
    figure = comparison.differences(images, answers, places, (0, 2, 0, 0), NAMES, "x")
    assert {"…can-000123.png", "test:1"} <= set(texts(figure))


def test_a_sheet_stays_a_sheet():
    n = 500
    answers = np.column_stack((np.full(n, 3), np.full(n, 3), np.full(n, 5)))
    figure = comparison.differences(np.zeros((n, 28, 28), np.uint8), answers, ["test:1"] * n, (0, n, 0, 0), NAMES, "x")
    assert f"Only A is right: 500; the first {comparison.SHOWN} are shown" in texts(figure)
    assert texts(figure).count("test:1") == comparison.SHOWN
    assert figure.get_figheight() < 8
    nothing = comparison.differences(
        np.zeros((0, 28, 28), np.uint8), np.zeros((0, 3), int), [], (5, 0, 0, 0), ["A = " + "long" * 99, "B"], "x"
    )
    assert texts(nothing)[0] == "All 5 images are read the same" and len(texts(nothing)[1]) < 90
    with pytest.raises(DataError, match="1 places came with images"):
        comparison.differences(
            np.zeros((2, 28, 28), np.uint8), np.zeros((2, 3), int), ["test:1"], (0, 0, 0, 2), NAMES, "x"
        )


def test_learning_curves():
    rows = [{"epoch": float(epoch), "loss": 1 / epoch, "accuracy": 1 - 0.1 / epoch} for epoch in (1, 2, 3)]
    figure = comparison.learning_curves({"A = one": rows, "B = two": rows[:1]})
    loss, accuracy = figure.axes
    assert [line.get_ydata().tolist() for line in loss.lines] == [[1, 1 / 2, 1 / 3], [1]]
    assert accuracy.lines[0].get_ydata().tolist() == [row["accuracy"] for row in rows]
    assert loss.get_ylim()[1] > 1.03 and accuracy.get_ylim()[0] < 0.9 - 0.003, "markers are not cut in half"
    assert (loss.get_ylim()[0], accuracy.get_ylim()[1]) == (0, 1)
    assert not any(line.get_clip_on() for ax in figure.axes for line in ax.lines)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["A = one", "B = two"]
    for wrong in ({}, {str(n): rows for n in range(7)}):
        with pytest.raises(DataError, match="cannot be told apart"):
            comparison.learning_curves(wrong)
