"""What the files say about a model: the facts of its card, nothing measured anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitscope.datasets.dataset import short_name
from digitscope.datasets.load import load_dataset
from digitscope.errors import printable
from digitscope.models.evaluation import Evaluation
from digitscope.models.model import Model

MNIST = "ylecun/mnist"
"""The name that hubs use for MNIST."""

MNIST_LICENCE = "MNIST, by Yann LeCun, Corinna Cortes and Christopher J. C. Burges: CC BY-SA 3.0"

UNSEEN = "UNIPEN's validation writers"


@dataclass(frozen=True)
class Result:
    """A measured share of right answers.

    Attributes:
        data: the name of what was read.
        kind: the same by the name that hubs use, as far as they have one.
        split: the part of it, e.g. ``test``.
        accuracy: share 0..1 of the images that were read right.
        n: number of images.
    """

    data: str
    kind: str
    split: str
    accuracy: float
    n: int


@dataclass(frozen=True)
class Facts:
    """What the files say about a model; what they do not hold is None or empty.

    Attributes:
        name: the name of the recipe, and of a shipped model.
        config: ``config.json``, or the card of a shipped model.
        metrics: ``metrics.json``, or that part of the card.
        evaluation: ``evaluation.json``.
        licence: by the name that hubs use.
        data: the dataset's name, without its folders, which may hold a person's name.
        is_mnist: whether the data are MNIST's, byte for byte, whatever they are called.
        saw_mnist: whether MNIST's images are among the data.
        source: what the examples load: the name of a model file, or of a shipped model.
    """

    name: str
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    evaluation: Evaluation | None
    licence: str | None
    data: str | None
    is_mnist: bool
    saw_mnist: bool
    source: str

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The settings it was trained with."""
        return dict(self.config.get("recipe", {}))

    @property
    def accuracy(self) -> Result | None:
        """What was measured on the test images."""
        kind = MNIST if self.is_mnist else (self.data or "unnamed").lower()
        data = self.data or "unnamed"
        if self.evaluation is not None:
            return Result(data, kind, "test", float(self.evaluation.accuracy), int(self.evaluation.n))
        if {"test_accuracy", "n"} <= set(self.metrics):
            return Result(data, kind, "test", float(self.metrics["test_accuracy"]), int(self.metrics["n"]))
        return None

    @property
    def unseen_writers(self) -> Result | None:
        """What was measured on digits by writers of recorded pens, none of whom any training saw."""
        if {"unseen_writers_right", "n"} <= set(self.metrics):
            right, n = float(self.metrics["unseen_writers_right"]), int(self.metrics["n"])
            return Result(UNSEEN, "unipen", "validation", right, n)
        return None

    @property
    def warnings(self) -> list[str]:
        """What is odd about the data, one sentence each, without the data's folders."""
        listed = [str(warning) for warning in self.config.get("data_warnings", [])]
        for name in str(self.config.get("data", "")).split("+"):
            path = Path(name).expanduser()
            listed = [warning.replace(str(path), path.name) if path.name else warning for warning in listed]
        return listed


def facts_of(model: Model, file: str | None, licence: str | None) -> Facts:
    """The facts about a model, from its card and, for a run, from ``evaluation.json``."""
    config = model.card.get("config", model.card)
    path = Path(model.name).expanduser() / "evaluation.json"
    is_run = config is not model.card
    evaluation = Evaluation.from_dict(json.loads(path.read_text("utf-8"))) if is_run and path.is_file() else None
    is_mnist = config.get("data_sha256") == load_dataset("mnist").sha256()
    data = "MNIST" if is_mnist else one_line(short_name(str(config["data"]))) if "data" in config else None
    saw_mnist = is_mnist or (not is_run and str(data).startswith("MNIST"))
    given = licence or (config["licence"].lower() if "licence" in config else None)
    name = one_line(config.get("recipe", {}).get("name", "own"))
    source = file or ("model.onnx" if is_run else model.name)
    return Facts(name, config, model.card.get("metrics", {}), evaluation, given, data, is_mnist, saw_mnist, source)


def one_line(value: Any, most: int = 200) -> str:
    """A value as one line of text."""
    word = str(value).lower() if value is None or isinstance(value, bool) else str(value)
    text = ", ".join(map(str, value)) if isinstance(value, list) else word
    return printable(text)[:most]
