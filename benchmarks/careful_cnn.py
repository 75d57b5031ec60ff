"""How a careful tutorial reads digits: the network of examples/plain_keras.py, and pictures made to look like MNIST.

For `peers.py`, which compares the package with it. Nothing of the package is in here but the images of MNIST.
"""

from __future__ import annotations

import contextlib
import io
import runpy
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from sets import Picture

from digitscope.datasets.mnist import load_mnist

EXAMPLE = Path(__file__).parent.parent / "examples" / "plain_keras.py"
EPOCHS, SEED = 5, 0
Grey = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]


@cache
def network() -> Any:
    """The Keras network that the example trains, at the first call; MNIST's test images stay closed to it."""
    import digitscope.backend  # noqa: F401  only for the network; before the example's, so that TensorFlow starts quietly

    print(f"training the plain network for {EPOCHS} epochs ...", flush=True)
    (x, y), _ = load_mnist()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        mnist = Path(folder) / "mnist.npz"
        np.savez(mnist, x_train=x, y_train=y, x_test=x[:100], y_test=y[:100])
        with patch.object(sys, "argv", [EXAMPLE.name, str(EPOCHS), str(mnist), str(SEED)]):
            return runpy.run_path(str(EXAMPLE))["model"]


def digits(pictures: Sequence[Picture]) -> dict[str, list[str]]:
    """The digit in each picture, for each way of finding it; nothing where there is no ink."""
    ways = {"all ink": all_ink, "largest piece in the middle": middle_piece}
    return {way: classified([[found(grey(picture))] for picture in pictures]) for way, found in ways.items()}


def numbers(pictures: Sequence[Picture]) -> dict[str, list[str]]:
    """The contours of each picture from left to right, line by line, for each threshold."""
    read: dict[str, list[str]] = {}
    for way, threshold in (("Otsu's threshold", otsu), ("adaptive threshold", adaptive)):
        pages = [lines_of(threshold(grey(picture))) for picture in pictures]
        texts = iter(classified([line for page in pages for line in page]))
        read[way] = ["\n".join(next(texts) for _ in page) for page in pages]
    return read


def classified(lines: Sequence[Sequence[Grey]]) -> list[str]:
    """The text of every line, of which the ink of each digit is given."""
    fields = [field_of(ink) for line in lines for ink in line if ink.any()]
    if not fields:
        return ["" for _ in lines]
    guesses = iter(network().predict(np.stack(fields)[..., None], verbose=0).argmax(axis=1))
    return ["".join(str(next(guesses)) for ink in line if ink.any()) for line in lines]


def coloured(picture: Picture) -> npt.NDArray[np.uint8]:
    """The picture as RGB, upright, on white paper where it is transparent."""
    image = (
        Image.fromarray(picture) if isinstance(picture, np.ndarray) else ImageOps.exif_transpose(Image.open(picture))
    )
    layer = image.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB"))


def grey(picture: Picture) -> Grey:
    """The picture's grey levels."""
    return cv2.cvtColor(coloured(picture), cv2.COLOR_RGB2GRAY)


def dark_ink(levels: Grey, paper: Grey) -> Grey:
    """The levels, inverted if most of ``paper``, a part of them, is dark."""
    limit, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
    return levels if np.mean(paper > limit) >= 0.5 else 255 - levels


def ink_of(levels: Grey) -> Grey:
    """How much darker than the paper each pixel is; the paper is what remains when thin dark strokes are removed."""
    side = max(3, min(levels.shape) // 4 | 1)
    paper = cv2.medianBlur(cv2.dilate(levels, np.ones((side, side), np.uint8)), min(2 * side + 1, 255))
    return cv2.subtract(paper, levels)


def all_ink(levels: Grey) -> Grey:
    """The ink of a digit on a picture of its own: the edge of the picture is paper."""
    edge = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    ink = ink_of(dark_ink(levels, edge))
    limit, _ = cv2.threshold(ink, 0, 255, cv2.THRESH_OTSU)
    return np.where(ink > limit, ink, 0).astype(np.uint8)


def middle_piece(levels: Grey) -> Grey:
    """The ink of a digit in a frame: the connected piece that has most pixels in the middle of the picture."""
    ink = ink_of(dark_ink(levels, levels))
    middle = tuple(slice(size // 5, size - size // 5) for size in ink.shape)
    limit, _ = cv2.threshold(np.ascontiguousarray(ink[middle]), 0, 255, cv2.THRESH_OTSU)
    _, pieces = cv2.connectedComponents((ink > limit).astype(np.uint8))
    sizes = np.bincount(pieces[middle].ravel(), minlength=2)[1:]
    return np.where(pieces == 1 + sizes.argmax(), ink, 0).astype(np.uint8)


def field_of(ink: Grey) -> npt.NDArray[np.float32]:
    """The ink cropped, scaled to a longer side of 20, full black, its centre of mass in the middle of 28x28."""
    x, y, width, height = cv2.boundingRect(ink)
    scale = 20 / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    digit = cv2.resize(ink[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    masses = digit.sum(axis=0), digit.sum(axis=1)
    centres = [float(mass @ np.arange(len(mass)) / mass.sum()) for mass in masses]
    left, top = (int(np.clip(round(14 - centre), 0, 28 - n)) for centre, n in zip(centres, size, strict=True))
    field = np.zeros((28, 28), np.float32)
    field[top : top + size[1], left : left + size[0]] = digit / digit.max()
    return field


def otsu(levels: Grey) -> Grey:
    """White ink on black, by one threshold for the whole picture."""
    blurred = cv2.GaussianBlur(dark_ink(levels, levels), (5, 5), 0)
    return cv2.threshold(blurred, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[1]


def adaptive(levels: Grey) -> Grey:
    """White ink on black, each pixel judged by its neighbourhood."""
    blurred = cv2.GaussianBlur(dark_ink(levels, levels), (5, 5), 0)
    return cv2.adaptiveThreshold(blurred, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY_INV, 51, 12)


def lines_of(ink: Grey) -> list[list[Grey]]:
    """The ink of each digit of a page: the outer contours in lines, without those that are low."""
    contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [cv2.boundingRect(contour) for contour in contours]
    tallest = max((height for *_, height in boxes), default=0)
    kept = [box for box in boxes if box[3] >= 0.4 * tallest]
    lines = in_lines(kept)
    return [
        [ink[y : y + height, x : x + width] for x, y, width, height in map(kept.__getitem__, line)] for line in lines
    ]


def in_lines(boxes: Sequence[Box]) -> list[list[int]]:
    """Numbers of boxes x, y, width, height in lines: from the top, and each from the left.

    A box belongs to the line whose first box has the middle of this one between its top and bottom.
    """
    lines: list[list[int]] = []
    for number in sorted(range(len(boxes)), key=lambda number: boxes[number][1] + boxes[number][3] / 2):
        middle = boxes[number][1] + boxes[number][3] / 2
        for line in lines:
            if boxes[line[0]][1] <= middle <= boxes[line[0]][1] + boxes[line[0]][3]:
                line.append(number)
                break
        else:
            lines.append([number])
    return [sorted(line, key=lambda number: boxes[number][0]) for line in lines]
