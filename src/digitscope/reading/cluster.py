"""The same batch on a cluster: Ray Data gives blocks of files to actors on many machines, which write Parquet parts.

A block becomes one part of the results, whole or not at all, so that an actor that dies, with its machine or without,
loses and doubles nothing: Ray gives its block to another one, and a batch that is started again skips what is in a
part. The driver sends names and not pictures, a wave of blocks at a time; actors read them from a place that all
machines see. Within an actor a process of its own reads, as in a batch on one machine: a file that ends it costs one
page. Needs ray (extra ``scale``).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from digitscope.errors import ConfigError, MissingExtra, first_line
from digitscope.files import writing
from digitscope.io.names import Names
from digitscope.io.parquet import PART, parquet_rows, write_part
from digitscope.io.paths import files_of
from digitscope.io.sources import Source, TableOfBytes, in_parquet, name_of_row, sources_in, table_of_bytes
from digitscope.progress import Progress
from digitscope.reading.options import ReadOptions
from digitscope.reading.results import ResultsFolder
from digitscope.reading.workers import Workers, number_of_cores

BLOCK_FILES, BLOCK_BYTES = 1000, 64 << 20
"""Files of a block, and bytes of them: what is read in seconds to a minute, and read again if its actor dies."""

WAVE = 256
"""Blocks that are given to Ray at a time: the driver holds so many names, and actors start anew for each wave."""

OnError = Literal["record", "skip", "stop"]
"""What is done with bad pages: keep the reason, leave them out, or end the batch."""


class Counts(NamedTuple):
    """What a batch has read: files that the results held before, files read now, and how many of these were bad."""

    before: int
    files: int
    failed: int


def read_on_ray(
    paths: Sequence[str],
    options: ReadOptions,
    out: str | Path,
    address: str = "local",
    *,
    resume: bool = False,
    workers: int | None = None,
    on_error: OnError = "record",
    progress: Progress | None = None,
) -> Counts:
    """Read files on a Ray cluster into a folder of Parquet parts.

    Args:
        paths: as for ``io.sources.Sources``, and seen by all machines.
        options: how files are read.
        out: the folder, seen by all machines.
        address: ``"local"`` starts a cluster on this machine and ends it again; else the address of one, as
            ``ray.init`` takes it, on whose machines this package is installed.
        resume: continue the results if there are any.
        workers: actors that read, each with one processor; None takes one for each of the cluster's processors.
        on_error: with ``"stop"`` the batch ends after the block with the first bad page.
        progress: called with the files done, of those found so far.

    Raises:
        ConfigError: as ``Sources`` and ``open_results``; the cluster cannot be reached; a block cannot be written.
        MissingExtra: ray or pyarrow is not installed.
    """
    with ResultsFolder(Path(out), "parquet", resume, options.record()) as results, _cluster(address, workers) as actors:
        before, files, failed = len(results.done), 0, 0
        blocks = enumerate(_blocks(paths, results.done), results.next_part)
        while wave := dict(itertools.islice(blocks, WAVE)):
            found = before + files + sum(block.size for block in wave.values())
            for answer in _read_wave(wave, options, Path(out), actors, on_error):
                files, failed = files + answer["files"], failed + answer["failed"]
                if progress is not None:
                    progress("read", before + files, found, {"failed": failed})
                if answer["error"]:
                    raise ConfigError(answer["error"])
        return Counts(before, files, failed)


@dataclass(frozen=True)
class _Block:
    """Files that become a part: some of which names and paths are known, or some rows of a table of bytes.

    Attributes:
        files: name and path of each.
        table: the path of a table.
        first: its first row, counted from 0.
        end: the row after its last.
    """

    files: Sequence[tuple[str, str]] = ()
    table: str = ""
    first: int = 0
    end: int = 0

    @property
    def size(self) -> int:
        """How many files it has."""
        return len(self.files) or self.end - self.first

    def sources(self) -> Iterable[Source]:
        """Its files."""
        return itertools.starmap(Source, self.files) if self.files else in_parquet(self.table, self.first, self.end)


def _blocks(paths: Sequence[str], done: Names) -> Iterator[_Block]:
    """Yield the files that are not done as blocks, in their order; each is added to those that are done."""
    if "-" in paths:
        raise ConfigError("a cluster cannot read the standard input; give files or a table")
    tables = ((file, table_of_bytes(file)) for file in files_of(paths))
    for no_table, run in itertools.groupby(tables, lambda found: found[1] is None):
        if no_table:
            yield from _files_of((source for file, _ in run for source in sources_in(file)), done)
        else:
            yield from (block for file, table in run if table is not None for block in _rows_of(file, table, done))


def _files_of(sources: Iterable[Source], done: Names) -> Iterator[_Block]:
    """Yield the files that are not done as blocks."""
    files, size = list[tuple[str, str]](), 0
    for source in sources:
        if isinstance(source.content, str) and done.add(source.name):
            files.append((source.name, os.path.abspath(source.content)))  # noqa: PTH100 (keeps links as they are)
            size += _bytes(source.content)
        if len(files) == BLOCK_FILES or size >= BLOCK_BYTES:
            yield _Block(files)
            files, size = [], 0
    if files:
        yield _Block(files)


def _rows_of(file: str, table: TableOfBytes, done: Names) -> Iterator[_Block]:
    """Yield the rows of a table of bytes that are not done as blocks."""
    step = max(1, min(BLOCK_FILES, BLOCK_BYTES * table.rows // max(1, table.size)))
    for start in range(0, table.rows, step):
        rows = [row for row in range(start, min(start + step, table.rows)) if done.add(name_of_row(file, row))]
        for _, run in itertools.groupby(enumerate(rows), lambda numbered: numbered[1] - numbered[0]):
            following = [row for _, row in run]
            yield _Block((), file, following[0], following[-1] + 1)


def _bytes(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return 0


@contextlib.contextmanager
def _cluster(address: str, workers: int | None) -> Iterator[int]:
    """Connect to a cluster; yields the number of actors."""
    try:
        import ray  # extra scale
    except ModuleNotFoundError as error:
        raise MissingExtra("ray, which runs a batch on a cluster,", "scale") from error
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what fails is told in a sentence
    cores = {"num_cpus": workers or number_of_cores(), "include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **cores)
        yield workers or int(ray.cluster_resources().get("CPU", 1))
    except (ConnectionError, ray.exceptions.RayError, RuntimeError) as error:
        raise ConfigError(f"the Ray cluster at {address} cannot be used: {first_line(error)}") from error
    finally:
        ray.shutdown()


def _read_wave(
    blocks: Mapping[int, _Block], options: ReadOptions, out: Path, actors: int, on_error: OnError
) -> Iterator[dict[str, Any]]:
    """Yield what each block came to, as ``_BlockReader`` answers.

    Args:
        blocks: by the number of the part that they become.
        options: how files are read.
        out: the folder of the parts.
        actors: that read.
        on_error: what is done with bad pages.
    """
    from ray import data  # extra scale

    settings = data.DataContext.get_current()
    settings.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    items = [{"part": number, "block": json.dumps(asdict(block))} for number, block in blocks.items()]
    rows = data.from_items(items, override_num_blocks=len(items)).map_batches(
        _BlockReader,
        batch_size=1,
        num_cpus=1,
        compute=data.ActorPoolStrategy(size=min(actors, len(items))),
        fn_constructor_kwargs={"options": options, "out": str(out.absolute()), "on_error": on_error},
    )
    yield from rows.iter_rows()


class _BlockReader:
    """An actor that reads blocks; whatever happens is an answer, because an exception would end the job."""

    def __init__(self, options: ReadOptions, out: str, on_error: OnError) -> None:
        self._options, self._out, self._on_error = options, Path(out), on_error
        self._workers: Workers | None = None

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Read one block.

        Args:
            batch: ``part``, the number of the part, and ``block``, the block as JSON, each an array of one.

        Returns:
            ``files``, how many were read, ``failed``, how many of them were bad, and ``error``, why no part was
            written, each a list of one.
        """
        files, failed, error = 0, 0, ""
        try:
            block = _Block(**json.loads(str(batch["block"][0])))
            files, failed = self._read(block, int(batch["part"][0]))
        except Exception as problem:
            error = f"a block of files could not be read and stored: {first_line(problem)}"
            self._workers = None  # what is left in their pipes belongs to this block
        return {"files": [files], "failed": [failed], "error": [error]}

    def _read(self, block: _Block, number: int) -> tuple[int, int]:
        """Read a block and write its part; how many files were read, and how many of them were bad."""
        self._workers = self._workers or Workers(self._options.open, 1)
        files, failed, rows = 0, 0, list[dict[str, Any]]()
        for pages in self._workers.read(block.sources(), self._options.chunk):
            files += 1
            bad = [page for page in pages if page.error is not None]
            failed += bool(bad)
            if bad and self._on_error == "stop":
                raise ConfigError(str(bad[0].error))
            rows += parquet_rows([page for page in pages if self._on_error == "record" or page.error is None])
        with writing(self._out, "check that all machines see it and may write there"):
            write_part(self._out / PART.format(number), rows)
        return files, failed
