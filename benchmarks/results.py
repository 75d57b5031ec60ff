"""The result files of the benchmarks: what was measured, on which machine, with which command."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from digitscope import files
from digitscope.environment import machine, processor_features, versions
from digitscope.training.fit import Execution
from digitscope.training.recipes import Recipe

FOLDER = Path(__file__).parent / "results"


def write(name: str, figures: dict[str, Any]) -> None:
    """Write ``results/NAME.json``: the figures together with machine, versions and command."""
    about = {
        "command": "python "
        + " ".join(["benchmarks/" + Path(sys.argv[0]).name, *(Path(a).name for a in sys.argv[1:])]),
        "machine": machine(),
        "features": processor_features(),
        "versions": versions(("keras", "tensorflow-cpu", "tensorflow", "onnxruntime", "numpy")),
    }
    files.write_json(FOLDER / f"{name}.json", about | figures)
    print(f"wrote {(FOLDER / name).name}.json")


def read(name: str) -> dict[str, Any]:
    """The figures of ``results/NAME.json``; empty if it has not been measured."""
    path = FOLDER / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


@cache
def commit() -> str:
    """The commit of the tree as it was when this was first asked; it ends in -dirty if files had been changed since."""
    words = ["git", "--no-optional-locks", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(words, cwd=FOLDER, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # not a clone, or no git
        return "unknown"


def plain(value: Recipe | Execution) -> dict[str, Any]:
    """A recipe or an execution as plain JSON values; tuples become lists."""
    return dict(json.loads(json.dumps(asdict(value))))
