"""The small files of a run folder: ``config.json``, ``metrics.json`` and ``history.csv``, read with care."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from digitscope.errors import DataError

LARGEST_TEXT = 32 * 1024**2
"""Bytes of the largest file of a run that is read as text; those that a training writes have some thousand."""


def read_record(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a run.

    Raises:
        DataError: the file is missing or damaged, or holds something else.
    """
    try:
        value = json.loads(_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read ({error}); give a finished training, or train it again") from error
    if not isinstance(value, dict):
        raise DataError(f"{path} holds a {type(value).__name__}, not an object; train the run again")
    return value


def facts_of(path: Path, record: Mapping[str, Any], wanted: Mapping[str, tuple[str, type]]) -> dict[str, Any]:
    """The wanted values of a record; a whole number is good for a float.

    Args:
        path: where the record stands.
        record: what ``read_record`` found there.
        wanted: our name of a value -> its name in the record, and its type.

    Raises:
        DataError: one is missing, of another type, or a number that is none.
    """
    facts = {}
    for ours, (key, kind) in wanted.items():
        value = record.get(key)
        if kind is float and type(value) is int:
            value = float(value) if abs(value) < 1e300 else None
        if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
            raise DataError(f"{path} has no usable {key}; train the run again")
        facts[ours] = value
    return facts


def history_of(folder: str | Path, needed: Collection[str] = ("epoch", "loss", "accuracy")) -> list[dict[str, float]]:
    """The learning curve of a run: a row of ``history.csv`` per epoch.

    Args:
        folder: of the run.
        needed: columns that there must be.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = Path(folder).expanduser() / "history.csv"
    try:
        reader = csv.DictReader(io.StringIO(_text(path), newline=""))
        rows = [{key: _finite(value) for key, value in row.items()} for row in reader]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read ({error}); give the folder of a finished training") from error
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
    """The number that a text means."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{value} is no measurement")
    return value
