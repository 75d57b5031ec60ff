"""The split of labelled images into training and test images, and what is odd about the two parts.

It reads no files; ``datasets.load``, ``datasets.table`` and ``datasets.folder`` do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitscope.arraytypes import Images, Integers, Labels, Mask
from digitscope.errors import DataError

EVERY = 7
"""In a set without a test part, one image in seven of each digit becomes a test image, as in MNIST."""

_REPEATED = "test images are training images"
"""Words in the warning about repeated images. They must not change: run folders keep warnings as sentences."""

FEW = 20
"""A digit with fewer training images than this gets a warning."""

DIM = 64
"""Images without a level this bright do not use 0 to 255; divided by 255, they would be almost blank."""


@dataclass(frozen=True, eq=False)
class Part:
    """Labelled images, and where each is found.

    Attributes:
        images: uint8 (n, 28, 28) 0..255, 255 = pen.
        labels: uint8 (n,) 0..9.
        places: where each image is found: a file, or a file and a line.
    """

    images: Images
    labels: Labels
    places: Sequence[str]

    def take(self, indices: Integers) -> Part:
        """The images with these indices, in that order."""
        return Part(self.images[indices], self.labels[indices], [self.places[index] for index in indices])


def split(part: Part, name: str) -> tuple[Part, Part]:
    """Training and test images from one set: the 2nd, 9th, 16th ... image of each digit is a test image.

    The same set is always split the same way, and both parts hold the digits in the same proportion.

    Raises:
        DataError: no digit has two images.

    >>> two = Part(np.zeros((16, 28, 28), np.uint8), np.repeat(np.uint8([3, 8]), 8), [""] * 16)
    >>> train, test = split(two, "two")
    >>> len(train.labels), test.labels.tolist()
    (14, [3, 8])
    """
    is_test = np.zeros(len(part.labels), bool)
    for digit in range(10):
        is_test[np.flatnonzero(part.labels == digit)[1::EVERY]] = True
    if not is_test.any():
        raise DataError(f"{name} has no digit with two images; a training and a test part need one each, add images")
    return part.take(np.flatnonzero(~is_test)), part.take(np.flatnonzero(is_test))


def bright_paper(images: Images) -> Mask:
    """Whether each image shows a dark pen on bright paper, bool (n,), by the mean level along its rim."""
    rim = np.ones((28, 28), bool)
    rim[1:-1, 1:-1] = False
    return np.asarray(images[:, rim].mean(axis=1) > 127)


def data_warnings(train: Part, test: Part) -> tuple[str, ...]:
    """Reasons to be careful with figures measured on these parts, one sentence each."""
    counts = np.bincount(train.labels, minlength=10)
    absent = [str(digit) for digit in range(10) if counts[digit] == 0]
    few = [f"{counts[digit]} of {digit}" for digit in range(10) if 0 < counts[digit] < FEW]
    untested = sorted({*range(10)} - {*test.labels.tolist()})
    found = []
    if absent:
        found.append(f"no training image of {', '.join(absent)}: a network cannot learn what it looks like")
    if few:
        found.append(f"few training images: {', '.join(few)}; fewer than {FEW} per digit teach little")
    if untested:
        found.append(f"no test image of {', '.join(map(str, untested))}: the test says nothing about that")
    levels = (*level_warnings("training", train.images), *level_warnings("test", test.images))
    return (*found, *levels, *_repeated(train, test))


def level_warnings(name: str, images: Images) -> tuple[str, ...]:
    """What is odd about the levels of images, one sentence each; ``name`` is what the sentences call them."""
    found = []
    bright = bright_paper(images)
    if 2 * bright.sum() > len(bright):
        found.append(f"most {name} images show a dark pen on bright paper; 0 must be paper, give 255 - level")
    brightest = int(images.max())
    if brightest < DIM:
        cure = f"multiply all levels by {255 // brightest}" if brightest else "they are blank"
        found.append(f"the brightest pixel of the {name} images is {brightest} of 255; {cure}")
    return tuple(found)


def is_about_repeated(warning: str) -> bool:
    """Whether a warning says that test images are training images too.

    >>> is_about_repeated("3 of 10 test images are training images too, pixel for pixel, ...")
    True
    """
    return _REPEATED in warning


def _repeated(train: Part, test: Part) -> tuple[str, ...]:
    """A warning if test images are training images too, with their number and the first of them."""
    seen = {image.tobytes(): index for index, image in enumerate(train.images)}
    pairs = [(seen.get(image.tobytes()), index) for index, image in enumerate(test.images)]
    both = [(before, index) for before, index in pairs if before is not None]
    if not both:
        return ()
    before, index = both[0]
    return (
        f"{len(both):,} of {len(test.images):,} {_REPEATED} too, pixel for pixel, and flatter "
        f"the result: {test.places[index]} is {train.places[before]}",
    )
