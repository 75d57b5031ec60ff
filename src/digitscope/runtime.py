"""ONNX Runtime sessions of digit classifiers, opened with checks. No names, no cards: that is :mod:`digitscope.models`.

One ``.onnx`` file serves two uses. As it is, it answers with ten probabilities, at full speed. With the few hundred
bytes of :data:`LENS_SUFFIX` appended it also yields every layer's activations and weights: concatenated protobuf
messages merge, so a suffix that holds only more graph outputs adds them without touching the file (see
``docs/decisions.md``).
"""

from __future__ import annotations

import base64
import binascii
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from digitscope.errors import ModelError

LENS_SUFFIX = "digitscope.lens.suffix"
"""Metadata key: base64 of the bytes that turn the model into the one that yields all activations and weights."""

LENS_LAYERS = "digitscope.lens.layers"
"""Metadata key: JSON list, one entry per layer, that names the layer's tensors (written by ``export``)."""

LARGEST_MODEL = 512 * 1024**2
"""Bytes of the largest model file that is opened."""

BATCH = 128
"""Images per call of ONNX Runtime: the fastest measured on two cores (benchmarks/results/inference.json)."""


class ClassifierSession:
    """A network that maps images float32 (n, 28, 28, 1) in 0..1 to probabilities float32 (n, 10)."""

    def __init__(self, content: bytes, source: str) -> None:
        """Open a model.

        Args:
            content: the bytes of an ``.onnx`` file.
            source: what to call it in an error.

        Raises:
            ModelError: the bytes are no ONNX model, or not one from (n, 28, 28, 1) to (n, 10).
        """
        self.content = content
        self.source = source
        self._session = _open(content, source)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or not outputs:
            raise ModelError(f"{source} has {len(inputs)} inputs and {len(outputs)} outputs; expected one of each")
        if not _fits(inputs[0].shape, (28, 28, 1)) or inputs[0].type != "tensor(float)":
            raise ModelError(
                f"{source} takes {inputs[0].type} {inputs[0].shape}; expected images as tensor(float) [n, 28, 28, 1]"
            )
        if not _fits(outputs[0].shape, (10,)) or outputs[0].type != "tensor(float)":
            raise ModelError(
                f"{source} answers {outputs[0].type} {outputs[0].shape}; expected probabilities tensor(float) [n, 10]"
            )
        self._input, self._output = inputs[0].name, outputs[0].name

    def probabilities(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Probabilities float32 (n, 10) 0..1 of images float32 (n, 28, 28, 1) 0..1, in batches of :data:`BATCH`.

        Raises:
            ModelError: the network fails on these images, or its answer is not ten numbers per image.
        """
        answer = np.empty((len(images), 10), np.float32)
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            part = self._run(self._session, [self._output], batch)[0]
            if part.shape != (len(batch), 10):
                raise ModelError(f"{self.source} answered {part.shape} for {len(batch)} images; expected (n, 10)")
            answer[start : start + BATCH] = part
        return answer

    @property
    def metadata(self) -> dict[str, str]:
        """The custom metadata written into the file."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @cached_property
    def layers(self) -> list[dict[str, Any]]:
        """The layers that the file describes, input first; each names its tensors (see ``export``).

        Raises:
            ModelError: the file does not describe its layers.
        """
        try:
            layers = json.loads(self.metadata[LENS_LAYERS])
            if not isinstance(layers, list):
                raise TypeError
        except (KeyError, ValueError, TypeError) as error:
            raise ModelError(
                f"{self.source} does not describe its layers, so it can answer but not be looked into; "
                "use a model that digitscope exported"
            ) from error
        return layers

    def tensors(self, images: npt.NDArray[np.float32], names: list[str]) -> dict[str, npt.NDArray[np.float32]]:
        """Any activations and weights by the names that :attr:`layers` gives, for images float32 (n, 28, 28, 1) 0..1.

        Raises:
            ModelError: the file has no such tensors.
        """
        values = self._run(self._lens_session, names, images)
        return dict(zip(names, values, strict=True))

    @cached_property
    def _lens_session(self) -> onnxruntime.InferenceSession:
        try:
            suffix = base64.b64decode(self.metadata[LENS_SUFFIX], validate=True)
        except (KeyError, binascii.Error) as error:
            raise ModelError(f"{self.source} has no lens part; use a model that digitscope exported") from error
        return _open(self.content + suffix, self.source)

    def _run(
        self, session: onnxruntime.InferenceSession, names: list[str], images: npt.NDArray[np.float32]
    ) -> list[npt.NDArray[np.float32]]:
        try:
            return list(session.run(names, {self._input: images}))
        except Exception as error:  # ONNX Runtime's own exception types are private
            raise ModelError(f"{self.source} cannot be run: {_first_line(error)}") from error


def read_model(path: Path) -> bytes:
    """The bytes of a model file.

    Raises:
        ModelError: it cannot be read, is empty, or larger than :data:`LARGEST_MODEL`.
    """
    try:
        size = path.stat().st_size
        if not 0 < size <= LARGEST_MODEL:
            raise ModelError(f"{path} has {size:,} bytes; expected a model of at most {LARGEST_MODEL:,}")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def _open(content: bytes, source: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exception types are private
        raise ModelError(f"{source} is not a usable ONNX model: {_first_line(error)}") from error


def _fits(shape: list[int | str | None], tail: tuple[int, ...]) -> bool:
    """Whether a shape is (batch, *tail), where the batch and unknown sizes may be names."""
    return len(shape) == 1 + len(tail) and all(
        not isinstance(size, int) or size == wanted for size, wanted in zip(shape[1:], tail, strict=True)
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
