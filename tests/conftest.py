"""What tests share: a stand-in for a training that has finished, made once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real run: `classic` on 4,000 images for one epoch."""
    from digitscope.datasets import Dataset, load_mnist
    from digitscope.training import train

    (x_train, y_train), (x_test, y_test) = load_mnist()
    data = Dataset("small", x_train[:4000], y_train[:4000], x_test[:1000], y_test[:1000])
    return train("classic", data=data, epochs=1, out=tmp_path_factory.mktemp("runs") / "small").folder
