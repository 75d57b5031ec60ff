"""The documentation is true: generated parts are current, its Python runs, and whatever it names exists."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import digitscope

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    sys.path.insert(0, str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location("write_docs", ROOT / "tools" / "write_docs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[Path, str] = module.pages()
    return found


@pytest.mark.parametrize("name", ["docs/cli.md", "docs/python.md", "docs/results.md", "README.md"])
def test_generated_parts_are_current(name: str, pages: dict[Path, str]):
    assert (ROOT / name).read_text(encoding="utf-8") == pages[ROOT / name], "run make docs"


def test_the_readmes_python_runs():
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    answer, number, terms = done.stdout.splitlines()
    assert answer.startswith("3 ") and "2486.50" in number
    assert float(terms.split()[2]) < 1e-4


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(path: Path):
    from typer.main import get_command

    from digitscope.cli import app

    commands = get_command(app).commands  # type: ignore[attr-defined]
    text = path.read_text(encoding="utf-8")
    in_blocks = re.findall(r"^(?:[A-Z_]+=\S+ )?digitscope (.*?)(?:\s+#.*)?$", text, re.MULTILINE)
    for line in [*in_blocks, *re.findall(r"`digitscope ([^`]*)`", text)]:
        name, *words = line.split()
        if not name.startswith("-"):
            options = {option for parameter in commands[name].params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= options, line


def test_links_lead_somewhere():
    for path in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name} -> {target}"


def test_every_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in PAGES:
        assert set(re.findall(r"`make ([a-z]+)`", path.read_text(encoding="utf-8"))) <= targets, path


def test_what_the_readme_says_about_its_page_of_numbers_is_so():
    folder = ROOT / "examples" / "pages"
    with (folder / "truth.csv").open(newline="") as file:
        truth = [row["text"] for row in csv.DictReader(file) if row["file"] == "numbers.jpg"]
    numbers = digitscope.Reader(engine="own").read(folder / "numbers.jpg").numbers
    right = sum(number.text == text for number, text in zip(numbers, truth, strict=True))
    assert f"{right} of {len(truth)} numbers are right" in README
    refused = [(number.best_guess, text) for number, text in zip(numbers, truth, strict=True) if number.text is None]
    assert right + len(refused) == len(truth)
    assert "It refuses the other three; its best guesses for them are right, too." in README
    assert len(refused) == 3 and all(guess == text for guess, text in refused)


def test_the_page_of_examples_says_what_the_reader_says():
    """Confidences apart, whose last digits differ between processors."""
    sys.path.insert(0, str(ROOT / "tools"))
    page = importlib.import_module("write_examples").page()
    written = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    assert re.sub(r"\d+ % sure", "", page) == re.sub(r"\d+ % sure", "", written), "run make docs"
