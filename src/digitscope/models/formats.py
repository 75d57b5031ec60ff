"""Exports a model to the formats of other programs: ONNX, Keras, TensorFlow Lite, plain JSON, C.

Every file is loaded again, and its answers are compared with the model's, before it gets its name. Keras and
TensorFlow are imported only for their own formats.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

import digitscope
from digitscope.arraytypes import Doubles, Floats
from digitscope.datasets.load import load_dataset
from digitscope.errors import ConfigError, DigitscopeError, MissingExtra, ModelError
from digitscope.files import atomic_path, writing
from digitscope.models.c_header import header_record, header_text
from digitscope.models.inputs import network_input
from digitscope.models.layers import layer_views
from digitscope.models.model import Model, load
from digitscope.models.weights_json import answers, weights_record, weights_text
from digitscope.quiet import quiet

Format = Literal["onnx", "keras", "tflite", "tflite-int8", "weights-json", "c"]

COMPARED = 256
"""Number of MNIST training images on which a written file is compared with the model."""

RANGES = 1000
"""Number of MNIST training images, others, by which the ranges of a network in eight bits are set."""


def export_model(model: Model, format: Format = "onnx", out: str | Path | None = None) -> Path:
    """Write a model in another format, load the file again and compare its answers.

    Args:
        model: what ``load`` gives: a shipped model, a run, an ``.onnx`` or a ``.keras`` file.
        format: ``onnx``: the model's own file; ``keras``: its layers and weights, ready for further training;
            ``tflite``: for phones and small devices, in float32; ``tflite-int8``: the same in eight bits, input and
            output too, where a pixel is its level 0..255 less 128 and an answer p is round(256 p) - 128;
            ``weights-json``: plain text that any program can read, described in ``models.weights_json``; ``c``: a
            header for C99 with weights and code, see ``models.c_header``.
        out: the file to write, whole or not at all, or a folder to put it in; None makes ``NAME.onnx`` (or ``.keras``
            and so on) in the working folder.

    Returns:
        The file.

    Raises:
        ConfigError: there is no such format, or ``out`` cannot be written or does not fit the format.
        ModelError: the model does not describe its layers (only ``onnx`` works without), the format cannot represent
            them, or the written file answers differently; then nothing is left behind.
        MissingExtra: Keras or TensorFlow is needed and not installed.
    """
    path, chosen = export_path(model, format, out), _FORMATS[format]
    images = network_input(load_dataset("mnist").x_train[:COMPARED])
    wanted = model.session.probabilities(images)
    try:
        with writing(path, "give another file"), atomic_path(path) as temporary, quiet():
            chosen.write(model, temporary)
            difference = chosen.difference(wanted, chosen.answer(temporary, images))
            if not difference <= chosen.tolerance:
                raise ModelError(
                    f"{model.name} as {format} answers differently ({chosen.difference.__name__.replace('_', ' ')} "
                    f"{difference:g}, allowed {chosen.tolerance:g}), so nothing was written; export the model in "
                    "another format"
                )
    except DigitscopeError:
        raise
    except ModuleNotFoundError as error:
        raise MissingExtra.of(error) or error from error
    except Exception as error:  # Keras and TensorFlow raise a dozen types on what they cannot convert
        raise ModelError(
            f"{model.name} cannot be converted to {format} ({type(error).__name__}); give its layers plain names "
            "or export it in another format"
        ) from error
    return path


def export_path(model: Model, format: Format = "onnx", out: str | Path | None = None) -> Path:
    """The file that ``export_model`` would write; nothing is written.

    Raises:
        ConfigError: there is no such format, the file is the model itself, or its suffix does not fit the format.
    """
    if format not in _FORMATS:
        raise ConfigError(f"no format {format!r}; there are {', '.join(get_args(Format))}")
    suffix = _FORMATS[format].suffix
    source = Path(model.name).expanduser()
    stem = model.short_name if source.is_dir() else Path(model.short_name).stem
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
    """How a format is written and read.

    Attributes:
        suffix: the end of its files' names.
        tolerance: largest difference allowed between a file's probabilities and the model's.
        write: writes a model to a path.
        answer: loads a path and gives the probabilities (n, 10) of images float32 (n, 28, 28, 1) 0..1.
        difference: between the model's probabilities and the file's.
    """

    suffix: str
    tolerance: float
    write: Callable[[Model, Path], None]
    answer: Callable[[Path, Floats], Floats | Doubles]
    difference: Callable[[Floats, Floats | Doubles], float]


def largest_difference(wanted: Floats, found: Floats | Doubles) -> float:
    """Of the probabilities."""
    return float(np.abs(found - wanted).max())


def share_of_other_digits(wanted: Floats, found: Floats | Doubles) -> float:
    """The share 0..1 of images that get another digit; eight bits cannot keep probabilities."""
    return float(np.mean(found.argmax(axis=1) != wanted.argmax(axis=1)))


def _write_onnx(model: Model, path: Path) -> None:
    path.write_bytes(model.session.content)


def _onnx_answers(path: Path, images: Floats) -> Floats:
    return load(path).session.probabilities(images)


def _write_keras(model: Model, path: Path) -> None:
    from digitscope.models.export_keras import write_keras  # extra train

    write_keras(layer_views(model.session), path)


def _keras_answers(path: Path, images: Floats) -> Floats:
    from digitscope.models.export_keras import keras_answers  # extra train

    return keras_answers(path, images)


def _write_tflite(model: Model, path: Path) -> None:
    from digitscope.models.export_keras import write_tflite  # extra train

    write_tflite(layer_views(model.session), path)


def _write_eight_bits(model: Model, path: Path) -> None:
    from digitscope.models.export_keras import write_tflite  # extra train

    images = load_dataset("mnist").x_train[COMPARED : COMPARED + RANGES]
    write_tflite(layer_views(model.session), path, network_input(images))


def _tflite_answers(path: Path, images: Floats) -> Floats:
    from digitscope.models.export_keras import tflite_answers  # extra train

    return tflite_answers(path, images)


def _write_json(model: Model, path: Path) -> None:
    path.write_text(weights_text(weights_record(layer_views(model.session))), encoding="utf-8", newline="\n")


def _json_answers(path: Path, images: Floats) -> Doubles:
    return _record_answers(json.loads(path.read_text(encoding="utf-8")), images)


def _record_answers(record: dict[str, Any], images: Floats) -> Doubles:
    """In batches of 32 images, because a convolution's windows take several times the memory of its input."""
    batches = [answers(record, images[start : start + 32]) for start in range(0, len(images), 32)]
    return np.concatenate(batches)


def _write_c(model: Model, path: Path) -> None:
    about = f"{model.short_name} reads one handwritten digit; written by Digitscope {digitscope.__version__}."
    text = header_text(layer_views(model.session), Path(model.short_name).stem, about)
    path.write_text(text, encoding="utf-8", newline="\n")


def _c_answers(path: Path, images: Floats) -> Doubles:
    return _record_answers(header_record(path.read_text(encoding="utf-8")), images)


_FORMATS: Mapping[str, _Format] = types.MappingProxyType(
    {
        "onnx": _Format(".onnx", 1e-5, _write_onnx, _onnx_answers, largest_difference),
        "keras": _Format(".keras", 1e-5, _write_keras, _keras_answers, largest_difference),
        "tflite": _Format(".tflite", 1e-4, _write_tflite, _tflite_answers, largest_difference),
        "tflite-int8": _Format(".tflite", 0.02, _write_eight_bits, _tflite_answers, share_of_other_digits),
        "weights-json": _Format(".json", 1e-5, _write_json, _json_answers, largest_difference),
        "c": _Format(".h", 1e-5, _write_c, _c_answers, largest_difference),
    }
)
"""Every format by its name."""
