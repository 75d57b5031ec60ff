"""The documentation is true: generated parts are current, its Python runs, and whatever it names exists."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

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


@pytest.mark.parametrize(
    "name",
    ["docs/cli.md", "docs/python.md", "docs/results.md", "docs/service.md", "docs/page.schema.json", "README.md"],
)
def test_generated_parts_are_current(name: str, pages: dict[Path, str]):
    assert (ROOT / name).read_text(encoding="utf-8") == pages[ROOT / name], "run make docs"


def test_the_readmes_python_runs():
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    answer, number, terms = done.stdout.splitlines()
    assert answer.startswith("3 ") and "2486.50" in number
    assert float(terms.split()[2]) < 1e-4


def command_lines(text: str) -> list[tuple[list[str], bool]]:
    """The words after ``digitscope`` wherever it is called: in a block, or named in a sentence (the bool)."""
    text = text.replace("\\\n", " ")
    blocks = re.findall(r"^(?:[$!@] ?)?(?:[A-Z_]+=\S+ )*(?:\S*/)?digitscope (.*)$", text, re.MULTILINE)
    found = [(line, False) for line in blocks] + [(line, True) for line in re.findall(r"`digitscope ([^`]*)`", text)]
    lines = []
    for line, in_sentence in found:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(itertools.takewhile(lambda word: not set(word) <= set("();<>|&"), lexer))
        lines += [(words, in_sentence)] if words else []
    return lines


@pytest.mark.parametrize("path", [*PAGES, ROOT / "Makefile"], ids=lambda path: path.name)
def test_every_command_is_one_that_the_program_takes(path: Path):
    """Its options, their values and its arguments; a sentence may name a command without what it needs."""
    from typer.main import get_command

    from digitscope.cli import app

    commands = get_command(app).commands  # type: ignore[attr-defined]
    for (name, *words), in_sentence in command_lines(path.read_text(encoding="utf-8")):
        if name.startswith("-"):
            continue
        try:
            commands[name].make_context(name, list(words))
        except typer.Exit:  # --help
            pass
        except typer.BadParameter.__base__ as error:  # type: ignore[misc]
            incomplete = re.match(r"Missing (argument|option)|Option .* requires an argument", error.format_message())
            assert in_sentence and incomplete, f"digitscope {name} {' '.join(words)}: {error.format_message()}"


def anchors(path: Path) -> set[str]:
    """The places that links may lead to in a page, by the names that code hosts give its headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path):
    text = path.read_text(encoding="utf-8")
    links = [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r"(?:src|href)=\"([^\"]+)\"", text)]
    for link in links:
        target, _, place = link.partition("#")
        if not re.match(r"[a-z]+:", link):
            there = path.parent / target if target else path
            assert there.exists(), f"{path.name} -> {link}"
            assert not place or place in anchors(there), f"{path.name} -> {link}: no such heading"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_files_that_are_named_exist(path: Path):
    if path.name in ("CHANGELOG.md", "experiments.md", "decisions.md"):
        return  # they also tell of what is gone
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:benchmarks|tools|tests|examples|src|docs|\.ci)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), f"{path.name}: {name}"


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
