"""Many files: each read once, here or in several processes, whatever happens to these."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from digitscope.errors import ConfigError, DigitscopeError, MissingExtra
from digitscope.formatting import file_name
from digitscope.io.names import Names
from digitscope.io.page import Page
from digitscope.io.paths import files_of
from digitscope.io.sources import Source, Sources
from digitscope.reading import workers
from digitscope.reading.batch import FEW, read_files
from digitscope.reading.options import ReadOptions
from fake_reader import (
    end_at_once,
    fake_read,
    open_deadly,
    open_failing,
    open_fake,
    open_logged,
    open_nothing,
    open_unreadable,
    open_without_engine,
    scans_of_all_kinds,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scans_of_all_kinds(tmp_path_factory.mktemp("scans"))


def test_a_bad_file_stops_nothing_and_each_is_read_once(folder: Path):
    def read(source: str | bytes, name: str) -> Iterator[Page]:
        if "img3.png" in name:
            return iter([Page(name, 1, 0, 0, 0, (), 0.0, "out of memory")])
        return fake_read(source, name)

    told, seen = [], []
    files = list(files_of([str(folder)]))
    done = Names()
    done.add(files[4])
    sources = Sources([str(folder), files[0]])
    report = lambda *report: told.append(report)  # noqa: E731
    pages = list(read_files(sources, lambda: read, done, workers=0, progress=report, on_page=seen.append))
    assert [each[0].file for each in pages] == [file_name(file) for file in files if file != files[4]]
    bad = {Path(each[0].file).name: each[0].error for each in pages if each[0].error}
    assert set(bad) == {f"img{number}.png" for number in (1, 3, 6, 11, 16, 21, 26, 31, 36)}
    assert bad["img3.png"] == "out of memory"
    assert [len(each) for each in pages].count(3) == 6, "of the seven TIFFs one was there already"
    assert [done for _, done, _, _ in told] == [*range(2, 41), 40] and told[-1] == ("read", 40, 40, {"failed": 9})
    assert {total for _, _, total, _ in told} <= {0, 41, 40}, "0 until they are counted"
    assert all(facts["rate"] > 0 for _, _, _, facts in told[:-1])
    assert seen == [page for each in pages for page in each]
    assert all((page.pixels is None) == (page.error is not None) for page in seen), "drawn with their pixels"
    assert all(page.pixels is None for each in pages for page in each), "kept without them"


def test_processes_read_what_one_reads(folder: Path):
    here = list(read_files(Sources([str(folder)]), open_fake, workers=0))
    assert len(here) == 40
    for number, chunk in ((1, 7), (3, 1)):
        there = list(read_files(Sources([str(folder)]), open_fake, workers=number, chunk=chunk))
        assert there == here and all(page.pixels is None for pages in there for page in pages)


def test_few_files_are_read_here_and_many_elsewhere(folder: Path, tmp_path: Path):
    files = list(files_of([str(folder)]))
    for count in (FEW, FEW + 1):
        log = tmp_path / str(count)
        list(read_files(map(Source.of, files[:count]), partial(open_logged, log, 0.0)))
        readers = {line.split()[-1] for line in log.read_text().splitlines()}
        assert (readers == {str(os.getpid())}) == (count == FEW)


def test_files_are_found_only_a_little_ahead(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workers, "AHEAD", 4)
    found = []

    def sources() -> Iterator[Source]:
        for number in range(60):
            found.append(number)
            yield Source(str(number), b"nothing")

    for number, (page,) in enumerate(read_files(sources(), open_fake, workers=2, chunk=2)):
        assert page.file == str(number) and len(found) <= number + 1 + 2 * 4 + 2 * 2
    assert number == 59


def test_bytes_are_sent_in_small_chunks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workers, "CHUNK_BYTES", 100)
    sources = [Source(str(size), b"x" * size) for size in (60, 60, 10, 10, 300, 1)]
    assert [len(task.sources) for task in workers._chunks(sources, 3)] == [2, 3, 1]


def test_a_process_that_dies_is_replaced_and_its_file_named_if_it_dies_again(tmp_path: Path):
    names = [f"{number}-{kind}.png" for number, kind in enumerate(["good"] * 5 + ["deadly", "good", "unlucky"] * 3)]
    for name in names:
        Image.new("L", (5, 7)).save(tmp_path / name)
    sources = [Source(name, str(tmp_path / name)) for name in names]
    for chunk in (1, 4):
        marks = tmp_path / f"marks{chunk}"
        marks.mkdir()
        pages = [page for (page,) in read_files(sources, partial(open_deadly, marks), workers=2, chunk=chunk)]
        assert [page.file for page in pages] == names
        for page in pages:
            assert (page.error is None) == ("deadly" not in page.file)
            if page.error is not None:
                assert page.error.startswith(f"{page.file} has ended two processes that read it; it is damaged")
    assert not multiprocessing.active_children()


def test_processes_that_are_killed_from_outside_cost_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """No two of them at the same file, which would be taken for damaged: what the first was given is read by then."""
    monkeypatch.setattr(workers, "AHEAD", 4)
    log, killed, following = tmp_path / "log", set[str](), 1
    found = []
    for pages in read_files(Sources([str(folder)]), partial(open_logged, log, 0.01), workers=2):
        found.append(pages)
        readers = [line.split()[-1] for line in log.read_text().splitlines()]
        if len(found) >= following and readers[-1] not in killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(readers[-1]), signal.SIGKILL)
            killed.add(readers[-1])
            following = len(found) + 2 * 4 + 2
    assert len(killed) >= 2 and found == list(read_files(Sources([str(folder)]), open_fake, workers=0))


def test_a_reader_that_cannot_be_opened_ends_the_batch():
    sources = [Source(str(number), b"") for number in range(3)]
    with pytest.raises(ConfigError, match="there is no such reader"):
        list(read_files(sources, open_nothing, workers=2))
    with pytest.raises(
        MissingExtra, match=r'^RapidOCR is not installed; install it with: pip install "digitscope\[ocr'
    ):
        list(read_files(sources, open_without_engine, workers=1))
    with pytest.raises(DigitscopeError, match="could not start"):
        list(read_files(sources, end_at_once, workers=2))
    assert not multiprocessing.active_children()


def test_what_the_system_refuses_a_process_is_said(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(DigitscopeError, match="could not start; see the messages above"):
        list(read_files([Source("a", b"")], open_unreadable, workers=1))
    assert "OSError: the disk with the networks is gone" in capfd.readouterr().err
    ((page,),) = read_files([Source("a", b"")], open_failing, workers=1)
    assert "has ended two processes" in str(page.error)
    assert capfd.readouterr().err.count("OSError: no room for a") == 2


def test_processes_end_when_nobody_wants_more(folder: Path):
    for _ in read_files(Sources([str(folder)]), open_fake, workers=2):
        break
    assert not multiprocessing.active_children()


PROGRAM = """
import multiprocessing, sys, time
sys.path.insert(0, {tests!r})
from functools import partial
from pathlib import Path
from fake_reader import open_logged
from digitscope.io.sources import Sources
from digitscope.reading.batch import read_files
if __name__ == "__main__":
    for pages in read_files(Sources([{folder!r}]), partial(open_logged, Path({log!r}), 0.05), workers=2):
        print(*[child.pid for child in multiprocessing.active_children()], flush=True)
"""


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_the_one_that_started_it(kill: signal.Signals, folder: Path, tmp_path: Path):
    program = PROGRAM.format(tests=str(Path(__file__).parents[1]), folder=str(folder), log=str(tmp_path / "log"))
    words = [sys.executable, "-c", program]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, **pipes, text=True, start_new_session=True) as process:  # type: ignore[call-overload]
        assert process.stdout is not None and process.stderr is not None
        children = [int(child) for child in process.stdout.readline().split()]
        deaf = [is_deaf(child) for child in children]
        if kill == signal.SIGINT:
            os.killpg(process.pid, kill)  # as a terminal does
        else:
            process.kill()
        said = process.stderr.read()
    assert process.returncode != 0 and deaf == [True, True]
    heard = said.splitlines().count("KeyboardInterrupt")
    assert heard == (kill == signal.SIGINT), "only the first process hears of Ctrl-C"
    assert heard or "Traceback" not in said
    waited = time.monotonic() + 60
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < waited:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def is_deaf(process: int) -> bool:
    """Whether a process blocks Ctrl-C."""
    (blocked,) = re.findall(r"SigBlk:\s*(\w+)", Path(f"/proc/{process}/status").read_text())
    return bool(int(blocked, 16) & 1 << signal.SIGINT - 1)


def test_processes_read_digits_with_one_thread_each(tmp_path: Path):
    from digitscope.datasets.mnist import load_mnist

    for number, image in enumerate(load_mnist()[1][0][:6]):
        Image.fromarray(255 - image).resize((84, 84)).save(tmp_path / f"{number}.png")
    options = ReadOptions(single=True)
    here, there = (
        [page for pages in read_files(Sources([str(tmp_path)]), options.open, workers=number) for page in pages]
        for number in (0, 1)
    )
    assert [page.text for page in there] == [page.text for page in here] == ["7", "2", "1", "0", "4", "1"]
    assert [page.confidence for page in there] == pytest.approx([page.confidence for page in here], abs=1e-5)
