"""Child processes that decode what a decoder might hang or crash on, with limits on their time and memory.

A PDF of two kilobytes can keep PDFium busy for days, and no call from outside ends that; nor does Ctrl-C. So a child
draws it. A child that takes too long is ended, one that crashes harms nobody, and either way the page is named as bad
and a new child goes on with the next one. A child lives on for the next file, so that an ordinary page costs no start
of a process. ``io.decoder_child`` is what runs in it. Nothing is pickled: requests and answers are JSON and bytes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, cast

import numpy as np

from digitscope.errors import ImageError, first_line
from digitscope.io.image import opened
from digitscope.io.pixels import LARGEST_PIXELS, Picture

SECONDS = 5
"""Seconds of a processor that a page may take; a scanned page takes a tenth of one."""

WAIT = 6
"""How many times as long as that a page may take by the clock, because the machine may do other work, too."""

MEMORY = 1 << 30
"""Bytes that a child may take beyond what it starts with: some copies of the largest picture, which has 300 MB."""

PIPE = 1 << 20
"""Bytes that a pipe to or from a child holds, where the system lets it: a page is some megabytes."""

KEPT = 2
"""Idle children that are kept at most."""

MOST_LOST = 3
"""Pages in a row that end their child, after which the rest of a file is skipped."""

_START = "from digitscope.io.decoder_child import main; main()"


class Decoder:
    """Decodes files in child processes. Any number of threads may use it at the same time."""

    def __init__(self, seconds: int = SECONDS, memory: int = MEMORY) -> None:
        """Make a decoder; the first child starts with the first file.

        Args:
            seconds: of a processor that a page may take.
            memory: bytes that a child may take beyond what it starts with.
        """
        self._limits = {"seconds": seconds, "memory": memory}
        self._idle: list[_Child] = []

    def pages(
        self, source: str | os.PathLike[str] | bytes, longest: int | None, pdf: bool
    ) -> Iterator[Picture | ImageError]:
        """Yield the pages of a file, each decoded when its turn comes; an error for one that cannot be decoded.

        Args:
            source: the path of a file, or its bytes.
            longest: as for ``io.image.load_frames``, or for ``io.pdf.load_pdf``.
            pdf: whether the file is a PDF, and not a picture.

        Raises:
            ImageError: the file cannot be opened, or no child can be started.
        """
        with opened(source) as (_, name):
            request = {"name": name, "longest": longest, "pdf": pdf, **self._limits}
        start = lost = 0
        while lost < MOST_LOST:
            child = self._taken(name)
            served = child.served
            try:
                for number, page in child.pages(source, {**request, "start": start}):
                    start, lost = number + 1, 0
                    yield page
                return
            except _LostError as error:
                if served and not error.late:
                    continue  # what it had decoded before may be to blame: a new one tries again
                start, lost = start + 1, lost + 1
                called = f"{name} page {start}" if pdf or start > 1 else name
                end = "; the pages after it are skipped" if lost == MOST_LOST else ""
                yield ImageError(f"{called} {error}{end}")
            finally:
                self._give_back(child)

    def _taken(self, name: str) -> _Child:
        """A child that is not at work, and alive, for a file of some name."""
        while self._idle:
            with contextlib.suppress(IndexError):  # another thread took the last one
                child = self._idle.pop()
                if child.is_usable():
                    return child
        try:
            return _Child()
        except OSError as error:
            raise ImageError(
                f"{name} is not read, because no process that decodes it can be started ({first_line(error)}); "
                "end other programs and read it again"
            ) from error

    def _give_back(self, child: _Child) -> None:
        if child.is_usable() and len(self._idle) < KEPT:
            self._idle.append(child)
        else:
            child.end()


class _LostError(Exception):
    """A child has ended in the middle of its work; the text says what the page did to it, for a message."""

    def __init__(self, sentence: str, late: bool) -> None:
        super().__init__(sentence)
        self.late = late


class _Child:
    """A child process, and what is said to it.

    Attributes:
        served: whether it has decoded a page before.
    """

    def __init__(self) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        environment = {**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-c", _START],  # -P: no module is taken from the working folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        for pipe in (self._process.stdin, self._process.stdout):
            _widen(cast(BinaryIO, pipe))
        self.served = False
        self._owner = os.getpid()
        self.end = weakref.finalize(self, _end, self._process, self._owner)

    def is_usable(self) -> bool:
        """Whether it lives and belongs to this process: a fork of the process that started it must not speak to it."""
        return self._owner == os.getpid() and self._process.poll() is None

    def pages(
        self, source: str | os.PathLike[str] | bytes, request: Mapping[str, Any]
    ) -> Iterator[tuple[int, Picture | ImageError]]:
        """Yield the pages of a file with their numbers, from 0.

        Raises:
            _LostError: the child has ended.
        """
        content = b"" if isinstance(source, str | os.PathLike) else bytes(source)
        path = os.path.realpath(source) if isinstance(source, str | os.PathLike) else None
        given = {**request, "path": path, "bytes": len(content)}
        while (answer := self._asked(given, content))["number"] is not None:
            yield answer["number"], answer["page"]
            given, content = {"seconds": request["seconds"]}, b""

    def _asked(self, request: Mapping[str, Any], content: bytes) -> dict[str, Any]:
        """The next page, as ``{"number", "page"}``; its number is None if there is none."""
        late = threading.Event()
        alarm = threading.Timer(WAIT * request["seconds"], self._stop, [late])
        alarm.daemon = True
        try:
            alarm.start()
            answer = self._exchanged(json.dumps(request).encode() + b"\n" + content)
            self.served = True
            return answer
        except Exception as error:  # whatever has taken over the child says what it wants
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)  # so that its own end is known, not the one that follows
            self.end()
            raise self._lost(request["seconds"], late.is_set()) from error
        except BaseException:  # Ctrl-C: the child is in the middle of an answer
            self.end()
            raise
        finally:
            alarm.cancel()

    def _stop(self, late: threading.Event) -> None:
        """End the process because it takes too long."""
        late.set()
        self._process.kill()

    def _exchanged(self, request: bytes) -> dict[str, Any]:
        """What the child answers; an error of any type if that is nonsense."""
        given, taken = cast(io.BufferedWriter, self._process.stdin), cast(io.BufferedReader, self._process.stdout)
        given.write(request)
        given.flush()
        head = json.loads(taken.readline(1 << 16))
        if head["number"] is None:
            return {"number": None}
        if "error" in head:
            return {"number": int(head["number"]), "page": ImageError(str(head["error"]))}
        shape = tuple(int(side) for side in head["shape"])
        width, height = int(head["width"]), int(head["height"])
        if min(*shape, width, height) < 1 or shape[0] * shape[1] > LARGEST_PIXELS or shape[2:] not in ((), (3,)):
            raise ValueError(head)
        pixels = np.empty(shape, np.uint8)
        if taken.readinto(pixels.data.cast("B")) < pixels.size:
            raise EOFError
        return {"number": int(head["number"]), "page": Picture(pixels, width, height)}

    def _lost(self, seconds: int, late: bool) -> _LostError:
        """What to say of a child that has ended."""
        code = self._process.returncode
        if late or code == -getattr(signal, "SIGXCPU", 0):
            return _LostError(
                f"takes more than {seconds} seconds of a processor to decode; save or print it anew", True
            )
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return _LostError(f"takes too much memory or breaks the decoder ({how}); save or print it anew", False)


def _widen(pipe: BinaryIO) -> None:
    """Let a pipe hold ``PIPE`` bytes, if the system has so many left for this user."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl  # start-up: not there on Windows

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """End a child and wait until it has gone; a fork of the process that started it leaves it alone."""
    if os.getpid() != owner:
        return
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what it never read
                pipe.close()
