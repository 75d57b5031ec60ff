"""Measure how long training takes in three ways in one run: plain Keras as people write it, `classic` and `fast`.

The plain way is examples/plain_keras.py itself, run in its own process with Keras' defaults; only its `fit` is timed.
The three take turns, so that a machine whose speed drifts treats them alike.

Usage: python benchmarks/training.py [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import results

from digitscope.datasets.mnist import load_mnist
from digitscope.training.fit import Execution
from digitscope.training.recipes import recipe_of

ROOT = Path(__file__).parent.parent
RECIPES = ("classic", "fast")
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
sys.argv = ["plain_keras.py", "12", sys.argv[1]]
names = runpy.run_path("examples/plain_keras.py", run_name="__main__")
print("RESULT", json.dumps({"seconds": timed.seconds, "accuracy": names["accuracy"]}))
"""
RECIPE = """
import json, sys
from digitscope.datasets.mnist import load_mnist
from digitscope.training.recipes import recipe_of
from digitscope.training.fit import fit
(x, y), (x_test, y_test) = load_mnist()
fitted = fit(recipe_of(sys.argv[1]), x, y, int(sys.argv[2]))
p = fitted.network.predict(x_test[..., None].astype("float32") / 255, batch_size=1000, verbose=0)
print("RESULT", json.dumps({"seconds": fitted.seconds, "accuracy": float((p.argmax(axis=1) == y_test).mean())}))
"""


def measured(program: str, *words: str) -> dict[str, float]:
    """Run a Python program in its own process; the result that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise SystemExit(done.stderr)
    return dict(json.loads(lines[0].removeprefix("RESULT ")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    ways: dict[str, list[dict[str, float]]] = {"plain_keras": [], **{name: [] for name in RECIPES}}
    with tempfile.TemporaryDirectory() as folder:
        (x_train, y_train), (x_test, y_test) = load_mnist()
        path = Path(folder) / "mnist.npz"
        np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
        for number in range(rounds):
            ways["plain_keras"].append(measured(PLAIN, str(path)))
            for name in RECIPES:
                ways[name].append(measured(RECIPE, name, str(number)))
            print({name: runs[-1] for name, runs in ways.items()}, flush=True)
    ratios = {
        name: [plain["seconds"] / own["seconds"] for plain, own in zip(ways["plain_keras"], ways[name], strict=True)]
        for name in RECIPES
    }
    results.write(
        "training",
        {
            "rounds": rounds,
            "ways": ways,
            "execution": {name: results.plain(Execution.for_this_machine(recipe_of(name))) for name in RECIPES},
            "times_faster": {name: {"median": float(np.median(each)), "each": each} for name, each in ratios.items()},
        },
    )


if __name__ == "__main__":
    main()
