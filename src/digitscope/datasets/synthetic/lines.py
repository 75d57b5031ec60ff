"""Lines of writing made up for training: a picture of a cut-out line and what it says, any number of them, by seed.

Digits come from three sources: MNIST's training digits, openly licensed fonts, and strokes of a pen (``handwriting``).
They are laid out as people write amounts, dates, codes and plain numbers, among rules, boxes, signs and words, on
papers (``paper``). Nothing here trains or reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.datasets.synthetic import handwriting
from digitscope.datasets.synthetic.glyphs import (
    LETTERS,
    SIZE,
    Glyph,
    font_files,
    font_glyphs,
    fonts_folder,
    mnist_glyphs,
)
from digitscope.datasets.synthetic.paper import Papers, photographed
from digitscope.errors import ConfigError
from digitscope.files import write_bytes, write_text
from digitscope.preprocessing.line import ALPHABET
from digitscope.progress import Progress

Source = Callable[[str], "Glyph | list[Floats] | None"]

LONGEST = 560
"""Pixels of the widest canvas; what does not fit is not written."""

STROKES, MNIST, HANDWRITTEN = 0.46, 0.28, 0.20
"""Shares of the lines written with strokes, MNIST digits and handwriting fonts; the rest is printed."""

EMPTY = 0.1
"""Share of the lines that hold no digit."""


LENGTHS = (0.16, 0.1, 0.1, 0.16, 0.14, 0.1, 0.05, 0.06, 0.04, 0.04, 0.03, 0.02)
"""Shares of plain numbers of 1, 2, ... 12 digits."""


@dataclass(frozen=True, eq=False)
class Line:
    """A made-up line.

    Attributes:
        pixels: uint8 (h, w) grey, 0 = black.
        text: what stands there: digits and separators of ``preprocessing.line.ALPHABET``.
        spans: where each character of the text begins and ends, as shares of the width.
    """

    pixels: Levels
    text: str
    spans: tuple[tuple[float, float], ...]


class Lines:
    """A source of lines: the same seed and number, the same line."""

    def __init__(self, seed: int = 0, fonts: Path | None = None) -> None:
        """Load the characters and draw the papers (some seconds).

        Args:
            seed: of all lines.
            fonts: the folder that ``benchmarks/fetch_fonts.py`` filled; None takes its default.

        Raises:
            DataError: there are no fonts.
        """
        self.seed = seed
        folder = fonts_folder() if fonts is None else fonts
        self._written = [found for path in font_files(folder, "handwritten") if (found := font_glyphs(path))]
        self._printed = [found for path in font_files(folder, "printed") if (found := font_glyphs(path))]
        self._mnist = mnist_glyphs()
        self._papers = Papers(seed)

    def line(self, number: int) -> Line:
        """The line of a number, counted from 0."""
        rng = np.random.default_rng((self.seed, number))
        text = _no_number(rng) if rng.random() < EMPTY else _number(rng)
        hand = self._hand(text, rng)
        writing, placed = hand.write(text)
        kept = [(character, left, right) for character, left, right in placed if character in ALPHABET]
        if not text and rng.random() < 0.7:
            writing = _shapes(writing, rng)
        around = self._around(writing.shape, hand, rng)
        page = self._page(writing, around, rng)
        pixels = photographed(page, self._papers, rng)
        width = writing.shape[1]
        spans = tuple((left / width, right / width) for _, left, right in kept)
        return Line(pixels, "".join(character for character, _, _ in kept), spans)

    def _hand(self, text: str, rng: np.random.Generator) -> _Hand:
        """Who writes: strokes, MNIST digits, a handwriting font or a printed one."""
        draw = rng.random()
        has_letters = any(character in LETTERS for character in text)
        if not has_letters and draw < STROKES:
            return _Hand(rng, _strokes_of(rng), False)
        if not has_letters and draw < STROKES + MNIST:
            return _Hand(rng, self._mnist_of(rng), False)
        printed = rng.random() < 0.5 if has_letters else draw > STROKES + MNIST + HANDWRITTEN
        fonts = self._printed if printed else self._written
        return _Hand(rng, fonts[int(rng.integers(len(fonts)))].get, printed)

    def _mnist_of(self, rng: np.random.Generator) -> Source:
        """MNIST's digits, and strokes for everything else."""
        strokes = _strokes_of(rng)

        def source(character: str) -> Glyph | list[Floats] | None:
            if not character.isdigit():
                return strokes(character)
            digits = self._mnist[int(character)]
            return digits[int(rng.integers(len(digits)))]

        return source

    def _around(self, shape: tuple[int, ...], hand: _Hand, rng: np.random.Generator) -> Floats:
        """Rules, boxes, rims, printed words and neighbours' strokes around the writing; float32 (h, w) 0..1."""
        canvas = np.zeros(shape, np.uint8)
        _height, width = shape
        if rng.random() < 0.45:
            y = hand.top + SIZE * rng.uniform(0.85, 1.35)
            tilt = rng.normal(0, 0.012) * width
            strength, pen = int(rng.integers(70, 256)), int(rng.integers(1, 5))
            cv2.line(canvas, (-5, round(y)), (width + 5, round(y + tilt)), strength, pen, cv2.LINE_AA)
        if rng.random() < 0.15:
            y = round(hand.top - SIZE * rng.uniform(0.05, 0.5))
            cv2.line(canvas, (-5, y), (width + 5, y), int(rng.integers(70, 256)), int(rng.integers(1, 4)), cv2.LINE_AA)
        if rng.random() < 0.12:
            self._box(canvas, hand, rng)
        if rng.random() < 0.08:
            side = int(rng.integers(1, 5))
            strip = (slice(None), slice(-side, None)) if rng.random() < 0.5 else (slice(-side, None), slice(None))
            canvas[strip] = int(rng.integers(100, 256))
        if rng.random() < 0.2:
            self._words(canvas, hand, rng)
        if rng.random() < 0.14:
            self._neighbours(canvas, hand, rng)
        return np.asarray(canvas / 255, np.float32)

    def _box(self, canvas: Levels, hand: _Hand, rng: np.random.Generator) -> None:
        """A printed box around the writing."""
        _height, width = canvas.shape
        low, high = hand.top - SIZE * rng.uniform(0.1, 0.5), hand.top + SIZE * rng.uniform(1.1, 1.5)
        left, right = rng.uniform(-10, 12), width - rng.uniform(-10, 12)
        corners = (round(left), round(low)), (round(right), round(high))
        cv2.rectangle(canvas, *corners, int(rng.integers(60, 230)), int(rng.integers(1, 4)))

    def _words(self, canvas: Levels, hand: _Hand, rng: np.random.Generator) -> None:
        """A printed word above or below, mostly cut by the rim."""
        font = self._printed[int(rng.integers(len(self._printed)))]
        scale = rng.uniform(0.2, 0.55)
        below = rng.random() < 0.7
        y = hand.top + SIZE * (rng.uniform(1.25, 1.8) if below else -rng.uniform(0.1, 0.4) - scale)
        x = rng.uniform(-10, canvas.shape[1] * 0.7)
        for _ in range(int(rng.integers(2, 12))):
            glyph = font[LETTERS[int(rng.integers(len(LETTERS)))]]
            factor = SIZE * scale * glyph.height / glyph.ink.shape[0]
            x = _paste(canvas, glyph.ink, x, y + glyph.top * SIZE * scale, factor, factor, 0.0) + 2

    def _neighbours(self, canvas: Levels, hand: _Hand, rng: np.random.Generator) -> None:
        """Strokes of the lines above and below, and of what was cut off left and right, that reach into the picture."""
        height, width = canvas.shape
        source = _strokes_of(rng)
        for _ in range(int(rng.integers(1, 4))):
            strokes = source(str(rng.integers(10)))
            if not isinstance(strokes, list):
                continue
            size = SIZE * rng.uniform(0.7, 1.2)
            seen = rng.uniform(0.04, 0.22)
            drawn = [stroke * np.float32(size) for stroke in strokes]
            left = min(float(stroke[:, 0].min()) for stroke in drawn)
            right = max(float(stroke[:, 0].max()) for stroke in drawn)
            x, y = rng.uniform(0, width), hand.top
            side = int(rng.integers(4))
            if side == 0:
                y = (seen - 1) * size
            elif side == 1:
                y = height - seen * size
            else:
                x = seen * 0.4 * size - right if side == 2 else width - seen * 0.4 * size - left
            drawn = [stroke + np.array([x, y], np.float32) for stroke in drawn]
            handwriting.draw(canvas, drawn, hand.pen)

    def _page(self, writing: Levels, around: Floats, rng: np.random.Generator) -> Floats:
        """Writing and what is around it on paper; float32 (h, w) grey levels 0..255."""
        height, width = writing.shape
        papers = self._papers
        level = rng.uniform(110, 252)
        page = np.full((height, width), level, np.float32)
        print_ = float(rng.uniform(0.02, 0.33)) if rng.random() < 0.75 else 0.0
        if print_:
            page *= 1 - np.float32(print_) * papers.cut(papers.textures, height, width, rng)
        page *= 1 - np.float32(rng.uniform(0.2, 0.9)) * around
        ink = writing.astype(np.float32) * np.float32(1 / 255)
        if rng.random() < 0.4:
            cloud = papers.cut(papers.clouds, height, width, rng)
            ink *= np.clip(1 - np.float32(rng.uniform(0.1, 0.35)) * np.abs(cloud), 0.25, 1)
        faint = rng.uniform(0.03, 0.75) ** (1.0 if rng.random() < 0.5 else 1.6)
        pen = np.float32(level * min(faint, 0.88 - print_))
        page += ink * (np.minimum(pen, page) - page)
        return np.float32(255) - page if rng.random() < 0.08 else page


class _Hand:
    """One writer on one canvas."""

    def __init__(self, rng: np.random.Generator, source: Source, printed: bool) -> None:
        self.rng, self.source, self.printed = rng, source, printed
        self.pen = max(1, round(SIZE * float(np.clip(rng.lognormal(np.log(0.085), 0.42), 0.02, 0.24))))
        slant = rng.normal(0.18, 0.2) if rng.random() < 0.72 else rng.uniform(0.35, 0.85)
        self.slant = 0.0 if printed else float(slant)
        self.wide = float(np.exp(rng.normal(0.04, 0.23)))
        self.gap = float(
            rng.choice([rng.normal(0.1, 0.07), rng.uniform(-0.12, 0.1), rng.uniform(0.2, 1.2)], p=[0.57, 0.25, 0.18])
        )
        self.slope = 0.0 if printed else float(rng.normal(0, 0.03))
        self.drift = 0.01 if printed else float(rng.uniform(0.01, 0.07))
        self.sizes = 0.0 if printed else float(rng.uniform(0.02, 0.12))
        draw = rng.random()
        share = (
            rng.uniform(0.42, 0.85)
            if draw < 0.68
            else rng.uniform(0.24, 0.45)
            if draw < 0.86
            else rng.uniform(0.85, 1.06)
        )
        self.height = round(SIZE / share)
        free = self.height - SIZE
        self.top = float(free * (rng.beta(2, 2) if free > 0 else 0.5))
        self.thin = float(rng.uniform(0.1, 0.6))
        self.joins = 0.45 if rng.random() < 0.18 else 0.0
        self.chains = 0.75 if rng.random() < 0.25 else 0.0

    def write(self, text: str) -> tuple[Levels, list[tuple[str, float, float]]]:
        """Write as much of a text as fits; uint8 (h, w) ink, and the characters written from x to x."""
        rng = self.rng
        canvas = np.zeros((self.height, LONGEST), np.uint8)
        x = SIZE * float(rng.choice([rng.uniform(-0.03, 0.4), rng.uniform(0, 2.0)], p=[0.8, 0.2]))
        small = len(text) - 3 if rng.random() < 0.1 and len(text) > 4 else len(text)
        last = ""
        written: list[tuple[str, float, float]] = []
        drawn: list[Floats] = []
        for place, character in enumerate(text):
            if character == " ":
                x += SIZE * rng.uniform(0.25, 0.7)
                continue
            shape = self.source(character)
            if shape is None:
                continue
            size = SIZE * float(np.exp(rng.normal(0, self.sizes))) * (0.72 if place >= small else 1.0)
            lift = 0.25 * SIZE * (place >= small) * rng.uniform(-0.2, 1)
            y = self.top + (SIZE - size) * 0.7 - lift * 0.3 + SIZE * rng.normal(0, self.drift) + self.slope * (x - 60)
            gap = SIZE * (self.gap + rng.normal(0, 0.04))
            if not character.isdigit() or (last and not last.isdigit()):
                gap = max(gap, SIZE * rng.uniform(0.02, 0.16))
            if isinstance(shape, Glyph):
                end = self._glyph(canvas, shape, x, y, size)
            else:
                before = len(drawn)
                end = self._strokes(drawn, shape, x, y, size)
                joins = max(self.joins, self.chains) if character == last == "0" else self.joins
                if before and character.isdigit() and last.isdigit() and rng.random() < joins:
                    drawn.append(np.stack([drawn[before - 1][-1], drawn[before][0]]))
            if end > LONGEST - 6:
                break
            written.append((character, x, end))
            x, last = end + gap, character
        drawn = [stroke for stroke in drawn if stroke[:, 0].max() < LONGEST]
        if drawn:
            handwriting.draw(canvas, drawn, self.pen)
        end_margin = SIZE * float(rng.choice([rng.uniform(-0.03, 0.45), rng.uniform(0, 2.0)], p=[0.8, 0.2]))
        width = int(np.clip(x - SIZE * self.gap + end_margin, self.height // 3, LONGEST))
        return canvas[:, :width], written

    def _strokes(self, drawn: list[Floats], strokes: list[Floats], x: float, y: float, size: float) -> float:
        """Lay out a character's strokes from x on; the x where it ends."""
        slanted = [stroke * np.array([size * self.wide, size], np.float32) for stroke in strokes]
        for stroke in slanted:
            stroke[:, 0] += (size / 2 - stroke[:, 1]) * np.float32(self.slant)
        left = min(float(stroke[:, 0].min()) for stroke in slanted)
        right = max(float(stroke[:, 0].max()) for stroke in slanted)
        offset = np.array([x - left + self.pen / 2, y], np.float32)
        drawn.extend(stroke + offset for stroke in slanted)
        return x + right - left + self.pen

    def _glyph(self, canvas: Levels, glyph: Glyph, x: float, y: float, size: float) -> float:
        """Put a character's picture at x; the x where it ends."""
        ink = glyph.ink
        scale = size * glyph.height / ink.shape[0]
        wide = scale * (1.0 if self.printed else self.wide)
        if ink.shape[0] <= 20:  # MNIST: a bold pen, made as thin as this writer's
            limit = 255 * self.thin
            gain = np.float32(1.3 * 255 / (255 - limit))
            thinned = np.clip((ink.astype(np.float32) - np.float32(limit)) * gain, 0, 255).astype(np.uint8)
            return _paste(canvas, thinned, x, y + glyph.top * size, wide, scale, self.slant / 3)
        return _paste(canvas, ink, x, y + glyph.top * size, wide, scale, self.slant)


def _paste(canvas: Levels, ink: Levels, x: float, y: float, wide: float, high: float, slant: float) -> float:
    """Put a picture with its upper left corner at x, y, scaled and slanted, onto what is there; the x where it ends."""
    height, width = ink.shape
    size = float(width * wide), float(height * high)
    lean = abs(slant) * size[1]
    left, top = int(x) - 1, int(y) - 1
    right, bottom = int(x + size[0] + lean) + 3, int(y + size[1]) + 3
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, canvas.shape[1]), min(bottom, canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return x + size[0]
    shear = -slant * high
    start = x - x0 + (lean if slant > 0 else 0)
    matrix = np.array([[wide, shear, start + 0.5 * wide], [0, high, y - y0 + 0.5 * high]], np.float32)
    part = cv2.warpAffine(ink, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    region = canvas[y0:y1, x0:x1]
    np.maximum(region, part, out=region)
    return x + size[0] + lean


def _shapes(canvas: Levels, rng: np.random.Generator) -> Levels:
    """Filled and open shapes that are no writing, drawn over what is there; a wider picture where it was too narrow."""
    height = canvas.shape[0]
    drawn = np.zeros((height, max(canvas.shape[1], int(height * rng.uniform(0.6, 2)))), np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        middle = rng.uniform(0.1, 0.9, 2) * (drawn.shape[1], height)
        corners = middle + rng.normal(0, height * rng.uniform(0.1, 0.35), (int(rng.integers(3, 9)), 2))
        points = np.rint(corners).astype(np.int32)
        points = cv2.convexHull(points) if rng.random() < 0.6 else points[:, None]
        if rng.random() < 0.6:
            cv2.fillPoly(drawn, [points], int(rng.integers(90, 256)), cv2.LINE_AA)
        else:
            cv2.polylines(drawn, [points], True, 255, int(rng.integers(2, 7)), cv2.LINE_AA)
    return drawn


def _strokes_of(rng: np.random.Generator) -> Source:
    """A writer with strokes: for each character one form, sometimes another, with a wobble of his own."""
    habits: dict[str, int] = {}
    wobble = float(rng.uniform(0.008, 0.04))

    def source(character: str) -> list[Floats] | None:
        if character not in handwriting.FORMS:
            return None
        if character not in habits or rng.random() < 0.15:
            habits[character] = int(rng.integers(len(handwriting.FORMS[character])))
        return handwriting.curve(character, habits[character], rng, wobble)

    return source


def _digits(rng: np.random.Generator, length: int) -> str:
    return "".join(map(str, rng.integers(0, 10, length)))


def _number(rng: np.random.Generator) -> str:
    """What people write: an amount, a plain number, a date or a code."""
    draw = rng.random()
    if draw < 0.5:
        return _amount(rng)
    if draw < 0.9:
        length = 1 + int(rng.choice(12, p=LENGTHS))
        text = _digits(rng, length)
        if rng.random() < 0.15:
            text = text[0] * length
        return " ".join(text) if rng.random() < 0.12 else text
    if draw < 0.95:
        mark = str(rng.choice(["/", "-", "."]))
        return mark.join([_digits(rng, 2), _digits(rng, 2), _digits(rng, int(rng.choice([2, 4])))])
    return "-".join(_digits(rng, int(rng.integers(2, 5))) for _ in range(int(rng.integers(2, 4))))


def _amount(rng: np.random.Generator) -> str:
    """An amount of money, with the marks that people put before, inside and after it."""
    length = int(rng.choice([1, 2, 3, 4, 5, 6, 7], p=[0.03, 0.07, 0.14, 0.26, 0.32, 0.14, 0.04]))
    digits = _digits(rng, length)
    if digits[0] == "0":
        digits = str(rng.integers(1, 10)) + digits[1:]
    zeros = int(rng.integers(0, length)) if rng.random() < 0.4 else 0
    digits = digits[: length - zeros] + "0" * zeros
    mark = str(rng.choice([".", ",", "", " "], p=[0.42, 0.13, 0.37, 0.08]))
    text = digits if length < 4 else digits[:-3] + mark + digits[-3:]
    if rng.random() < 0.2:
        text += str(rng.choice([".", ",", "-", " "], p=[0.5, 0.3, 0.1, 0.1])) + str(rng.choice(["00", _digits(rng, 2)]))
    after = ["", "-", ".-", "=", ".=", ",-", ".", "--", "/", "~", "*", "#"]
    text += str(rng.choice(after, p=[0.5, 0.12, 0.1, 0.06, 0.04, 0.03, 0.06, 0.03, 0.01, 0.02, 0.015, 0.015]))
    before = ["", "$", "$ ", "#", "*", "=", "-", "R T "]
    return str(rng.choice(before, p=[0.74, 0.08, 0.08, 0.02, 0.02, 0.02, 0.01, 0.03])) + text


def _no_number(rng: np.random.Generator) -> str:
    """No digits: a word, marks, or nothing at all."""
    draw = rng.random()
    if draw < 0.6:
        return "".join(rng.choice(list(LETTERS), int(rng.integers(1, 8))))
    return str(rng.choice(["", "~", "*", "#", "$", "~~"], p=[0.75, 0.05, 0.05, 0.05, 0.05, 0.05]))


def write_samples(
    folder: Path, count: int, seed: int = 0, fonts: Path | None = None, progress: Progress | None = None
) -> None:
    """Write lines as PNG files with a ``labels.csv`` beside them, for a person to look at.

    Args:
        folder: where to; it is made.
        count: how many lines.
        seed: of the lines.
        fonts: as for ``Lines``.
        progress: told about lines done of all.

    Raises:
        ConfigError: the folder cannot be written.
    """
    source = Lines(seed, fonts)
    try:
        _write_lines(source, folder, count, progress)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}); give another folder with --out") from error


def _write_lines(source: Lines, folder: Path, count: int, progress: Progress | None) -> None:
    """The first lines of a source as files, and what they say."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["file,text"]
    for number in range(count):
        line = source.line(number)
        name = f"{number:06d}.png"
        write_bytes(folder / name, cv2.imencode(".png", line.pixels)[1].tobytes())
        rows.append(f'{name},"{line.text}"')
        if progress is not None:
            progress("lines", number + 1, count, {})
    write_text(folder / "labels.csv", "\n".join(rows) + "\n")
