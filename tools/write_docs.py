"""Write the documentation that is generated from the code and the result files.

docs/cli.md comes from the help of the commands, docs/python.md from the docstrings of the public names, docs/results.md
and the README's table from benchmarks/results, docs/page.schema.json and two tables of docs/service.md from the
service. A test fails when one of them is out of date.

Usage: python tools/write_docs.py   (make docs)
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

import typer
from campaign_tables import campaign_part
from result_tables import RESULTS, recipe_table, result, results_page
from review_tables import review_table
from robustness_tables import draw_corruptions, draw_geometry
from scale_tables import scale_table
from typer.testing import CliRunner

from digitscope.formatting import markdown_table
from digitscope.reading.recognition import ENGINES

ROOT = Path(__file__).parent.parent

EXIT_CODES = """Every command ends with the exit code

- 0 if it did what was asked; a number that is refused, or a page without one, is an answer like any other,
- 2 if a file, an option or a value cannot be used; one sentence on the standard error says which and why,
- 130 after Ctrl-C; `train-reader` keeps what it has learned then, and ends with 0.
"""


def cli_page() -> str:
    """docs/cli.md: the help of every command, as the terminal shows it."""
    from digitscope.cli import app

    command = typer.main.get_command(app)
    names = [[], *([name] for name in command.commands)]  # type: ignore[attr-defined]
    parts = ["# Command line\n", "Written by `make docs` from the commands themselves.\n", EXIT_CODES]
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


def settings_table() -> str:
    """The settings of the service, from their fields."""
    from digitscope.service.settings import Settings

    rows = [
        [f"`{name}`", _default(field), field.description or ""] for name, field in Settings.model_fields.items()
    ]  # fmt: skip
    return markdown_table(["setting", "default", "what it is"], rows)


def _default(field: Any) -> str:
    """A setting's default as one would write it into the environment."""
    if field.default_factory is not None or field.default in (None, ()):
        return ""
    shown = f"{field.default:,}" if type(field.default) is int else str(field.default)
    return shown.lower() if type(field.default) is bool else shown


def problems_table() -> str:
    """What can go wrong with a request."""
    from digitscope.service.problems import Kind

    return markdown_table(["status", "type", "title"], [[str(k.status), f"`{k.type}`", k.title] for k in Kind])


def schema_text() -> str:
    """docs/page.schema.json: the JSON Schema of a page's record."""
    from digitscope.service.records import page_schema

    return json.dumps(page_schema(), indent=2) + "\n"


def with_part(text: str, name: str, part: str) -> str:
    """A text with what stands between its two marks of this name replaced."""
    before, mark, rest = text.partition(f"<!-- {name}: written by make docs -->")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    return f"{before}{mark}\n{part}\n{end}{after}"


def pages() -> dict[Path, str]:
    """Every generated file and its text."""
    names = ("README.md", "docs/service.md", "docs/scale.md", "docs/review.md", "docs/threat-model.md")
    readme, service, scale, review, threats = ((ROOT / name).read_text(encoding="utf-8") for name in names)
    service = with_part(service, "problems", problems_table())
    measured = result("scale") if (RESULTS / "scale.json").exists() else {}
    return {
        ROOT / "docs" / "cli.md": cli_page(),
        ROOT / "docs" / "python.md": python_page(),
        ROOT / "docs" / "results.md": results_page(),
        ROOT / "docs" / "service.md": with_part(service, "settings", settings_table()),
        ROOT / "docs" / "page.schema.json": schema_text(),
        ROOT / "docs" / "scale.md": with_part(scale, "results", scale_table(measured)),
        ROOT / "docs" / "review.md": with_part(review, "results", review_table(result("review"))),
        ROOT / "docs" / "threat-model.md": with_part(threats, "results", campaign_part(result("campaign"))),
        ROOT / "README.md": with_part(readme, "results", recipe_table()),
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
    draw_corruptions(ROOT / "docs" / "pictures" / "corruptions.png")
    draw_geometry(result("corruptions"), ROOT / "docs" / "pictures" / "geometry.png")
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
