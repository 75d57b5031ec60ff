"""What tests share: a small training that has finished, made once; and, where asked for, no test left out unseen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared import FOLDER, made_once

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as ``backend`` sets it; many tests import Keras themselves

MAY_SKIP = (
    r"DIGITSCOPE_EVAL names no folder",  # the development sets do not ship
    r"rapidocr is installed",  # the other half of a pair of tests, for machines without it
    r"this machine has no IPv6",
    r"SCIPY_ARRAY_API is not set",  # one of scikit-learn's own checks
)
"""Reasons for which a test may be skipped even where DIGITSCOPE_NO_SKIPS is set, as in CI."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[Any]:
    """Make it a failure, on a machine that has everything, when a test is skipped for another reason."""
    report = yield
    asked = os.environ.get("DIGITSCOPE_NO_SKIPS") and report.outcome == "skipped" and not hasattr(report, "wasxfail")
    if asked and not any(re.search(reason, str(report.longrepr)) for reason in MAY_SKIP):
        report.outcome, report.longrepr = "failed", f"skipped where nothing may be: {report.longrepr}"
    return report


pytest_make_collect_report = pytest_runtest_makereport
"""The same for a module that is skipped as a whole."""


if "PYTEST_XDIST_WORKER" not in os.environ:  # workers inherit it
    whole_session = tempfile.TemporaryDirectory(prefix="digitscope-tests-")
    os.environ[FOLDER] = whole_session.name


@pytest.fixture(scope="session")
def small_run() -> Path:
    """The folder of a real run, trained by the command: `classic` on 4,000 images for one epoch; not to be changed.

    What the command said lies beside it, as ``small.out`` and ``small.err``.
    """
    return made_once("small-run", _train_small) / "small"


def _train_small(folder: Path) -> None:
    import numpy as np

    from digitscope.datasets.mnist import load_mnist

    (x_train, y_train), (x_test, y_test) = load_mnist()
    parts = {"x_train": x_train[:4000], "y_train": y_train[:4000], "x_test": x_test[:1000], "y_test": y_test[:1000]}
    np.savez(folder / "small.npz", **parts)
    words = ["train", "--data", folder / "small.npz", "--epochs", "1", "--out", folder / "small"]
    program = [sys.executable, "-c", "from digitscope.cli import main; main()", *map(str, words)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "small.out").write_text(done.stdout)
    (folder / "small.err").write_text(done.stderr)
