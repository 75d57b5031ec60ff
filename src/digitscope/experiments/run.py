"""Train a recipe on a dataset and write a run folder with the network, its measurements and its report.

An interrupted run resumes after its last finished epoch. ``training.fit`` fits, ``models.metrics`` measures.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from digitscope import files
from digitscope.backend import keras
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.environment import machine, versions
from digitscope.errors import ConfigError
from digitscope.experiments.state import (
    CHECKPOINT,
    RUN_FILES,
    check_replaceable,
    difference,
    recipe_settings,
    state_of,
)
from digitscope.models.course import COURSE
from digitscope.models.evaluation import Evaluation
from digitscope.models.export_onnx import export_onnx
from digitscope.models.keras_onnx import check_exporter, how_written
from digitscope.models.metrics import evaluate_predictions
from digitscope.models.model import Model, load
from digitscope.models.run_folder import read_json
from digitscope.progress import Progress
from digitscope.reading.detectors import detector_of
from digitscope.training.checkpoint import Checkpoint
from digitscope.training.fit import Execution, Fitted, fit
from digitscope.training.recipes import RECIPES, Recipe, recipe_of, setting_text
from digitscope.web import links
from digitscope.web.lens.bundle import write_page
from digitscope.web.report.build import write_report


@dataclass(frozen=True, eq=False)
class Run:
    """The folder that a training leaves: everything needed to inspect it, use it and repeat it.

    ``config.json`` (what was trained, and how), ``history.csv`` (a row per epoch), ``course.npz`` (``models.course``),
    ``model.keras``, ``model.onnx``, ``known.json`` (``reading.detectors``), ``evaluation.json``, ``metrics.json``; for
    people ``figures/`` and ``report.html``. An unfinished run has ``checkpoint.npz``, from which training resumes.
    """

    folder: Path

    @property
    def finished(self) -> bool:
        """Whether every file of the run is written."""
        return state_of(self.folder) == "finished"

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """``test_accuracy``, ``test_loss``, ``n``, ``misses``, ``parameters``, ``fit_seconds``, ``total_seconds``..."""
        return read_json(self.folder / "metrics.json")

    @cached_property
    def config(self) -> dict[str, Any]:
        """What was trained, with which settings, versions and machine."""
        return read_json(self.folder / "config.json")

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
    """Train a recipe on a dataset, measure it on the test images, and write a run folder.

    Args:
        recipe: a name (``seed``, ``fast``, ``classic``, ``robust``, ``strong``, ``hardened``), or a recipe of your own.
        data: what ``digitscope.load_dataset`` takes.
        epochs: passes over the training images; None takes the recipe's.
        seed: of weights, image order and augmentation, 0 to 4294967295.
        settings: other values of the recipe, e.g. ``{"pooling": "average"}``.
        out: the run folder; None makes ``runs/RECIPE-SEED-DATE``.
        overwrite: whether to replace a run in ``out``.
        resume: continue the run in ``out`` after its last finished epoch; the result is the same as without the
            interruption. A finished run is left as it is; if there is no run, one is started.
        page: whether to write ``lens.html`` too, in which you can draw a digit and follow it through the network.
        tensorboard: folder for TensorBoard logs: loss, accuracy and learning rate of every epoch.
        devices: number of devices, e.g. GPUs, that share every batch; more than 1 needs ``KERAS_BACKEND=jax``.
        progress: called with the state of the work.

    Raises:
        ConfigError: an unknown recipe or setting; ``out`` already contains a run, or the run to resume has other
            settings; another process trains into it; too few devices.
        DataError: the dataset or the checkpoint cannot be used.
        MissingExtra: TensorFlow is not installed; it writes the model file on every backend.
        KeyboardInterrupt: Ctrl-C; the text says what is saved and how to continue.
    """
    start = time.perf_counter()
    chosen = recipe_of(recipe, {**(settings or {}), **({} if epochs is None else {"epochs": epochs})})
    folder = _folder(out, chosen, seed, overwrite, resume)
    callbacks = [] if tensorboard is None else [_tensorboard(Path(tensorboard))]
    execution = Execution.for_this_machine(chosen, devices)
    check_exporter()
    dataset = load_dataset(data)
    with files.sole_writer(folder):
        begun = _claim(folder, _config(chosen, seed, dataset, execution), overwrite, resume)
        if not Run(folder).finished:
            start -= begun.seconds if begun else 0.0
            x, y = dataset.x_train, dataset.y_train
            try:
                with files.writing(folder, "its finished epochs are saved; make room, then set resume to continue"):
                    fitted = fit(chosen, x, y, seed, execution, progress, resume_from=begun, callbacks=callbacks,
                                 after_epoch=lambda reached: reached.write(folder / CHECKPOINT))  # fmt: skip
                    _write_results(folder, chosen, dataset, fitted, start, page, progress)
            except KeyboardInterrupt as stop:
                raise KeyboardInterrupt(_what_is_saved(folder, chosen)) from stop
            (folder / CHECKPOINT).unlink()
    return Run(folder)


def _folder(out: str | Path | None, recipe: Recipe, seed: int, overwrite: bool, resume: bool) -> Path:
    """The folder of the run, once seed and options are checked."""
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed={seed} is out of range; expected 0 to 4294967295")
    if resume and overwrite:
        raise ConfigError("a run cannot be continued and replaced at once; set resume or overwrite, not both")
    if resume and out is None:
        raise ConfigError("there is no folder with a run to continue; set out to it")
    return Path(out) if out is not None else Path("runs") / f"{recipe.name}-{seed}-{time.strftime('%Y%m%d-%H%M%S')}"


def _tensorboard(folder: Path) -> keras.callbacks.TensorBoard:
    """Keras' callback that writes TensorBoard logs; it needs the packages ``tensorflow`` and ``tensorboard``."""
    missing = [name for name in ("tensorflow", "tensorboard") if find_spec(name) is None]
    if missing:
        raise ConfigError(f"TensorBoard logs need {' and '.join(missing)}; pip install {' '.join(missing)}")
    with files.writing(folder, "set tensorboard to another folder"):
        folder.mkdir(parents=True, exist_ok=True)
    return keras.callbacks.TensorBoard(folder, write_graph=False)


def _config(recipe: Recipe, seed: int, dataset: Dataset, execution: Execution) -> dict[str, Any]:
    """The contents of ``config.json``."""
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
    """The settings that differ from the recipe of this name, as ``KEY=VALUE``."""
    usual = asdict(RECIPES[recipe.name]) if recipe.name in RECIPES else asdict(Recipe(recipe.name))
    return [f"{key}={setting_text(value)}" for key, value in asdict(recipe).items() if value != usual[key]]


def _claim(folder: Path, config: dict[str, Any], overwrite: bool, resume: bool) -> Checkpoint | None:
    """Prepare the folder for a run; the checkpoint to resume from, if there is one.

    The files that mark an earlier run in it as finished are removed before anything else is written.
    """
    state = state_of(folder)
    if resume and state in ("unfinished", "finished"):
        _check_same(folder, config)
    else:
        check_replaceable(folder, state, overwrite)
    with files.writing(folder, "set out to another folder"):
        _remove_temporary(folder)
        if resume and state == "unfinished":
            return Checkpoint.read(folder / CHECKPOINT)
        if not (resume and state == "finished"):
            for name in RUN_FILES:
                (folder / name).unlink(missing_ok=True)
            files.write_json(folder / "config.json", config)
    return None


def _remove_temporary(folder: Path) -> None:
    """Remove what a run that was killed while writing left behind (``files.atomic_path`` names such files)."""
    for name in [*map(Path, RUN_FILES), Path("figures") / "*.svg"]:
        for path in folder.glob(str(name.with_name(f".{name.stem}-????????{name.suffix}"))):
            path.unlink(missing_ok=True)


def _check_same(folder: Path, config: dict[str, Any]) -> None:
    """Refuse to resume a run that was started with other settings or data."""
    now = _decisive(config)
    try:
        begun = {"onednn": now["onednn"]} | _decisive(Run(folder).config)  # version 0.1 did not record it
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # a DataError is a ValueError
        raise ConfigError(f"{folder / 'config.json'} is damaged ({error}); set overwrite to start again") from error
    if found := difference(begun, now):
        raise ConfigError(
            f"{folder} was started with {found[0]}, not with {found[1]}; repeat those, or set out to another folder"
        )


def _decisive(config: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in ``config.json`` that decides the outcome of a fit, by the name of each setting."""
    recipe = recipe_settings(Recipe.from_dict(config["recipe"]))
    return {**recipe, "seed": config["seed"], "data_sha256": config["data_sha256"][:12], **config["execution"]}


def _what_is_saved(folder: Path, recipe: Recipe) -> str:
    """What is saved after Ctrl-C, and how to continue."""
    path = folder / CHECKPOINT
    if not path.exists():
        return "stopped before the first epoch was finished, so nothing is saved"
    saved = f"{Checkpoint.read(path).epochs} of {recipe.all_epochs} epochs are saved"
    return f"stopped; {saved}; to continue, set resume, and set out to {folder}"


def _write_results(
    folder: Path, recipe: Recipe, dataset: Dataset, fitted: Fitted, start: float, page: bool, progress: Progress | None
) -> None:
    """Write the network in both formats, its history, its measurements, the report and, if asked for, the page.

    The network is measured as every reader will use it: from its file, by ONNX Runtime. The total time includes this.
    """
    with files.atomic_path(folder / "model.keras") as temporary:
        fitted.network.save(temporary)
    export_onnx(fitted.network, folder / "model.onnx")
    files.write_text(folder / "history.csv", _csv(fitted.history))
    if fitted.course is not None:
        fitted.course.write(folder / COURSE)
    model = load(folder)
    probabilities = model.predict(dataset.x_test)
    evaluation = evaluate_predictions(probabilities, dataset.y_test, mnist_test=dataset.is_mnist)
    files.write_json(folder / "evaluation.json", evaluation.to_dict())
    metrics = _metrics(recipe, dataset, fitted, evaluation, time.perf_counter() - start)
    files.write_json(folder / "metrics.json", metrics)
    model = replace(model, card=model.card | {"metrics": metrics})
    detector_of(model, dataset, progress)  # kept in the folder
    if page:
        write_page(model, folder / links.PAGE, data=dataset, progress=progress, report=True)
    write_report(folder, progress, data=dataset, model=model, probabilities=probabilities)


def _metrics(
    recipe: Recipe, dataset: Dataset, fitted: Fitted, evaluation: Evaluation, total_seconds: float
) -> dict[str, Any]:
    """The contents of ``metrics.json``."""
    return {
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
        "total_seconds": total_seconds,
    }


def _csv(rows: list[dict[str, float]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
