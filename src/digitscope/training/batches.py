"""The batches of a fit, in a new order for every epoch. Loads no data and fits nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from digitscope.arraytypes import Floats, Images, Labels
from digitscope.backend import keras
from digitscope.preprocessing.augment import distort
from digitscope.preprocessing.disturb import disturb

AHEAD = 4
"""Batches that are prepared while the network learns from an earlier one."""

_ONE_HOT = np.eye(10, dtype=np.float32)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Every image once per epoch, as it is or distorted; seed, epoch and batch alone decide order and distortions.

    So an interrupted fit continues exactly as if nothing had happened. Keras' own shuffle draws from each backend's
    global generators, and under TensorFlow repeats one order in all epochs once a seed is set.

    Give ``shuffle=False`` to Keras' ``fit``, which would shuffle the batches again, and call ``set_epoch`` before
    every epoch.
    """

    def __init__(
        self,
        images: Images,
        labels: Labels,
        batch_size: int,
        seed: int,
        strength: float = 0.0,
        amount: float = 0.0,
        shares: int = 1,
    ) -> None:
        """Begin with the first epoch.

        Args:
            images: uint8 (n, 28, 28) 0..255.
            labels: uint8 (n,) 0..9.
            batch_size: images per batch; the last one of an epoch holds what is left.
            seed: of order and distortions.
            strength: of ``augment.distort``; 0 leaves the images as they are.
            amount: of ``disturb.disturb``, after that; 0 adds nothing.
            shares: number of devices that share every batch equally. A last batch that cannot be shared equally is
                repeated as a whole until it can. Its mean, from which the network learns, stays the same; only the
                loss and accuracy that Keras reports count it several times.
        """
        super().__init__()
        self._images, self._labels = images, labels
        self._batch_size, self._seed, self._shares = batch_size, seed, shares
        self._strength, self._amount = strength, amount
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Give the batches of this epoch from now on; epochs are counted from 0."""
        self._epoch = epoch
        self._order = np.random.default_rng((self._seed, epoch)).permutation(len(self._images))

    def __len__(self) -> int:
        return -(-len(self._images) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[Floats, Floats]:
        """A batch of the epoch: images float32 (b, 28, 28, 1) 0..1, and labels float32 (b, 10), one-hot."""
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        images, rng = self._images[chosen], np.random.default_rng((self._seed, self._epoch, index))
        if self._strength:
            fields = distort(images, self._strength, rng)
        else:
            fields = np.divide(images, np.float32(255), dtype=np.float32)
        if self._amount:
            fields = disturb(fields, self._amount, rng)
        times = self._shares // math.gcd(self._shares, len(chosen))
        fields, answers = fields[..., None], _ONE_HOT[self._labels[chosen]]
        return (fields, answers) if times == 1 else (np.tile(fields, (times, 1, 1, 1)), np.tile(answers, (times, 1)))


def pipeline_of(batches: Batches) -> Any:
    """The batches as Keras' ``fit`` takes them: on TensorFlow, a ``tf.data`` pipeline that does not tune itself.

    Keras' own pipeline does, and its tuner's thread delayed the end of an epoch by two seconds in three fits of four;
    ``classic`` takes six seconds in all.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf  # extra train, and only where Keras runs on it

    def epoch() -> Iterator[tuple[Floats, Floats]]:
        for index in range(len(batches)):
            yield batches[index]

    shapes = tf.TensorSpec((None, 28, 28, 1), tf.float32), tf.TensorSpec((None, 10), tf.float32)
    options = tf.data.Options()
    options.autotune.enabled = False
    pipeline = tf.data.Dataset.from_generator(epoch, output_signature=shapes)
    pipeline = pipeline.apply(tf.data.experimental.assert_cardinality(len(batches)))
    return pipeline.prefetch(AHEAD).with_options(options)
