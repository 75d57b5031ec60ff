"""The batches that Keras' ``fit`` is fed with, in an order of their own for every epoch. Loads no data, fits none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Floats, Images, Labels
from digitscope.preprocessing.augment import distort

AHEAD = 4
"""Batches that are made ready while the network learns from another."""

_ONE_HOT = np.eye(10, dtype=np.float32)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Every image once an epoch, as it is or distorted; seed, epoch and batch alone decide order and distortions.

    That is what lets a fit that was killed go on exactly as if nothing had happened. Keras' own shuffle of arrays draws
    from the global generators of each backend, and under TensorFlow repeats one order in all epochs once a seed is set.
    Give ``shuffle=False`` to ``fit``, which else mixes the batches once more, and tell each epoch with ``begin``.
    """

    def __init__(
        self, images: Images, labels: Labels, batch_size: int, seed: int, strength: float = 0.0, shares: int = 1
    ) -> None:
        """Begin with the first epoch.

        Args:
            images: uint8 (n, 28, 28) 0..255.
            labels: uint8 (n,) 0..9.
            batch_size: images per batch; the last one of an epoch holds what is left.
            seed: of order and distortions.
            strength: of ``augment.distort``; 0 leaves the images as they are.
            shares: of equal size that each batch falls into, one for each device. A last batch that does not is
                repeated until it does, whole, so that its mean, which is all that the network learns from, is the same;
                only the loss and accuracy that Keras reports of the epoch count it so many times.
        """
        super().__init__()
        self._images, self._labels = images, labels
        self._batch_size, self._seed, self._strength, self._shares = batch_size, seed, strength, shares
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Turn to an epoch, counted from 0."""
        self._epoch = epoch
        self._order = np.random.default_rng((self._seed, epoch)).permutation(len(self._images))

    def __len__(self) -> int:
        return -(-len(self._images) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[Floats, npt.NDArray[np.float32]]:
        """A batch of the epoch: float32 (b, 28, 28, 1) 0..1, and the answers float32 (b, 10), one-hot."""
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        images = self._images[chosen]
        if self._strength:
            fields = distort(images, self._strength, np.random.default_rng((self._seed, self._epoch, index)))
        else:
            fields = np.divide(images, np.float32(255), dtype=np.float32)
        times = self._shares // math.gcd(self._shares, len(chosen))
        fields, answers = fields[..., None], _ONE_HOT[self._labels[chosen]]
        return (fields, answers) if times == 1 else (np.tile(fields, (times, 1, 1, 1)), np.tile(answers, (times, 1)))


def fed(batches: Batches) -> Any:
    """What ``fit`` takes: the batches as they are, on TensorFlow as a ``tf.data`` pipeline that does not tune itself.

    Keras' own pipeline does, and the thread that tunes held up the end of an epoch by two seconds, in three fits of
    four; ``classic`` takes six seconds in all.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    def epoch() -> Iterator[tuple[Floats, npt.NDArray[np.float32]]]:
        for index in range(len(batches)):
            yield batches[index]

    shapes = tf.TensorSpec((None, 28, 28, 1), tf.float32), tf.TensorSpec((None, 10), tf.float32)
    options = tf.data.Options()
    options.autotune.enabled = False
    pipeline = tf.data.Dataset.from_generator(epoch, output_signature=shapes)
    pipeline = pipeline.apply(tf.data.experimental.assert_cardinality(len(batches)))
    return pipeline.prefetch(AHEAD).with_options(options)
