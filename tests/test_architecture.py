"""The house's invariants: imports point down, reading needs no Keras, nothing below the command line prints."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "digitscope"

PACKAGES = [
    "cli",
    "service",
    "experiments",
    "web",
    "training",
    "plots",
    "review",
    "reading",
    "models",
    "datasets",
    "preprocessing",
    "io",
]
"""The packages from top to bottom: each imports from those after it and from the modules in the root, no other."""

ROOT_MODULES = ["environment", "backend", "quiet", "formatting", "files", "progress", "arraytypes", "errors"]
"""The modules that belong to no package, from top to bottom."""

ORDER = ["__main__", "__init__", *PACKAGES, *ROOT_MODULES]

EXTRAS = {"keras", "tensorflow", "torch", "jax", "matplotlib", "seaborn", "sklearn", "scipy", "onnx", "tf2onnx",
          "jinja2", "fastapi", "pydantic", "pydantic_core", "pydantic_settings", "prometheus_client", "starlette",
          "uvicorn", "rapidocr", "tensorboard", "h5py", "pyarrow", "ray"}  # fmt: skip
"""Packages that only an extra installs."""

READS = {"review", "reading", "models", "datasets", "preprocessing", "io", *ROOT_MODULES}
"""What reading stands on; it works in an installation without any extra."""

MODULES = sorted(SOURCE.rglob("*.py"))

WRITES_COMMAND_LINES = {"sweep_result", "page"}
"""Modules below ``cli`` that give whole command lines, with flags: to train a sweep's best point, to print a record."""


def room(path: Path) -> str:
    """The package of a file, or its own name if it belongs to none."""
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, ast.stmt, bool]]:
    """Every import of a file, wherever it stands: the full name of what is imported, the statement, if it is nested."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node, node not in tree.body) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node, node not in tree.body) for alias in node.names)


def upward(path: Path) -> list[str]:
    """The imports of a file that point up in ``ORDER``, or sideways out of the root's modules."""
    here, found = room(path), []
    for name, _, _ in imports(path):
        if not name.startswith("digitscope.") or name == "digitscope.__version__":
            continue
        there = name.split(".")[1]
        if ORDER.index(there if there in ORDER else "__init__") <= ORDER.index(here) and not (
            here == there in PACKAGES
        ):
            found.append(name)
    return found


def test_the_rooms_are_those_that_are_written_down():
    assert {room(path) for path in MODULES} == set(ORDER)
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    (picture,) = re.findall(r"```\ncli.*?```", text, re.DOTALL)
    assert re.findall(r"^(\w+)", picture, re.MULTILINE) == PACKAGES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path):
    assert not upward(path), f"{path.relative_to(SOURCE)} stands beside or below what it imports"


def test_modules_of_one_package_do_not_go_in_circles():
    wants = {
        path: {name for name, _, _ in imports(path) if name.startswith("digitscope.")}
        for path in MODULES
        if path.name != "__init__.py"
    }
    names = {path: "digitscope." + ".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in wants}
    after = {
        names[path]: {names[other] for other in wants if other != path and any(
            want == names[other] or want.startswith(names[other] + ".") for want in wants[path])}
        for path in wants
    }  # fmt: skip
    while leaves := {name for name, needs in after.items() if not needs}:
        after = {name: needs - leaves for name, needs in after.items() if name not in leaves}
    assert not after, "these import each other"


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) in READS], ids=lambda path: path.stem)
def test_reading_needs_no_extra(path: Path):
    names = {name for name, _, nested in imports(path) if not nested}
    top = {"keras" if name.startswith("digitscope.backend.") else name.partition(".")[0] for name in names}
    needed = {
        "backend",
        "keras_onnx",
        "export_onnx",
        "export_keras",
    }  # Keras itself, and what writes model files with it
    assert path.stem in needed or not top & EXTRAS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_keras_comes_from_one_place(path: Path):
    """``backend`` sets what TensorFlow reads when it is imported; an import before it would lose that."""
    names = {name.partition(".")[0] for name, _, _ in imports(path)}
    takes = any(name.startswith("digitscope.backend") for name, _, _ in imports(path))
    assert path.stem == "backend" or "keras" not in names
    assert path.stem == "backend" or "tensorflow" not in names or takes


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_an_import_inside_a_function_says_why(path: Path):
    """Only what an extra brings, and what would make the start slow; a comment on the line says which."""
    if room(path) in ("cli", "__init__", "__main__"):
        return  # every command imports what it needs when it runs: ARCHITECTURE.md says so
    lines = path.read_text(encoding="utf-8").splitlines()
    silent = {
        name
        for name, node, nested in imports(path)
        if nested and "#" not in lines[node.lineno - 1] and "#" not in lines[node.lineno - 2]
    }
    assert not silent


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["read", "--single", "{image}"], ["info"]], ids=lambda words: words[0]
)
def test_commands_start_without_the_extras(arguments: list[str], tmp_path: Path):
    from PIL import Image

    from digitscope.datasets.mnist import load_mnist

    Image.fromarray(load_mnist()[1][0][0]).save(tmp_path / "7.png")
    words = [word.format(image=tmp_path / "7.png") for word in arguments]
    program = (
        f"import sys; sys.argv = ['digitscope', *{words!r}]\n"
        "from digitscope.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        f"print('LOADED', sorted({EXTRAS!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("LOADED []")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_the_rules_of_the_house(path: Path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree)), "no assert in src"
    assert "pickle=True" not in text.replace("allow_", "")
    assert not re.search(r"np\.random\.(seed|rand|randn|randint|choice|shuffle)\(", text), "no global randomness"
    assert ast.get_docstring(tree), "a module says what it is"
    prints = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "print"]
    assert room(path) == "cli" or not prints, "nothing below the command line prints"
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    flags = [text for text in texts if re.search(r"(?<![\w<!-])--[a-z]", text)]
    assert room(path) == "cli" or path.stem in WRITES_COMMAND_LINES or not flags, "nor names one of its flags"


def test_records_cannot_be_changed():
    """What the library hands out is frozen; the few objects that change as they work are compared by identity."""
    records = re.compile(r"^@dataclass\b.*", re.MULTILINE)
    found = {line for path in MODULES for line in records.findall(path.read_text(encoding="utf-8"))}
    assert not {line for line in found if "frozen=True" not in line} - {"@dataclass(eq=False)"}


def test_modules_and_functions_fit_a_reader():
    """A module is read in one sitting, a function fits a screen (CONTRIBUTING.md)."""
    lengths: list[int] = []
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 300, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lengths.append((node.end_lineno or 0) - node.lineno + 1)
                assert lengths[-1] <= 60, f"{path}: {node.name} has {lengths[-1]} lines"
    lengths.sort()
    assert lengths[len(lengths) // 2] <= 12
    assert lengths[len(lengths) * 9 // 10] <= 35


def test_nothing_in_the_repository_knows_the_workplace():
    """Neither a path of this machine nor a folder beside the repository is named."""
    places = [rf"(^|[^\w.]){re.escape(str(place))}/" for place in {ROOT, ROOT.parent, Path.home()} - {Path("/")}]
    beside = [path.name for path in ROOT.parent.iterdir() if path != ROOT and not (ROOT / path.name).exists()]
    words = re.compile("|".join([*places, *(rf"\.\./{re.escape(name)}\b" for name in beside)]), re.MULTILINE)
    folders = [ROOT / name for name in ("src", "tests", "benchmarks", "tools", "examples", "docs")]
    for path in [*(path for folder in folders for path in folder.rglob("*.*")), *ROOT.glob("*.*"), ROOT / "Makefile"]:
        if path.suffix in {".py", ".md", ".json", ".html", ".js", ".css", ".toml", ".txt", ""} and path.is_file():
            assert not words.search(path.read_text(encoding="utf-8")), path
