"""Where a fit stands after a finished epoch, and the one file that holds it. Fits nothing, decides nothing.

Order and augmentation follow from seed and epoch (:mod:`feed`), so there is no random generator to keep.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from digitscope import files
from digitscope.arrays import read_npz
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
    """

    history: list[dict[str, float]]
    seconds: float
    variables: list[npt.NDArray[np.generic]]

    @property
    def epochs(self) -> int:
        """Finished epochs."""
        return len(self.history)

    @classmethod
    def of(cls, network: keras.Sequential, history: list[dict[str, float]], seconds: float) -> Checkpoint:
        """The state of a compiled network between two epochs of its ``fit``."""
        return cls(list(history), seconds, [np.array(variable.numpy()) for variable in _variables(network)])

    def restore(self, network: keras.Sequential) -> None:
        """Put the state into a network of the same recipe, compiled, its optimizer built.

        Raises:
            DataError: it is the state of another network.
        """
        variables = _variables(network)
        there = [(value.shape, value.dtype.kind) for value in self.variables]
        if there != [(tuple(variable.shape), np.dtype(variable.dtype).kind) for variable in variables]:
            raise DataError("the checkpoint is that of another network; --overwrite starts the run anew")
        for variable, value in zip(variables, self.variables, strict=True):
            variable.assign(value)

    def write(self, path: Path) -> None:
        """Write it, whole or not at all: whoever is killed here leaves the file of the epoch before."""
        told = {"history": self.history, "seconds": self.seconds, "variables": len(self.variables)}
        arrays = dict(zip(_names(len(self.variables)), self.variables, strict=True))
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
            if not 0 <= told["variables"] <= MOST_VARIABLES:
                raise ValueError(f"it announces {told['variables']} variables")
            arrays = read_npz(path, [_names(told["variables"])])
            return cls(history, float(told["seconds"]), list(arrays.values()))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise DataError(f"{path} is no checkpoint to go on from ({error}); --overwrite starts anew") from error


def _variables(network: keras.Sequential) -> list[Any]:
    return [*network.variables, *network.optimizer.variables]


def _names(count: int) -> list[str]:
    return [f"variable_{number}" for number in range(count)]
