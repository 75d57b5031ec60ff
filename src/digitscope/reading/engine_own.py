"""The engine ``own``: Digitscope's line network, which sees each strip in two views.

It answers with columns of probabilities; ``reading.ctc`` turns them into text.
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
from digitscope.reading.ctc import softmax
from digitscope.reading.detection import Strip
from digitscope.reading.engine import View

PAD = 8
"""Pixels of paper added left and right of a field, as in training."""

STRIDE = 2
"""Pixels of a field per column of the answer."""

LONGEST_FIELD = 4000
"""Width in pixels of the longest field; a longer line is squeezed to it."""

OLD_CLASSES = CLASSES - 1
"""Classes of a network that was trained before there was one for other marks."""

CLOSER = 0.1
"""Share of the height that the second view leaves out above and below."""


class LineModel:
    """The line network."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Open a model and check it.

        Args:
            path: an ``.onnx`` file; None opens the one that comes with the package.

        Raises:
            ModelError: it is missing, damaged, or not a line reader.
        """
        shipped = resources.files("digitscope") / "shipped" / "lines" / "reader.onnx"
        name = "the shipped line reader" if path is None else str(path)
        try:
            content = shipped.read_bytes() if path is None else read_model(Path(path))
        except OSError as error:
            raise ModelError(f"{name} is missing; reinstall digitscope") from error
        self._session = Session(content, name)
        inputs, outputs = self._session.inputs, self._session.outputs
        if len(inputs) != 1 or len(outputs) != 1 or {inputs[0].type, outputs[0].type} != {FLOATS}:
            raise ModelError(f"{name} has {len(inputs)} inputs and {len(outputs)} outputs; expected one {FLOATS} each")
        self._scores(np.zeros((1, HEIGHT, 2 * HEIGHT, 1), np.float32), LONGEST_ANSWER)

    def look(self, strip: Strip) -> list[View]:
        """The network's answers to the strip as it is, and to its middle, enlarged."""
        pixels = strip.pixels
        height, width = pixels.shape[:2]
        squeeze = min(1.0, LONGEST_FIELD * height / (width * HEIGHT))
        margin = round(CLOSER * height)
        fields = [
            strip.field if squeeze == 1.0 else line_field(_squeezed(pixels, squeeze)),
            line_field(_squeezed(pixels[margin : height - margin], squeeze)),
        ]
        views = []
        for field, answer in zip(fields, self.probabilities(fields), strict=True):
            scale = width / field.shape[1]
            views.append(View(answer, -PAD * scale, STRIDE * scale))
        return views

    def probabilities(self, fields: Sequence[Floats]) -> list[Floats]:
        """The probabilities float32 (columns, CLASSES) of each field float32 (HEIGHT, w).

        A field gets ``PAD`` pixels of paper left and right first.

        Raises:
            ModelError: the network fails on them.
        """
        width = max(field.shape[1] for field in fields) + 2 * PAD
        batch = np.zeros((len(fields), HEIGHT, width, 1), np.float32)
        for place, field in zip(batch, fields, strict=True):
            place[:, PAD : PAD + field.shape[1], 0] = field
        answers = softmax(self._scores(batch))
        # A network with the old classes never sees another mark: it counts as blank there, as it did in training.
        whole = np.pad(answers, ((0, 0), (0, 0), (0, CLASSES - answers.shape[2])))
        return [row[: (field.shape[1] + 2 * PAD) // STRIDE] for row, field in zip(whole, fields, strict=True)]

    def _scores(self, batch: Floats, timeout: float | None = None) -> Floats:
        """Scores of fields float32 (n, HEIGHT, w, 1), w a multiple of STRIDE.

        Returns:
            float32 (n, w // STRIDE, classes), classes being CLASSES or OLD_CLASSES.
        """
        scores: Floats = self._session.run(batch, timeout=timeout)[0]
        columns = (len(batch), batch.shape[2] // STRIDE)
        if scores.shape not in ((*columns, CLASSES), (*columns, OLD_CLASSES)) or not np.isfinite(scores).all():
            found = f"{scores.shape} from {scores.min(initial=0):g} to {scores.max(initial=0):g}"
            expected = (*columns, CLASSES)
            raise ModelError(
                f"{self._session.source} answered {found} to fields {batch.shape}; expected finite scores {expected}"
            )
        return scores


def _squeezed(pixels: Levels, factor: float) -> Levels:
    """Pixels with their width multiplied by a factor."""
    if factor == 1.0:
        return pixels
    size = (max(1, round(pixels.shape[1] * factor)), pixels.shape[0])
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)
