"""Measure what retraining on 500 answers from a review queue gives, on digits of writers who gave none of them.

UNIPEN's validation writers, whom no training has seen, are parted into halves A and B. Digits of A, drawn with other
pens on paper (`by_pen.on_paper`), are read by the shipped reader into a review queue; a simulated person, who always
knows the label, answers 500 of what is refused or unsure; these are exported and trained with, as docs/review.md shows,
through the functions below those commands. Every network reads the same digits of B. MNIST's test split is not opened.

The recipe is `classic`, of 2 epochs. Networks that learn from MNIST alone, and from all that `reader-digit` learned
from, are trained without the answers, with them, and with each of them ten times.

Usage: python benchmarks/review.py UNIPEN [--seeds 3]
       UNIPEN is a folder of pen trajectories (docs/data.md)
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path
from typing import Any

import by_pen
import numpy as np
import reader_digit
import results
from PIL import Image

from digitscope.arraytypes import Integers, Labels, Levels
from digitscope.datasets.load import load_dataset
from digitscope.datasets.trajectories import EvenChoice, read_trajectories
from digitscope.models.export_onnx import export_onnx
from digitscope.reading.reader import Reader
from digitscope.review.agreement import by_reason, progress_of
from digitscope.review.collect import doubtful
from digitscope.review.export import DIGITS, export
from digitscope.review.items import Action
from digitscope.review.store import ReviewStore
from digitscope.training.fit import fit
from digitscope.training.recipes import RECIPES

ANSWERS, BELOW = 500, 0.99
"""Answers, and the confidence below which an accepted digit is asked about, too."""

READ, MEASURED = 4500, 2000
"""Pictures of A's digits that are read, and of B's that every network is measured on."""

HALVES, PICTURES_A, PICTURES_B = 0, 5000, 6000
"""Seeds: of the halves, and of the pictures of each."""

TIMES = {"without": 0, "with the answers": 1, "with each ten times": 10}
PERSON = "simulated"


def halves(writers: Integers) -> tuple[Integers, Integers]:
    """The writers in two halves."""
    order = np.random.default_rng(HALVES).permutation(np.unique(writers))
    return order[::2], order[1::2]


def pictures(folder: Path, writers: Integers, count: int, seed: int) -> tuple[list[Levels], Labels]:
    """Pictures of digits by some writers, each writer as likely as the others, and their labels."""
    source, rng = read_trajectories("digits", folder), np.random.default_rng(seed)
    choice = EvenChoice(source.writers, np.flatnonzero(np.isin(source.writers, writers)))
    chosen = [choice.choose(rng) for _ in range(count)]
    inks = [by_pen.drawn(source.strokes(index), rng) for index in chosen]
    return by_pen.on_paper(inks, rng), source.labels[chosen].astype(np.uint8)


def reviewed(shown: list[Levels], labels: Labels, folder: Path) -> dict[str, Any]:
    """Read pictures into a queue, answer ``ANSWERS`` of its items with their labels, and export them to a folder."""
    reader = Reader()
    with ReviewStore(folder / "queue.db", create=True) as store:
        for number, pixels in enumerate(shown):
            png = io.BytesIO()
            Image.fromarray(pixels).save(png, "PNG")
            for page in reader.read_file(png.getvalue(), str(number), single=True):
                store.add(doubtful(page, BELOW))
        there = progress_of(store).items
        for answer in range(ANSWERS):
            (queued,) = store.next(PERSON, 1)
            label = str(labels[int(queued.item.file)])
            store.record(f"answer-{answer}", PERSON, Action.TEXT, queued.number, label, queued.seen)
        export(store, folder / "corrections")
        progress = progress_of(store)
        return {
            "read": len(shown), "doubtful": there, "answers": ANSWERS, "agreement": progress.agreement,
            "reasons": {one.name: {"answers": one.items, "right": one.right} for one in by_reason(store)},
        }  # fmt: skip


def measured(reader: Reader, shown: list[Levels], labels: Labels) -> dict[str, float]:
    """How many digits a reader has right in its best guess, how many it refuses, and how many it answers wrongly."""
    said = [reader.digit(picture) for picture in shown]
    right = np.array([number.best_guess == str(label) for number, label in zip(said, labels, strict=True)])
    refused = np.array([number.refused for number in said])
    return {
        "right": float(right.mean()),
        "refused": float(refused.mean()),
        "wrong_and_sure": float((~right & ~refused).mean()),
    }


def trained(data: str, seed: int, path: Path) -> Reader:
    """A reader with a network that has learned from a dataset."""
    dataset = load_dataset(data)
    export_onnx(fit(RECIPES["classic"], dataset.x_train, dataset.y_train, seed).network, path)
    return Reader(path)


def summary(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Mean and standard deviation of every figure over the seeds, and the figures themselves."""
    return {
        key: {"mean": float(np.mean(values)), "deviation": float(np.std(values, ddof=1)), "seeds": values}
        for key in rows[0]
        if (values := [row[key] for row in rows])
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("unipen", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    source = read_trajectories("digits", asked.unipen)
    a, b = halves(source.writers[source.validation])
    seen, labels = pictures(asked.unipen, b, MEASURED, PICTURES_B)
    record: dict[str, Any] = {"writers": [len(a), len(b)], "below": BELOW, "measured": MEASURED, "recipe": "classic"}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        record["queue"] = reviewed(*pictures(asked.unipen, a, READ, PICTURES_A), folder)
        record["shipped"] = measured(Reader(), seen, labels)
        print(record, flush=True)
        images, digits = reader_digit.training_images(asked.unipen, np.random.default_rng(reader_digit.SEED))
        own = folder / "drawn.npz"
        np.savez(own, x_train=images, y_train=digits, x_test=images[:10], y_test=digits[:10])  # the ten are not used
        record["networks"] = {}
        for base, data in {"MNIST": "mnist", "what reader-digit learned from": str(own)}.items():
            for name, times in TIMES.items():
                whole = "+".join([data, *[str(folder / "corrections" / DIGITS)] * times])
                rows = [
                    measured(trained(whole, seed, folder / "model.onnx"), seen, labels) for seed in range(asked.seeds)
                ]
                record["networks"].setdefault(base, {})[name] = summary(rows)
                print(base, name, record["networks"][base][name], flush=True)
    results.write("review", record)


if __name__ == "__main__":
    main()
