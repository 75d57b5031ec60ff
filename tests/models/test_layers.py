from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitscope.errors import ConfigError, ModelError
from digitscope.models.layers import layer_views
from digitscope.models.model import Model, load
from digitscope.models.session import ClassifierSession
from small_network import small_network

IMAGE = np.zeros((1, 28, 28, 1), np.float32)


@pytest.fixture(scope="module")
def model() -> Model:
    return load("classic")


@pytest.mark.parametrize(
    ("layer", "change"),
    [
        (0, {"kind": "conv2d"}), (0, {"shape": [28, 28, 3]}), (1, {"kind": "lstm"}), (1, {"shape": [25, 25]}),
        (1, {"shape": [0, 25, 3]}), (1, {"shape": "abc"}), (1, {"shape": [10**12, 10**12, 3]}), (1, {"name": 7}),
        (1, {"name": "input"}), (1, {"output": None}), (1, {"output": {"tensor": "nowhere", "layout": "nhwc"}}),
        (1, {"output": {"tensor": ["a"], "layout": "nhwc"}}), (1, {"output": {"tensor": "pooled", "layout": "nhwc"}}),
        (1, {"output": {"tensor": "sums", "layout": "chwn"}}), (1, {"kernel": {"tensor": "dense", "layout": "oihw"}}),
        (1, {"bias": 5}), (1, {"kernel_size": [4]}), (1, {"kernel_size": [2, 8]}), (1, {"strides": [0, 0]}),
        (1, {"padding": "reflect"}), (1, {"padding": []}), (1, {"parameters": "many"}), (1, {"activation": "tanh"}),
        (1, {"activation": None}), (2, {"pool_size": None}), (2, {"strides": [1, 1]}), (2, {"activation": "relu"}),
        (3, {"shape": [5]}), (3, {"kind": "dense"}), (4, {"shape": [11]}), (4, {"activation": "linear"}),
        (4, {"sum": {}}), (2, {"name": "../x"}), (2, {"name": ""}),
    ],
)  # fmt: skip
def test_a_wrong_description_is_a_model_error(layer: int, change: dict[str, Any]) -> None:
    session = small_network("valid", "max_pooling2d")
    session.layers[layer] |= change
    with pytest.raises(ModelError) as caught:
        layer_views(session, IMAGE)
    assert "\n" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_any_json_as_a_description_is_a_model_error_or_harmless(data: st.DataObject) -> None:
    session = small_network("valid", "max_pooling2d")
    entries = copy.deepcopy(session.layers)
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(entries) - 1))
        if not isinstance(entries[index], dict) or data.draw(st.booleans()):
            entries[index] = data.draw(json_values | st.sampled_from(session.layers))
        else:
            entries[index][data.draw(st.sampled_from(sorted(session.layers[1])))] = data.draw(json_values)
    session.layers = data.draw(st.just(entries) | st.just(entries[:1]) | st.just([]))
    try:
        layers = layer_views(session, IMAGE)
    except ModelError:
        return
    assert layers[-1].shape == (10,)


def test_values_that_are_not_finite_are_refused() -> None:
    session = small_network("valid", "max_pooling2d")
    tensors = session.tensors

    def poisoned(images: np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
        found = tensors(images, names)
        found["logits"][0, 3] = np.nan
        return found

    session.tensors = poisoned
    with pytest.raises(ModelError, match="not finite"):
        layer_views(session, IMAGE)


def test_a_model_without_a_description_says_so(model: Model) -> None:
    content = model.session.content.replace(b"digitscope.lens.layers", b"digitscope.lens.xxxxxx")
    with pytest.raises(ModelError, match="does not describe its layers"):
        layer_views(ClassifierSession(content, "bare.onnx"), IMAGE)


def test_a_layer_without_weights_says_so() -> None:
    layers = layer_views(small_network("same", "average_pooling2d"), IMAGE)
    assert [layer.size for layer in layers] == ["28 × 28 × 1", "28 × 28 × 3", "14 × 14 × 3", "588", "10"]
    with pytest.raises(ConfigError, match=r"layer 'p' \(average_pooling2d\) has no weights"):
        _ = layers[2].learned
