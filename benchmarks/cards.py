"""The cards beside the shipped model files: what each is, what it was made of, how good it is, what it cannot do.

``ship.py`` writes those of the classifiers and ``fit_known.py --ship`` those of the detectors. A card has the SHA-256
of its file, and a test fails when it is another's.

Usage: python benchmarks/cards.py RUN [SEED [HISTORY]]
       ships the line network of a finished `digitscope train-reader` (RUN is its folder), with its card; HISTORY is
       a sentence for it about what was unusual in its making
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import openings
import results

from digitscope import files
from digitscope.datasets.load import load_dataset
from digitscope.environment import machine
from digitscope.formatting import mean_percent, percent, times
from digitscope.reading import detector_fit
from digitscope.reading.out_of_distribution import Detector

SHIPPED = Path(__file__).parent.parent / "src" / "digitscope" / "shipped"

UNIPEN = (
    "UNIPEN train_r01_v07 (International Unipen Foundation; Guyon et al., ICPR 1994), distributed under CC BY 4.0 at "
    "doi 10.5281/zenodo.1195803; the older note in the collection grants use for research and forbids distributing "
    "the data for commercial purposes. Which of them holds is open: ask before you build a product on this network, "
    "or take one that has not seen it: robust for single digits, for lines the network of a `digitscope train-reader` "
    "without these strokes"
)
"""What is said about the licence of the pen strokes, in every card of a network that has seen them."""

MNIST = "MNIST, all 60,000 training images (LeCun, Cortes, Burges; CC BY-SA 3.0)"


def card_path(file: Path) -> Path:
    """Where the card of a model file is: ``classic.json`` beside ``classic.onnx``."""
    return file.with_suffix(".json" if file.suffix == ".onnx" else ".card.json")


def write(file: Path, card: dict[str, Any]) -> None:
    """Write a model file's card beside it; what the card leaves out is said of the tree that runs now."""
    usual = {"commit": results.commit(), "machine": machine(), "licence": "Apache-2.0"}
    files.write_json(card_path(file), card | {key: card.get(key, value) for key, value in usual.items()} | _hash(file))


def classifier(name: str, figures: dict[str, Any]) -> dict[str, Any]:
    """The card of a recipe's network, which is that of the first seed.

    Args:
        name: of the recipe.
        figures: as ``ship.py`` writes them.
    """
    first, count = figures["runs"][0], len(figures["runs"])
    spread = mean_percent(figures["mean"], figures["deviation"])
    return {
        "name": name,
        "summary": f"{percent(first['accuracy'])} of MNIST's test images; recipe mean {spread} over {count} seeds",
        "task": "one handwritten digit, 28x28, pen bright on dark, centred as MNIST's are",
        "recipe": figures["recipe"],
        "seed": first["seed"],
        "data": MNIST,
        "data_sha256": load_dataset("mnist").sha256(),
        "commit": first.get("commit"),
        "machine": figures["machine"],
        "metrics": {
            "test_accuracy": first["accuracy"],
            "test_loss": first["loss"],
            "misses": first["misses"],
            "n": figures["n"],
        },
        "over_seeds": {
            "n": count,
            "mean_accuracy": figures["mean"],
            "standard_deviation": figures["deviation"],
            "accuracy": [run["accuracy"] for run in figures["runs"]],
        },
        "test_split": f"Networks of this recipe were measured on MNIST's test images {times(openings.times(name))} "
        "so far, this one included; Digitscope's docs/results.md lists each time and what followed.",
        "limits": "Knows the ten digits as American writers form them; it has no idea of letters or blanks.",
    }


def reader_digit(recipe: dict[str, Any], written: int, formed: int, metrics: dict[str, Any]) -> dict[str, Any]:
    """The card of the network that reads single digits.

    Args:
        recipe: its settings.
        written: number of its digits drawn from recorded pen strokes.
        formed: number of its digits drawn from forms.
        metrics: how well it reads writers that it has not seen.
    """
    return {
        "name": "reader-digit",
        "summary": "reads single digits, European forms among them",
        "task": "one handwritten digit, 28x28, pen bright on dark, centred as MNIST's are",
        "recipe": recipe,
        "seed": 0,
        "data": f"{MNIST}; {written:,} digits drawn from the pen strokes of UNIPEN's training writers; {formed:,} "
        "drawn from the project's own forms",
        "data_licence": UNIPEN,
        "metrics": metrics,
        "limits": "No figure on MNIST's test images is given, since it has seen other digits than MNIST's; its figures "
        "on writers that it has not seen are in docs/results.md.",
    }


def detector(name: str, found: Detector) -> dict[str, Any]:
    """The card of a shipped network's detector."""
    settings = {setting: getattr(detector_fit, setting) for setting in (
        "FITTED_ON", "CALIBRATED_ON", "KEPT", "HIDDEN", "EPOCHS", "RATE", "DECAY", "BATCH", "SMOOTHING")}  # fmt: skip
    return {
        "name": f"{name}.known",
        "summary": f"tells digits from what is none, by the values inside `{name}`",
        "task": "the probability that a 28x28 image shows a digit at all, whichever one",
        "recipe": {key.lower(): value for key, value in settings.items()} | {"layers": found.layers},
        "seed": 0,
        "data": "MNIST's training images (CC BY-SA 3.0), and known.npz: letters, drawings and digits that "
        "benchmarks/fit_known.py drew",
        "data_sha256": _hash(SHIPPED / detector_fit.FIT_DATA)["sha256"],
        "model_sha256": found.model_sha256,
        "metrics": {"threshold": found.threshold},
        "limits": f"Knows drawings like those that it was fitted to; it belongs to this one {name}.onnx and tells "
        "nothing about another network.",
    }


def reader(run: Path, seed: int, history: str = "") -> dict[str, Any]:
    """The card of a line network from the folder of its training; ``history`` says what was unusual about that."""
    kept = json.loads((run / "history.json").read_text(encoding="utf-8"))
    fonts = sum(map(len, results.read("fonts").values()))
    recorded = kept["trajectories"]
    measured = {"unseen_writers_accuracy": kept["unseen_writers"]} if recorded else {}
    card = {
        "name": "reader",
        "summary": f"{percent(kept['accuracy'], 1)} of synthetic lines of another seed read exactly",
        "task": "the digits and separators of a handwritten line, 32 pixels high",
        "recipe": {"lines": kept["lines"], "program": "digitscope train-reader" + " --unipen FOLDER" * recorded},
        "seed": seed,
        "data": f"synthetic lines: MNIST's training digits (CC BY-SA 3.0), {fonts} openly licensed fonts "
        "(benchmarks/results/fonts.json) and strokes drawn from templates"
        + ", and pen trajectories of UNIPEN's training writers"
        * recorded,
        "metrics": {"synthetic_accuracy": kept["accuracy"]} | measured | {"fit_seconds": kept["seconds"]},
        "limits": "Reads digits and separators only, in lines like the synthetic ones, and tells other marks from "
        "them; docs/results.md has its figures on real lines.",
    }
    return card | ({"data_licence": UNIPEN} if recorded else {}) | ({"history": history} if history else {})


def _hash(file: Path) -> dict[str, str]:
    """The SHA-256 of a file, as a card holds it."""
    return {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def main() -> None:
    if not 2 <= len(sys.argv) <= 4:
        raise SystemExit(__doc__)
    run, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    target = SHIPPED / "lines" / "reader.onnx"
    card = reader(run, seed, *sys.argv[3:])
    files.write_bytes(target, (run / "reader.onnx").read_bytes())
    write(target, card)
    print(f"wrote {target.name} and {card_path(target).name}")


if __name__ == "__main__":
    main()
