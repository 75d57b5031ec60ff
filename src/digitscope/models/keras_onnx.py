"""A Keras network as plain ONNX, written by TensorFlow on every backend. ``models.export_onnx`` checks the result.

Keras can also export from PyTorch and JAX, but it needs another package for each, fixes the number of images and
writes different graphs. With one writer, a file does not depend on the backend that trained it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from digitscope.backend import keras
from digitscope.errors import MissingExtra, ModelError
from digitscope.quiet import quiet

_WRITE = """
import sys
import keras
network = keras.saving.load_model(sys.argv[1], compile=False, safe_mode=True)
network(keras.ops.zeros([size or 64 for size in network.input_shape]))
network.export(sys.argv[2], format="onnx", verbose=False)
"""
"""Turns a ``.keras`` file into an ``.onnx`` file; Keras exports a network only after it was called once."""


def check_exporter() -> None:
    """Make sure that networks can be exported; a training calls this before it starts.

    Raises:
        MissingExtra: TensorFlow or tf2onnx is not installed.
    """
    for package, name in (("tensorflow", "TensorFlow"), ("tf2onnx", "tf2onnx")):
        if find_spec(package) is None:
            raise MissingExtra(f"{name}, which writes model.onnx whatever backend Keras runs on,", "train")


def how_written() -> str:
    """A sentence on which backend wrote ``model.onnx``, for the records of a run."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return "TensorFlow, on which Keras ran, wrote model.onnx"
    return (
        f"Keras ran on {backend}; TensorFlow wrote model.onnx from the saved network, in a process of its own, "
        f"and every layer answers as it does on {backend}"
    )


def onnx_of(network: keras.Model) -> bytes:
    """A network as the bytes of an ONNX file; on a backend other than TensorFlow, a separate process writes it.

    That process uses no graphics processor and ignores ``XLA_FLAGS``.

    Args:
        network: one input, Keras' own layers only.

    Raises:
        ModelError: the process failed.
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
