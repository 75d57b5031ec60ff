"""Measure what reading a number costs, beside RapidOCR in the same run: a line crop, a photo, a cold start, memory.

Writes `benchmarks/results/reading_cost.json`. Both engines and RapidOCR read the same pictures in turns. RapidOCR reads
crops with its recogniser alone, its fastest way, and photos with detection and recognition, its defaults. Of each it
gives the median, the quartiles and the mean of the milliseconds per picture, and the median of the processor's
milliseconds, all threads together; of crops once more beside two programs that do nothing but keep a processor busy.
Needs the package `rapidocr` and an idle machine.

Usage: python benchmarks/reading_cost.py --eval FOLDER [--rounds 3]
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import results
import sets
from busy import Others
from PIL import Image
from startup import ENVIRONMENT, seconds

from digitscope.reading.reader import Reader

CROPS, LOOPS = 100, 2
"""Crops that are read, and busy programs beside which they are read once more."""

Program = Callable[[np.ndarray], object]
MEMORY = """
import sys
from pathlib import Path
from digitscope.reading.reader import Reader
page = Reader().read(sys.argv[1])
(peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(page.width, page.height, int(peak.split()[1]) // 1024)
"""


def main() -> None:
    """Time all programs and write the result file."""
    parser = argparse.ArgumentParser(description="Time the reading of numbers beside RapidOCR.")
    parser.add_argument("--rounds", type=int, default=3, help="how often every picture is read")
    arguments = sets.folder_of(parser)
    crops = [cv2.imread(str(path)) for _, path in sets.rows(arguments.eval, "orand_car_a_fzkuji")[:CROPS]]
    rows = sets.rows(arguments.eval, "string_photos")
    photos, others = [cv2.imread(str(path)) for _, path in rows], Others()
    figures: dict[str, Any] = {
        "crops": in_turns(crops, False, arguments.rounds),
        "photos": in_turns(photos, True, arguments.rounds),
        "cold_read_seconds": round(cold(Path(str(rows[0][1]))), 2),
        "memory_of_20_megapixels_mb": memory(photos[0]),
        "beside_other_work": others.busy,
    }
    with busy_loops():
        figures["crops_beside_busy_loops"] = {"loops": LOOPS} | in_turns(crops, False, arguments.rounds)
    print(figures)
    results.write("reading_cost", figures)


@contextlib.contextmanager
def busy_loops() -> Iterator[None]:
    """Run ``LOOPS`` programs beside this one that do nothing but keep a processor busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(LOOPS)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def in_turns(pictures: list[np.ndarray], detect: bool, rounds: int) -> dict[str, Any]:
    """What reading each picture costs each program, and by how much engine ``own`` is faster than RapidOCR."""
    from rapidocr import RapidOCR

    rapidocr = RapidOCR()
    readers = {engine: Reader(engine=engine) for engine in ("own", "ocr")}
    programs: dict[str, Program] = {"rapidocr": lambda p: rapidocr(p, use_det=detect, use_cls=False, use_rec=True)} | {
        engine: lambda p, reader=reader: reader.read(np.ascontiguousarray(p[..., ::-1]))
        for engine, reader in readers.items()
    }
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():  # all pictures in a row, else idle threads of one disturb the other
            taken = [milliseconds(program, pixels) for pixels in pictures]
            spent[name] += taken if turn else []
    ratios = [theirs / ours for (theirs, _), (ours, _) in zip(spent["rapidocr"], spent["own"], strict=True)]
    found = {name: cost(times) for name, times in spent.items()}
    return {"n": len(pictures), "rounds": rounds, "times_faster": round(float(np.median(ratios)), 2)} | found


def milliseconds(program: Program, pixels: np.ndarray) -> tuple[float, float]:
    """Wall-clock and processor milliseconds of one picture."""
    start, processor = time.perf_counter(), time.process_time()
    program(pixels)
    return 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - processor)


def cost(times: list[tuple[float, float]]) -> dict[str, Any]:
    """The figures of one program."""
    wall, processor = np.array(times).T
    return {
        "ms": round(float(np.median(wall)), 2),
        "quartiles_ms": [round(float(bound), 2) for bound in np.quantile(wall, (0.25, 0.75))],
        "mean_ms": round(float(wall.mean()), 2),
        "processor_ms": round(float(np.median(processor)), 2),
    }


def cold(photo: Path, runs: int = 7) -> float:
    """Median seconds of ``digitscope read PHOTO`` in a fresh process."""
    return float(np.median([seconds(["read", str(photo)])[0] for _ in range(runs)]))


def memory(photo: np.ndarray) -> dict[str, int]:
    """Peak memory, in MB, of a process that reads one photo of 20 megapixels, as JPEG and as PNG."""
    scale = (20e6 / (photo.shape[0] * photo.shape[1])) ** 0.5
    large = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("jpg", "png"):
            path = Path(folder) / f"large.{kind}"
            Image.fromarray(large[..., ::-1]).save(path)
            command = [sys.executable, "-c", MEMORY, str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
            found[kind] = int(done.stdout.split()[2])
    return found


if __name__ == "__main__":
    main()
