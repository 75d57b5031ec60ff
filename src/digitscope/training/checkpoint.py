"""The state of a fit after an epoch, from which it can be resumed, and the one file that holds it.

The order of the images and their distortions follow from seed and epoch (``training.batches``), so there is no random
generator to save.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitscope import files
from digitscope.arraytypes import AnyArray
from digitscope.datasets.arrays import read_npz
from digitscope.errors import DataError, first_line
from digitscope.models.course import PARTS, Course

if TYPE_CHECKING:
    from digitscope.backend import keras  # start-up: only its types are needed


MOST_VARIABLES = 10_000
"""The most variables that a checkpoint may announce; the largest recipe has about a hundred, optimizer included."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything that the next epoch depends on.

    Attributes:
        history: one row per finished epoch.
        seconds: what the fit has taken so far, including the time before a resume.
        variables: those of the network, then those of its optimizer: weights, moments, running means, steps taken.
        teachers: the weights of each teacher that has finished training.
        course: losses and stages so far; None in a file of version 0.1, which did not record them.
    """

    history: list[dict[str, float]]
    seconds: float
    variables: list[AnyArray]
    teachers: list[list[AnyArray]]
    course: Course | None = None

    @property
    def epochs(self) -> int:
        """Finished epochs, those of the teachers included."""
        return len(self.history)

    @classmethod
    def of(
        cls,
        network: keras.Model,
        history: list[dict[str, float]],
        seconds: float,
        teachers: Sequence[keras.Model],
        course: Course | None,
    ) -> Checkpoint:
        """The state of a compiled network between two epochs of its ``fit``, and of its finished teachers."""
        taught = [_values(teacher.variables) for teacher in teachers]
        return cls(list(history), seconds, _values(_variables(network)), taught, course)

    def restore(self, network: keras.Model, teachers: Sequence[keras.Model]) -> None:
        """Put the state into a compiled network with a built optimizer, and into its finished teachers.

        Raises:
            DataError: it is the state of other networks.
        """
        models = [_variables(network), *(teacher.variables for teacher in teachers)]
        parts = [self.variables, *self.teachers]
        saved = [[(value.shape, value.dtype.kind) for value in part] for part in parts]
        needed = [[(tuple(value.shape), np.dtype(value.dtype).kind) for value in model] for model in models]
        if saved != needed:
            raise DataError("the checkpoint belongs to another network; set overwrite to start the run again")
        for variable, value in zip(itertools.chain(*models), itertools.chain(*parts), strict=True):
            variable.assign(value)

    def write(self, path: Path) -> None:
        """Write the checkpoint, whole or not at all: if the process is killed here, the previous epoch's file stays."""
        parts = [self.variables, *self.teachers]
        counts = [len(part) for part in parts]
        header = {"history": self.history, "seconds": self.seconds, "variables": counts}
        arrays = dict(zip(itertools.chain(*_names(counts)), itertools.chain(*parts), strict=True))
        if self.course is not None:
            arrays |= self.course.arrays()
        content = io.BytesIO()
        np.savez(content, told=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays)  # type: ignore[arg-type]
        files.write_bytes(path, content.getvalue())

    @classmethod
    def read(cls, path: Path) -> Checkpoint:
        """The checkpoint in a file.

        Raises:
            DataError: it cannot be read, or holds something else.
        """
        try:
            header = json.loads(read_npz(path, [["told"]])["told"].tobytes())
            history = [{str(key): float(value) for key, value in row.items()} for row in header["history"]]
            counts = [int(count) for count in header["variables"]]
            if min(counts) < 0 or sum(counts) > MOST_VARIABLES:
                raise ValueError(f"it announces {header['variables']} variables")
            names = _names(counts)
            flat = list(itertools.chain(*names))
            arrays = read_npz(path, [[*flat, *PARTS], flat])
            variables, *teachers = [[arrays[name] for name in part] for part in names]
            course = Course.of(arrays) if PARTS[0] in arrays else None
            return cls(history, float(header["seconds"]), variables, teachers, course)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise DataError(
                f"{path} is not a checkpoint to resume from ({first_line(error)}); set overwrite to start again"
            ) from error


def _variables(network: keras.Model) -> list[Any]:
    return [*network.variables, *network.optimizer.variables]


def _values(variables: Sequence[Any]) -> list[AnyArray]:
    return [np.array(variable.numpy()) for variable in variables]


def _names(counts: Sequence[int]) -> list[list[str]]:
    """The names of the arrays in the file: those of the network, then those of each teacher."""
    parts = ["variable", *(f"teacher_{number}" for number in range(1, len(counts)))]
    return [[f"{part}_{number}" for number in range(count)] for part, count in zip(parts, counts, strict=True)]
