"""Ensembles: the mean answer of several networks of one recipe, each from another seed.

With --fold, the networks learn from all folds but one (`folds.py`) and the ensemble is measured on that one: so are
recipe, number of members and temperature chosen. Without, they learn from all 60,000 images, and each ensemble is
measured on the test split once all its members are finished, with a loss and a calibration error at --temperature. No
two ensembles share a member. A program that was stopped goes on after the last epoch; it runs on a GPU, too
(`KERAS_BACKEND=torch` or `jax`). The figures go to `results/ensemble.json`.

Usage: python benchmarks/ensemble.py RECIPE [KEY=VALUE ...] [--members N] [--repeats N] [--fold N] [--temperature T]
"""

from __future__ import annotations

import argparse
import dataclasses

import folds
import numpy as np
import openings
import results
import saved_fits
from choose import best_temperature, log_loss

from digitscope.arraytypes import Images, Labels
from digitscope.cli.terminal import progress_bar
from digitscope.datasets.mnist import load_mnist
from digitscope.models.metrics import calibration
from digitscope.training.recipes import Recipe, recipe_of


def member(recipe: Recipe, seed: int, x: Images, y: Labels, shown: Images) -> np.ndarray:
    """The probabilities float32 (n, 10) that a member gives for the images shown; they are kept for the next start."""
    path = saved_fits.FOLDER / f"member-{saved_fits.name_of(recipe, x, y, seed)}-{len(shown)}.npz"
    if not path.exists():
        with progress_bar() as progress:
            fitted = saved_fits.saved_fit(recipe, x, y, seed, progress)
        fields = shown[..., None] / np.float32(255)
        answers = fitted.network.predict(fields, batch_size=1000, verbose=0)
        np.savez(path, answers=answers, seconds=fitted.seconds)
    with np.load(path) as kept:
        return np.array(kept["answers"])


def together(recipe: Recipe, seeds: range, x: Images, y: Labels, shown: Images, labels: Labels) -> np.ndarray:
    """Train the members with these seeds; their mean probabilities (n, 10) for the images shown."""
    answers: list[np.ndarray] = []
    for seed in seeds:
        answers.append(member(recipe, seed, x, y, shown))
        alone, all_of_them = accuracy(answers[-1], labels), accuracy(np.mean(answers, axis=0), labels)
        print(f"seed {seed}: {100 * alone:.3f} %; mean of {len(answers)}: {100 * all_of_them:.3f} %", flush=True)
    return np.mean(answers, axis=0)


def accuracy(answers: np.ndarray, labels: Labels) -> float:
    """The share 0..1 of probabilities (n, 10) whose largest is that of the label."""
    return float(np.mean(answers.argmax(axis=1) == labels))


def sharpened(answers: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (n, 10) at a softmax temperature."""
    powers = np.maximum(answers, 1e-30).astype(np.float64) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def choose(recipe: Recipe, members: int, repeats: int, fold: int) -> None:
    """Measure ensembles on a fold by whose writers their members have seen nothing."""
    (x, y), _ = load_mnist()
    aside = folds.folds() == fold
    for first in range(0, repeats * members, members):
        mean = together(recipe, range(first, first + members), x[~aside], y[~aside], x[aside], y[aside])
        best = best_temperature(mean, y[aside])
        loss = log_loss(mean, y[aside], best)
        print(f"{np.sum(mean.argmax(axis=1) != y[aside])} misses; best temperature {best}: loss {loss:.5f}", flush=True)


def final(recipe: Recipe, members: int, repeats: int, temperature: float) -> None:
    """Train ensembles on all training images and measure each on the test split."""
    (x, y), (x_test, y_test) = load_mnist()
    about = {"recipe": results.plain(recipe), "members": members, "temperature": temperature}
    known = results.read("ensemble")
    rows = known["ensembles"] if about.items() <= known.items() else []
    for repeat in range(len(rows), repeats):
        seeds = range(repeat * members, (repeat + 1) * members)
        answers = sharpened(together(recipe, seeds, x, y, x_test, y_test), temperature)
        rows.append({
            "seeds": list(seeds),
            "accuracy": accuracy(answers, y_test),
            "misses": np.flatnonzero(answers.argmax(axis=1) != y_test).tolist(),
            "loss": log_loss(answers, y_test, 1.0),
            "ece": calibration(answers, y_test)[0],
            **saved_fits.where(),
            "commit": results.commit(),
        })  # fmt: skip
        openings.add(f"ensemble of {members} {recipe.name}", repeat, rows[-1]["accuracy"], recipe)
        found = [row["accuracy"] for row in rows]
        spread = float(np.std(found, ddof=1)) if len(found) > 1 else 0.0
        results.write("ensemble", about | {"mean": float(np.mean(found)), "deviation": spread, "ensembles": rows})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--members", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--fold", type=int, choices=range(folds.FOLDS))
    parser.add_argument("--temperature", type=float, default=1.0)
    asked = parser.parse_args()
    if asked.members < 1 or asked.repeats < 1 or not 0.01 <= asked.temperature <= 100:
        parser.error("give 1 or more members and repeats, and a temperature of 0.01 to 100")
    settings = dict(item.split("=", 1) for item in asked.settings)
    recipe = dataclasses.replace(recipe_of(asked.recipe, settings), temperature=1.0)
    if asked.fold is None:
        final(recipe, asked.members, asked.repeats, asked.temperature)
    else:
        choose(recipe, asked.members, asked.repeats, asked.fold)


if __name__ == "__main__":
    main()
