"""The engine ``ocr``: the recognition network inside the ``rapidocr`` package, limited to digits and separators.

Only its ONNX file is used; the package is not imported. The ten thousand other characters that it knows are left out,
so that the probabilities of all digits are available, not only its first choice.
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
from digitscope.reading.detection import Strip
from digitscope.reading.engine import View

HEIGHT, STRIDE = 48, 8
"""Height in pixels of the network's input, and its pixels of width per column of the answer."""

NARROWEST, WIDEST = 320, 3200
"""Width in pixels of the input: a narrower line gets grey paper on its right, as in the network's training; a wider one
is squeezed."""

LOOKALIKES = {"0": "OoQD", "1": "lI|i!", "2": "Zz", "4": "Ah", "5": "Ss", "6": "bG", "7": "T", "8": "B", "9": "gqP"}
"""Characters that count as a digit: on a line of numbers the network has mistaken a digit for them."""

OTHERS = 0.01
"""Share of the other characters' probability that counts as blank: on a line of numbers they are unrecognised digits,
not empty paper."""

NARROWER = 0.85
"""Factor of the width in the view that is narrower than the strip."""

MARGIN = 0.15
"""Paper added above and below, as a share of the strip's height; twice as much left and right."""


class OcrModel:
    """The recognition network of RapidOCR (PP-OCR, Apache-2.0)."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Open the network and check it.

        Args:
            path: an ``.onnx`` file of this kind; None finds the one in the installed package.

        Raises:
            MissingExtra: the package is not installed.
            ModelError: the file is damaged, or not of this kind.
        """
        name = _installed() if path is None else Path(path)
        self._session = Session(read_model(name), str(name))
        characters = self._session.metadata.get("character", "").split("\n")
        wanted = [character + LOOKALIKES.get(character, "") for character in ALPHABET]
        if not set("".join(wanted)) <= set(characters):
            raise ModelError(
                f"{name} is not a recognition network of RapidOCR: its list lacks needed characters; update it"
            )
        self._classes = [[1 + characters.index(alike) for alike in group] for group in wanted]
        self._answer(np.zeros((1, 3, HEIGHT, NARROWEST), np.float32), LONGEST_ANSWER)

    def look(self, strip: Strip) -> list[View]:
        """The network's answers to the strip narrowed, with a margin, cleaned with a margin, and blurred."""
        pixels = strip.pixels
        margin = round(MARGIN * pixels.shape[0])
        return [
            self._view(pixels, squeeze=NARROWER),
            self._view(_padded(pixels, margin), left=2 * margin),
            self._view(_padded(clean(pixels), margin), left=2 * margin),
            self._view(np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.0), np.uint8)),
        ]

    def _view(self, pixels: Levels, squeeze: float = 1.0, left: int = 0) -> View:
        """The network's answer to pixels, their width multiplied by ``squeeze``; the first ``left`` are margin."""
        height, width = pixels.shape[:2]
        across = int(np.clip(round(width * squeeze * HEIGHT / height), 1, WIDEST))
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
        log_empty = float(np.log(np.clip(1 - kept[:, 1:11].sum(axis=1), 1e-12, 1)).sum())
        return View(kept / kept.sum(axis=1, keepdims=True), -float(left), STRIDE * width / across, log_empty)

    def _answer(self, values: Floats, timeout: float | None = None) -> Floats:
        """Probabilities float32 (columns, characters) of an image float32 (1, 3, HEIGHT, width)."""
        answer = self._session.run(values, timeout=timeout)[0]
        most = max(map(max, self._classes))
        if np.ndim(answer) != 3 or len(answer) != 1 or answer.shape[2] <= most or not np.isfinite(answer).all():
            raise ModelError(
                f"{self._session.source} answered {np.shape(answer)}; expected finite probabilities of its characters"
            )
        return np.asarray(answer[0], np.float32)


def _padded(pixels: Levels, margin: int) -> Levels:
    """Pixels with a margin above and below, and twice as much left and right, that repeats their edge."""
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
