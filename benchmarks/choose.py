"""Measure a recipe's settings on validation digits by writers who are not in the training part.

This is how recipes are chosen; the MNIST test split is not read. MNIST's training images are in five folds by writer
(`folds.py`). A network learns from four of them and is measured on the fifth, once for each fold, so that every
training image is read by a network that has not seen its writer. Until November 2026 one part of 9,886 images by 89
writers served instead; the older result files, and the older lines of docs/experiments.md, are of that part.

The network is measured without the recipe's temperature, so that the best temperature found is the one to write into
the recipe. With --save, every fit is kept as soon as it is measured, and is not done again. A program that was stopped
goes on after the last epoch; it runs on a GPU, too (`KERAS_BACKEND=torch` or `jax`).

Usage: python benchmarks/choose.py RECIPE [KEY=VALUE ...] [--seeds N] [--folds 0,1,2,3,4] [--save]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

import folds
import numpy as np
import results
from saved_fits import saved_fit, where

from digitscope.backend import keras
from digitscope.cli.terminal import progress_bar
from digitscope.datasets.mnist import load_mnist
from digitscope.formatting import duration
from digitscope.preprocessing.augment import distort
from digitscope.training.recipes import Recipe, recipe_of

Views = dict[str, tuple[np.ndarray, np.ndarray]]
"""Name -> images float32 (n, 28, 28) 0..1 and their labels: the same digits, shown in different ways."""


def views_of(x: np.ndarray, y: np.ndarray) -> Views:
    """Digits as they are, distorted, and both together."""
    views = {"as they are": (x / np.float32(255), y), "distorted": (distort(x, 1.0, np.random.default_rng(1)), y)}
    images, labels = zip(*views.values(), strict=True)
    return views | {"both": (np.concatenate(images), np.concatenate(labels))}


def log_loss(p: np.ndarray, y: np.ndarray, temperature: float) -> float:
    """Mean cross-entropy of probabilities (n, 10) after a softmax temperature."""
    scores = np.log(np.maximum(p, 1e-30)) / temperature
    scores -= scores.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]))


def best_temperature(p: np.ndarray, y: np.ndarray) -> float:
    """The temperature with the lowest cross-entropy, on a grid from 0.2 to 4."""
    grid = np.round(np.arange(0.2, 4.001, 0.02), 2)
    return float(grid[np.argmin([log_loss(p, y, t) for t in grid])])


def measured(network: keras.Model, views: Views) -> dict[str, Any]:
    """Accuracy, cross-entropy and best temperature of a network on each view."""
    row = {}
    for name, (images, labels) in views.items():
        p = network.predict(images[..., None], batch_size=1000, verbose=0)
        row[name] = {
            "accuracy": float(np.mean(p.argmax(axis=1) == labels)),
            "loss": log_loss(p, labels, 1.0),
            "temperature": best_temperature(p, labels),
        }
    return row


def measured_before(recipe: Recipe) -> list[dict[str, Any]]:
    """The fits of this very recipe on the folds that are in its result file."""
    known = results.read(f"validation-{recipe.name}")
    same = known and Recipe.from_dict(known["recipe"]) == recipe
    return [row for row in known["seeds"] if "fold" in row] if same else []


def measured_on(recipe: Recipe, seed: int, fold: int) -> dict[str, Any]:
    """Fit a recipe to all folds but one and measure it on that one."""
    (x, y), _ = load_mnist()
    aside = folds.folds() == fold
    with progress_bar() as progress:
        fitted = saved_fit(recipe, x[~aside], y[~aside], seed, progress)
    row = {"seed": seed, "fold": fold, "n": int(aside.sum()), "seconds": round(fitted.seconds, 1)} | where()
    return row | measured(fitted.network, views_of(x[aside], y[aside]))


def summary(rows: list[dict[str, Any]]) -> str:
    """For each view the accuracy of all digits, each fold's and its spread over seeds, and the best temperature."""
    lines = []
    for view in (key for key, value in rows[0].items() if isinstance(value, dict)):
        found = [(row["seed"], row["fold"], row[view]["accuracy"], row["n"]) for row in rows]
        seeds = [_mean([one for one in found if one[0] == seed]) for seed in sorted({one[0] for one in found})]
        each = [
            f"{100 * _mean([one for one in found if one[1] == fold]):.2f}" for fold in sorted({f[1] for f in found})
        ]
        temperature = [row[view]["temperature"] for row in rows]
        lines.append(
            f"{view}: {100 * np.mean(seeds):.3f} % (standard deviation over {len(seeds)} seeds "
            f"{100 * np.std(seeds, ddof=min(1, len(seeds) - 1)):.3f}; fold by fold {', '.join(each)}), "
            f"best temperature {np.mean(temperature):.3f} ({min(temperature)} to {max(temperature)})"
        )
    return "\n".join(lines)


def _mean(found: list[tuple[int, int, float, int]]) -> float:
    """The share of all digits that was read right, from seed, fold, share and number of digits of several fits."""
    return float(np.average([one[2] for one in found], weights=[one[3] for one in found]))


def asked_for() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--folds", default=",".join(map(str, range(folds.FOLDS))), help="those to measure on")
    parser.add_argument(
        "--save", action="store_true", help="keep the fits in benchmarks/results/validation-RECIPE.json"
    )
    asked = parser.parse_args()
    if asked.save and asked.settings:
        parser.error("--save is for a recipe as it is; leave out the settings, or --save")
    known = {str(fold): fold for fold in range(folds.FOLDS)}
    if not set(asked.folds.split(",")) <= set(known):
        parser.error(f"--folds {asked.folds} does not fit; give some of 0 to {folds.FOLDS - 1}, e.g. 0,1")
    if asked.seeds < 1:
        parser.error(f"--seeds {asked.seeds} does not fit; give 1 or more")
    asked.folds = sorted({known[word] for word in asked.folds.split(",")})
    return asked


def main() -> None:
    asked = asked_for()
    settings = dict(item.split("=", 1) for item in asked.settings)
    recipe = dataclasses.replace(recipe_of(asked.recipe, settings), temperature=1.0)
    rows = measured_before(recipe) if asked.save else []
    wanted = [(seed, fold) for seed in range(asked.seeds) for fold in asked.folds]
    left = [pair for pair in wanted if pair not in {(row["seed"], row["fold"]) for row in rows}]
    for done, (seed, fold) in enumerate(left, start=1):
        rows.append(measured_on(recipe, seed, fold))
        rest = duration((len(left) - done) * rows[-1]["seconds"])
        print(f"{json.dumps(rows[-1])}\n{done} of {len(left)} fits, about {rest} left", flush=True)
        if asked.save:
            results.write(f"validation-{recipe.name}", {"recipe": results.plain(recipe), "seeds": rows})
    print(summary([row for row in rows if (row["seed"], row["fold"]) in wanted]))


if __name__ == "__main__":
    main()
