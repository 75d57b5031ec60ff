"""The development sets, which lie outside the repository: rows, pictures and scorer. For measuring only."""

from __future__ import annotations

import argparse
import csv
import importlib.util
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digitscope.models.metrics import wilson_interval

Picture = Path | np.ndarray
Row = tuple[dict[str, str], Picture]


def folder_of(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The parsed arguments, ``--eval`` among them; the program ends with a sentence if the sets are missing."""
    parser.add_argument("--eval", type=Path, required=True, help="the sets' folder")
    arguments = parser.parse_args()
    if not (arguments.eval / "score.py").is_file():
        parser.exit(2, f"{arguments.eval} has no score.py; give the folder of the development sets with --eval\n")
    return arguments


def rows(folder: Path, name: str) -> list[Row]:
    """The labelled rows of a set, each with its picture: a file, or pixels from ``SET.npz``."""
    with (folder / name / "labels.csv").open(newline="") as file:
        labels = [row for row in csv.DictReader(file) if row["split"] == "dev"]
    arrays = folder / name / f"{name}.npz"
    if not arrays.is_file():
        return [(row, folder / name / row["file"]) for row in labels]
    images = np.load(arrays)["x"]
    return [(row, images[int(row["file"].split("#")[1])]) for row in labels]


def score(kind: str, folder: Path, name: str, answers: Sequence[tuple[str, str]]) -> dict[str, float]:
    """The scorer's figures for answers ``(file, text)``; ``kind`` is ``"singles"`` or ``"strings"``."""
    os.environ["EVAL_PACK"] = str(folder)
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    with tempfile.TemporaryDirectory() as temporary:
        predictions = Path(temporary) / "predictions.csv"
        with predictions.open("w", newline="") as file:
            csv.writer(file).writerows([("file", "text"), *answers])
        return dict(scorer.score(kind, str(predictions), name)["dev"])


def wilson(right: int, n: int) -> list[float]:
    """The 95 % interval of a rate, in percent."""
    return [round(100 * bound, 4) for bound in wilson_interval(right, n)]
