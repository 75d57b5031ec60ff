"""On its own: no home, no terminal, no rights, no room on the disk, and nothing told to anyone."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import digitscope
from digitscope.datasets.mnist import load_mnist
from digitscope.files import atomic_path, write_text
from digitscope.models.model import load

PAGE = Path(__file__).parent.parent / "examples" / "pages" / "amount.png"
PROGRAM = [sys.executable, "-W", "error", "-c", "from digitscope.cli import main; main()"]


def run(*words: object, limit: int | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command without a terminal, and only with these variables beside those that Python needs."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit or 0, limit or 0))

    return subprocess.run(
        [*PROGRAM, *map(str, words)],
        env=kept | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,  # a limit on files would cut what Python compiles
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        preexec_fn=None if limit is None else limited,
    )  # fmt: skip


def test_reading_leaves_nothing_at_home_and_tells_nobody(tmp_path: Path):
    """ONNX Runtime would write down a number for this user, and send reports with it."""
    home = tmp_path / "home"
    home.mkdir()
    done = run("read", PAGE, HOME=str(home), XDG_CACHE_HOME=str(home / "cache"))
    assert done.returncode == 0 and "248650" in done.stdout and done.stderr == ""
    assert not list(home.rglob("*")), "nothing is left in the user's home"


@pytest.mark.parametrize("words", [("read", PAGE), ("info",), ("read", "--single", PAGE), ("--help",)])
def test_warnings_no_home_and_no_terminal_are_no_trouble(words: tuple[object, ...]):
    done = run(*words)
    assert done.returncode == 0 and done.stderr == "", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="another system sets such limits differently")
def test_a_disk_that_fills_up_is_one_sentence_and_keeps_what_is_whole(tmp_path: Path):
    for number, pixels in enumerate(load_mnist()[1][0][:30]):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    whole = tmp_path / "whole.jsonl"
    assert run("read", "--single", tmp_path, "--out", whole).returncode == 0
    size = whole.stat().st_size
    out = tmp_path / "out.jsonl"
    done = run("read", "--single", tmp_path, "--out", out, limit=size // 2)
    assert done.returncode == 2 and "cannot be written (File too large)" in done.stderr.replace("\n", " ")
    done = run("read", "--single", tmp_path, "--out", out, "--resume")
    assert done.returncode == 0 and len(out.read_text().splitlines()) == 30
    for words in (
        ["export", "classic", "--format", "onnx", "--out", tmp_path / "a.onnx"],
        ["page", "-o", tmp_path / "a.html"],
    ):
        done = run(*words, limit=10_000)
        assert done.returncode == 2 and "cannot be written" in done.stderr, done.stderr
    assert not list(tmp_path.glob("*a.onnx")) and not list(tmp_path.glob(".*")), "no half file is left"


def test_a_file_being_written_is_nobody_elses(tmp_path: Path):
    """Until it has its name, only its owner can read it; then it has the rights of any new file."""
    with atomic_path(tmp_path / "a.txt") as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        assert temporary.parent == tmp_path and temporary.name != "a.txt"
        temporary.write_text("new")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o666 & ~mask


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(tmp_path: Path):
    """Whoever may put a link where a result is written does not choose what is overwritten."""
    (tmp_path / "precious").write_text("old")
    (tmp_path / "a.txt").symlink_to(tmp_path / "precious")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "precious").read_text() == "old" and not (tmp_path / "a.txt").is_symlink()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert run("read", tmp_path / "loop").returncode == 2


def test_a_model_works_in_processes_of_joblib():
    joblib = pytest.importorskip("joblib")
    images = load_mnist()[1][0][:8]
    wanted = load("classic").predict(images)
    answer = joblib.delayed(lambda part: digitscope.load("classic").predict(part))
    found = joblib.Parallel(n_jobs=2)(answer(part) for part in np.split(images, 2))
    np.testing.assert_array_equal(np.concatenate(found), wanted)
