"""Measure each recipe over several seeds, and write the first seed's model into the package if it ships.

Fixed schedules, last (or averaged) weights, all 60,000 training images; the test split is opened once per network, when
it is finished. Seeds that were measured are not trained again; delete benchmarks/results/RECIPE.json to start over.

Usage: python benchmarks/ship.py [fast|classic|robust|strong ...]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import results

from digitscope import files
from digitscope.datasets.load import load_dataset
from digitscope.environment import machine
from digitscope.models.export_onnx import export_onnx
from digitscope.models.model import load
from digitscope.training.fit import Execution, fit
from digitscope.training.recipes import Recipe, recipe_of

SEEDS = {"fast": 10, "classic": 10, "robust": 3, "strong": 3}
SHIPPED = ("classic", "robust", "strong")
MODELS = Path(__file__).parent.parent / "src" / "digitscope" / "shipped" / "models"


def ship(name: str) -> None:
    """Train one recipe with every seed, keep the figures, and write seed 0's model if the recipe ships."""
    recipe = recipe_of(name)
    data = load_dataset("mnist")
    known = results.read(name)
    runs = known["runs"] if known and Recipe.from_dict(known["recipe"]) == recipe else []
    for seed in range(len(runs), SEEDS[name]):
        fitted = fit(recipe, data.x_train, data.y_train, seed)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            export_onnx(fitted.network, path)
            evaluation = load(path).evaluate()
            if seed == 0 and name in SHIPPED:
                files.write_bytes(MODELS / f"{name}.onnx", path.read_bytes())
        runs.append(
            {
                "seed": seed,
                "accuracy": evaluation.accuracy,
                "loss": evaluation.loss,
                "misses": evaluation.misses,
                "ece": evaluation.ece,
                "fit_seconds": round(fitted.seconds, 2),
            }
        )
        print(runs[-1], flush=True)
        accuracy = [run["accuracy"] for run in runs]
        figures = {
            "recipe": results.plain(recipe),
            "execution": results.plain(Execution.for_this_machine(recipe)),
            "n": 10_000,
            "mean": float(np.mean(accuracy)),
            "deviation": float(np.std(accuracy, ddof=1)) if len(runs) > 1 else 0.0,
            "runs": runs,
        }
        results.write(name, figures)
    if name in SHIPPED:
        write_card(name, results.read(name), data.sha256())


def write_card(name: str, figures: dict, data_sha256: str) -> None:
    """The card beside the shipped file: what it is, what it was trained on, how good it is, with the spread."""
    first, count = figures["runs"][0], len(figures["runs"])
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    files.write_json(
        MODELS / f"{name}.json",
        {
            "name": name,
            "summary": f"{100 * first['accuracy']:.2f} % of MNIST's test images; recipe mean "
            f"{100 * figures['mean']:.2f} +- {100 * figures['deviation']:.2f} % over {count} seeds",
            "task": "one handwritten digit, 28x28, pen bright on dark, centred as MNIST's are",
            "recipe": figures["recipe"],
            "seed": 0,
            "data": "MNIST, all 60,000 training images (LeCun, Cortes, Burges; CC BY-SA 3.0)",
            "data_sha256": data_sha256,
            "commit": commit,
            "machine": machine(),
            "metrics": {
                "test_accuracy": first["accuracy"],
                "test_loss": first["loss"],
                "misses": first["misses"],
                "n": 10_000,
            },
            "over_seeds": {
                "n": count,
                "mean_accuracy": figures["mean"],
                "standard_deviation": figures["deviation"],
                "accuracy": [run["accuracy"] for run in figures["runs"]],
            },
            "limits": "Knows the ten digits as American writers form them; it has no idea of letters or blanks.",
            "licence": "Apache-2.0",
        },
    )


if __name__ == "__main__":
    for recipe_name in sys.argv[1:] or list(SEEDS):
        ship(recipe_name)
