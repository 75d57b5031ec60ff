"""Measure the service: `/v1/predict` of single images, by known load generators on this machine's loopback address.

Writes `benchmarks/results/service.json`:

- `engines`: requests/s of `digitscope serve`, and of the same route with Keras' `predict` in place of the network in
  ONNX Runtime: one call for each request, as tutorials do it, and with the service's micro-batches.
- `most`: requests/s at 64 connections, bodies as JSON and as NPY, with the processors that server and generator used.
- `half`: latencies at half of that rate, and how many requests failed.

wrk makes the load as fast as it can, several heys at a fixed rate; both are Debian packages: apt-get install wrk hey.

Usage: python benchmarks/service.py [--seconds 20]
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import results
from busy import Others

from digitscope.datasets.mnist import load_mnist

MODEL = "classic"
CONNECTIONS, HEYS, LEAST_ANSWERED = 64, 16, 0.98
DIGITSCOPE = [sys.executable, "-c", "from digitscope.cli import main; main()"]
TYPES = {"json": "application/json", "npy": "application/x-npy"}
SCRIPT = """
local file = assert(io.open("{body}", "rb"))
wrk.method, wrk.body = "POST", file:read("*a")
file:close()
wrk.headers["Content-Type"] = "{kind}"
"""
"""What wrk asks, in Lua."""


@dataclass(frozen=True)
class Running:
    """A server: the address of its route, and its process."""

    address: str
    pid: int

    @property
    def processor_seconds(self) -> float:
        """What it has used of the processors since it started."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the service.")
    parser.add_argument("--seconds", type=int, default=20, help="of each measurement")
    parser.add_argument("--keras", choices=("one", "batches"), help="serve with Keras instead, on --port")
    parser.add_argument("--port", type=int, default=0)
    words = parser.parse_args()
    if words.keras:
        serve_with_keras(words.port, words.keras == "batches")
        return
    for tool in ("wrk", "hey"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is not installed; install it with: apt-get install {tool}")
    others = Others()
    with tempfile.TemporaryDirectory() as name:
        bodies = written_bodies(Path(name))
        engines = compared(bodies, words.seconds)
        with serving([*DIGITSCOPE, "serve", "--model", MODEL]) as server:
            most = {kind: flooded(server, body, kind, CONNECTIONS, words.seconds) for kind, body in bodies.items()}
            rate = most["json"]["requests_per_second"] / 2
            half = steady(server, bodies["json"], rate, words.seconds)
    figures = {
        "model": MODEL,
        "image": "the first MNIST test image, as JSON of whole numbers unless said otherwise",
        "generators": {"wrk": version("wrk"), "hey": version("hey")},
        "seconds_each": words.seconds,
        "engines": engines,
        "most": most,
        "half": half,
        "beside_other_work": others.busy,
    }
    print(json.dumps(figures, indent=2))
    results.write("service", figures)


def written_bodies(folder: Path) -> dict[str, Path]:
    """The body of a request in each form, as a file."""
    image = load_mnist()[1][0][0]
    buffer = io.BytesIO()
    np.save(buffer, image)
    contents = {"json": json.dumps({"images": image.tolist()}).encode(), "npy": buffer.getvalue()}
    for kind, content in contents.items():
        (folder / f"body.{kind}").write_bytes(content)
    return {kind: folder / f"body.{kind}" for kind in contents}


def compared(bodies: dict[str, Path], seconds: int) -> dict[str, Any]:
    """Requests/s of the three engines, with one connection and with many, and how many times as fast ours is."""
    commands = {
        "digitscope": [*DIGITSCOPE, "serve", "--model", MODEL],
        "keras": [sys.executable, __file__, "--keras", "one"],
        "keras_micro_batches": [sys.executable, __file__, "--keras", "batches"],
    }
    rates: dict[str, dict[str, float]] = {}
    for engine, command in commands.items():
        with serving(command) as server:
            flooded(server, bodies["json"], "json", 1, 2)  # Keras traces its function with the first requests
            rates[engine] = {
                str(n): flooded(server, bodies["json"], "json", n, seconds)["requests_per_second"]
                for n in (1, CONNECTIONS)
            }
    ours = rates["digitscope"]
    times = {
        engine: {n: round(ours[n] / rate, 2) for n, rate in found.items()} for engine, found in rates.items()
    }  # fmt: skip
    return {
        "requests_per_second": rates,
        "times_as_fast": {name: times[name] for name in times if name != "digitscope"},
    }


def flooded(server: Running, body: Path, kind: str, connections: int, seconds: int) -> dict[str, Any]:
    """What wrk reports of a route that it asks as fast as it can."""
    script = body.with_suffix(".lua")
    script.write_text(SCRIPT.format(body=body, kind=TYPES[kind]))
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), server.address]
    served, generated, start = server.processor_seconds, children_seconds(), time.perf_counter()
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    wall = time.perf_counter() - start
    requests = int(re.findall(r"(\d+) requests in", said)[0])
    served = server.processor_seconds - served
    return {
        "requests_per_second": float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0]),
        "requests": requests,
        "failed": sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", said)))
        + sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", said))),
        "median_ms": milliseconds(re.findall(r"50%\s+([\d.]+\w+)", said)[0]),
        "p99_ms": milliseconds(re.findall(r"99%\s+([\d.]+\w+)", said)[0]),
        "processors_of_server": round(served / wall, 2),
        "processors_of_generator": round((children_seconds() - generated) / wall, 2),
        "server_microseconds_per_request": round(1e6 * served / max(1, requests)),
    }


def steady(server: Running, body: Path, rate: float, seconds: int) -> dict[str, Any]:
    """What several heys report of a route that they ask at a fixed rate together, over as many connections.

    The workers of one hey all ask at the same moment, which would measure how long a queue of 64 is; so many heys of
    few workers start one after the other within the time between two requests of a worker.
    """
    each = max(1, int(rate / CONNECTIONS))
    words = ["hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS // HEYS), "-q", str(each), "-m", "POST", "-o", "csv"]
    words += ["-T", TYPES["json"], "-D", str(body), server.address]
    heys = []
    for _ in range(HEYS):
        heys.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        time.sleep(1 / (each * HEYS))
    said = [row for hey in heys for row in csv.DictReader(io.StringIO(hey.communicate()[0]))]
    if len(said) < LEAST_ANSWERED * each * CONNECTIONS * seconds:  # hey leaves requests without an answer out
        raise SystemExit(f"only {len(said)} of {each * CONNECTIONS * seconds} requests were answered")
    taken = 1000 * np.array([float(row["response-time"]) for row in said])
    return {
        "asked_per_second": each * CONNECTIONS,
        "requests_per_second": round(len(said) / seconds, 1),
        "requests": len(said),
        "failed": sum(row["status-code"] != "200" for row in said),
        "median_ms": round(float(np.median(taken)), 2),
        "p99_ms": round(float(np.quantile(taken, 0.99)), 2),
        "longest_ms": round(float(taken.max()), 2),
    }


def milliseconds(text: str) -> float:
    """A time as wrk writes it, in milliseconds."""
    value, unit = re.findall(r"([\d.]+)(\w+)", text)[0]
    return round(float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit], 3)


def children_seconds() -> float:
    """Processor seconds of the programs that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def version(package: str) -> str:
    """The version of a Debian package."""
    words = ["dpkg-query", "--show", "--showformat=${Version}", package]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@contextmanager
def serving(command: list[str]) -> Iterator[Running]:
    """Start a server and wait until it answers; end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*command, "--port", str(port)], env=os.environ | {"DIGITSCOPE_SERVE_PAGE": "false"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            try:
                httpx.get(f"{address}/healthz", timeout=10)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield Running(f"{address}/v1/predict", process.pid)
    finally:
        process.terminate()
        process.wait(timeout=60)


def serve_with_keras(port: int, batches: bool) -> None:
    """Serve the same network, untrained, with Keras' `predict` in place of ONNX Runtime."""
    from digitscope.backend import keras  # noqa: F401 - sets what TensorFlow reads when it is imported
    from digitscope.models.model import Model
    from digitscope.service import batching
    from digitscope.service.server import serve
    from digitscope.training.networks import build
    from digitscope.training.recipes import recipe_of

    network = build(recipe_of(MODEL))

    class Predicting:
        """Stands for the session: gives what Keras gives."""

        content = b""

        @staticmethod
        def probabilities(images: np.ndarray) -> np.ndarray:
            return np.asarray(network.predict(images, verbose=0))

    if not batches:
        batching.BATCH = 1
    stand_in: Any = Predicting()
    serve(Model("keras", stand_in), port=port)


if __name__ == "__main__":
    main()
