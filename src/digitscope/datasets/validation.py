"""Validation images: training images set aside to measure choices on, so that the test images stay unseen."""

from __future__ import annotations

import numpy as np

from digitscope.datasets.dataset import Dataset
from digitscope.datasets.mnist import is_mnist
from digitscope.datasets.split import EVERY, Part, split

FIRST_ASIDE = 48_025
"""The first training image of MNIST by the last 64 writers of NIST's Special Database 3.

MNIST's training images with odd numbers, and all from 58,099 on, come from that database, one writer after the other;
the others come from Special Database 1, with its writers mixed. Source: checked against the writers listed in QMNIST
(Yadav and Bottou, "Cold case: the lost MNIST digits", 2019); none of the 64 has an image elsewhere.
"""

LAST_MIXED = 58_098
"""The last training image of MNIST from Special Database 1."""


def held_out(dataset: Dataset) -> tuple[Part, Part, str]:
    """The training images in two parts, one to train on and one to measure on, and a sentence about the second.

    For MNIST the second part is 6,938 images by 64 people with no other training image. They all come from Special
    Database 3, the tidier half: digits of the other half are misread more than twice as often. In other data the
    writers are unknown, so one image in seven of each digit is set aside.

    Raises:
        DataError: there are not two training images of any digit.
    """
    n = len(dataset.y_train)
    whole = Part(dataset.x_train, dataset.y_train, [f"training image {index}" for index in range(n)])
    if is_mnist(dataset.x_train, dataset.y_train, "train"):
        index = np.arange(n)
        aside = (index >= FIRST_ASIDE) & ((index % 2 == 1) | (index > LAST_MIXED))
        train, validation = whole.take(np.flatnonzero(~aside)), whole.take(np.flatnonzero(aside))
        writers = "by 64 people with no other training image"
    else:
        train, validation = split(whole, f"the training part of {dataset.name}")
        writers = f"one in {EVERY} of each digit, perhaps by the same people as the rest, which flatters"
    about = f"{len(validation.labels):,} of the {n:,} training images, {writers}; the test images were not used"
    return train, validation, about
