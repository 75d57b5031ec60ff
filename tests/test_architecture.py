"""The house's invariants: imports point down, reading needs no Keras, nothing below the command line prints."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "digitscope"

FLOORS = [
    ["errors"],
    ["files", "quiet"],
    ["values"],
    ["images", "fields", "ink", "parts"],
    ["arrays", "tables", "folders", "documents", "records", "labels"],
    ["datasets", "about", "runs"],
    ["onnx_file"],
    ["runtime"],
    ["models"],
    ["layers"],
    ["lens", "samples", "weights_json"],
    ["known"],
    ["page"],
    ["strokes", "lines", "decode", "annotate"],
    ["line_model"],
    ["ocr"],
    ["line_reader"],
    ["page_reader"],
    ["reader", "batch"],
    # ---- above: the extra `train` ----
    ["recipes", "pens", "papers", "glyphs"],
    ["synth", "grid"],
    ["line_network", "trials", "exporter", "devices"],
    ["line_training"],
    ["networks", "augment", "checkpoints", "evaluate", "export", "rebuild"],
    ["feed", "distillation"],
    ["fitting"],
    ["canvas", "card", "convert"],
    ["plots", "concepts", "comparisons", "tiles"],
    ["drawings", "steps", "verdict", "architecture", "experiment_plots"],
    ["sheets", "album", "compare"],
    ["story"],
    ["report"],
    ["training", "classifier"],
    ["serve", "sweep"],
    ["__init__"],
    ["cli"],
]
LEVEL = {module: level for level, modules in enumerate(FLOORS) for module in modules}
READING = LEVEL["reader"]
HEAVY = {"keras", "tensorflow", "torch", "jax", "matplotlib", "seaborn", "sklearn", "onnx", "tf2onnx", "fastapi"}
MODULES = sorted([*SOURCE.glob("*.py"), *SOURCE.glob("*/*.py")])


def name_of(path: Path) -> str:
    """The floor's name of a file: its own, or that of its folder."""
    return path.stem if path.parent == SOURCE else path.parent.name


def imports(path: Path) -> set[str]:
    """Names of the modules that a file imports when it is imported itself; what stands inside a function is not."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def own(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("digitscope.") and name.split(".")[1] in LEVEL}


def test_every_module_has_its_floor():
    assert {name_of(path) for path in MODULES} <= set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_point_down(path: Path):
    here = name_of(path)
    upward = {name for name in own(imports(path)) - {here} if LEVEL[name] >= LEVEL[here]}
    assert not upward, f"{here} stands beside or below {upward}"


@pytest.mark.parametrize("path", [p for p in MODULES if LEVEL[name_of(p)] <= READING], ids=lambda path: path.stem)
def test_reading_needs_no_training_package(path: Path):
    assert not {name.partition(".")[0] for name in imports(path)} & HEAVY


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["read", "--single", "{image}"], ["info"]], ids=lambda words: words[0]
)
def test_commands_start_without_training_packages(arguments: list[str], tmp_path: Path):
    from PIL import Image

    from digitscope.datasets import load_mnist

    Image.fromarray(load_mnist()[1][0][0]).save(tmp_path / "7.png")
    words = [word.format(image=tmp_path / "7.png") for word in arguments]
    program = (
        f"import sys; sys.argv = ['digitscope', *{words!r}]\n"
        "from digitscope.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        f"print('LOADED', sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("LOADED []")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_rules_of_the_house(path: Path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree)), "no assert in src"
    assert "pickle=True" not in text.replace("allow_", "")
    assert not re.search(r"np\.random\.(seed|rand|randn|randint|choice|shuffle)\(", text), "no global randomness"
    assert ast.get_docstring(tree), "a module says what it is"


def test_nothing_that_ships_knows_the_workplace():
    words = re.compile(r"(^|[^\w.])/(work|root|tmp/w)/|\.\./shared", re.MULTILINE)
    for path in [*SOURCE.rglob("*.*"), *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        if path.suffix in {".py", ".md", ".json", ".html", ".js", ".css"}:
            assert not words.search(path.read_text(encoding="utf-8")), path
