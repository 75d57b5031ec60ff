"""Training: a recipe and a dataset in, a run folder with the network, its figures and its report out.

A run that was stopped is gone on with from its last finished epoch. Fitting is ``fitting``'s business, measuring
``evaluate``'s.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras

from digitscope import files
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.environment import machine, versions
from digitscope.errors import ConfigError, DataError
from digitscope.models.export_onnx import export_onnx
from digitscope.models.keras_onnx import check_exporter, how_written
from digitscope.models.model import Model, load
from digitscope.models.run_folder import read_record
from digitscope.progress import Progress
from digitscope.training.checkpoint import Checkpoint
from digitscope.training.fit import Execution, Fitted, fit
from digitscope.training.recipes import RECIPES, Recipe, recipe_of, word_of
from digitscope.web.lens.bundle import write_page
from digitscope.web.report.build import write_report

CHECKPOINT = "checkpoint.npz"
"""The file that an unfinished run holds, written anew after every epoch."""

_WRITTEN = ("metrics.json", CHECKPOINT, "config.json", "history.csv", "model.keras", "model.onnx", "evaluation.json",
            "lens.html", "report.html")  # fmt: skip
"""The files of a run; the first is what says that it was measured."""


@dataclass(frozen=True, eq=False)
class Run:
    """The folder that a training leaves: everything needed to look at it, use it and do it again.

    ``config.json`` (recipe, seed, data and its hash, execution, versions, machine), ``history.csv`` (a row per epoch),
    ``model.keras``, ``model.onnx``, ``evaluation.json``, ``metrics.json``; for people ``figures/`` and ``report.html``.
    While it is unfinished there is ``checkpoint.npz``, from which the training goes on.
    """

    folder: Path

    @property
    def finished(self) -> bool:
        """Whether everything is written."""
        return (self.folder / "metrics.json").exists() and not (self.folder / CHECKPOINT).exists()

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """``test_accuracy``, ``test_loss``, ``n``, ``misses``, ``parameters``, ``fit_seconds``, ``total_seconds``..."""
        return read_record(self.folder / "metrics.json")

    @cached_property
    def config(self) -> dict[str, Any]:
        """What was trained, how and with what."""
        return read_record(self.folder / "config.json")

    @cached_property
    def model(self) -> Model:
        """The trained model."""
        return load(self.folder)


def train(
    recipe: str | Recipe = "classic",
    *,
    data: str | Path | Dataset = "mnist",
    epochs: int | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    page: bool = False,
    tensorboard: str | Path | None = None,
    devices: int = 1,
    progress: Progress | None = None,
) -> Run:
    """Train a recipe on a dataset, measure it on the dataset's test part, and write a run folder.

    Args:
        recipe: a name of ``recipes.RECIPES``, or a recipe of your own.
        data: see ``datasets.load_dataset``.
        epochs: passes over the training images, instead of the recipe's.
        seed: of weights, order and augmentation.
        settings: other values of the recipe, e.g. ``{"pooling": "average"}``.
        out: the run folder; None makes ``runs/RECIPE-SEED-DATE``.
        overwrite: whether a run in ``out`` may be replaced.
        resume: go on with the run in ``out`` after its last finished epoch, as if it had never been stopped. One that
            is finished stays as it is; where there is none, one is begun.
        page: whether to write ``lens.html`` as well, in which anybody can draw a digit and follow it.
        tensorboard: a folder for loss, accuracy and learning rate of every epoch, as TensorBoard reads them.
        devices: that share every batch, e.g. the graphics processors of this machine; takes ``KERAS_BACKEND=jax``.
        progress: told how far it is.

    Raises:
        ConfigError: an unknown recipe or setting; a run is in ``out`` already, or one with other settings when it is
            to be gone on with; there are not so many devices.
        DataError: the dataset or the checkpoint cannot be used.
        MissingExtra: TensorFlow, which writes the model file whatever backend Keras runs on, is not installed.
        KeyboardInterrupt: Ctrl-C; its text says what is kept and how to go on.
    """
    start = time.perf_counter()
    chosen = recipe_of(recipe, {**(settings or {}), **({} if epochs is None else {"epochs": epochs})})
    folder = _folder(out, chosen, seed, overwrite, resume)
    callbacks = [] if tensorboard is None else [_tensorboard(Path(tensorboard))]
    execution = Execution.for_this_machine(chosen, devices)
    check_exporter()
    dataset = load_dataset(data)
    begun = _claim(folder, _config(chosen, seed, dataset, execution), overwrite, resume)
    if Run(folder).finished:
        return Run(folder)
    checkpoint = folder / CHECKPOINT
    start -= begun.seconds if begun else 0.0
    try:
        x, y = dataset.x_train, dataset.y_train
        fitted = fit(
            chosen, x, y, seed, execution, progress,
            begun=begun, after_epoch=lambda reached: reached.write(checkpoint), callbacks=callbacks,
        )  # fmt: skip
        _write_network(folder, fitted)
        _measure(folder, chosen, dataset, fitted, start)
        if page:
            write_page(load(folder), folder / "lens.html", data=dataset)
        write_report(folder, progress, data=dataset)
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(_what_is_kept(folder, chosen)) from stop
    checkpoint.unlink()
    return Run(folder)


def _folder(out: str | Path | None, recipe: Recipe, seed: int, overwrite: bool, resume: bool) -> Path:
    """Where the run goes, once seed and options make sense."""
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed={seed} is out of range; expected 0 to 4294967295")
    if resume and overwrite:
        raise ConfigError("--resume goes on with a run and --overwrite replaces it; give one of them")
    if resume and out is None:
        raise ConfigError("--resume needs the folder of the run to go on with; give it with --out")
    return Path(out) if out is not None else Path("runs") / f"{recipe.name}-{seed}-{time.strftime('%Y%m%d-%H%M%S')}"


def _tensorboard(folder: Path) -> keras.callbacks.TensorBoard:
    """Keras' own callback, which writes through TensorFlow with what the package ``tensorboard`` brings."""
    missing = [name for name in ("tensorflow", "tensorboard") if find_spec(name) is None]
    if missing:
        raise ConfigError(f"TensorBoard's logs need {' and '.join(missing)}; pip install {' '.join(missing)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}); give another --tensorboard") from error
    return keras.callbacks.TensorBoard(folder, write_graph=False)


def _config(recipe: Recipe, seed: int, dataset: Dataset, execution: Execution) -> dict[str, Any]:
    """What ``config.json`` tells."""
    return {
        "recipe": asdict(recipe),
        "settings": _settings(recipe),
        "seed": seed,
        "data": dataset.name,
        "data_sha256": dataset.sha256(),
        "data_warnings": list(dataset.warnings),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "execution": asdict(execution),
        "export": how_written(),
        "versions": versions(("keras", "tensorflow", "tensorflow-cpu", "torch", "jax", "numpy", "onnxruntime", "onnx")),
        "machine": machine(),
    }


def _settings(recipe: Recipe) -> list[str]:
    """What is not as the recipe of this name has it, each as ``--set`` takes it."""
    usual = asdict(RECIPES[recipe.name]) if recipe.name in RECIPES else asdict(Recipe(recipe.name))
    return [f"{key}={word_of(value)}" for key, value in asdict(recipe).items() if value != usual[key]]


def _claim(folder: Path, config: dict[str, Any], overwrite: bool, resume: bool) -> Checkpoint | None:
    """Make the folder ready for the run, and find what is there to go on from.

    Before anything else is written, what says that a run in it has finished is taken away.
    """
    begun = (folder / CHECKPOINT).exists()
    if begun or Run(folder).finished:
        if resume:
            _check_same(folder, config)
        elif not overwrite:
            state, way = ("an unfinished", "--resume to go on with it") if begun else ("a finished", "another --out")
            raise ConfigError(f"{folder} holds {state} run; give {way}, or --overwrite to replace it")
    elif not overwrite and not _begun_by_us(folder):
        foreign = next((name for name in _WRITTEN if (folder / name).exists()), None)
        if foreign is not None:
            raise ConfigError(f"{folder} holds a {foreign} that is no run's; give another --out, or --overwrite")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; give a folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        if resume and begun:
            return Checkpoint.read(folder / CHECKPOINT)
        if not (resume and Run(folder).finished):
            for name in _WRITTEN:
                (folder / name).unlink(missing_ok=True)
            files.write_json(folder / "config.json", config)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}); give another folder with --out") from error
    return None


def _begun_by_us(folder: Path) -> bool:
    """Whether the folder's ``config.json`` is a run's, so that all beside it may be written anew."""
    try:
        return {"recipe", "seed", "data_sha256"} <= set(Run(folder).config)
    except DataError:
        return False


def _sweep(folder: Path) -> None:
    """Remove the temporary files of a run that was killed while it wrote (``files.atomic_path`` names them)."""
    names = [Path(name) for name in _WRITTEN] + [Path("figures") / "*.svg"]
    for name in names:
        for path in folder.glob(str(name.with_name(f".{name.stem}-????????{name.suffix}"))):
            path.unlink(missing_ok=True)


def _check_same(folder: Path, config: dict[str, Any]) -> None:
    """A run is gone on with by what it was begun with, or not at all."""
    here = _identity(json.loads(json.dumps(config)))
    try:
        there = _identity(Run(folder).config)
    except (ValueError, TypeError, KeyError) as error:  # a DataError is a ValueError
        raise ConfigError(f"{folder / 'config.json'} is damaged ({error}); give --overwrite to start anew") from error
    differ = [key for key in here if there.get(key) != here[key]]
    if "recipe" in differ:
        differ = ["recipe"]  # everything else follows from it
    if differ:
        old, new = (" ".join(f"{key}={values.get(key)}" for key in differ) for values in (there, here))
        raise ConfigError(f"{folder} was begun with {old}, not with {new}; give the same again, or another --out")


def _identity(config: dict[str, Any]) -> dict[str, Any]:
    """All that decides how a fit goes, by the names people know."""
    settings = dict(config["recipe"])
    recipe = {"recipe": settings.pop("name")} | settings
    return {**recipe, "seed": config["seed"], "data_sha256": config["data_sha256"][:12], **config["execution"]}


def _what_is_kept(folder: Path, recipe: Recipe) -> str:
    """What Ctrl-C has left, and how to go on."""
    path = folder / CHECKPOINT
    if not path.exists():
        return "stopped before the first epoch was finished; the same command begins anew"
    kept = f"{Checkpoint.read(path).epochs} of {recipe.all_epochs} epochs are kept"
    return f"stopped; {kept}, and the same command with --out {folder} --resume goes on"


def _write_network(folder: Path, fitted: Fitted) -> None:
    """The network in both forms, and how it was learned."""
    with files.atomic_path(folder / "model.keras") as temporary:
        fitted.network.save(temporary)
    export_onnx(fitted.network, folder / "model.onnx")
    files.write_text(folder / "history.csv", _csv(fitted.history))


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
        "images_per_second": len(dataset.x_train) * recipe.all_epochs / fitted.seconds,
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
