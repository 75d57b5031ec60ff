"""A model by name or path, its answers, and how good they are. A ``.keras`` file needs Keras; nothing else does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from digitscope.arraytypes import Floats
from digitscope.errors import ConfigError, MissingExtra, ModelError
from digitscope.models.inputs import network_input
from digitscope.models.keras_guard import check_beginning
from digitscope.models.run_folder import read_json
from digitscope.models.session import ClassifierSession, read_model

if TYPE_CHECKING:
    from digitscope.datasets.dataset import Dataset  # start-up: as for ``Model.evaluate``
    from digitscope.models.evaluation import Evaluation  # start-up: as for ``Model.evaluate``


@dataclass(frozen=True, eq=False)
class Model:
    """A trained classifier of 28x28 digits.

    Attributes:
        name: its name, or the path it was loaded from.
        session: the network in ONNX Runtime.
        card: what its files say about it: recipe, data, metrics; empty for a single model file.
    """

    name: str
    session: ClassifierSession
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def short_name(self) -> str:
        """The name without the folders that lead to it, e.g. ``classic``, ``my-run`` or ``digits.onnx``."""
        path = Path(self.name).expanduser()
        return path.resolve().name if path.is_dir() else path.name

    def predict(self, x: npt.ArrayLike) -> Floats:
        """The ten probabilities of each image.

        Args:
            x: one image (28, 28) or images (n, 28, 28) or (n, 28, 28, 1); uint8 0..255 or floats 0..1, pen bright.

        Returns:
            float32 (n, 10) 0..1, each row adds up to 1.

        Raises:
            DataError: another shape or type, or values outside the range.
            ModelError: the network's answers are not probabilities.

        >>> import numpy as np
        >>> load("classic").predict(np.zeros((3, 28, 28), np.uint8)).shape
        (3, 10)
        """
        return self.session.probabilities(network_input(x))

    def evaluate(self, data: str | Path | Dataset = "mnist") -> Evaluation:
        """Measure the model on the test images of a dataset.

        Args:
            data: a dataset, or the name or path of one, as ``digitscope.load_dataset`` takes it.

        Returns:
            Accuracy, loss, figures per digit, confusions, calibration and the most confident mistakes.

        Raises:
            ConfigError: there is no such dataset.
            DataError: the dataset is damaged.
            ModelError: the network's answers are not probabilities.
            MissingExtra: SciPy or scikit-learn is not installed.
        """
        from digitscope.datasets.load import load_dataset  # start-up: what a measurement needs takes 15 ms
        from digitscope.models.metrics import evaluate_predictions  # start-up: as above

        dataset = load_dataset(data)
        return evaluate_predictions(self.predict(dataset.x_test), dataset.y_test, mnist_test=dataset.is_mnist)


def shipped() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(entry.name.removesuffix(".onnx") for entry in _folder().iterdir() if entry.name.endswith(".onnx"))


def load(model: str | Path = "classic") -> Model:
    """Load a model.

    Args:
        model: ``"classic"``, ``"robust"``, ``"strong"`` or ``"reader-digit"``, which come with the package; the folder
            of a finished training; or an ``.onnx`` or ``.keras`` file.

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
        return Model(name, _shipped_session(content, name), card)
    path = _existing(model)
    if path is None:
        raise ConfigError(
            f"no model {name!r}; give {', '.join(shipped())}, a run folder, or a path to an .onnx or .keras file"
        )
    if path.is_dir():
        if not (path / "model.onnx").is_file():
            raise ModelError(f"{name} has no model.onnx; give the folder of a finished training")
        return Model(name, ClassifierSession(read_model(path / "model.onnx"), name), _run_card(path))
    if path.suffix not in (".onnx", ".keras"):
        check_beginning(path)
        raise ModelError(f"{name} ends in {path.suffix!r}; a model file ends in .onnx or .keras")
    content = _converted(path) if path.suffix == ".keras" else read_model(path)
    return Model(name, ClassifierSession(content, name))


@lru_cache
def _shipped_session(content: bytes, name: str) -> ClassifierSession:
    """The session of a shipped model, shared by all who load it: to read a digit takes it twice."""
    return ClassifierSession(content, name)


def _converted(path: Path) -> bytes:
    """A ``.keras`` file as ONNX."""
    try:
        from digitscope.models.export_onnx import onnx_of_keras_file  # extra train
    except ModuleNotFoundError as error:
        raise MissingExtra.of(error) or error from error
    return onnx_of_keras_file(path)


def _existing(model: str | Path) -> Path | None:
    """The file or folder of this name; None if there is none."""
    try:
        path = Path(model).expanduser()
        return path if path.is_dir() or path.is_file() else None
    except (OSError, RuntimeError):  # a name that is too long, a folder that may not be searched, ~nobody
        return None


def _folder() -> Any:
    """The folder of the models that come with the package."""
    return resources.files("digitscope") / "shipped" / "models"


def _run_card(folder: Path) -> dict[str, Any]:
    """What a run folder says about its model: ``config.json`` and ``metrics.json``."""
    card: dict[str, Any] = {}
    for part in ("config", "metrics"):
        if (folder / f"{part}.json").exists():
            card[part] = read_json(folder / f"{part}.json")
    return card
