"""Measure each recipe over several seeds, and write the first seed's model into the package if it ships.

Fixed schedules, last (or averaged) weights, all 60,000 training images. Every network is measured on the test split
when it is finished, and `results/test-openings.json` records it; nothing is chosen by the result. Seeds that were
measured are not trained again; delete benchmarks/results/RECIPE.json to start over. `plain_keras` is the script
examples/plain_keras.py, which is the recipe `seed`. A fit that was stopped goes on after its last epoch; networks are
also fitted on a GPU (`KERAS_BACKEND=torch` or `jax`).

Usage: python benchmarks/ship.py [plain_keras|fast|classic|robust|strong|hardened ...]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import busy
import cards
import numpy as np
import openings
import results
from saved_fits import saved_fit, where

from digitscope import files
from digitscope.datasets.load import load_dataset
from digitscope.models.export_onnx import export_onnx
from digitscope.models.model import load
from digitscope.training.fit import Execution
from digitscope.training.recipes import Recipe, recipe_of
from training import PLAIN, measured

SCRIPT = "plain_keras"
SEEDS = {SCRIPT: 3, "fast": 10, "classic": 10, "robust": 3, "strong": 3, "hardened": 3}
SHIPPED = ("classic", "robust", "strong", "hardened")
MODELS = cards.SHIPPED / "models"
N = 10_000


def ship(name: str) -> None:
    """Train one recipe with every seed, keep the figures, and write seed 0's model if the recipe ships."""
    recipe = recipe_of("seed" if name == SCRIPT else name)
    known = results.read(name)
    runs = known["runs"] if known and Recipe.from_dict(known["recipe"]) == recipe else []
    for seed in range(len(runs), SEEDS[name]):
        others = busy.Others()
        found = script_run(seed) if name == SCRIPT else recipe_run(recipe, seed)
        runs.append({"seed": seed} | found | {"beside_other_work": others.busy, "commit": results.commit()})
        print(runs[-1], flush=True)
        openings.add(name, seed, found["accuracy"], recipe)
        results.write(name, figures(name, recipe, runs))
        if name in SHIPPED:
            cards.write(MODELS / f"{name}.onnx", cards.classifier(name, results.read(name)))


def recipe_run(recipe: Recipe, seed: int) -> dict[str, Any]:
    """Train a recipe and measure the file it gives; seed 0's becomes the shipped one if the recipe ships."""
    data = load_dataset("mnist")
    fitted = saved_fit(recipe, data.x_train, data.y_train, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_onnx(fitted.network, path)
        evaluation = load(path).evaluate()
        if seed == 0 and recipe.name in SHIPPED:
            files.write_bytes(MODELS / f"{recipe.name}.onnx", path.read_bytes())
    return {
        "accuracy": evaluation.accuracy,
        "loss": evaluation.loss,
        "misses": evaluation.misses,
        "ece": evaluation.ece,
        "fit_seconds": round(fitted.seconds, 2),
        **where(),
    }


def script_run(seed: int) -> dict[str, Any]:
    """Run the plain script in its own process, with Keras' defaults; only its ``fit`` is timed."""
    data = load_dataset("mnist")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.npz"
        np.savez(path, x_train=data.x_train, y_train=data.y_train, x_test=data.x_test, y_test=data.y_test)
        found = measured(PLAIN, str(path), str(seed))
    misses = round(N * (1 - found["accuracy"]))
    return {"accuracy": 1 - misses / N, "misses": misses, "fit_seconds": round(found["seconds"], 2)}


def figures(name: str, recipe: Recipe, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What the result file says of the runs; how the plain script is executed is left to Keras."""
    accuracy = [run["accuracy"] for run in runs]
    execution = {} if name == SCRIPT else {"execution": results.plain(Execution.for_this_machine(recipe))}
    return {
        "recipe": results.plain(recipe),
        **execution,
        "n": N,
        "mean": float(np.mean(accuracy)),
        "deviation": float(np.std(accuracy, ddof=1)) if len(runs) > 1 else 0.0,
        "runs": runs,
    }


if __name__ == "__main__":
    for recipe_name in sys.argv[1:] or list(SEEDS):
        ship(recipe_name)
