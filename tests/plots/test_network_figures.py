"""Figures of a network show its numbers and stay on their sheets."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError
from digitscope.formatting import number, probability, scientific
from digitscope.models.lens import Lens, look
from digitscope.models.model import load
from digitscope.plots import architecture, cells, dense, feature_maps, filters, overview
from digitscope.plots.primitives import sheet
from digitscope.plots.style import save
from small_network import small_network

FIGURES: dict[str, Callable[[Lens], Axes]] = {
    "input": feature_maps.digit_and_matrix,
    "filters": lambda lens: filters.filters(lens.layer("conv1")),
    "kernels": lambda lens: filters.filters(lens.layer("conv2")),
    "one filter": lambda lens: filters.filters(lens.layer("conv2"), 63),
    "maps": lambda lens: feature_maps.feature_maps(lens.layer("conv1")),
    "maps of their own": lambda lens: feature_maps.feature_maps(lens.layer("pool2"), columns=16, scale="map"),
    "flatten": feature_maps.flattened,
    "convolution": lambda lens: cells.convolution_step(lens, "conv1", (7, 12, 3)),
    "second convolution": lambda lens: cells.convolution_step(lens, "conv2"),
    "pooling": lambda lens: cells.pooling_step(lens, "pool2"),
    "unit": lambda lens: dense.dense_step(lens, "dense"),
    "answer": lambda lens: dense.dense_step(lens, "softmax", 3),
    "evidence": dense.evidence,
    "softmax": dense.softmax,
    "overview": overview.overview,
    "architecture": lambda lens: architecture.architecture(lens.layers),
}


@pytest.fixture(scope="module")
def lens() -> Lens:
    return look(load("classic"), load_mnist()[1][0][18])


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def outside(ax: Axes) -> list[str]:
    """Texts that are not wholly on the figure."""
    paper = ax.figure.bbox
    boxes = [(text.get_text(), text.get_window_extent()) for text in ax.texts]
    return [
        text
        for text, box in boxes
        if not (paper.x0 <= box.x0 and box.x1 <= paper.x1 and paper.y0 <= box.y0 and box.y1 <= paper.y1)
    ]


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_written_beyond_the_page(name: str, lens: Lens) -> None:
    assert outside(FIGURES[name](lens)) == []


@pytest.mark.parametrize("image", ["blank", "white", "noise"])
def test_extreme_images_can_be_drawn(image: str) -> None:
    pictures = {
        "blank": np.zeros((28, 28)),
        "white": np.ones((28, 28)),
        "noise": np.random.default_rng(0).random((28, 28)),
    }
    lens = look(load("robust"), pictures[image])
    for name, draw in FIGURES.items():
        assert outside(draw(lens)) == [], name


@pytest.mark.parametrize(
    ("padding", "kind", "strides"), [("valid", "average_pooling2d", 2), ("same", "max_pooling2d", 1)]
)
def test_other_networks_can_be_drawn(padding: str, kind: str, strides: int, tmp_path: Path) -> None:
    model: Any = SimpleNamespace(session=small_network(padding, kind, strides))
    lens = look(model, load_mnist()[1][0][1])
    for draw in (overview.overview, feature_maps.flattened, dense.evidence, dense.softmax):
        assert outside(draw(lens)) == []
    for ax in (
        architecture.architecture(lens.layers),
        filters.filters(lens.layer("c")),
        feature_maps.feature_maps(lens.layer("c")),
        cells.convolution_step(lens, "c", (0, 0, 2)),
        cells.pooling_step(lens, "p", (0, 0, 1)),
        dense.dense_step(lens, "s"),
    ):
        assert outside(ax) == []


def test_a_step_prints_the_numbers_of_its_terms(lens: Lens) -> None:
    cell = (9, 10, 2)
    terms = lens.terms("conv1", cell)
    printed = texts(cells.convolution_step(lens, "conv1", cell))
    for term in terms:
        for value in (term.value, term.weight, term.product):
            assert number(value, 3) in printed
    for value in (terms.bias, terms.sum, terms.result, terms.stored):
        assert number(value, 5) in printed

    unit = lens.terms("dense", 5)
    printed = texts(dense.dense_step(lens, "dense", 5))
    rest = unit.products.sum() - unit.products[unit.ranking[:12]].sum()
    assert "the other 1,588 products add up to" in printed
    assert number(float(rest), 3) in printed
    assert number(unit.sum, 3) in printed


def test_pooling_marks_the_winner(lens: Lens) -> None:
    cell = (3, 3, 10)
    ax = cells.pooling_step(lens, "pool1", cell)
    assert number(float(lens.layer("pool1").values[cell]), 5) in texts(ax)
    assert "the largest of the 4:" in texts(ax)


def test_filters_and_silent_maps_are_numbered(lens: Lens) -> None:
    kernel, _ = lens.layer("conv1").learned
    printed = texts(filters.filters(lens.layer("conv1")))
    for value in kernel.ravel():
        assert number(float(value)) in printed
    layer = lens.layer("conv1")
    values = layer.values.copy()
    values[..., [3, 30]] = 0
    layer = dataclasses.replace(layer, values=values)
    printed = texts(feature_maps.feature_maps(layer))
    assert set(map(str, range(32))) <= set(printed)
    assert printed.count("silent") == int((values == 0).all(axis=(0, 1)).sum()) >= 2


def test_the_architecture_gives_shapes_and_parameters(lens: Lens) -> None:
    printed = texts(architecture.architecture(lens.layers))
    for text in (
        "7 layers, 225,034 parameters",
        "26 × 26 × 32",
        "64·(3·3·32) + 64",
        "= 204,928 parameters",
        "dense 91 %",
    ):
        assert text in printed


def test_wrong_wishes_are_one_sentence(lens: Lens) -> None:
    wishes: list[tuple[Callable[[], Any], str]] = [
        (lambda: filters.filters(lens.layer("pool1")), "has no weights"),
        (lambda: filters.filters(lens.layer("dense")), "has no filters"),
        (lambda: filters.filters(lens.layer("conv2"), 64), "no filter 64; give one of 0 to 63"),
        (lambda: feature_maps.feature_maps(lens.layer("dense")), "has no maps"),
        (lambda: feature_maps.feature_maps(lens.layer("conv1"), scale="net"), "'layer' or 'map'"),  # type: ignore[arg-type]
        (lambda: feature_maps.feature_maps(lens.layer("conv1"), columns=-1), "columns"),
        (lambda: cells.convolution_step(lens, "pool1"), "give a convolution"),
        (lambda: cells.convolution_step(lens, "conv1", (26, 0, 0)), "no cell"),
        (lambda: cells.pooling_step(lens, "dense"), "give a pooling"),
        (lambda: dense.dense_step(lens, "conv1"), "give a dense layer"),
        (lambda: dense.dense_step(lens, "dense", 128), "up to 127"),
        (lambda: dense.dense_step(lens, "nowhere"), "no layer 'nowhere'"),
        (lambda: architecture.architecture([]), "no layers"),
    ]
    for wish, message in wishes:
        with pytest.raises(ConfigError, match=message):
            wish()


def test_figures_draw_on_given_axes(lens: Lens) -> None:
    ax = sheet(11, 8)
    assert feature_maps.feature_maps(lens.layer("pool1"), ax=ax) is ax
    assert dense.softmax(lens, ax=ax) is ax


def test_the_same_look_gives_the_same_bytes(lens: Lens, tmp_path: Path) -> None:
    first, second = (save(dense.softmax(lens), tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert first == second
    assert io.BytesIO(first).read(5) == b"<?xml"


def test_numbers_are_printed_in_one_way(lens: Lens) -> None:
    assert [number(-0.0), number(-1234.5, 1), number(2)] == ["0.00", "−1,234.5", "2.00"]
    assert [probability(0), probability(1), probability(0.123456)] == ["< 0.01 %", "> 99.99 %", "12.35 %"]
    assert [scientific(0), scientific(1e-12)] == ["0", "1.0·10⁻¹²"]
    steps, printed = lens.softmax(), texts(dense.softmax(lens))
    for value in steps.exponentials.tolist():
        assert (number(value, 4) if value >= 1e-3 else scientific(value)) in printed
    for value in steps.probabilities.tolist():
        assert probability(value) in printed
    assert "1.0000" in printed and any("·10⁻" in text for text in printed)
