"""The part of the training images on which choices are measured; the test images stay unseen."""

from __future__ import annotations

import numpy as np

from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.datasets.split import EVERY, Part, split

FIRST_ASIDE = 48_025
"""The MNIST training image with which the last 64 writers of NIST's Special Database 3 begin.

MNIST's training images at odd places, and all from 58,099 on, come from that database, one writer after the other; the
rest is of Special Database 1, whose writers are mixed. Source: checked against the writers that QMNIST gives (Yadav and
Bottou, "Cold case: the lost MNIST digits", 2019); none of the 64 has an image elsewhere.
"""

LAST_MIXED = 58_098
"""The last MNIST training image that comes from Special Database 1."""


def held_out(dataset: Dataset) -> tuple[Part, Part, str]:
    """The training images as two parts, to learn from and to measure on, and a sentence about the second.

    Of MNIST, 6,938 images by 64 people are set aside, of whom nothing else is trained on. They all come from Special
    Database 3, the tidier half: digits of the other half are missed more than twice as often. Of other data it is not
    known who wrote what; there one image in seven of each digit is set aside.

    Raises:
        DataError: there are not two training images of any digit.
    """
    n = len(dataset.y_train)
    whole = Part(dataset.x_train, dataset.y_train, [f"training image {index}" for index in range(n)])
    if _is_mnist(dataset):
        index = np.arange(n)
        aside = (index >= FIRST_ASIDE) & ((index % 2 == 1) | (index > LAST_MIXED))
        train, validation = whole.taken(np.flatnonzero(~aside)), whole.taken(np.flatnonzero(aside))
        whose = "by 64 people of whom nothing else was trained on"
    else:
        train, validation = split(whole, f"the training part of {dataset.name}")
        whose = f"one in {EVERY} of each digit, perhaps by the same people as the rest, which flatters"
    told = f"{len(validation.labels):,} of the {n:,} training images, {whose}; the test images were not used"
    return train, validation, told


def _is_mnist(dataset: Dataset) -> bool:
    """Whether the training part is MNIST's, image for image."""
    mnist = load_dataset("mnist")
    return np.array_equal(dataset.y_train, mnist.y_train) and np.array_equal(dataset.x_train, mnist.x_train)
