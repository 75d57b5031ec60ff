"""Measure what reading a number costs, beside RapidOCR in the same run: a line crop, a photo, a cold start, memory.

Writes `benchmarks/results/reading_cost.json`. Both programs read the same pictures in turns. RapidOCR reads crops with
its recogniser alone, its fastest way, and photos with detection and recognition, its defaults. Needs the package
`rapidocr` and an idle machine.

Usage: python benchmarks/reading_cost.py --eval FOLDER [--rounds 3]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import results
import sets
from PIL import Image

from digitscope.reading.reader import Reader

DIGITSCOPE = str(Path(sys.executable).parent / "digitscope")
CROPS = 100
MEMORY = """
import sys
from pathlib import Path
from digitscope.reading.reader import Reader
page = Reader().read(sys.argv[1])
(peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(page.width, page.height, int(peak.split()[1]) // 1024)
"""


def main() -> None:
    """Time both programs and write the result file."""
    parser = argparse.ArgumentParser(description="Time the reading of numbers beside RapidOCR.")
    parser.add_argument("--rounds", type=int, default=3, help="how often every picture is read")
    arguments = sets.folder_of(parser)
    crops = [cv2.imread(str(path)) for _, path in sets.rows(arguments.eval, "orand_car_a_fzkuji")[:CROPS]]
    photos = [cv2.imread(str(path)) for _, path in sets.rows(arguments.eval, "string_photos")]
    figures = {"crops": beside(crops, False, arguments.rounds), "photos": beside(photos, True, arguments.rounds)}
    photo = next(path for _, path in sets.rows(arguments.eval, "string_photos"))
    figures["cold_read_seconds"] = round(cold(Path(str(photo))), 2)
    figures["memory_of_20_megapixels_mb"] = memory(photos[0])
    print(figures)
    results.write("reading_cost", figures)


def beside(pictures: list[np.ndarray], detect: bool, rounds: int) -> dict[str, Any]:
    """Median milliseconds per picture of each program, taking turns, and the median of the ratios."""
    from rapidocr import RapidOCR

    engine, reader = RapidOCR(), Reader()
    programs: dict[str, Callable[[np.ndarray], object]] = {
        "rapidocr": lambda pixels: engine(pixels, use_det=detect, use_cls=False, use_rec=True),
        "own": lambda pixels: reader.read(np.ascontiguousarray(pixels[..., ::-1])),
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():  # all pictures in a row, else idle threads of one disturb the other
            for pixels in pictures:
                start = time.perf_counter()
                program(pixels)
                if turn:
                    times[name].append(1000 * (time.perf_counter() - start))
    ratio = np.array(times["rapidocr"]) / np.array(times["own"])
    found: dict[str, Any] = {f"{name}_ms": round(float(np.median(spent)), 2) for name, spent in times.items()}
    return {"n": len(pictures), "rounds": rounds} | found | {"times_faster": round(float(np.median(ratio)), 2)}


def cold(photo: Path, runs: int = 7) -> float:
    """Median seconds of ``digitscope read PHOTO`` in a fresh process."""
    spent = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([DIGITSCOPE, "read", str(photo)], check=True, capture_output=True)
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


def memory(photo: np.ndarray) -> dict[str, int]:
    """Peak memory, in MB, of a process that reads one photo of 20 megapixels, as JPEG and as PNG."""
    scale = (20e6 / (photo.shape[0] * photo.shape[1])) ** 0.5
    large = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("jpg", "png"):
            path = Path(folder) / f"large.{kind}"
            Image.fromarray(large[..., ::-1]).save(path)
            done = subprocess.run([sys.executable, "-c", MEMORY, str(path)], check=True, capture_output=True, text=True)
            found[kind] = int(done.stdout.split()[2])
    return found


if __name__ == "__main__":
    main()
