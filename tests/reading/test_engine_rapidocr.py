"""The engine ``ocr``: skipped where rapidocr is not installed, except for what it says then."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from digitscope.errors import MissingExtra, ModelError
from digitscope.preprocessing.line import CLASSES
from digitscope.reading.detection import Strip
from digitscope.reading.engine_rapidocr import OcrModel


def test_a_missing_package_is_named():
    if find_spec("rapidocr") is not None:
        pytest.skip("rapidocr is installed")
    with pytest.raises(MissingExtra, match=r"digitscope\[ocr\]"):
        OcrModel()


def test_a_damaged_file_is_named(tmp_path: Path):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"bad\.onnx"):
        OcrModel(tmp_path / "bad.onnx")


def test_its_columns_are_probabilities_over_the_strip():
    if find_spec("rapidocr") is None:
        pytest.skip("rapidocr is not installed")
    strip = Strip.of(np.full((40, 130, 3), 200, np.uint8))
    for view in OcrModel().look(strip):
        assert view.probabilities.shape[1] == CLASSES
        assert np.allclose(view.probabilities.sum(axis=1), 1, atol=1e-4)
        assert view.start + view.step * len(view.probabilities) >= 120
