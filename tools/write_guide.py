"""Write the guide's notebooks: run the code of every chapter and keep its output.

docs/guide/NAME.md is the chapter's text, docs/guide/NAME.ipynb the same cells with their output (Jupytext keeps the two
in step in Jupyter). A chapter runs in a fresh kernel, in a copy of its folder; its output is kept without any trace of
where and when it ran.

Usage: python tools/write_guide.py [1 2 ...]   (make guide; all chapters without numbers)
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

from digitscope.files import write_text

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "guide"
SECONDS = 600
"""The longest a cell may take: many times what any needs, so that only a cell that hangs is stopped."""

COLOURS = 128
"""Colours of a picture in a notebook; a palette this small makes the file a third of its size."""

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""Metadata of a notebook: any Python 3 will do."""

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
"""Environment that keeps TensorFlow and the debugger from writing about the machine."""

CHATTER = re.compile(r"^(WARNING: All log messages before absl::InitializeLog|I\d{4} ).*$", re.MULTILINE)
"""What TensorFlow writes nevertheless when it starts."""


def chapters() -> list[Path]:
    """The text files of all chapters, in order."""
    return sorted(GUIDE.glob("[0-9]*-*.md"))


def notebook_of(chapter: Path) -> NotebookNode:
    """A chapter's notebook before it runs; the same text always gives the same notebook, ids included."""
    cells = jupytext.read(chapter).cells
    for cell in cells:
        cell.id = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        cell.metadata = {}
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


def executed(chapter: Path) -> NotebookNode:
    """Run a chapter; its notebook with the output of every cell.

    Raises:
        CellExecutionError: a cell raised an error.
        RuntimeError: a cell wrote to the error stream, such as a warning, or left a file beside the chapter.
    """
    notebook = notebook_of(chapter)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / "docs" / "guide"
        here.mkdir(parents=True)
        shutil.copytree(ROOT / "examples", Path(folder) / "examples")
        client = NotebookClient(
            notebook,
            timeout=SECONDS,
            record_timing=False,
            coalesce_streams=True,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(here)}},
        )
        client.execute(env=os.environ | QUIET | {"IPYTHONDIR": folder, "TMPDIR": folder})
        left = sorted(path.name for path in here.iterdir())
    if left:
        raise RuntimeError(f"{chapter.name} leaves {', '.join(left)} in its folder; write to a temporary one")
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        _tidy(chapter, cell)
    return notebook


def _tidy(chapter: Path, cell: NotebookNode) -> None:
    """Reduce a cell to its output, without anything about the run, and its pictures to few colours."""
    cell.metadata = {}
    if cell.cell_type == "markdown":
        return
    for output in cell.outputs:
        if output.get("name") == "stderr" and (warned := CHATTER.sub("", output.text).strip()):
            raise RuntimeError(f"{chapter.name} warns:\n{warned}")
        if "metadata" in output:
            output.metadata = {}
        if "image/png" in output.get("data", {}):
            output.data["image/png"] = _with_few_colours(output.data["image/png"])
    cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]


def _with_few_colours(png: str) -> str:
    """A base64 PNG reduced to a palette, again as base64 PNG."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    small = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def main(wanted: list[str]) -> None:
    """Write the notebooks of the chapters with these numbers, or of all chapters."""
    for chapter in chapters():
        if wanted and chapter.name.partition("-")[0] not in wanted:
            continue
        start = time.perf_counter()
        target = chapter.with_suffix(".ipynb")
        write_text(target, nbformat.writes(executed(chapter)) + "\n")
        seconds, kilobytes = time.perf_counter() - start, target.stat().st_size / 1000
        print(f"wrote {target.relative_to(ROOT)}: {kilobytes:.0f} kB, ran for {seconds:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
