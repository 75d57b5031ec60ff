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
from digitscope.preprocessing.line import ALPHABET, CLASSES, OTHER, clean
from digitscope.reading.detection import Strip
from digitscope.reading.engine import View

HEIGHT, STRIDE = 48, 8
"""Height in pixels of the network's input, and its pixels of width per column of the answer."""

QUICK, NARROWEST, WIDEST = 128, 320, 3200
"""Width in pixels of the input: a narrower line gets grey paper on its right, to the second as in the network's
training, or to the first in a quick look, which takes a third of the time; a line wider than the third is squeezed."""

LOOKALIKES = {"0": "OoQD", "1": "lI|i!", "2": "Zz", "4": "Ah", "5": "Ss", "6": "bG", "7": "T", "8": "B", "9": "gqP"}
"""Characters that count as a digit: on a line of numbers the network has mistaken a digit for them."""

OTHERS = 0.01
"""Share of the other characters' probability that counts as blank: on a line of numbers they are unrecognised digits,
not empty paper."""

MARGIN = 0.15
"""Height of the paper added above and below, in shares of the strip's height; twice as much is added left and right. A
picture of the strip gets as many pixels, whatever its own height."""


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
        name = installed_network() if path is None else Path(path)
        if name is None:
            raise MissingExtra("rapidocr", "ocr")
        self._session = Session(read_model(name), str(name))
        characters = self._session.metadata.get("character", "").split("\n")
        known = ALPHABET.removesuffix(OTHER)  # what the network says of other marks is for ``_digits``
        wanted = [character + LOOKALIKES.get(character, "") for character in known]
        if not set("".join(wanted)) <= set(characters):
            raise ModelError(
                f"{name} is not a recognition network of RapidOCR: its list lacks needed characters; update it"
            )
        self._classes = [[1 + characters.index(alike) for alike in group] for group in wanted]
        self._answer(np.zeros((1, 3, HEIGHT, NARROWEST), np.float32), LONGEST_ANSWER)

    def look(self, strip: Strip) -> list[View]:
        """The network's answer to the strip with a margin, by a quick look."""
        return [self._view(strip, strip.pixels, QUICK)]

    def look_again(self, strip: Strip) -> list[View]:
        """The network's answer to the strip cleaned, with a margin: for a strip that one look does not decide."""
        return [self._view(strip, clean(strip.pixels), NARROWEST)]

    def _view(self, strip: Strip, picture: Levels, narrowest: int) -> View:
        """The network's answer to a picture of a strip, to which a margin is added."""
        margin = round(MARGIN * strip.pixels.shape[0])
        padded = cv2.copyMakeBorder(picture, margin, margin, 2 * margin, 2 * margin, cv2.BORDER_REPLICATE)
        height, width = padded.shape[:2]
        across = int(np.clip(round(width * HEIGHT / height), 1, WIDEST))
        small = cv2.resize(padded, (across, HEIGHT), interpolation=cv2.INTER_LINEAR)
        colour = small if small.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2RGB)
        values = np.zeros((1, 3, HEIGHT, max(narrowest, -(-across // STRIDE) * STRIDE)), np.float32)
        values[0, :, :, :across] = colour[..., ::-1].transpose(2, 0, 1) / np.float32(127.5) - 1
        probabilities, log_empty = self._digits(self._answer(values)[: -(-across // STRIDE) + 1])
        pixel = strip.pixels.shape[1] / picture.shape[1]  # a pixel of the picture, in pixels of the strip
        return View(probabilities, -2 * margin * pixel, STRIDE * width / across * pixel, log_empty)

    def _digits(self, answer: Floats) -> tuple[Floats, float]:
        """The columns float32 (columns, CLASSES) of a ``View``, and its ``log_empty``, from those of the network."""
        kept = np.zeros((len(answer), CLASSES), np.float32)
        for number, classes in enumerate(self._classes, 1):
            kept[:, number] = answer[:, classes].sum(axis=1)
        others = np.maximum(1 - kept[:, 1:].sum(axis=1) - answer[:, 0], 0)
        kept[:, 0] = np.maximum(answer[:, 0] + OTHERS * others, 1e-6)
        log_empty = float(np.log(np.clip(1 - kept[:, 1:11].sum(axis=1), 1e-12, 1)).sum())
        return kept / kept.sum(axis=1, keepdims=True), log_empty

    def _answer(self, values: Floats, timeout: float | None = None) -> Floats:
        """Probabilities float32 (columns, characters) of an image float32 (1, 3, HEIGHT, width)."""
        answer = self._session.run(values, timeout=timeout)[0]
        most = max(map(max, self._classes))
        if np.ndim(answer) != 3 or len(answer) != 1 or answer.shape[2] <= most or not np.isfinite(answer).all():
            raise ModelError(
                f"{self._session.source} answered {np.shape(answer)}; expected finite probabilities of its characters"
            )
        return np.asarray(answer[0], np.float32)


def installed_network() -> Path | None:
    """The network's file in the installed package; None if there is none."""
    spec = find_spec("rapidocr")
    places = list(spec.submodule_search_locations or []) if spec is not None else []
    return max((path for place in places for path in Path(place).glob("models/*rec*.onnx")), default=None)
