"""Where a fit stands after a finished epoch, and the one file that holds it. Fits nothing, decides nothing.

Order and augmentation follow from seed and epoch (``feed``), so there is no random generator to keep.
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
import numpy.typing as npt

from digitscope import files
from digitscope.datasets.arrays import read_npz
from digitscope.errors import DataError

if TYPE_CHECKING:
    import keras


MOST_VARIABLES = 10_000
"""Variables that a checkpoint may announce; the largest recipe has some hundred, with those of its optimizer."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything that the next epoch depends on.

    Attributes:
        history: a row per finished epoch.
        seconds: that the fit has taken up to here, over all its parts.
        variables: those of the network and then of its optimizer: weights, moments, running means, steps taken.
        teachers: the weights of each network that is trained before this one and has all its epochs.
    """

    history: list[dict[str, float]]
    seconds: float
    variables: list[npt.NDArray[np.generic]]
    teachers: list[list[npt.NDArray[np.generic]]]

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
    ) -> Checkpoint:
        """The state of a compiled network between two epochs of its ``fit``, and of the teachers that are ready."""
        taught = [_values(teacher.variables) for teacher in teachers]
        return cls(list(history), seconds, _values(_variables(network)), taught)

    def restore(self, network: keras.Model, teachers: Sequence[keras.Model]) -> None:
        """Put the state into a network of the same recipe, compiled, its optimizer built, and into so many teachers.

        Raises:
            DataError: it is the state of other networks.
        """
        models = [_variables(network), *(teacher.variables for teacher in teachers)]
        parts = [self.variables, *self.teachers]
        there = [[(value.shape, value.dtype.kind) for value in part] for part in parts]
        if there != [[(tuple(variable.shape), np.dtype(variable.dtype).kind) for variable in of] for of in models]:
            raise DataError("the checkpoint is that of another network; --overwrite starts the run anew")
        for variable, value in zip(itertools.chain(*models), itertools.chain(*parts), strict=True):
            variable.assign(value)

    def write(self, path: Path) -> None:
        """Write it, whole or not at all: whoever is killed here leaves the file of the epoch before."""
        parts = [self.variables, *self.teachers]
        counts = [len(part) for part in parts]
        told = {"history": self.history, "seconds": self.seconds, "variables": counts}
        arrays = dict(zip(itertools.chain(*_names(counts)), itertools.chain(*parts), strict=True))
        content = io.BytesIO()
        np.savez(content, told=np.frombuffer(json.dumps(told).encode(), np.uint8), **arrays)  # type: ignore[arg-type]
        files.write_bytes(path, content.getvalue())

    @classmethod
    def read(cls, path: Path) -> Checkpoint:
        """Read it back.

        Raises:
            DataError: it cannot be read, or holds something else.
        """
        try:
            told = json.loads(read_npz(path, [["told"]])["told"].tobytes())
            history = [{str(key): float(value) for key, value in row.items()} for row in told["history"]]
            counts = [int(count) for count in told["variables"]]
            if min(counts) < 0 or sum(counts) > MOST_VARIABLES:
                raise ValueError(f"it announces {told['variables']} variables")
            names = _names(counts)
            arrays = read_npz(path, [list(itertools.chain(*names))])
            variables, *teachers = [[arrays[name] for name in part] for part in names]
            return cls(history, float(told["seconds"]), variables, teachers)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise DataError(f"{path} is no checkpoint to go on from ({error}); --overwrite starts anew") from error


def _variables(network: keras.Model) -> list[Any]:
    return [*network.variables, *network.optimizer.variables]


def _values(variables: Sequence[Any]) -> list[npt.NDArray[np.generic]]:
    return [np.array(variable.numpy()) for variable in variables]


def _names(counts: Sequence[int]) -> list[list[str]]:
    """What each array is called in the file: those of the network, then those of each teacher."""
    parts = ["variable", *(f"teacher_{number}" for number in range(1, len(counts)))]
    return [[f"{part}_{number}" for number in range(count)] for part, count in zip(parts, counts, strict=True)]
