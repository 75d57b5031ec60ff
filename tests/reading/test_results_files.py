"""Results that survive being killed at any moment, two writers, and other options."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest

from digitscope.errors import ConfigError
from digitscope.formatting import file_name
from digitscope.io.page import Page
from digitscope.io.paths import files_of
from digitscope.io.sources import Sources
from digitscope.reading import results as module
from digitscope.reading.batch import read_files
from digitscope.reading.options import ReadOptions
from digitscope.reading.results import Form, open_results
from fake_reader import open_fake, scans_of_all_kinds

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scans_of_all_kinds(tmp_path_factory.mktemp("scans"))


def run(files: Sequence[str], out: Path, form: Form, resume: bool = True) -> object:
    """Read files into results to the end; what they then hold."""
    with open_results(out, form, resume) as results:
        for pages in read_files(Sources(files), open_fake, results.done, workers=0):
            results.add(pages)
    return content(out)


def content(out: Path) -> object:
    """The rows of a folder, or the bytes of a file."""
    return parquet.read_table(out).to_pylist() if out.is_dir() else out.read_bytes()


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_wherever_the_file_breaks_off_nothing_is_lost_or_doubled(form: str, folder: Path, tmp_path: Path):
    files = list(files_of([str(folder)]))[:9]
    whole = run(files, tmp_path / "whole", form, resume=False)
    ends = [number + 1 for number, byte in enumerate(whole) if byte == ord("\n")]
    around = {end + step for end in ends for step in (-2, -1, 0, 1)} | set(range(0, len(whole), len(whole) // 30))
    for length in sorted(cut for cut in around if cut <= len(whole)):
        (tmp_path / "cut").write_bytes(whole[:length])
        with open_results(tmp_path / "cut", form, resume=True) as results:
            done = {file for file in files if file_name(file) in results.done}
        assert run(files, tmp_path / "cut", form) == whole
        assert len(done) <= len(files) - 1
    assert len(done) == len(files) - 1, "of a finished run only the last file is read again"


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_is_in_the_way_stays_untouched(form: str, folder: Path, tmp_path: Path):
    files = list(files_of([str(folder)]))[:3]
    run(files, tmp_path / "jsonl", "jsonl", resume=False)
    run(files, tmp_path / "csv", "csv", resume=False)
    other = (tmp_path / ("csv" if form == "jsonl" else "jsonl")).read_bytes()
    own = (tmp_path / form).read_bytes()
    newer = own.replace(b'"schema": 1', b'"schema": 2').replace(b",digit_probability,", b",")
    for content in (other, b"my thesis", b"my\nthesis\n", b"\0" * 5000, newer):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(ConfigError, match=f"no {form} results of this version"):
            open_results(tmp_path / "x", form, resume=True)
        assert (tmp_path / "x").read_bytes() == content
    (tmp_path / "x").write_bytes(own + b"my thesis\n" + own)
    with pytest.raises(ConfigError, match=f"something other than {form} results at byte {len(own):,}"):
        open_results(tmp_path / "x", form, resume=True)
    with pytest.raises(ConfigError, match="exists; set resume to continue it"):
        open_results(tmp_path / "x", form)
    assert (tmp_path / "x").read_bytes() == own + b"my thesis\n" + own
    with pytest.raises(ConfigError, match="cannot be written"):
        open_results(tmp_path, form, resume=True)
    with pytest.raises(ConfigError, match="expected jsonl, csv or parquet"):
        open_results(tmp_path / "y", "text")
    assert not (tmp_path / "y").exists()


def test_a_full_disk_is_one_sentence(tmp_path: Path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open_results(tmp_path / "x") as results, Path("/dev/full").open("wb") as full:
        os.dup2(full.fileno(), results._file.fileno())
        with pytest.raises(ConfigError, match=r"cannot be written .*set resume to continue it"):
            results.add([Page("a", 1, 0, 0, 0, (), 0.0)])


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from functools import partial
from pathlib import Path
from fake_reader import open_logged
from digitscope.io.sources import Sources
from digitscope.reading import results as module
from digitscope.reading.batch import read_files
module.PART_FILES = 3
if __name__ == "__main__":
    with module.open_results(Path({out!r}), {form!r}, resume=True) as results:
        reader = partial(open_logged, Path({log!r}), 0.005)
        for pages in read_files(Sources([{folder!r}]), reader, results.done, workers={workers}, chunk=2):
            results.add(pages)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize(("form", "workers"), [("jsonl", 0), ("csv", 2), ("parquet", 2)])
def test_killed_again_and_again_it_ends_as_if_nothing_had_happened(
    form: Form, workers: int, folder: Path, tmp_path: Path
):
    whole = run([str(folder)], tmp_path / "whole", form, resume=False)
    out, log = tmp_path / "out", tmp_path / "log"
    program = PROGRAM.format(
        tests=str(Path(__file__).parents[1]), log=str(log), out=str(out), form=form, folder=str(folder), workers=workers
    )
    log.touch()
    rng, kills = random.Random(form), 0
    while kills < 5:
        process = subprocess.Popen([sys.executable, "-c", program])
        goal = log.stat().st_size + rng.randrange(1, 400)
        while process.poll() is None and log.stat().st_size < goal:
            time.sleep(0.0005)
        time.sleep(rng.random() * 0.006)
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            break
        kills += 1
    begun = content(out)
    assert kills >= 3 and whole[: len(begun)] == begun != whole
    subprocess.run([sys.executable, "-c", program], check=True)
    assert content(out) == whole
    read = Counter({line.rpartition(" ")[0] for line in log.read_text().splitlines()})
    assert len({line.rpartition(" ")[0] for line in read}) == 40


def test_rows_are_what_pages_say(folder: Path, tmp_path: Path):
    pages = [page for pages in read_files(Sources([str(folder)]), open_fake, workers=0) for page in pages]
    lines = run([str(folder)], tmp_path / "out.jsonl", "jsonl", resume=False).decode().splitlines()
    assert [json.loads(line) for line in lines] == [page.to_dict() for page in pages]
    rows = list(csv.DictReader(io.StringIO(run([str(folder)], tmp_path / "out.csv", "csv", resume=False).decode())))
    table = run([str(folder)], tmp_path / "out.parquet", "parquet", resume=False)
    assert list(table[0]) == list(rows[0]), "the same columns"
    number = next(row for row in table if row["text"] is not None)
    assert number == number | {"page": 1, "refused": False, "x": 0, "width": 5, "error": None, "rotation": 0}
    for row, same in zip(table, rows, strict=True):
        for column, value in row.items():
            given = same[column]
            assert (
                float(given) == pytest.approx(value, abs=1e-6)
                if isinstance(value, float)
                else given == ("" if value is None else str(value))
            )
    assert sum(row["error"] is not None for row in table) == 8


def test_parts_hold_whole_files(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PART_FILES", 7)
    whole = run([str(folder)], tmp_path / "out", "parquet")
    parts = sorted((tmp_path / "out").iterdir())
    assert [part.name for part in parts] == [f"part-{number:06}.parquet" for number in range(6)]
    files = [[row["file"] for row in parquet.read_table(part).to_pylist()] for part in parts]
    assert [len(set(part)) for part in files] == [7] * 5 + [5]
    assert whole == [row for part in parts for row in parquet.read_table(part).to_pylist()]
    parts[2].unlink()
    (tmp_path / "out" / ".part-000006-abc.parquet").write_bytes(b"left by a kill")
    again = run([str(folder)], tmp_path / "out", "parquet")
    assert sorted(map(str, again)) == sorted(map(str, whole)), "a part that is missing is read again, nothing else"
    assert not list((tmp_path / "out").glob(".*"))
    parts[1].write_bytes(b"PAR1")
    with pytest.raises(
        ConfigError, match=r"part-000001.parquet is damaged .*; delete it, and its files are read again"
    ):
        open_results(tmp_path / "out", "parquet", resume=True)
    parquet.write_table(pyarrow.table({"file": ["x"]}), parts[1])
    with pytest.raises(ConfigError, match="no results of this version"):
        open_results(tmp_path / "out", "parquet", resume=True)
    with pytest.raises(ConfigError, match="holds results; set resume"):
        open_results(tmp_path / "out", "parquet")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is a file; parquet results are a folder"):
        open_results(tmp_path / "file", "parquet")


def test_an_old_part_is_written_though_it_is_small(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PART_SECONDS", -1.0)
    run([str(folder)], tmp_path / "out", "parquet")
    assert len(list((tmp_path / "out").iterdir())) == 40


@pytest.mark.parametrize("form", get_args(Form))
def test_two_writers_are_told_apart(form: Form, tmp_path: Path):
    program = (
        "import sys; from digitscope.reading.results import open_results\n"
        f"with open_results({str(tmp_path / 'x')!r}, {form!r}, resume=True): print(flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline()
        with pytest.raises(ConfigError, match=r"x is being written by another process; wait until it has ended"):
            open_results(tmp_path / "x", form, resume=True)
        other.kill()
    with open_results(tmp_path / "x", form, resume=True) as results:
        results.add([Page("a", 1, 0, 0, 0, (), 0.0)])
        with pytest.raises(ConfigError, match="another process"):
            open_results(tmp_path / "x", form, resume=True)
    with open_results(tmp_path / "x", form, resume=True):
        pass


@pytest.mark.parametrize("form", get_args(Form))
def test_results_are_resumed_with_the_options_they_were_begun_with(form: Form, tmp_path: Path):
    def opened(options: ReadOptions, name: str = "x") -> None:
        with open_results(tmp_path / name, form, resume=True, options=options.record()) as results:
            results.add([Page(f"{len(results.done)}", 1, 0, 0, 0, (), 0.0)])

    opened(ReadOptions(length=3, engine="own"))
    opened(ReadOptions(length=3, engine="own"))
    before = content(tmp_path / "x")
    said = r"x was begun with length=3, not with length=4; resume it with the same, or give another name$"
    with pytest.raises(ConfigError, match=said):
        opened(ReadOptions(length=4, engine="own"))
    with pytest.raises(
        ConfigError, match=r"with single=False, length=3, engine=own, not with single=True, length=None"
    ):
        opened(ReadOptions(single=True))
    network = tmp_path / "net.onnx"
    network.write_bytes(b"one")
    opened(ReadOptions(single=True, model=str(network)), "y")
    network.write_bytes(b"other")
    with pytest.raises(ConfigError, match=r"model=.*net.onnx \(sha256 .*not with model="):
        opened(ReadOptions(single=True, model=str(network)), "y")
    assert content(tmp_path / "x") == before
    (tmp_path / "x.options.json").write_text("[")
    with pytest.raises(ConfigError, match=r"x.options.json cannot be used"):
        opened(ReadOptions(length=3, engine="own"))
    (tmp_path / "x.options.json").unlink()
    opened(ReadOptions(length=3, engine="own"))
    with pytest.raises(ConfigError, match="not with length=5"):
        opened(ReadOptions(length=5, engine="own"))


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_the_last_file_of_a_batch_that_ended_well_keeps_its_rows(form: Form, tmp_path: Path):
    def add(*names: str, error: Exception | None = None) -> list[str | None]:
        with contextlib.suppress(ValueError), open_results(tmp_path / "x", form, True, {"length": 3}) as results:
            for name in names:
                results.add([Page(name, 1, 0, 0, 0, (), 0.0)])
            if error is not None:
                raise error
        return [results.cut, *(name for name in "abcd" if name in results.done)]

    add("a", "b")
    whole = content(tmp_path / "x")
    assert add("c", error=ValueError()) == [None, "a", "b"], "b came last, and the batch ended well"
    assert content(tmp_path / "x").startswith(whole)
    assert add() == ["c", "a", "b"], "c may lack rows, because its batch did not end well"
    assert content(tmp_path / "x") == whole
    (tmp_path / "x").write_bytes(whole[:-1])
    assert add("a", "b", error=ValueError()) == ["a"], "a row that is cut counts more than the note"
    assert add("b") == ["b", "a"], "and the note is gone"
    assert content(tmp_path / "x") == whole
    (tmp_path / "x.options.json").write_text('{"length": 3, "complete": "many"}')
    assert add() == ["b", "a"], "neither is there one that holds"
    (tmp_path / "x").unlink()
    add("a", "b", error=ValueError())
    assert add() == ["b", "a"], "the note of other results is not taken for theirs"
