"""A bounded pool of processes that read uploads; one that takes too long is ended, and another takes its place."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from digitscope.errors import first_line
from digitscope.reading.workers import no_interrupts
from digitscope.service.metrics import Metrics
from digitscope.service.problems import Kind, Problem
from digitscope.service.reading_process import Question, work
from digitscope.service.settings import Settings

STARTING_SECONDS = 60.0
"""Seconds in which a worker must have opened its reader; it takes one or two on an idle machine."""


@dataclass(frozen=True)
class Upload:
    """A file that was sent: what to call it, and its bytes."""

    name: str
    content: bytes | bytearray


class Workers:
    """The processes; each is started when it is first needed."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Plan ``settings.workers`` processes."""
        self._settings, self._metrics = settings, metrics
        self._free: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()  # a little load needs only one process
        self._workers = [Worker(settings.engine) for _ in range(settings.workers)]
        for worker in self._workers:
            self._free.put_nowait(worker)
        self._asked = 0

    async def read(self, uploads: Sequence[Upload], single: bool, options: dict[str, Any]) -> bytes:
        """The records of all pages of some files, as the JSON body of an answer.

        Raises:
            Problem: too many wait, it takes too long, a file is too large, or nothing could be read.
        """
        settings = self._settings
        if self._asked >= settings.workers + settings.waiting:
            raise Problem(Kind.BUSY, f"{settings.waiting:,} uploads wait already, which is all the service takes; wait")
        question = Question([one.name for one in uploads], single, options, settings.pixels, settings.pages)
        self._asked += 1
        try:
            async with asyncio.timeout(settings.seconds):
                outcome, body = await self._ask(question, [one.content for one in uploads])
        except TimeoutError as error:
            raise Problem(
                Kind.TOO_SLOW, f"reading took longer than {settings.seconds:g} seconds; send fewer or smaller pages"
            ) from error
        finally:
            self._asked -= 1
        self._metrics.count_pages(outcome)
        if outcome["unreadable"] is not None:
            raise Problem(Kind.UNUSABLE, outcome["unreadable"])
        return body

    async def _ask(self, question: Question, contents: Sequence[bytes | bytearray]) -> tuple[dict[str, Any], bytes]:
        """Have the next free worker answer; one that does not answer to the end is replaced."""
        worker = await self._free.get()
        try:
            outcome, body = await worker.ask(question, contents)
        except BaseException:
            worker.stop()
            self._metrics.lost_workers.inc()
            raise
        finally:
            self._free.put_nowait(worker)
        if "error" in outcome:
            kind = Kind.TOO_LARGE if outcome.get("too_large") else Kind.INTERNAL
            raise Problem(kind, outcome["error"])
        return outcome, body

    def stop(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.stop()


class Worker:
    """A place for one process, which is started when it is first needed or after it was stopped."""

    def __init__(self, engine: str) -> None:
        """Plan a process that reads lines with an engine."""
        self._engine = engine
        self._process: multiprocessing.process.BaseProcess | None = None

    async def ask(self, question: Question, contents: Sequence[bytes | bytearray]) -> tuple[dict[str, Any], bytes]:
        """The outcome and the records of a question; see ``reading_process.work``.

        Raises:
            Problem: the process cannot be started, or ended before it answered.
        """
        if self._process is not None and not self._process.is_alive():
            self.stop()
        if self._process is None:
            self._start()
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, question, contents)

    def stop(self) -> None:
        """End the process at once."""
        if self._process is None:
            return
        self._process.kill()  # its end of the connection closes, and whoever waits for it gets an error
        self._process.join()
        self._thread.submit(self._connection.close)  # once nothing uses it any more
        self._thread.shutdown(wait=False)
        self._process = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        try:
            self._connection, theirs = context.Pipe()
            with theirs, no_interrupts():
                process = context.Process(target=work, args=(theirs, self._engine), name="digitscope-reader")
                process.start()
        except OSError as error:
            raise Problem(
                Kind.WORKER_LOST, f"no process that reads uploads can be started ({first_line(error)}); try again later"
            ) from error
        self._thread = ThreadPoolExecutor(1, "worker")
        self._process, self._open = process, False

    def _exchange(self, question: Question, contents: Sequence[bytes | bytearray]) -> tuple[dict[str, Any], bytes]:
        try:
            if not self._open:
                self._receive_opened()
            self._connection.send_bytes(json.dumps(asdict(question)).encode())
            for content in contents:
                self._connection.send_bytes(content)
            outcome = json.loads(self._connection.recv_bytes())
            return outcome, b"" if "error" in outcome else self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise Problem(
                Kind.WORKER_LOST, "the process that read the upload has ended; try again, or leave out the file"
            ) from error

    def _receive_opened(self) -> None:
        if not self._connection.poll(STARTING_SECONDS):
            raise EOFError
        outcome = json.loads(self._connection.recv_bytes())
        if "error" in outcome:
            raise Problem(Kind.INTERNAL, outcome["error"])
        self._open = True
