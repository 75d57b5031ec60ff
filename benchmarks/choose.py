"""Measure a recipe's settings on validation digits by writers who are not in the training part.

This is how the recipes were chosen; the MNIST test split is not read. It needs to know who wrote MNIST's training
images: an .npz with `writer` (60000,), made from the QMNIST label files, which does not ship with the package.

The network is measured without the recipe's temperature, so that the best temperature found is the one to write into
the recipe. With --save, every seed is kept as soon as it is measured, and is not trained again.

Usage: python benchmarks/choose.py WRITERS.npz RECIPE [KEY=VALUE ...] [--seeds N] [--save]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import results

from digitscope.backend import keras
from digitscope.cli.terminal import progress_bar
from digitscope.datasets.mnist import load_mnist
from digitscope.formatting import duration
from digitscope.preprocessing.augment import distort
from digitscope.training.fit import fit
from digitscope.training.recipes import Recipe, recipe_of

VALIDATION = 6
"""One writer in six, drawn with a fixed seed, is kept out of training: 89 of 539 writers, 9,886 images."""

Views = dict[str, tuple[np.ndarray, np.ndarray]]
"""Name -> images float32 (n, 28, 28) 0..1 and their labels: the same digits, shown in different ways."""


def validation_part(writers: Path) -> np.ndarray:
    """Which training images belong to the validation writers, bool (60000,)."""
    writer = np.load(writers)["writer"]
    everyone = np.unique(writer)
    chosen = np.random.default_rng(0).permutation(everyone)[: len(everyone) // VALIDATION]
    return np.isin(writer, chosen)


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
    """The seeds of this very recipe that are in its result file."""
    known = results.read(f"validation-{recipe.name}")
    return known["seeds"] if known and Recipe.from_dict(known["recipe"]) == recipe else []


def summary(rows: list[dict[str, Any]], views: Views) -> str:
    """Mean and spread of the accuracy on each view, and the mean of the best temperature."""
    lines = []
    for name in views:
        accuracy, temperature = ([row[name][key] for row in rows] for key in ("accuracy", "temperature"))
        deviation = np.std(accuracy, ddof=min(1, len(rows) - 1))
        lines.append(
            f"{name}: {100 * np.mean(accuracy):.3f} % (standard deviation {100 * deviation:.3f}), "
            f"best temperature {np.mean(temperature):.3f} ({min(temperature)} to {max(temperature)})"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("writers", type=Path)
    parser.add_argument("recipe")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--save", action="store_true", help="keep the seeds in benchmarks/results/validation-RECIPE.json"
    )
    asked = parser.parse_args()
    if asked.save and asked.settings:
        parser.error("--save is for a recipe as it is; leave out the settings, or --save")
    settings = dict(item.split("=", 1) for item in asked.settings)
    recipe = dataclasses.replace(recipe_of(asked.recipe, settings), temperature=1.0)
    (x, y), _ = load_mnist()
    held_out = validation_part(asked.writers)
    views = views_of(x[held_out], y[held_out])
    rows = measured_before(recipe)[: asked.seeds] if asked.save else []
    for seed in range(len(rows), asked.seeds):
        with progress_bar() as progress:
            fitted = fit(recipe, x[~held_out], y[~held_out], seed, progress=progress)
        rows.append({"seed": seed, "seconds": round(fitted.seconds, 1)} | measured(fitted.network, views))
        left = duration((asked.seeds - len(rows)) * fitted.seconds)
        print(f"{json.dumps(rows[-1])}\n{len(rows)} of {asked.seeds} seeds, about {left} left", flush=True)
        if asked.save:
            figures = {"n": int(held_out.sum()), "recipe": results.plain(recipe), "seeds": rows}
            results.write(f"validation-{recipe.name}", figures)
    print(summary(rows, views))


if __name__ == "__main__":
    main()
