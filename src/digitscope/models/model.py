"""Models by name or path, and what they answer. Needs ONNX Runtime only, except to open a ``.keras`` file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from digitscope.errors import ConfigError, DataError, MissingExtra, ModelError, first_line
from digitscope.models.run_folder import read_record
from digitscope.models.session import ClassifierSession, read_model

if TYPE_CHECKING:
    from digitscope.datasets.dataset import Dataset
    from digitscope.models.metrics import Evaluation


@dataclass(frozen=True, eq=False)
class Model:
    """A trained classifier of 28x28 digits.

    Attributes:
        name: its name, or the path it came from.
        session: the network in ONNX Runtime.
        card: what is known about it: recipe, data, metrics (empty for a bare ``.onnx``).
    """

    name: str
    session: ClassifierSession
    card: dict[str, Any] = field(default_factory=dict)

    def predict(self, x: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The ten probabilities of each image.

        Args:
            x: one image (28, 28) or images (n, 28, 28) or (n, 28, 28, 1); uint8 0..255 or floats 0..1, pen bright.

        Returns:
            float32 (n, 10) 0..1, each row adds up to 1.

        Raises:
            DataError: another shape or type, or values outside the range.

        >>> load("classic").predict(np.zeros((3, 28, 28), np.uint8)).shape
        (3, 10)
        """
        return self.session.probabilities(network_input(x))

    def evaluate(self, data: str | Path | Dataset = "mnist") -> Evaluation:
        """Measure the model on the test part of a dataset; see ``models.metrics.evaluate``."""
        from digitscope.models.metrics import evaluate

        return evaluate(self, data)


def network_input(x: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Images in any accepted form as the float32 (n, 28, 28, 1) 0..1 that the network takes.

    Args:
        x: (28, 28), (n, 28, 28) or (n, 28, 28, 1); uint8 0..255 is divided by 255, floats must be 0..1 already.

    Raises:
        DataError: another shape or type, or values outside the range.
    """
    try:
        images = np.asarray(x)
    except ValueError as error:  # rows of different lengths
        raise DataError(f"the images are no array ({first_line(error)}); give (n, 28, 28), uint8 or floats") from error
    if images.ndim == 2:
        images = images[None]
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise DataError(f"images have shape {np.shape(x)}; expected (28, 28), (n, 28, 28) or (n, 28, 28, 1)")
    if images.dtype == np.uint8:
        scaled = images.astype(np.float32) / np.float32(255)
    elif np.issubdtype(images.dtype, np.floating):
        scaled = images.astype(np.float32)
        if scaled.size and not (scaled.min() >= 0 and scaled.max() <= 1):
            raise DataError(
                f"float images span {scaled.min():g} to {scaled.max():g}; expected 0..1 (divide by 255, or give uint8)"
            )
    else:
        raise DataError(f"images are {images.dtype}; expected uint8 0..255 or floats 0..1")
    return scaled[..., None]


def shipped() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(entry.name.removesuffix(".onnx") for entry in _folder().iterdir() if entry.name.endswith(".onnx"))


def load(model: str | Path = "classic") -> Model:
    """A model by name, run folder, ``.onnx`` or ``.keras`` file.

    Args:
        model: a name of ``shipped``; a folder that ``digitscope train`` left; or a model file.

    Raises:
        ConfigError: there is no such model.
        ModelError: the file is damaged, or not a classifier of 28x28 digits.
        DataError: ``config.json`` or ``metrics.json`` of a run is damaged.
        MissingExtra: a ``.keras`` file, and Keras is not installed.

    >>> load("classic").name
    'classic'
    """
    name = str(model)
    if name in shipped():
        content = (_folder() / f"{name}.onnx").read_bytes()
        card = json.loads((_folder() / f"{name}.json").read_text(encoding="utf-8"))
        return Model(name, ClassifierSession(content, name), card)
    path = _existing(model)
    if path is None:
        raise ConfigError(
            f"no model {name!r}; give {', '.join(shipped())}, a run folder, or a path to an .onnx or .keras file"
        )
    if path.is_dir():
        if not (path / "model.onnx").is_file():
            raise ModelError(f"{name} has no model.onnx; give a folder in which a training has finished")
        return Model(name, ClassifierSession(read_model(path / "model.onnx"), name), _run_card(path))
    if path.is_file() and path.suffix == ".onnx":
        return Model(name, ClassifierSession(read_model(path), name))
    if path.is_file() and path.suffix == ".keras":
        try:
            from digitscope.models.export_onnx import onnx_of_keras_file
        except ModuleNotFoundError as error:
            raise MissingExtra.of(error) or error from error
        return Model(name, ClassifierSession(onnx_of_keras_file(path), name))
    raise ModelError(f"{name} ends in {path.suffix!r}; a model file ends in .onnx or .keras")


def _existing(model: str | Path) -> Path | None:
    """The file or folder that is meant; None where there is none."""
    try:
        path = Path(model).expanduser()
        return path if path.is_dir() or path.is_file() else None
    except (OSError, RuntimeError):  # a name that is too long, a folder that may not be looked into, ~nobody
        return None


def _folder() -> Any:
    return resources.files("digitscope") / "shipped" / "models"


def _run_card(folder: Path) -> dict[str, Any]:
    """What a run folder says about its model: ``config.json`` and ``metrics.json``."""
    card: dict[str, Any] = {}
    for part in ("config", "metrics"):
        if (folder / f"{part}.json").exists():
            card[part] = read_record(folder / f"{part}.json")
    return card
