"""What goes into a queue while files are read: which numbers, with which crop, and once however often they are read."""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import DigitscopeError
from digitscope.io.elements import Box, Digit, Number
from digitscope.io.page import Page
from digitscope.io.sources import Sources
from digitscope.preprocessing.field import field_of
from digitscope.preprocessing.ink import find_ink
from digitscope.reading.batch import read_files
from digitscope.reading.reader import Reader
from digitscope.review.agreement import progress_of
from digitscope.review.collect import Collecting, doubtful
from digitscope.review.store import ReviewStore
from review_items import item
from served import PROGRAM


def number(text: str, confidence: float, box: Box | None, reason: str | None = None) -> Number:
    return Number(None if reason else text, text, text, confidence, 1.0, box, reason, (), 0)


def page(numbers: tuple[Number, ...], pixels: np.ndarray, rotation: int = 0, scale: int = 2) -> Page:
    """A page that was read at half its size."""
    height, width = pixels.shape[:2]
    return Page("scan.png", 3, scale * width, scale * height, rotation, numbers, 1.0, engine="own", pixels=pixels)


def numbered(height: int = 60, width: int = 100) -> np.ndarray:
    """Pixels that are all different."""
    return np.arange(height * width, dtype=np.uint32).reshape(height, width, 1).view(np.uint8)[..., :3].copy()


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_refused_and_unsure_numbers_are_taken():
    box, pixels = Box(20, 20, 40, 20), numbered()
    numbers = (
        number("1", 0.99, box), number("2", 0.96, box), number("3", 0.5, box, "too uncertain"),
        number("", 0.0, None, "blank"),
    )  # fmt: skip
    assert [one.guess for one in doubtful(page(numbers, pixels))] == ["3", ""]
    assert [one.guess for one in doubtful(page(numbers, pixels), 0.97)] == ["2", "3", ""]
    assert doubtful(Page("bad.png", 1, 0, 0, 0, (), 0.0, error="damaged")) == []
    refused = doubtful(page(numbers, pixels))[0]
    assert (refused.file, refused.page, refused.box, refused.kind) == ("scan.png", 3, box, "line")
    assert (refused.confidence, refused.reason) == (0.5, "too uncertain")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("grey", [False, True])
def test_the_crop_is_turned_as_it_was_read(rotation: int, grey: bool):
    """The frame in the crop holds the very pixels of the box in the page, turned; around it is a margin."""
    pixels = numbered()[..., 0] if grey else numbered()
    box = Box(40, 30, 60, 24) if rotation in (0, 180) else Box(40, 30, 24, 60)
    (found,) = doubtful(page((number("7", 0.1, box, "too uncertain"),), pixels, rotation))
    inside = np.rot90(pixels[15:27, 20:50] if rotation in (0, 180) else pixels[15:45, 20:32], rotation // 90)
    crop, frame = opened(found.crop), found.frame
    assert (frame.x, frame.y, frame.width, frame.height) == (6, 6, 30, 12)
    assert np.array_equal(crop[6:18, 6:36], inside) and crop.shape[:2] == (24, 42)


def test_a_crop_ends_where_the_page_does_and_is_all_of_it_if_nothing_was_found():
    pixels = numbered()
    corner, nothing = doubtful(page((number("7", 0.1, Box(0, 0, 30, 20), "x"), number("", 0.0, None, "blank")), pixels))
    assert np.array_equal(opened(corner.crop), pixels[:15, :20]) and corner.frame == Box(0, 0, 15, 10)
    assert np.array_equal(opened(nothing.crop), pixels) and nothing.frame == Box(0, 0, 100, 60)
    (odd,) = doubtful(page((number("7", 0.1, Box(199, 119, 1, 1), "x"),), pixels))
    assert odd.frame.width == odd.frame.height == 1


def test_training_sees_of_a_crop_what_reading_saw_of_the_picture():
    reader = Reader()
    for pixels in load_mnist()[1][0][:40]:
        paper = np.full((200, 240), 230, np.uint8)
        paper[60:144, 70:154] -= (np.repeat(np.repeat(pixels, 3, 0), 3, 1) * 0.8).astype(np.uint8)
        (read,) = reader.read_file(png(paper), "a.png", single=True)
        (found,) = doubtful(read, 1.1)
        fields = []
        for picture in (paper, opened(found.crop)):
            ink = find_ink(picture)
            assert ink.box is not None
            fields.append(field_of(ink.ink, ink.box).pixels)
        assert np.abs(fields[0] - fields[1]).mean() < 0.01


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 digits on paper, of which every fifth is faint noise or blank, and one file that is no picture."""
    folder = tmp_path_factory.mktemp("digits")
    for index, pixels in enumerate(load_mnist()[1][0][:60]):
        paper = np.full((90, 90), 240, np.uint8)
        if index % 5:
            paper[17:73, 17:73] -= np.repeat(np.repeat(pixels, 2, 0), 2, 1) // 2
        Image.fromarray(paper).save(folder / f"{index:03}.png")
    (folder / "zz.png").write_bytes(b"poison")
    return folder


def files_in(queue: Path) -> list[str]:
    with ReviewStore(queue) as store:
        return [Path(file).name for (file,) in store.base.all("SELECT file FROM items ORDER BY file")]


def read(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, "read", "--single", folder, *words]
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_command_fills_a_queue_once(folder: Path, tmp_path: Path, workers: int):
    queue = tmp_path / "queue.db"
    words = ["--review", queue, *(["--workers", workers] if workers else [])]
    for _ in range(2):
        done = read(folder, *words)
        assert done.returncode == 2 and "1 of 61 files could not be read" in done.stderr
        refused = [line.partition(":")[0] for line in done.stdout.splitlines() if ": refused" in line]
        assert files_in(queue) == [Path(name).name for name in refused] and len(refused) >= 12
    more = read(folder, *words, "--review-below", 1)
    assert more.returncode == 2 and len(files_in(queue)) == 60


def test_the_command_says_where_to_answer(folder: Path, tmp_path: Path):
    done = read(folder / "000.png", "--review", tmp_path / "queue.db")
    assert done.returncode == 0
    assert f"1 number in {tmp_path / 'queue.db'} without an answer; digitscope serve --review" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--review-below", "0.5"], "--review-below 0.5 needs --review DB"),
        (["--review", "{queue}", "--review-below", "1.5"], "a confidence from 0 to 1"),
        (["--review", "{queue}", "--ray", "local", "--out", "{queue}.parquet"], "leave out --ray or --review"),
        (["--review", "{folder}/000.png"], "000.png is no review queue; give another file"),
        (["--review", "{folder}"], "cannot be written"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_read(
    folder: Path, tmp_path: Path, words: list[str], said: str
):
    done = read(folder, *[word.format(queue=tmp_path / "queue.db", folder=folder) for word in words])
    assert done.returncode == 2 and said in done.stderr and done.stdout == "" and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_reading_that_is_killed_and_resumed_leaves_nothing_out(folder: Path, tmp_path: Path):
    """Killed five times at various moments: the rows and the queue are those of an undisturbed reading."""
    whole, killed = ([tmp_path / f"{name}.jsonl", tmp_path / f"{name}.db"] for name in ("whole", "killed"))
    begun = time.monotonic()
    assert read(folder, "--out", whole[0], "--review", whole[1], "--workers", 2).returncode == 2
    longest = time.monotonic() - begun
    words = [
        *PROGRAM,
        "read",
        "--single",
        folder,
        "--out",
        killed[0],
        "--review",
        killed[1],
        "--workers",
        2,
        "--resume",
    ]
    for share in (0.5, 0.6, 0.7, 0.8, 0.9):
        process = subprocess.Popen([*map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(share * longest)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    subprocess.run([*map(str, words)], capture_output=True, check=False)
    rows = [[json.loads(line)["file"] for line in path.read_text().splitlines()] for path in (whole[0], killed[0])]
    assert rows[0] == rows[1] and files_in(whole[1]) == files_in(killed[1])


def fail(source: str | bytes, name: str) -> Iterator[Page]:
    yield page((number("7", 0.1, Box(0, 0, 30, 20), "x"),), numbered())


def open_failing():  # type: ignore[no-untyped-def]
    return fail


@pytest.mark.parametrize("workers", [0, 2])
def test_a_queue_that_cannot_be_written_ends_the_batch(folder: Path, tmp_path: Path, workers: int):
    ReviewStore(tmp_path / "queue.db", create=True).close()
    with ReviewStore(tmp_path / "queue.db") as store:
        store.base.run("DROP TABLE crops")
    with pytest.raises(DigitscopeError, match=r"cannot be used \(no such table: crops\)"):
        list(read_files(Sources([str(folder)]), Collecting(open_failing, tmp_path / "queue.db"), workers=workers))


def test_a_number_of_several_digits_keeps_its_separators(tmp_path: Path):
    written = Number(None, "12345", "12 3.45", 0.5, 1.0, Box(0, 0, 9, 9), "x", (Digit("1", Box(0, 0, 1, 1), ()),))
    (found,) = doubtful(page((written,), numbered()))
    assert found.guess == "123.45"
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        store.add([found, item(1)])
        assert progress_of(store).items == 2
