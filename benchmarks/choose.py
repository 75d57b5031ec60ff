"""Measure a recipe's settings on validation digits by writers who are not in the training part.

This is how the recipes were chosen; the MNIST test split is not read. It needs to know who wrote MNIST's training
images: an .npz with `writer` (60000,), made from the QMNIST label files, which does not ship with the package.

Usage: python benchmarks/choose.py WRITERS.npz RECIPE [KEY=VALUE ...] [--seeds N] [--save]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import results

from digitscope.datasets.mnist import load_mnist
from digitscope.preprocessing.augment import distort
from digitscope.training.fit import fit
from digitscope.training.recipes import recipe_of

VALIDATION = 6
"""One writer in six, drawn with a fixed seed, is kept out of training: 89 of 539 writers, 9,886 images."""


def validation_part(writers: Path) -> np.ndarray:
    """Which training images belong to the validation writers, bool (60000,)."""
    writer = np.load(writers)["writer"]
    everyone = np.unique(writer)
    chosen = np.random.default_rng(0).permutation(everyone)[: len(everyone) // VALIDATION]
    return np.isin(writer, chosen)


def log_loss(p: np.ndarray, y: np.ndarray, temperature: float) -> float:
    """Mean cross-entropy of probabilities (n, 10) after a softmax temperature."""
    scores = np.log(np.maximum(p, 1e-30)) / temperature
    scores -= scores.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]))


def best_temperature(p: np.ndarray, y: np.ndarray) -> float:
    """The temperature with the lowest cross-entropy, on a grid from 0.2 to 4."""
    grid = np.round(np.arange(0.2, 4.001, 0.02), 2)
    return float(grid[np.argmin([log_loss(p, y, t) for t in grid])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("writers", type=Path)
    parser.add_argument("recipe")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/validation-RECIPE.json")
    arguments = parser.parse_args()
    recipe = recipe_of(arguments.recipe, dict(item.split("=", 1) for item in arguments.settings))
    (x, y), _ = load_mnist()
    held_out = validation_part(arguments.writers)
    views = {"as they are": x[held_out] / np.float32(255)}
    views["distorted"] = distort(x[held_out], 1.0, np.random.default_rng(1))
    views["both"] = np.concatenate(list(views.values()))
    labels = {
        name: np.concatenate([y[held_out]] * (len(images) // int(held_out.sum()))) for name, images in views.items()
    }
    rows = []
    for seed in range(arguments.seeds):
        fitted = fit(recipe, x[~held_out], y[~held_out], seed)
        row: dict[str, object] = {"seed": seed, "seconds": round(fitted.seconds, 1)}
        for name, images in views.items():
            p = fitted.network.predict(images[..., None], batch_size=1000, verbose=0)
            row[name] = {
                "accuracy": float(np.mean(p.argmax(axis=1) == labels[name])),
                "loss": log_loss(p, labels[name], 1.0),
                "temperature": best_temperature(p, labels[name]),
            }
        rows.append(row)
        print(json.dumps(row), flush=True)
    summary = {"n": int(held_out.sum()), "recipe": results.plain(recipe), "seeds": rows}
    for name in views:
        accuracy = [row[name]["accuracy"] for row in rows]  # type: ignore[index]
        deviation = np.std(accuracy, ddof=min(1, len(rows) - 1))
        print(f"{name}: {100 * np.mean(accuracy):.3f} % (standard deviation {100 * deviation:.3f})")
    if arguments.save:
        results.write(f"validation-{recipe.name}", summary)


if __name__ == "__main__":
    main()
