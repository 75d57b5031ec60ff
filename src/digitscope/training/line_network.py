"""The network that reads a line of writing: small and fully convolutional, with a CTC class for every second column.

It takes lines of any width and of the height ``preprocessing.line.HEIGHT``. Every second column answers with a score
for the CTC blank, which means "no character here", for each digit, for each separator and for any other mark.
"""

from __future__ import annotations

from typing import Any

from digitscope.backend import keras
from digitscope.preprocessing.line import CLASSES, HEIGHT

FILTERS = (24, 40, 64, 96, 128, 160, 160, 160, 160, 160, 160)
"""Filters of the convolutions: the first three halve the height, the sixth turns it into columns, and those after it
look at neighbouring columns, the last four each adding to what was there before."""


def build_line_network(precision: str = "float32") -> keras.Model:
    """An untrained line network.

    Normalisation and ReLU come after each pooling, not before it: the same function for a quarter of the work.

    Args:
        precision: Keras dtype policy of all layers but the last, e.g. ``"mixed_bfloat16"``.

    Returns:
        A model from line fields float32 (n, HEIGHT, w, 1), w even, to logits float32 (n, w // 2, 1 + characters),
        blank first.
    """
    layers = keras.layers

    def convolution(
        x: Any, number: int, kernel: Any, strides: int = 1, pool: bool = False, padding: str = "same"
    ) -> Any:
        name = f"conv{number + 1}"
        x = layers.Conv2D(
            FILTERS[number], kernel, strides, padding, use_bias=False, dtype=precision, name=name
        )(x)  # fmt: skip
        if pool:
            x = layers.MaxPooling2D((2, 1), dtype=precision, name=f"{name}_pool")(x)
        x = layers.BatchNormalization(momentum=0.98, dtype=precision, name=f"{name}_norm")(x)
        return layers.ReLU(dtype=precision, name=f"{name}_relu")(x)

    field = keras.Input((HEIGHT, None, 1), name="field")
    x = convolution(field, 0, 5, strides=2)
    x = convolution(x, 1, 3, pool=True)
    x = convolution(x, 2, 3, pool=True)
    x = convolution(x, 3, 3)
    x = convolution(x, 4, 3)
    x = convolution(x, 5, (HEIGHT // 8, 1), padding="valid")
    x = convolution(x, 6, (1, 7))
    for number in range(7, len(FILTERS)):
        seen = convolution(x, number, (1, 7))
        x = layers.Add(dtype=precision, name=f"conv{number + 1}_sum")([x, seen])
    x = layers.Conv2D(CLASSES, 1, dtype="float32", name="logits")(x)
    return keras.Model(field, layers.Reshape((-1, CLASSES), dtype="float32", name="columns")(x), name="line_reader")
