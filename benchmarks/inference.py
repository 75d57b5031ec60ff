"""Measure how many images per second `classic` classifies with ONNX Runtime and with Keras' `predict`, in turns.

Usage: python benchmarks/inference.py [--rounds N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import keras
import numpy as np
import results

from digitscope.datasets.mnist import load_mnist
from digitscope.models.inputs import network_input
from digitscope.models.lens import look
from digitscope.models.model import load
from digitscope.training.networks import build
from digitscope.training.recipes import recipe_of

BATCHES = (16, 64, 128, 256, 1000)


def per_second(work: Callable[[], object], n: int) -> float:
    """Images per second in one call."""
    start = time.perf_counter()
    work()
    return n / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    model = load("classic")
    network = build(recipe_of("classic"))
    for layer, view in zip(network.layers, look(model, np.zeros((28, 28), np.uint8)).layers[1:], strict=True):
        if view.kernel is not None:
            layer.set_weights([view.kernel, view.bias])
    x = network_input(load_mnist()[1][0])
    one = x[:1]
    session = model.session
    rates: dict[str, list[float]] = {"digitscope": [], "keras_default": [], "keras_best": [], "one_at_a_time": []}
    difference = float(np.abs(session.probabilities(x) - network.predict(x, verbose=0)).max())
    for _ in range(rounds + 1):
        rates["digitscope"].append(per_second(lambda: session.probabilities(x), len(x)))
        rates["keras_default"].append(per_second(lambda: network.predict(x, verbose=0), len(x)))
        keras_rates = [per_second(lambda b=b: network.predict(x, batch_size=b, verbose=0), len(x)) for b in BATCHES]
        rates["keras_best"].append(max(keras_rates))
        rates["one_at_a_time"].append(per_second(lambda: [session.probabilities(one) for _ in range(1000)], 1000))
    median = {name: float(np.median(values[1:])) for name, values in rates.items()}
    figures = {
        "rounds": rounds,
        "images": len(x),
        "images_per_second": median,
        "each": {name: [round(value) for value in values[1:]] for name, values in rates.items()},
        "times_keras_default": median["digitscope"] / median["keras_default"],
        "times_keras_best_batch": median["digitscope"] / median["keras_best"],
        "largest_difference": difference,
        "keras": keras.__version__,
    }
    print(figures)
    results.write("inference", figures)


if __name__ == "__main__":
    main()
