"""Looks up one digit by name: an image of a dataset, by its number or place, or an image file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from digitscope.arraytypes import Floats, Images
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.errors import ConfigError, ImageError
from digitscope.formatting import file_name
from digitscope.io.image import load_picture
from digitscope.preprocessing import field, ink


@dataclass(frozen=True, eq=False)
class NamedDigit:
    """A digit to look at.

    Attributes:
        name: short, fit for a file name.
        title: for a heading.
        pixels: (28, 28) with a bright pen: uint8 0..255 from a dataset, float32 0..1 from an image file.
    """

    name: str
    title: str
    pixels: Images | Floats


def digit_named(name: str, data: str | Path | Dataset = "mnist") -> NamedDigit:
    """The digit that a name stands for.

    Args:
        name: ``test:17`` or ``train:5`` for an image of the dataset, its place (``digitscope.Dataset.place``), or the
            path of an image file.
        data: what ``digitscope.load_dataset`` takes.

    Raises:
        ConfigError: the dataset has no such image.
        ImageError: there is no such file, it is not an image, it is blank, or its digit is too small.

    >>> digit_named("test:17").title
    'test image 17, labelled 7'
    """
    if data == "mnist" and not re.fullmatch(r"(test|train):-?\d{1,9}", name):
        return _in_file(name)  # MNIST's images have no places, so it need not be loaded
    dataset = load_dataset(data)
    parts = {
        "test": (dataset.places_test, dataset.x_test, dataset.y_test),
        "train": (dataset.places_train, dataset.x_train, dataset.y_train),
    }
    for part, (places, images, labels) in parts.items():
        numbered = re.fullmatch(rf"{part}:(-?\d{{1,9}})", name)
        if numbered is None and file_name(name) not in places:
            continue
        index = int(numbered[1]) if numbered else list(places).index(file_name(name))
        if not 0 <= index < len(images):
            known = f"images go from {part}:0 to {part}:{len(images) - 1}"
            raise ConfigError(f"{name} does not exist; the {part} {known} in {dataset.name}")
        kind = "test image" if part == "test" else "training image"
        title = f"{kind} {index}" if not places else places[index]
        return NamedDigit(f"{part}-{index}", f"{title}, labelled {labels[index]}", images[index])
    return _in_file(name)


def _in_file(name: str) -> NamedDigit:
    """The digit in an image file."""
    found = ink.find_ink(load_picture(name, ink.LONGEST).pixels)
    if found.box is None and found.specks is not None:
        raise ImageError(f"what is written in {name} is small for the picture; crop it closer to the one digit")
    if found.box is None:
        raise ImageError(f"{name} is blank; give a picture with a digit on it, or test:17 for a test image")
    short = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower()).strip("-") or "digit"
    return NamedDigit(short, file_name(Path(name).name), field.field_of(found.ink, found.box).pixels)
