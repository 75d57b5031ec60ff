"""The engine ``own``: the line network that comes with the package, which looks at a strip in several views.

It answers with columns of probabilities; spelling them is ``reading.ctc``'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.errors import ModelError
from digitscope.models.session import FLOATS, LONGEST_ANSWER, Session, read_model
from digitscope.preprocessing.line import CLASSES, HEIGHT, line_field
from digitscope.reading.ctc import probabilities_of
from digitscope.reading.engine import View

PAD = 8
"""Pixels of paper on either side of a field, as in training."""

STRIDE = 2
"""Pixels of a field that a column stands for."""

LONGEST_FIELD = 4000
"""Pixels of width of the longest field that is read; a longer one is squeezed."""


class LineModel:
    """The line network, opened with checks."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Open a model.

        Args:
            path: an ``.onnx`` file; None opens the one that comes with the package.

        Raises:
            ModelError: it is missing, damaged, or no line reader.
        """
        shipped = resources.files("digitscope") / "shipped" / "lines" / "reader.onnx"
        name = "the shipped line reader" if path is None else str(path)
        try:
            content = shipped.read_bytes() if path is None else read_model(Path(path))
        except OSError as error:
            raise ModelError(f"{name} is not there; install digitscope again") from error
        self._session = Session(content, name)
        taken, given = self._session.inputs, self._session.outputs
        if len(taken) != 1 or len(given) != 1 or {taken[0].type, given[0].type} != {FLOATS}:
            raise ModelError(f"{name} has {len(taken)} inputs and {len(given)} outputs; expected one {FLOATS} of each")
        self._answer(np.zeros((1, HEIGHT, 2 * HEIGHT, 1), np.float32), LONGEST_ANSWER)

    def probabilities(self, fields: Sequence[Floats]) -> list[Floats]:
        """Float32 (columns, CLASSES) of each field float32 (HEIGHT, w), ``PAD`` pixels of paper around it.

        Raises:
            ModelError: the network fails on them.
        """
        width = max(field.shape[1] for field in fields) + 2 * PAD
        batch = np.zeros((len(fields), HEIGHT, width, 1), np.float32)
        for place, field in zip(batch, fields, strict=True):
            place[:, PAD : PAD + field.shape[1], 0] = field
        scores = self._answer(batch)
        return [
            probabilities_of(row[: (field.shape[1] + 2 * PAD) // STRIDE])
            for row, field in zip(scores, fields, strict=True)
        ]

    def _answer(self, batch: Floats, patience: float | None = None) -> Floats:
        """Scores float32 (n, w // STRIDE, CLASSES) of fields float32 (n, HEIGHT, w, 1), w a multiple of STRIDE."""
        scores: Floats = self._session.run(batch, patience=patience)[0]
        expected = (len(batch), batch.shape[2] // STRIDE, CLASSES)
        if scores.shape != expected or not np.isfinite(scores).all():
            found = f"{scores.shape} from {scores.min(initial=0):g} to {scores.max(initial=0):g}"
            raise ModelError(
                f"{self._session.source} answered {found} to fields {batch.shape}; expected finite scores {expected}"
            )
        return scores

    def look(self, pixels: Levels) -> list[View]:
        """The strip as it is, and closer."""
        height, width = pixels.shape[:2]
        squeezed = min(1.0, LONGEST_FIELD * height / (width * HEIGHT))
        closer = round(0.1 * height)
        fields = [
            line_field(_stretched(pixels, squeezed)),
            line_field(_stretched(pixels[closer : height - closer], squeezed)),
        ]
        views = []
        for field, answer in zip(fields, self.probabilities(fields), strict=True):
            across = width / field.shape[1]
            views.append(View(answer, -PAD * across, STRIDE * across))
        return views


def _stretched(pixels: Levels, wide: float) -> Levels:
    """Pixels so many times as wide."""
    if wide == 1.0:
        return pixels
    size = (max(1, round(pixels.shape[1] * wide)), pixels.shape[0])
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)
