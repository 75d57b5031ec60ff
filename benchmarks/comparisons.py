"""Train the small experiments that the report describes, and write them into the package as comparisons.json.

Each variant changes one thing about the recipe `classic` and is trained for the same number of steps with the same
seeds. Accuracy is measured on MNIST's 10,000 test images when a network is finished, and recorded in
`results/test-openings.json`. Nothing is chosen by these figures: they only explain.

Usage: python benchmarks/comparisons.py   (make comparisons)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import cv2
import keras
import numpy as np
import openings
from keras import layers

from digitscope import files
from digitscope.datasets.mnist import load_mnist
from digitscope.environment import machine
from digitscope.models.model import load
from digitscope.training.fit import fit
from digitscope.training.networks import build
from digitscope.training.recipes import Recipe, recipe_of

SEEDS = (0, 1, 2)
CLASSIC = recipe_of("classic")
TARGET = Path(__file__).parent.parent / "src" / "digitscope" / "shipped" / "results" / "comparisons.json"
FILTERS = ((2, 4), (4, 8), (8, 16), (16, 32), (64, 128))
TRAINING_IMAGES = (300, 1000, 3000, 10_000, 30_000)
EXPLAINS = "nothing: they explain, in the report"
PIXELS, DEGREES = tuple(range(11)), tuple(range(0, 95, 10))

(X_TRAIN, Y_TRAIN), (X_TEST, Y_TEST) = load_mnist()
Predict = Callable[[np.ndarray], np.ndarray]


def dense_network(recipe: Recipe, precision: str) -> keras.Sequential:
    """A network without convolutions, with as many parameters as the classic one."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(dtype=precision),
            layers.Dense(256, activation="relu", dtype=precision),
            layers.Dense(88, activation="relu", dtype=precision),
            layers.Dense(10, activation="softmax", dtype="float32"),
        ]
    )


def changed_network(
    activation: str = "relu", pooling: bool = True, raw: bool = False
) -> Callable[[Recipe, str], keras.Sequential]:
    """The classic network with another activation, without pooling, or fed with 0..255."""

    def network(recipe: Recipe, precision: str) -> keras.Sequential:
        pool = [layers.MaxPooling2D(2, dtype=precision)] if pooling else []
        return keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                *([layers.Rescaling(255.0, dtype=precision)] if raw else []),
                layers.Conv2D(32, 3, activation=activation, dtype=precision),
                *pool,
                layers.Conv2D(64, 3, activation=activation, dtype=precision),
                *[type(layer)(2, dtype=precision) for layer in pool],
                layers.Flatten(dtype=precision),
                layers.Dense(128, activation=activation, dtype=precision),
                layers.Dense(10, activation="softmax", dtype="float32"),
            ]
        )

    return network


def trained(
    name: str,
    recipe: Recipe = CLASSIC,
    network: Callable[[Recipe, str], keras.Sequential] = build,
    change: Callable[[np.ndarray], np.ndarray] = lambda images: images,
    n: int = len(X_TRAIN),
) -> tuple[dict, keras.Sequential]:
    """Train a variant with every seed; its figures, and the first seed's network."""
    recipe = dataclasses.replace(recipe, epochs=round(recipe.epochs * len(X_TRAIN) / n))
    networks, accuracy = [], []
    for seed in SEEDS:
        chosen = np.random.default_rng(seed).permutation(len(X_TRAIN))[:n]
        fitted = fit(recipe, change(X_TRAIN[chosen]), Y_TRAIN[chosen], seed, network_of=network)
        networks.append(fitted.network)
        accuracy.append(
            accuracy_of(lambda x, net=fitted.network: net.predict(x, batch_size=1000, verbose=0), change(X_TEST))
        )
        openings.add("variants of classic", seed, accuracy[-1], followed=EXPLAINS)
    print(f"{name}: {100 * np.mean(accuracy):.2f} +- {100 * np.std(accuracy, ddof=1):.2f} %", flush=True)
    return {"accuracy": accuracy, "parameters": int(networks[0].count_params())}, networks[0]


def accuracy_of(predict: Predict, images: np.ndarray) -> float:
    """Share 0..1 of these images that are classified as the test labels say."""
    answers = predict(images[..., None].astype(np.float32) / 255).argmax(axis=1)
    return float(np.mean(answers == Y_TEST))


def moved(affine: np.ndarray) -> np.ndarray:
    """The test images under an affine map; what comes in from outside is paper."""
    return np.stack([cv2.warpAffine(image, affine, (28, 28)) for image in X_TEST])


def shifted(pixels: int) -> list[np.ndarray]:
    """The test images shifted left, right, up and down."""
    return [
        moved(np.array([[1, 0, pixels * x], [0, 1, pixels * y]], np.float32))
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]


def turned(degrees: int) -> list[np.ndarray]:
    """The test images rotated left and right about their centre."""
    return [moved(cv2.getRotationMatrix2D((13.5, 13.5), sign * degrees, 1)) for sign in (1, -1)]


def main() -> None:
    order = np.random.default_rng(0).permutation(784)
    shuffle = lambda images: images.reshape(-1, 784)[:, order].reshape(-1, 28, 28)  # noqa: E731
    cnn, cnn_network = trained("classic")
    dense, dense_net = trained("dense", network=dense_network)
    robust = load("robust")
    readers: dict[str, Predict] = {
        "cnn": lambda x: cnn_network.predict(x, batch_size=1000, verbose=0),
        "dense": lambda x: dense_net.predict(x, batch_size=1000, verbose=0),
        "robust": robust.predict,
    }
    curves = {
        kind: {
            unit: list(values),
            **{
                name: [float(np.mean([accuracy_of(predict, images) for images in change(value)])) for value in values]
                for name, predict in readers.items()
            },
        }
        for kind, unit, values, change in (("shift", "pixels", PIXELS, shifted), ("turn", "degrees", DEGREES, turned))
    }
    openings.add("robust on moved digits", 0, curves["shift"]["robust"][0], followed=EXPLAINS)
    sweep = [
        {"filters": list(filters)} | trained(f"filters {filters}", dataclasses.replace(CLASSIC, filters=filters))[0]
        for filters in FILTERS
    ]
    sweep.append({"filters": [32, 64]} | cnn)
    sizes = [{"n": n} | trained(f"{n} training images", n=n)[0] for n in TRAINING_IMAGES]
    figures = {
        "command": "make comparisons",
        "machine": machine(),
        "seeds": list(SEEDS),
        "epochs": CLASSIC.epochs,
        "n": len(X_TEST),
        "networks": {
            "cnn": cnn | {"layers": "Conv2D 32, pooling, Conv2D 64, pooling, Dense 128, Dense 10"},
            "dense": dense | {"layers": "Dense 256, Dense 88, Dense 10"},
        },
        "shuffled_pixels": {
            "cnn": trained("classic, shuffled pixels", change=shuffle)[0],
            "dense": trained("dense, shuffled pixels", network=dense_network, change=shuffle)[0],
        },
        "pooling": {
            "max": cnn,
            "average": trained("average pooling", dataclasses.replace(CLASSIC, pooling="average"))[0],
            "none": trained("no pooling", network=changed_network(pooling=False))[0],
        },
        "activation": {"relu": cnn, "sigmoid": trained("sigmoid", network=changed_network(activation="sigmoid"))[0]},
        "scaling": {"0..1": cnn, "0..255": trained("0..255", network=changed_network(raw=True))[0]},
        "filters": sorted(sweep, key=lambda row: row["filters"]),
        "training_images": [*sizes, {"n": len(X_TRAIN)} | cnn],
        **curves,
    }
    files.write_json(TARGET, figures)


if __name__ == "__main__":
    main()
