"""A Keras network as plain ONNX: TensorFlow writes it, whatever backend Keras runs on. It compares nothing.

Keras can export from PyTorch and JAX too, with a further package for each, a fixed number of images and other graphs.
One writer for all keeps a file from depending on where its network was trained.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import keras

from digitscope.errors import MissingExtra, ModelError
from digitscope.quiet import quiet

_WRITE = """
import sys
import keras
network = keras.saving.load_model(sys.argv[1], compile=False, safe_mode=True)
network(keras.ops.zeros([size or 64 for size in network.input_shape]))
network.export(sys.argv[2], format="onnx", verbose=False)
"""
"""A ``.keras`` file to an ``.onnx`` file; Keras exports only what was called before."""


def check_exporter() -> None:
    """Make sure that a network can be written at all; better known before a training than after it.

    Raises:
        MissingExtra: TensorFlow or tf2onnx is not installed.
    """
    for package, name in (("tensorflow", "TensorFlow"), ("tf2onnx", "tf2onnx")):
        if find_spec(package) is None:
            raise MissingExtra(f"{name}, which writes model.onnx whatever backend Keras runs on,", "train")


def how_written() -> str:
    """Which of Keras' backends writes the files, in one sentence."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return "TensorFlow, on which Keras ran, wrote model.onnx"
    return (
        f"Keras ran on {backend}; TensorFlow wrote model.onnx from the saved network, in a process of its own, "
        f"and every layer answers as it does on {backend}"
    )


def onnx_of(network: keras.Model) -> bytes:
    """The ONNX file that Keras writes of a network on TensorFlow; for other backends in a process of its own.

    That process leaves the graphics processors, and the flags of the other backend, alone.

    Args:
        network: of one input, its layers Keras' own.

    Raises:
        ModelError: the other process has failed.
    """
    with tempfile.TemporaryDirectory() as folder, quiet():
        source, target = Path(folder) / "model.keras", Path(folder) / "model.onnx"
        if keras.backend.backend() == "tensorflow":
            network(keras.ops.zeros([size or 64 for size in network.input_shape]))
            network.export(target, format="onnx", verbose=False)
        else:
            network.save(source)
            _write_under_tensorflow(source, target)
        return target.read_bytes()


def _write_under_tensorflow(source: Path, target: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"}
    environment |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", _WRITE, str(source), str(target)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise ModelError(f"TensorFlow cannot write the network as ONNX ({reason}); set KERAS_BACKEND=tensorflow")
