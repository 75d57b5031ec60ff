"""Checks a ``.keras`` file before Keras opens it: only known layers, and all the weights that they announce.

Nothing in the file is executed, and nothing large is unpacked.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

from digitscope.errors import ModelError
from digitscope.files import POINTER, check_directory, check_fetched, check_packed
from digitscope.models.layers import KERAS_KINDS, shape_after
from digitscope.models.session import LARGEST_MODEL

LAYERS = ("InputLayer", *KERAS_KINDS)
"""The layer classes that a file may name."""

LARGEST_TEXT = 1 << 20
"""Bytes of the longest text in a file that is read; that of the largest recipe has 8,000."""

HDF5 = b"\x89HDF\r\n\x1a\n"
"""What every HDF5 file begins with. Source: the HDF5 file format specification."""


def check_keras_file(path: Path) -> None:
    """Refuse a file that holds anything but a Sequential of known layers and all of their weights.

    Raises:
        ModelError: it is not a ``.keras`` file, would unpack to more than ``LARGEST_MODEL``, names other classes, or
            does not hold the weights that its layers announce.
    """
    try:
        check_beginning(path)
        check_directory(path, ModelError)
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, path)
            network = json.loads(archive.read("config.json"))
        parts = [network, *network["config"]["layers"]]
        classes = [part["class_name"] for part in parts]
        registered = [part.get("registered_name") for part in parts]
    except ModelError:
        raise
    except Exception as error:  # zipfile, zlib and json raise a dozen types on damaged files
        raise ModelError(
            f"{path} is not a readable .keras file ({type(error).__name__}); save the model again"
        ) from error
    if classes[0] != "Sequential" or any(name not in LAYERS for name in classes[1:]):
        raise ModelError(
            f"{path} holds {', '.join(map(str, classes))[:200]}; expected a Sequential of {', '.join(LAYERS)}"
        )
    if (foreign := _foreign_module(network)) is not None:
        raise ModelError(f"{path} would import {foreign[:100]}, which is not Keras; refused")
    if any(name not in (None, *LAYERS, "Sequential") for name in registered):
        raise ModelError(f"{path} holds registered classes {registered}, which are not loaded")
    _check_weights(path, parts[1:])


def _foreign_module(network: Any) -> str | None:
    """A module outside Keras from which a part of a network, however deep, would be taken; None if there is none."""
    waiting = [network]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            module = part.get("module")
            if "class_name" in part and module is not None and str(module).partition(".")[0] != "keras":
                return str(module)
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return None


def _check_sizes(archive: zipfile.ZipFile, path: Path) -> None:
    """Make sure that nothing in a file unpacks to more than a network of digits needs."""
    items = archive.infolist()
    if sum(item.file_size for item in items) > LARGEST_MODEL:
        raise ModelError(f"{path} unpacks to more than {LARGEST_MODEL:,} bytes; refused")
    for item in items:
        name = f"{item.filename[:40]} in {path}"
        if item.filename.endswith(".json") and item.file_size > LARGEST_TEXT:
            raise ModelError(f"{name} has {item.file_size:,} bytes; expected at most {LARGEST_TEXT:,}; refused")
        check_packed(item.file_size, item.compress_size, name, ModelError)


def check_beginning(path: Path) -> None:
    """Make sure that a file is neither a pointer of Git LFS nor in Keras' older format, whatever it is called.

    Raises:
        ModelError: it is.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(len(POINTER))
    check_fetched(content, path, ModelError)
    if content.startswith(HDF5):
        raise ModelError(
            f"{path} is a model in Keras' older HDF5 format; save it anew with: "
            f'keras.saving.load_model("{path.name}").save("{path.with_suffix(".keras").name}")'
        )


def _check_weights(path: Path, layers: list[dict[str, Any]]) -> None:
    """Make sure that the announced weights are there: Keras allocates memory for them before it looks.

    Raises:
        ModelError: they are not, or cannot be counted.
    """
    try:
        announced = _parameters(layers)
        with zipfile.ZipFile(path) as archive:
            held = _numbers_in(archive.read("model.weights.h5"))
    except Exception as error:  # zipfile and h5py raise a dozen types on damaged files
        raise ModelError(f"{path} cannot be loaded ({type(error).__name__}); save the model again") from error
    if not announced <= held <= LARGEST_MODEL // 4:
        raise ModelError(f"{path} announces {announced:,} weights and holds {held:,}; save the model again")


def _numbers_in(weights: bytes) -> int:
    """How many numbers an HDF5 file unpacks to, counted without unpacking them."""
    import h5py  # extra train

    sizes: list[int] = []
    with h5py.File(io.BytesIO(weights)) as file:
        file.visititems(lambda _, item: sizes.append(item.size) if isinstance(item, h5py.Dataset) else None)
    return sum(sizes)


def _parameters(layers: list[dict[str, Any]]) -> int:
    """How many weights and biases the layers have by their configuration."""
    shape: tuple[int, ...] = (28, 28, 1)
    parameters = 0
    for kind, config in ((KERAS_KINDS.get(layer["class_name"]), layer["config"]) for layer in layers):
        if kind is None:  # the input
            continue
        units = config.get("filters", config.get("units", 0))
        window = tuple(config.get("kernel_size") or config.get("pool_size") or ()) or None
        strides = tuple(config.get("strides") or window or ()) or None
        if kind in ("conv2d", "dense"):
            parameters += (math.prod(window or ()) * shape[-1] + bool(config["use_bias"])) * units
        shape = shape_after(shape, kind, units, window, strides, config.get("padding", "valid"))
    return parameters
