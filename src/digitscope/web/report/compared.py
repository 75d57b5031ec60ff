"""Facts from the comparisons that ship with Digitscope; one that is missing is left out. Trains nothing.

A sentence claims a difference only where every training of one side beats every training of the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from digitscope.errors import DataError

NAMES: Mapping[str, Mapping[str, str]] = {
    "scaling": {"0..1": "pixels 0…1", "0..255": "pixels 0…255"},
    "networks": {"cnn": "with convolutions", "dense": "dense"},
    "shuffled_pixels": {"cnn": "with convolutions", "dense": "dense"},
    "activation": {"relu": "ReLU", "sigmoid": "sigmoid"},
    "pooling": {"max": "maximum", "average": "average", "none": "no pooling"},
}
"""The comparisons of a few named networks: what the file calls them, and what the report calls them."""

CURVES = {"cnn": "convolutions", "dense": "dense", "robust": "recipe robust"}
"""The networks that are shown reading moved digits: what the file calls them, and what the report calls them."""


@dataclass(frozen=True)
class Network:
    """A network that was trained several times from different seeds.

    Attributes:
        name: what the report calls it.
        accuracies: of its trainings, each 0..1.
        parameters: its learned numbers; None where they are not counted.
        size: what was varied: filters of its first convolution, or training digits; 0 for others.
    """

    name: str
    accuracies: tuple[float, ...]
    parameters: int | None = None
    size: int = 0

    @property
    def mean(self) -> float:
        """Mean accuracy 0..1."""
        return float(np.mean(self.accuracies))

    @property
    def low(self) -> float:
        """The lowest accuracy."""
        return min(self.accuracies)

    @property
    def high(self) -> float:
        """The highest accuracy."""
        return max(self.accuracies)

    @property
    def several(self) -> bool:
        """Whether it was trained more than once."""
        return len(self.accuracies) > 1

    def overlaps(self, other: Network) -> bool:
        """Whether the ranges of the accuracies touch."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Source:
    """Where the comparisons come from: how they were made, on which machine, from how many seeds and test digits."""

    command: str
    machine: str
    n: int
    seeds: int
    epochs: int


@dataclass(frozen=True, eq=False)
class Curve:
    """Accuracies of several networks on test digits that are moved by some steps."""

    steps: tuple[int, ...]
    accuracies: Mapping[str, Sequence[float]]


@dataclass(frozen=True, eq=False)
class Compared:
    """All comparisons; each is empty where it was not made.

    Attributes:
        source: None where there are no comparisons at all.
        scaling: networks by the key that the file gives them, as are the next four.
        networks: with convolutions and without.
        shuffled_pixels: the same on shuffled pixels.
        activation: ReLU and sigmoid.
        pooling: maximum, average, none.
        filters: from few to many.
        training_images: trained on few to all digits.
        shift: accuracy on digits that are shifted by pixels.
        turn: and turned by degrees.
    """

    source: Source | None
    scaling: Mapping[str, Network]
    networks: Mapping[str, Network]
    shuffled_pixels: Mapping[str, Network]
    activation: Mapping[str, Network]
    pooling: Mapping[str, Network]
    filters: tuple[Network, ...]
    training_images: tuple[Network, ...]
    shift: Curve | None
    turn: Curve | None


def shipped() -> Mapping[str, Any]:
    """The comparisons that come with the package, or nothing where they have not been made."""
    file = resources.files("digitscope") / "shipped" / "results" / "comparisons.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def facts(comparisons: Mapping[str, Any]) -> Compared:
    """The comparisons, read and checked.

    Args:
        comparisons: what ``make comparisons`` writes; empty for none.

    Raises:
        DataError: a comparison that is there cannot be understood.
    """
    try:
        return Compared(
            source=_source(comparisons) if comparisons else None,
            **{key: _named(comparisons.get(key) or {}, names) for key, names in NAMES.items()},
            filters=tuple(
                _network(" and ".join(map(str, entry["filters"])), entry, int(entry["filters"][0]))
                for entry in comparisons.get("filters") or ()
            ),
            training_images=tuple(
                _network(f"{entry['n']:,}", {"accuracy": entry["accuracy"]}, int(entry["n"]))
                for entry in comparisons.get("training_images") or ()
            ),
            shift=_curve(comparisons.get("shift"), "pixels"),
            turn=_curve(comparisons.get("turn"), "degrees"),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise DataError(
            f"the comparisons cannot be read ({type(error).__name__}: {error}); make them again with: make comparisons"
        ) from error


def verdict(first: str, a: Network, second: str, b: Network) -> str:
    """What the trainings of two networks allow to say.

    Args:
        first: what to call network ``a``.
        a: a network.
        second: what to call network ``b``.
        b: another.

    >>> verdict("max", Network("", (0.99, 0.991)), "average", Network("", (0.98, 0.981)))
    'Max is ahead of average by 1.00 points, and its worst training beats the best of the other.'
    >>> verdict("max", Network("", (0.99, 0.98)), "average", Network("", (0.985, 0.984)))
    'Max and average differ by 0.05 points, and their trainings overlap: this test does not say which is better.'
    """
    gap = f"{100 * abs(a.mean - b.mean):.2f} points"
    if a.overlaps(b):
        return (
            f"{first[0].upper()}{first[1:]} and {second} differ by {gap}, and their trainings overlap: "
            "this test does not say which is better."
        )
    better, worse = (first, second) if a.low > b.high else (second, first)
    proof = ", and its worst training beats the best of the other"
    if not (a.several or b.several):
        proof = " (one training each: a hint, no proof)"
    return f"{better[0].upper()}{better[1:]} is ahead of {worse} by {gap}{proof}."


def _source(comparisons: Mapping[str, Any]) -> Source:
    return Source(
        command=str(comparisons["command"]),
        machine=str(comparisons["machine"]),
        n=int(comparisons["n"]),
        seeds=len(comparisons["seeds"]),
        epochs=int(comparisons["epochs"]),
    )


def _named(section: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Network]:
    """The networks of a section, of those in ``names``; the first two must not be missing."""
    needed = list(names)[:2] if section else []
    return {key: _network(name, section[key]) for key, name in names.items() if key in section or key in needed}


def _network(name: str, entry: Mapping[str, Any], size: int = 0) -> Network:
    """One network of a section."""
    accuracies = tuple(float(accuracy) for accuracy in entry["accuracy"])
    if not accuracies:
        raise ValueError(f"{name} has no training")
    return Network(name, accuracies, int(entry["parameters"]) if "parameters" in entry else None, size)


def _curve(section: Mapping[str, Any] | None, steps: str) -> Curve | None:
    """The accuracies on moved digits."""
    if not section:
        return None
    return Curve(tuple(section[steps]), {name: section[key] for key, name in CURVES.items() if key in section})
