"""The engine ``ocr``: skipped where rapidocr is not installed, except for what it says then."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
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


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="rapidocr is not installed")
@pytest.mark.parametrize("height", [40, 96, 150])
def test_its_columns_are_probabilities_over_the_strip_at_both_looks(height: int):
    """However large the picture that a look shows to the network is, its columns count pixels of the strip."""
    width = round(3.25 * height)
    strip, network = Strip.of(np.full((height, width, 3), 200, np.uint8)), OcrModel()
    for view in network.look(strip) + network.look_again(strip):
        assert view.probabilities.shape[1] == CLASSES
        assert np.allclose(view.probabilities.sum(axis=1), 1, atol=1e-4)
        assert -0.7 * height < view.start < 0
        assert width <= view.start + view.step * len(view.probabilities) < width + 2 * height


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="rapidocr is not installed")
def test_both_looks_read_a_number_and_place_its_digits():
    """A one is drawn at the left end, a seven at the right end."""
    paper = np.full((60, 260, 3), 225, np.uint8)
    cv2.putText(paper, "1", (15, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (60, 50, 40), 3, cv2.LINE_AA)
    cv2.putText(paper, "7", (215, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (60, 50, 40), 3, cv2.LINE_AA)
    network = OcrModel()
    for view in network.look(Strip.of(paper)) + network.look_again(Strip.of(paper)):
        one, seven = (view.start + view.step * (view.probabilities[:, digit + 1].argmax() + 0.5) for digit in (1, 7))
        assert 5 < one < 50
        assert 205 < seven < 255
