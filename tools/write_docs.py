"""Write the parts of the documentation that follow from the code and the result files.

docs/cli.md from the commands' help, docs/python.md from the public names' docstrings, and the results of README.md from
benchmarks/results. A test fails when any of them is not current.

Usage: python tools/write_docs.py   (make docs)
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import typer
from readme_results import results_block
from typer.testing import CliRunner

ROOT = Path(__file__).parent.parent
MARKS = ("<!-- results: written by make docs -->", "<!-- end of results -->")


def cli_page() -> str:
    """docs/cli.md: every command's help, as the terminal shows it."""
    from digitscope.cli import app

    command = typer.main.get_command(app)
    names = [[], *([name] for name in command.commands)]  # type: ignore[attr-defined]
    parts = ["# Command line\n", "Written by `make docs` from the commands themselves.\n"]
    for words in names:
        shown = CliRunner().invoke(app, [*words, "--help"], prog_name="digitscope", env={"COLUMNS": "100"}).output
        parts.append(f"## `{' '.join(['digitscope', *words])}`\n\n```text\n{shown.strip()}\n```\n")
    return "\n".join(parts)


def python_page() -> str:
    """docs/python.md: the public names with their signatures and docstrings."""
    import digitscope

    parts = ["# Python\n", "Written by `make docs` from the docstrings. Everything here is `import digitscope` away.\n"]
    for name in digitscope.__all__:
        thing = getattr(digitscope, name)
        parts.append(f"## `digitscope.{name}`\n\n{_documented(name, thing)}")
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            for member, value in vars(thing).items():
                if not member.startswith("_") and callable(getattr(value, "__func__", value)) and inspect.getdoc(value):
                    parts.append(f"### `{name}.{member}`\n\n{_documented(member, getattr(value, '__func__', value))}")
    return "\n".join(parts)


def _documented(name: str, thing: Any) -> str:
    signature = ""
    if not (inspect.isclass(thing) and issubclass(thing, Exception)):
        text = re.sub(r"digitscope\.\w+\.|pathlib\.(_local\.)?", "", str(inspect.signature(thing))).replace("'", "")
        signature = f"```python\n{name}{text}\n```\n\n"
    return f"{signature}```text\n{inspect.getdoc(thing)}\n```\n"


def pages() -> dict[Path, str]:
    """Every generated file and what it must hold."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    before, _, rest = readme.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return {
        ROOT / "docs" / "cli.md": cli_page(),
        ROOT / "docs" / "python.md": python_page(),
        ROOT / "README.md": f"{before}{MARKS[0]}\n{results_block()}\n{MARKS[1]}{after}",
    }


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
