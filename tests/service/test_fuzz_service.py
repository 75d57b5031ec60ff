"""Odd requests to the service, past the parser of the web server: each gets an answer."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import Future
from typing import Any

import pytest


def test_odd_requests_are_answered():
    pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
    from digitscope.models.model import load
    from digitscope.service.page_files import Ready
    from digitscope.service.server import application
    from digitscope.service.settings import Settings

    prepared: Future[Ready] = Future()
    prepared.set_result(Ready.of(b'{"name": "classic"}', "application/json"))
    served = application(Settings(), load("classic"), prepared)
    rng = random.Random(0)
    parts = ("/", "..", "index.html", "%", "\0", "é", "a" * 3000, "model.json", ".", "?")
    hosts = (b"localhost", b"localhost", b"", b"\xff\xfe", b"a" * 5000, b"127.0.0.1:99999999")
    seen = set()
    for _ in range(150):
        path = "/" + "".join(rng.choices(parts, k=rng.randrange(4)))
        headers = [(b"host", rng.choice(hosts)), (rng.choice((b"range", b"accept-encoding")), rng.randbytes(9))]
        seen.add(asyncio.run(status_of(served, rng.choice(("GET", "GET", "POST", "\0")), path, headers)))
    assert seen - {307} == {200, 404, 405, 421}


async def status_of(served: Any, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> int:
    """What the application answers to a request, past the parser of the web server."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"\0", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode("utf-8", "replace"), "query_string": b"a=%ff&&", "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8128),
    }  # fmt: skip
    await served(scope, receive, send)
    return int(sent[0]["status"])
