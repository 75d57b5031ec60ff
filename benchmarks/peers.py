"""Measure how well digits and numbers are read, beside other programs: in one run, on the same files, by one scorer.

Writes `benchmarks/results/peers.json`. The sets are the development sets; each program gets every picture as it came.

Single digits: `reader-digit`, and `robust`, which has seen MNIST alone; the careful CNN (the plain network after five
epochs of MNIST, seed 0, trained in the run: `careful_cnn.py`); RapidOCR's recogniser; Tesseract. Whole numbers: the
engines `own` and `ocr`; contours with the careful CNN; RapidOCR; Tesseract. The others are tried in several ways
(`other_ocr.py`), and on each set the way counts that reads it best. That flatters them: a user would have to choose one
way beforehand.

For each set and program: the percentage right (of digits, or of lines read exactly), with the 95 % interval; for
numbers the character error rate; the percentage answered (of digits, or of pages without a refusal) and how many of
these are right; and of the pictures without a digit, how many it leaves empty. For `reader-digit` also how well it
refuses what is no digit: the area under the ROC curve of `digit_probability`, and how many non-digits would be taken
for digits at the threshold that keeps 99 % of the digits.

A run that was interrupted goes on where it stopped. What has changed since is measured again: everything of our own
after a change of the package, another program's after one of its version or of the code that calls it.

Usage: python benchmarks/peers.py --eval FOLDER [--ours]   (with --ours the figures of the others stay as they are)
       python benchmarks/peers.py --eval FOLDER --program own ...   (only prints)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import careful_cnn
import numpy as np
import other_ocr
import results
import sets
from sklearn.metrics import roc_auc_score

from digitscope import files
from digitscope.environment import versions
from digitscope.formatting import counted, duration
from digitscope.io.page import Page
from digitscope.reading.reader import Reader

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "runs" / "peers.json"
"""Figures of the last run, finished or not, each with the state of what gave it."""

OWN = ("reader-digit", "robust", "own", "ocr")
"""The programs that are this package."""

SETS = {
    "digits": ("kensanata_numbers", "ardis_iv", "usps", "self_drawn", "sudoku_scanner"),
    "numbers": ("orand_car_a_fzkuji", "string_photos", "checks_mock"),
}
SCORED_AS = {"digits": "singles", "numbers": "strings"}
"""The scorer's words for them."""

PORTION, QUIET = 25, 10
"""Pictures that a program gets at once; seconds between two lines about its progress."""


@dataclass(frozen=True)
class Answer:
    """What a program says about a picture: its best guess, lines parted by newlines, and whether it stands by it."""

    text: str
    accepted: bool


Program = Callable[[Sequence[sets.Picture]], dict[str, list[Answer]]]
"""What takes pictures and gives its answers, for each way of reading them."""


def main() -> None:
    """Measure every program on every set and write the result file."""
    names = list(dict.fromkeys(name for those in programs().values() for name in those))
    parser = argparse.ArgumentParser(description="Score the reading of digits and numbers beside other programs.")
    parser.add_argument("--program", action="append", choices=names, help="only this one (may be repeated); only print")
    parser.add_argument("--ours", action="store_true", help="only this package's; keep the figures of the others")
    arguments = sets.folder_of(parser)
    wanted = arguments.program or (list(OWN) if arguments.ours else names)
    known = others_figures() if arguments.ours else {}
    if sentence := other_ocr.missing(wanted):
        parser.exit(2, f"{sentence}\n")
    found = measured_all(arguments.eval, programs(), wanted, keep=arguments.program is None)
    if "reader-digit" in wanted:
        found["no_digits"] = refusal(arguments.eval)
        print(found["no_digits"])
    for kind, its_sets in SETS.items() if known else ():
        found[kind] = {name: known[kind][name] | found[kind][name] for name in its_sets}
    if arguments.program is None:
        results.write("peers", {"programs": other_ocr.versions()} | found)


def others_figures() -> dict[str, Any]:
    """The result file, if the other programs are still those that were measured."""
    known = results.read("peers")
    if known.get("programs") != other_ocr.versions():
        raise SystemExit(f"measured were {known.get('programs')}, not {other_ocr.versions()}; leave out --ours")
    return known


def programs() -> dict[str, dict[str, Program]]:
    """The programs that read single digits, and those that read numbers."""
    return {
        "digits": {
            "reader-digit": own_digits("reader-digit"),
            "robust": own_digits("robust"),
            "careful CNN": answering(careful_cnn.digits),
            "RapidOCR": answering(other_ocr.rapidocr_digits),
            "Tesseract": answering(other_ocr.tesseract_digits),
        },
        "numbers": {
            "own": own_numbers("own"),
            "ocr": own_numbers("ocr"),
            "contours + careful CNN": answering(careful_cnn.numbers),
            "RapidOCR": answering(other_ocr.rapidocr_numbers),
            "Tesseract": answering(other_ocr.tesseract_numbers),
        },
    }


def own_digits(model: str) -> Program:
    """What a shipped network for single digits reads."""

    def read(pictures: Sequence[sets.Picture]) -> dict[str, list[Answer]]:
        numbers = [digit_reader(model).digit(picture) for picture in pictures]
        return {"as it comes": [Answer(number.best_guess, not number.refused) for number in numbers]}

    return read


@cache
def digit_reader(model: str) -> Reader:
    """The reader with a network for single digits, opened once."""
    return Reader(model)


def own_numbers(engine: str) -> Program:
    """What an engine reads; a page counts as answered if it has numbers and none of them is refused."""

    def read(pictures: Sequence[sets.Picture]) -> dict[str, list[Answer]]:
        pages = [reader(engine).read(picture) for picture in pictures]
        refused = [not page.numbers or any(number.refused for number in page.numbers) for page in pages]
        return {"as it comes": [Answer(guess(page), not no) for page, no in zip(pages, refused, strict=True)]}

    return read


@cache
def reader(engine: str) -> Reader:
    """The reader with an engine, opened once."""
    return Reader(engine=engine)


def guess(page: Page) -> str:
    """The best guesses of a page, one line of text for each line of writing."""
    return "\n".join("".join(number.best_guess for number in line.numbers) for line in page.lines)


def answering(read: Callable[[Sequence[sets.Picture]], dict[str, list[str]]]) -> Program:
    """A program that stands by whatever it reads; without a digit that is no answer."""

    def answers(pictures: Sequence[sets.Picture]) -> dict[str, list[Answer]]:
        return {way: [Answer(text, bool(digits(text))) for text in texts] for way, texts in read(pictures).items()}

    return answers


def measured_all(folder: Path, of: dict[str, dict[str, Program]], wanted: Sequence[str], keep: bool) -> dict[str, Any]:
    """The figures of the wanted programs on every set; with ``keep``, an interruption loses none of them."""
    states = {name: state_of(name, folder) for name in wanted} if keep else {}
    kept = kept_figures(states) if keep else {}
    found: dict[str, Any] = {kind: {name: {} for name in names} for kind, names in SETS.items()}
    pieces = [(kind, name, one) for kind, names in SETS.items() for name in names for one in of[kind] if one in wanted]
    for number, (kind, name, program) in enumerate(pieces, 1):
        key, told = f"{kind}/{name}/{program}", f"{number} of {len(pieces)}: {name}, {program}"
        if key not in kept:
            rows = sets.rows(folder, name)
            kept[key] = figures(kind, folder, name, rows, answers_of(of[kind][program], rows, told))
            print(told, kept[key], flush=True)
            if keep:
                files.write_json(KEPT, {one: [states[one.rpartition("/")[2]], its] for one, its in kept.items()})
        found[kind][name][program] = kept[key]
    return found


def kept_figures(states: dict[str, str]) -> dict[str, Any]:
    """The figures that an earlier run left, of the programs whose state is still the same."""
    files.check_folder(KEPT.parent)
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    same = {key: its for key, (state, its) in kept.items() if states.get(key.rpartition("/")[2]) == state}
    if len(same) < len(kept):
        print(f"measured again, since the code or a program has changed: {counted(len(kept) - len(same), 'figure')}")
    if same:
        print(f"kept from an earlier run: {counted(len(same), 'figure')}")
    return same


def state_of(program: str, folder: Path) -> str:
    """A fingerprint of what decides about a program's figures: versions, sets, and the code that is its or calls it."""
    state = hashlib.sha256(json.dumps([versions(), other_ocr.versions(), str(folder.resolve())]).encode())
    others = (Path(other_ocr.__file__), Path(careful_cnn.__file__), careful_cnn.EXAMPLE)
    sources = {Path(sets.__file__), *((ROOT / "src").rglob("*") if program in OWN else others)}
    for path in sorted(sources):
        if path.is_file() and "__pycache__" not in path.parts:
            state.update(path.read_bytes())
    return state.hexdigest()


def answers_of(program: Program, rows: Sequence[sets.Row], told: str) -> dict[str, list[Answer]]:
    """A program's answers to every picture of a set, for each way; says from time to time how far it is."""
    found: dict[str, list[Answer]] = {}
    start = said = time.perf_counter()
    for first in range(0, len(rows), PORTION):
        for way, answers in program([picture for _, picture in rows[first : first + PORTION]]).items():
            found.setdefault(way, []).extend(answers)
        now, done = time.perf_counter(), min(first + PORTION, len(rows))
        if now - said > QUIET:
            rate, said = done / (now - start), now
            left = duration((len(rows) - done) / rate)
            print(f"{told}: {done:,} of {len(rows):,}, {rate:.1f} a second, {left} left", flush=True)
    return found


def figures(
    kind: str, folder: Path, name: str, rows: Sequence[sets.Row], ways: dict[str, list[Answer]]
) -> dict[str, Any]:
    """A program's figures on a set, those of its best way; the scorer counts the best guesses."""
    labels = [row for row, _ in rows]
    scores = {
        way: sets.score(
            SCORED_AS[kind], folder, name, [(row["file"], a.text) for row, a in zip(labels, answers, strict=True)]
        )
        for way, answers in ways.items()
    }
    best = max(scores, key=lambda way: scores[way]["score"])
    score, pairs = scores[best], list(zip(labels, ways[best], strict=True))
    answered = [same(answer.text, row["text"]) for row, answer in pairs if row["text"] and answer.accepted]
    empty = [not digits(answer.text) for row, answer in pairs if not row["text"]]
    n = score["lines"] if kind == "numbers" else score["n"]
    found = {
        "n": score["n"],
        "way": best,
        "right": round(score["score"], 4),
        "interval": sets.wilson(round(score["score"] * n / 100), n),
        "answered": round(100 * len(answered) / score["n"], 4),
        "right_of_answered": round(100 * sum(answered) / max(1, len(answered)), 4),
        "all_ways": {way: round(its["score"], 4) for way, its in scores.items()},
    }
    if kind == "numbers":
        found |= {"lines": n, "character_error_rate": round(score["CER"], 4)}
    if empty:
        found |= {"n_without_digit": len(empty), "left_empty": round(100 * sum(empty) / len(empty), 4)}
    return found


def digits(text: str) -> list[str]:
    """The digits of each line."""
    return [found for line in re.split(r"[|\n]", text) if (found := re.sub(r"\D", "", line))]


def same(text: str, truth: str) -> bool:
    """Whether a text has the digits of the truth, line by line; a single line may come in pieces."""
    expected = digits(truth)
    return digits(text) == expected or (len(expected) == 1 and "".join(digits(text)) == expected[0])


def refusal(folder: Path) -> dict[str, Any]:
    """How well ``reader-digit`` refuses what is no digit, and how well its digit probability tells that from digits."""
    read = {
        name: [(row["text"], digit_reader("reader-digit").digit(picture)) for row, picture in sets.rows(folder, name)]
        for name in (*SETS["digits"], "ood_fashion", "ood_notmnist_AH")
    }
    true = [number.digit_probability for name in SETS["digits"] for text, number in read[name] if text]
    limit = float(np.quantile(true, 0.01))
    found: dict[str, Any] = {}
    for kind, name in (
        ("clothing", "ood_fashion"),
        ("empty cells", "sudoku_scanner"),
        ("letters A to H", "ood_notmnist_AH"),
    ):
        numbers = [number for text, number in read[name] if not text]
        chances = [number.digit_probability for number in numbers]
        found[kind] = {
            "n": len(numbers),
            "refused": round(100 * sum(number.refused for number in numbers) / len(numbers), 4),
            "auroc": round(float(roc_auc_score([1] * len(true) + [0] * len(chances), true + chances)), 4),
            "taken_at_99": round(100 * float(np.mean(np.array(chances) >= limit)), 1),
        }
    return {"digits": len(true), "limit_at_99": round(limit, 4), "kinds": found}


if __name__ == "__main__":
    main()
