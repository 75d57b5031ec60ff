"""Measure the shipped models under the fifteen corruptions of MNIST-C, and over rotation, shift, scale and stroke.

On MNIST's test images, so `results/test-openings.json` records it; nothing is chosen by the result. Each figure is also
what `digitscope evaluate MODEL --suite corruptions` or `--suite geometry` prints. `reader-digit` is left out: it has
seen other digits than MNIST's, and has no figure on these images.

Usage: python benchmarks/corruptions.py [MODEL ...]   (the models that are measured anew; left out, all)
"""

from __future__ import annotations

import sys
from typing import Any

import openings
import results

from digitscope.cli.terminal import progress_bar
from digitscope.formatting import percent
from digitscope.models.model import load, shipped
from digitscope.models.robustness import corruption_scores, geometry_scores

MODELS = [name for name in shipped() if name != "reader-digit"]


def measured(name: str) -> dict[str, Any]:
    """Both suites' scores of a shipped model."""
    model = load(name)
    with progress_bar() as progress:
        corruptions, geometry = corruption_scores(model, progress=progress), geometry_scores(model, progress=progress)
    openings.add(f"{name} under corruptions", corruptions.seed, corruptions.mean)
    openings.add(f"{name} over geometry, clean", corruptions.seed, geometry.clean)
    print(f"{name}: {percent(corruptions.mean)} of corrupted images, {percent(corruptions.clean)} of clean ones")
    return {"corruptions": corruptions.to_dict(), "geometry": geometry.to_dict()}


def main() -> None:
    names = sys.argv[1:] or MODELS
    if not set(names) <= set(MODELS):
        raise SystemExit(f"no shipped model {', '.join(sorted(set(names) - set(MODELS)))}; there are {MODELS}")
    known = results.read("corruptions").get("models", {})
    for name in names:
        known[name] = measured(name)
        results.write("corruptions", {"models": {model: known[model] for model in MODELS if model in known}})


if __name__ == "__main__":
    main()
