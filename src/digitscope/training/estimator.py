"""The training as a scikit-learn estimator, for cross_val_score, pipelines and grid searches over a recipe's settings.

No second way to train: ``fitting.fit`` does the work. No run folder, no figures: that is ``training.train``.
Keras is imported by what needs a network, so that a plan costs no seconds, and quietly.
"""

from __future__ import annotations

import contextlib
import math
import random
import warnings
from collections.abc import Iterator, Mapping
from numbers import Integral
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from digitscope.arraytypes import Images
from digitscope.errors import DataError
from digitscope.models.model import network_input
from digitscope.quiet import import_keras
from digitscope.training.recipes import Recipe, recipe_of

SIDE, ANSWERS = 28, 10
"""Pixels of the side of the images that the network takes, and how many classes it can tell apart."""

BATCH = 256
"""Images per call of the network. Every call takes as many, so an answer does not depend on what else is asked."""

_INSIDE = "settings__"
"""How scikit-learn begins the name of a parameter inside ``settings``."""


class DigitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A recipe's network as a scikit-learn classifier.

    A row of ``X`` is an image, pixel by pixel, line by line; arrays (n, h, w) and (n, h, w, 1) are taken as well. Size
    and range of numbers are yours, one for all rows: the lowest and highest number of the training rows become 0 and
    255 (later ones beyond them are cut off), and what is not 28x28 is resampled to it. So MNIST's 784 columns of 0..255
    reach the network as they are, and the 64 columns of 0..16 of scikit-learn's ``load_digits`` work too. Recipes that
    augment expect a bright pen on dark paper. There may be up to ten classes, named as you like.

    How sure ``predict_proba`` is was calibrated for MNIST, by the recipe's temperature.

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
        recipe_: the recipe with the settings in it.
        history_: one row per epoch, see ``fitting.fit``.
        network_: the fitted Keras network; ``export.export_onnx(classifier.network_, "my.onnx")`` makes a model of it.
    """

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
            recipe: a name of ``recipes.RECIPES``, or a recipe of your own.
            epochs: passes over the training images, instead of the recipe's.
            settings: other values of the recipe, e.g. ``{"pooling": "average"}``; a grid search may take a list of
                these, or reach into them by name: ``{"settings__pooling": ["max", "average"]}``.
            random_state: of weights, order and augmentation; a number is the ``seed`` of ``training.train``, None
                another one in every fit.
        """
        self.recipe = recipe
        self.epochs = epochs
        self.settings = settings
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What was planned; ``deep`` gives every one of the settings by its own name as well, ``settings__pooling``."""
        parameters = dict(super().get_params(deep))
        if deep and isinstance(self.settings, Mapping):
            parameters |= {f"{_INSIDE}{key}": value for key, value in self.settings.items()}
        return parameters

    def set_params(self, **parameters: Any) -> Self:
        """Plan otherwise: ``set_params(epochs=3, settings__pooling="average")`` keeps all other settings.

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
            ValueError: missing or infinite numbers, or another number of labels than of rows.
        """
        changes = {**(self.settings or {}), **({} if self.epochs is None else {"epochs": self.epochs})}
        self.recipe_ = recipe_of(self.recipe, changes)
        rows, shape = _flat(X)
        rows, y = validate_data(self, rows, y, dtype=np.float32)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) > ANSWERS:
            raise DataError(f"y has {len(classes)} classes; expected at most {ANSWERS}, as many as there are digits")
        self.classes_ = classes
        self.image_shape_ = shape or _square(rows.shape[1])
        self.value_range_ = float(rows.min()), float(rows.max())
        seed = self._seed()
        import_keras()
        from digitscope.training import fit

        with _global_randomness_kept():
            fitted = fit.fit(self.recipe_, self._images(rows), codes.astype(np.uint8), seed)
        self.network_, self.history_ = fitted.network, fitted.history
        return self

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The most likely class of each row, (n,); ``X`` and errors as for ``predict_proba``."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float32]:
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
        answers += np.finfo(np.float32).tiny  # a network that is sure of an answer nobody trained leaves only zeros
        return np.asarray(answers / answers.sum(axis=1, keepdims=True))

    def _images(self, rows: npt.NDArray[np.float32]) -> Images:
        """Rows as the uint8 (n, 28, 28) 0..255 that the training takes; cells beyond the end of a row are 0."""
        height, width = self.image_shape_
        scaled = np.interp(rows, self.value_range_, (0, 255))
        pixels = np.rint(scaled, out=scaled).astype(np.uint8)
        images = np.pad(pixels, ((0, 0), (0, height * width - rows.shape[1]))).reshape(-1, height, width)
        if self.image_shape_ == (SIDE, SIDE):
            return images
        way = cv2.INTER_AREA if height * width > SIDE * SIDE else cv2.INTER_LINEAR
        return np.stack([cv2.resize(image, (SIDE, SIDE), interpolation=way) for image in images], dtype=np.uint8)

    def _answers(self, images: Images) -> npt.NDArray[np.float32]:
        """The network's ten probabilities of each image, float32 (n, 10)."""
        import keras

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
        """The weights as arrays in place of the network, so that what is pickled needs nothing of Keras."""
        state = dict(super().__getstate__())
        if "network_" in state:
            state["network_"] = state["network_"].get_weights()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the network again around its weights."""
        if "network_" in state:
            import_keras()
            from digitscope.training.networks import build

            network = build(state["recipe_"])
            network.set_weights(state["network_"])
            state = {**state, "network_": network}
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn asks of an estimator: images as (n, h, w) are welcome, everything else is the usual."""
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
            f"rows of {n} numbers are no square images and are laid out in {side}x{side} cells; if a column is not a "
            "pixel, e.g. the label, take it out, and give images that are not square as (n, h, w)",
            stacklevel=3,
        )
    return side, side


@contextlib.contextmanager
def _global_randomness_kept() -> Iterator[None]:
    """Put back the state of Python's and NumPy's global generators, which Keras seeds for a fit.

    Without it every ``train_test_split`` that has no seed of its own would give the same split after a fit.
    """
    python, numpy = random.getstate(), check_random_state(None)
    state = numpy.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        numpy.set_state(state)
