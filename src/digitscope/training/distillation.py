"""A network that learns from the answers of others, its teachers, as well as from the labels. Fits nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from digitscope.training.recipes import Recipe

LEAST = 1e-7
"""Below this a teacher's probability counts as this; half precision has none smaller."""


def student_of(network: keras.Sequential, teachers: Sequence[keras.Sequential], recipe: Recipe) -> keras.Model:
    """The same network, layer by layer, with another loss: its targets are mostly what its teachers answer.

    Every image goes through the teachers too, distorted as the student sees it. Their answers say which digits an
    image is a little like, which its label does not. The labels still count for the accuracy that Keras reports.

    Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015. Unlike there, the student's
    own answers are not softened; its temperature is found after the fit.

    Args:
        network: what is to learn.
        teachers: fitted networks; they are not changed, and learn nothing from here on.
        recipe: how much the teachers count (``teacher_share``) and how much their answers are softened
            (``teacher_temperature``).
    """
    for teacher in teachers:
        teacher.trainable = False
    share, temperature, ops = recipe.teacher_share, recipe.teacher_temperature, keras.ops

    def answers_of(teacher: keras.Sequential, x: Any) -> Any:
        return ops.softmax(ops.log(ops.maximum(teacher(x, training=False), LEAST)) / temperature)

    class Student(keras.Model):  # type: ignore[misc]
        """Knows its teachers by a closure: networks that were its attributes Keras would take for parts of it."""

        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *rest: Any, **named: Any) -> Any:
            taught = sum(answers_of(teacher, x) for teacher in teachers) / len(teachers)
            return super().compute_loss(x, share * taught + (1 - share) * y, y_pred, *rest, **named)

    return Student(network.inputs, network.outputs, name=network.name)
