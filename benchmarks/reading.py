"""How well single digits are read: the shipped model on the development sets, through their own scorer.

    python benchmarks/reading.py [--model robust] [--eval ../shared/eval]

Writes ``benchmarks/results/reading.json``: per set the number of digits, the share of best guesses that are right, the
share that was accepted and the accuracy among those; and for pictures without a digit the share that was refused.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import results

from digitscope.reader import Reader
from digitscope.values import Number

SHARED = Path(__file__).resolve().parents[2] / "shared" / "eval"
SETS = ("kensanata_numbers", "ardis_iv", "usps", "self_drawn", "sudoku_scanner", "ood_fashion", "ood_notmnist_AH")


def main() -> None:
    """Score every set and write the result file."""
    parser = argparse.ArgumentParser(description="Score the reading of single digits on the development sets.")
    parser.add_argument("--model", default="robust", help="a model's name, run folder, .onnx or .keras file")
    parser.add_argument("--eval", type=Path, default=SHARED, help="the sets' folder")
    arguments = parser.parse_args()
    if not (arguments.eval / "score.py").is_file():
        parser.exit(2, f"{arguments.eval} has no score.py; give the folder of the development sets with --eval\n")
    reader = Reader(arguments.model)
    sets = {name: measure(reader, arguments.eval, name) for name in SETS if (arguments.eval / name).is_dir()}
    results.write("reading", {"model": reader.model.name, "sets": sets})


def measure(reader: Reader, folder: Path, name: str) -> dict[str, Any]:
    """Read one set; the scorer counts the best guesses, what was accepted is counted here."""
    with (folder / name / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "dev"]
    arrays = folder / name / f"{name}.npz"
    images = np.load(arrays)["x"] if arrays.is_file() else None
    start = time.perf_counter()
    numbers = [reader.digit(picture(folder / name, row["file"], images)) for row in rows]
    seconds = time.perf_counter() - start
    digits = [(row["text"], number) for row, number in zip(rows, numbers, strict=True) if row["text"]]
    empty = [number for row, number in zip(rows, numbers, strict=True) if not row["text"]]
    result: dict[str, Any] = {"milliseconds": round(1000 * seconds / len(rows), 2)}
    if digits:
        accepted = [number.text == text for text, number in digits if not number.refused]
        result |= {
            "n": len(digits),
            "best_guess_right": round(scored(folder, name, rows, numbers), 2),
            "accepted": round(100 * len(accepted) / len(digits), 2),
            "right_of_accepted": round(100 * sum(accepted) / max(1, len(accepted)), 2),
        }
    if empty:
        result |= {
            "n_without_digit": len(empty),
            "refused": round(100 * sum(number.refused for number in empty) / len(empty), 2),
            "left_empty": round(100 * sum(not number.best_guess for number in empty) / len(empty), 2),
        }
    print(name, result, flush=True)
    return result


def picture(folder: Path, name: str, images: np.ndarray | None) -> Path | np.ndarray:
    """The picture a row names: a file, or ``set.npz#17``."""
    return folder / name if images is None else images[int(name.split("#")[1])]


def scored(folder: Path, name: str, rows: list[dict[str, str]], numbers: list[Number]) -> float:
    """Per cent of the set's digits whose best guess is right, by the scorer that comes with the sets."""
    os.environ["EVAL_PACK"] = str(folder)
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    with tempfile.TemporaryDirectory() as temporary:
        predictions = Path(temporary) / "predictions.csv"
        with predictions.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["file", "text", "confidence"])
            for row, number in zip(rows, numbers, strict=True):
                table.writerow([row["file"], number.best_guess, number.confidence])
        return float(scorer.score("singles", str(predictions), name)["dev"]["score"])


if __name__ == "__main__":
    main()
