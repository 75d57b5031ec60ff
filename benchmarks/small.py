"""The smallest networks: the best mean accuracy under 1,000, 5,000, 10,000 and 50,000 parameters.

A network is written as its layers: `8` is a 3x3 convolution to 8 maps with ReLU, `8x5` one with a 5x5 window, `p` a
max pooling of 2x2, `a` the mean over all that is left, `d32` a dense layer of 32; the ten answers follow by themselves.
So `5 p 8 p 6 a` has 926 parameters.

With networks as arguments, each learns from four folds of the training images (`folds.py`) and is measured on the
fifth: this is how they are chosen. Without, those that were chosen (`CHOSEN`) are trained on all 60,000 images with
every seed, measured on the test split once they are finished, in float32 and in eight bits (`export --format
tflite-int8`), and written to `results/small.json`; seeds that are there are not trained again.

Usage: python benchmarks/small.py ["NETWORK" ...] [--set KEY=VALUE ...] [--fold N] [--seed N]
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import folds
import numpy as np
import openings
import results

from digitscope.backend import keras
from digitscope.cli.terminal import progress_bar
from digitscope.datasets.mnist import load_mnist
from digitscope.models.export_keras import tflite_answers
from digitscope.models.export_onnx import export_onnx
from digitscope.models.formats import export_model
from digitscope.models.model import load
from digitscope.training.fit import fit
from digitscope.training.recipes import Recipe, recipe_of

SEEDS = 5

CHOSEN: dict[int, tuple[str, dict[str, str]]] = {}
"""The most parameters -> the network, and what its recipe has in place of `robust`'s settings."""


def build_small(layers: str, recipe: Recipe, precision: str = "float32") -> keras.Sequential:
    """The network that a text describes, untrained; the recipe gives its name alone.

    Raises:
        ValueError: the text is not of this form, or a window is larger than what is left of the image.
    """
    network = keras.Sequential([keras.Input((28, 28, 1), name="input")], name=recipe.name)
    for number, word in enumerate(layers.split(), start=1):
        if word == "p":
            network.add(keras.layers.MaxPooling2D(2, dtype=precision, name=f"pool{number}"))
        elif word == "a":
            size = network.output_shape[1:3]
            network.add(keras.layers.AveragePooling2D(size, dtype=precision, name=f"mean{number}"))
        elif word[0] == "d":
            if len(network.output_shape) > 2:
                network.add(keras.layers.Flatten(dtype=precision, name="flatten"))
            network.add(keras.layers.Dense(int(word[1:]), "relu", dtype=precision, name=f"dense{number}"))
        else:
            maps, _, side = word.partition("x")
            network.add(
                keras.layers.Conv2D(int(maps), int(side or 3), activation="relu", dtype=precision, name=f"conv{number}")
            )
    if len(network.output_shape) > 2:
        network.add(keras.layers.Flatten(dtype=precision, name="flatten"))
    network.add(keras.layers.Dense(10, "softmax", dtype="float32", name="softmax"))
    return network


def recipe_for(most: int | str, settings: dict[str, str]) -> Recipe:
    """`robust` with other settings, under a name that tells the most parameters."""
    recipe = recipe_of("robust", {"lower_precision": "false", "temperature": "1", **settings})
    return dataclasses.replace(recipe, name=f"small-{most}")


def chosen_by(layers: str, settings: dict[str, str], fold: int, seed: int) -> dict[str, Any]:
    """Train a network on all folds but one and measure it on that one."""
    (x, y), _ = load_mnist()
    aside = folds.folds() == fold
    with progress_bar() as progress:
        network = functools.partial(build_small, layers)
        fitted = fit(recipe_for("try", settings), x[~aside], y[~aside], seed, progress=progress, network_of=network)
    p = fitted.network.predict(x[aside][..., None] / np.float32(255), batch_size=1000, verbose=0)
    return {
        "layers": layers, "settings": settings, "parameters": fitted.network.count_params(), "fold": fold,
        "seed": seed, "accuracy": float(np.mean(p.argmax(axis=1) == y[aside])), "seconds": round(fitted.seconds),
    }  # fmt: skip


def final(most: int, layers: str, settings: dict[str, str], seed: int) -> dict[str, Any]:
    """Train a network on all training images and measure its two files on the test split."""
    (x, y), (x_test, y_test) = load_mnist()
    recipe = recipe_for(most, settings)
    with progress_bar() as progress:
        fitted = fit(recipe, x, y, seed, progress=progress, network_of=functools.partial(build_small, layers))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"small-{most}.onnx"
        export_onnx(fitted.network, path)
        model = load(path)
        small = export_model(model, "tflite-int8", Path(folder) / "small.tflite")
        full = float(np.mean(model.predict(x_test).argmax(axis=1) == y_test))
        eight = float(np.mean(tflite_answers(small, x_test[..., None] / np.float32(255)).argmax(axis=1) == y_test))
        header = export_model(model, "c", Path(folder) / "small.h")
        row = {"bytes_of_tflite": small.stat().st_size, "bytes_of_header": header.stat().st_size}
    openings.add(f"small-{most}", seed, full, recipe)
    return {"seed": seed, "accuracy": full, "eight_bits": eight, "seconds": round(fitted.seconds)} | row


def multiplications(network: keras.Sequential) -> int:
    """Multiplications of one image, biases and poolings left out."""
    return sum(
        layer.get_weights()[0].size * int(np.prod(layer.output.shape[1:-1]))
        for layer in network.layers
        if layer.get_weights()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the recipe")
    parser.add_argument("--fold", type=int, default=0, choices=range(folds.FOLDS))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for layers in asked.networks:
        settings = dict(item.split("=", 1) for item in asked.set)
        print(json.dumps(chosen_by(layers, settings, asked.fold, asked.seed)), flush=True)
    if asked.networks:
        return
    if not CHOSEN:
        parser.exit(2, "no network is chosen yet; give networks to compare them\n")
    for most, (layers, settings) in CHOSEN.items():
        recipe = recipe_for(most, settings)
        network = build_small(layers, recipe)
        known = results.read("small").get("networks", {})
        same = known.get(str(most), {})
        runs = same["runs"] if same.get("layers") == layers and same.get("recipe") == results.plain(recipe) else []
        for seed in range(len(runs), SEEDS):
            runs.append(final(most, layers, settings, seed))
            print(runs[-1], flush=True)
            known[str(most)] = {
                "layers": layers, "recipe": results.plain(recipe), "parameters": network.count_params(),
                "multiplications": multiplications(network), "runs": runs,
            }  # fmt: skip
            results.write("small", {"networks": known})


if __name__ == "__main__":
    main()
