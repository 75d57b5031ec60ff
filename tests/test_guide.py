"""The guide: text and notebook are one, nothing in it tells of a machine, and every chapter runs as it is written."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from digitscope.training.recipes import RECIPES

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "guide"
CHAPTERS = sorted(GUIDE.glob("[0-9]*-*.md"))
LARGEST = 2_500_000
"""Bytes of all notebooks together, so that the repository stays quick to clone."""

MACHINE = re.compile(r"(?<![\w.])/(tmp|home|root|work|Users|usr|var|opt)/|\b0x[0-9a-f]{6,}|\b[A-Z]:\\")
"""Paths and addresses, which are other ones on every machine."""

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_guide", ROOT / "tools" / "write_guide.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stored(chapter: Path) -> NotebookNode:
    notebook = nbformat.read(chapter.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(notebook: NotebookNode) -> list[list[tuple[str, ...]]]:
    """What kinds of things each code cell shows."""
    return [[(out.output_type, *sorted(out.get("data", {}))) for out in cell.outputs] for cell in code_cells(notebook)]


@each_chapter
def test_text_and_notebook_hold_the_same_cells(chapter: Path, tool: ModuleType):
    text, notebook = tool.notebook_of(chapter), stored(chapter)
    assert [(cell.id, cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.id, cell.cell_type, cell.source) for cell in text.cells
    ], f"run python tools/write_guide.py {chapter.name[0]}"
    assert notebook.metadata == text.metadata


@each_chapter
def test_the_notebook_was_run_from_top_to_bottom_and_tells_of_no_machine(chapter: Path):
    notebook = stored(chapter)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell.outputs for cell in cells[1:] if "print(" in cell.source and "def " not in cell.source)
    assert any("image/png" in kind for outputs in shown(notebook) for kind in outputs)
    told = [
        str(out.get("text", "")) + str(out.get("data", {}).get("text/plain", "")) for c in cells for out in c.outputs
    ]
    assert not MACHINE.search("\n".join([*told, chapter.read_text(encoding="utf-8")]))
    assert all(cell.metadata == {} for cell in notebook.cells)


def test_the_notebook_on_training_shows_every_recipe():
    """Its output is made by hand (``make guide``), and recipes are added."""
    (cell,) = (cell for cell in code_cells(stored(GUIDE / "3-training.md")) if "in RECIPES)" in cell.source)
    assert cell.outputs[0].text.splitlines()[0].split() == list(RECIPES), "run python tools/write_guide.py 3"
    text = (GUIDE / "3-training.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in RECIPES)


def test_the_notebooks_are_small():
    assert sum(path.stat().st_size for path in GUIDE.glob("*.ipynb")) < LARGEST


def test_every_notebook_has_a_text():
    assert {path.stem for path in GUIDE.glob("*.ipynb")} == {path.stem for path in CHAPTERS}


def test_links_lead_somewhere_and_from_each_chapter_to_the_next():
    links = {
        path: re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
        for path in [GUIDE / "README.md", *CHAPTERS]
    }
    for path, targets in links.items():
        assert all((path.parent / target).exists() for target in targets), path
    for chapter, following in zip(CHAPTERS, [*CHAPTERS[1:], None], strict=True):
        wanted = "README.md" if following is None else following.with_suffix(".ipynb").name
        assert wanted in links[chapter]
    chapters = [target for target in links[GUIDE / "README.md"] if "pictures" not in target]
    assert chapters == [name for c in CHAPTERS for name in (c.with_suffix(".ipynb").name, c.name)]


def test_the_index_calls_the_chapters_by_their_titles():
    index = (GUIDE / "README.md").read_text(encoding="utf-8")
    for chapter in CHAPTERS:
        title = chapter.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f"[{title}]({chapter.with_suffix('.ipynb').name})" in index


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("1 / 0", CellExecutionError),
        ("import warnings\nwarnings.warn('careful')", RuntimeError),
        ("open('left.txt', 'w').close()", RuntimeError),
    ],
    ids=["error", "warning", "file"],
)
def test_a_chapter_in_trouble_is_not_written(code: str, trouble: type[Exception], tool: ModuleType, tmp_path: Path):
    chapter = tmp_path / "1-bad.md"
    chapter.write_text(f"# Bad\n\n```python\n{code}\n```\n", encoding="utf-8")
    with pytest.raises(trouble, match="ZeroDivisionError" if trouble is CellExecutionError else "careful|left.txt"):
        tool.executed(chapter)


@pytest.mark.slow
@each_chapter
def test_the_chapter_runs(chapter: Path, tool: ModuleType, monkeypatch: pytest.MonkeyPatch):
    """As it is written, but that the network which is trained on all images is a small one."""
    if chapter.stem == "3-training":
        notebook_of, written = tool.notebook_of, 'train("classic", '

        def with_a_small_network(chapter: Path) -> NotebookNode:
            notebook = notebook_of(chapter)
            (cell,) = (cell for cell in code_cells(notebook) if written in cell.source)
            cell.source = cell.source.replace(written, f'{written}settings={{"filters": (4, 8), "dense": 16}}, ')
            return notebook

        monkeypatch.setattr(tool, "notebook_of", with_a_small_network)
    notebook = tool.executed(chapter)
    assert shown(notebook) == shown(stored(chapter)), f"run python tools/write_guide.py {chapter.name[0]}"
    printed = "".join(out.get("text", "") for cell in code_cells(notebook) for out in cell.outputs)
    assert "False" not in printed  # what a chapter checks by hand, it says with True
