"""Nothing that chooses reads the test split; a training measures on it only when the fit is over."""

from __future__ import annotations

import runpy
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digitscope.datasets import load, mnist
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.datasets.mnist import load_mnist, mnist_arrays
from digitscope.datasets.synthetic.glyphs import mnist_glyphs
from digitscope.datasets.validation import held_out
from digitscope.experiments import run as training
from digitscope.experiments.run import train
from digitscope.experiments.sweep import sweep
from digitscope.models import model as models
from digitscope.reading.detector_fit import fit_detector
from digitscope.training.estimator import DigitClassifier
from digitscope.training.fit import Fitted, fit
from digitscope.training.recipes import recipe_of

CHOOSE = Path(__file__).parents[2] / "benchmarks" / "choose.py"
TINY = {"filters": "2,2", "dense": 4, "epochs": 1}
MNIST = mnist_arrays()
X, Y = (array[:600] for array in MNIST[:2])


def seen(*_: object) -> Any:
    pytest.fail("the test split was read")


class Unseen:
    """Stands for an array of the test split, which may be handed on, but not read."""

    def copy(self) -> Unseen:
        return self

    __getattr__ = __getitem__ = __len__ = __iter__ = __array__ = seen


def guarded(name: str) -> Any:
    """An attribute of ``Sealed`` that can be read only once it is opened."""
    return property(
        lambda self: self.__dict__[name] if self.opened else seen(),
        lambda self, value: self.__dict__.update({name: value}),
    )


class Sealed(Dataset):
    """A dataset whose test split cannot be read before ``opened`` is set; its hash, which chooses nothing, is known."""

    opened = False
    x_test, y_test = guarded("x_test"), guarded("y_test")

    def sha256(self) -> str:
        return "5ea1ed" + 58 * "0"


def sealed(name: str = "sealed", x: np.ndarray = X, y: np.ndarray = Y) -> Sealed:
    return Sealed(name, x, y, MNIST[2][:200], MNIST[3][:200])


@pytest.fixture(autouse=True)
def mnist_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """MNIST by its name is sealed as well, so that nobody can go round the dataset that was given."""
    monkeypatch.setattr(mnist, "mnist_arrays", lambda: (X, Y, Unseen(), Unseen()))
    monkeypatch.setattr(load, "_mnist", sealed)


@pytest.mark.parametrize(
    "read",
    [
        lambda: sealed().x_test,
        lambda: sealed().y_test,
        lambda: sealed().is_mnist,
        lambda: load_dataset("mnist").y_test,
        lambda: load_mnist()[1][0] / 255,
        lambda: load_mnist()[1][1][0],
        lambda: load_mnist()[1][0].shape,
        lambda: np.mean(load_mnist()[1][0]),  # type: ignore[call-overload]
        lambda: models.load("classic").evaluate(),
    ],
)
def test_a_seal_cannot_be_broken_unnoticed(read: Any):
    with pytest.raises((pytest.fail.Exception, TypeError)):
        read()


def test_validation_images_are_taken_from_the_training_part():
    for data in (sealed(), sealed("mnist", *MNIST[:2])):
        train_part, validation, _ = held_out(data)
        assert len(train_part.labels) + len(validation.labels) == len(data.y_train)


def test_a_sweep_trains_and_measures_unseen(tmp_path: Path):
    found = sweep("seed", {"filters": ["2", "4"], "dense": [4]}, 1, out=tmp_path, data=sealed(), epochs=1)
    assert len(found.trials) == 2 and (tmp_path / "sweep.md").is_file()


def test_fits_take_what_they_are_given_and_nothing_else():
    assert len(fit(recipe_of("seed", TINY), X, Y).history) == 1
    assert DigitClassifier("seed", settings=TINY).fit(X, Y).predict(X[:2]).shape == (2,)


def test_what_tells_digits_from_others_learns_and_sets_its_threshold_unseen():
    assert 0 <= fit_detector(models.load("classic"), sealed()).threshold <= 1


def test_lines_to_train_on_are_made_of_training_digits():
    assert sum(map(len, mnist_glyphs())) > 500


def test_the_settings_of_recipes_are_chosen_unseen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    words = ["seed", *(f"{key}={value}" for key, value in TINY.items()), "--seeds", "1", "--folds", "0,1"]
    in_folds = SimpleNamespace(FOLDS=5, folds=lambda: np.arange(len(X)) % 5)
    monkeypatch.setitem(sys.modules, "folds", in_folds)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "results", SimpleNamespace(plain=asdict))  # type: ignore[arg-type]
    fits = SimpleNamespace(saved_fit=lambda *given: fit(*given[:4], progress=given[4]), where=dict)
    monkeypatch.setitem(sys.modules, "saved_fits", fits)  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "argv", [str(CHOOSE), *words])
    runpy.run_path(str(CHOOSE), run_name="__main__")
    assert "distorted: " in capsys.readouterr().out


def test_a_training_opens_the_test_split_when_the_fit_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = sealed()

    def fit_and_open(*given: Any, **options: Any) -> Fitted:
        fitted = fit(*given, **options)
        data.opened = True
        return fitted

    monkeypatch.setattr(training, "fit", fit_and_open)
    monkeypatch.setattr(training, "write_report", lambda *_, **__: None)
    assert train("seed", data=data, settings=TINY, out=tmp_path / "run").metrics["n"] == 200
