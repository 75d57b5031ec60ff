"""What hangs, crashes or fills the memory of a decoder costs one page, in one sentence, and never the process."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitscope.errors import ImageError
from digitscope.io import document
from digitscope.io.decoder import MOST_LOST, Decoder
from digitscope.io.document import picture_of, scans
from digitscope.io.image import LARGEST_FILE, LARGEST_PICTURE
from digitscope.io.pixels import Picture
from hostile_files import from_objects, nested_forms, packed_twice, sparse, stream
from peak_memory import grown_by

STOPPED = re.compile(r"takes more than 1 seconds of a processor|takes too much memory or breaks the decoder")
"""What is said of a page that would never end: which limit ends it first depends on the machine."""

SCAN = "from digitscope.io.document import scans\n(scan,) = scans(sys.argv[1], 100)\nsaid = str(scan.error)"
GOOD = from_objects(
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R >>",
    stream(b"0 g 0 0 50 50 re f"),
)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Decoder]:
    """A decoder that gives a page one second."""
    decoder = Decoder(seconds=1)
    monkeypatch.setattr(document, "_decoder", decoder)
    yield decoder
    for child in decoder._idle:
        child.end()


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_page_that_takes_for_ever_is_named_and_the_next_one_is_drawn(impatient: Decoder, tmp_path: Path):
    (tmp_path / "forms.pdf").write_bytes(nested_forms(good_pages=2))
    bad, *good = scans(tmp_path / "forms.pdf", 100)
    assert bad.error.startswith(f"{tmp_path / 'forms.pdf'} page 1 ") and STOPPED.search(bad.error)
    assert [(scan.page, scan.error) for scan in good] == [(2, None), (3, None)]
    assert [int(scan.picture.pixels.min()) for scan in good] == [0, 0]
    (scan,) = scans(GOOD, 100)
    assert scan.error is None


def test_a_file_of_such_pages_ends_soon(impatient: Decoder):
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>"
    )
    forms = [
        stream(b"/X Do " * 10, b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources "
               b"<< /XObject << /X %d 0 R >> >>" % (number + 1))
        for number in range(5, 16)
    ]  # fmt: skip
    content = from_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count 9 >>" % (b"3 0 R " * 9),
        page, stream(b"/X Do " * 10), *forms, stream(b"0 g 1 1 5 5 re f", b"/Subtype /Form /BBox [0 0 9 9]"),
    )  # fmt: skip
    found = list(scans(content, 50))
    assert len(found) == MOST_LOST and all(STOPPED.search(str(scan.error)) for scan in found)
    assert found[-1].error.endswith("the pages after it are skipped")


def test_a_child_is_used_again_and_replaced_when_it_dies(impatient: Decoder):
    for _ in range(3):
        (scan,) = scans(GOOD, 100)
        assert scan.error is None
    (child,) = impatient._idle
    child._process.kill()
    child._process.wait()
    (scan,) = scans(GOOD, 100)
    assert scan.error is None and impatient._idle != [child]


def test_a_child_that_dies_at_work_is_blamed_only_if_it_was_new(monkeypatch: pytest.MonkeyPatch):
    decoder = Decoder()
    assert isinstance(next(decoder.pages(GOOD, 100, True)), Picture)
    (old,) = decoder._idle
    monkeypatch.setattr(old, "_exchanged", lambda _: (_ for _ in ()).throw(EOFError))
    assert isinstance(next(decoder.pages(GOOD, 100, True)), Picture), "a new one tried again"
    monkeypatch.setattr("digitscope.io.decoder._START", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    decoder = Decoder()
    *_, last = found = list(decoder.pages(GOOD, 100, True))
    assert len(found) == MOST_LOST and all("breaks the decoder (SIGSEGV)" in str(page) for page in found)
    assert str(last).endswith("the pages after it are skipped")


def test_a_child_that_answers_nonsense_is_not_believed(monkeypatch: pytest.MonkeyPatch):
    for answer in ("{}", "x" * 70_000, '{"number": 0, "shape": [100000, 100000], "width": 1, "height": 1}', "[]",
                   '{"number": 0, "shape": [-1, 5], "width": 1, "height": 1}', '{"number": 0, "shape": [3, 3, 4]}',
                   '{"number": 0, "shape": [30, 30], "width": 1, "height": 1}', "5", "[" * 60_000,
                   '{"number": 0, "shape": [5], "width": 1, "height": 1}',
                   '{"number": 0, "shape": [1, 1e999], "width": 1, "height": 1}',
                   '{"number": 0, "shape": [1, 1], "width": -1, "height": 1}\nx'):  # fmt: skip
        monkeypatch.setattr("digitscope.io.decoder._START", f"input(); print({answer!r})")
        found = list(Decoder().pages(GOOD, 100, True))
        assert len(found) == MOST_LOST and all(isinstance(page, ImageError) for page in found), answer


def test_a_system_without_more_room_for_pipes_costs_nothing(monkeypatch: pytest.MonkeyPatch):
    """A user without rights has 64 MB for pipes, which 32 children use up."""
    fcntl = pytest.importorskip("fcntl", reason="no such calls on this system")

    def refuse(*_: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    monkeypatch.setattr(document, "_decoder", Decoder())
    (scan,) = scans(GOOD, 100)
    assert scan.error is None


def test_a_system_without_more_processes_is_not_the_fault_of_the_file(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(document, "_decoder", Decoder())
    (scan,) = scans(GOOD, name="good.pdf")
    assert re.search("is not read, because no process .* can be started .*Resource temporarily", str(scan.error))


def test_pictures_of_strangers_are_the_same_pictures(tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    for source in (png(pixels), tmp_path / "a.png", str(tmp_path / "a.png")):
        (tmp_path / "a.png").write_bytes(png(pixels))
        picture = picture_of(source, 80, untrusted=True)
        assert np.array_equal(picture.pixels, picture_of(source, 80).pixels)
        assert (picture.width, picture.height, picture.pixels.flags.writeable) == (90, 70, True)
        (scan,) = scans(source, 80, untrusted=True)
        assert np.array_equal(scan.picture.pixels, picture.pixels)
    assert picture_of(pixels, untrusted=True).width == 90, "an array needs no decoder"
    pages = io.BytesIO()
    Image.new("L", (20, 30), 90).save(pages, "TIFF", save_all=True, append_images=[Image.new("L", (20, 30), 200)])
    assert [int(scan.picture.pixels[0, 0]) for scan in scans(pages.getvalue(), untrusted=True)] == [90, 200]
    for source in (b"GIF89a", GOOD, tmp_path, tmp_path / "missing"):
        with pytest.raises(ImageError) as trusted:
            picture_of(source)
        with pytest.raises(ImageError) as untrusted:
            picture_of(source, untrusted=True)
        assert str(trusted.value) == str(untrusted.value)


def test_memory_beyond_the_limit_is_one_sentence():
    wide = png(np.zeros((8000, 8000, 3), np.uint8))
    (page,) = Decoder(memory=100 << 20).pages(wide, 100, False)
    assert isinstance(page, ImageError) and "memory" in str(page)
    (page,) = Decoder().pages(wide, 100, False)
    assert isinstance(page, Picture)


def test_threads_and_half_read_files_do_not_get_in_each_others_way(impatient: Decoder):
    content = nested_forms(1, good_pages=3)
    streams = [scans(content, 50 + number) for number in range(4)]
    for _ in range(2):
        for number, pages in enumerate(streams):
            assert max(next(pages).picture.pixels.shape) == 50 + number
    for pages in streams:
        pages.close()
    assert len(impatient._idle) == 2, "two are kept"
    assert [max(scan.picture.pixels.shape) for scan in scans(content, 40)] == [40] * 4


FORK = """
import gc, os, sys, warnings
from digitscope.io import document
good = sys.argv[1]
assert next(document.scans(good, 40)).error is None
warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork
pid = os.fork()
if pid == 0:
    fine = next(document.scans(good, 30)).error is None
    document._decoder._idle.clear()
    gc.collect()
    os._exit(0 if fine else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
(scan,) = document.scans(good, 40)
print(scan.picture.pixels.shape)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_does_not_speak_to_its_parents_child(tmp_path: Path):
    """In a process of its own: packages that other tests have loaded do not all survive a fork."""
    (tmp_path / "good.pdf").write_bytes(GOOD)
    words = [sys.executable, "-c", FORK, str(tmp_path / "good.pdf")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(40, 40, 3)"


@pytest.mark.parametrize(
    ("content", "said"),
    [(packed_twice(700 << 20), "a part unpacks to more than"), (None, "3,221,225,472 bytes; expected at most")],
)
def test_sizes_are_read_before_memory_is_taken(content: bytes | None, said: str, tmp_path: Path):
    path = tmp_path / "bomb.pdf"
    if content is None:
        sparse(path, b"%PDF-1.4\n", 3 << 30)
    else:
        assert len(content) < 5000
        path.write_bytes(content)
    (tmp_path / "good.pdf").write_bytes(GOOD)
    megabytes, sentence = grown_by(
        SCAN, path, before="from digitscope.io.document import scans\nlist(scans(sys.argv[1][:-8] + 'good.pdf', 100))"
    )
    assert said in sentence and megabytes < 200, (megabytes, sentence)


def test_a_file_that_claims_gigabytes_is_not_opened(tmp_path: Path):
    for start, size in (
        (b"%PDF-1.4\n", LARGEST_FILE),
        (b"II*\0\x08\0\0\0", LARGEST_FILE),
        (b"GIF89a", LARGEST_PICTURE),
    ):
        (scan,) = scans(sparse(tmp_path / "a", start, size + 1), 100)
        assert f"has {size + 1:,} bytes; expected at most {size:,}" in scan.error


@pytest.mark.skipif(sys.platform != "linux", reason="the processes of another system are listed elsewhere")
def test_ctrl_c_ends_a_batch_that_waits_for_a_page(tmp_path: Path):
    (tmp_path / "forms.pdf").write_bytes(nested_forms())
    words = [sys.executable, "-c", "from digitscope.cli import main; main()", "read", str(tmp_path / "forms.pdf")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and not any(_has_worked(child) for child in children.read_text().split()):
        time.sleep(0.02)
    before = process.poll()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (before, process.returncode, said) == (None, 130, "digitscope: stopped\n")


def _has_worked(child: str) -> bool:
    """Whether a process has been at work for a while, so that it draws by now."""
    try:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(fields[11]) + int(fields[12]) > 1.2 * os.sysconf("SC_CLK_TCK")


def test_a_large_picture_with_transparency_takes_no_multiple_of_its_size(tmp_path: Path):
    """36 million pixels in a file of some kilobytes; whole, the computation with alpha took 1.5 GB."""
    Image.new("RGBA", (6000, 6000), (1, 2, 3, 200)).save(tmp_path / "a.png", compress_level=1)
    megabytes, said = grown_by(SCAN, tmp_path / "a.png", before="from digitscope.io.document import scans")
    assert said == "None" and megabytes < 700, megabytes
