"""The file with the trainings of a sweep, a line for each: written as it finishes, read when the sweep continues."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from digitscope import files
from digitscope.errors import DataError
from digitscope.training.recipes import Recipe


@dataclass(frozen=True)
class Trial:
    """One training and how it did on the validation images.

    Attributes:
        seed: of the training.
        accuracy: share 0..1 of the validation images that is read correctly.
        misses: validation images that are misread.
        n: validation images.
        loss: mean cross-entropy on them, natural logarithm.
        parameters: of the network.
        seconds: what the fit took.
        recipe: what was trained.
    """

    seed: int
    accuracy: float
    misses: int
    n: int
    loss: float
    parameters: int
    seconds: float
    recipe: Recipe


def append_trial(path: Path, trial: Trial) -> None:
    """Add a line to a file of trials; it is safe on the disk when this returns.

    Raises:
        ConfigError: the file cannot be written.
    """
    cure = "the trainings in it are safe; free some space or fix the permissions, then run the same sweep again"
    with files.writing(path, cure), path.open("ab") as file:
        file.write(json.dumps(asdict(trial)).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_trials(path: Path) -> list[Trial]:
    """The trials in a file; a last line that a killed process left incomplete is removed from it.

    Raises:
        DataError: the file cannot be read, or a line is not the record of a training.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            files.write_bytes(path, whole)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); set out to another folder") from error
    trials = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            trials.append(_trial(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise DataError(
                f"line {number} of {path} is not the record of a training ({type(error).__name__}: {error}); "
                "delete the line, and it will be trained again"
            ) from error
    return trials


def _trial(record: Mapping[str, Any]) -> Trial:
    seed, misses, n, parameters = (int(record[key]) for key in ("seed", "misses", "n", "parameters"))
    accuracy, loss, seconds = (float(record[key]) for key in ("accuracy", "loss", "seconds"))
    if not (0 <= misses <= n and n > 0 and abs(accuracy - (n - misses) / n) < 1e-9 and parameters > 0 and seed >= 0):
        raise ValueError("its numbers contradict each other")
    if not (0 <= loss < math.inf and 0 <= seconds < math.inf):
        raise ValueError("its loss or its seconds are impossible")
    return Trial(seed, accuracy, misses, n, loss, parameters, seconds, Recipe.from_dict(record["recipe"]))
