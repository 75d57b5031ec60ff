"""Measure batches: files per second and memory for 1e3 to 1e6 small digits, speed of two processes, and many kills.

Writes `benchmarks/results/scale.json`, a part at a time, so that every part can be measured in a sitting of its own;
`--sizes` goes on where an earlier call was stopped. The digits are MNIST's training digits on paper, 56x56 pixels, in
Parquet tables of 10,000; of those that are killed, one in a hundred is poison.

Usage: python benchmarks/scale.py --folder FOLDER (--sizes N [N ...] | --speed N [--former TREE] | --kills N)
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import results
from busy import Others
from PIL import Image

from digitscope.datasets.mnist import load_mnist
from digitscope.reading.workers import number_of_cores

TABLE, SIDE, POISON = 10_000, 56, 0.01
"""Digits in a table, pixels of a side, and the share that is poison where files are killed."""

KILLS = 20
PROGRAM = "from digitscope.cli import main\nif __name__ == '__main__': main()"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure batches of many small digits.")
    parser.add_argument("--folder", type=Path, required=True, help="where digits and results are kept")
    parser.add_argument("--sizes", type=int, nargs="+", default=[], help="numbers of digits to read")
    parser.add_argument("--speed", type=int, help="digits, as files, to read with one process and with two")
    parser.add_argument("--former", type=Path, help="an older tree of this repository to compare the speed with")
    parser.add_argument("--kills", type=int, help=f"digits to read while the command is killed {KILLS} times")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for size in asked.sizes:
        keep("sizes", {str(size): whole(asked.folder, size)})
    if asked.speed:
        keep("speed", speed(asked.folder, asked.speed, asked.former))
    if asked.kills:
        keep("kills", {str(asked.kills): killed(asked.folder, asked.kills)})


def keep(part: str, figures: dict[str, Any]) -> None:
    """Add figures to a part of the result file."""
    print(part, figures)
    before = results.read("scale")
    kept = {name: before.get(name, {}) for name in ("sizes", "speed", "kills")}
    results.write("scale", {**kept, part: kept[part] | figures})


def digit(number: int, images: np.ndarray) -> bytes:
    """A made-up picture of a digit, the same for every call with its number."""
    rng = np.random.default_rng(number)
    paper = rng.integers(200, 250) + rng.normal(0, 3, (SIDE, SIDE))
    ink = np.asarray(Image.fromarray(images[number % len(images)]).resize((SIDE, SIDE)), np.float32) / 255
    file = io.BytesIO()
    Image.fromarray(np.clip(paper - rng.integers(120, 190) * ink, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def tables(folder: Path, size: int, poison: float = 0.0) -> list[str]:
    """The tables of the first ``size`` digits; what is there is not made again."""
    images, found = load_mnist()[0][0], []
    for first in range(0, size, TABLE):
        path = folder / f"digits-{first:07}-{min(size - first, TABLE)}{'-poison' if poison else ''}.parquet"
        if not path.exists():
            rng = np.random.default_rng((1, first))
            rows = [b"poison" if rng.random() < poison else digit(first + row, images)
                    for row in range(min(size - first, TABLE))]  # fmt: skip
            pyarrow.parquet.write_table(pyarrow.table({"bytes": rows}), path, row_group_size=1000)
        found.append(str(path))
    return found


def command(words: list[str]) -> list[str]:
    return [sys.executable, "-c", PROGRAM, "read", "--single", *words]


def whole(folder: Path, size: int) -> dict[str, Any]:
    """Seconds of processing and memory of one size, over as many sittings as it took.

    A sitting in which this program was killed, too, has left its rows and no time; it does not count for the speed.
    """
    out, log = folder / f"read-{size}.parquet", folder / f"sittings-{size}.json"
    sittings = json.loads(log.read_text()) if log.exists() else []
    words = command([*tables(folder, size), "--out", str(out), "--resume", "--workers", str(number_of_cores())])
    before, others = rows(out), Others()
    start, peak = time.perf_counter(), run_watched(words)
    if rows(out) == before:
        raise SystemExit(f"nothing was read into {out}; see the message above")
    sittings.append({"digits": rows(out) - before, "seconds": round(time.perf_counter() - start, 1), **peak,
                     "beside_other_work": others.busy})  # fmt: skip
    log.write_text(json.dumps(sittings))
    seconds, timed = (sum(sitting[what] for sitting in sittings) for what in ("seconds", "digits"))
    return {"read": rows(out), "timed": timed, "seconds": round(seconds, 1),
            "digits_per_second": round(timed / seconds, 1),
            "memory_mb": max(sitting["all_mb"] for sitting in sittings), "workers": number_of_cores(),
            "sittings": sittings}  # fmt: skip


def rows(out: Path) -> int:
    """Rows of results that are in parts."""
    return sum(pyarrow.parquet.read_metadata(part).num_rows for part in out.glob("part-*.parquet"))


def run_watched(words: list[str]) -> dict[str, int]:
    """Run a command; Ctrl-C is passed on. The most memory, in MB, of its first process, and of all together."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        most, first = 0, 0
        while process.poll() is None:
            kin = [process.pid, *children(process.pid)]
            most, first = max(most, sum(map(resident, kin))), max(first, resident(process.pid))
            try:
                time.sleep(0.2)
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)
                process.wait()
        return {"first_mb": first, "all_mb": most, "exit_code": process.returncode}


def children(parent: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []


def resident(process: int) -> int:
    """The memory of a process that no other shares, in MB, and its share of what others share."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) // 1024
    except OSError:
        return 0


def speed(folder: Path, size: int, former: Path | None) -> dict[str, Any]:
    """Digits per second as files: one process, two, and the former command, in turns; the start is counted."""
    files, images = folder / f"files-{size}", load_mnist()[0][0]
    files.mkdir(exist_ok=True)
    for number in range(size):
        path = files / f"{number:06}.png"
        if not path.exists():
            path.write_bytes(digit(number, images))
    trees = {"one process": (None, ["--workers", "1"]), "two processes": (None, ["--workers", "2"])}
    trees |= {} if former is None else {"former": (former, [])}
    taken: dict[str, list[float]] = {name: [] for name in trees}
    others = Others()
    for _ in range(3):
        for name, (tree, words) in trees.items():
            out = folder / "speed.jsonl"
            for path in folder.glob("speed.jsonl*"):
                path.unlink()
            environment = os.environ if tree is None else {**os.environ, "PYTHONPATH": str(tree / "src")}
            start = time.perf_counter()
            subprocess.run(command([str(files), "--out", str(out), *words]), env=environment, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
            taken[name].append(round(time.perf_counter() - start, 2))
    median = {name: float(np.median(times)) for name, times in taken.items()}
    two = median["two processes"]
    return {"digits": size, "seconds": taken, "beside_other_work": others.busy,
            "times_faster": {name: round(seconds / two, 2) for name, seconds in median.items()}}  # fmt: skip


def killed(folder: Path, size: int) -> dict[str, Any]:
    """Whether a batch that is killed again and again ends like one that is not; its rows are compared."""
    paths, alone, out = (
        tables(folder, size, POISON),
        folder / f"alone-{size}.jsonl",
        folder / f"killed-{size}.jsonl",
    )
    subprocess.run(command([*paths, "--out", str(alone), "--resume"]), stdout=subprocess.DEVNULL, check=False)
    out.unlink(missing_ok=True)
    words, rng, kills = command([*paths, "--out", str(out), "--resume"]), np.random.default_rng(size), 0
    longest = max(6.0, size / 200 / KILLS)  # seconds from one start to the next kill
    while kills < KILLS:
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            alarm = threading.Timer(rng.uniform(1, longest), process.kill)
            alarm.start()
            process.wait()
            alarm.cancel()
        if process.returncode != -signal.SIGKILL:
            break
        kills += 1
    subprocess.run(words, stdout=subprocess.DEVNULL, check=False)
    one, other = (table_of(path) for path in (alone, out))
    return {"kills": kills, "rows": len(other), "bad": sum(row["error"] is not None for row in other.values()),
            "poison": sum(row == b"poison" for path in paths
                          for row in pyarrow.parquet.read_table(path)["bytes"].to_pylist()),
            "equal": one == other and len(one) == out.read_bytes().count(b"\n") == size}  # fmt: skip


def table_of(out: Path) -> dict[str, dict[str, Any]]:
    """What each file of some results came to, without the time that it took; the confidence to four decimals."""
    found = {}
    for line in out.read_text().splitlines():
        page = json.loads(line)
        found[page["file"]] = {name: page[name] for name in ("text", "error", "width", "height")}
        found[page["file"]] |= {
            "confidence": round(page["confidence"], 4),
            "why": [n["reason"] for n in page["numbers"]],
        }
    return found


if __name__ == "__main__":
    main()
