"""Digitscope trains the network that reads handwritten digits, reads real digits with it, and shows exactly how.

The names below are the public interface; each is imported from its module when it is first used, so that reading
starts without the packages that training needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "ConfigError": "errors",
    "DataError": "errors",
    "Dataset": "datasets",
    "DigitClassifier": "classifier",
    "DigitscopeError": "errors",
    "Evaluation": "evaluate",
    "ImageError": "errors",
    "Lens": "lens",
    "MissingExtra": "errors",
    "Model": "models",
    "ModelError": "errors",
    "Number": "values",
    "Page": "values",
    "Reader": "reader",
    "Recipe": "recipes",
    "Run": "training",
    "load": "models",
    "load_dataset": "datasets",
    "load_mnist": "datasets",
    "look": "lens",
    "train": "training",
}

__all__ = [
    "ConfigError",
    "DataError",
    "Dataset",
    "DigitClassifier",
    "DigitscopeError",
    "Evaluation",
    "ImageError",
    "Lens",
    "MissingExtra",
    "Model",
    "ModelError",
    "Number",
    "Page",
    "Reader",
    "Recipe",
    "Run",
    "load",
    "load_dataset",
    "load_mnist",
    "look",
    "train",
]

if TYPE_CHECKING:
    from digitscope.classifier import DigitClassifier
    from digitscope.datasets import Dataset, load_dataset, load_mnist
    from digitscope.errors import ConfigError, DataError, DigitscopeError, ImageError, MissingExtra, ModelError
    from digitscope.evaluate import Evaluation
    from digitscope.lens import Lens, look
    from digitscope.models import Model, load
    from digitscope.reader import Reader
    from digitscope.recipes import Recipe
    from digitscope.training import Run, train
    from digitscope.values import Number, Page


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
