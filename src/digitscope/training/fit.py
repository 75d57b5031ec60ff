"""A fit: a recipe and labelled images in, a fitted network out. No files: run folders are ``training``'s.

Keras does the fitting on whichever backend it runs on. What to learn is the recipe's business (``recipes``), what
is fast on this machine is decided here (``Execution``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from digitscope.arraytypes import Images, Labels
from digitscope.environment import has_bfloat16
from digitscope.progress import Progress
from digitscope.quiet import no_retracing_warnings, quiet
from digitscope.training.batches import Batches, fed
from digitscope.training.checkpoint import Checkpoint
from digitscope.training.distillation import student_of
from digitscope.training.distribution import check_devices, shared_among
from digitscope.training.networks import build
from digitscope.training.recipes import Recipe

NetworkBuilder = Callable[[Recipe, str], keras.Sequential]


@dataclass(frozen=True)
class Execution:
    """How the backend runs the steps of a fit. It changes the speed, never the recipe.

    Attributes:
        backend: Keras' backend.
        steps_per_execution: steps between two returns to Python; the loop was half the time on TensorFlow's CPU.
        precision: what the layers compute in during the fit; the network that comes out is float32 either way.
        jit_compile: whether XLA compiles the step; its convolutions are slow on CPUs.
        devices: that share every batch.
    """

    backend: str
    steps_per_execution: int
    precision: str
    jit_compile: bool | str
    devices: int = 1

    @classmethod
    def for_this_machine(cls, recipe: Recipe, devices: int = 1) -> Execution:
        """The fastest that was measured for this backend, on this kind of processor, within what the recipe allows.

        Args:
            recipe: what is to be fitted.
            devices: how many are to share every batch.

        Raises:
            ConfigError: this machine, backend or recipe cannot have so many.
        """
        check_devices(devices, recipe.batch_size)
        backend = keras.backend.backend()
        lower = recipe.lower_precision and backend in ("tensorflow", "torch") and has_bfloat16()
        precision = "mixed_bfloat16" if lower else "float32"
        steps = 32 if backend == "tensorflow" else 1  # torch takes one at a time, and jax gains nothing by more
        return cls(backend, steps, precision, backend == "jax", devices)


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
    """What a fit leaves: the network in float32, one row per epoch, and the seconds it took, over all its parts."""

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
    begun: Checkpoint | None = None,
    after_epoch: Callable[[Checkpoint], None] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Fitted:
    """Train the recipe's network, its teachers first; the last weights are kept, nothing is chosen along the way.

    Args:
        recipe: what to do.
        images: uint8 (n, 28, 28) 0..255.
        labels: uint8 (n,) 0..9.
        seed: of the weights, the order of the images and the augmentation.
        execution: how the backend runs it; None measures nothing and takes ``Execution.for_this_machine``.
        progress: told about images done of all images of all epochs, the teachers' included.
        network_of: builds the network from the recipe and a precision; another one makes an experiment.
        begun: where an earlier fit of the same kind was stopped; this one goes on from there.
        after_epoch: given where the fit stands, after every epoch.
        callbacks: more of Keras' own, e.g. its TensorBoard.

    Returns:
        The fitted network and its history (epoch, loss, accuracy on the augmented training images, learning_rate,
        images_per_second, seconds).

    Raises:
        DataError: ``begun`` is the state of another network.
    """
    execution = execution or Execution.for_this_machine(recipe)
    with quiet():  # on every backend it looks for TensorFlow, which has much to say when it starts
        keras.utils.set_random_seed(seed)
    batches = Batches(images, labels, recipe.batch_size, seed, recipe.augment, execution.devices)
    recorder = _Recorder(recipe, batches, len(images), progress)
    recorder.rows += begun.history if begun else []
    start = time.perf_counter() - (begun.seconds if begun else 0.0)
    with shared_among(execution.devices), no_retracing_warnings():
        networks = [network_of(recipe, execution.precision) for _ in range(recipe.teachers + 1)]
        ready = min(len(begun.teachers), recipe.teachers) if begun else 0
        for number, network in enumerate(networks[ready:], start=ready):
            teachers = networks[:number]
            if number == recipe.teachers > 0:
                network = student_of(network, teachers, recipe)
            _compile(network, recipe, execution, len(batches) * recipe.epochs)
            if begun is not None and number == ready:
                begun.restore(network, teachers)

            def keep(epoch: int, logs: Any, network: keras.Model = network, teachers: Any = teachers) -> None:
                if after_epoch is not None:
                    after_epoch(Checkpoint.of(network, recorder.rows, time.perf_counter() - start, teachers))

            network.fit(
                fed(batches),
                shuffle=False,  # the batches bring their order
                epochs=(number + 1) * recipe.epochs,
                initial_epoch=len(recorder.rows),
                verbose=0,
                callbacks=[recorder, keras.callbacks.LambdaCallback(on_epoch_end=keep), *callbacks],
            )
    rows = [row | {"epoch": epoch} for epoch, row in enumerate(recorder.rows[-recipe.epochs :], start=1)]
    return Fitted(_exact(recipe, networks[-1], network_of), rows, time.perf_counter() - start)


def _compile(network: keras.Model, recipe: Recipe, execution: Execution, steps: int) -> None:
    """Give the network an optimizer that has all its variables, ready for so many steps."""
    network.compile(
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        optimizer=_optimizer(recipe, steps),
        metrics=["accuracy"],
        steps_per_execution=execution.steps_per_execution,
        jit_compile=execution.jit_compile,
    )
    network.optimizer.build(network.trainable_variables)


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
    """Turns the batches to every epoch, writes down a row for it and passes on the progress."""

    def __init__(self, recipe: Recipe, batches: Batches, n: int, progress: Progress | None) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self._recipe, self._batches, self._n, self._progress = recipe, batches, n, progress
        self._epoch, self._start = 0, 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._batches.begin(epoch)
        self._epoch, self._start = epoch, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._progress is not None and logs:
            done = self._epoch * self._n + min((batch + 1) * self._recipe.batch_size, self._n)
            facts = {"epoch": self._epoch + 1, "loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])}
            self._progress("fit", done, self._n * self._recipe.all_epochs, facts)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self._start
        row = {"epoch": epoch + 1, "loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])}
        row["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.rows.append(row | {"images_per_second": self._n / seconds, "seconds": seconds})
