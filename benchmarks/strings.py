"""Measure the line reader on real lines, pages and single digits; writes ``results/strings.json``.

The sets lie in ``../shared/eval`` beside the repository and are only measured on. Run:
``python benchmarks/strings.py [own|ocr|FILE.onnx] [--out FILE]``.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from digitscope.files import write_json
from digitscope.line_reader import LineReader

ROOT = Path(__file__).parent.parent
PACK = ROOT.parent / "shared" / "eval"
STRINGS = ("orand_car_a_fzkuji", "string_photos", "checks_mock")
SINGLES = ("kensanata_numbers", "self_drawn", "sudoku_scanner", "usps", "ardis_iv")
OUTSIDE = ("ood_fashion", "ood_notmnist_AH")


def scorer() -> Any:
    """The pack's own scorer as a module."""
    spec = importlib.util.spec_from_file_location("score", PACK / "score.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{PACK}/score.py is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(name: str) -> list[tuple[dict[str, str], Any]]:
    """The set's rows, each with its picture: a path, or pixels."""
    with (PACK / name / "labels.csv").open(newline="") as file:
        labels = list(csv.DictReader(file))
    packed = PACK / name / f"{name}.npz"
    if packed.is_file():
        x = np.load(packed)["x"]
        return [(row, x[k]) for k, row in enumerate(labels)]
    return [(row, PACK / name / row["file"]) for row in labels]


def wilson(right: int, n: int) -> list[float]:
    """The 95 % interval of a share, in per cent."""
    if n == 0:
        return [0.0, 100.0]
    z, p = 1.96, right / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return [100 * (middle - half) / (1 + z * z / n), 100 * (middle + half) / (1 + z * z / n)]


def read(reader: LineReader, picture: Any) -> tuple[str, str, float]:
    """Best guesses and accepted texts of a page, lines parted by ``|``, and the least confidence."""
    page = reader.page(picture)
    guesses = "|".join(number.best_guess for number in page.numbers)
    accepted = "|".join(number.text or "" for number in page.numbers)
    return guesses, accepted, min((number.confidence for number in page.numbers), default=0.0)


def strings(reader: LineReader, name: str, score: Any, folder: Path) -> dict[str, Any]:
    """A set of lines: exact lines as best guesses and with refusals as errors, and what is right among the accepted."""
    data, start = rows(name), time.perf_counter()
    answers = [read(reader, picture) for _, picture in data]
    seconds = time.perf_counter() - start
    found = {}
    for kind, column in (("best_guess", 0), ("refusals_wrong", 1)):
        path = folder / f"{name}-{kind}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "text", "confidence"])
            writer.writerows(
                [row["file"], answer[column], answer[2]] for (row, _), answer in zip(data, answers, strict=True)
            )
        found[kind] = score.score("strings", str(path), name)["dev"]
    sure = [(row, answer) for (row, _), answer in zip(data, answers, strict=True) if answer[2] >= reader.sure]
    right = sum(score.lines_of(answer[0]) == score.lines_of(row["text"]) for row, answer in sure)
    lines = found["best_guess"]["lines"]
    return found | {
        "interval": wilson(round(found["best_guess"]["score"] * lines / 100), lines),
        "accepted_pages": 100 * len(sure) / len(data),
        "right_among_accepted": 100 * right / max(1, len(sure)),
        "milliseconds": 1000 * seconds / len(data),
    }


def singles(reader: LineReader, name: str) -> tuple[dict[str, Any], list[float]]:
    """A set of single digits read as lines, and every picture's digit probability."""
    data = rows(name)
    readings = [reader.reading(picture) for _, picture in data]
    right = [reading.best == row["text"] for (row, _), reading in zip(data, readings, strict=True) if row["text"]]
    blank = [not reading.best for (row, _), reading in zip(data, readings, strict=True) if not row["text"]]
    found: dict[str, Any] = {"n": len(right), "right": 100 * float(np.mean(right)) if right else None}
    if blank and right:
        found["blank_empty"] = 100 * float(np.mean(blank))
    return found, [reading.digit_probability for reading in readings]


def auroc(digits: list[float], others: list[float]) -> float:
    """Probability that a digit scores higher than something else, ties half."""
    ranked = np.concatenate([digits, others])
    _, place, counts = np.unique(ranked, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n, m = len(digits), len(others)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", nargs="?", default="own")
    parser.add_argument("--out", default=str(ROOT / "benchmarks" / "results" / "strings.json"))
    parser.add_argument("--strings-only", action="store_true")
    arguments = parser.parse_args()
    reader, score = LineReader(arguments.engine), scorer()
    results: dict[str, Any] = {"strings": {}, "singles": {}, "auroc": {}, "sure": reader.sure}
    with tempfile.TemporaryDirectory() as folder:
        for name in STRINGS:
            results["strings"][name] = strings(reader, name, score, Path(folder))
            print(name, json.dumps(results["strings"][name], indent=None))
    if not arguments.strings_only:
        inside: list[float] = []
        for name in SINGLES:
            results["singles"][name], chances = singles(reader, name)
            inside += [chance for (row, _), chance in zip(rows(name), chances, strict=True) if row["text"]]
            print(name, json.dumps(results["singles"][name]))
        limit = float(np.quantile(inside, 0.01))
        for name in OUTSIDE:
            _, chances = singles(reader, name)
            accepted = 100 * float(np.mean(np.array(chances) >= limit))
            results["auroc"][name] = {"auroc": auroc(inside, chances), "accepted_at_99": accepted}
            print(name, json.dumps(results["auroc"][name]))
    write_json(arguments.out, results)


if __name__ == "__main__":
    main()
