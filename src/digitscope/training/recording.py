"""Records the course of a fit: the loss of every step, and the weights at some of them. It decides nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from digitscope.arraytypes import AnyArray
from digitscope.backend import keras
from digitscope.models.course import Course, flat

STAGES = 10
"""Moments of a fit at which its weights are kept, beside the untrained and the finished network: few enough to be
walked one by one, and for a page to hold them."""

FIRST = 25
"""Step of the first of them; the others are multiples of it, which people read easily, and lie closer at the beginning,
where most is learned. TensorFlow takes as many steps in one call (``training.fit``), so those of its first epoch are
kept exactly there."""


class StepLosses(keras.metrics.Metric):  # type: ignore[misc]
    """The mean loss over the batch of every step of an epoch, also where the backend runs many steps in one call.

    A student's are those of its labels; what its teachers say is left out.
    """

    def __init__(self, loss: keras.losses.Loss, steps: int) -> None:
        """Make room for an epoch.

        Args:
            loss: the loss to record.
            steps: steps of an epoch.
        """
        super().__init__(name="step_loss", dtype="float32")
        self._loss = loss
        self._taken = self.add_variable((), "zeros", "int32", name="taken")
        self._values = self.add_variable((steps,), "zeros", "float32", name="values")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Record the loss of the next step."""
        loss = keras.ops.cast(self._loss(y_true, y_pred), "float32")
        values, taken = keras.ops.convert_to_tensor(self._values), keras.ops.convert_to_tensor(self._taken)
        here = keras.ops.arange(self._values.shape[0], dtype="int32") == taken
        self._values.assign(keras.ops.where(here, loss, values))
        self._taken.assign(self._taken + 1)

    def result(self) -> Any:
        """The loss of the last step; Keras needs a number."""
        return keras.ops.take(self._values, keras.ops.maximum(self._taken - 1, 0))

    @property
    def values(self) -> AnyArray:
        """Those of the steps taken since the epoch began, float32 (n,)."""
        taken = int(keras.ops.convert_to_numpy(self._taken))
        return np.array(keras.ops.convert_to_numpy(self._values)[:taken], np.float32)


class CourseRecorder:
    """Collects the course of one fit of ``steps`` steps; several steps may pass between two looks at the network."""

    def __init__(self, steps: int, temperature: float, begun: Course | None = None) -> None:
        """Begin, or go on.

        Args:
            steps: of the whole fit.
            temperature: divides the last layer at every stage, as it does in the fitted network, so that only learning
                makes a difference between them.
            begun: what was recorded before an interruption.
        """
        spread = np.geomspace(min(FIRST, steps), steps, STAGES + 1)[:-1]
        self._due, self._steps = (spread / FIRST).round() * FIRST, steps
        self._temperature = temperature
        self._losses = [] if begun is None else [begun.losses]
        self._stages = [] if begun is None else list(zip(begun.steps.tolist(), begun.weights, strict=True))

    @property
    def last(self) -> int:
        """The step of the last stage; -1 if there is none."""
        return self._stages[-1][0] if self._stages else -1

    def is_due(self, step: int) -> bool:
        """Whether a stage is to be kept after this step, the first at which the network can be seen again.

        After the last step there is none: that is the finished network.
        """
        waiting = (self._due > self.last) & (self._due <= step)
        return self.last < 0 or (step < self._steps and bool(waiting.any()))

    def keep(self, step: int, weights: list[AnyArray]) -> None:
        """Keep the weights after a step: of each layer its kernel, in Keras' layout, and its bias."""
        *others, kernel, bias = weights
        self._stages.append((step, flat([*others, kernel / self._temperature, bias / self._temperature])))

    def epoch(self, losses: AnyArray) -> None:
        """Add the losses of an epoch's steps, float32 (n,)."""
        self._losses.append(losses)

    @property
    def course(self) -> Course:
        """What was recorded so far."""
        steps = np.array([step for step, _ in self._stages], np.int64)
        losses = np.concatenate(self._losses) if self._losses else np.empty(0, np.float32)
        return Course(losses, steps, np.stack([weights for _, weights in self._stages]))
