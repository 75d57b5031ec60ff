"""A fit: a recipe and labelled images in, a fitted network out. It writes no files; ``experiments.run`` does.

Keras does the fitting, on whichever backend it runs. ``recipes`` decides what is learned; ``Execution`` decides how it
runs fast on this machine.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitscope.arraytypes import Images, Labels
from digitscope.backend import keras, uses_onednn
from digitscope.environment import has_bfloat16
from digitscope.models.course import Course
from digitscope.progress import Progress
from digitscope.quiet import no_retracing_warnings, quiet
from digitscope.training.batches import Batches, pipeline_of
from digitscope.training.checkpoint import Checkpoint
from digitscope.training.distillation import as_student
from digitscope.training.distribution import check_devices, on_devices
from digitscope.training.networks import build, pooled_first
from digitscope.training.normalisation import normalised, plain_weights
from digitscope.training.recipes import Recipe
from digitscope.training.recording import FIRST, CourseRecorder, StepLosses
from digitscope.training.schedule import one_cycle

NetworkBuilder = Callable[[Recipe, str], keras.Sequential]
"""Builds a network from a recipe and a precision."""


@dataclass(frozen=True)
class Execution:
    """How the backend runs a fit. It changes the speed, never the recipe.

    Attributes:
        backend: Keras' backend.
        steps_per_execution: steps between two returns to Python; with TensorFlow, one alone took twice the time.
        precision: Keras dtype policy of the layers during the fit; the fitted network is float32 in any case.
        jit_compile: whether XLA compiles the step; its convolutions are slow on CPUs.
        devices: number of devices that share every batch.
        onednn: whether TensorFlow computes with oneDNN's kernels, see ``backend``.
    """

    backend: str
    steps_per_execution: int
    precision: str
    jit_compile: bool
    devices: int = 1
    onednn: bool = False

    @classmethod
    def for_this_machine(cls, recipe: Recipe, devices: int = 1) -> Execution:
        """The settings measured as fastest on this backend and kind of processor, if the recipe allows them.

        Args:
            recipe: what to fit.
            devices: number of devices that share every batch.

        Raises:
            ConfigError: this machine, backend or recipe cannot use that many.
        """
        check_devices(devices, recipe.batch_size)
        backend = keras.backend.backend()
        lower = recipe.lower_precision and backend in ("tensorflow", "torch") and has_bfloat16()
        precision = "mixed_bfloat16" if lower else "float32"
        steps = FIRST if backend == "tensorflow" else 1  # PyTorch runs one at a time, and JAX gains nothing from more
        return cls(backend, steps, precision, backend == "jax", devices, uses_onednn())


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The one-cycle schedule for Keras: ``schedule.one_cycle`` at every step."""

    def __init__(self, peak: float, steps: int, warmup: float) -> None:
        """Plan a fit.

        Args:
            peak: the highest learning rate.
            steps: steps of the whole fit.
            warmup: share 0..1 of the steps before the peak.
        """
        self.peak, self.steps, self.warmup = peak, steps, warmup

    def __call__(self, step: Any) -> Any:
        """The learning rate at ``step``, counted from 0."""
        done = (keras.ops.cast(step, "float32") + 1) / self.steps
        return one_cycle(done, self.peak, self.warmup, keras.ops)

    def get_config(self) -> dict[str, Any]:
        """What Keras needs to save the schedule."""
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit returns.

    Attributes:
        network: in float32.
        history: one row per epoch, see ``fit``.
        seconds: what the fit took, including the time before a resume.
        course: the loss of every step and the weights at some of them, a student's alone; None if the fit went on from
            a checkpoint of version 0.1.
    """

    network: keras.Sequential
    history: list[dict[str, float]]
    seconds: float
    course: Course | None = None


def fit(
    recipe: Recipe,
    images: Images,
    labels: Labels,
    seed: int = 0,
    execution: Execution | None = None,
    progress: Progress | None = None,
    *,
    network_of: NetworkBuilder = build,
    resume_from: Checkpoint | None = None,
    after_epoch: Callable[[Checkpoint], None] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Fitted:
    """Train the recipe's network, its teachers first. The last weights are kept; nothing is chosen along the way.

    Args:
        recipe: what to learn.
        images: uint8 (n, 28, 28) 0..255.
        labels: uint8 (n,) 0..9.
        seed: of the weights, the order of the images and the distortions.
        execution: how the backend runs it; None: ``Execution.for_this_machine``.
        progress: called with the images done, of all images in all epochs, the teachers' included.
        network_of: builds the network; give your own for an experiment.
        resume_from: where an interrupted fit of the same kind stopped; this one continues from there.
        after_epoch: called with a checkpoint after every epoch.
        callbacks: further Keras callbacks, e.g. TensorBoard; they see the network in the form that is fitted.

    Returns:
        The fitted network and its history (epoch, loss, accuracy as distorted, learning_rate, images_per_second,
        seconds).

    Raises:
        DataError: ``resume_from`` is the state of another network.
    """
    execution = execution or Execution.for_this_machine(recipe)
    batches = Batches(images, labels, recipe.batch_size, seed, recipe.augment, recipe.disturb, execution.devices)
    recorder = _Recorder(recipe, batches, len(images), resume_from, progress, after_epoch)
    with _seeded(seed), on_devices(execution.devices), no_retracing_warnings():
        networks = [
            _to_fit(network_of(recipe, execution.precision), recipe, execution) for _ in range(recipe.teachers + 1)
        ]
        ready = min(len(resume_from.teachers), recipe.teachers) if resume_from else 0
        for number in range(ready, len(networks)):
            network, teachers = networks[number], networks[:number]
            learner = as_student(network, teachers, recipe) if number == recipe.teachers > 0 else network
            losses = _compile(learner, recipe, execution, len(batches))
            if resume_from is not None and number == ready:
                resume_from.restore(learner, teachers)
            recorder.begin(learner, teachers, losses)
            learner.fit(
                pipeline_of(batches),
                shuffle=False,  # the batches bring their order
                epochs=(number + 1) * recipe.epochs,
                initial_epoch=len(recorder.rows),
                verbose=0,
                callbacks=[recorder, *callbacks],
            )
        exact = _exact(recipe, networks[-1], network_of)
    rows = [row | {"epoch": epoch} for epoch, row in enumerate(recorder.rows[-recipe.epochs :], start=1)]
    return Fitted(exact, rows, recorder.seconds, recorder.course)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed Keras; put back afterwards what it seeds of Python and NumPy, from which ``train_test_split`` draws."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with quiet():  # on every backend it looks for TensorFlow, which prints a lot when it starts
            keras.utils.set_random_seed(seed)
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def _to_fit(network: keras.Sequential, recipe: Recipe, execution: Execution) -> keras.Sequential:
    """The network in the form whose steps take least; with bfloat16 both forms took the same time."""
    if recipe.batch_norm:
        return normalised(network)
    return pooled_first(network) if execution.precision == "float32" else network


def _compile(network: keras.Model, recipe: Recipe, execution: Execution, steps: int) -> StepLosses:
    """Give the network an optimizer that has all its variables; what will hold the losses of an epoch of ``steps``."""
    rate = recipe.learning_rate
    average = {} if recipe.ema is None else {"use_ema": True, "ema_momentum": recipe.ema}
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    losses = StepLosses(loss, steps)
    network.compile(
        loss=loss,
        optimizer=keras.optimizers.Adam(
            OneCycle(rate, steps * recipe.epochs, recipe.warmup) if recipe.schedule == "one-cycle" else rate,
            beta_1=recipe.beta_1,
            beta_2=recipe.beta_2,
            **average,
        ),
        metrics=["accuracy", losses],
        steps_per_execution=execution.steps_per_execution,
        jit_compile=execution.jit_compile,
    )
    network.optimizer.build(network.trainable_variables)
    return losses


def _exact(recipe: Recipe, fitted: keras.Sequential, network_of: NetworkBuilder) -> keras.Sequential:
    """The fitted weights in a float32 network, those of the last layer divided by the recipe's temperature.

    That divides the sums before the softmax by the temperature too: it changes how confident the answers are, not
    which. Source: Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    exact = network_of(recipe, "float32")
    *weights, kernel, bias = plain_weights(fitted)
    exact.set_weights([*weights, kernel / recipe.temperature, bias / recipe.temperature])
    return exact


class _Recorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the epoch of the batches, records a row per epoch, hands out checkpoints and reports progress."""

    def __init__(
        self,
        recipe: Recipe,
        batches: Batches,
        n: int,
        resume_from: Checkpoint | None,
        progress: Progress | None,
        after_epoch: Callable[[Checkpoint], None] | None,
    ) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = [*resume_from.history] if resume_from else []
        self._teachers: Sequence[keras.Model] = ()
        self._resumed = resume_from
        self._recorder: CourseRecorder | None = None
        self._recipe, self._batches, self._n = recipe, batches, n
        self._progress, self._after_epoch = progress, after_epoch
        self._start = time.perf_counter() - (resume_from.seconds if resume_from else 0.0)
        self._epoch, self._epoch_start = 0, 0.0

    @property
    def seconds(self) -> float:
        """Since the fit began, including the time before a resume."""
        return time.perf_counter() - self._start

    @property
    def course(self) -> Course | None:
        """That of the network that is fitted now."""
        return None if self._recorder is None else self._recorder.course

    def begin(self, learner: keras.Model, teachers: Sequence[keras.Model], losses: StepLosses) -> None:
        """Record this network from now on; after a resume, go on with what was recorded before."""
        self._teachers, self._losses = teachers, losses
        steps, done = len(self._batches) * self._recipe.epochs, len(self.rows) % self._recipe.epochs
        begun = self._resumed.course if self._resumed is not None and done else None
        self._resumed = None
        self._recorder = CourseRecorder(steps, self._recipe.temperature, begun) if begun or not done else None
        if self._recorder is not None and not done:
            self._recorder.keep(0, plain_weights(learner))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._batches.set_epoch(epoch)
        self._epoch, self._epoch_start = epoch, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        step = self._epoch % self._recipe.epochs * len(self._batches) + batch + 1
        if self._recorder is not None and self._recorder.is_due(step):
            if keras.backend.backend() == "jax":
                self.model.jax_state_sync()  # within an epoch, Keras keeps the newest weights elsewhere
            self._recorder.keep(step, plain_weights(self.model))
        if self._progress is not None and logs:
            done = self._epoch * self._n + min((batch + 1) * self._recipe.batch_size, self._n)
            facts = {"epoch": self._epoch + 1, "loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])}
            self._progress("fit", done, self._n * self._recipe.all_epochs, facts)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self._epoch_start
        row = {"epoch": epoch + 1, "loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])}
        row["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.rows.append(row | {"images_per_second": self._n / seconds, "seconds": seconds})
        if self._recorder is not None:
            self._recorder.epoch(self._losses.values)
        if self._after_epoch is not None:
            self._after_epoch(Checkpoint.of(self.model, self.rows, self.seconds, self._teachers, self.course))
