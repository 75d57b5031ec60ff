"""Measure how many images per second the augmentation of `robust` distorts on one core.

Usage: python benchmarks/augment.py
"""

from __future__ import annotations

import time

import cv2
import numpy as np
import results

from digitscope.datasets.mnist import load_mnist
from digitscope.preprocessing.augment import distort


def main() -> None:
    cv2.setNumThreads(1)
    (x, _), _ = load_mnist()
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(8):
        start = time.perf_counter()
        for first in range(0, 12_800, 128):
            distort(x[first : first + 128], 1.0, rng)
        rates.append(12_800 / (time.perf_counter() - start))
    results.write(
        "augment", {"images_per_second": float(np.median(rates[1:])), "each": [round(rate) for rate in rates[1:]]}
    )


if __name__ == "__main__":
    main()
