"""Measure how long training takes in one run: plain Keras as people write it, `classic` and `fast`.

The plain way is examples/plain_keras.py itself, run in its own process with Keras' defaults; only its `fit` is timed.
All take turns, so that a machine whose speed drifts treats them alike.

With --avx2, a processor is imitated that has AVX2 and nothing newer, as in most laptops: oneDNN is held to AVX2, no
bfloat16 is used, and oneDNN is off for the plain script, as TensorFlow leaves it there; beside it stands the plain
script with oneDNN on. TensorFlow's own kernels (Eigen) cannot be lowered, and need not be: the wheel is compiled for
AVX. `robust` and `strong` take long there, so theirs is one pass over part of the images, and the time of the whole fit
is computed from it. Written to training-avx2.json.

Usage: python benchmarks/training.py [--rounds N] [--avx2]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import openings
import results

from digitscope.datasets.mnist import load_mnist
from digitscope.training.recipes import recipe_of

ROOT = Path(__file__).parent.parent
RECIPES = ("classic", "fast")
LONG, PART = ("robust", "strong"), 30_000
"""Recipes of which only one pass is timed under --avx2, and over how many images."""
PLAIN = """
import json, runpy, sys, time
import keras
fit = keras.Model.fit
def timed(*arguments, **options):
    start = time.perf_counter()
    history = fit(*arguments, **options)
    timed.seconds = time.perf_counter() - start
    return history
keras.Sequential.fit = timed
sys.argv = ["plain_keras.py", "12", *sys.argv[1:]]
names = runpy.run_path("examples/plain_keras.py", run_name="__main__")
print("RESULT", json.dumps({"seconds": timed.seconds, "accuracy": names["accuracy"]}))
"""
SINGLE_EPOCH = """
import dataclasses, json, sys
from digitscope.datasets.mnist import load_mnist
from digitscope.training.recipes import recipe_of
from digitscope.training.fit import Execution, fit
whole, n = recipe_of(sys.argv[1]), int(sys.argv[2])
recipe = dataclasses.replace(whole, epochs=1)
execution = dataclasses.replace(Execution.for_this_machine(recipe), precision="float32")
(x, y), _ = load_mnist()
seconds = fit(recipe, x[:n], y[:n], 0, execution).seconds
rate = n * recipe.all_epochs / seconds
found = {"images": n, "networks": recipe.all_epochs, "seconds": seconds, "images_per_second": rate}
print("RESULT", json.dumps(found | {"computed_fit_seconds": len(x) * whole.all_epochs / rate}))
"""
RECIPE = """
import dataclasses, json, sys
from digitscope.datasets.mnist import load_mnist
from digitscope.training.recipes import recipe_of
from digitscope.training.fit import Execution, fit
recipe, seed, lowered = recipe_of(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "avx2"
execution = Execution.for_this_machine(recipe)
if lowered:
    execution = dataclasses.replace(execution, precision="float32")
(x, y), (x_test, y_test) = load_mnist()
fitted = fit(recipe, x, y, seed, execution)
p = fitted.network.predict(x_test[..., None].astype("float32") / 255, batch_size=1000, verbose=0)
accuracy = float((p.argmax(axis=1) == y_test).mean())
found = {"seconds": fitted.seconds, "accuracy": accuracy, "execution": dataclasses.asdict(execution)}
print("RESULT", json.dumps(found))
"""


ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


def measured(program: str, *words: str, **variables: str) -> dict[str, Any]:
    """Run a Python program in its own process, with environment variables; the result that it prints."""
    usual = {name: value for name, value in os.environ.items() if name != ONEDNN}
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True, text=True, check=False, cwd=ROOT, env=usual | variables,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise SystemExit(done.stderr)
    return dict(json.loads(lines[0].removeprefix("RESULT ")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--avx2", action="store_true")
    asked = parser.parse_args()
    held = {"ONEDNN_MAX_CPU_ISA": "AVX2"} if asked.avx2 else {}
    plain = {"plain_keras": held}
    if asked.avx2:
        plain = {"plain_keras": held | {ONEDNN: "0"}, "plain_keras with oneDNN": held | {ONEDNN: "1"}}
    ways: dict[str, list[dict[str, Any]]] = {name: [] for name in (*plain, *RECIPES)}
    with tempfile.TemporaryDirectory() as folder:
        (x_train, y_train), (x_test, y_test) = load_mnist()
        path = Path(folder) / "mnist.npz"
        np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
        for number in range(asked.rounds):
            for name, variables in plain.items():
                ways[name].append(measured(PLAIN, str(path), **variables))
                openings.add(name, 0, ways[name][-1]["accuracy"], recipe_of("seed"))
            for name in RECIPES:
                ways[name].append(measured(RECIPE, name, str(number), "avx2" if asked.avx2 else "", **held))
                openings.add(name, number, ways[name][-1]["accuracy"], recipe_of(name))
            print({name: runs[-1]["seconds"] for name, runs in ways.items()}, flush=True)
        passes = {name: measured(SINGLE_EPOCH, name, str(PART), **held) for name in LONG} if asked.avx2 else {}
    executions = {name: [run.pop("execution") for run in ways[name]][-1] for name in RECIPES}
    ratios = {}
    for peer in plain:
        for name in RECIPES:
            key = name if peer == "plain_keras" else f"{name}, against {peer}"
            ratios[key] = [a["seconds"] / b["seconds"] for a, b in zip(ways[peer], ways[name], strict=True)]
    results.write(
        "training-avx2" if asked.avx2 else "training",
        {
            "rounds": asked.rounds,
            "processor": "AVX2 imitated: ONEDNN_MAX_CPU_ISA=AVX2, float32" if asked.avx2 else "as it is",
            "ways": ways,
            "passes": passes,
            "execution": executions,
            "times_faster": {name: {"median": float(np.median(each)), "each": each} for name, each in ratios.items()},
        },
    )


if __name__ == "__main__":
    main()
