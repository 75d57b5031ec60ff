"""Write the parts of the documentation that follow from the code and the result files.

docs/cli.md from the commands' help, docs/python.md from the public names' docstrings, and the results of README.md from
benchmarks/results. A test fails when any of them is not current.

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
from typer.testing import CliRunner

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
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


def results_block() -> str:
    """The README's results, every figure out of a result file."""
    training, inference, startup = (_result(name) for name in ("training", "inference", "startup"))
    augment, classic, robust = (_result(name) for name in ("augment", "classic", "robust"))
    rows = [
        "| recipe | what it is | test accuracy, mean ± standard deviation | seeds | misses of 10,000 | fit, median |",
        "|---|---|---|---|---|---|",
        _row("`seed`, as plain Keras", "examples/plain_keras.py, 12 epochs", training["ways"]["plain_keras"], same=True),
        _row("`classic`, default", f"same network, {classic['recipe']['epochs']} epochs, one-cycle", _runs(classic), training["ways"]["classic"]),
        _row(
            "`robust`, reads", f"same network, {robust['recipe']['epochs']} epochs, augmented, averaged", _runs(robust)
        ),
    ]
    faster, precision = training["times_faster"]["median"], training["execution"]["classic"]["precision"]
    lines = [
        *rows,
        "",
        f"- `classic` fits **{faster:.1f} times faster** than the plain script's twelve epochs (median of "
        f"{training['rounds']} rounds in turns, {precision.removeprefix('mixed_')} inside the fit; "
        "`benchmarks/training.py`).",
        f"- ONNX Runtime answers **{inference['images_per_second']['digitscope']:,.0f} images/s**, "
        f"{inference['times_keras_default']:.1f} times Keras' `predict` in the same run "
        f"({inference['times_keras_best_batch']:.1f} times at Keras' best batch size; `benchmarks/inference.py`).",
        "- A cold `digitscope read digit.png --single` takes "
        f"{startup['seconds']['read digit.png --single']['median']:.2f} s, "
        f"`digitscope --help` {startup['seconds']['--help']['median']:.2f} s (median of 7; `benchmarks/startup.py`).",
        f"- The augmentation makes {augment['images_per_second']:,.0f} images/s on one core (`benchmarks/augment.py`).",
        "",
        f"Machine: {training['machine']}. The time of `robust` was taken while the machine did other work as well.",
        *_reading(),
    ]
    return "\n".join(lines)


PEERS = {
    "kensanata_numbers": ("ballpoint digits of seven writers, photographed", 87.7, 92.0),
    "ardis_iv": ("Swedish church records, 28x28", 87.8, 92.3),
    "usps": ("US post, 16x16", 97.7, 96.0),
    "self_drawn": ("digits people drew to try their own models", 95.5, 95.5),
    "sudoku_scanner": ("sudoku cells off phone photos, handwritten and printed", 92.5, 100.0),
}
"""What each set holds, and what peers reach on it: a careful pipeline with the plain CNN, RapidOCR with letters mapped."""


def _reading() -> list[str]:
    reading = _result("reading")
    lines = [
        "",
        "Single digits that people wrote elsewhere, read with `robust` from the picture as it came (development sets,",
        "never trained on; `benchmarks/reading.py`). Best guess counts every digit, answered or refused.",
        "",
        "| set | n | best guess right | careful CNN | RapidOCR | answered | right among answered |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, (what, careful, rapid) in PEERS.items():
        row = reading["sets"][name]
        lines.append(
            f"| {what} | {row['n']:,} | **{row['best_guess_right']:.1f} %** | {careful} % | {rapid} % "
            f"| {row['accepted']:.1f} % | {row['right_of_accepted']:.1f} % |"
        )
    blank = reading["sets"]["sudoku_scanner"]
    lines += ["", f"Of {blank['n_without_digit']} blank sudoku cells, {blank['left_empty']:.1f} % are left empty."]
    return lines


def _runs(result: dict[str, Any]) -> list[dict[str, float]]:
    return [{"accuracy": run["accuracy"], "seconds": run["fit_seconds"]} for run in result["runs"]]


def _row(
    name: str, what: str, runs: list[dict[str, float]], timed: list[dict[str, float]] | None = None, same: bool = False
) -> str:
    import numpy as np

    accuracy = np.array([run["accuracy"] for run in runs][: 1 if same else None]) * 100
    spread = f"{accuracy.mean():.2f} ± {accuracy.std(ddof=1):.2f} %" if len(accuracy) > 1 else f"{accuracy[0]:.2f} %"
    seconds = float(np.median([run["seconds"] for run in timed or runs]))
    return f"| {name} | {what} | {spread} | {len(accuracy)} | {100 * (100 - accuracy.mean()):.0f} | {seconds:.1f} s |"


def _result(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


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
