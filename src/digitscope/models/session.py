"""Networks in ONNX Runtime, with limits on what a model file can do. ``models.model`` loads them by name.

A model file may come from anyone. It is checked before it is opened, cannot read other files, shares a limited memory
with all others, and must give its first answer within a time limit.

One ``.onnx`` file serves two uses. As it is, it answers with ten probabilities, at full speed. With the few hundred
bytes of ``LENS_SUFFIX`` appended, it also gives every layer's activations and weights: concatenated Protobuf
messages merge, so a suffix of nothing but graph outputs adds them without changing the file (see
``docs/decisions.md``).
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

from digitscope.arraytypes import Floats
from digitscope.errors import ModelError, first_line
from digitscope.files import check_fetched
from digitscope.models.onnx_guard import check_tensors

LENS_SUFFIX = "digitscope.lens.suffix"
"""Metadata key: base64 of the bytes that, appended to the file, make all activations and weights outputs."""

LENS_LAYERS = "digitscope.lens.layers"
"""Metadata key: JSON list with an entry per layer that names the layer's tensors; ``models.export_onnx`` writes it."""

LARGEST_MODEL = 512 * 1024**2
"""The largest model file that is opened, in bytes."""

LARGEST_ANSWER = 2 * 1024**3
"""Memory limit for the answers of all models together, in bytes: more than a batch of the widest network needs."""

LONGEST_ANSWER = 20.0
"""Time limit for a model's answer to one blank image, in seconds; generous, because the machine may be busy."""

BATCH = 128
"""Images per call of ONNX Runtime; the fastest measured on two cores (benchmarks/results/inference.json)."""

_threads = {"of each session": 0}
"""Threads that a session computes with; 0 leaves it to ONNX Runtime, which takes a thread for each core."""

FLOATS = "tensor(float)"
"""What ONNX Runtime calls an array of float32."""

ROUNDING = 1e-3
"""How far the sum of ten probabilities may be from 1, and one probability above 1."""


def use_threads(threads: int) -> None:
    """Let every session that this process opens from now on compute with so many threads; 0: one for each core."""
    _threads["of each session"] = threads


class TensorInfo(NamedTuple):
    """An input or output of a network: name, type as ONNX Runtime calls it, and sizes; an unknown size is a name."""

    name: str
    type: str
    shape: list[int | str | None]


class Session:
    """Any network in ONNX Runtime; anything wrong with its file is a ModelError.

    Attributes:
        source: what to call the file in a message.
        inputs: the tensors that it takes.
        outputs: the tensors that it gives.
        metadata: the custom metadata in the file.
    """

    def __init__(self, content: bytes, source: str) -> None:
        """Open a model.

        Args:
            content: the bytes of an ``.onnx`` file.
            source: what to call it in a message.

        Raises:
            ModelError: the bytes are not an ONNX model, or need other files.
        """
        self.source = source
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = _threads["of each session"]
        options.add_session_config_entry("session.use_env_allocators", "1")
        # Between two steps a thread would wait in a busy loop, and so keep other programs, and this one, from working.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
        _bound_memory()
        try:
            check_tensors(content)
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
            self.inputs, self.outputs = (
                [TensorInfo(part.name, part.type, part.shape) for part in parts]
                for parts in (self._session.get_inputs(), self._session.get_outputs())
            )
            self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        except Exception as error:  # ONNX Runtime's own exception types are private
            raise ModelError(f"{source} is not a usable ONNX model: {first_line(error)}") from error

    def run(self, values: Floats, names: Sequence[str] | None = None, timeout: float | None = None) -> list[Any]:
        """The network's outputs for one value of its first input.

        Args:
            values: the first input.
            names: the outputs to return; None for all.
            timeout: seconds after which the run is stopped; None for no limit.

        Raises:
            ModelError: the network fails on these values, or takes too long.
        """
        options = onnxruntime.RunOptions()
        alarm = threading.Timer(timeout, setattr, (options, "terminate", True)) if timeout else None
        try:
            if alarm is not None:
                alarm.start()
            return list(self._session.run(names, {self.inputs[0].name: values}, options))
        except Exception as error:  # ONNX Runtime's own exception types are private
            late = f"no answer within {timeout:g} seconds" if options.terminate else first_line(error)
            raise ModelError(f"{self.source} cannot be run: {late}") from error
        finally:
            if alarm is not None:
                alarm.cancel()


class ClassifierSession:
    """A network that maps images float32 (n, 28, 28, 1) in 0..1 to probabilities float32 (n, 10)."""

    def __init__(self, content: bytes, source: str) -> None:
        """Open a model.

        Args:
            content: the bytes of an ``.onnx`` file.
            source: what to call it in a message.

        Raises:
            ModelError: the bytes are not an ONNX model from (n, 28, 28, 1) to (n, 10).
        """
        self.content = content
        self.source = source
        self._session = Session(content, source)
        inputs, outputs = self._session.inputs, self._session.outputs
        if len(inputs) != 1 or not outputs:
            raise ModelError(f"{source} has {len(inputs)} inputs and {len(outputs)} outputs; expected one of each")
        if inputs[0].type != FLOATS or not _fits(inputs[0].shape, (28, 28, 1)):
            raise ModelError(
                f"{source} takes {inputs[0].type} {inputs[0].shape}; expected images as {FLOATS} [n, 28, 28, 1]"
            )
        if outputs[0].type != FLOATS or not _fits(outputs[0].shape, (10,)):
            raise ModelError(
                f"{source} answers {outputs[0].type} {outputs[0].shape}; expected probabilities {FLOATS} [n, 10]"
            )
        self._session.run(blank_image(), timeout=LONGEST_ANSWER)

    def probabilities(self, images: Floats) -> Floats:
        """Probabilities float32 (n, 10) 0..1 of images float32 (n, 28, 28, 1) 0..1, computed ``BATCH`` at a time.

        Raises:
            ModelError: the network fails on these images, or its answer is not ten probabilities per image.
        """
        answer = np.empty((len(images), 10), np.float32)
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            part = self._session.run(batch, [self._session.outputs[0].name])[0]
            if part.shape != (len(batch), 10):
                raise ModelError(f"{self.source} answered {part.shape} for {len(batch)} images; expected (n, 10)")
            answer[start : start + BATCH] = part
        if answer.size and not _are_probabilities(answer):
            raise ModelError(
                f"{self.source} answered {answer.min():g} to {answer.max():g}; expected probabilities 0..1 that add up "
                "to 1, as a softmax behind its last layer gives them"
            )
        return answer

    @property
    def metadata(self) -> dict[str, str]:
        """The custom metadata in the file."""
        return self._session.metadata

    @cached_property
    def layers(self) -> list[dict[str, Any]]:
        """The layers as the file describes them, input first; each names its tensors (see ``models.export_onnx``).

        Raises:
            ModelError: the file does not describe its layers.
        """
        try:
            layers = json.loads(self.metadata[LENS_LAYERS])
            if not isinstance(layers, list):
                raise TypeError
        except (KeyError, ValueError, TypeError, RecursionError) as error:
            raise ModelError(
                f"{self.source} does not describe its layers, so it can predict but not show them; "
                "use a model that digitscope exported"
            ) from error
        return layers

    def tensors(self, images: Floats, names: list[str]) -> dict[str, Floats]:
        """Activations and weights by the names that ``layers`` gives, for images float32 (n, 28, 28, 1) 0..1.

        Raises:
            ModelError: the file has no such tensors.
        """
        return dict(zip(names, self._lens_session.run(images, names), strict=True))

    @cached_property
    def _lens_session(self) -> Session:
        try:
            suffix = base64.b64decode(self.metadata[LENS_SUFFIX], validate=True)
        except (KeyError, ValueError) as error:
            raise ModelError(f"{self.source} has no lens part; use a model that digitscope exported") from error
        session = Session(self.content + suffix, self.source)
        session.run(blank_image(), timeout=LONGEST_ANSWER)
        return session


def read_model(path: Path) -> bytes:
    """The bytes of a model file.

    Raises:
        ModelError: it cannot be read, is empty, larger than ``LARGEST_MODEL``, or a pointer of Git LFS.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if 0 < size <= LARGEST_MODEL else b""
    except (OSError, ValueError) as error:  # a null in the name is a ValueError
        raise ModelError(f"{path} cannot be read ({getattr(error, 'strerror', error)}); give a model file") from error
    if not content:
        raise ModelError(f"{path} has {size:,} bytes; expected a model of at most {LARGEST_MODEL:,}")
    check_fetched(content, path, ModelError)
    return content


@cache
def _bound_memory() -> None:
    """Make all sessions of this process share one memory of at most ``LARGEST_ANSWER`` bytes."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    limits = onnxruntime.OrtArenaCfg({"max_mem": LARGEST_ANSWER, "arena_extend_strategy": 1})
    onnxruntime.create_and_register_allocator(memory, limits)


def blank_image() -> Floats:
    """One image without ink, float32 (1, 28, 28, 1)."""
    return np.zeros((1, 28, 28, 1), np.float32)


def _are_probabilities(answer: Floats) -> bool:
    """Whether all values are 0..1 and those of each image add up to 1."""
    inside = answer.min() >= 0 and answer.max() <= 1 + ROUNDING
    return bool(inside and np.abs(answer.sum(axis=1) - 1).max() <= ROUNDING)


def _fits(shape: list[int | str | None], tail: tuple[int, ...]) -> bool:
    """Whether a shape is (batch, *tail); the batch and unknown sizes may be names."""
    return len(shape) == 1 + len(tail) and all(
        not isinstance(size, int) or size == wanted for size, wanted in zip(shape[1:], tail, strict=True)
    )
