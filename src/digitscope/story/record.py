"""What the story is told from: a run folder, its data, and one of its test digits on its way through the network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope.datasets import Dataset, load_dataset
from digitscope.errors import DataError
from digitscope.evaluate import Evaluation
from digitscope.lens import Lens, look
from digitscope.models import Model, load
from digitscope.recipes import Recipe, recipe_of
from digitscope.runs import history_of


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
        config, metrics = _json(folder / "config.json"), _json(folder / "metrics.json")
        _check(config, {"recipe": dict, "seed": int, "data": str}, folder / "config.json")
        _check(metrics, {"fit_seconds": (int, float), "train_n": int, "parameters": int}, folder / "metrics.json")
        evaluation = Evaluation.from_dict(_json(folder / "evaluation.json"))
        history = history_of(folder, ("epoch", "loss", "accuracy", "learning_rate", "seconds"))
        data = load_dataset(config["data"]) if data is None else data
        if len(data.y_test) != evaluation.n:
            raise DataError(f"{folder} was tested on {evaluation.n:,} images, {data.name} now has {len(data.y_test):,}")
        return cls(folder, config, metrics, history, evaluation, load(folder), data)

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
        """The learning rate at every step, float64 (steps,), as :class:`digitscope.fitting.OneCycle` plans it."""
        recipe, steps = self.recipe, self.steps_per_epoch * self.recipe.epochs
        if recipe.schedule == "constant":
            return np.full(steps, recipe.learning_rate)
        done = np.arange(1, steps + 1) / steps
        fall = np.clip((done - recipe.warmup) / max(1 - recipe.warmup, 1e-9), 0, 1)
        falling = 0.01 + 0.99 * (1 + np.cos(np.pi * fall)) / 2
        return np.asarray(recipe.learning_rate * np.minimum(done / max(recipe.warmup, 1e-9), falling))


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); give the folder of a finished training") from error
    if not isinstance(value, dict):
        raise DataError(f"{path} holds a {type(value).__name__}; expected an object, train the run again")
    return value


def _check(values: dict[str, Any], kinds: dict[str, type | tuple[type, ...]], path: Path) -> None:
    wrong = [key for key, kind in kinds.items() if not isinstance(values.get(key), kind)]
    if wrong:
        raise DataError(f"{path} has no usable {', '.join(wrong)}; train the run again")
