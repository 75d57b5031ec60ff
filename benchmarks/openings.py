"""The record of every time that a program in benchmarks measured networks on MNIST's test split.

``results/test-openings.json`` is a list, oldest first. What was opened before 2026-11-27 was put together from the git
history; since then every program that measures on the test split adds its networks itself. ``followed`` says what was
decided with the result known: whoever changes something after seeing one writes it there.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import results

from digitscope import files
from digitscope.training.recipes import Recipe

PATH = results.FOLDER / "test-openings.json"

NOTHING = "nothing: the figures are kept, whatever they are"

COMMIT = results.commit()
"""Asked when the program starts, because the tree may change while it trains."""


def listed() -> list[dict[str, Any]]:
    """Every opening, oldest first."""
    return list(json.loads(PATH.read_text(encoding="utf-8")))


def add(what: str, seed: int, result: float, recipe: Recipe | None = None, followed: str = NOTHING) -> None:
    """Add a network that was measured to the record; it joins the last opening if that is of the same kind and day.

    Args:
        what: the kind of network: a recipe, with its backend if that is not TensorFlow; or another one in words.
        seed: of the network.
        result: its accuracy 0..1, or the share 0..1 that ``what`` names.
        recipe: with which it was trained.
        followed: what was decided with the result known.
    """
    opening = {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": COMMIT,
        "program": f"benchmarks/{Path(sys.argv[0]).name}",
        "what": what,
        "settings": {key: value for key, value in results.plain(recipe).items() if key != "name"} if recipe else {},
    }
    record = listed()
    last = next((one for one in reversed(record) if one["what"] == what), {})
    if opening.items() <= last.items():
        last["seeds"].append(seed)
        last["results"].append(result)
    else:
        source = "written by the program"
        record.append(opening | {"seeds": [seed], "results": [result], "followed": followed, "source": source})
    files.write_json(PATH, record)


def times(what: str) -> int:
    """How often a kind of network was measured, counted in openings."""
    return sum(one["what"] == what for one in listed())
