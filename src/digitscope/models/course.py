"""The course of a training: the loss of every step, and the weights at some of them. It trains nothing.

``training.fit`` records it, a run keeps it in ``course.npz``, the report draws its losses, and the page replays it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope import files
from digitscope.arraytypes import Floats
from digitscope.datasets.arrays import read_npz
from digitscope.errors import DataError, first_line

COURSE = "course.npz"
"""The file of a run that holds the course of its training."""

LARGEST = 256 * 1024**2
"""The most bytes that an array of the file may unpack to; twelve stages of the recipe ``strong`` take 6 million."""

PARTS = ("losses", "steps", "weights")
"""The names of its arrays in a file."""


@dataclass(frozen=True, eq=False)
class Course:
    """How a network came to be.

    Attributes:
        losses: float32 (s,) the mean loss over the batch of each step.
        steps: int64 (k,) steps of the optimizer taken at each stage, rising; 0 is the untrained network.
        weights: float16 (k, n) all weights at each stage: of each layer that learns its kernel, in Keras' layout, then
            its bias.
    """

    losses: Floats
    steps: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float16]

    def write(self, path: Path) -> None:
        """Write the course as an ``.npz``, whole or not at all."""
        content = io.BytesIO()
        np.savez_compressed(content, **self.arrays())
        files.write_bytes(path, content.getvalue())

    def arrays(self) -> dict[str, Any]:
        """Its three arrays by name."""
        return {name: getattr(self, name) for name in PARTS}

    @classmethod
    def of(cls, arrays: dict[str, Any]) -> Course:
        """The course in three arrays.

        Raises:
            DataError: they are of other types or shapes, or a number among them is not finite.
        """
        losses, steps, weights = (arrays[name] for name in PARTS)
        kinds = (losses.dtype, steps.dtype, weights.dtype) == (np.float32, np.int64, np.float16)
        shapes = losses.ndim == steps.ndim == 1 and weights.ndim == 2 and len(steps) == len(weights)
        if not (kinds and shapes):
            raise DataError("its arrays have other types or shapes")
        if not (np.isfinite(losses).all() and np.isfinite(weights).all() and (np.diff(steps) > 0).all()):
            raise DataError("its numbers are no measurements")
        return cls(losses, steps, weights)

    @classmethod
    def read(cls, folder: Path) -> Course | None:
        """The course of the run in a folder; None if none was recorded.

        Raises:
            DataError: the file is damaged.
        """
        path = folder / COURSE
        if not path.is_file():
            return None
        try:
            return cls.of(read_npz(path, [PARTS], LARGEST))
        except DataError as error:
            raise DataError(f"{path} is damaged ({first_line(error)}); delete it, or train the run again") from error


def flat(weights: list[npt.NDArray[Any]]) -> npt.NDArray[np.float16]:
    """A network's arrays of weights as one row of a course, float16 (n,); what float16 cannot reach is cut off."""
    values = np.concatenate([np.ravel(part) for part in weights])
    limit = float(np.finfo(np.float16).max)
    return values.clip(-limit, limit).astype(np.float16)
