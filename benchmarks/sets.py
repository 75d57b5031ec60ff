"""The development sets beside the repository: rows, pictures and their own scorer. Measured on, never more."""

from __future__ import annotations

import argparse
import csv
import importlib.util
import math
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

Row = tuple[dict[str, str], Path | np.ndarray]


def folder_of(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The parsed arguments, ``--eval`` among them; the program ends with a sentence where the sets are not there."""
    parser.add_argument("--eval", type=Path, required=True, help="the sets' folder")
    arguments = parser.parse_args()
    if not (arguments.eval / "score.py").is_file():
        parser.exit(2, f"{arguments.eval} has no score.py; give the folder of the development sets with --eval\n")
    return arguments


def rows(folder: Path, name: str) -> list[Row]:
    """The labelled rows of a set, each with its picture: a file, or pixels out of ``SET.npz``."""
    with (folder / name / "labels.csv").open(newline="") as file:
        labels = [row for row in csv.DictReader(file) if row["split"] == "dev"]
    arrays = folder / name / f"{name}.npz"
    if not arrays.is_file():
        return [(row, folder / name / row["file"]) for row in labels]
    images = np.load(arrays)["x"]
    return [(row, images[int(row["file"].split("#")[1])]) for row in labels]


def score(kind: str, folder: Path, name: str, answers: Sequence[tuple[str, str, float]]) -> dict[str, float]:
    """What the sets' own scorer says of answers ``(file, text, confidence)``; kind ``"singles"`` or ``"strings"``."""
    os.environ["EVAL_PACK"] = str(folder)
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    with tempfile.TemporaryDirectory() as temporary:
        predictions = Path(temporary) / "predictions.csv"
        with predictions.open("w", newline="") as file:
            csv.writer(file).writerows([("file", "text", "confidence"), *answers])
        return dict(scorer.score(kind, str(predictions), name)["dev"])


def wilson(right: int, n: int) -> list[float]:
    """The 95 % interval of a share, in per cent."""
    z, p = 1.96, right / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return [round(100 * (middle + sign * half) / (1 + z * z / n), 4) for sign in (-1, 1)]
