"""The detector that belongs to a model: the one that was kept beside it, or a new one, kept for the next time.

A shipped model has its detector in the package, a run in its folder. A model file from elsewhere gets a new one each
time.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from digitscope import files
from digitscope.errors import DataError
from digitscope.models.model import Model, load, shipped
from digitscope.models.run_folder import DETECTOR, read_json
from digitscope.models.typed_json import typed
from digitscope.progress import Progress
from digitscope.reading.out_of_distribution import Detector

if TYPE_CHECKING:
    from digitscope.datasets.dataset import Dataset  # start-up: only a fit needs it

JUDGES = ("robust", "reader-digit")
"""Shipped models that judge their own answers; the first one judges those of every other model, too."""


def detector_of(model: Model, data: str | Dataset = "mnist", progress: Progress | None = None) -> Detector:
    """The detector of a model; if none is kept, one is fitted and, for a run, kept.

    Args:
        model: a network that describes its layers.
        data: the dataset whose training images are the digits of a fit.
        progress: called with the state of a fit.
    """
    found = kept_detector(model)
    if found is None:
        from digitscope.reading.detector_fit import fit_detector  # start-up: only a fit needs it

        found = fit_detector(model, data, progress=progress)
        keep_detector(model, found)
    return found


def kept_detector(model: Model) -> Detector | None:
    """The detector beside a model; None if there is none, or one of another model, or a damaged one."""
    if model.name in shipped():
        place = resources.files("digitscope") / "shipped" / "models" / f"{model.name}.known.json"
    else:
        place = Path(model.name).expanduser() / DETECTOR
    try:
        with resources.as_file(place) as path:
            found: Detector = typed(read_json(path), Detector)
        return found if found.belongs_to(model) else None
    except (DataError, OSError, TypeError, ValueError, KeyError, OverflowError):
        return None


def keep_detector(model: Model, detector: Detector) -> None:
    """Write a run's detector into its folder; a folder in which nothing can be written stays without."""
    folder = Path(model.name).expanduser()
    if model.name not in shipped() and folder.is_dir():
        with contextlib.suppress(OSError):
            files.write_json(folder / DETECTOR, asdict(detector))


def judge_of(model: Model) -> tuple[Model, Detector]:
    """The shipped model, and its detector, by which single digits are refused that a model reads."""
    return _judge(model.name if model.name in JUDGES else JUDGES[0])


@cache
def _judge(name: str) -> tuple[Model, Detector]:
    model = load(name)
    return model, detector_of(model)
