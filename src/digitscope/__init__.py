"""Digitscope trains the network that reads handwritten digits, reads real digits with it, and shows exactly how.

The names below are the public interface; each is imported from its module when it is first used, so that reading
starts without the packages that training needs.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# ONNX Runtime reports its use to its maker, with a number for this user that it keeps on the disk, unless this is set
# before it is imported (its docs/Privacy.md; on Linux from 1.29 on).
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.2.0"

_HOME = {
    "Box": "io.elements",
    "ConfigError": "errors",
    "CorruptionScores": "models.robustness",
    "DataError": "errors",
    "Dataset": "datasets.dataset",
    "Digit": "io.elements",
    "DigitClassifier": "training.estimator",
    "DigitscopeError": "errors",
    "Evaluation": "models.evaluation",
    "GeometryScores": "models.robustness",
    "ImageError": "errors",
    "Lens": "models.lens",
    "Line": "io.elements",
    "MissingExtra": "errors",
    "Model": "models.model",
    "ModelError": "errors",
    "Number": "io.elements",
    "Page": "io.page",
    "Reader": "reading.reader",
    "Recipe": "training.recipes",
    "Run": "experiments.run",
    "corruption_scores": "models.robustness",
    "geometry_scores": "models.robustness",
    "load": "models.model",
    "load_dataset": "datasets.load",
    "load_mnist": "datasets.mnist",
    "look": "models.lens",
    "train": "experiments.run",
}

__all__ = [
    "Box",
    "ConfigError",
    "CorruptionScores",
    "DataError",
    "Dataset",
    "Digit",
    "DigitClassifier",
    "DigitscopeError",
    "Evaluation",
    "GeometryScores",
    "ImageError",
    "Lens",
    "Line",
    "MissingExtra",
    "Model",
    "ModelError",
    "Number",
    "Page",
    "Reader",
    "Recipe",
    "Run",
    "corruption_scores",
    "geometry_scores",
    "load",
    "load_dataset",
    "load_mnist",
    "look",
    "train",
]

if TYPE_CHECKING:
    from digitscope.datasets.dataset import Dataset
    from digitscope.datasets.load import load_dataset
    from digitscope.datasets.mnist import load_mnist
    from digitscope.errors import ConfigError, DataError, DigitscopeError, ImageError, MissingExtra, ModelError
    from digitscope.experiments.run import Run, train
    from digitscope.io.elements import Box, Digit, Line, Number
    from digitscope.io.page import Page
    from digitscope.models.evaluation import Evaluation
    from digitscope.models.lens import Lens, look
    from digitscope.models.model import Model, load
    from digitscope.models.robustness import CorruptionScores, GeometryScores, corruption_scores, geometry_scores
    from digitscope.reading.reader import Reader
    from digitscope.training.estimator import DigitClassifier
    from digitscope.training.recipes import Recipe


def __getattr__(name: str) -> Any:
    if name in _HOME:
        try:
            return getattr(import_module(f"digitscope.{_HOME[name]}"), name)
        except ModuleNotFoundError as error:
            from digitscope.errors import MissingExtra

            raise MissingExtra.of(error) or error from error
    raise AttributeError(f"module 'digitscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
