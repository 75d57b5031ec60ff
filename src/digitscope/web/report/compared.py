"""What the shipped comparisons say, in tables and sentences. Trains nothing; a comparison that is missing is left out.

A sentence claims a difference only where every training of one side beats every training of the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from digitscope.errors import DataError
from digitscope.web.report.html import count, join, number, percent, table

Accuracies = Sequence[float]


def shipped() -> Mapping[str, Any]:
    """The comparisons that come with the package, or nothing where they have not been made."""
    file = resources.files("digitscope") / "shipped" / "results" / "comparisons.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def facts(comparisons: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the chapters say about comparisons.

    Raises:
        DataError: a comparison that is there cannot be understood.
    """
    told: dict[str, Any] = {"cmp_any": bool(comparisons)}
    if not comparisons:
        return told
    try:
        told |= _provenance(comparisons)
        for name, tell in _SECTIONS.items():
            if comparisons.get(name):
                told |= {f"cmp_{name}": True} | tell(comparisons[name], comparisons)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(
            f"the comparisons cannot be understood ({type(error).__name__}: {error}); "
            "make them again with: make comparisons"
        ) from error
    told["cmp_shift"] = "shift" in comparisons and "turn" in comparisons
    return told


def spread(accuracies: Accuracies) -> str:
    """Mean and range: ``98.97 % (98.91 to 99.02)``."""
    text = percent(float(np.mean(accuracies)))
    if len(accuracies) == 1:
        return text
    return f"{text} ({100 * min(accuracies):.2f} to {100 * max(accuracies):.2f})"


def verdict(first: str, a: Accuracies, second: str, b: Accuracies) -> str:
    """What two lists of accuracies allow to say.

    >>> verdict("Max", [0.99, 0.991], "average", [0.98, 0.981])
    'Max is ahead of average by 1.00 points, and its worst training beats the best of the other.'
    >>> verdict("Max", [0.99, 0.98], "average", [0.985, 0.984])
    'Max and average differ by 0.05 points, and their trainings overlap: this test does not say which is better.'
    """
    gap = 100 * abs(float(np.mean(a)) - float(np.mean(b)))
    if min(a) > max(b) or min(b) > max(a):
        better, worse = (first, second) if min(a) > max(b) else (second, first)
        alone = " (one training each: a hint, no proof)" if len(a) == len(b) == 1 else ""
        sure = alone or ", and its worst training beats the best of the other"
        return f"{better[0].upper()}{better[1:]} is ahead of {worse} by {gap:.2f} points{sure}."
    names = f"{first[0].upper()}{first[1:]} and {second}"
    return f"{names} differ by {gap:.2f} points, and their trainings overlap: this test does not say which is better."


def _provenance(comparisons: Mapping[str, Any]) -> dict[str, Any]:
    seeds, epochs = len(comparisons["seeds"]), int(comparisons["epochs"])
    trainings = "one training each" if seeds == 1 else f"{seeds} trainings each, from different seeds"
    return {
        "cmp_command": comparisons["command"],
        "cmp_machine": comparisons["machine"],
        "cmp_n": count(comparisons["n"]),
        "cmp_seeds": "one training" if seeds == 1 else f"{seeds} trainings",
        "cmp_training": f"{trainings}, as long as {epochs} epoch{'s' if epochs > 1 else ''} of all digits",
    }


def _caption(comparisons: Mapping[str, Any], what: str) -> str:
    told = _provenance(comparisons)
    span = ": mean, and lowest to highest" if len(comparisons["seeds"]) > 1 else ""
    return f"{what}: accuracy on MNIST’s {told['cmp_n']} test digits ({told['cmp_training']}){span}."


def _compare(
    name: str, what: str, words: Mapping[str, str], judge: Callable[[Mapping[str, Accuracies]], object]
) -> Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]:
    """A section that holds a few named variants: its table, and what ``judge`` says of their accuracies."""

    def tell(section: Mapping[str, Any], comparisons: Mapping[str, Any]) -> dict[str, Any]:
        present = [variant for variant in words if variant in section]
        counted = all("parameters" in section[variant] for variant in present)
        rows = [
            [words[variant], spread(section[variant]["accuracy"])]
            + ([count(section[variant]["parameters"])] if counted else [])
            for variant in present
        ]
        head = ["", "accuracy", *(["parameters"] if counted else [])]
        accuracies = {variant: section[variant]["accuracy"] for variant in present}
        return {
            f"cmp_{name}_table": table(_caption(comparisons, what), head, rows),
            f"cmp_{name}_verdict": judge(accuracies),
        }

    return tell


def _tell_shuffled(section: Mapping[str, Any], comparisons: Mapping[str, Any]) -> dict[str, Any]:
    names = {"cnn": "with convolutions", "dense": "dense"}
    before = comparisons.get("networks", {})
    rows = []
    sentences = []
    for kind, name in names.items():
        shuffled = section[kind]["accuracy"]
        plain = before.get(kind, {}).get("accuracy")
        rows.append([name, spread(plain) if plain else "", spread(shuffled)])
        if plain:
            lost = 100 * (float(np.mean(plain)) - float(np.mean(shuffled)))
            overlap = min(plain) <= max(shuffled) and min(shuffled) <= max(plain)
            change = "stays the same within its scatter" if overlap else (
                f"loses {lost:.2f} points" if lost > 0 else f"gains {-lost:.2f} points"
            )  # fmt: skip
            sentences.append(f"The network {name} {change}." if kind == "cnn" else f"The {name} network {change}.")
    head = ["network", "pixels in place", "pixels shuffled"]
    return {
        "cmp_shuffled_table": table(_caption(comparisons, "Shuffled pixels"), head, rows),
        "cmp_shuffled_verdict": " ".join(sentences),
        "cmp_shuffled": True,
    }


def _tell_filters(section: Sequence[Mapping[str, Any]], comparisons: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [" and ".join(map(str, entry["filters"])), spread(entry["accuracy"]), count(entry["parameters"])]
        for entry in section
    ]
    means = [100 * float(np.mean(entry["accuracy"])) for entry in section]
    words = (
        f"From {rows[0][0]} to {rows[1][0]} filters the mean changes by {number(means[1] - means[0], 2)} points, from "
        f"{rows[-2][0]} to {rows[-1][0]} by {number(means[-1] - means[-2], 2)}, while the parameters grow "
        f"{section[-1]['parameters'] / section[-2]['parameters']:.1f}-fold."
    ) if len(rows) > 2 else ""  # fmt: skip
    caption = _caption(comparisons, "Filters of the two convolutions")
    return {
        "cmp_filters_table": table(caption, ["filters", "accuracy", "parameters"], rows),
        "cmp_filters_verdict": words,
    }


def _tell_training_images(section: Sequence[Mapping[str, Any]], comparisons: Mapping[str, Any]) -> dict[str, Any]:
    rows = [[count(entry["n"]), spread(entry["accuracy"])] for entry in section]
    wrong = [1 - float(np.mean(entry["accuracy"])) for entry in section]
    words = (
        f"With {rows[0][0]} digits {percent(wrong[0])} are misread, with {rows[-1][0]} only {percent(wrong[-1])}: "
        f"{section[-1]['n'] / section[0]['n']:.0f} times the digits, {wrong[0] / wrong[-1]:.1f} times fewer mistakes."
    ) if len(rows) > 1 and wrong[-1] > 0 else ""  # fmt: skip
    caption = _caption(comparisons, "Training digits")
    return {
        "cmp_training_images_table": table(caption, ["training digits", "accuracy"], rows),
        "cmp_training_images_verdict": words,
    }


def _judge_pooling(found: Mapping[str, Accuracies]) -> object:
    sentences = [verdict("maximum", found["max"], "average", found["average"])]
    if "none" in found:
        sentences.append(verdict("pooling by the maximum", found["max"], "no pooling at all", found["none"]))
    return join(sentences, " ")


def _judge_networks(found: Mapping[str, Accuracies]) -> object:
    cnn, dense = 1 - float(np.mean(found["cnn"])), 1 - float(np.mean(found["dense"]))
    first = verdict("the network with convolutions", found["cnn"], "the dense one", found["dense"])
    return f"{first} In mistakes: {percent(cnn)} against {percent(dense)}."


_SECTIONS: dict[str, Callable[[Any, Mapping[str, Any]], dict[str, Any]]] = {
    "scaling": _compare(
        "scaling", "Scaling", {"0..1": "pixels 0…1", "0..255": "pixels 0…255"},
        lambda found: verdict("scaling to 0…1", found["0..1"], "leaving 0…255", found["0..255"]),
    ),
    "networks": _compare("networks", "Networks", {"cnn": "with convolutions", "dense": "dense"}, _judge_networks),
    "shuffled_pixels": _tell_shuffled,
    "activation": _compare(
        "activation", "Activation", {"relu": "ReLU", "sigmoid": "sigmoid"},
        lambda found: verdict("ReLU", found["relu"], "the sigmoid", found["sigmoid"]),
    ),
    "pooling": _compare(
        "pooling", "Pooling", {"max": "maximum", "average": "average", "none": "no pooling"}, _judge_pooling
    ),
    "filters": _tell_filters,
    "training_images": _tell_training_images,
}  # fmt: skip
"""How each section of the comparisons is told; the figures of ``shift`` and ``turn`` need no words."""
