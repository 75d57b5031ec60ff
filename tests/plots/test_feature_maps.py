from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from PIL import Image

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError, DataError
from digitscope.models.lens import Lens, look
from digitscope.models.model import load
from digitscope.plots import architecture, cells, dense, feature_maps, overview
from digitscope.plots.primitives import number, page, percent, small, tiles, wrapped
from digitscope.plots.style import save
from small_network import small_network

FIGURES: dict[str, Callable[[Lens], Axes]] = {
    "input": feature_maps.digit_and_matrix,
    "filters": lambda lens: feature_maps.filters(lens.layer("conv1")),
    "kernels": lambda lens: feature_maps.filters(lens.layer("conv2")),
    "one filter": lambda lens: feature_maps.filters(lens.layer("conv2"), 63),
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
        feature_maps.filters(lens.layer("c")),
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
    printed = texts(feature_maps.filters(lens.layer("conv1")))
    for value in kernel.ravel():
        assert number(float(value)) in printed
    layer = lens.layer("conv1")
    values = layer.values.copy()
    values[..., [3, 30]] = 0
    layer = dataclasses.replace(layer, values=values)
    printed = texts(feature_maps.feature_maps(layer))
    assert set(map(str, range(32))) <= set(printed)
    assert printed.count("silent") == int((values == 0).all(axis=(0, 1)).sum()) >= 2


def test_tiles_show_the_maps_themselves(lens: Lens) -> None:
    maps = lens.layer("conv1").values.transpose(2, 0, 1)
    ax = page(8, 4)
    places = tiles(ax, maps, 0.5, 0.25, 0.01, 8, (0.1, 0.2), np.full(32, maps.max()))
    shown = [image for image in ax.get_children() if isinstance(image, AxesImage)]
    assert len(shown) == 32
    for image, array, (left, top) in zip(shown, maps, places, strict=True):
        np.testing.assert_allclose(image.get_array(), array / maps.max(), rtol=1e-6)
        assert image.get_extent() == pytest.approx([left, left + 0.26, top + 0.26, top])
    np.testing.assert_allclose(places[9], [0.5 + 0.36, 0.25 + 0.46])


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
        (lambda: feature_maps.filters(lens.layer("pool1")), "has no weights"),
        (lambda: feature_maps.filters(lens.layer("dense")), "has no filters"),
        (lambda: feature_maps.filters(lens.layer("conv2"), 64), "no filter 64; give one of 0 to 63"),
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
    ax = page(11, 8)
    assert feature_maps.feature_maps(lens.layer("pool1"), ax=ax) is ax
    assert dense.softmax(lens, ax=ax) is ax


def test_write_look(tmp_path: Path) -> None:
    image = load_mnist()[1][0][4]
    reports: list[tuple[int, int]] = []
    paths = overview.write_look(
        load("classic"),
        image,
        tmp_path / "look",
        title="A $4$ from <test> & co",
        progress=lambda stage, done, total, facts: reports.append((done, total)),
    )
    assert reports == [(done, 19) for done in range(1, 20)]
    names = [path.name for path in paths]
    assert names[:4] == ["overview.svg", "overview.png", "architecture.svg", "architecture.png"]
    assert sorted(names) == sorted(path.name for path in (tmp_path / "look").iterdir())
    assert {"00-input.png", "01-conv1-filters.svg", "04-pool2-maps.png", "07-softmax.svg", "numbers.npz"} <= set(names)
    for path in paths:
        if path.suffix == ".svg":
            text = path.read_text(encoding="utf-8")
            assert text.lstrip().startswith("<?xml")
            assert len(text) < 600_000
            assert not re.search(r'(?:href|src)="https?:', text)
        elif path.suffix == ".png":
            with Image.open(path) as picture:
                assert picture.width == 1650
    lens = look(load("classic"), image)
    with np.load(tmp_path / "look" / "numbers.npz", allow_pickle=False) as numbers:
        assert len(numbers.files) == 8 + 4
        for layer in lens.layers:
            np.testing.assert_array_equal(numbers[f"{layer.name}.values"], layer.values)
        np.testing.assert_array_equal(numbers["softmax.sums"], lens.layer("softmax").sums)


def test_write_look_keeps_odd_names_inside_the_folder(tmp_path: Path) -> None:
    session = small_network("valid", "max_pooling2d")
    session.layers[1]["name"] = "..$x$: <b>"
    model: Any = SimpleNamespace(session=session)
    paths = overview.write_look(model, np.zeros((28, 28), np.uint8), tmp_path / "look")
    assert "01-..$x$: <b>-maps.png" not in (names := [path.name for path in paths])
    assert "01----x----b--maps.png" in names
    assert all(path.parent == tmp_path / "look" and path.is_file() for path in paths)
    with pytest.raises(DataError):
        overview.write_look(model, np.zeros((3, 3), np.uint8), tmp_path / "none")
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match=r"file cannot be written \(.+\); give another folder with --out$"):
        overview.write_look(model, np.zeros((28, 28), np.uint8), tmp_path / "file")


def test_the_same_look_gives_the_same_bytes(lens: Lens, tmp_path: Path) -> None:
    first, second = (save(dense.softmax(lens), tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert first == second
    assert io.BytesIO(first).read(5) == b"<?xml"


def test_words_for_numbers() -> None:
    assert [number(-0.0), number(-1234.5, 1), number(2)] == ["0.00", "−1,234.5", "2.00"]
    assert [percent(0), percent(1), percent(0.123456)] == ["0.00 %", "100.00 %", "12.35 %"]
    assert [small(1), small(0), small(1e-12)] == ["1.0000", "0.0000", "1.0 · 10⁻¹²"]
    assert wrapped("a window of 3 × 3 weights", 14) == "a window of\n3\u00a0×\u00a03 weights"
