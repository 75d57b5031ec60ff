"""Measure how long a command takes from a cold start, and where that time goes.

Writes `benchmarks/results/startup.json`: the wall-clock seconds of each of seven fresh processes from start to end, the
processor seconds of each, and the median milliseconds of the steps of which reading one digit consists, each with the
least and the most. The steps are those of a process of their own, which takes them one by one.

Usage: python benchmarks/startup.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import results
from busy import Others
from PIL import Image

from digitscope.datasets.mnist import load_mnist

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Without this variable Python keeps the modules that it has compiled, as it does for most users."""

DIGITSCOPE = str(Path(sys.executable).parent / "digitscope")
STEPS = """
import json, sys, time
begun, path = sys.argv[1:]
marks = [("start", float(begun)), ("the interpreter starts", time.perf_counter())]

def done(step):
    marks.append((step, time.perf_counter()))

import digitscope.cli
done("import of the command line")
import numpy, cv2, PIL.Image, onnxruntime
done("import of NumPy, OpenCV, Pillow and ONNX Runtime")
from digitscope.reading.reader import Reader
done("import of the reader")
reader = Reader()
reader.model
done("the network is opened")
reader.digit(path)
done("the first digit")
reader.digit(path)
done("a second digit")
print(json.dumps(marks), flush=True)
sys.argv[1:] = ["--version"]
digitscope.cli.main()
"""
"""Its clock is the parent's: Linux counts both from when the machine started."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how long commands take from a cold start.")
    parser.add_argument("--rounds", type=int, default=7, help="fresh processes of each command")
    rounds, others = parser.parse_args().rounds, Others()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digit.png"
        Image.fromarray(load_mnist()[1][0][0]).save(path)
        commands = {"--help": ["--help"], "read digit.png --single": ["read", str(path), "--single"]}
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        taken: dict[str, list[float]] = {}
        for turn in range(rounds + 1):
            for name, words in commands.items():
                spent = seconds(words)
                if turn:  # the first one fills the caches of Python and of the disk
                    runs[name].append(spent)
            for step, spent in steps(path).items():
                if turn:
                    taken.setdefault(step, []).append(1000 * spent)
    figures = {name: spread(times) for name, times in runs.items()}
    print({name: round(value["median"], 3) for name, value in figures.items()})
    milliseconds = {
        step: {"median": round(float(np.median(times)), 1), "least": round(min(times), 1), "most": round(max(times), 1)}
        for step, times in taken.items()
    }
    print({step: value["median"] for step, value in milliseconds.items()})
    results.write("startup", {"seconds": figures, "steps_ms": milliseconds, "beside_other_work": others.busy})


def seconds(words: list[str]) -> tuple[float, float]:
    """Wall-clock and processor seconds of one run of the command."""
    start = time.perf_counter()
    process = subprocess.Popen([DIGITSCOPE, *words], stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    _, status, used = os.wait4(process.pid, 0)
    spent = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return spent, used.ru_utime + used.ru_stime


def steps(path: Path) -> dict[str, float]:
    """Seconds of each step of reading one digit; the last is what is left until the process has ended."""
    begun = time.perf_counter()
    command = [sys.executable, "-c", STEPS, str(begun), str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
    marks = [*json.loads(done.stdout.splitlines()[0]), ("the command is parsed, the process ends", time.perf_counter())]
    return {step: end - start for (_, start), (step, end) in itertools.pairwise(marks)}


def spread(times: list[tuple[float, float]]) -> dict[str, Any]:
    """The median and each of some wall-clock times, and the median of the processor's."""
    wall, processor = np.array(times).T
    return {
        "median": float(np.median(wall)),
        "each": [round(t, 3) for t in wall.tolist()],
        "processor_median": round(float(np.median(processor)), 3),
    }


if __name__ == "__main__":
    main()
