"""From a model file back to a Keras network, and on to TensorFlow Lite: the reverse of ``models.export_onnx``.

It does not check the result; ``models.formats`` compares its answers with the model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digitscope.arraytypes import Floats
from digitscope.backend import keras
from digitscope.errors import ConfigError
from digitscope.models.layers import LayerView
from digitscope.models.weights_json import learned_arrays


def keras_network(layers: Sequence[LayerView]) -> keras.Sequential:
    """The same layers with the same weights as a float32 Keras network.

    Args:
        layers: all layers of the network, the input first.
    """
    first, *others = layers
    network = keras.Sequential(
        [keras.Input(first.shape, name=first.name), *(_keras_layer(view) for view in others)], name="digitscope"
    )
    for layer, view in zip(network.layers, others, strict=True):
        layer.set_weights(list(learned_arrays(view).values()))
    return network


def write_keras(layers: Sequence[LayerView], path: Path) -> None:
    """Write a network as a ``.keras`` file."""
    keras_network(layers).save(path)


def keras_answers(path: Path, images: Floats) -> Floats:
    """The answers of a ``.keras`` file: probabilities float32 (n, 10) of images float32 (n, 28, 28, 1) 0..1."""
    network = keras.saving.load_model(path, compile=False, safe_mode=True)
    return np.asarray(keras.ops.convert_to_numpy(network(images)), np.float32)


def write_tflite(layers: Sequence[LayerView], path: Path, ranges: Floats | None = None) -> None:
    """Write a network as a ``.tflite`` file that takes any number of images at once.

    Args:
        layers: all layers of the network, the input first.
        path: of the file.
        ranges: images float32 (n, 28, 28, 1) 0..1 that set the ranges of a file all in eight bits, input and output
            included; None: in float32.

    Raises:
        ConfigError: Keras does not run on TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ConfigError(
            f"only TensorFlow can write a TensorFlow Lite file, and Keras runs on {keras.backend.backend()}; "
            "set KERAS_BACKEND=tensorflow"
        )
    import tensorflow  # extra train; Keras files do without it

    converter = tensorflow.lite.TFLiteConverter.from_keras_model(keras_network(layers))
    if ranges is not None:
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in ranges)
        converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tensorflow.int8
    path.write_bytes(converter.convert())


def tflite_answers(path: Path, images: Floats) -> Floats:
    """The answers of a ``.tflite`` file: probabilities float32 (n, 10) of images float32 (n, 28, 28, 1) 0..1."""
    import tensorflow  # extra train; Keras files do without it

    interpreter = tensorflow.lite.Interpreter(model_content=path.read_bytes())
    (image,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(image["index"], images.shape)
    interpreter.allocate_tensors()
    scale, zero = image["quantization"]
    if scale:
        images = np.clip(np.rint(images / scale) + zero, -128, 127).astype(np.int8)
    interpreter.set_tensor(image["index"], images)
    interpreter.invoke()
    found = np.asarray(interpreter.get_tensor(answer["index"]), np.float32)
    scale, zero = answer["quantization"]
    return (found - zero) * np.float32(scale) if scale else found


def _keras_layer(view: LayerView) -> keras.layers.Layer:
    """One layer after the input, before its weights are set."""
    if view.kind == "flatten":
        return keras.layers.Flatten(name=view.name)
    if view.kernel is None:
        pooling = keras.layers.MaxPooling2D if view.kind == "max_pooling2d" else keras.layers.AveragePooling2D
        return pooling(view.window, view.strides, view.padding, name=view.name)
    common = {"activation": view.activation, "use_bias": "bias" in learned_arrays(view), "name": view.name}
    if view.kind == "dense":
        return keras.layers.Dense(view.shape[-1], **common)
    return keras.layers.Conv2D(view.shape[-1], view.window, view.strides, view.padding, **common)
