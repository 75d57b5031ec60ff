"""Processes killed with kill -9 at random moments, started again until they finish, and compared with undisturbed ones.

``campaign.py`` runs them until there are enough kills of each kind: batch, training, sweep, review.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from digitscope.datasets.mnist import load_mnist
from digitscope.models.model import load
from digitscope.review.store import ReviewStore

PROGRAM = [sys.executable, "-c", "from digitscope.cli import main; main()"]
FILES, IMAGES, KILLS = 600, 1500, 10
"""Files of a batch, training images of a training, and the most kills of one run from its start to its end."""

LATEST = 0.7
"""The latest moment of a kill, as a share of what an undisturbed run takes: one that ended before would be no kill."""


def batch(folder: Path, number: int) -> dict[str, Any]:
    """A batch of pictures, one in a hundred of them poison, into one results file."""
    digits = _digits(folder)

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


def review(folder: Path, number: int) -> dict[str, Any]:
    """A batch that fills a review queue, then a service that is killed while somebody answers (``kill_answers``)."""
    digits = _digits(folder)

    def queued(out: Path) -> Any:
        with ReviewStore(out / "queue.db") as store:
            return store.base.all("SELECT file, page, guess, reason FROM items ORDER BY file, page")

    def words(out: Path) -> list[Any]:
        return ["read", "--single", digits, "--out", out / "a.jsonl", "--review", out / "queue.db", "--review-below", 1]

    found = _disturbed(folder, number, words, ["--resume"], queued)
    queue = folder / f"answers-{number}.db"
    for left in folder.glob(f"{queue.name}*"):
        left.unlink()
    shutil.copyfile(folder / "whole" / "queue.db", queue)
    answered = kill_answers(queue, number)
    return found | {
        "kills": found["kills"] + answered["kills"],
        "starts": found["starts"] + answered["starts"],
        "findings": found["findings"] + answered["findings"],
    }


def kill_answers(queue: Path, number: int) -> dict[str, Any]:
    """Answer the numbers of a queue while its service is killed and started again; nothing confirmed may be lost."""
    rng, confirmed, findings = random.Random(number), dict[str, int](), list[dict[str, Any]]()
    for kill in range(1, KILLS + 1):
        port = _free_port()
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", str(port), "--review", str(queue)],
            env=os.environ | {"DIGITSCOPE_SERVE_PAGE": "false"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        person = threading.Thread(target=_answer_all, args=(f"http://127.0.0.1:{port}", f"person-{kill}", confirmed))
        person.start()
        person.join(rng.uniform(0.5, 5))
        process.kill()
        process.wait()
        person.join()
        with ReviewStore(queue) as store:
            kept = dict(store.base.all("SELECT id, item FROM journal"))
            doubled = len(kept) - len(set(kept.values()))
        if not confirmed.items() <= kept.items() or doubled or len(kept) > len(confirmed) + kill:
            findings.append({"start": kill, "said": f"{len(confirmed)} confirmed, {len(kept)} kept, {doubled} twice"})
    if not confirmed:
        findings.append({"start": KILLS, "said": "every kill came before the first answer; kill later"})
    return {"kills": KILLS, "starts": KILLS, "findings": findings}


def _answer_all(address: str, person: str, confirmed: dict[str, int]) -> None:
    """Wait for a service, then answer until it is gone or nothing is left; ``confirmed`` has what it has confirmed."""
    with httpx.Client(base_url=address, timeout=20) as client:
        for _ in range(200):
            with contextlib.suppress(httpx.TransportError):
                if client.get("/healthz").is_success:
                    break
            time.sleep(0.05)
        with contextlib.suppress(httpx.TransportError):
            items = client.post("/v1/review/next", json={"person": person}).json()["items"]
            while items:
                item = items.pop(0)["number"]
                act = {"person": person, "id": f"{person}-{item}", "action": "text", "item": item, "text": "7",
                       "held": [one["number"] for one in items]}  # fmt: skip
                items += client.post("/v1/review/answers", json=act).raise_for_status().json()["items"]
                confirmed[str(act["id"])] = item


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


KINDS: dict[str, Callable[[Path, int], dict[str, Any]]] = {one.__name__: one for one in (batch, train, sweep, review)}


def add(record: dict[str, Any], piece: dict[str, Any]) -> None:
    """Add a run to what is known about a kind of kill."""
    for key in ("kills", "starts"):
        record[key] = record.get(key, 0) + piece[key]
    record.setdefault("seeds", []).append(piece["seed"])
    record.setdefault("findings", []).extend(piece["findings"])


def _digits(folder: Path) -> Path:
    """A folder of pictures, one in a hundred of them poison."""
    digits = folder / "digits"
    if not digits.is_dir():
        digits.mkdir(parents=True)
        for index, pixels in enumerate(load_mnist()[0][0][:FILES]):
            Image.fromarray(pixels).save(digits / f"{index}.png")
            if index % 100 == 50:
                (digits / f"{index}.png").write_bytes(b"poison")
    return digits


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
