"""Train, measure and ship `reader-digit`, the network with which `read` reads single digits.

It sees MNIST's training digits, as many digits drawn from the recorded pen strokes of UNIPEN's training writers, and
some drawn from the forms of `datasets.synthetic.handwriting`; so it knows the European forms that MNIST lacks. Its
detector also learns from letters and signs of the same writers.

It was chosen on the digits of UNIPEN's validation writers, drawn with other pens on paper (`by_pen.on_paper`); with
--measure it is measured there, beside `robust`, and `results/reader-digit.json` is written. With KEY=VALUE another
setting is trained and measured, and nothing is written. MNIST's test split is not opened.

Usage: python benchmarks/reader_digit.py UNIPEN [--measure | --detector | KEY=VALUE ...]
       UNIPEN is a folder of pen trajectories (docs/data.md)
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import by_pen
import cards
import numpy as np
import results
from choose import best_temperature

from digitscope import files
from digitscope.arraytypes import Images, Labels
from digitscope.cli.terminal import progress_bar
from digitscope.datasets.mnist import load_mnist
from digitscope.models.export_onnx import export_onnx
from digitscope.models.model import Model, load
from digitscope.reading import detector_fit
from digitscope.reading.out_of_distribution import Detector
from digitscope.reading.reader import Reader
from digitscope.training.fit import fit
from digitscope.training.recipes import ROBUST, Recipe, recipe_of

RECIPE = dataclasses.replace(ROBUST, name="reader-digit", epochs=20, temperature=1.0)
"""With twelve epochs 98.50 % of the validation writers' digits were read, by five convolutions as in `strong` 98.23, by
`robust` 98.00 (n = 3,000)."""

WRITTEN, FORMED, LOOPED = 60_000, 10_000, 3000
"""Digits that are drawn from recorded strokes, from all forms, and from forms with a loop."""

DIGITS, OTHERS = 4000, 12_000
"""Digits, and letters and signs, that the detector learns from beside those of every detector. With 8,000 of each it
let through 13 % of the validation writers' letters and signs instead of 9 % (99.3 % of the digits kept both times)."""

SEED, MEASURED_SEED, MEASURED = 0, 4000, 3000
"""Seeds of the training and of the pictures that it is measured on, and how many digits, and others, these are."""

MODELS = cards.SHIPPED / "models"


def training_images(folder: Path, rng: np.random.Generator) -> tuple[Images, Labels]:
    """All that the network learns from, in random order."""
    (mnist, mnist_labels), _ = load_mnist()
    written, written_labels = by_pen.digits(folder, False, WRITTEN, rng)
    formed, formed_labels = by_pen.formed(FORMED, rng)
    looped, looped_labels = by_pen.looped(LOOPED, rng)
    images = np.concatenate([mnist, *(by_pen.fields(inks, rng) for inks in (written, formed, looped))])
    order = rng.permutation(len(images))
    return images[order], np.concatenate([mnist_labels, written_labels, formed_labels, looped_labels])[order]


def trained(recipe: Recipe, folder: Path, path: Path) -> float:
    """Train the network, write it to an ``.onnx`` file, and return the temperature that calibrates it."""
    images, labels = training_images(folder, np.random.default_rng(SEED))
    with progress_bar() as progress:
        network = fit(recipe, images, labels, SEED, progress=progress).network
    rng = np.random.default_rng((SEED, 2))
    inks, answers = by_pen.digits(folder, True, MEASURED, rng)
    shown = by_pen.fields(inks, rng)[..., None] / np.float32(255)
    temperature = best_temperature(network.predict(shown, batch_size=1000, verbose=0), answers)
    network.layers[-1].set_weights([part / temperature for part in network.layers[-1].get_weights()])
    export_onnx(network, path)
    return temperature


def detector_for(model: Model, folder: Path) -> Detector:
    """The detector of the network: it also learns from letters and signs that people wrote."""
    rng = np.random.default_rng((SEED, 1))
    digits = by_pen.fields(by_pen.digits(folder, False, DIGITS, rng)[0], rng)
    others = by_pen.fields(by_pen.no_digits(folder, False, OTHERS, rng), rng)
    return detector_fit.fit_detector(model, more_digits=digits, more_others=others)


def measured(reader: Reader, folder: Path) -> dict[str, Any]:
    """How well a reader reads the validation writers' digits on paper, and refuses their letters and signs."""
    rng = np.random.default_rng(MEASURED_SEED)
    inks, labels = by_pen.digits(folder, True, MEASURED, rng)
    said = [reader.digit(picture) for picture in by_pen.on_paper(inks, rng)]
    others = [reader.digit(p) for p in by_pen.on_paper(by_pen.no_digits(folder, True, MEASURED, rng), rng)]
    right = np.array([number.best_guess == str(label) for number, label in zip(said, labels, strict=True)])
    answered = np.array([not number.refused for number in said])
    return {
        "n": MEASURED,
        "right": float(right.mean()),
        "answered": float(answered.mean()),
        "right_of_answered": float(right[answered].mean()),
        "by_digit": {str(digit): float(right[labels == digit].mean()) for digit in range(10)},
        "others_refused": float(np.mean([number.refused for number in others])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("unipen", type=Path)
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--detector", action="store_true", help="only fit the shipped network's detector anew")
    parser.add_argument("--measure", action="store_true", help="measure the shipped network beside robust")
    asked = parser.parse_args()
    if asked.measure:
        found = {name: measured(Reader(name), asked.unipen) for name in ("reader-digit", "robust")}
        print(found)
        results.write("reader-digit", {"models": found})
        return
    if asked.detector:
        ship_detector(asked.unipen)
        return
    recipe = recipe_of(RECIPE, dict(item.split("=", 1) for item in asked.settings))
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "reader-digit.onnx"
        temperature = trained(recipe, asked.unipen, path)
        found = measured(Reader(path), asked.unipen)
        print(recipe, temperature, found, flush=True)
        if not asked.settings:
            ship(path, dataclasses.replace(recipe, temperature=temperature), found, asked.unipen)


def ship(path: Path, recipe: Recipe, found: dict[str, Any], folder: Path) -> None:
    """Write a network into the package, with its detector and their cards."""
    files.write_bytes(MODELS / path.name, path.read_bytes())
    metrics = {"unseen_writers_right": found["right"], "n": found["n"]}
    cards.write(MODELS / path.name, cards.reader_digit(results.plain(recipe), WRITTEN, FORMED + LOOPED, metrics))
    ship_detector(folder)


def ship_detector(folder: Path) -> None:
    """Fit the detector of the shipped network, and write it and its card."""
    detector = detector_for(load("reader-digit"), folder)
    files.write_json(MODELS / "reader-digit.known.json", asdict(detector))
    cards.write(MODELS / "reader-digit.known.json", cards.detector("reader-digit", detector))


if __name__ == "__main__":
    main()
