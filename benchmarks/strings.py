"""Measure how well whole numbers are read: both engines on the development sets of lines and pages.

Writes `benchmarks/results/strings.json`. For each engine and set, with the sets' own scorer: the percentage of lines
read exactly, once by best guesses and once with refusals counted as wrong; the character error rate; the percentage of
pages accepted in full at the default threshold, and how many of these are right. Engine `ocr` needs the package
`rapidocr`.

Usage: python benchmarks/strings.py [--engine own --engine ocr] --eval FOLDER
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from typing import Any

import results
import sets

from digitscope.io.page import Page
from digitscope.reading.reader import Reader

SETS = ("orand_car_a_fzkuji", "string_photos", "checks_mock")


def main() -> None:
    """Score every set with every engine and write the result file."""
    parser = argparse.ArgumentParser(description="Score the reading of numbers on the development sets.")
    parser.add_argument("--engine", action="append", help="own, ocr, or an .onnx file; default: own and ocr")
    arguments = sets.folder_of(parser)
    found = {}
    for engine in arguments.engine or ["own", "ocr"]:
        reader = Reader(engine=engine)
        found[Path(engine).name] = {name: measure(reader, arguments.eval, name) for name in SETS}
    results.write("strings", {"threshold": reader.pages.sure, "engines": found})


def measure(reader: Reader, folder: Path, name: str) -> dict[str, Any]:
    """Read one set; its figures."""
    rows = sets.rows(folder, name)
    reader.read(rows[0][1])
    start = time.perf_counter()
    pages = [reader.read(picture) for _, picture in rows]
    seconds = time.perf_counter() - start
    names = [row["file"] for row, _ in rows]
    guesses = sets.score(
        "strings", folder, name, [(n, guess(p), p.confidence) for n, p in zip(names, pages, strict=True)]
    )
    answers = sets.score(
        "strings", folder, name, [(n, p.text, p.confidence) for n, p in zip(names, pages, strict=True)]
    )
    accepted = [
        digits(guess(page)) == digits(row["text"])
        for (row, _), page in zip(rows, pages, strict=True)
        if page.numbers and not any(number.refused for number in page.numbers)
    ]
    result = {
        "n": len(rows),
        "lines": guesses["lines"],
        "best_guess_right": round(guesses["score"], 4),
        "interval": sets.wilson(round(guesses["score"] * guesses["lines"] / 100), int(guesses["lines"])),
        "refusals_wrong": round(answers["score"], 4),
        "character_error_rate": round(guesses["CER"], 4),
        "accepted": round(100 * len(accepted) / len(rows), 4),
        "right_of_accepted": round(100 * sum(accepted) / max(1, len(accepted)), 4),
        "milliseconds": round(1000 * seconds / len(rows), 1),
    }
    print(reader.pages.lines.engine, name, result, flush=True)
    return result


def guess(page: Page) -> str:
    """The best guesses of a page, one line of text for each line of writing."""
    return "\n".join("".join(number.best_guess for number in line.numbers) for line in page.lines)


def digits(text: str) -> list[str]:
    """The digits of each line."""
    return [found for line in re.split(r"[|\n]", text) if (found := re.sub(r"\D", "", line))]


if __name__ == "__main__":
    main()
