"""Distillation: a network that learns from the answers of other networks, its teachers, as well as from the labels.

Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015. Unlike there, the student's own
answers are not softened; its temperature is set after the fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from digitscope.backend import keras
from digitscope.training.recipes import Recipe

LEAST = 1e-7
"""A teacher's probabilities below this count as this; half precision has no smaller one."""


def as_student(network: keras.Sequential, teachers: Sequence[keras.Sequential], recipe: Recipe) -> keras.Model:
    """The network with another loss: it learns mostly from its teachers' answers. Layers and weights are shared.

    Every image also goes through the teachers, distorted as the student sees it. Their answers say which digits it
    resembles a little, which its label does not. The accuracy that Keras reports still counts labels.

    Args:
        network: the student.
        teachers: fitted networks; their weights do not change from here on.
        recipe: how much the teachers count (``teacher_share``) and how much their answers are softened
            (``teacher_temperature``).
    """
    for teacher in teachers:
        teacher.trainable = False
    share, temperature, ops = recipe.teacher_share, recipe.teacher_temperature, keras.ops

    def softened(teacher: keras.Sequential, x: Any) -> Any:
        return ops.softmax(ops.log(ops.maximum(teacher(x, training=False), LEAST)) / temperature)

    class Student(keras.Model):  # type: ignore[misc]
        """Reaches its teachers through a closure: Keras would take attributes for parts of the student."""

        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *rest: Any, **named: Any) -> Any:
            taught = sum(softened(teacher, x) for teacher in teachers) / len(teachers)
            return super().compute_loss(x, share * taught + (1 - share) * y, y_pred, *rest, **named)

    return Student(network.inputs, network.outputs, name=network.name)
