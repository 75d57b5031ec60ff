"""A model in the formats that other programs take: ONNX, Keras, TensorFlow Lite, plain JSON. It trains nothing.

Every file is loaded again and asked about the same images as the model before it takes its name. Keras and
TensorFlow are imported only for the formats that are theirs.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Floats
from digitscope.datasets.load import load_dataset
from digitscope.errors import ConfigError, DigitscopeError, MissingExtra, ModelError
from digitscope.files import atomic_path
from digitscope.models.layers import layers_of
from digitscope.models.model import Model, load, network_input
from digitscope.models.weights_json import answers, weights_record, weights_text
from digitscope.quiet import quiet

Format = Literal["onnx", "keras", "tflite", "weights-json"]

COMPARED = 256
"""MNIST training images on which a written file is compared with the model."""


def export_model(model: Model, format: Format = "onnx", out: str | Path | None = None) -> Path:
    """Write a model in another format, load the file again and compare what it answers.

    Args:
        model: what ``load`` gives: a shipped model, a run, an ``.onnx`` or a ``.keras`` file.
        format: ``onnx``: the model's own file; ``keras``: its layers and weights, ready to be trained further;
            ``tflite``: for phones and small devices, in float32; ``weights-json``: plain text that anything can read,
            described in ``models.weights_json``.
        out: the file to write, whole or not at all, or a folder to put it in; None makes ``NAME.onnx`` and so on in the
            working folder.

    Returns:
        The file.

    Raises:
        ConfigError: there is no such format, or ``out`` cannot be written or does not fit the format.
        ModelError: the model does not describe its layers (only ``onnx`` does without), the format does not take them,
            or the written file answers differently; then nothing is left behind.
        MissingExtra: Keras or TensorFlow is needed and not installed.
    """
    path, chosen = export_path(model, format, out), _FORMATS[format]
    images = network_input(load_dataset("mnist").x_train[:COMPARED])
    wanted = model.session.probabilities(images)
    try:
        with atomic_path(path) as temporary, quiet():
            chosen.write(model, temporary)
            found = chosen.answer(temporary, images)
            difference = float(np.abs(found - wanted).max())
            if not difference <= chosen.tolerance:
                raise ModelError(
                    f"{model.name} as {format} answers differently by up to {difference:g}, more than "
                    f"{chosen.tolerance:g}, so nothing was written; export the model in another format"
                )
    except DigitscopeError:
        raise
    except ModuleNotFoundError as error:
        raise MissingExtra.of(error) or error from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror or error}); give another file") from error
    except Exception as error:  # Keras and TensorFlow raise a dozen types on what they do not take
        raise ModelError(
            f"{model.name} does not go into the format {format} ({type(error).__name__}); give its layers plain names "
            "or export it in another format"
        ) from error
    return path


def export_path(model: Model, format: Format = "onnx", out: str | Path | None = None) -> Path:
    """The file that ``export_model`` writes, given the same.

    Raises:
        ConfigError: there is no such format, or the file is the model's own, or ends as files of this format do not.
    """
    if format not in _FORMATS:
        raise ConfigError(f"no format {format!r}; there are {', '.join(get_args(Format))}")
    suffix = _FORMATS[format].suffix
    source = Path(model.name).expanduser()
    stem = source.resolve().name if source.is_dir() else source.stem
    path = Path(out or ".").expanduser()
    if path.is_dir() or not path.suffix:
        path /= f"{stem}{suffix}"
    if path.suffix != suffix:
        raise ConfigError(f"{path} ends in {path.suffix!r}; give a file that ends in {suffix}, or a folder")
    if source.is_file() and path.exists() and path.samefile(source):
        raise ConfigError(f"{path} is the model itself; give another file to write")
    return path


@dataclass(frozen=True)
class _Format:
    """How a format is written and asked.

    Attributes:
        suffix: how its files end.
        tolerance: largest difference between a file's probabilities and the model's.
        write: writes a model to a path.
        answer: loads a path and gives the probabilities (n, 10) of images float32 (n, 28, 28, 1) 0..1.
    """

    suffix: str
    tolerance: float
    write: Callable[[Model, Path], object]
    answer: Callable[[Path, Floats], npt.NDArray[np.floating[Any]]]


def _rebuild() -> types.ModuleType:
    """``models.rebuild``, which brings Keras in."""
    from digitscope.models import rebuild

    return rebuild


def _write_json(model: Model, path: Path) -> None:
    path.write_text(weights_text(weights_record(layers_of(model))), encoding="utf-8", newline="\n")


def _json_answers(path: Path, images: Floats) -> npt.NDArray[np.float64]:
    """In parts of 32 images, because the windows of a convolution take a multiple of its memory."""
    record = json.loads(path.read_text(encoding="utf-8"))
    parts = [answers(record, images[start : start + 32]) for start in range(0, len(images), 32)]
    return np.concatenate(parts)


_FORMATS: Mapping[str, _Format] = types.MappingProxyType(
    {
        "onnx": _Format(
            ".onnx",
            1e-5,
            lambda model, path: path.write_bytes(model.session.content),
            lambda path, images: load(path).session.probabilities(images),
        ),
        "keras": _Format(
            ".keras",
            1e-5,
            lambda model, path: _rebuild().write_keras(layers_of(model), path),
            lambda path, images: _rebuild().keras_answers(path, images),
        ),
        "tflite": _Format(
            ".tflite",
            1e-4,
            lambda model, path: _rebuild().write_tflite(layers_of(model), path),
            lambda path, images: _rebuild().tflite_answers(path, images),
        ),
        "weights-json": _Format(".json", 1e-5, _write_json, _json_answers),
    }
)
"""Every format by its name."""
