"""JSON values as the Python types that annotations name; anything else in a file is an error. Reads no files."""

from __future__ import annotations

import math
import types
import typing
from dataclasses import is_dataclass
from typing import Any


def typed(value: Any, kind: Any) -> Any:
    """A value read from JSON as ``kind``; a whole number is accepted where a float is wanted.

    Args:
        value: what ``json.loads`` gives.
        kind: ``int``, ``float``, ``str``, ``dict`` or ``list``; a tuple of such types; a dataclass of such fields; or
            one of them ``| None``.

    Raises:
        TypeError: the value has another type, or is a number that is not finite.
        ValueError: a tuple has another length, or a dataclass other fields.
        OverflowError: a whole number is too large for a float.

    >>> typed([1, 2.5], tuple[float, float])
    (1.0, 2.5)
    """
    if typing.get_origin(kind) is types.UnionType:
        return None if value is None else typed(value, typing.get_args(kind)[0])
    if typing.get_origin(kind) is tuple:
        return _tuple(typed(value, list), typing.get_args(kind))
    if is_dataclass(kind):
        return _dataclass(typed(value, dict), kind)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise TypeError(f"{str(value)[:40]!r} is not of type {kind.__name__}")
    return value


def _tuple(values: list[Any], kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """A list as a tuple; ``kinds`` is one type for each value, or one type and an ellipsis."""
    if kinds[-1] is ...:
        kinds = kinds[:1] * len(values)
    return tuple(typed(value, kind) for value, kind in zip(values, kinds, strict=True))


def _dataclass(record: dict[str, Any], kind: Any) -> Any:
    """An object as an instance of the dataclass ``kind``."""
    fields = typing.get_type_hints(kind)
    if record.keys() != fields.keys():
        raise ValueError(f"expected {', '.join(fields)}")
    return kind(**{name: typed(record[name], of) for name, of in fields.items()})
