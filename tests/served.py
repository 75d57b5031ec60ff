"""A service in a process of its own, as a user starts it, on a free port of this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

PROGRAM = [sys.executable, "-c", "from digitscope.cli import main; main()"]


@dataclass(frozen=True, eq=False)
class Served:
    """A running service."""

    address: str
    port: int
    process: subprocess.Popen[str]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=120, verify=False)  # no certificates to load

    def children(self) -> list[int]:
        """Process ids of its reading processes."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        words = [(pid, Path(f"/proc/{pid}/cmdline").read_bytes()) for pid in found]
        return [int(pid) for pid, command in words if b"spawn_main" in command]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(*options: str, port: int | None = None, **settings: str) -> Iterator[Served]:
    """Start a service with some options and settings, on a free port if none is given; it ends with the block."""
    port = free_port() if port is None else port
    variables = {f"DIGITSCOPE_SERVE_{name.upper()}": value for name, value in ({"page": "false"} | settings).items()}
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", str(port), *options],
        env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        served = Served(f"http://127.0.0.1:{port}", port, process)
        while not answers(served.address):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", timeout=10, verify=False).status_code == 200
    except httpx.TransportError:
        return False


def is_running(pid: int) -> bool:
    """Whether a process is there, with any of its threads, and not merely waiting to be forgotten."""
    try:
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        return threads > 1 or ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
