from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from digitscope.datasets.load import load_dataset
from digitscope.models.inputs import network_input
from digitscope.models.layers import LayerView, layer_views
from digitscope.models.model import load
from digitscope.models.weights_json import answers, weights_record, weights_text
from plain_network import plain_probabilities
from small_network import small_network

IMAGES = network_input(load_dataset("mnist").x_train[:3])


def test_a_plain_reading_of_the_text_agrees_with_onnx_runtime():
    model = load("classic")
    text = weights_text(weights_record(layer_views(model.session, IMAGES[:1])))
    wanted = model.session.probabilities(IMAGES)
    np.testing.assert_allclose([plain_probabilities(text, image) for image in IMAGES], wanted, atol=1e-6)
    np.testing.assert_allclose(answers(json.loads(text), IMAGES), wanted, atol=1e-6)
    assert len(max(text.splitlines(), key=len)) > 1_000_000, "the largest layer's weights stand on one line"
    assert len(text.splitlines()) < 150


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["max_pooling2d", "average_pooling2d"])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_every_kind_of_window(padding: str, kind: str, strides: int, bias: bool):
    session = small_network(padding, kind, strides, bias)
    image = np.random.default_rng(3).random((1, 28, 28, 1), np.float32)
    wanted = session.tensors(image, ["probabilities"])["probabilities"]
    text = weights_text(weights_record(layer_views(session, image)))
    np.testing.assert_allclose(plain_probabilities(text, image[0]), wanted[0], atol=1e-6)
    np.testing.assert_allclose(answers(json.loads(text), image), wanted, atol=1e-6)
    weights = {layer["name"]: [part["name"] for part in layer["weights"]] for layer in json.loads(text)["layers"]}
    assert weights == {"c": ["kernel", "bias"] if bias else ["kernel"], "p": [], "f": [], "s": ["kernel"]}


@settings(deadline=None)
@given(
    kernel=arrays(np.float32, (3, 2), elements=st.floats(allow_nan=False, allow_infinity=False, width=32)),
    name=st.text(max_size=20),
)
def test_every_float32_and_every_name_come_back_as_they_were(kernel: np.ndarray, name: str):
    first = LayerView("input", "input", "linear", (3,), 0, np.zeros(3, np.float32))
    layer = LayerView(name, "dense", "linear", (2,), 6, np.zeros(2, np.float32), None, kernel, np.zeros(2, np.float32))
    record = weights_record([first, layer])
    text = weights_text(record)
    assert json.loads(text) == record
    found = json.loads(text)["layers"][0]
    assert found["name"] == name
    again = np.array(found["weights"][0]["data"], np.float32).reshape(3, 2)
    np.testing.assert_array_equal(again.view(np.uint32), kernel.view(np.uint32))


def test_numbers_take_no_more_digits_than_they_need():
    kernel = np.array([[0.1, -2.5e-9, 3]], np.float32)
    layer = LayerView("d", "dense", "relu", (3,), 3, kernel[0], None, kernel, kernel[0])
    text = weights_text(weights_record([LayerView("input", "input", "linear", (1,), 0, kernel[0, :1]), layer]))
    assert '"data": [0.1, -2.5e-09, 3.0]' in text
