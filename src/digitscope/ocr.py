"""The engine ``ocr``: the recognition network inside the ``rapidocr`` package, taken over digits and separators.

Only its ONNX file is used, nothing of the package is imported. What it says about ten thousand other characters is set
aside, so that all of its certainty about digits comes out, not only its first choice.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from digitscope.decode import ALPHABET, CLASSES
from digitscope.errors import MissingExtra, ModelError
from digitscope.line_model import View
from digitscope.lines import clean

Levels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

HEIGHT, STRIDE = 48, 8
"""Pixels of height that the network takes, and of width that a column of its answer stands for."""

NARROWEST, WIDEST = 320, 3200
"""Pixels of width: a narrower line gets grey paper on its right, as in the network's training; a wider is squeezed."""

DOUBLES = {"0": "OoQD", "1": "lI|i!", "2": "Zz", "4": "Ah", "5": "Ss", "6": "bG", "7": "T", "8": "B", "9": "gqP"}
"""Characters that are taken for digits: on a line of numbers they are what a digit was mistaken for."""

OTHERS = 0.01
"""Weight of the other characters: on a line of numbers they are digits that it has not recognised, not nothing."""

NARROWER = 0.85
"""Width of a view whose writing is pressed together a little."""

MARGIN = 0.15
"""Paper around a view, in heights of the strip; twice that left and right."""


class OcrModel:
    """The recognition network of RapidOCR (PP-OCR, Apache-2.0)."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Open it.

        Args:
            path: an ``.onnx`` file of its kind; None finds the one in the installed package.

        Raises:
            MissingExtra: the package is not installed.
            ModelError: the file is damaged, or not of this kind.
        """
        name = _installed() if path is None else Path(path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(str(name), options, providers=["CPUExecutionProvider"])
            characters = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        except Exception as error:  # ONNX Runtime's own exception types are private
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise ModelError(f"{name} is not a recognition network of RapidOCR: {reason}") from error
        self._classes = [
            [1 + characters.index(double) for double in character + DOUBLES.get(character, "")]
            for character in ALPHABET
        ]
        self._input = self._session.get_inputs()[0].name

    def look(self, pixels: Levels) -> list[View]:
        """The strip narrower, with a margin, with a margin and clean paper, and blurred."""
        margin = round(MARGIN * pixels.shape[0])
        padded = _padded(pixels, margin)
        return [
            self._view(pixels, NARROWER),
            self._view(padded, 1.0, 2 * margin),
            self._view(_padded(clean(pixels), margin), 1.0, 2 * margin),
            self._view(np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.0), np.uint8), 1.0),
        ]

    def _view(self, pixels: Levels, wide: float, margin: int = 0) -> View:
        """What the network answers to pixels with a margin of so many columns, seen so many times as wide."""
        height, width = pixels.shape[:2]
        across = int(np.clip(round(width * wide * HEIGHT / height), 1, WIDEST))
        small = cv2.resize(pixels, (across, HEIGHT), interpolation=cv2.INTER_LINEAR)
        colour = small if small.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2RGB)
        values = np.zeros((1, 3, HEIGHT, max(NARROWEST, -(-across // STRIDE) * STRIDE)), np.float32)
        values[0, :, :, :across] = colour[..., ::-1].transpose(2, 0, 1) / np.float32(127.5) - 1
        answer = self._session.run(None, {self._input: values})[0][0][: -(-across // STRIDE) + 1]
        kept = np.zeros((len(answer), CLASSES), np.float32)
        for number, classes in enumerate(self._classes, 1):
            kept[:, number] = answer[:, classes].sum(axis=1)
        others = np.maximum(1 - kept[:, 1:].sum(axis=1) - answer[:, 0], 0)
        kept[:, 0] = np.maximum(answer[:, 0] + OTHERS * others, 1e-6)
        nothing = float(np.log(np.clip(1 - kept[:, 1:11].sum(axis=1), 1e-12, 1)).sum())
        return View(kept / kept.sum(axis=1, keepdims=True), -float(margin), STRIDE * width / across, nothing)


def _padded(pixels: Levels, margin: int) -> Levels:
    """Pixels with a margin above and below, and one twice as wide left and right, as their own rim goes on."""
    sides = margin, margin, 2 * margin, 2 * margin
    return np.asarray(cv2.copyMakeBorder(pixels, *sides, cv2.BORDER_REPLICATE), np.uint8)


def _installed() -> Path:
    """The network's file in the installed package."""
    spec = find_spec("rapidocr")
    places = list(spec.submodule_search_locations or []) if spec is not None else []
    found = sorted(path for place in places for path in Path(place).glob("models/*rec*.onnx"))
    if not found:
        raise MissingExtra("rapidocr", "ocr")
    return found[-1]
