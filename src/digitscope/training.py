"""Training: a recipe and a dataset in, a run folder with the network, its figures and its report out.

Keras does the fitting on whichever backend it runs on. What to learn is the recipe's business (:mod:`recipes`), what
is fast on this machine is decided here (:class:`Execution`), and measuring is :mod:`evaluate`'s.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from digitscope import files
from digitscope.about import machine, processor_features, versions
from digitscope.augment import AugmentedBatches
from digitscope.datasets import Dataset, Images, Labels, load_dataset
from digitscope.errors import ConfigError
from digitscope.export import export_onnx
from digitscope.models import Model, load
from digitscope.networks import build
from digitscope.page import write_page
from digitscope.recipes import Recipe, recipe_of
from digitscope.report import write_report
from digitscope.values import Progress

NetworkBuilder = Callable[[Recipe, str], keras.Sequential]


@dataclass(frozen=True, eq=False)
class Run:
    """The folder that a training leaves: everything needed to look at it, use it and do it again.

    ``config.json`` (recipe, seed, data and its hash, execution, versions, machine), ``history.csv`` (a row per epoch),
    ``model.keras``, ``model.onnx``, ``evaluation.json``, ``metrics.json``; for people ``figures/`` and ``report.html``.
    """

    folder: Path

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """``test_accuracy``, ``test_loss``, ``n``, ``misses``, ``parameters``, ``fit_seconds``, ``total_seconds``..."""
        return dict(json.loads((self.folder / "metrics.json").read_text(encoding="utf-8")))

    @cached_property
    def config(self) -> dict[str, Any]:
        """What was trained, how and with what."""
        return dict(json.loads((self.folder / "config.json").read_text(encoding="utf-8")))

    @cached_property
    def model(self) -> Model:
        """The trained model."""
        return load(self.folder)


def train(
    recipe: str | Recipe = "classic",
    *,
    data: str | Path = "mnist",
    epochs: int | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    page: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Train a recipe on a dataset, measure it on the dataset's test part, and write a run folder.

    Args:
        recipe: a name of :data:`recipes.RECIPES`, or a recipe of your own.
        data: see :func:`datasets.load_dataset`.
        epochs: passes over the training images, instead of the recipe's.
        seed: of weights, order and augmentation.
        settings: other values of the recipe, e.g. ``{"pooling": "average"}``.
        out: the run folder; None makes ``runs/RECIPE-SEED-DATE``.
        overwrite: whether a finished run in ``out`` may be replaced.
        page: whether to write ``lens.html`` as well, in which anybody can draw a digit and follow it.
        progress: told how far it is.

    Raises:
        ConfigError: an unknown recipe or setting, or a finished run is in ``out`` already.
        DataError: the dataset cannot be used.
    """
    start = time.perf_counter()
    chosen = recipe_of(recipe, {**(settings or {}), **({} if epochs is None else {"epochs": epochs})})
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed={seed} is out of range; expected 0 to 4294967295")
    folder = Path(out) if out is not None else Path("runs") / f"{chosen.name}-{seed}-{time.strftime('%Y%m%d-%H%M%S')}"
    dataset = load_dataset(data)
    _claim(folder, overwrite)
    execution = Execution.for_this_machine(chosen)
    config = {
        "recipe": asdict(chosen),
        "seed": seed,
        "data": dataset.name,
        "data_sha256": dataset.sha256(),
        "execution": asdict(execution),
        "versions": versions(("keras", "tensorflow", "tensorflow-cpu", "torch", "jax", "numpy", "onnxruntime", "onnx")),
        "machine": machine(),
    }
    files.write_json(folder / "config.json", config)
    fitted = fit(chosen, dataset.x_train, dataset.y_train, seed, execution, progress)
    with files.atomic_path(folder / "model.keras") as temporary:
        fitted.network.save(temporary)
    export_onnx(fitted.network, folder / "model.onnx")
    files.write_text(folder / "history.csv", _csv(fitted.history))
    _measure(folder, chosen, dataset, fitted, start)
    if page:
        write_page(load(folder), folder / "lens.html", data=dataset)
    write_report(folder, progress)
    return Run(folder)


def _claim(folder: Path, overwrite: bool) -> None:
    """Make the folder, and take away what says that a run in it has finished."""
    if (folder / "metrics.json").exists() and not overwrite:
        raise ConfigError(
            f"{folder} holds a finished run; give another folder with --out, or --overwrite to replace it"
        )
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; give a folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metrics.json").unlink(missing_ok=True)
        (folder / "lens.html").unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}); give another folder with --out") from error


def _measure(folder: Path, recipe: Recipe, dataset: Dataset, fitted: Fitted, start: float) -> None:
    """Evaluate what was written, through ONNX Runtime as every reader will; the seconds count all up to here."""
    evaluation = load(folder).evaluate(dataset)
    files.write_json(folder / "evaluation.json", evaluation.to_dict())
    metrics = {
        "recipe": recipe.name,
        "test_accuracy": evaluation.accuracy,
        "test_loss": evaluation.loss,
        "n": evaluation.n,
        "misses": evaluation.misses,
        "parameters": int(fitted.network.count_params()),
        "train_n": len(dataset.x_train),
        "epochs": recipe.epochs,
        "images_per_second": len(dataset.x_train) * recipe.epochs / fitted.seconds,
        "fit_seconds": fitted.seconds,
        "total_seconds": time.perf_counter() - start,
    }
    files.write_json(folder / "metrics.json", metrics)


def _csv(rows: list[dict[str, float]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@dataclass(frozen=True)
class Execution:
    """How the backend runs the steps of a fit. It changes the speed, never the recipe.

    Attributes:
        backend: Keras' backend.
        steps_per_execution: steps between two returns to Python; the loop was half the time on TensorFlow's CPU.
        precision: what the layers compute in during the fit; the network that comes out is float32 either way.
        jit_compile: whether XLA compiles the step; its convolutions are slow on CPUs.
    """

    backend: str
    steps_per_execution: int
    precision: str
    jit_compile: bool | str

    @classmethod
    def for_this_machine(cls, recipe: Recipe) -> Execution:
        """The fastest that was measured for this backend, on this kind of processor, within what the recipe allows."""
        backend = keras.backend.backend()
        bfloat16 = bool({"avx512_bf16", "amx_bf16"} & set(processor_features()))
        precision = "mixed_bfloat16" if recipe.lower_precision and backend == "tensorflow" and bfloat16 else "float32"
        if backend == "tensorflow":
            return cls(backend, 32, precision, False)
        return cls(backend, 1, precision, "auto")


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Learning rate that climbs in a line to its peak and falls in a cosine to a hundredth of it.

    Source: after Smith and Topin, "Super-Convergence", 2018.
    """

    def __init__(self, peak: float, steps: int, warmup: float) -> None:
        """Plan a fit.

        Args:
            peak: the highest learning rate.
            steps: steps of the whole fit.
            warmup: part 0..1 of the steps before the peak.
        """
        self.peak, self.steps, self.warmup = peak, steps, warmup

    def __call__(self, step: Any) -> Any:
        """The learning rate at ``step``, counted from 0."""
        ops = keras.ops
        done = (ops.cast(step, "float32") + 1) / self.steps
        climb = done / max(self.warmup, 1e-9)
        fall = ops.clip((done - self.warmup) / max(1 - self.warmup, 1e-9), 0.0, 1.0)
        return self.peak * ops.minimum(climb, 0.01 + 0.99 * 0.5 * (1 + ops.cos(np.pi * fall)))

    def get_config(self) -> dict[str, Any]:
        """What Keras needs to save the schedule."""
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit leaves: the network in float32, one row per epoch, and the seconds that Keras' ``fit`` took."""

    network: keras.Sequential
    history: list[dict[str, float]]
    seconds: float


def fit(
    recipe: Recipe,
    images: Images,
    labels: Labels,
    seed: int = 0,
    execution: Execution | None = None,
    progress: Progress | None = None,
    network_of: NetworkBuilder = build,
) -> Fitted:
    """Train the recipe's network; the last weights are kept, nothing is chosen along the way.

    Args:
        recipe: what to do.
        images: uint8 (n, 28, 28) 0..255.
        labels: uint8 (n,) 0..9.
        seed: of the weights, the order of the images and the augmentation.
        execution: how the backend runs it; None measures nothing and takes :meth:`Execution.for_this_machine`.
        progress: told about images done of all images of all epochs.
        network_of: builds the network from the recipe and a precision; another one makes an experiment.

    Returns:
        The fitted network and its history (epoch, loss, accuracy on the augmented training images, learning_rate,
        images_per_second, seconds).
    """
    execution = execution or Execution.for_this_machine(recipe)
    keras.utils.set_random_seed(seed)
    network = network_of(recipe, execution.precision)
    steps = -(-len(images) // recipe.batch_size)
    network.compile(
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        optimizer=_optimizer(recipe, steps * recipe.epochs),
        metrics=["accuracy"],
        steps_per_execution=execution.steps_per_execution,
        jit_compile=execution.jit_compile,
    )
    answers = keras.utils.to_categorical(labels, 10)
    recorder = _Recorder(recipe, len(images), progress)
    feed: dict[str, Any]
    if recipe.augment:
        feed = {"x": AugmentedBatches(images, answers, recipe.batch_size, recipe.augment, seed)}
    else:
        feed = {
            "x": images.reshape(-1, 28, 28, 1).astype("float32") / 255,
            "y": answers,
            "batch_size": recipe.batch_size,
        }
    start = time.perf_counter()
    network.fit(**feed, epochs=recipe.epochs, verbose=0, callbacks=[recorder])
    seconds = time.perf_counter() - start
    return Fitted(_exact(recipe, network, network_of), recorder.rows, seconds)


def _exact(recipe: Recipe, fitted: keras.Sequential, network_of: NetworkBuilder) -> keras.Sequential:
    """The fitted weights in a float32 network, the last layer's divided by the recipe's temperature.

    The sums before the softmax come out divided by the temperature too, which changes how sure the answers are, not
    the answers. Source: Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    exact = network_of(recipe, "float32")
    *weights, kernel, bias = fitted.get_weights()
    exact.set_weights([*weights, kernel / recipe.temperature, bias / recipe.temperature])
    return exact


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    rate = (
        OneCycle(recipe.learning_rate, steps, recipe.warmup) if recipe.schedule == "one-cycle" else recipe.learning_rate
    )
    average = {} if recipe.ema is None else {"use_ema": True, "ema_momentum": recipe.ema}
    return keras.optimizers.Adam(rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2, **average)


class _Recorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes down a row per epoch and passes on the progress."""

    def __init__(self, recipe: Recipe, n: int, progress: Progress | None) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self._recipe, self._n, self._progress = recipe, n, progress
        self._epoch, self._start = 0, 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch, self._start = epoch, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._progress is not None and logs:
            done = self._epoch * self._n + min((batch + 1) * self._recipe.batch_size, self._n)
            facts = {"epoch": self._epoch + 1, "loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])}
            self._progress("fit", done, self._n * self._recipe.epochs, facts)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self._start
        row = {"epoch": epoch + 1, "loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])}
        row["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.rows.append(row | {"images_per_second": self._n / seconds, "seconds": seconds})
