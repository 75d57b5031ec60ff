"""Reads and checks the small files of a run folder, such as ``config.json``, ``metrics.json`` and ``history.csv``."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from digitscope.errors import DataError, first_line
from digitscope.models.typed_json import typed

DETECTOR = "known.json"
"""The file of a run that tells digits from what is none (``reading.detectors``)."""

LARGEST_TEXT = 32 * 1024**2
"""Bytes of the largest text file of a run that is read; a training writes a few thousand."""


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a run.

    Raises:
        DataError: the file is missing or damaged, or does not hold an object.
    """
    try:
        value = json.loads(_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{path} cannot be read ({first_line(error)}); give a finished training, or train it again"
        ) from error
    if not isinstance(value, dict):
        raise DataError(f"{path} holds a {type(value).__name__}, not an object; train the run again")
    return value


def pick_values(path: Path, record: Mapping[str, Any], wanted: Mapping[str, tuple[str, type]]) -> dict[str, Any]:
    """Some values of a JSON object, each checked for its type; a whole number is accepted where a float is wanted.

    Args:
        path: the file, for the message.
        record: what ``read_json`` found in it.
        wanted: name in the result -> (name in the record, type).

    Raises:
        DataError: a value is missing, has another type, or is a number that is not finite.
    """
    values = {}
    for name, (key, kind) in wanted.items():
        try:
            values[name] = typed(record.get(key), kind)
        except (TypeError, OverflowError) as error:
            raise DataError(f"{path} has no usable {key}; train the run again") from error
    return values


def read_history(folder: str | Path, needed: Collection[str] = ("epoch", "loss", "accuracy")) -> list[dict[str, float]]:
    """The learning curve of a run: a row of ``history.csv`` per epoch.

    Args:
        folder: the folder of the run.
        needed: columns that must be there.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = Path(folder).expanduser() / "history.csv"
    try:
        reader = csv.DictReader(io.StringIO(_text(path), newline=""))
        rows = [{key: _finite(value) for key, value in row.items()} for row in reader]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read ({first_line(error)}); give the folder of a finished training"
        ) from error
    if not rows or not set(needed) <= set(rows[0]):
        raise DataError(f"{path} needs rows with {', '.join(sorted(needed))}; train the run again")
    return rows


def _text(path: Path) -> str:
    """The text of a small file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not UTF-8, or has more than ``LARGEST_TEXT`` bytes.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST_TEXT + 1)
    if len(content) > LARGEST_TEXT:
        raise ValueError(f"it has more than {LARGEST_TEXT:,} bytes")
    return content.decode("utf-8")


def _finite(text: str) -> float:
    """The finite number in a text."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a measurement")
    return value
