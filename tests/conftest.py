"""What tests share: a stand-in for a training that has finished, made once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real run: `classic` on 4,000 images for one epoch."""
    import numpy as np

    from digitscope.datasets.mnist import load_mnist
    from digitscope.experiments.run import train

    folder = tmp_path_factory.mktemp("runs")
    (x_train, y_train), (x_test, y_test) = load_mnist()
    parts = {"x_train": x_train[:4000], "y_train": y_train[:4000], "x_test": x_test[:1000], "y_test": y_test[:1000]}
    np.savez(folder / "small.npz", **parts)
    return train("classic", data=folder / "small.npz", epochs=1, out=folder / "small").folder
