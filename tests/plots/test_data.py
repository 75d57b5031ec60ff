"""Figures of data show the numbers they are given."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digitscope.datasets.load import load_dataset
from digitscope.errors import DataError, MissingExtra
from digitscope.plots import data


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def only_axes(figure: Figure) -> Axes:
    (ax,) = figure.axes
    return ax


def test_counts_of_mnist() -> None:
    mnist = load_dataset("mnist")
    ax = data.counts({"training": mnist.y_train, "test": mnist.y_test})
    training, test = ([bar.get_height() for bar in bars] for bars in ax.containers)
    assert training == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert texts(ax)[:2] == ["5,923", "6,742"] and texts(ax)[-1] == "1,009"
    assert [entry.get_text() for entry in ax.get_legend().get_texts()] == ["training (60,000)", "test (10,000)"]


def test_counts_leave_room_for_a_digit_that_is_missing() -> None:
    ax = data.counts({"mine": np.array([1, 1, 9])})
    assert {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in ax.patches if bar.get_height()} == {
        1: 2, 9: 1,
    }  # fmt: skip
    assert [label.get_text() for label in ax.get_xticklabels()] == [str(digit) for digit in range(10)]


@pytest.mark.parametrize("splits", [{}, {"training": []}, {"training": [1], "test": []}])
def test_nothing_to_count(splits: dict[str, list[int]]) -> None:
    with pytest.raises(DataError, match="no labels to count"):
        data.counts(splits)


def test_counts_say_how_to_get_seaborn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "seaborn", None)
    with pytest.raises(MissingExtra, match="seaborn is not installed"):
        data.counts({"training": [1]})


def test_samples_lie_row_by_row_above_their_captions() -> None:
    images = load_dataset("mnist").x_test[:7]
    ax = only_axes(data.samples(images, list("abcdefg"), rows=2, columns=3))
    sheet = np.asarray(ax.images[0].get_array().filled(np.nan))
    assert texts(ax) == list("abcdef")
    for index, caption in enumerate(ax.texts):
        left, above = round(caption.get_position()[0] - 13.5), round(caption.get_position()[1]) - 29
        assert (index // 3, index % 3) == (above // 37, left // 32)
        np.testing.assert_allclose(sheet[above : above + 28, left : left + 28], images[index] / 255)
    assert np.isnan(sheet[:, 28 : 28 + data.GAP]).all()


def test_fewer_samples_than_fit() -> None:
    assert len(only_axes(data.samples(np.zeros((2, 28, 28)), [0, 1])).texts) == 2


@pytest.mark.parametrize(
    ("images", "captions", "words"),
    [
        (np.zeros((3, 28, 28)), [1, 2], "one for each"),
        (np.zeros((0, 28, 28)), [], "no images"),
        (np.zeros((28, 28)), [1], "expected"),
        (np.full((1, 28, 28), 255.0), [1], "divide by 255"),
        (np.full((1, 28, 28), np.nan), [1], "divide by 255"),
        (np.zeros((1, 28, 28), np.int64), [1], "divide by 255"),
    ],
)
def test_unusable_images_are_one_sentence(images: np.ndarray, captions: list[int], words: str) -> None:
    with pytest.raises(DataError, match=words):
        data.samples(images, captions)


def test_matrix_prints_every_pixel() -> None:
    image = load_dataset("mnist").x_test[0]
    raw, scaled = data.matrix(image), data.matrix(image, scaled=True)
    assert [int(text) for text in texts(raw)] == image.ravel().tolist()
    np.testing.assert_allclose([float(text) for text in texts(scaled)], image.ravel() / 255, atol=0.0005)
    assert texts(data.matrix(image / 255)) == texts(raw)
    assert texts(scaled)[28 * 12 + 19] == "1" and image[12, 19] == 255


def test_numbers_of_the_matrix_stand_out_from_their_cell() -> None:
    """The contrast of WCAG 2.2 is at least 4.5 in every cell that holds something."""
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)

    def luminance(grey: float) -> float:
        return grey / 12.92 if grey <= 0.04045 else ((grey + 0.055) / 1.055) ** 2.4

    for text, value in zip(data.matrix(ramp).texts, ramp.ravel() / 255, strict=True):
        ink = {"white": 1.0, "#000000": 0.0}.get(text.get_color(), 0x7A / 255)
        dark, bright = sorted((luminance(value), luminance(ink)))
        assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_numbers_of_the_matrix_shrink_with_the_axes() -> None:
    small = data.matrix(np.zeros((28, 28), np.uint8), ax=Figure(figsize=(4, 4)).add_axes((0, 0, 1, 1)))
    large = data.matrix(np.zeros((28, 28), np.uint8))
    assert small.texts[0].get_fontsize() < 0.6 * large.texts[0].get_fontsize()


def test_mean_images() -> None:
    images = np.stack([np.full((28, 28), value, np.uint8) for value in (10, 30, 200)])
    ax = only_axes(data.mean_images(images, [4, 4, 7]))
    assert texts(ax) == ["4\nn = 2", "7\nn = 1"]
    sheet = np.asarray(ax.images[0].get_array())
    assert sheet[5, 5] == pytest.approx(20 / 255) and sheet[5, 28 + data.GAP + 5] == pytest.approx(200 / 255)


def test_mean_images_need_a_label_each() -> None:
    with pytest.raises(DataError, match="2 images came with 1 labels"):
        data.mean_images(np.zeros((2, 28, 28)), [1])
