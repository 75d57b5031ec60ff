"""From Keras networks to the ONNX files that everything else reads; every layer is first compared with Keras.

The file describes its layers, so that their activations and weights can be shown (see ``models.session``).
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from digitscope.arraytypes import Floats
from digitscope.backend import keras
from digitscope.errors import ModelError
from digitscope.files import write_bytes
from digitscope.models.keras_guard import check_keras_file
from digitscope.models.keras_onnx import check_exporter, onnx_of
from digitscope.models.layers import KERAS_KINDS
from digitscope.models.session import LENS_LAYERS, LENS_SUFFIX, ClassifierSession
from digitscope.quiet import quiet

TOLERANCE = 1e-5
"""The largest difference allowed between Keras and ONNX in any activation, relative to max(1, |value|)."""


def export_onnx(network: keras.Sequential, path: str | Path) -> None:
    """Write ``network`` as an ``.onnx`` file, whole or not at all.

    Args:
        network: float32 layers of ``layers.KERAS_KINDS`` from images (n, 28, 28, 1) to probabilities (n, 10).
        path: the file to write.

    Raises:
        ModelError: the network has other layers, or an activation of the file differs from Keras' by more than
            ``TOLERANCE``.
        MissingExtra: TensorFlow or tf2onnx is not installed.
    """
    write_bytes(path, onnx_bytes(network))


def onnx_bytes(network: keras.Sequential) -> bytes:
    """The file that ``export_onnx`` writes; same arguments and errors."""
    for layer in network.layers:
        if type(layer).__name__ not in KERAS_KINDS:
            raise ModelError(f"layer {layer.name} is a {type(layer).__name__}; expected {', '.join(KERAS_KINDS)}")
        if layer.dtype_policy.name != "float32":
            raise ModelError(f"layer {layer.name} has {layer.dtype_policy.name}; copy the weights to float32 first")
    check_exporter()
    probe = np.random.default_rng(0).random((16, 28, 28, 1), np.float32)
    with quiet(), keras.device("cpu"):  # graphics processors round the factors of their float32 products
        exact = keras.Sequential.from_config(network.get_config())
        exact.set_weights(network.get_weights())
        model = onnx.load_from_string(onnx_of(exact))
        activations = _activations(exact, probe)
        suffix, layers = _describe(exact, model, activations, probe)
    model.graph.doc_string = ""
    properties = {
        LENS_LAYERS: json.dumps(layers),
        LENS_SUFFIX: base64.b64encode(suffix.SerializeToString()).decode(),
    }
    onnx.helper.set_model_props(model, properties)
    content: bytes = model.SerializeToString()
    _check(content, layers, activations, probe)
    return content


def onnx_of_keras_file(path: Path) -> bytes:
    """A ``.keras`` file as the bytes of an ONNX file.

    Nothing in it is executed: ``keras_guard`` accepts only layers of ``layers.KERAS_KINDS``, and Keras loads it in safe
    mode.

    Raises:
        ModelError: the file is damaged, holds other layers, or is not a classifier of 28x28 digits.
    """
    check_keras_file(path)
    try:
        with quiet():
            network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras, h5py and zipfile raise a dozen types on damaged files
        raise ModelError(f"{path} cannot be loaded by Keras ({type(error).__name__}); save the model again") from error
    if network.input_shape != (None, 28, 28, 1) or network.output_shape != (None, 10):
        raise ModelError(
            f"{path} maps {network.input_shape} to {network.output_shape}; expected (None, 28, 28, 1) to (None, 10)"
        )
    return onnx_bytes(network)


def _activations(network: keras.Sequential, probe: Floats) -> list[Floats]:
    """Every layer's activations for ``probe`` in Keras."""
    values, found = probe, []
    for layer in network.layers:
        values = keras.ops.convert_to_numpy(layer(values))
        found.append(values)
    return found


def _sums(layer: keras.layers.Layer, before: Floats) -> Floats:
    """A layer's weighted sums, before its activation."""
    activation, layer.activation = layer.activation, keras.activations.linear
    try:
        return np.asarray(keras.ops.convert_to_numpy(layer(before)), np.float32)
    finally:
        layer.activation = activation


def _describe(
    network: keras.Sequential, model: onnx.ModelProto, activations: list[Floats], probe: Floats
) -> tuple[onnx.ModelProto, list[dict[str, Any]]]:
    """A model that only adds outputs (the lens suffix), and the list of layers that names their tensors.

    The tensor of each layer is found by its values, so it does not matter how the exporter names or reorders them.
    """
    found = _Tensors(model, probe)
    layers: list[dict[str, Any]] = [
        {"name": "input", "kind": "input", "shape": [28, 28, 1], "parameters": 0, "activation": "linear"}
    ]
    for layer, before, values in zip(network.layers, [probe, *activations], activations, strict=False):
        entry: dict[str, Any] = {
            "name": layer.name,
            "kind": KERAS_KINDS[type(layer).__name__],
            "shape": list(values.shape[1:]),
            "parameters": int(layer.count_params()),
            "activation": getattr(getattr(layer, "activation", None), "__name__", "linear"),
            "output": found.activation(layer.name, values),
        }
        if entry["kind"] in ("conv2d", "dense"):
            entry["sum"] = found.activation(layer.name, _sums(layer, before))
            kernel, *biases = layer.get_weights()  # none with use_bias=False
            entry["kernel"] = found.weight(layer.name, kernel)
            entry["bias"] = next((found.weight(layer.name, bias) for bias in biases if bias.any()), None)
        if entry["kind"] == "conv2d":
            entry |= {"kernel_size": list(layer.kernel_size), "strides": list(layer.strides), "padding": layer.padding}
        if entry["kind"].endswith("pooling2d"):
            entry |= {"pool_size": list(layer.pool_size), "strides": list(layer.strides), "padding": layer.padding}
        layers.append(entry)
    return found.suffix, layers


class _Tensors:
    """All float tensors of a model for one input, to be found by their values; those found become outputs.

    Attributes:
        suffix: a model with nothing but these outputs.
    """

    def __init__(self, model: onnx.ModelProto, probe: Floats) -> None:
        self.suffix = onnx.ModelProto()
        self._weights = {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}
        everything = onnx.ModelProto()
        everything.CopyFrom(model)
        own = {output.name for output in model.graph.output}
        everything.graph.output.extend(
            onnx.ValueInfoProto(name=name)
            for node in model.graph.node
            for name in node.output
            if name and name not in own
        )
        session = onnxruntime.InferenceSession(everything.SerializeToString(), providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        answers = session.run(names, {session.get_inputs()[0].name: probe})
        self._activations = {
            name: value for name, value in zip(names, answers, strict=True) if value.dtype == np.float32
        }
        self._added = own

    def activation(self, layer: str, values: Floats) -> dict[str, str]:
        """The tensor that equals ``values`` (n, ...), and the order of its axes."""
        layouts = {"nhwc": values}
        if values.ndim == 4:
            layouts = {"nchw": values.transpose(0, 3, 1, 2)} | layouts
        for layout, wanted in layouts.items():
            for name, value in self._activations.items():
                if value.shape == wanted.shape and _difference(value, wanted) <= TOLERANCE:
                    self._add(name)
                    return {"tensor": name, "layout": layout}
        raise ModelError(f"the ONNX file has no tensor that equals layer {layer} within {TOLERANCE}")

    def weight(self, layer: str, values: Floats) -> dict[str, str]:
        """The weight that equals ``values``, and the order of its axes: Keras', or ``oihw`` for kernels."""
        layouts = {"oihw": values.transpose(3, 2, 0, 1)} if values.ndim == 4 else {"keras": values}
        for layout, wanted in layouts.items():
            for name, value in self._weights.items():
                if value.size == wanted.size and np.array_equal(value.ravel(), wanted.ravel()):
                    output = f"{name}/value"
                    if output not in self._added:
                        self.suffix.graph.node.append(onnx.helper.make_node("Identity", [name], [output]))
                    self._add(output)
                    return {"tensor": output, "layout": layout}
        raise ModelError(f"the ONNX file has no weight that equals one of layer {layer}")

    def _add(self, name: str) -> None:
        if name not in self._added:
            self._added.add(name)
            self.suffix.graph.output.append(onnx.ValueInfoProto(name=name))


def _check(content: bytes, layers: list[dict[str, Any]], activations: list[Floats], probe: Floats) -> None:
    """Compare the finished file with Keras, layer by layer.

    Raises:
        ModelError: an activation differs by more than ``TOLERANCE``.
    """
    session = ClassifierSession(content, "the exported model")
    values = session.tensors(probe, [layer["output"]["tensor"] for layer in layers[1:]])
    for layer, wanted in zip(layers[1:], activations, strict=True):
        value = values[layer["output"]["tensor"]]
        if layer["output"]["layout"] == "nchw":
            value = value.transpose(0, 2, 3, 1)
        if _difference(value, wanted) > TOLERANCE:
            raise ModelError(f"layer {layer['name']} differs from Keras by {_difference(value, wanted):g}")
    answer = session.probabilities(probe)
    if _difference(answer, activations[-1]) > TOLERANCE:
        raise ModelError(f"the exported model differs from Keras by {_difference(answer, activations[-1]):g}")


def _difference(value: Floats, wanted: Floats) -> float:
    """The largest |value - wanted| / max(1, |wanted|)."""
    return float(np.max(np.abs(value - wanted) / np.maximum(1, np.abs(wanted)), initial=0))
