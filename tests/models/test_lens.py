from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError, DataError
from digitscope.models.lens import Lens, look
from digitscope.models.model import Model, load
from digitscope.models.terms import unflatten
from small_network import small_network

NAMES = ["input", "conv1", "pool1", "conv2", "pool2", "flatten", "dense", "softmax"]


@pytest.fixture(scope="module")
def model() -> Model:
    return load("classic")


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return load_mnist()[1][0][:40]


@pytest.fixture(scope="module")
def lens(model: Model, digits: np.ndarray) -> Lens:
    return look(model, digits[0])


def test_a_lens_holds_every_layer_of_the_classic_network(lens: Lens, model: Model, digits: np.ndarray) -> None:
    assert [layer.name for layer in lens.layers] == NAMES
    assert [layer.shape for layer in lens.layers] == [
        (28, 28, 1), (26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (1600,), (128,), (10,),
    ]  # fmt: skip
    assert [layer.parameter_formula for layer in lens.layers] == [
        "0", "32·(3·3·1) + 32 = 320", "0", "64·(3·3·32) + 64 = 18,496", "0", "0",
        "128·1600 + 128 = 204,928", "10·128 + 10 = 1,290",
    ]  # fmt: skip
    assert all(layer.values.shape == layer.shape and layer.values.dtype == np.float32 for layer in lens.layers)
    np.testing.assert_array_equal(lens.pixels, digits[0])
    np.testing.assert_allclose(lens.probabilities, model.predict(digits[0])[0], atol=1e-6)
    assert lens.answer == 7
    assert lens.probabilities[lens.runner_up] == np.sort(lens.probabilities)[-2]


def test_sums_before_and_after_the_activation(lens: Lens) -> None:
    for layer in lens.layers:
        assert (layer.sums is None) == (layer.kernel is None) == (layer.bias is None) == (layer.parameters == 0)
        if layer.sums is not None and layer.activation == "relu":
            np.testing.assert_allclose(layer.values, np.maximum(layer.sums, 0), atol=1e-6)
    steps = lens.softmax()
    np.testing.assert_allclose(steps.probabilities, lens.probabilities, atol=1e-6)
    assert steps.exponentials.max() == 1
    assert steps.total == pytest.approx(steps.exponentials.sum())


@pytest.mark.parametrize("name", ["classic", "robust"])
def test_terms_add_up_in_thousands_of_cells(name: str, digits: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    model = load(name)
    for digit in digits[:10]:
        lens = look(model, digit)
        for layer in lens.layers:
            for _ in range(40):
                cell = tuple(int(rng.integers(size)) for size in layer.shape)
                terms = lens.terms(layer.name, cell)
                assert terms.stored == layer.values[cell]
                assert abs(terms.difference) <= 1e-4 * max(1, abs(terms.stored))
                assert terms.sum == pytest.approx(sum(term.product for term in terms) + terms.bias, abs=1e-9)
                if layer.sums is not None:
                    assert abs(terms.sum - layer.sums[cell]) <= 1e-4 * max(1, abs(terms.sum))
                before = lens.before(layer.name).values if layer.kind != "input" else lens.pixels[..., None]
                assert all(before[term.source] == np.float32(term.value) for term in terms)


def test_terms_of_each_kind(lens: Lens) -> None:
    pixel = lens.terms("input", (7, 10, 0))
    assert len(pixel) == 1
    assert pixel[0].source == (7, 10, 0)
    assert pixel[0].value == 255 * lens.image[7, 10] > 0
    assert pixel[0].weight == 1 / 255

    first = lens.terms("conv1", (4, 9, 5))
    assert [term.source for term in first] == [(row, column, 0) for row in (4, 5, 6) for column in (9, 10, 11)]
    np.testing.assert_array_equal(first.weights.reshape(3, 3), lens.layer("conv1").learned[0][:, :, 0, 5])

    second = lens.terms("conv2", (10, 0, 63))
    assert len(second) == 288
    assert second[0].source == (10, 0, 0)
    assert second[287].source == (12, 2, 31)

    pooled = lens.terms("pool2", (4, 4, 63))
    assert [term.source for term in pooled] == [(8, 8, 63), (8, 9, 63), (9, 8, 63), (9, 9, 63)]
    assert pooled.values[pooled.winner] == pooled.values.max() == pooled.stored
    assert sorted(pooled.weights) == [0, 0, 0, 1]

    copied = lens.terms("flatten", 731)
    assert copied[0].source == (2, 1, 27)
    dense = lens.terms("dense", 17)
    assert [term.source for term in dense] == [(i,) for i in range(1600)]
    np.testing.assert_array_equal(np.abs(dense.products)[dense.ranking], np.sort(np.abs(dense.products))[::-1])
    last = lens.terms("softmax", (7,))
    assert last.sum == pytest.approx(float(lens.softmax().logits[7]), abs=1e-4)
    assert last.result == pytest.approx(float(lens.probabilities[7]), abs=1e-5)


@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 70)),
    share=st.floats(0, 1, exclude_max=True),
)
def test_flatten_indices_round_trip(shape: tuple[int, int, int], share: float) -> None:
    index = int(share * np.prod(shape))
    assert np.ravel_multi_index(unflatten(shape, index), shape) == index
    assert np.arange(np.prod(shape)).reshape(shape)[unflatten(shape, index)] == index


@pytest.mark.parametrize("cell", [(26, 0, 0), (0, 0, 32), (-1, 0, 0), (0, 0), 5, (0.5, 0, 0), "a", None, (0, 0, 0, 0)])
def test_a_wrong_cell_is_one_sentence(lens: Lens, cell: Any) -> None:
    with pytest.raises(ConfigError, match=r"'conv1' has no cell .* up to \(25, 25, 31\)$"):
        lens.terms("conv1", cell)


def test_wrong_names_and_images_are_one_sentence(lens: Lens, model: Model, digits: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="no layer 'conv9'; give one of input, conv1"):
        lens.terms("conv9", 0)
    with pytest.raises(ConfigError, match=r"no cell 1600; give a number up to 1599$"):
        lens.terms("flatten", 1600)
    with pytest.raises(ConfigError, match="nothing comes before"):
        lens.before("input")
    with pytest.raises(ConfigError, match="has no weights"):
        _ = lens.layer("pool1").learned
    with pytest.raises(ConfigError, match="looks at one"):
        look(model, digits[:2])
    with pytest.raises(DataError):
        look(model, np.zeros((5, 5)))


def test_nothing_in_a_lens_can_be_changed(lens: Lens) -> None:
    for layer in lens.layers:
        for array in (layer.values, layer.sums, layer.kernel, layer.bias):
            assert array is None or not array.flags.writeable
    assert not lens.image.flags.writeable


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["max_pooling2d", "average_pooling2d"])
@pytest.mark.parametrize(("strides", "bias"), [(1, True), (2, False)])
def test_padding_strides_and_average_pooling(
    padding: str, kind: str, strides: int, bias: bool, digits: np.ndarray
) -> None:
    session = small_network(padding, kind, strides, bias)
    lens = look(SimpleNamespace(session=session), digits[1])  # type: ignore[arg-type]
    assert lens.layer("c").parameter_formula == ("3·(4·4·1) + 3 = 51" if bias else "3·(4·4·1) = 48")
    for layer in lens.layers:
        for cell in list(np.ndindex(layer.shape))[:: max(1, layer.values.size // 300)]:
            terms = lens.terms(layer.name, cell)
            assert abs(terms.difference) <= 1e-4 * max(1, abs(terms.stored)), (layer.name, cell)
