"""A scikit-learn classifier that trains a recipe's network: for cross-validation, pipelines and grid searches.

``training.fit`` does the work; ``digitscope.train`` is for run folders and figures. Keras is imported, quietly, only
where a network is needed, so that planning a search takes no seconds.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping
from numbers import Integral
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from digitscope.arraytypes import AnyArray, Floats, Images
from digitscope.errors import DataError
from digitscope.models.inputs import network_input
from digitscope.training.recipes import Recipe, recipe_of

SIDE, ANSWERS = 28, 10
"""Pixels of each side of the network's images, and the number of classes that it distinguishes."""

BATCH = 256
"""Images per call of the network: always the same number, so that no answer depends on the other images."""

_INSIDE = "settings__"
"""Prefix that scikit-learn gives to parameters inside ``settings``."""


class DigitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A recipe's network as a scikit-learn classifier.

    Each row of ``X`` is an image, pixel by pixel, line by line; arrays (n, h, w) and (n, h, w, 1) work as well. All
    rows have the same size and range, which you choose: the lowest and highest number of the training rows become 0
    and 255 (later numbers beyond them are clipped), and images of another size are resampled to 28x28. So MNIST's 784
    columns of 0..255 reach the network unchanged, and the 64 columns of 0..16 of scikit-learn's ``load_digits`` work
    too. Recipes with distortions expect a bright pen on dark paper. There may be up to ten classes with any labels.

    The probabilities of ``predict_proba`` are calibrated for MNIST, by the recipe's temperature.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> classifier = DigitClassifier("seed", epochs=1, settings={"filters": (4, 8), "dense": 16})
    >>> classifier.fit(X[:200], y[:200]).predict_proba(X[200:203]).shape
    (3, 10)

    Attributes:
        classes_: the class labels, sorted; the columns of ``predict_proba``.
        n_features_in_: numbers per row.
        image_shape_: height and width of a row's image.
        value_range_: the numbers that became 0 and 255.
        recipe_: the recipe with your settings.
        history_: one row per epoch, see ``training.fit.fit``.
        network_: the fitted Keras network; ``models.export_onnx.export_onnx(classifier.network_, "my.onnx")`` writes
            it as a model file.
    """

    __module__ = "digitscope"  # pickles name the public place, wherever this file is moved

    def __init__(
        self,
        recipe: str | Recipe = "classic",
        *,
        epochs: int | None = None,
        settings: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        """Plan a training; nothing is checked before ``fit``.

        Args:
            recipe: a name of ``training.recipes.RECIPES``, or a recipe of your own.
            epochs: passes over the training images, instead of the recipe's.
            settings: other values of the recipe, e.g. ``{"pooling": "average"}``; a grid search can try several of
                these, or vary one setting by name: ``{"settings__pooling": ["max", "average"]}``.
            random_state: of weights, order and distortions; a number is the ``seed`` of ``digitscope.train``, None
                draws a new one for every fit.
        """
        self.recipe = recipe
        self.epochs = epochs
        self.settings = settings
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters; ``deep`` adds each setting under its own name, e.g. ``settings__pooling``."""
        parameters = dict(super().get_params(deep))
        if deep and isinstance(self.settings, Mapping):
            parameters |= {f"{_INSIDE}{key}": value for key, value in self.settings.items()}
        return parameters

    def set_params(self, **parameters: Any) -> Self:
        """Change parameters: ``set_params(epochs=3, settings__pooling="average")`` keeps all other settings.

        Raises:
            ValueError: there is no such parameter.
        """
        inside = {key.removeprefix(_INSIDE): value for key, value in parameters.items() if key.startswith(_INSIDE)}
        super().set_params(**{key: value for key, value in parameters.items() if not key.startswith(_INSIDE)})
        if inside:
            self.settings = {**(self.settings or {}), **inside}
        return self

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Train the network.

        Args:
            X: numbers (n, pixels), (n, h, w) or (n, h, w, 1).
            y: labels (n,) of up to ten classes.

        Raises:
            ConfigError: an unknown recipe or setting.
            DataError: more than ten classes.
            ValueError: missing or infinite numbers, or not one label per row.
        """
        changes = {**(self.settings or {}), **({} if self.epochs is None else {"epochs": self.epochs})}
        self.recipe_ = recipe_of(self.recipe, changes)
        rows, shape = _flat(X)
        rows, y = validate_data(self, rows, y, dtype=np.float32)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) > ANSWERS:
            raise DataError(f"y has {len(classes)} classes; expected at most {ANSWERS}")
        self.classes_ = classes
        self.image_shape_ = shape or _square(rows.shape[1])
        self.value_range_ = float(rows.min()), float(rows.max())
        seed = self._seed()
        from digitscope.training import fit  # start-up: Keras takes seconds

        fitted = fit.fit(self.recipe_, self._images(rows), codes.astype(np.uint8), seed)
        self.network_, self.history_ = fitted.network, fitted.history
        return self

    def predict(self, X: npt.ArrayLike) -> AnyArray:
        """The most likely class of each row, (n,); ``X`` and errors as for ``predict_proba``."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def predict_proba(self, X: npt.ArrayLike) -> Floats:
        """The probability of each class.

        Args:
            X: as in ``fit``, of the same size.

        Returns:
            float32 (n, classes) 0..1, columns as in ``classes_``; each row adds up to 1.

        Raises:
            NotFittedError: before ``fit``.
            DataError: images of another height and width.
            ValueError: missing or infinite numbers, or another number of columns.
        """
        check_is_fitted(self, "network_")
        rows, shape = _flat(X)
        if shape not in (None, self.image_shape_):
            raise DataError(f"images are {shape}; expected {self.image_shape_}, as in the training")
        rows = validate_data(self, rows, dtype=np.float32, reset=False)
        answers = self._answers(self._images(rows))[:, : len(self.classes_)]
        answers += np.finfo(np.float32).tiny  # a network that is sure of another answer leaves only zeros
        return np.asarray(answers / answers.sum(axis=1, keepdims=True))

    def _images(self, rows: Floats) -> Images:
        """Rows as the uint8 (n, 28, 28) 0..255 that the fit takes; cells beyond the end of a row are 0."""
        height, width = self.image_shape_
        scaled = np.interp(rows, self.value_range_, (0, 255))
        pixels = np.rint(scaled, out=scaled).astype(np.uint8)
        images = np.pad(pixels, ((0, 0), (0, height * width - rows.shape[1]))).reshape(-1, height, width)
        if self.image_shape_ == (SIDE, SIDE):
            return images
        way = cv2.INTER_AREA if height * width > SIDE * SIDE else cv2.INTER_LINEAR
        return np.stack([cv2.resize(image, (SIDE, SIDE), interpolation=way) for image in images], dtype=np.uint8)

    def _answers(self, images: Images) -> Floats:
        """The network's ten probabilities of each image, float32 (n, 10)."""
        from digitscope.backend import keras  # start-up: Keras takes seconds

        answers = np.empty((-(-len(images) // BATCH) * BATCH, ANSWERS), np.float32)
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            full = np.pad(batch, ((0, BATCH - len(batch)), (0, 0), (0, 0)))
            answers[start : start + BATCH] = keras.ops.convert_to_numpy(self.network_(network_input(full)))
        return answers[: len(images)]

    def _seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def __getstate__(self) -> dict[str, Any]:
        """The state as plain values and arrays, so that a pickle names nothing inside this package or Keras."""
        state = dict(super().__getstate__())
        state |= {key: dataclasses.asdict(value) for key, value in state.items() if isinstance(value, Recipe)}
        if "network_" in state:
            state["network_"] = state["network_"].get_weights()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build recipe and network again from their values."""
        recipes = {key: state[key] for key in ("recipe", "recipe_") if isinstance(state.get(key), Mapping)}
        state = state | {key: Recipe(**values) for key, values in recipes.items()}
        if "network_" in state:
            from digitscope.training.networks import build  # start-up: Keras takes seconds

            network = build(state["recipe_"])
            network.set_weights(state["network_"])
            state["network_"] = network
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Tags:
        """Scikit-learn's tags: images as (n, h, w) are allowed, everything else is the default."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _flat(X: Any) -> tuple[Any, tuple[int, int] | None]:
    """Images as one row each, and their height and width; what is not three-dimensional comes back as it is."""
    array = np.asarray(X) if isinstance(X, list | tuple) else X
    dimensions = getattr(array, "ndim", 2)
    if dimensions == 3 or (dimensions == 4 and array.shape[-1] == 1):
        height, width = array.shape[1:3]
        return np.asarray(array).reshape(len(array), height * width), (height, width)
    return X, None


def _square(n: int) -> tuple[int, int]:
    """Height and width of the smallest square of at least ``n`` cells; a warning where cells stay empty."""
    side = math.isqrt(n - 1) + 1
    if side * side != n:
        warnings.warn(
            f"rows of {n} numbers are not square images and are laid out in {side}x{side} cells; if a column is not a "
            "pixel, e.g. the label, take it out, and give images that are not square as (n, h, w)",
            stacklevel=3,
        )
    return side, side
