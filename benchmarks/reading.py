"""Measure how well single digits are read: the shipped model on the development sets, with their own scorer.

Writes `benchmarks/results/reading.json`. For each set: the number of digits, the percentage of best guesses that are
right, the percentage accepted and the accuracy among those; for pictures without a digit, the percentage refused. It
also measures how well `digit_probability` separates digits from clothing, empty cells and letters: the area under the
ROC curve, and how many of these would be taken for digits at the threshold that keeps 99 % of the digits.

Usage: python benchmarks/reading.py [--model robust] --eval FOLDER
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import results
import sets
from sklearn.metrics import roc_auc_score

from digitscope.io.elements import Number
from digitscope.reading.reader import Reader

DIGITS = ("kensanata_numbers", "ardis_iv", "usps", "self_drawn", "sudoku_scanner")
OTHERS = ("ood_fashion", "ood_notmnist_AH")
Read = list[tuple[dict[str, str], Number]]


def main() -> None:
    """Score every set and write the result file."""
    parser = argparse.ArgumentParser(description="Score the reading of single digits on the development sets.")
    parser.add_argument("--model", default="robust", help="a model's name, run folder, .onnx or .keras file")
    arguments = sets.folder_of(parser)
    reader = Reader(arguments.model)
    found, scored = {}, {}
    for name in (*DIGITS, *OTHERS):
        found[name], scored[name] = read(reader, arguments.eval, name)
        scored[name] |= counted(arguments.eval, name, found[name])
        print(name, scored[name], flush=True)
    told = refusal(found)
    print(told)
    results.write("reading", {"model": reader.model.name, "sets": scored, "digit_probability": told})


def read(reader: Reader, folder: Path, name: str) -> tuple[Read, dict[str, Any]]:
    """Read every picture of a set; the numbers, and the milliseconds per picture."""
    rows = sets.rows(folder, name)
    start = time.perf_counter()
    numbers = [(row, reader.digit(picture)) for row, picture in rows]
    return numbers, {"milliseconds": round(1000 * (time.perf_counter() - start) / len(rows), 2)}


def counted(folder: Path, name: str, numbers: Read) -> dict[str, Any]:
    """The figures of a set; the scorer counts the best guesses, the accepted ones are counted here."""
    digits = [(row["text"], number) for row, number in numbers if row["text"]]
    empty = [number for row, number in numbers if not row["text"]]
    result: dict[str, Any] = {}
    if digits:
        accepted = [number.text == text for text, number in digits if not number.refused]
        answers = [(row["file"], number.best_guess, number.confidence) for row, number in numbers]
        result |= {
            "n": len(digits),
            "best_guess_right": round(sets.score("singles", folder, name, answers)["score"], 4),
            "accepted": round(100 * len(accepted) / len(digits), 4),
            "right_of_accepted": round(100 * sum(accepted) / max(1, len(accepted)), 4),
        }
    if empty:
        result |= {
            "n_without_digit": len(empty),
            "refused": round(100 * sum(number.refused for number in empty) / len(empty), 4),
            "left_empty": round(100 * sum(not number.best_guess for number in empty) / len(empty), 4),
        }
    return result


def refusal(found: dict[str, Read]) -> dict[str, Any]:
    """How well the digit probability separates the digits of all sets from non-digits."""
    digits = [number.digit_probability for name in DIGITS for row, number in found[name] if row["text"]]
    others = {
        "clothing": [number for _, number in found["ood_fashion"]],
        "empty cells": [number for row, number in found["sudoku_scanner"] if not row["text"]],
        "letters A to H": [number for _, number in found["ood_notmnist_AH"]],
    }
    limit = float(np.quantile(digits, 0.01))
    told: dict[str, Any] = {"digits": len(digits), "limit_at_99": round(limit, 4)}
    for name, numbers in others.items():
        chances = [number.digit_probability for number in numbers]
        truth = [1] * len(digits) + [0] * len(chances)
        told[name] = {
            "n": len(chances),
            "auroc": round(float(roc_auc_score(truth, digits + chances)), 4),
            "taken_at_99": round(100 * float(np.mean(np.array(chances) >= limit)), 1),
        }
    return told


if __name__ == "__main__":
    main()
