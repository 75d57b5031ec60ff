"""Processes killed with kill -9 at random moments, started again until they finish, and compared with undisturbed ones.

``campaign.py`` runs them until there are enough kills of each kind: batch, training, sweep.
"""

from __future__ import annotations

import csv
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from digitscope.datasets.mnist import load_mnist
from digitscope.models.model import load

PROGRAM = [sys.executable, "-c", "from digitscope.cli import main; main()"]
FILES, IMAGES, KILLS = 600, 1500, 10
"""Files of a batch, training images of a training, and the most kills of one run from its start to its end."""

LATEST = 0.7
"""The latest moment of a kill, as a share of what an undisturbed run takes: one that ended before would be no kill."""


def batch(folder: Path, number: int) -> dict[str, Any]:
    """A batch of pictures, one in a hundred of them poison, into one results file."""
    digits = folder / "digits"
    if not digits.is_dir():
        digits.mkdir(parents=True)
        for index, pixels in enumerate(load_mnist()[0][0][:FILES]):
            Image.fromarray(pixels).save(digits / f"{index}.png")
            if index % 100 == 50:
                (digits / f"{index}.png").write_bytes(b"poison")

    def rows(out: Path) -> Any:
        records = [json.loads(line) for line in (out / "a.jsonl").read_text(encoding="utf-8").splitlines()]
        for one in records:
            one.pop("milliseconds")
        return records

    return _disturbed(
        folder, number, lambda out: ["read", "--single", digits, "--out", out / "a.jsonl"], ["--resume"], rows
    )


def train(folder: Path, number: int) -> dict[str, Any]:
    """A training of three epochs; the networks must answer alike, to the last bit."""
    data = _data(folder)

    def answers(out: Path) -> Any:
        return load(out).predict(np.load(data)["x_test"]).tolist()

    words = ["train", "--recipe", "fast", "--epochs", "3", "--data", data]
    return _disturbed(folder, number, lambda out: [*words, "--out", out], ["--resume"], answers)


def sweep(folder: Path, number: int) -> dict[str, Any]:
    """A sweep of two settings and two seeds; the tables must be equal but for the seconds."""
    data = _data(folder)

    def table(out: Path) -> Any:
        with (out / "sweep.csv").open(encoding="utf-8") as file:
            return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]

    words = ["sweep", "--recipe", "fast", "--set", "filters=2,4", "--seeds", "2", "--epochs", "1", "--data", data]
    return _disturbed(folder, number, lambda out: [*words, "--out", out], [], table)


KINDS: dict[str, Callable[[Path, int], dict[str, Any]]] = {one.__name__: one for one in (batch, train, sweep)}


def add(record: dict[str, Any], piece: dict[str, Any]) -> None:
    """Add a run to what is known about a kind of kill."""
    for key in ("kills", "starts"):
        record[key] = record.get(key, 0) + piece[key]
    record.setdefault("seeds", []).append(piece["seed"])
    record.setdefault("findings", []).extend(piece["findings"])


def _data(folder: Path) -> Path:
    path = folder / "small.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (x, y), (x_test, y_test) = load_mnist()
        np.savez(path, x_train=x[:IMAGES], y_train=y[:IMAGES], x_test=x_test[:300], y_test=y_test[:300])
    return path


def _disturbed(
    folder: Path, number: int, words: Callable[[Path], list[Any]], again: list[str], result: Callable[[Path], Any]
) -> dict[str, Any]:
    """Run a command undisturbed once, then with kills until it ends by itself; compare what both leave.

    Args:
        folder: to work in; the undisturbed result is kept there.
        number: of this run, from which the moments of the kills follow.
        words: the command that writes into a folder.
        again: options that make it continue.
        result: what counts of the folder.
    """
    whole, out = folder / "whole", folder / f"killed-{number}"
    seconds = folder / "seconds"
    if not seconds.exists():
        begun = time.perf_counter()
        _run(words(whole))
        seconds.write_text(f"{time.perf_counter() - begun}", encoding="utf-8")
    rng, longest = random.Random(number), float(seconds.read_text(encoding="utf-8"))
    killed, starts, findings = 0, 0, []
    shutil.rmtree(out, ignore_errors=True)
    while True:
        limit = rng.uniform(0, LATEST * longest) if killed < KILLS else None
        starts += 1
        done = _run(words(out) + again, limit)
        if done is None:
            killed += 1
            continue
        if done.returncode not in (0, 2) or "Traceback" in done.stderr:
            findings.append({"start": starts, "said": done.stderr[-500:]})
        break
    if not findings and result(out) != result(whole):
        findings.append({"start": starts, "said": "the result differs from that of an undisturbed run"})
    if not findings:
        shutil.rmtree(out)
    return {"kills": killed, "starts": starts, "seed": number, "findings": findings}


def _run(words: list[Any], seconds: float | None = None) -> subprocess.CompletedProcess[str] | None:
    """Run a command; None if it was killed after so many seconds."""
    process = subprocess.Popen(
        [*PROGRAM, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    return subprocess.CompletedProcess(words, process.returncode, "", said)
