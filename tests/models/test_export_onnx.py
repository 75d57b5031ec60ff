from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ModelError
from digitscope.models.export_onnx import export_onnx, onnx_bytes
from digitscope.models.formats import export_model
from digitscope.models.lens import look
from digitscope.models.model import load
from digitscope.models.session import ClassifierSession
from digitscope.training.networks import build
from digitscope.training.recipes import recipe_of


@pytest.mark.parametrize("changes", [{}, {"pooling": "average"}, {"filters": "5,7", "kernel": 5, "dense": 33}], ids=str)
def test_keras_and_onnx_agree_in_every_layer(changes: dict[str, object]):
    keras.utils.set_random_seed(1)
    network = build(recipe_of("seed", changes))
    for layer in network.layers:
        if layer.weights:
            layer.bias.assign(np.random.default_rng(2).normal(size=layer.bias.shape) / 10)
    session = ClassifierSession(onnx_bytes(network), "test")
    x = load_mnist()[1][0][:100, ..., None].astype(np.float32) / 255
    assert [layer["name"] for layer in session.layers] == ["input", *(layer.name for layer in network.layers)]
    values: object = x
    for layer, entry in zip(network.layers, session.layers[1:], strict=True):
        values = layer(values)
        tensors = session.tensors(x, [entry[key]["tensor"] for key in ("output", "kernel", "bias") if key in entry])
        stored = tensors[entry["output"]["tensor"]]
        stored = stored.transpose(0, 2, 3, 1) if entry["output"]["layout"] == "nchw" else stored
        np.testing.assert_allclose(stored, keras.ops.convert_to_numpy(values), atol=1e-5, rtol=1e-5)
        assert tuple(entry["shape"]) == stored.shape[1:]
        if "kernel" in entry:
            kernel = tensors[entry["kernel"]["tensor"]]
            kernel = kernel.transpose(2, 3, 1, 0) if entry["kernel"]["layout"] == "oihw" else kernel
            np.testing.assert_array_equal(kernel, layer.get_weights()[0])
            np.testing.assert_array_equal(tensors[entry["bias"]["tensor"]].ravel(), layer.get_weights()[1])
    assert sum(entry["parameters"] for entry in session.layers) == network.count_params()


def test_the_seed_network_has_the_shapes_of_the_classic_projects():
    network = build(recipe_of("seed"))
    assert network.count_params() == 225_034
    assert [layer.output.shape[1:] for layer in network.layers] == [
        (26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (1600,), (128,), (10,),
    ]  # fmt: skip
    assert [layer.count_params() for layer in network.layers] == [320, 0, 18_496, 0, 0, 204_928, 1_290]


def test_lower_precision_is_never_exported(tmp_path: Path):
    with pytest.raises(ModelError, match="mixed_bfloat16"):
        export_onnx(build(recipe_of("classic"), "mixed_bfloat16"), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_an_unknown_layer_is_named():
    network = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dropout(0.5, name="drop")]
    )
    with pytest.raises(ModelError, match="drop is a Dropout"):
        onnx_bytes(network)


def test_a_keras_file_without_biases_is_opened_and_looked_into(tmp_path: Path):
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Conv2D(3, 5, strides=2, activation="relu", use_bias=False, name="c"),
        keras.layers.Flatten(name="f"),
        keras.layers.Dense(10, activation="softmax", use_bias=False, name="s"),
    ]
    network = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    network.save(tmp_path / "plain.keras")
    model, images = load(tmp_path / "plain.keras"), load_mnist()[1][0][:20]
    wanted = network.predict(images[..., None].astype(np.float32) / 255, verbose=0)
    np.testing.assert_allclose(model.predict(images), wanted, atol=1e-5)
    conv, flat, last = look(model, images[0]).layers[1:]
    assert [layer.parameters for layer in (conv, flat, last)] == [75, 0, 4320]
    assert conv.parameter_formula == "3·(5·5·1) = 75"
    assert conv.bias is not None and not conv.bias.any()
    path = export_model(model, "keras", tmp_path / "again.keras")
    assert keras.saving.load_model(path).count_params() == network.count_params()
