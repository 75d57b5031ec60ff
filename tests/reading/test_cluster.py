"""The same batch on a Ray cluster that the test starts: nothing lost, nothing doubled, whatever dies."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError
from digitscope.io.names import Names
from digitscope.reading import cluster

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def table(path: Path, rows: list[bytes]) -> str:
    parquet.write_table(pyarrow.table({"bytes": rows}), path, row_group_size=10)
    return str(path)


def blocks(paths: list[str], done: Names | None = None) -> list[cluster._Block]:
    return list(cluster._blocks(paths, Names() if done is None else done))


def test_blocks_are_small_and_leave_out_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster, "BLOCK_FILES", 4)
    monkeypatch.setattr(cluster, "BLOCK_BYTES", 1000)
    files = [str(tmp_path / f"{number}.png") for number in range(9)]
    for number, file in enumerate(files):
        Path(file).write_bytes(b"x" * (600 if number < 3 else 10))
    names = [[name for name, _ in block.files] for block in blocks([str(tmp_path), "missing.png"])]
    assert names == [files[:2], files[2:6], [*files[6:], "missing.png"]]
    rows = table(tmp_path / "t.parquet", [b"y" * 200] * 11)
    found = blocks([rows, files[0]])
    assert (found[0].first, found[0].end) == (0, 4) and found[-2].end == 11
    assert [source.name for block in found[:-1] for source in block.sources()] == [f"{rows}:{n}" for n in range(1, 12)]
    done = Names()
    for name in (files[1], f"{rows}:2", f"{rows}:6"):
        done.add(name)
    left = blocks([str(tmp_path), rows], done)
    assert sum(block.size for block in left) == 9 - 1 + 11 - 2
    assert [source.name for block in left for source in block.sources()] == [
        *(file for file in files if file != files[1]), *(f"{rows}:{n}" for n in range(1, 12) if n not in (2, 6))
    ]  # fmt: skip
    assert not blocks([str(tmp_path), rows], done), "they are done now"
    with pytest.raises(ConfigError, match="standard input"):
        blocks(["-"])


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 small files and 120 rows of a table, some of them poison."""
    folder = tmp_path_factory.mktemp("digits")
    images, _ = load_mnist()[1]
    (folder / "files").mkdir()
    contents = []
    for number in range(500):
        path = folder / "files" / f"{number}.png"
        if number % 97 == 5:
            path.write_bytes(b"poison" * number)
        else:
            Image.fromarray(255 - images[number]).save(path)
        contents.append(path.read_bytes())
    table(folder / "table.parquet", contents[:120])
    return folder


def command(digits: Path, out: Path, *words: str, blocks_of: int = 20) -> list[str]:
    """The command, with small blocks."""
    places = [str(digits / name) for name in ("files", "table.parquet")]
    arguments = ["digitscope", "read", *places, "--single", "--out", str(out), *words]
    program = (
        "import sys; from digitscope.reading import cluster; from digitscope.cli import main\n"
        f"cluster.BLOCK_FILES = {blocks_of}\n"
        f"sys.argv = {arguments!r}\n"
        "if __name__ == '__main__': main()"
    )
    return [sys.executable, "-c", program]


def rows(out: Path) -> list[dict[str, Any]]:
    """The rows of results, in the order of their files, without what differs from run to run."""
    kept = [{**row, "milliseconds": 0, "confidence": round(row["confidence"] or 0, 4),
             "digit_probability": round(row["digit_probability"] or 0, 4)}
            for row in parquet.read_table(out).to_pylist()]  # fmt: skip
    return sorted(kept, key=lambda row: row["file"])


@pytest.fixture(scope="module")
def undisturbed(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What one machine reads."""
    out = tmp_path_factory.mktemp("alone") / "out.parquet"
    done = subprocess.run(command(digits, out, "--workers", "2"), capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "8 of 620 files could not be read" in done.stderr, done.stderr
    return rows(out)


@pytest.fixture
def ray_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Ray cluster of this machine with three workers, started for the test, with a token of its own."""
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:  # its sockets allow no longer path
        words = [Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--num-cpus=3", "--port=0",
                 "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}"]  # fmt: skip
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as head:
            assert head.stdout is not None
            found = (re.search(r"--address='([^']+)'", line) for line in head.stdout)
            yield next(match[1] for match in found if match is not None)
            os.killpg(head.pid, signal.SIGTERM)


def actors() -> list[int]:
    """The processes of Ray's actors that read blocks."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::") and b"MapBatches" in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.extended
def test_a_cluster_reads_what_one_machine_reads_whatever_dies(
    digits: Path, undisturbed: list[dict[str, Any]], tmp_path: Path, ray_address: str
):
    """First actors are killed, then the driver, and in the end a new driver finishes on a cluster of its own."""
    out = tmp_path / "out.parquet"
    words = command(digits, out, "--ray", ray_address, "--resume")
    killed = set[int]()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as driver:
        while driver.poll() is None and len(list(out.glob("part-*"))) < 12:
            for actor in actors():
                if len(killed) < 2 and len(list(out.glob("part-*"))) >= 3 * len(killed) + 1 and actor not in killed:
                    os.kill(actor, signal.SIGKILL)
                    killed.add(actor)
                    break
            time.sleep(0.02)
        driver.kill()
        assert driver.stderr is not None
        said = driver.stderr.read()
    assert len(killed) == 2, said
    begun = {row["file"] for row in rows(out)}
    assert 12 * 20 <= len(begun) < 620, said
    words = command(digits, out, "--ray", "local", "--workers", "2", "--resume")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and f"620 files in {out}, {len(begun)} of them from before" in done.stdout, done.stderr
    assert rows(out) == undisturbed
