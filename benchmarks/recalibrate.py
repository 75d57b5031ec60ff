"""Bring a shipped network to the temperature of its recipe, without training it again.

Its last layer is rescaled from the temperature in its card to that of the recipe: the digits that it answers stay the
same, and how sure it is of them changes. Then it is measured, the opening recorded, and its card written; its detector
has to be fitted anew (`fit_known.py --ship`). The figures of other seeds stay as they are, each with its temperature.

Usage: python benchmarks/recalibrate.py RECIPE
"""

from __future__ import annotations

import json
import sys

import cards
import numpy as np
import onnx
import openings
import results
from onnx import numpy_helper

from digitscope import files
from digitscope.models.model import load
from digitscope.training.recipes import RECIPES

DIGITS = 10


def main() -> None:
    """Rescale, measure, record."""
    if len(sys.argv) != 2 or sys.argv[1] not in RECIPES:
        raise SystemExit(__doc__)
    name, recipe = sys.argv[1], RECIPES[sys.argv[1]]
    path = cards.SHIPPED / "models" / f"{name}.onnx"
    card, figures = json.loads(cards.card_path(path).read_text(encoding="utf-8")), results.read(name)
    before = card["recipe"]["temperature"]
    if before == recipe.temperature:
        raise SystemExit(f"{name} has the temperature {before} already")
    rescale(path, before / recipe.temperature)
    found = load(str(path)).evaluate()
    openings.add(name, 0, found.accuracy, recipe)
    for run in figures["runs"]:
        run.setdefault("temperature", before)
    figures["runs"][0] |= {"loss": found.loss, "ece": found.ece, "temperature": recipe.temperature}
    figures["recipe"] = results.plain(recipe)
    results.write(name, figures)
    history = f"Trained with a temperature of {before}; the last layer was rescaled to {recipe.temperature} afterwards."
    cards.write(path, cards.classifier(name, figures) | {"commit": card["commit"], "history": history})


def rescale(path: cards.Path, factor: float) -> None:
    """Multiply the weights and biases of a network's last layer."""
    network = onnx.load(path)
    last = [part for part in network.graph.initializer if part.dims and part.dims[-1] == DIGITS][:2]
    if sorted(len(part.dims) for part in last) != [1, 2]:
        raise SystemExit(f"{path} has no last layer with weights and biases for ten digits")
    for part in last:
        part.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(part) * np.float32(factor), part.name))
    files.write_bytes(path, network.SerializeToString())


if __name__ == "__main__":
    main()
