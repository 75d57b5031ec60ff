"""What the story is told from: a run folder, its data, and one of its test digits on its way through the network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.errors import DataError
from digitscope.models.lens import Lens, look
from digitscope.models.metrics import Evaluation
from digitscope.models.model import Model, load
from digitscope.models.run_folder import facts_of, history_of, read_record
from digitscope.training.recipes import Recipe, recipe_of

_CONFIG = {
    "recipe": ("recipe", dict), "seed": ("seed", int), "data": ("data", str),
    "execution": ("execution", dict), "versions": ("versions", dict),
}  # fmt: skip
_METRICS = {"fit_seconds": ("fit_seconds", float), "train_n": ("train_n", int), "parameters": ("parameters", int)}
"""What the story takes from the two files, see ``models.run_folder.facts_of``."""


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
    """

    folder: Path
    config: dict[str, Any]
    metrics: dict[str, Any]
    history: list[dict[str, float]]
    evaluation: Evaluation
    model: Model
    data: Dataset

    @classmethod
    def read(cls, folder: Path, data: Dataset | None = None) -> Record:
        """The run in ``folder``.

        Args:
            folder: of the run.
            data: what it was trained on, if that is loaded already.

        Raises:
            DataError: a file of the run is missing or damaged, or its dataset is.
            ModelError: its model is missing or damaged.
            ConfigError: its dataset is not there any more.
        """
        config, metrics = read_record(folder / "config.json"), read_record(folder / "metrics.json")
        facts_of(folder / "config.json", {"execution": {}, "versions": {}} | config, _CONFIG)
        facts_of(folder / "metrics.json", metrics, _METRICS)
        evaluation = Evaluation.from_dict(read_record(folder / "evaluation.json"))
        history = history_of(folder, ("epoch", "loss", "accuracy", "learning_rate", "seconds"))
        data = load_dataset(config["data"]) if data is None else data
        if len(data.y_test) != evaluation.n:
            raise DataError(f"{folder} was tested on {evaluation.n:,} images, {data.name} now has {len(data.y_test):,}")
        if len(data.y_train) != metrics["train_n"]:
            raise DataError(
                f"{folder} was trained on {metrics['train_n']:,} images, {data.name} now has {len(data.y_train):,}"
            )
        record = cls(folder, config, metrics, history, evaluation, load(folder), data)
        if len(history) != record.recipe.epochs:
            raise DataError(
                f"{folder} has {len(history)} epochs in history.csv, not {record.recipe.epochs}; train it again"
            )
        return record

    @cached_property
    def recipe(self) -> Recipe:
        """What the run was trained with; for a recipe of one's own, its values under its own name."""
        settings = {key: value for key, value in self.config["recipe"].items() if key != "name"}
        return recipe_of(Recipe(str(self.config["recipe"].get("name", "own"))), settings)

    @cached_property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """The network's answers to all test images, float32 (n, 10) 0..1."""
        return self.model.predict(self.data.x_test)

    @cached_property
    def index(self) -> int:
        """The test image whose way is told: the first that is read correctly."""
        return int((self.probabilities.argmax(axis=1) == self.data.y_test).argmax())

    @property
    def image(self) -> npt.NDArray[np.uint8]:
        """That image, uint8 (28, 28) 0..255."""
        return np.asarray(self.data.x_test[self.index])

    @property
    def label(self) -> int:
        """What that image is said to show."""
        return int(self.data.y_test[self.index])

    @cached_property
    def lens(self) -> Lens:
        """That image on its way through the network."""
        return look(self.model, self.image)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of the optimizer in one pass over the training images."""
        return -(-int(self.metrics["train_n"]) // self.recipe.batch_size)

    @cached_property
    def learning_rates(self) -> npt.NDArray[np.float64]:
        """The learning rate at every step, float64 (steps,), as ``training.fit.OneCycle`` plans it."""
        recipe, steps = self.recipe, self.steps_per_epoch * self.recipe.epochs
        if recipe.schedule == "constant":
            return np.full(steps, recipe.learning_rate)
        done = np.arange(1, steps + 1) / steps
        fall = np.clip((done - recipe.warmup) / max(1 - recipe.warmup, 1e-9), 0, 1)
        falling = 0.01 + 0.99 * (1 + np.cos(np.pi * fall)) / 2
        return np.asarray(recipe.learning_rate * np.minimum(done / max(recipe.warmup, 1e-9), falling))
