"""Train the same recipes on MNIST under each of Keras' backends: test accuracy over seeds, and seconds of a fit.

Each training runs in its own process, under every backend that is installed. The backends take turns, so that a machine
whose speed drifts treats them alike. Trainings that are already in benchmarks/results/backends.json are not repeated;
delete the file to start over.

Usage: python benchmarks/backends.py [--recipes classic seed ...] [--seeds N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import openings
import results

from digitscope.environment import versions
from digitscope.training.recipes import RECIPES, Recipe, recipe_of

BACKENDS = ("tensorflow", "torch", "jax")
TRAINING = """
import dataclasses, json, sys, tempfile
from pathlib import Path
from digitscope.datasets.load import load_dataset
from digitscope.models.export_onnx import export_onnx
from digitscope.training.fit import Execution, fit
from digitscope.models.model import load
from digitscope.training.recipes import recipe_of
recipe, data = recipe_of(sys.argv[1]), load_dataset("mnist")
execution = Execution.for_this_machine(recipe)
fitted = fit(recipe, data.x_train, data.y_train, int(sys.argv[2]), execution)
with tempfile.TemporaryDirectory() as folder:
    export_onnx(fitted.network, Path(folder) / "model.onnx")
    evaluation = load(Path(folder) / "model.onnx").evaluate()
print("RESULT", json.dumps({
    "seed": int(sys.argv[2]),
    "accuracy": evaluation.accuracy,
    "misses": evaluation.misses,
    "fit_seconds": round(fitted.seconds, 2),
    "epoch_seconds": round(fitted.history[-1]["seconds"], 2),
    "execution": dataclasses.asdict(execution),
}))
"""


def trained(backend: str, recipe: str, seed: int) -> dict[str, Any]:
    """Train once under a backend and measure the model file."""
    done = subprocess.run(
        [sys.executable, "-c", TRAINING, recipe, str(seed)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"KERAS_BACKEND": backend},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise SystemExit(done.stderr)
    return dict(json.loads(lines[0].removeprefix("RESULT ")))


def summary(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Mean, spread and seconds under each backend for the runs of one recipe, and how far apart the backends are."""
    backends = {}
    for backend, its in runs.items():
        accuracy = [run["accuracy"] for run in its]
        backends[backend] = {
            "mean": float(np.mean(accuracy)),
            "deviation": float(np.std(accuracy, ddof=1)) if len(its) > 1 else 0.0,
            "seeds": len(its),
            "fit_seconds": float(np.median([run["fit_seconds"] for run in its])),
            "epoch_seconds": float(np.median([run["epoch_seconds"] for run in its])),
            "execution": its[-1]["execution"],
            "runs": its,
        }
    means = [backend["mean"] for backend in backends.values()]
    pooled = np.sqrt(np.mean([backend["deviation"] ** 2 for backend in backends.values()]))
    return {"means_apart": max(means) - min(means), "pooled_deviation": float(pooled), "backends": backends}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=["classic"])
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    installed = [backend for backend in BACKENDS if find_spec(backend) is not None]
    figures = results.read("backends").get("recipes", {})
    for name in asked.recipes:
        recipe, known = recipe_of(name), figures.get(name, {})
        begun = known["backends"] if known and Recipe.from_dict(known["recipe"]) == recipe else {}
        runs = {backend: begun.get(backend, {}).get("runs", []) for backend in {**begun, **dict.fromkeys(installed)}}
        for seed in range(asked.seeds):
            for backend in installed:
                if seed in [run["seed"] for run in runs[backend]]:
                    continue
                runs[backend].append(trained(backend, name, seed))
                on = "" if backend == "tensorflow" else f" on {backend}"
                openings.add(f"{name}{on}", seed, runs[backend][-1]["accuracy"], recipe)
                print(name, backend, runs[backend][-1], flush=True)
                figures[name] = {"recipe": results.plain(recipe)} | summary(
                    {key: its for key, its in runs.items() if its}
                )
                results.write(
                    "backends",
                    {
                        "n": 10_000,
                        "versions": versions(("keras", "tensorflow-cpu", "tensorflow", "torch", "jax", "numpy")),
                        "recipes": figures,
                    },
                )


if __name__ == "__main__":
    main()
