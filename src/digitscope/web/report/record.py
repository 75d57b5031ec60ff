"""What a report is made from: a run folder, its data, and one test digit on its way through the network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from digitscope.arraytypes import Doubles, Floats, Levels
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.errors import ConfigError, DataError
from digitscope.models.course import Course
from digitscope.models.evaluation import Evaluation
from digitscope.models.lens import Lens, look
from digitscope.models.model import Model, load
from digitscope.models.run_folder import pick_values, read_history, read_json
from digitscope.training.recipes import RECIPES, Recipe
from digitscope.training.schedule import learning_rates

_CONFIG = {
    "recipe": ("recipe", dict), "seed": ("seed", int), "data": ("data", str),
    "execution": ("execution", dict), "versions": ("versions", dict),
}  # fmt: skip
_METRICS = {"fit_seconds": ("fit_seconds", float), "train_n": ("train_n", int), "parameters": ("parameters", int)}
"""What a report takes from the two files, see ``models.run_folder.pick_values``."""

BUILD = ("filters", "convolutions", "kernel", "pooling", "last_filters", "dense")
"""The settings of a recipe that describe the network itself."""


@dataclass(frozen=True, eq=False)
class Record:
    """A finished run, read from its folder.

    Attributes:
        folder: where it lies.
        config: ``config.json``.
        metrics: ``metrics.json``.
        history: a row of ``history.csv`` per epoch.
        evaluation: ``evaluation.json``.
        model: the trained network.
        data: what it was trained and tested on.
        answers: the network's probabilities for the test images, float32 (n, 10) 0..1; None until they are needed.
    """

    folder: Path
    config: dict[str, Any]
    metrics: dict[str, Any]
    history: list[dict[str, float]]
    evaluation: Evaluation
    model: Model
    data: Dataset
    answers: Floats | None = None

    @classmethod
    def read(
        cls,
        folder: Path,
        data: Dataset | None = None,
        model: Model | None = None,
        probabilities: Floats | None = None,
    ) -> Record:
        """The run in ``folder``; what is loaded or computed already can be passed in.

        Args:
            folder: of the run.
            data: what it was trained and tested on.
            model: the trained network.
            probabilities: its answers to the test images, float32 (n, 10) 0..1.

        Raises:
            DataError: a file of the run is missing or damaged, or its dataset is.
            ModelError: its model is missing or damaged.
            ConfigError: its dataset no longer exists, or ``probabilities`` are not those of its test images.
        """
        config = {"execution": {}, "versions": {}} | read_json(folder / "config.json")
        metrics = read_json(folder / "metrics.json")
        pick_values(folder / "config.json", config, _CONFIG)
        pick_values(folder / "metrics.json", metrics, _METRICS)
        evaluation = Evaluation.from_dict(read_json(folder / "evaluation.json"))
        history = read_history(folder, ("epoch", "loss", "accuracy", "learning_rate", "seconds"))
        data = load_dataset(config["data"]) if data is None else data
        model = load(folder) if model is None else model
        record = cls(folder, config, metrics, history, evaluation, model, data, probabilities)
        record._check_sizes()
        return record

    def _check_sizes(self) -> None:
        """Refuse files that belong to different runs or data."""
        tested, trained = len(self.data.y_test), len(self.data.y_train)
        if tested != self.evaluation.n:
            raise DataError(
                f"{self.folder} was tested on {self.evaluation.n:,} images, {self.data.name} now has {tested:,}"
            )
        if trained != self.metrics["train_n"]:
            raise DataError(
                f"{self.folder} was trained on {self.metrics['train_n']:,} images, {self.data.name} now has {trained:,}"
            )
        if len(self.history) != self.recipe.epochs:
            raise DataError(
                f"{self.folder} has {len(self.history)} epochs in history.csv, not {self.recipe.epochs}; train it again"
            )
        if self.answers is not None and self.answers.shape != (tested, 10):
            raise ConfigError(f"probabilities have shape {self.answers.shape}; expected ({tested}, 10)")

    @cached_property
    def recipe(self) -> Recipe:
        """What the run was trained with, its own settings included."""
        return Recipe.from_dict({"name": "own"} | self.config["recipe"])

    @property
    def changes(self) -> str:
        """What sets the run apart from its recipe: ``, with epochs=1``; empty for an old run, which does not say."""
        settings = self.config.get("settings")
        return f", with {', '.join(map(str, settings))}" if settings and isinstance(settings, list) else ""

    @property
    def classic_network(self) -> bool:
        """Whether the network is built like that of ``classic``, which the shipped comparisons trained."""
        return all(getattr(self.recipe, part) == getattr(RECIPES["classic"], part) for part in BUILD)

    @cached_property
    def on_mnist(self) -> bool:
        """Whether it was tested on MNIST's own test images."""
        return self.data.is_mnist

    @property
    def data_name(self) -> str:
        """What to call the data."""
        return "MNIST" if self.on_mnist else self.data.name

    @cached_property
    def probabilities(self) -> Floats:
        """The network's answers to all test images, float32 (n, 10) 0..1."""
        return self.model.predict(self.data.x_test) if self.answers is None else self.answers

    @cached_property
    def index(self) -> int:
        """The test image that the report follows: the first that is read correctly."""
        return int((self.probabilities.argmax(axis=1) == self.data.y_test).argmax())

    @property
    def image(self) -> Levels:
        """That image, uint8 (28, 28) 0..255."""
        return np.asarray(self.data.x_test[self.index])

    @property
    def label(self) -> int:
        """The label of that image."""
        return int(self.data.y_test[self.index])

    @cached_property
    def lens(self) -> Lens:
        """That image on its way through the network."""
        return look(self.model, self.image)

    @property
    def looks(self) -> int:
        """How many digits were shown in training, those shown to teachers included."""
        return int(self.metrics["train_n"]) * self.recipe.all_epochs

    @property
    def steps_per_epoch(self) -> int:
        """Steps of the optimizer in one pass over the training images."""
        return -(-int(self.metrics["train_n"]) // self.recipe.batch_size)

    @cached_property
    def learning_rates(self) -> Doubles:
        """The learning rate at every step, float64 (steps,)."""
        return learning_rates(self.recipe, self.steps_per_epoch * self.recipe.epochs)

    @cached_property
    def course(self) -> Course | None:
        """How the training went, step by step; None if the run did not record it."""
        return Course.read(self.folder)

    @property
    def losses(self) -> Floats | None:
        """The mean loss over the batch of each step, float32 (steps,); None if the run did not record it."""
        return None if self.course is None else self.course.losses

    @property
    def settings(self) -> list[tuple[str, str]]:
        """All that decided this run: its recipe, seed, data, execution and versions, each by name."""
        recipe = {key: value for key, value in self.config["recipe"].items() if key != "name"}
        found = {"recipe": self.recipe.name, **recipe, "seed": self.config["seed"], "data": self.config["data"]}
        found["SHA-256 of the data"] = self.config.get("data_sha256", "")
        for part in ("execution", "versions"):
            found |= {f"{part}: {key}": value for key, value in self.config[part].items()}
        if "machine" in self.config:
            found["machine"] = self.config["machine"]
        return [(key, _listed(value)) for key, value in found.items()]


def _listed(value: Any) -> str:
    """A setting as text."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
