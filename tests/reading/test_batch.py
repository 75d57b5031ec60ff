"""Many files: finding them, reading them, and results that survive being killed at any moment."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from digitscope.errors import ConfigError
from digitscope.formatting import file_name
from digitscope.io.document import scans
from digitscope.io.elements import Box, Number
from digitscope.io.page import Page
from digitscope.io.paths import files_of
from digitscope.reading.batch import Results, read_files


def fake_read(source: str | bytes, name: str) -> Iterator[Page]:
    """Two numbers on every page: how many pixels it has, and which page it is."""
    for scan in scans(source, name=name):
        if scan.picture is None:
            yield Page(scan.file, scan.page, 0, 0, 0, (), 0.0, scan.error)
            continue
        width, height = scan.picture.width, scan.picture.height
        numbers = tuple(
            Number(text, text, text, 0.9, 1.0, Box(0, 0, 5, 5), None, (), 0)
            for text in (str(width * height), str(scan.page))
        )
        yield Page(scan.file, scan.page, width, height, 0, numbers, 0.0, pixels=scan.picture.pixels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 files: pictures, TIFFs of three pages, poison, and names that are awkward."""
    folder = tmp_path_factory.mktemp("scans")
    for number in range(37):
        path = folder / f"img{number}.png"
        if number % 5 == 1:
            path.write_bytes(b"poison" * number)
        elif number % 5 == 2:
            pages = [Image.new("1", (3 + number, 4 + page)) for page in range(3)]
            pages[0].save(path, "TIFF", save_all=True, append_images=pages[1:])
        else:
            Image.new("L", (5 + number, 7)).save(path)
    for name in ('comma, "quote".png', "two\nlines.png", "größe 7.png"):
        Image.new("L", (9, 9)).save(folder / name)
    return folder


def names(found: list[str], folder: Path) -> list[str]:
    return [str(Path(file).relative_to(folder)) for file in found]


def test_folders_are_searched_in_natural_order(tmp_path: Path):
    there = ["img10.png", "IMG9.JPG", "img2.tiff", "a/b/10.pdf", "a/b/9.webp", "a2/x.gif", "a10/x.bmp"]
    left_out = ["notes.txt", ".hidden.png", ".git/x.png", "a/.cache/y.png", "png", "results.csv"]
    for name in there + left_out:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert names(files_of([str(tmp_path)]), tmp_path) == [
        "img2.tiff", "IMG9.JPG", "img10.png", "a/b/9.webp", "a/b/10.pdf", "a2/x.gif", "a10/x.bmp"
    ]  # fmt: skip


def test_patterns_files_and_the_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b10.png", "b2.png", "b1.txt", "c[1].png", "sub/b3.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert files_of(["b*.png"]) == ["b2.png", "b10.png"]
    assert files_of(["b?.txt", "c[1].png", "**/*.png"]) == ["b1.txt", "c[1].png", "b2.png", "b10.png", "sub/b3.png"]
    assert files_of(["-", "missing.png", "b1.txt", ".", "b1.txt"]) == [
        "-", "missing.png", "b1.txt", "b2.png", "b10.png", "c[1].png", "sub/b3.png"
    ]  # fmt: skip
    assert files_of([]) == []
    Path("empty").mkdir()
    for path in ("empty", "*.gif", "missing[1].png"):
        with pytest.raises(ConfigError, match="holds no file to read; expected"):
            files_of(["b2.png", path])


def test_a_folder_that_may_not_be_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "locked").mkdir()
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ConfigError, match="locked cannot be searched"):
        files_of([str(tmp_path)])


def test_many_files_are_found(tmp_path: Path):
    for number in range(3000):
        (tmp_path / f"{number}.png").touch()
    assert files_of([str(tmp_path)]) == [str(tmp_path / f"{number}.png") for number in range(3000)]


def test_a_bad_file_stops_nothing_and_each_is_read_once(folder: Path):
    def read(source: str | bytes, name: str) -> Iterator[Page]:
        if "img3.png" in name:
            return iter([Page(name, 1, 0, 0, 0, (), 0.0, "out of memory")])
        return fake_read(source, name)

    told, seen = [], []
    files = files_of([str(folder)])
    twice = [*files, files[0]]
    found = read_files(twice, read, {files[4]}, lambda *report: told.append(report), seen.append)
    pages = list(found)
    assert [each[0].file for each in pages] == [file_name(file) for file in files if file != files[4]]
    bad = {Path(each[0].file).name: each[0].error for each in pages if each[0].error}
    assert set(bad) == {f"img{number}.png" for number in (1, 3, 6, 11, 16, 21, 26, 31, 36)}
    assert bad["img3.png"] == "out of memory"
    assert [len(each) for each in pages].count(3) == 6, "of the seven TIFFs one was there already"
    assert told[0] == ("read", 1, 40, {"failed": 0}) and told[-1] == ("read", 40, 40, {"failed": 9})
    assert len(told) == 40
    assert seen == [page for each in pages for page in each]
    assert all((page.pixels is None) == (page.error is not None) for page in seen), "drawn with their pixels"
    assert all(page.pixels is None for each in pages for page in each), "kept without them"


def test_the_standard_input_is_read(monkeypatch: pytest.MonkeyPatch):
    file = io.BytesIO()
    Image.new("L", (6, 7)).save(file, "PNG")
    file.seek(0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
    ((page,),) = read_files(["-"], fake_read)
    assert (page.file, page.numbers[0].text) == ("-", "42")


def run(files: list[str], out: Path, form: str, resume: bool = True) -> bytes:
    """Read files into a results file to the end; its content."""
    with Results(out, form, resume) as results:
        for pages in read_files(files, fake_read, done=results.done):
            results.add(pages)
    return out.read_bytes()


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_wherever_the_file_breaks_off_nothing_is_lost_or_doubled(form: str, folder: Path, tmp_path: Path):
    files = files_of([str(folder)])[:9]
    whole = run(files, tmp_path / "whole", form, resume=False)
    ends = [number + 1 for number, byte in enumerate(whole) if byte == ord("\n")]
    around = {end + step for end in ends for step in (-2, -1, 0, 1)} | set(range(0, len(whole), len(whole) // 30))
    for length in sorted(cut for cut in around if cut <= len(whole)):
        (tmp_path / "cut").write_bytes(whole[:length])
        with Results(tmp_path / "cut", form, resume=True) as results:
            done = results.done
        assert run(files, tmp_path / "cut", form) == whole
        assert len(done) <= len(files) - 1 and done <= {file_name(file) for file in files}
    assert len(done) == len(files) - 1, "of a finished run only the last file is read again"


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_is_in_the_way_stays_untouched(form: str, folder: Path, tmp_path: Path):
    files = files_of([str(folder)])[:3]
    run(files, tmp_path / "jsonl", "jsonl", resume=False)
    run(files, tmp_path / "csv", "csv", resume=False)
    other = (tmp_path / ("csv" if form == "jsonl" else "jsonl")).read_bytes()
    own = (tmp_path / form).read_bytes()
    newer = own.replace(b'"schema": 1', b'"schema": 2').replace(b",digit_probability,", b",")
    for content in (other, b"my thesis", b"my\nthesis\n", b"\0" * 5000, newer):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(ConfigError, match=f"no {form} results of this version"):
            Results(tmp_path / "x", form, resume=True)
        assert (tmp_path / "x").read_bytes() == content
    (tmp_path / "x").write_bytes(own + b"my thesis\n" + own)
    with pytest.raises(ConfigError, match=f"something other than {form} results at byte {len(own):,}"):
        Results(tmp_path / "x", form, resume=True)
    with pytest.raises(ConfigError, match="exists; set resume to continue it"):
        Results(tmp_path / "x", form)
    assert (tmp_path / "x").read_bytes() == own + b"my thesis\n" + own
    with pytest.raises(ConfigError, match="cannot be written"):
        Results(tmp_path, form, resume=True)
    with pytest.raises(ConfigError, match="expected jsonl or csv"):
        Results(tmp_path / "y", "text")
    assert not (tmp_path / "y").exists()


def test_a_full_disk_is_one_sentence(tmp_path: Path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Results(tmp_path / "x") as results, Path("/dev/full").open("wb") as full:
        os.dup2(full.fileno(), results._file.fileno())
        with pytest.raises(ConfigError, match=r"cannot be written .*set resume to continue it"):
            results.add([Page("a", 1, 0, 0, 0, (), 0.0)])


PROGRAM = """
import sys, time
sys.path.insert(0, {tests!r})
from test_batch import Results, fake_read, files_of, read_files
def read(source, name):
    for page in fake_read(source, name):
        with open({log!r}, "a") as log:
            log.write(f"{{page.file!r}} {{page.page}}\\n")
        time.sleep(0.005)
        yield page
with Results({out!r}, {form!r}, resume=True) as results:
    for pages in read_files(files_of([{folder!r}]), read, done=results.done):
        results.add(pages)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_killed_again_and_again_it_ends_as_if_nothing_had_happened(form: str, folder: Path, tmp_path: Path):
    whole = run(files_of([str(folder)]), tmp_path / "whole", form, resume=False)
    out, log = tmp_path / "out", tmp_path / "log"
    program = PROGRAM.format(
        tests=str(Path(__file__).parent), log=str(log), out=str(out), form=form, folder=str(folder)
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
    assert kills >= 3 and whole.startswith(out.read_bytes()) and out.read_bytes() != whole
    subprocess.run([sys.executable, "-c", program], check=True)
    assert out.read_bytes() == whole
    times = Counter(log.read_text().splitlines())
    twice = {line.rpartition(" ")[0] for line, count in times.items() if count > 1}
    assert len(twice) <= 2 * kills and len({line.rpartition(" ")[0] for line in times}) == 40


def test_jsonl_is_what_pages_say(folder: Path, tmp_path: Path):
    files = files_of([str(folder)])
    rows = run(files, tmp_path / "out.jsonl", "jsonl", resume=False).decode().splitlines()
    pages = [page for pages in read_files(files, fake_read) for page in pages]
    assert [json.loads(row) for row in rows] == [page.to_dict() for page in pages]
