"""Measure how a recipe reads validation digits that are not clean: how the disturbances of `hardened` were chosen.

The network learns from all folds but one (`folds.py`) and is measured on that one: on the digits as they are, and under
disturbances of other families than `preprocessing.disturb` has and than MNIST-C has. A setting is chosen by their mean.
With --fifteen the corruptions of MNIST-C are measured on the same digits, too, once a choice has been made. MNIST's
test split is not read.

Usage: python benchmarks/harden.py RECIPE [KEY=VALUE ...] [--fold N] [--seed N] [--fifteen] [--keep FILE.keras]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import folds
import numpy as np
from choose import best_temperature, log_loss
from saved_fits import saved_fit

from digitscope.cli.terminal import progress_bar
from digitscope.datasets.mnist import load_mnist
from digitscope.preprocessing.corruptions import CORRUPTIONS, corrupt
from digitscope.training.recipes import recipe_of

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""From float32 (28, 28) 0..1 to the same, which may leave 0..1."""

PLACE = np.arange(28, dtype=np.float32)


def speckled(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise that grows with the ink."""
    return field * (1 + rng.normal(0, 0.6, field.shape))


def pixelated(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Seen in 11x11 squares."""
    return cv2.resize(
        cv2.resize(field, (11, 11), interpolation=cv2.INTER_AREA), (28, 28), interpolation=cv2.INTER_NEAREST
    )


def compressed(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a JPEG of the lowest quality."""
    _, packed = cv2.imencode(".jpg", np.uint8(255 * field), [cv2.IMWRITE_JPEG_QUALITY, 3])
    return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE) / 255


def zoomed(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As if the camera moved nearer while it looked."""
    steps = [cv2.getRotationMatrix2D((13.5, 13.5), 0, factor) for factor in np.linspace(1, 1.4, 9)]
    return np.mean([cv2.warpAffine(field, step, (28, 28)) for step in steps], axis=0)


def unfocused(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Under a disk of two pixels."""
    disk = (np.hypot(*np.mgrid[-2:3, -2:3]) <= 2.3).astype(np.float32)
    return cv2.filter2D(field, -1, disk / disk.sum(), borderType=cv2.BORDER_REPLICATE)


def struck(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Struck through by two straight lines."""
    struck = field.copy()
    for _ in range(2):
        ends = rng.integers(0, 28, 4)
        ends[rng.integers(2)], ends[2 + rng.integers(2)] = 0, 27
        cv2.line(struck, tuple(map(int, ends[:2])), tuple(map(int, ends[2:])), 1.0, 1, cv2.LINE_AA)
    return np.maximum(field, struck)


def squared(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """On squared paper."""
    pitch, right, down = rng.integers(5, 9), *rng.integers(0, 8, 2)
    ruled = ((PLACE + right) % pitch < 1) | ((PLACE[:, None] + down) % pitch < 1)
    return np.maximum(field, 0.7 * ruled)


def split(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Inverted on one side of a straight line that passes near the middle."""
    angle = rng.uniform(0, 2 * np.pi)
    far = (PLACE - 13.5) * np.cos(angle) + (PLACE[:, None] - 13.5) * np.sin(angle)
    return np.where(far > rng.uniform(-5, 5), 1 - field, field)


def lit(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Low in contrast, under light from one side."""
    angle = rng.uniform(0, 2 * np.pi)
    far = (PLACE - 13.5) * np.cos(angle) + (PLACE[:, None] - 13.5) * np.sin(angle)
    return 0.35 * field + 0.65 * (far + 19) / 38


def tilted(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In perspective."""
    corners = np.float32([[0, 0], [27, 0], [27, 27], [0, 27]])
    seen = cv2.getPerspectiveTransform(corners, corners + rng.uniform(-5, 5, (4, 2)).astype(np.float32))
    return cv2.warpPerspective(field, seen, (28, 28))


def outlined(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Only what lies around the ink: it is grown by a disk and taken away."""
    return cv2.dilate(field, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))) - field


HELD_OUT: tuple[Change, ...] = (
    speckled, pixelated, compressed, zoomed, unfocused, struck, squared, split, lit, tilted, outlined,
)  # fmt: skip


def changed(images: np.ndarray, change: Change) -> np.ndarray:
    """Images uint8 under one of ``HELD_OUT``, each in its own way, float32 (n, 28, 28) 0..1."""
    rng = np.random.default_rng((7, HELD_OUT.index(change)))
    fields = images / np.float32(255)
    return np.clip([change(field, rng) for field in fields], 0, 1).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--fold", type=int, default=0, choices=range(folds.FOLDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fifteen", action="store_true", help="measure under MNIST-C's corruptions, too")
    parser.add_argument("--keep", type=Path, help="the file for the network")
    asked = parser.parse_args()
    settings = dict(item.split("=", 1) for item in asked.settings)
    recipe = dataclasses.replace(recipe_of(asked.recipe, settings), temperature=1.0)
    (x, y), _ = load_mnist()
    aside = folds.folds() == asked.fold
    with progress_bar() as progress:
        fitted = saved_fit(recipe, x[~aside], y[~aside], asked.seed, progress)
    if asked.keep:
        fitted.network.save(asked.keep)

    def answers(fields: np.ndarray) -> np.ndarray:
        return fitted.network.predict(fields[..., None], batch_size=1000, verbose=0)

    def accuracy(fields: np.ndarray) -> float:
        return round(float(np.mean(answers(fields).argmax(axis=1) == y[aside])), 5)

    clean = answers(x[aside] / np.float32(255))
    best = best_temperature(clean, y[aside])
    found = {change.__name__: accuracy(changed(x[aside], change)) for change in HELD_OUT}
    row = {
        "settings": asked.settings, "fold": asked.fold, "seed": asked.seed, "seconds": round(fitted.seconds),
        "clean": float(np.mean(clean.argmax(axis=1) == y[aside])), "temperature": best,
        "loss": round(log_loss(clean, y[aside], best), 5), "held_out": found, "mean": float(np.mean([*found.values()])),
    }  # fmt: skip
    if asked.fifteen:
        measured = {
            name: accuracy(corrupt(x[aside], name, np.random.default_rng((7, place))) / np.float32(255))
            for place, name in enumerate(CORRUPTIONS)
        }
        row |= {"fifteen": measured, "mean_of_fifteen": float(np.mean([*measured.values()]))}
    print(json.dumps(row))


if __name__ == "__main__":
    main()
