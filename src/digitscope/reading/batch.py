"""Batches: many files read once each, in their order, in this process or in several.

It reads no picture itself; ``reading.workers`` has the processes, ``reading.results`` the file that survives a kill.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from digitscope.errors import DigitscopeError
from digitscope.io.names import Names
from digitscope.io.page import Page
from digitscope.io.sources import Source, Sources
from digitscope.progress import Progress
from digitscope.reading.options import ReadFile
from digitscope.reading.workers import Workers, number_of_cores, pages_of

FEW = 16
"""As many files, in chunks, are read in this process: a process needs about a second of a core to start, as some
hundred single digits or thirty pages do."""


def read_files(
    sources: Iterable[Source],
    open_reader: Callable[[], ReadFile],
    done: Names | None = None,
    *,
    workers: int | None = None,
    chunk: int = 1,
    progress: Progress | None = None,
    on_page: Callable[[Page], None] | None = None,
) -> Iterator[list[Page]]:
    """Read each file once and yield its pages, file by file, in order; a bad file does not stop the others.

    Args:
        sources: the files; they are looked for as they are needed.
        open_reader: makes the function that reads a file, see ``ReadOptions.open``. A page that cannot be read has an
            ``error``; an exception ends the batch.
        done: names of files to skip; those that are read are added.
        workers: processes that read, each with one thread; 0 reads here; None does so if there are at most ``FEW``
            chunks of files, and otherwise takes a process for each core.
        chunk: files that a process is given at a time.
        progress: called with the stage ``"read"``, the number of files done, of all files (0 while they are being
            counted), how many of those read here ``failed``, and their ``rate`` per second.
        on_page: called with every page as soon as it is read, with its pixels; the pages in the lists have none. It
            needs ``workers`` to be 0.

    Raises:
        ConfigError: a folder, list or table cannot be read.
        DigitscopeError: the reader cannot be opened, or processes cannot be started.
    """
    names = Names() if done is None else done
    before = len(names)
    count = _Count(sources if progress is not None and isinstance(sources, Sources) else None)
    start, failed, number = time.perf_counter(), 0, 0
    new = (source for source in sources if names.add(source.name))
    for number, pages in enumerate(_read(new, open_reader, workers, chunk, on_page), 1):
        failed += any(page.error is not None for page in pages)
        if progress is not None:
            rate = number / (time.perf_counter() - start)
            progress("read", before + number, count.total, {"failed": failed, "rate": rate})
        yield pages
    if progress is not None:
        progress("read", before + number, before + number, {"failed": failed})


def _read(
    sources: Iterator[Source],
    open_reader: Callable[[], ReadFile],
    workers: int | None,
    chunk: int,
    on_page: Callable[[Page], None] | None,
) -> Iterator[list[Page]]:
    """Yield the pages of each file, read here or in other processes."""
    if workers is None:
        first = list(itertools.islice(sources, FEW * chunk + 1))
        workers = 0 if len(first) <= FEW * chunk else number_of_cores()
        sources = itertools.chain(first, sources)
    if not workers:
        yield from map(partial(pages_of, read=open_reader(), on_page=on_page), sources)
        return
    with Workers(open_reader, workers) as processes:
        yield from processes.read(sources, chunk)


class _Count:
    """Counts files in a thread of its own, because that may take a while.

    Attributes:
        total: how many there are; 0 as long as that is not known.
    """

    def __init__(self, sources: Sources | None) -> None:
        self.total = 0
        if sources is not None:
            threading.Thread(target=self._count, args=(sources,), daemon=True).start()

    def _count(self, sources: Sources) -> None:
        try:
            self.total = sources.count()
        except DigitscopeError:
            return  # whoever reads the files will hear of it
