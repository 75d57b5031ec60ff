from __future__ import annotations

import copy
import doctest
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_random_state
from sklearn.utils.estimator_checks import parametrize_with_checks

from digitscope.arraytypes import Images
from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError, DataError
from digitscope.models.export_onnx import onnx_bytes
from digitscope.models.session import ClassifierSession
from digitscope.training import estimator as estimator_module
from digitscope.training import fit as fitting
from digitscope.training.estimator import DigitClassifier
from digitscope.training.fit import Fitted, fit
from digitscope.training.networks import build
from digitscope.training.recipes import Recipe, recipe_of

SMALL = {"filters": (8, 8), "dense": 32, "batch_size": 16, "learning_rate": 0.003}
"""Settings with which a few hundred rows are learned in a second."""

X, Y = (part[:600] for part in load_mnist()[0])
ROWS = X.reshape(len(X), -1)
NAMES = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:rows of .* numbers are not square images:UserWarning")
@parametrize_with_checks([DigitClassifier("seed", epochs=16, settings=SMALL)])
def test_scikit_learn_agrees_that_it_is_an_estimator(
    estimator: DigitClassifier, check: Any, monkeypatch: pytest.MonkeyPatch
):
    """All of scikit-learn's own checks, none of them excused.

    They fit the same few data again and again, so a network is trained once for the same bytes; but for the check
    whether a second fit gives the same network as the first.
    """
    if check.func.__name__ != "check_fit_idempotent":
        monkeypatch.setattr(fitting, "fit", fit_once)
    check(estimator)


TRAINED: dict[tuple[Recipe, bytes, bytes, int], Fitted] = {}


def fit_once(recipe: Recipe, images: Images, labels: np.ndarray, seed: int) -> Fitted:
    """What ``fit`` returned for these very bytes before, or returns now."""
    key = (recipe, images.tobytes(), labels.tobytes(), seed)
    if key not in TRAINED:
        TRAINED[key] = fit(recipe, images, labels, seed)
    return TRAINED[key]


@pytest.fixture(scope="module")
def fitted() -> DigitClassifier:
    """A classifier of 300 digits by name."""
    return DigitClassifier("seed", epochs=6, settings=SMALL).fit(ROWS[:300], NAMES[Y[:300]])


def test_cross_validation_of_a_pipeline():
    """Digits as a scanner gives them, dark on light: the first step turns them round."""
    pipeline = make_pipeline(FunctionTransformer(np.invert), DigitClassifier("seed", epochs=6, settings=SMALL))
    scores = cross_val_score(pipeline, np.invert(ROWS), Y, cv=2)
    assert scores.min() > 0.7


HALVES = [(np.arange(100), np.arange(100, 200))]
"""One split of 200 images, so that a search trains each of its networks once."""


def test_a_grid_search_over_settings():
    grid = {"settings": [{**SMALL, "learning_rate": 0.0}, SMALL], "epochs": [4]}
    search = GridSearchCV(DigitClassifier("seed"), grid, cv=HALVES, error_score="raise").fit(X[:200], Y[:200])
    assert search.best_params_["settings"] == SMALL, "what does not learn does not win"
    assert search.best_estimator_.recipe_.learning_rate == SMALL["learning_rate"]
    assert (search.predict(X[:200]) == Y[:200]).mean() > 0.6


def test_a_grid_search_reaches_into_the_settings():
    grid = {"settings__learning_rate": [0.0, 0.003], "settings__pooling": ["average"]}
    plan = DigitClassifier("seed", epochs=4, settings=SMALL)
    search = GridSearchCV(plan, grid, cv=HALVES, error_score="raise").fit(X[:200], Y[:200])
    assert search.best_params_ == {"settings__learning_rate": 0.003, "settings__pooling": "average"}
    assert search.best_estimator_.settings == {**SMALL, "pooling": "average"}
    assert search.best_estimator_.recipe_.pooling == "average"
    assert plan.settings == SMALL, "a search changes copies"


@pytest.mark.slow
def test_a_search_says_nothing_on_the_terminal():
    """Of six fits TensorFlow would complain: it warns of the fifth function that it traces anew."""
    program = (
        "import sys, digitscope, numpy as np\n"
        "plan = digitscope.DigitClassifier('seed', epochs=1, settings={'filters': (2, 2), 'dense': 4})\n"
        "assert 'keras' not in sys.modules\n"
        "x = np.random.default_rng(0).integers(0, 255, (40, 28, 28), np.uint8)\n"
        "from sklearn.model_selection import cross_val_score\n"
        "cross_val_score(plan, x, np.arange(40) % 4, cv=6)"
    )
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_settings_by_name():
    bare = DigitClassifier()
    assert bare.set_params(settings__pooling="average", epochs=2) is bare
    assert (bare.settings, bare.epochs) == ({"pooling": "average"}, 2)
    assert bare.get_params()["settings__pooling"] == "average"
    assert set(bare.get_params(deep=False)) == {"recipe", "epochs", "settings", "random_state"}
    assert bare.set_params(settings__dense=8, settings={"kernel": 5}).settings == {"kernel": 5, "dense": 8}
    assert clone(bare).get_params() == bare.get_params()
    nested = make_pipeline(FunctionTransformer(), bare)
    assert nested.set_params(digitclassifier__settings__dense=9)[-1].settings == {"kernel": 5, "dense": 9}
    with pytest.raises(ValueError, match="Invalid parameter 'pooling'"):
        bare.set_params(pooling="max")
    with pytest.raises(ConfigError, match="no setting 'colour'"):
        DigitClassifier().set_params(settings__colour=1).fit(ROWS[:20], Y[:20])


def test_it_trains_as_the_fit_does():
    """The same network as the fit of `train`, given the same images; 784 columns of 0..255 pass unchanged."""
    network = fit(recipe_of("seed", {**SMALL, "epochs": 1}), X[:200], Y[:200], seed=5).network
    ours = DigitClassifier("seed", epochs=1, settings=SMALL, random_state=5).fit(ROWS[:200], Y[:200])
    for a, b in zip(network.get_weights(), ours.network_.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert [row["epoch"] for row in ours.history_] == [1]


def test_labels_may_be_anything(fitted: DigitClassifier):
    assert list(fitted.classes_) == sorted(NAMES)
    answers = fitted.predict_proba(ROWS[300:])
    assert answers.shape == (300, 10)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)
    assert (fitted.predict(ROWS[300:]) == fitted.classes_[answers.argmax(axis=1)]).all()
    assert fitted.score(ROWS[300:], NAMES[Y[300:]]) > 0.7


def test_an_image_may_come_in_any_form(fitted: DigitClassifier):
    wanted = fitted.predict_proba(ROWS[:20])
    frame = pd.DataFrame(ROWS[:20])
    for form in (X[:20], X[:20, ..., None], list(X[:20]), ROWS[:20].tolist(), ROWS[:20].astype(float), frame):
        np.testing.assert_array_equal(fitted.predict_proba(form), wanted)


def test_an_answer_does_not_depend_on_its_neighbours(fitted: DigitClassifier):
    together = fitted.predict_proba(ROWS)
    alone = np.concatenate([fitted.predict_proba(row[None]) for row in ROWS[250:260]])
    np.testing.assert_allclose(alone, together[250:260], atol=1e-7)


def test_copies_answer_the_same(fitted: DigitClassifier, tmp_path: Path):
    content = pickle.dumps(fitted)
    assert b"keras" not in content.lower()
    joblib.dump(fitted, tmp_path / "classifier.joblib")
    copies = [pickle.loads(content), copy.deepcopy(fitted), joblib.load(tmp_path / "classifier.joblib", mmap_mode="r")]
    for other in copies:
        np.testing.assert_array_equal(other.predict_proba(ROWS), fitted.predict_proba(ROWS))
        np.testing.assert_array_equal(other.predict(ROWS), fitted.predict(ROWS))


@pytest.mark.slow
def test_a_pickle_names_the_public_place_and_opens_in_another_process(fitted: DigitClassifier, tmp_path: Path):
    """So pickles stay readable when modules move inside the package."""
    plan = clone(fitted).set_params(recipe=recipe_of("seed"))
    for classifier in (fitted, plan):
        content = pickle.dumps(classifier)
        assert b"digitscope" in content and b"digitscope." not in content
    (tmp_path / "classifier.pickle").write_bytes(pickle.dumps(fitted))
    np.save(tmp_path / "rows.npy", ROWS[:20])
    program = (
        "import pickle, numpy as np\n"
        "with open('classifier.pickle', 'rb') as file: classifier = pickle.load(file)\n"
        "np.save('answers.npy', classifier.predict_proba(np.load('rows.npy')))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "answers.npy"), fitted.predict_proba(ROWS[:20]), atol=1e-6)


def test_the_docstrings_example_is_true():
    """Doctest passes over it, because the class calls ``digitscope`` its module."""
    runner = doctest.DocTestRunner()
    (example,) = doctest.DocTestFinder(recurse=False).find(DigitClassifier, module=False, globs=vars(estimator_module))
    assert example.examples
    assert runner.run(example, clear_globs=False).failed == 0


def test_a_clone_knows_the_plan_and_nothing_else(fitted: DigitClassifier):
    again = clone(fitted)
    assert again.get_params() == fitted.get_params()
    assert again.get_params(deep=False) == {"recipe": "seed", "epochs": 6, "settings": SMALL, "random_state": 0}
    with pytest.raises(NotFittedError):
        again.predict(ROWS)
    assert clone(fitted).set_params(recipe="classic").recipe == "classic"


def test_the_network_can_become_a_model(fitted: DigitClassifier):
    session = ClassifierSession(onnx_bytes(fitted.network_), "the test")
    answers = session.probabilities(X[:20, ..., None] / np.float32(255))
    np.testing.assert_allclose(answers, fitted.predict_proba(ROWS[:20]), atol=1e-5)


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the fits of a test were called with: ``(images, labels, seed)`` each; nothing is trained."""
    calls: list[tuple[Images, np.ndarray, int]] = []

    def stand_in(recipe: Any, images: Images, labels: np.ndarray, seed: int) -> Fitted:
        calls.append((images, labels, seed))
        return Fitted(build(recipe_of("seed", SMALL)), [], 0.0)

    monkeypatch.setattr(fitting, "fit", stand_in)
    return calls


def last(fed: list[Any]) -> tuple[Images, np.ndarray, int]:
    images, labels, seed = fed[-1]
    assert images.dtype == labels.dtype == np.uint8
    assert images.shape == (len(labels), 28, 28)
    return images, labels, seed


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    images=arrays(np.uint8, (4, 28, 28)).filter(lambda images: images.min() == 0 and images.max() == 255),
    factor=st.floats(1e-3, 1e3),
    offset=st.floats(-1e3, 1e3),
)
def test_the_range_of_the_numbers_does_not_matter(fed: list[Any], images: Images, factor: float, offset: float):
    DigitClassifier().fit(images.reshape(4, -1) * factor + offset, [3, 5, 3, 5])
    seen, labels, _ = last(fed)
    assert np.abs(seen.astype(int) - images).max() <= np.ceil(abs(offset) / factor * 1e-4), "but for float32's digits"
    assert list(labels) == [0, 1, 0, 1]


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (64, 64), (14, 40), (1, 1), (1, 784)])
def test_any_size_becomes_28x28(fed: list[Any], shape: tuple[int, int]):
    """A bright left half stays the left half, whatever the size."""
    images = np.zeros((3, *shape))
    images[:, :, : shape[1] // 2] = 0.7
    images[0] = 0.7
    DigitClassifier().fit(images, [0, 1, 0])
    seen, _, _ = last(fed)
    assert (seen[0] == 255).all()
    if shape[1] > 1:
        assert (seen[1, :, :12] == 255).all()
        assert (seen[1, :, 16:] == 0).all()


def test_the_digits_of_scikit_learn_fit(fed: list[Any]):
    x, y = load_digits(return_X_y=True)
    estimator = DigitClassifier().fit(x, y)
    assert (estimator.image_shape_, estimator.value_range_, estimator.n_features_in_) == ((8, 8), (0.0, 16.0), 64)
    assert (last(fed)[0].min(), last(fed)[0].max()) == (0, 255)


def test_rows_that_are_no_square_warn(fed: list[Any]):
    """785 columns are nearly always 784 pixels and a label."""
    with pytest.warns(UserWarning, match="rows of 785 numbers are not square images.* the label, take it out"):
        DigitClassifier().fit(np.column_stack([Y[:20], ROWS[:20]]), Y[:20])


def test_values_beyond_the_training_are_cut_off(fed: list[Any]):
    estimator = DigitClassifier().fit(ROWS[:50] / 255.0, Y[:50])
    np.testing.assert_array_equal(
        estimator.predict_proba(ROWS[:5] / 255.0 * 1e6), estimator.predict_proba((ROWS[:5] > 0).astype(float))
    )


def test_probabilities_stay_numbers_when_nothing_is_left_for_the_classes(fed: list[Any]):
    estimator = DigitClassifier().fit(ROWS[:50], Y[:50] % 2)
    *weights, bias = estimator.network_.get_weights()
    estimator.network_.set_weights([*weights, bias + np.eye(10)[7] * 1000])
    np.testing.assert_array_equal(estimator.predict_proba(ROWS[:2]), 0.5)


def test_randomness_is_an_argument(fed: list[Any]):
    seeds = []
    for state in (7, np.int64(7), np.random.RandomState(7), np.random.RandomState(7), None, None):
        DigitClassifier(random_state=state).fit(ROWS[:20], Y[:20])
        seeds.append(last(fed)[2])
    assert seeds[:2] == [7, 7]
    assert seeds[2] == seeds[3]
    assert len(set(seeds)) == 4


def test_a_fit_leaves_global_randomness_alone():
    """Keras seeds Python's and NumPy's generators for a fit; splits drawn after it must not be always the same."""
    python, numpy = random.getstate(), check_random_state(None).get_state()
    DigitClassifier("seed", epochs=1, settings=SMALL).fit(ROWS[:20], Y[:20])
    assert random.getstate() == python
    for part, wanted in zip(check_random_state(None).get_state(), numpy, strict=True):
        np.testing.assert_array_equal(part, wanted)


HOLE = ROWS[:20].astype(float)
HOLE[3, 5] = np.nan
UNUSABLE: list[tuple[dict[str, Any], Any, Any, type[Exception], str]] = [
    ({}, ROWS[:22], np.arange(22) // 2, DataError, "y has 11 classes; expected at most 10"),
    ({}, ROWS[:20], np.linspace(0, 1, 20), ValueError, "Unknown label type"),
    ({}, ROWS[:20], Y[:19], ValueError, "inconsistent numbers of samples"),
    ({}, HOLE, Y[:20], ValueError, "contains NaN"),
    ({}, sparse.csr_array(ROWS[:20]), Y[:20], TypeError, "[Ss]parse"),
    ({}, np.zeros((20, 0, 5)), Y[:20], ValueError, "0 feature"),
    ({}, np.zeros((0, 28, 28)), [], ValueError, "0 sample"),
    ({}, np.zeros((20, 28, 28, 3)), Y[:20], ValueError, "dim 4"),
    ({"recipe": "clasic"}, ROWS[:20], Y[:20], ConfigError, "no recipe 'clasic'"),
    ({"settings": {"colour": 1}}, ROWS[:20], Y[:20], ConfigError, "no setting 'colour'"),
    ({"epochs": 0}, ROWS[:20], Y[:20], ConfigError, "epochs=0 is out of range"),
    ({"random_state": "x"}, ROWS[:20], Y[:20], ValueError, "'x' cannot be used to seed"),
]


@pytest.mark.parametrize(("parameters", "x", "y", "kind", "words"), UNUSABLE, ids=lambda value: None)
def test_what_cannot_be_used_is_said(
    parameters: dict[str, Any], x: Any, y: Any, kind: type[Exception], words: str, fed: list[Any]
):
    fits = len(fed)
    with pytest.raises(kind, match=words) as error:
        DigitClassifier(**parameters).fit(x, y)
    assert len(fed) == fits
    if kind in (ConfigError, DataError):
        assert "\n" not in str(error.value)


def test_images_of_another_size_are_refused(fed: list[Any]):
    estimator = DigitClassifier().fit(X[:20], Y[:20])
    with pytest.raises(DataError, match=r"images are \(14, 56\); expected \(28, 28\)"):
        estimator.predict(X[:20].reshape(20, 14, 56))
    with pytest.raises(ValueError, match="783 features"):
        estimator.predict(ROWS[:20, 1:])
