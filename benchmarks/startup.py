"""Measure how long a command takes from a cold start: a fresh process from start to end, median of seven.

Usage: python benchmarks/startup.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import results
from PIL import Image

from digitscope.datasets.mnist import load_mnist

DIGITSCOPE = str(Path(sys.executable).parent / "digitscope")


def seconds(*words: str) -> list[float]:
    """Wall-clock seconds of seven runs, after one that is not counted."""
    times = []
    for _ in range(8):
        start = time.perf_counter()
        subprocess.run([DIGITSCOPE, *words], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return times[1:]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digit.png"
        Image.fromarray(load_mnist()[1][0][0]).save(path)
        runs = {"--help": seconds("--help"), "read digit.png --single": seconds("read", str(path), "--single")}
    figures = {
        name: {"median": float(np.median(times)), "each": [round(t, 3) for t in times]} for name, times in runs.items()
    }
    print({name: round(value["median"], 3) for name, value in figures.items()})
    results.write("startup", {"seconds": figures})


if __name__ == "__main__":
    main()
