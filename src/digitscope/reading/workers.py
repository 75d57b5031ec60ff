"""Worker processes that read files: each opens its reader once, works with one thread, and is replaced if it dies.

What comes out has the order of what goes in, and only so much goes in that little waits. It knows nothing of results.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Self

import cv2
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from digitscope.errors import DigitscopeError
from digitscope.io.page import Page
from digitscope.io.sources import Source
from digitscope.models.session import use_threads
from digitscope.reading.options import ReadFile

CHUNK_BYTES = 4 << 20
"""Bytes of files from tables that are sent to a worker at a time."""

AHEAD = 128
"""Files for each worker that are read, or being read, before the next result in order is there."""

MOST_STARTS = 3
"""Processes in a row that end before they have opened their reader, after which the batch ends, too."""

SECONDS_TO_END = 5.0
"""Seconds that a worker has to end by itself once there is nothing more to read."""


def number_of_cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Task:
    """Files for one worker.

    Attributes:
        first: number of the first file.
        sources: the files.
        again: whether a worker has died with them before; then it is one file.
    """

    first: int
    sources: tuple[Source, ...]
    again: bool = False

    def one_by_one(self) -> Iterator[_Task]:
        """The same files, each a task of its own."""
        alone = len(self.sources) == 1
        return (_Task(number, (source,), alone) for number, source in enumerate(self.sources, self.first))


def _chunks(sources: Iterable[Source], most: int) -> Iterator[_Task]:
    """Yield files in tasks of at most ``most``, or of ``CHUNK_BYTES`` if they are bytes."""
    first, files, size = 0, list[Source](), 0
    for source in sources:
        files.append(source)
        size += len(source.content) if isinstance(source.content, bytes) else 0
        if len(files) == most or size >= CHUNK_BYTES:
            yield _Task(first, tuple(files))
            first, files, size = first + len(files), [], 0
    if files:
        yield _Task(first, tuple(files))


class Workers:
    """Processes that read files; use them in a ``with`` block.

    One that dies is replaced, and what it was reading is read again, file by file. A file that is alone with two that
    die gets a page with an ``error``.
    """

    def __init__(self, open_reader: Callable[[], ReadFile], number: int) -> None:
        """Start processes.

        Args:
            open_reader: makes the function that reads a file; called once in each process, which must be able to
                import it.
            number: of processes.
        """
        self._open_reader = open_reader
        self._again: deque[_Task] = deque()
        self._failed_starts = 0
        self._workers = [_Worker(open_reader) for _ in range(number)]

    def read(self, sources: Iterable[Source], chunk: int = 1) -> Iterator[list[Page]]:
        """Yield the pages of each file, without their pixels, in the order of the files.

        Args:
            sources: the files, looked for as they are needed.
            chunk: files that a process is given at a time.

        Raises:
            DigitscopeError: ``open_reader`` or what it made failed, or processes cannot be started.
        """
        tasks = _chunks(sources, chunk)
        found: dict[int, list[Page]] = {}
        following = given = 0
        while True:
            for worker in self._workers:
                if worker.task is None and (self._again or given < following + AHEAD * len(self._workers)):
                    task = self._again.popleft() if self._again else next(tasks, None)
                    given = given if task is None else max(given, task.first + len(task.sources))
                    worker.take(task)
            busy = {worker.connection: worker for worker in self._workers if worker.task is not None}
            if not busy:
                return
            for connection in wait(list(busy)):
                found |= self._answered(busy[connection])  # type: ignore[index]
            while following in found:
                yield found.pop(following)
                following += 1

    def _answered(self, worker: _Worker) -> dict[int, list[Page]]:
        """What a worker has read; if it has died, another takes its place, and its files are put back."""
        answer, task = worker.answer(), worker.task
        self._failed_starts = self._failed_starts * (not worker.ready) + (answer is None and not worker.ready)
        if self._failed_starts == MOST_STARTS:
            raise DigitscopeError("processes that read files could not start; see the messages above")
        if answer is not None or task is None:
            worker.task = task if answer == {} else None
            return answer or {}
        self._workers[self._workers.index(worker)] = _Worker(self._open_reader)
        worker.end()
        if not worker.ready:
            self._again.appendleft(task)
        elif not task.again:
            self._again.extendleft(reversed(list(task.one_by_one())))
        else:
            return {task.first: [_ended(task.sources[0].name)]}
        return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let the processes end, or end them at once if they are not needed any more."""
        for worker in self._workers:
            if kind is None:
                worker.finish()
        for worker in self._workers:
            worker.end()


def _ended(name: str) -> Page:
    """The page of a file that ends the processes that read it."""
    error = f"{name} has ended two processes that read it; it is damaged or takes too much memory, save it again"
    return Page(name, 1, 0, 0, 0, (), 0.0, error=error)


class _Worker:
    """A process that reads files.

    Attributes:
        task: what it is reading; None if it has nothing to do.
        ready: whether it has opened its reader.
        connection: on which its answers come.
    """

    def __init__(self, open_reader: Callable[[], ReadFile]) -> None:
        self.task: _Task | None = None
        self.ready = False
        # Spawned, not forked: a fork would copy ONNX Runtime without its threads.
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, open_reader), name="digitscope-reader")
        with no_interrupts():
            self._process.start()
        other.close()

    def take(self, task: _Task | None) -> None:
        """Begin to read files."""
        self.task = task
        if task is not None:
            with contextlib.suppress(OSError):  # it has died; its answer will say so
                self.connection.send(task.sources)

    def answer(self) -> dict[int, list[Page]] | None:
        """What it has read, by the number of the file, nothing if it has only just started; None if it has died."""
        try:
            answer = self.connection.recv()
        except (OSError, EOFError):
            return None
        if isinstance(answer, DigitscopeError):
            raise answer
        if not self.ready:
            self.ready = True
            return {}
        return dict(enumerate(answer, 0 if self.task is None else self.task.first))

    def finish(self) -> None:
        """Let it end by itself; it is ended if it does not."""
        with contextlib.suppress(OSError):
            self.connection.send(None)
        self._process.join(SECONDS_TO_END)

    def end(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.join()
        self.connection.close()


@contextlib.contextmanager
def no_interrupts() -> Iterator[None]:
    """Let a process that starts meanwhile never hear of Ctrl-C: the one that starts it decides what it means."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # the first process would start it, which lets the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(connection: Connection, open_reader: Callable[[], ReadFile]) -> None:
    """Read files in this process until nothing more is sent, or the one that sends has ended."""
    cv2.setNumThreads(1)
    use_threads(1)
    with threadpool_limits(1):
        try:
            read = open_reader()
        except DigitscopeError as error:
            _send(connection, error)
            return
        _send(connection, None)
        while (sources := _received(connection)) is not None:
            try:
                answer: object = [pages_of(source, read) for source in sources]
            except DigitscopeError as error:  # not of a page: the review queue cannot be written, for example
                answer = error
            _send(connection, answer)


def _send(connection: Connection, answer: object) -> None:
    """Send an answer; if nobody takes it, nothing more will be received either."""
    with contextlib.suppress(OSError):
        connection.send(answer)


def _received(connection: Connection) -> Sequence[Source] | None:
    """The files to read next; None if there are no more, or the process that sends them has ended."""
    with contextlib.suppress(EOFError, OSError):
        sources: Sequence[Source] | None = connection.recv()
        return sources
    return None


def pages_of(source: Source, read: ReadFile, on_page: Callable[[Page], None] | None = None) -> list[Page]:
    """The pages of a file, without their pixels.

    Args:
        source: the file.
        read: the function that reads it.
        on_page: called with each page as soon as it is read, with its pixels.
    """
    pages = []
    for page in read(source.content, source.name):
        if on_page is not None:
            on_page(page)
        pages.append(replace(page, pixels=None))
    return pages
