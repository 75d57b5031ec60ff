"""From pen strokes to the 28x28 field, computed as the page does it, to the last bit.

A reference for ``static/raster.js``: the same operations in the same order. Only + - * / and the square root are used,
on float64, because IEEE 754 defines their last bit; sums are taken one value after another, never by ``numpy.sum``,
which adds in pairs.

1. the strokes are drawn on a pad of 280x280;
2. the box around the ink is found;
3. the same strokes are drawn again, the box's longer side 200 and the pen as wide as MNIST's;
4. every ten by ten pixels of that are averaged: 20x20;
5. these are put into 28x28 with the centre of mass in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digitscope.arraytypes import Floats
from digitscope.errors import ConfigError

PAD, FRAME, FITTED, FIELD, BLOCK = 280, 200, 20, 28, 10
"""Sides of the pad, of the second drawing, of its average, of the field; pixels averaged along each side."""

PEN = (2.3, 3.8)
"""The narrowest and the widest pen, in pixels of the field. Source: the same as ``preprocessing.field.STROKE``."""

LEAST = 1.0
"""Centre lines that span less than this on the pad are a dot, and keep the width they have."""


@dataclass(frozen=True)
class Stroke:
    """One movement of the pen.

    Attributes:
        points: x and y in turns, in units of the pad 0..280; (0, 0) is its top left corner.
        width: of the pen, in the same units.
        erase: whether it takes ink away.
    """

    points: tuple[float, ...]
    width: float
    erase: bool = False

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigError: a number is missing, or not finite, or the width is not above 0.
        """
        finite = all(math.isfinite(value) for value in (*self.points, self.width))
        if len(self.points) % 2 or not finite or not self.width > 0:
            raise ConfigError(
                f"a stroke has {len(self.points)} coordinates and the width {self.width}; expected pairs of finite "
                "numbers x, y and a width above 0"
            )


@dataclass(frozen=True, eq=False)
class Raster:
    """Strokes on their way to the field; all arrays 0 = paper, 1 = pen.

    Attributes:
        picture: float32 (280, 280), what was drawn.
        box: left, top, right, bottom of its ink; None where there is none.
        fine: float32 (200, 200), drawn again; None where nothing was fitted.
        fitted: float32 (20, 20), its average; None where nothing was fitted.
        shift: how many pixels it was moved right and down from the middle.
        field: float32 (28, 28), what the network sees.
    """

    picture: Floats
    box: tuple[int, int, int, int] | None
    fine: Floats | None
    fitted: Floats | None
    shift: tuple[int, int]
    field: Floats


@dataclass(frozen=True)
class _Place:
    """Where strokes go: p to p * scale + offset; a pen gets ``thick`` times as wide, an eraser ``scale`` times."""

    scale: float
    thick: float
    offset: tuple[float, float]


def raster(strokes: Sequence[Stroke], fit: bool = True, pen: bool = True, centre: bool = True) -> Raster:
    """Draw strokes and make the field of them.

    Args:
        strokes: in the order in which they were made.
        fit: cut the drawing out and scale it; without it, the whole pad is shrunk to 28x28.
        pen: make the stroke as wide as MNIST's.
        centre: put the centre of mass in the middle.

    >>> line = Stroke((100, 40, 100, 240), width=20)
    >>> made = raster([line])
    >>> made.box, made.shift, round(float(made.field.sum()))
    ((90, 30, 110, 250), (1, 1), 45)
    """
    made = [stroke for stroke in strokes if len(stroke.points) >= 2]
    picture = _drawn(made, PAD, _Place(1.0, 1.0, (0.0, 0.0)))
    box = _box_of(picture)
    if box is None or not fit:
        return Raster(picture, box, None, None, (0, 0), _averaged(picture))
    fine = _drawn(made, FRAME, _place_of(made, box, pen))
    if not fine.any():  # the eraser took all that a thinner pen left
        fine = _drawn(made, FRAME, _enlarged(box))
    fitted = _averaged(fine)
    shift = _shift_of(fitted) if centre else (0, 0)
    field = np.zeros((FIELD, FIELD), np.float32)
    left, top = (FIELD - FITTED) // 2 + shift[0], (FIELD - FITTED) // 2 + shift[1]
    field[top : top + FITTED, left : left + FITTED] = fitted
    return Raster(picture, box, fine, fitted, shift, field)


def _drawn(strokes: Sequence[Stroke], size: int, place: _Place) -> Floats:
    """All strokes on a square of ``size`` pixels."""
    picture = np.zeros((size, size), np.float32)
    for stroke in strokes:
        radius = stroke.width * (place.scale if stroke.erase else place.thick) / 2
        across = [float(x) * place.scale + place.offset[0] for x in stroke.points[0::2]]
        down = [float(y) * place.scale + place.offset[1] for y in stroke.points[1::2]]
        if len(across) == 1:
            across, down = across * 2, down * 2
        for i in range(len(across) - 1):
            _segment(picture, (across[i], down[i]), (across[i + 1], down[i + 1]), radius, stroke.erase)
    return picture


def _segment(picture: Floats, start: tuple[float, float], end: tuple[float, float], radius: float, erase: bool) -> None:
    """One segment into ``picture``: full ink up to the radius, falling to none over one pixel."""
    size = len(picture)
    (ax, ay), (bx, by) = start, end
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    reach = radius + 1
    left, right = max(0, math.floor(min(ax, bx) - reach)), min(size, math.ceil(max(ax, bx) + reach))
    top, bottom = max(0, math.floor(min(ay, by) - reach)), min(size, math.ceil(max(ay, by) + reach))
    if left >= right or top >= bottom:
        return
    px, py = np.arange(left, right) + 0.5, (np.arange(top, bottom) + 0.5)[:, None]
    along = np.clip(((px - ax) * dx + (py - ay) * dy) / length, 0, 1) if length > 0 else np.zeros(1)
    ex, ey = ax + along * dx - px, ay + along * dy - py
    ink = np.clip(radius + 0.5 - np.sqrt(ex * ex + ey * ey), 0, 1)
    part = picture[top:bottom, left:right]
    part[:] = np.minimum(part, 1 - ink) if erase else np.maximum(part, ink)


def _box_of(picture: Floats) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of what is at least half ink."""
    rows, columns = np.nonzero(picture >= 0.5)
    if not len(rows):
        return None
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def _place_of(strokes: Sequence[Stroke], box: tuple[int, int, int, int], set_pen: bool) -> _Place:
    """Where the strokes go in the frame: the centre lines of the ink in ``box`` and the pen fill its longer side.

    The lines are those of the strokes, not guessed from the box: at the edge of the pad a part of the pen is missing.
    """
    pens = [stroke for stroke in strokes if not stroke.erase]
    width = max(float(stroke.width) for stroke in pens)
    starts: list[float] = []
    spans: list[float] = []
    for axis in (0, 1):
        places = [float(place) for stroke in pens for place in stroke.points[axis::2]]
        starts.append(max(min(places), box[axis]))
        spans.append(max(min(max(places), box[axis + 2]) - starts[axis], 0))
    span = max(spans)
    if span < LEAST:
        return _enlarged(box)
    drawn = width * FITTED / (span + width)
    line = (min(max(drawn, PEN[0]), PEN[1]) if set_pen else drawn) * BLOCK
    scale = (FRAME - line) / span
    across, down = (_margin(spans[i] * scale + line) + line / 2 - starts[i] * scale for i in (0, 1))
    return _Place(scale, line / width, (across, down))


def _enlarged(box: tuple[int, int, int, int]) -> _Place:
    """The same for a dot, which has no centre line: its box fills the frame, and the pen grows with it."""
    sides = box[2] - box[0], box[3] - box[1]
    scale = FRAME / max(sides)
    across, down = (_margin(sides[i] * scale) - box[i] * scale for i in (0, 1))
    return _Place(scale, scale, (across, down))


def _margin(side: float) -> float:
    """What is left of the frame on each side of something so long, in whole blocks."""
    return max(0, math.floor((FITTED - math.ceil(side / BLOCK)) / 2)) * BLOCK


def _averaged(picture: Floats) -> Floats:
    """Averages of ten by ten pixels, added up row by row."""
    side = len(picture) // BLOCK
    blocks = picture.reshape(side, BLOCK, side, BLOCK)
    total = np.zeros((side, side))
    for y in range(BLOCK):
        for x in range(BLOCK):
            total += blocks[:, y, :, x]
    return (total / (BLOCK * BLOCK)).astype(np.float32)


def _shift_of(fitted: Floats) -> tuple[int, int]:
    """How far right and down it has to move from the middle of the field so that its centre of mass comes there."""
    values = fitted.astype(np.float64).ravel()
    places = np.arange(FITTED * FITTED)
    total = _sum(values)
    if not total > 0:
        return 0, 0
    middle = (FIELD - FITTED) // 2

    def shift(sum_: float) -> int:
        return min(max(math.floor(FIELD / 2 - sum_ / total + 0.5), 0), 2 * middle) - middle

    return shift(_sum(values * (places % FITTED))), shift(_sum(values * (places // FITTED)))


def _sum(values: npt.NDArray[np.float64]) -> float:
    """The sum, one value after the other."""
    return float(np.add.accumulate(values)[-1])
