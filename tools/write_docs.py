"""Write the documentation that is generated from the code and the result files.

docs/cli.md comes from the help of the commands, docs/python.md from the docstrings of the public names, docs/results.md
and the README's table from benchmarks/results. A test fails when one of them is out of date.

Usage: python tools/write_docs.py   (make docs)
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import typer
from result_tables import recipe_table, result, results_page
from typer.testing import CliRunner

from digitscope.reading.recognition import ENGINES

ROOT = Path(__file__).parent.parent
MARKS = ("<!-- results: written by make docs -->", "<!-- end of results -->")


def cli_page() -> str:
    """docs/cli.md: the help of every command, as the terminal shows it."""
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
                if not member.startswith("_") and inspect.getdoc(value) and (text := _member(member, value)):
                    parts.append(f"### `{name}.{member}`\n\n{text}")
    return "\n".join(parts)


def _documented(name: str, thing: Any) -> str:
    text = "" if _is(thing, Exception) else f"```python\n{name}{_signature(thing)}\n```\n\n"
    text += f"```text\n{inspect.getdoc(thing)}\n```\n"
    made = vars(thing).get("__init__") if inspect.isclass(thing) else None
    if made is not None and made.__doc__ and not _is(thing, Exception):
        text += f"\n```text\n{inspect.getdoc(made)}\n```\n"
    return text


def _member(name: str, member: Any) -> str:
    """The entry of a method or property; empty for plain data."""
    function = getattr(member, "__func__", member)
    if callable(function):
        return _documented(name, function)
    getter = getattr(member, "fget", None) or getattr(member, "func", None)
    if getter is None:
        return ""
    returned = _plain(str(inspect.signature(getter).return_annotation))
    return f"```python\n{name}: {returned}\n```\n\n```text\n{inspect.getdoc(getter)}\n```\n"


def _signature(thing: Any) -> str:
    """The signature as Python writes it; annotations have no quotes, defaults keep theirs."""
    signature = inspect.signature(thing)
    shown = [_shown(parameter) for parameter in signature.parameters.values()]
    if any(parameter.kind is parameter.KEYWORD_ONLY for parameter in signature.parameters.values()):
        shown.insert([p.kind for p in signature.parameters.values()].index(inspect.Parameter.KEYWORD_ONLY), "*")
    returned = signature.return_annotation
    arrow = "" if returned is signature.empty or inspect.isclass(thing) else f" -> {_plain(returned)}"
    return f"({', '.join(shown)}){arrow}"


def _shown(parameter: inspect.Parameter) -> str:
    text = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "") + parameter.name
    if parameter.annotation is not parameter.empty:
        text += f": {_plain(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        made = isinstance(parameter.default, str | int | float | tuple | None)
        text += f" = {parameter.default!r}" if made else " = ..."
    return text


def _plain(annotation: Any) -> str:
    """An annotation without the modules that its names come from."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"digitscope\.([a-z_]\w*\.)*|pathlib\.(_local\.)?|^'|'$", "", text)


def _is(thing: Any, kind: type) -> bool:
    return inspect.isclass(thing) and issubclass(thing, kind)


def pages() -> dict[Path, str]:
    """Every generated file and its text."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    before, _, rest = readme.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return {
        ROOT / "docs" / "cli.md": cli_page(),
        ROOT / "docs" / "python.md": python_page(),
        ROOT / "docs" / "results.md": results_page(),
        ROOT / "README.md": f"{before}{MARKS[0]}\n{recipe_table()}\n{MARKS[1]}{after}",
    }


def draw_reliability(path: Path) -> None:
    """Draw how often lines of a certain confidence are right, for both engines side by side."""
    from digitscope.models.evaluation import Bin
    from digitscope.plots.results import reliability
    from digitscope.plots.style import new_figure

    figure = new_figure(13, 5)
    for engine, ax in zip(ENGINES, figure.subplots(1, 2), strict=True):
        found = result(f"calibration-{engine}")
        reliability([Bin(**one) for one in found["bins"]], found["ece"], ax)
        ax.set_xlabel(f"confidence of engine {engine}")
    figure.savefig(path, dpi=80, metadata={"Software": None})


def main() -> None:
    draw_reliability(ROOT / "docs" / "pictures" / "reliability-lines.png")
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
