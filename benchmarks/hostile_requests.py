"""Send the service ten thousand hostile requests, and see whether it stays up, honest and small.

Writes `benchmarks/results/hostile_requests.json`: how many requests had which status, every 5xx that is not one of the
documented 503s, how many connections got no answer, and the memory of the service and of its reading processes over
the time. The requests are damaged and cut uploads, forms, arrays and JSON, uploads without an end, wrong hosts,
origins and methods, bytes that are not HTTP, and clients that stop in the middle. schemathesis adds requests made
from the service's own OpenAPI description, if its command is on the path: pip install schemathesis, in an
environment of its own.

Usage: python benchmarks/hostile_requests.py [--requests 10000] [--seed 0]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import results
from PIL import Image

from digitscope.datasets.mnist import load_mnist

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from damage import STRANGE, damaged
from served import Served, serving

UPLOAD_BYTES = 1_000_000
"""Bytes of the largest upload here, so that one that is too large need not be huge."""

AT_ONCE = 8
"""Clients that ask at the same time."""

SETTINGS = {
    "page": "true", "upload_bytes": str(UPLOAD_BYTES), "batch": "8", "idle_seconds": "1", "upload_seconds": "2",
}  # fmt: skip

PARTS = 20
"""Times that the memory is looked at; the first look comes after one part, when everything has been used once."""

FILES = ("image/png", "image/jpeg", "image/tiff", "application/pdf", "application/octet-stream")
HOSTS = ("", "evil.example", "localhost.evil.example", "[::1", "127.0.0.1:99999999", "a" * 3000, "é", "localhost")
ORIGINS = ("null", "http://evil.example", "http://localhost", "://", "é" * 9)
NO_HTTP = (b"\0" * 50, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01", b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n")
POST = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\n"

Send = Callable[[Served, httpx.Client, random.Random], int]
"""Sends one request; returns the status of the answer, 0 if none came."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Send the service hostile requests.")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    with serving(**SETTINGS) as served:
        figures = attacked(served, words.requests, words.seed)
        figures["schemathesis"] = by_schema(served, words.requests // 10, words.seed)
        figures["memory_mb_in_the_end"] = memory(served)
        with served.client() as client:
            figures["healthy_in_the_end"] = client.get("/healthz").status_code == 200
    print(json.dumps(figures, indent=2))
    results.write("hostile_requests", {"seed": words.seed, **figures})


def attacked(served: Served, requests: int, seed: int) -> dict[str, Any]:
    """What came of ``requests`` hostile requests."""
    kinds: tuple[Send, ...] = (upload, upload, form, array, numbers, endless, address, no_http, cut_off, parameters)
    seen: Counter[tuple[str, int]] = Counter()
    faults: list[str] = []
    sizes: list[dict[str, int]] = []

    def one(number: int) -> None:
        kind = kinds[number % len(kinds)]
        with served.client() as client:
            client.event_hooks = {"response": [lambda answer: faults.extend(fault_of(answer, kind.__name__, number))]}
            seen[kind.__name__, kind(served, client, random.Random(f"{seed} {number}"))] += 1

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for part in range(PARTS):
            numbers_ = range(part * requests // PARTS, (part + 1) * requests // PARTS)
            list(pool.map(one, numbers_))
            sizes.append(memory(served))
    return {
        "requests": requests,
        "statuses": {f"{kind} {status}": n for (kind, status), n in sorted(seen.items())},
        "faults": faults[:20],
        "memory_mb": sizes,
    }


def fault_of(answer: httpx.Response, kind: str, number: int) -> Iterator[str]:
    """What is wrong with an answer: a 5xx other than a documented 503, or an error that is no problem+json."""
    answer.read()
    problem = answer.headers.get("content-type") == "application/problem+json"
    if (answer.status_code >= 500 and not (answer.status_code == 503 and problem)) or (answer.is_error and not problem):
        yield f"{kind} {number}: {answer.status_code} {answer.text[:300]}"


def files(rng: random.Random) -> tuple[bytes, str]:
    """A file of one of the usual kinds with some MNIST digits, often damaged, and its type, often another's."""
    images = load_mnist()[1][0]
    digits = np.hstack([images[rng.randrange(10_000)] for _ in range(rng.randrange(1, 6))])
    picture, buffer = Image.fromarray(255 - digits), io.BytesIO()
    form = rng.choice(("PNG", "JPEG", "TIFF", "PDF", "WEBP", "GIF", "BMP"))
    more = {"save_all": True, "append_images": [picture] * rng.randrange(3)} if form in ("TIFF", "PDF") else {}
    picture.save(buffer, form, **more)
    content = buffer.getvalue()
    return (damaged(content, rng.randrange(10**9)) if rng.random() < 0.8 else content), rng.choice(FILES)


def upload(_: Served, client: httpx.Client, rng: random.Random) -> int:
    content, kind = files(rng)
    path = rng.choice(("/v1/read", "/v1/digit", "/v1/digit", "/v1/predict"))
    return client.post(path, content=content, headers={"Content-Type": kind}).status_code


def form(_: Served, client: httpx.Client, rng: random.Random) -> int:
    parts = [("file", (rng.choice(("a.png", "", "../x", "\u202e", "a" * 900)), files(rng)[0])) for _ in range(3)]
    request = client.build_request("POST", "/v1/digit", files=parts)
    content = request.read()
    if rng.random() < 0.7:
        content = damaged(content, rng.randrange(10**9))
    return client.post(
        "/v1/digit", content=content, headers={"Content-Type": request.headers["content-type"]}
    ).status_code


def array(_: Served, client: httpx.Client, rng: random.Random) -> int:
    buffer = io.BytesIO()
    dtype = rng.choice(("u1", "f4", "f8", "f2", "i8", "?", "S3", "c16", "M8[s]"))
    np.save(buffer, np.zeros(rng.choice(((28, 28), (3, 28, 28), (28,), (0, 28, 28), (2, 28, 28, 1))), dtype))
    content = damaged(buffer.getvalue(), rng.randrange(10**9))
    return client.post("/v1/predict", content=content, headers={"Content-Type": "application/x-npy"}).status_code


def numbers(_: Served, client: httpx.Client, rng: random.Random) -> int:
    image: Any = load_mnist()[1][0][rng.randrange(10_000)].tolist()
    for _n in range(rng.randrange(3)):
        image[rng.randrange(28)][rng.randrange(28)] = rng.choice(STRANGE)
    value: Any = rng.choice(({"images": image}, {"images": rng.choice(STRANGE)}, [image], {"images": [image] * 9}))
    with contextlib.suppress(ValueError):  # numbers too long for Python's own writer
        content = json.dumps(value).encode("utf-8", "replace")
        content = damaged(content, rng.randrange(10**9)) if rng.random() < 0.5 else content
        return client.post("/v1/predict", content=content, headers={"Content-Type": "application/json"}).status_code
    return 0


def endless(_: Served, client: httpx.Client, rng: random.Random) -> int:
    """An upload of more than the service takes, announced or not."""
    chunk, sent = rng.randbytes(1 << 16), 3 * UPLOAD_BYTES >> 16
    headers = {"Content-Type": "image/png"}
    if rng.random() < 0.5:
        headers["Content-Length"] = str(len(chunk) * sent)
    with contextlib.suppress(httpx.TransportError):
        return client.post("/v1/read", content=(chunk for _n in range(sent)), headers=headers).status_code
    return 0


def address(_: Served, client: httpx.Client, rng: random.Random) -> int:
    headers = [(b"Host", rng.choice(HOSTS).encode()), (b"Origin", rng.choice(ORIGINS).encode())]
    path = rng.choice(
        ("/", "/healthz", "/v1/models", "/metrics", "/model.json", "/%00", "/..%2f..%2fetc/passwd", "/v1/x")
    )
    method = rng.choice(("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"))
    return client.request(method, path, headers=headers[: rng.randrange(3)]).status_code


def parameters(_: Served, client: httpx.Client, rng: random.Random) -> int:
    names, values = ("length", "pattern", "max_value", "rotate", "model", "name"), (*map(str, STRANGE), "#", "90", "3")
    chosen = {
        rng.choice(names): rng.choice(values).encode("utf-8", "replace")[:3000] for _n in range(rng.randrange(1, 4))
    }
    content, kind = files(rng)
    return client.post("/v1/read", params=chosen, content=content, headers={"Content-Type": kind}).status_code


def no_http(served: Served, _: httpx.Client, rng: random.Random) -> int:
    head = f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nA: {'b' * rng.choice((10, 9000, 90_000))}\r\n\r\n".encode()
    return raw(served, rng.choice((*NO_HTTP, rng.randbytes(200), damaged(head, rng.randrange(10**9)))), rng)


def cut_off(served: Served, _: httpx.Client, rng: random.Random) -> int:
    """A client that announces more than it sends, and then waits or goes."""
    content, kind = files(rng)
    head = POST.format(rng.choice(("/v1/read", "/v1/predict")), kind)
    lengths = f"Content-Length: {len(content) + 99}\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nffff\r\n"
    sent = (head + rng.choice(lengths)).encode() + content
    return raw(served, sent[: rng.randrange(len(sent))], rng)


def raw(served: Served, sent: bytes, rng: random.Random) -> int:
    """Send bytes as they are; one client in four waits for the answer, the others go."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", served.port), timeout=60) as one:
        one.sendall(sent)
        if rng.random() < 0.25:
            said = one.recv(4096)
            return int(said[9:12]) if said.startswith(b"HTTP/1.1 ") else 0
    return 0


def by_schema(served: Served, examples: int, seed: int) -> dict[str, Any] | None:
    """What schemathesis finds with so many examples for each route; None if it is not installed."""
    if shutil.which("schemathesis") is None:
        return None
    before = answered(served)
    words = [
        "schemathesis",
        "run",
        f"{served.address}/openapi.json",
        "--max-examples",
        str(examples),
        "--seed",
        str(seed),
    ]
    words += ["--checks", "not_a_server_error", "--phases", "examples,fuzzing", "--workers", "2", "--no-color"]
    words += ["--generation-database", "none", "--continue-on-failure"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder)
    after = answered(served)
    return {
        "passed": done.returncode == 0,
        "requests": sum(after.values()) - sum(before.values()),
        "statuses": {status: n - before[status] for status, n in sorted(after.items()) if n > before[status]},
        "said": done.stdout[-2000:] if done.returncode else "",
    }


def answered(served: Served) -> Counter[str]:
    """How many answers the service has given, by status, as it counts them itself."""
    with served.client() as client:
        found = re.findall(r'^digitscope_requests_total\{.*status="(\d+)"\} (\S+)$', client.get("/metrics").text, re.M)
    counts: Counter[str] = Counter()
    for status, n in found:
        counts[status] += int(float(n))
    return counts


def memory(served: Served) -> dict[str, int]:
    """Megabytes of memory of the service, and of the largest of its reading processes."""
    pages = os.sysconf("SC_PAGE_SIZE") / 1e6
    sizes = {}
    for pid in (served.process.pid, *served.children()):
        with contextlib.suppress(OSError):
            sizes[pid] = round(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * pages)
    own = sizes.pop(served.process.pid)
    return {"service": own, "largest_reader": max(sizes.values(), default=0)}


if __name__ == "__main__":
    main()
