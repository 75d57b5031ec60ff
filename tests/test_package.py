"""What people install: the wheel holds the whole package and nothing else, and works where there is nothing but it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import cv2
import numpy as np
import pytest
from packaging.requirements import Requirement

import digitscope

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
LARGEST = 25e6
"""Bytes of a wheel or sdist: 20 million now, of which MNIST takes 11; hubs of packages accept 100."""

DATA = {
    "shipped/mnist/train-images-idx3-ubyte.gz": 9_000_000,
    "shipped/mnist/t10k-labels-idx1-ubyte.gz": 4_000,
    "shipped/models/robust.onnx": 800_000,
    "shipped/models/reader-digit.known.json": 100_000,
    "shipped/lines/reader.onnx": 800_000,
    "shipped/known.npz": 1_000_000,
    "shipped/results/comparisons.json": 1_000,
    "web/lens/static/index.html": 1_000,
    "web/lens/static/strings.en.json": 1_000,
    "web/report/page.html": 500,
    "py.typed": 0,
}
"""Files that no import finds missing, and the bytes each has at least."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from the sdist alone, as ``make dist`` builds both."""
    folder = tmp_path_factory.mktemp("dist")
    words = ["-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a new environment with the wheel and the packages that it requires, none of them optional.

    The packages are links to those of this environment, so that the test needs no network.
    """
    folder = tmp_path_factory.mktemp("plain")
    venv.create(folder, symlinks=True, with_pip=False)
    words = ["--python", str(folder), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *words], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (info,) = site.glob("digitscope-*.dist-info")
    for needed in required(PathDistribution(info)).values():
        for name in {file.parts[0] for file in needed.files or []} - {"..", "__pycache__"}:
            (site / name).symlink_to(Path(str(needed.locate_file(name))))
    return folder / "bin"


def required(by: Distribution, extras: frozenset[str] = frozenset()) -> dict[str, Distribution]:
    """The installed packages that a package requires, and those that they require, by name."""
    found: dict[str, Distribution] = {}
    for text in by.requires or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            other = distribution(requirement.name)
            found |= {requirement.name: other} | required(other, frozenset(requirement.extras))
    return found


def run(plain: Path, *words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command of the new environment, outside the source tree."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    program, *rest = map(str, words)
    return subprocess.run(
        [plain / program, *rest], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )


def files(folder: Path) -> set[str]:
    """The files of the package, as they stand in the source tree."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in found if "__pycache__" not in name}


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        names = {name for name in sizes if ".dist-info/" not in name}
        for name in names:
            assert archive.read(name) == (SOURCE / name).read_bytes()
    assert names == {f"digitscope/{name}" for name in files(SOURCE / "digitscope")}
    assert all(sizes[f"digitscope/{name}"] >= least for name, least in DATA.items())
    licences = {name.partition("/licenses/")[2] for name in sizes if "/licenses/" in name}
    assert {"LICENSE", "NOTICE", "src/digitscope/shipped/mnist/README.md"} == licences
    assert wheel.stat().st_size < LARGEST


def test_the_sdist_is_what_the_wheel_is_made_of(built: Path):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {name for name in names if name.startswith("src/")} == {
        f"src/digitscope/{name}" for name in files(SOURCE / "digitscope")
    }
    assert {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "NOTICE"} <= names
    assert not {name for name in names if re.match(r"tests|benchmarks|docs|examples|\.ci", name)}
    assert path.stat().st_size < LARGEST


def test_version_changelog_and_metadata_agree(wheel: Path):
    (newest, *_) = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest == digitscope.__version__ and wheel.name == f"digitscope-{newest}-py3-none-any.whl"
    named = re.findall(r"dist/(digitscope-[\w.-]+\.whl)", (ROOT / "README.md").read_text("utf-8"))
    assert set(named) == {wheel.name}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"digitscope-{newest}.dist-info/METADATA").decode()
    assert set(re.findall(r"^Provides-Extra: (\S+)", text, re.MULTILINE)) == set(project["optional-dependencies"])
    assert f"\nRequires-Python: {','.join(sorted(project['requires-python'].split(',')))}\n" in text


def test_the_installed_commands_read_and_write_the_page(plain: Path, tmp_path: Path):
    """Of the wheel, outside the source tree, with the packages alone that the plain installation brings."""
    where = run(plain, "python", "-c", "import digitscope; print(digitscope.__file__)", cwd=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(plain.parent), where.stdout + where.stderr
    assert run(plain, "digitscope", "--version", cwd=tmp_path).stdout == f"digitscope {digitscope.__version__}\n"
    assert "read" in run(plain, "digitscope", "--help", cwd=tmp_path).stdout
    shown = run(plain, "digitscope", "info", cwd=tmp_path)
    assert not shown.returncode and "reader-digit" in shown.stdout and "Keras is not installed" in shown.stdout
    paper = np.full((120, 120, 3), 245, np.uint8)
    cv2.polylines(paper, [np.array([[38, 30], [82, 30], [52, 96]])], False, (60, 40, 30), 7, cv2.LINE_AA)
    line = np.full((90, 260, 3), 245, np.uint8)
    for x in (20, 80, 140, 200):
        cv2.polylines(line, [np.array([[x, 22], [x + 34, 22], [x + 10, 70]])], False, (60, 40, 30), 5, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "seven.png"), paper)
    cv2.imwrite(str(tmp_path / "line.png"), line)
    digit = run(plain, "digitscope", "read", "--single", "seven.png", cwd=tmp_path)
    assert re.search(r"\b7\b", digit.stdout), digit.stdout + digit.stderr
    number = run(plain, "digitscope", "read", "line.png", cwd=tmp_path)
    assert re.search(r"\b7777\b", number.stdout), number.stdout + number.stderr
    page = run(plain, "digitscope", "page", "-o", "lens.html", cwd=tmp_path)
    assert not page.returncode and (tmp_path / "lens.html").stat().st_size > 1e6, page.stderr


@pytest.mark.parametrize(
    ("words", "extra"),
    [(["train", "--epochs", "1"], "train"), (["serve"], "serve"), (["evaluate", "classic"], "train")],
)
def test_a_command_names_the_extra_that_it_needs(words: list[str], extra: str, plain: Path, tmp_path: Path):
    done = run(plain, "digitscope", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and f'pip install "digitscope[{extra}]"' in done.stderr, done.stderr
