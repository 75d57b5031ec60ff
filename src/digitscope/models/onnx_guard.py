"""A look at an ONNX file before ONNX Runtime opens it: is there what its tensors announce? It judges no network.

ONNX Runtime believes the sizes that a tensor announces. Four bytes changed in a good file made it take 11 GB to find
out that the numbers were not there. Reading does without the ``onnx`` package, so the few fields that lead to a tensor
are followed here.
"""

from __future__ import annotations

import math
import types
from collections.abc import Iterator, Mapping

PARTS: Mapping[str, Mapping[int, str]] = types.MappingProxyType(
    {
        "model": {7: "graph", 20: "training", 25: "function"},
        "training": {1: "graph", 2: "graph"},
        "function": {7: "node", 11: "attribute"},
        "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
        "node": {5: "attribute"},
        "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
        "sparse tensor": {1: "tensor", 2: "tensor"},
    }
)
"""The numbers of the fields of each message in which a tensor can stand. Source: ``onnx.proto``, version 1.23."""

SIZES = 1
"""Number of the field of a tensor that announces its sizes."""

PER_BYTE = 2
"""Numbers that a byte can hold: two, in the types of four bits."""


def check_tensors(content: bytes) -> None:
    """Make sure that no tensor announces more numbers than it can hold; one whose numbers lie in another file does.

    Args:
        content: the bytes of an ``.onnx`` file.

    Raises:
        ValueError: a tensor does, or the bytes are no such file.
    """
    waiting = [("model", memoryview(content))]
    while waiting:
        kind, message = waiting.pop()
        if kind != "tensor":
            parts = PARTS[kind]
            waiting += [(parts[number], part) for number, part in _fields(message) if number in parts]
            continue
        announced = math.prod(size for number, part in _fields(message) if number == SIZES for size in _varints(part))
        if announced > PER_BYTE * len(message):
            raise ValueError(f"a tensor announces {announced:,} numbers and holds {len(message):,} bytes")


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a message: their numbers, and the bytes of their values."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == 0:
            end = _varint(message, at)[1]
        elif key & 7 == 2:
            length, at = _varint(message, at)
            end = at + length
        else:
            end = at + {1: 8, 5: 4}.get(key & 7, len(message))
        if end > len(message):
            raise ValueError("it is cut short, or no ONNX file")
        yield key >> 3, message[at:end]
        at = end


def _varints(values: memoryview) -> Iterator[int]:
    """The whole numbers that stand one after the other."""
    at = 0
    while at < len(values):
        value, at = _varint(values, at)
        yield value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The whole number that begins at a place, seven bits to the byte and the lowest first, and the place behind it."""
    value = 0
    for count, byte in enumerate(message[at : at + 10]):
        value |= (byte & 127) << 7 * count
        if byte < 128:
            return value, at + count + 1
    raise ValueError("it is cut short, or no ONNX file")
