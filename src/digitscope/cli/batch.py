"""What ``read`` does with many files: store what was read, count what was bad, or hand the work to a Ray cluster."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from digitscope.cli.terminal import note, progress_bar, stop
from digitscope.errors import ConfigError
from digitscope.formatting import counted

if TYPE_CHECKING:
    from digitscope.io.page import Page
    from digitscope.reading.options import ReadOptions
    from digitscope.reading.results import Form

ENDINGS: Mapping[str, Form] = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}
"""The form of results by the end of their name; any other is JSON lines."""


class OnError(enum.StrEnum):
    """What is done with a page that cannot be read."""

    record = "record"
    skip = "skip"
    stop = "stop"


class Tally:
    """Counts the files of a batch, and does with bad pages what was asked for.

    Attributes:
        files: how many were read.
        failed: how many of them were bad, wholly or in part.
    """

    def __init__(self, on_error: OnError) -> None:
        self.on_error, self.files, self.failed = on_error, 0, 0

    def kept(self, pages: list[Page]) -> list[Page]:
        """Those pages of a file that go into the results.

        Raises:
            ConfigError: one of them is bad, and the batch is to stop.
        """
        bad = next((page.error for page in pages if page.error is not None), None)
        self.files += 1
        self.failed += bad is not None
        if bad is None or self.on_error is OnError.record:
            return pages
        if self.on_error is OnError.stop:
            raise ConfigError(f"stopped, as --on-error asks: {bad}")
        return [page for page in pages if page.error is None]

    def tell(self) -> None:
        """Say what was bad; unless that was to be skipped, the command ends with exit code 2."""
        if not self.failed:
            return
        said = f"{self.failed:,} of {counted(self.files, 'file')} could not be read in full"
        if self.on_error is OnError.record:
            stop(f"{said}; each has its reason beside it", 2)
        note(f"{said} and {'was' if self.failed == 1 else 'were'} skipped")


def store(
    read_all: Callable[..., Iterable[list[Page]]],
    out: Path,
    form: Form,
    resume: bool,
    on_error: OnError,
    options: Mapping[str, Any],
) -> None:
    """Write pages to results, file by file.

    Args:
        read_all: ``read_files``, without ``done`` and ``progress``.
        out: the results.
        form: of the results.
        resume: whether to continue them.
        on_error: what to do with bad pages.
        options: stored beside the results.
    """
    from digitscope.reading.results import open_results

    tally = Tally(on_error)
    with _told_when_stopped(out), open_results(out, form, resume, options) as results, progress_bar() as progress:
        before = len(results.done)
        for pages in read_all(done=results.done, progress=progress):
            results.add(tally.kept(pages))
    _say(before, tally.files, out)
    if results.cut is not None and results.cut not in results.done:
        note(f"{results.cut} was the last file of a batch that was stopped; its rows were removed, so give it again")
    tally.tell()


def read_on_cluster(
    paths: Sequence[str],
    options: ReadOptions,
    out: Path,
    resume: bool,
    address: str,
    workers: int | None,
    on_error: OnError,
) -> None:
    """Read files on a Ray cluster; the arguments are those of ``read``."""
    from digitscope.reading.cluster import read_on_ray

    tally = Tally(on_error)
    with _told_when_stopped(out), progress_bar() as progress:
        before, tally.files, tally.failed = read_on_ray(
            paths, options, out, address, resume=resume, workers=workers, on_error=on_error.value, progress=progress
        )
    _say(before, tally.files, out)
    tally.tell()


@contextmanager
def _told_when_stopped(out: Path) -> Iterator[None]:
    """Say after Ctrl-C that what was read is kept."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(f"stopped; what was read is in {out}; to continue, give --resume") from error


def _say(before: int, files: int, out: Path) -> None:
    typer.echo(f"{counted(before + files, 'file')} in {out}" + (f", {before:,} of them from before" if before else ""))
