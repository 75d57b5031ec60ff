"""The engine ``ocr``: the recognition network inside the ``rapidocr`` package, taken over digits and separators.

Only its ONNX file is used, nothing of the package is imported. What it says about ten thousand other characters is set
aside, so that all of its certainty about digits comes out, not only its first choice.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.errors import MissingExtra, ModelError
from digitscope.models.session import LONGEST_ANSWER, Session, read_model
from digitscope.preprocessing.line import ALPHABET, CLASSES, clean
from digitscope.reading.engine import View

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
        self._session = Session(read_model(name), str(name))
        characters = self._session.metadata.get("character", "").split("\n")
        wanted = [character + DOUBLES.get(character, "") for character in ALPHABET]
        if not set("".join(wanted)) <= set(characters):
            raise ModelError(f"{name} is not a recognition network of RapidOCR: it names no such characters; update it")
        self._classes = [[1 + characters.index(double) for double in doubles] for doubles in wanted]
        self._answer(np.zeros((1, 3, HEIGHT, NARROWEST), np.float32), LONGEST_ANSWER)

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
        answer = self._answer(values)[: -(-across // STRIDE) + 1]
        kept = np.zeros((len(answer), CLASSES), np.float32)
        for number, classes in enumerate(self._classes, 1):
            kept[:, number] = answer[:, classes].sum(axis=1)
        others = np.maximum(1 - kept[:, 1:].sum(axis=1) - answer[:, 0], 0)
        kept[:, 0] = np.maximum(answer[:, 0] + OTHERS * others, 1e-6)
        nothing = float(np.log(np.clip(1 - kept[:, 1:11].sum(axis=1), 1e-12, 1)).sum())
        return View(kept / kept.sum(axis=1, keepdims=True), -float(margin), STRIDE * width / across, nothing)

    def _answer(self, values: Floats, patience: float | None = None) -> Floats:
        """Probabilities float32 (columns, characters) of an image float32 (1, 3, HEIGHT, width)."""
        answer = self._session.run(values, patience=patience)[0]
        most = max(map(max, self._classes))
        if np.ndim(answer) != 3 or len(answer) != 1 or answer.shape[2] <= most or not np.isfinite(answer).all():
            raise ModelError(
                f"{self._session.source} answered {np.shape(answer)}; expected finite probabilities of its characters"
            )
        return np.asarray(answer[0], np.float32)


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
