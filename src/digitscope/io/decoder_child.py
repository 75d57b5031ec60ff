"""What runs in a child process of ``io.decoder``: it reads requests, decodes pages and answers, within its limits.

A request is a line of JSON, with the bytes of a file after it if the file has no path. One with a name opens a file and
asks for its first page, any other asks for the next page of the same file. An answer is a line of JSON, with the
pixels after it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import cv2

from digitscope.errors import ImageError
from digitscope.io.image import load_frames
from digitscope.io.pdf import load_pdf
from digitscope.io.pixels import Picture


def main() -> None:
    """Answer requests from the standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    cv2.setNumThreads(1)
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what a decoder prints must not come between the answers
        _serve(sys.stdin.buffer, answers)


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    pages: Iterator[tuple[int, Picture | ImageError]] = iter(())
    limited = False
    while line := requests.readline():
        request = json.loads(line)
        if not limited:
            _limit_memory(request["memory"])
            limited = True
        _limit_time(request["seconds"])
        if "name" in request:
            pages = _pages(request, requests.read(request["bytes"]))
        _answer(next(pages, None), answers)


def _pages(request: dict[str, Any], content: bytes) -> Iterator[tuple[int, Picture | ImageError]]:
    """The pages of the file that a request is about."""
    load = load_pdf if request["pdf"] else load_frames
    try:
        with contextlib.closing(
            io.BytesIO(content) if request["path"] is None else Path(request["path"]).open("rb")
        ) as file:
            yield from load(file, request["name"], request["longest"], request["start"])
    except ImageError as error:
        yield request["start"], error
    except OSError as error:
        yield (
            request["start"],
            ImageError(f"{request['name']} cannot be read ({error.strerror}); check its permissions"),
        )


def _answer(page: tuple[int, Picture | ImageError] | None, answers: BinaryIO) -> None:
    """Send a page, or that there is none."""
    number, found = (None, None) if page is None else page
    head: dict[str, Any] = {"number": number}
    if isinstance(found, Picture):
        head |= {"shape": found.pixels.shape, "width": found.width, "height": found.height}
    elif found is not None:
        head["error"] = str(found)
    answers.write(json.dumps(head).encode() + b"\n")
    if isinstance(found, Picture):
        answers.write(found.pixels.tobytes() if not found.pixels.flags.c_contiguous else found.pixels.data)
    answers.flush()


def _limit_memory(more: int) -> None:
    """Let this process take so many bytes more than it has, and write no file."""
    if sys.platform != "win32":
        import resource  # start-up: not there on Windows

        for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
            resource.setrlimit(limit, (0, 0))
        if sys.platform == "linux":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + more
            resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_time(seconds: int) -> None:
    """Let this process take so many seconds more of a processor; the system ends it then."""
    if sys.platform != "win32":
        import resource  # start-up: not there on Windows

        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
