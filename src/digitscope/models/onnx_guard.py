"""Checks an ONNX file before ONNX Runtime opens it: does each tensor hold the numbers that it announces?

ONNX Runtime believes the sizes that a tensor announces. Four changed bytes in a good file once made it take 11 GB
before it noticed that the numbers were missing. Reading works without the ``onnx`` package, so the few Protobuf
fields that lead to a tensor are followed here.
"""

from __future__ import annotations

import itertools
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
"""The fields of each message that can contain a tensor: number -> kind. Source: ``onnx.proto``, version 1.23."""

SIZES = 1
"""Number of the field in which a tensor announces its sizes."""

MOST_SIZES = 8
"""The most dimensions of a tensor; networks for images have four."""

MOST_FIELDS = 500_000
"""The most fields that are followed: a hundred times those of the largest network that is shipped."""

PER_BYTE = 2
"""The most numbers that one byte can hold: two, in the 4-bit types."""


def check_tensors(content: bytes) -> None:
    """Refuse a file in which a tensor announces more numbers than fit into it; numbers in another file count as none.

    Nor may a tensor have more than ``MOST_SIZES`` dimensions, or the file more than ``MOST_FIELDS`` fields.

    Args:
        content: the bytes of an ``.onnx`` file.

    Raises:
        ValueError: there is such a tensor, or the bytes are not an ONNX file.
    """
    waiting, left = [("model", memoryview(content))], MOST_FIELDS
    while waiting:
        kind, message = waiting.pop()
        fields = list(itertools.islice(_fields(message), left))
        left -= len(fields)
        if left == 0:
            raise ValueError(f"it has more than {MOST_FIELDS:,} parts, as no network of digits has")
        if kind != "tensor":
            parts = PARTS[kind]
            waiting += [(parts[number], part) for number, part in fields if number in parts]
            continue
        most = MOST_SIZES + 1
        sizes = [size for number, part in fields if number == SIZES for size in itertools.islice(_varints(part), most)]
        if len(sizes) > MOST_SIZES:
            raise ValueError(f"a tensor has more than {MOST_SIZES} dimensions; networks for images have four")
        announced = math.prod(sizes)
        if announced > PER_BYTE * len(message):
            raise ValueError(f"a tensor announces {announced:,} numbers and holds {len(message):,} bytes")


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a message: each field's number, and the bytes of its value."""
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
            raise ValueError("it is cut short, or not an ONNX file")
        yield key >> 3, message[at:end]
        at = end


def _varints(values: memoryview) -> Iterator[int]:
    """The whole numbers in a packed field."""
    at = 0
    while at < len(values):
        value, at = _varint(values, at)
        yield value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The whole number that begins at ``at``, 7 bits to the byte, lowest first; and the position after it."""
    value = 0
    for count, byte in enumerate(message[at : at + 10]):
        value |= (byte & 127) << 7 * count
        if byte < 128:
            return value, at + count + 1
    raise ValueError("it is cut short, or not an ONNX file")
