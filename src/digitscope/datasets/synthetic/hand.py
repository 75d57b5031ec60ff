"""A writer's hand: pen, slant, gaps and size, and the characters laid out one after the other on a canvas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.datasets.synthetic import handwriting
from digitscope.datasets.synthetic.glyphs import SIZE, Glyph, paste
from digitscope.datasets.synthetic.recipe import HandRecipe, Range, Shares

Source = Callable[[str], "Glyph | list[Floats] | None"]
"""A writer's characters: each as a glyph or as strokes, or None if the writer has no such character."""

LONGEST = 560
"""Pixels of the widest canvas; what does not fit is not written."""

MNIST_HEIGHT = 20
"""The greatest height of MNIST's digits in pixels; they are written with a bold pen."""

RULE, RULE_TILT = "|", 0.02
"""The sign for a rule between columns, which runs through the whole picture, as people's own strokes would look like a
1; and the standard deviation of its slope."""

LEANING = 3
"""By how much less characters are slanted that lean already, as MNIST's and those of recorded writers do."""


class Hand:
    """One writer on one canvas.

    Attributes:
        pen: width of the pen, pixels.
        height: of the canvas, pixels.
        top: y of the digits' upper rim, pixels.
    """

    def __init__(
        self, recipe: HandRecipe, source: Source, printed: bool, rng: np.random.Generator, leaning: bool = False
    ) -> None:
        """Draw the writer's habits.

        Args:
            recipe: what they are drawn from.
            source: the writer's characters.
            printed: whether they are printed: upright, on one line, of one size.
            rng: the random numbers, for ``write`` and ``copy`` too.
            leaning: whether the characters lean already, so that they get a third of the slant.
        """
        self._recipe, self._source, self._printed, self._rng = recipe, source, printed, rng
        median, spread = recipe.pen
        self.pen = max(1, round(SIZE * float(np.clip(rng.lognormal(np.log(median), spread), *recipe.pen_limits))))
        usual, strong = recipe.slants
        slant = rng.normal(*usual) if rng.random() < recipe.usual_slant else rng.uniform(*strong)
        self._slant = 0.0 if printed else float(slant) / (LEANING if leaning else 1)
        self._wide = float(np.exp(rng.normal(*recipe.width)))
        usual, touching, wide = recipe.gaps
        gaps = [rng.normal(*usual), rng.uniform(*touching), rng.uniform(*wide)]
        self._gap = float(rng.choice(gaps, p=recipe.gap_shares))
        self._slope = 0.0 if printed else float(rng.normal(*recipe.slope))
        self._drift = recipe.printed_drift if printed else float(rng.uniform(*recipe.drift))
        self._size_spread = 0.0 if printed else float(rng.uniform(*recipe.size_spread))
        fill = int(np.searchsorted(np.cumsum(recipe.fill_shares), rng.random(), side="right"))
        self.height = round(SIZE / rng.uniform(*recipe.fills[fill]))
        free = self.height - SIZE
        self.top = float(free * (rng.beta(recipe.centre, recipe.centre) if free > 0 else 0.5))
        self._thin = float(rng.uniform(*recipe.thin))
        self._join = recipe.join if rng.random() < recipe.joined else 0.0
        self._join_zeros = max(self._join, recipe.chain if rng.random() < recipe.chained else 0.0)

    def write(self, text: str) -> tuple[Levels, list[tuple[str, float, float]]]:
        """Write as much of a text as fits; returns uint8 (h, w) ink, and each character with the x of its two sides."""
        recipe, rng = self._recipe, self._rng
        canvas = np.zeros((self.height, LONGEST), np.uint8)
        x = SIZE * self._either(recipe.margins, recipe.margin_shares)
        small = len(text) - 3 if rng.random() < recipe.small_end and len(text) > 4 else len(text)
        last = ""
        written: list[tuple[str, float, float]] = []
        drawn: list[Floats] = []
        for place, character in enumerate(text):
            if character == " ":
                x += SIZE * rng.uniform(*recipe.space)
                continue
            shape = self._rule() if character == RULE else self._source(character)
            if shape is None:
                continue
            size, y = self._size_and_place(x, place >= small)
            gap = self._gap_after(character, last)
            if isinstance(shape, Glyph):
                end = self._glyph(canvas, shape, x, y, size)
            else:
                before = len(drawn)
                end = self._strokes(drawn, shape, x, y, size, upright=character == RULE)
                if before and character.isdigit() and last.isdigit() and self._joins(character, last):
                    drawn.append(np.stack([drawn[before - 1][-1], drawn[before][0]]))
            if end > LONGEST - 6:
                break
            written.append((character, x, end))
            x, last = end + gap, character
        drawn = [stroke for stroke in drawn if stroke[:, 0].max() < LONGEST]
        return self._finished(canvas, drawn, x - SIZE * self._gap), written

    def copy(self, strokes: list[Floats]) -> tuple[Levels, list[tuple[float, float]]]:
        """Write strokes as they are, with this pen, slant and width, narrower where they would not fit.

        Args:
            strokes: float32 (points, 2) each, in digit heights, with the digits' lower rim at y = 1.

        Returns:
            uint8 (h, w) ink, and the x of the left and right side of each stroke.
        """
        recipe = self._recipe
        canvas = np.zeros((self.height, LONGEST), np.uint8)
        x = SIZE * self._either(recipe.margins, recipe.margin_shares)
        wide = SIZE * self._wide * float(np.concatenate(strokes)[:, 0].max())
        squeeze = np.array([min(1.0, (LONGEST - x - 2 * SIZE) / max(wide, 1.0)), 1], np.float32)
        drawn: list[Floats] = []
        end = self._strokes(drawn, [stroke * squeeze for stroke in strokes], x, self.top, SIZE)
        sides = [(float(one[:, 0].min()) - self.pen / 2, float(one[:, 0].max()) + self.pen / 2) for one in drawn]
        return self._finished(canvas, drawn, end), sides

    def _finished(self, canvas: Levels, drawn: list[Floats], end: float) -> Levels:
        """The canvas with strokes drawn on it, cut some way behind the writing's end."""
        if drawn:
            handwriting.draw(canvas, drawn, self.pen)
        end_margin = SIZE * self._either(self._recipe.end_margins, self._recipe.margin_shares)
        return canvas[:, : int(np.clip(end + end_margin, self.height // 3, LONGEST))]

    def _either(self, ranges: tuple[Range, Range], shares: Shares) -> float:
        """A number from one of two ranges."""
        return float(self._rng.choice([self._rng.uniform(*one) for one in ranges], p=shares))

    def _size_and_place(self, x: float, small: bool) -> tuple[float, float]:
        """A character's height and the y of its upper rim, pixels."""
        recipe, rng = self._recipe, self._rng
        size = SIZE * float(np.exp(rng.normal(0, self._size_spread))) * (recipe.small_size if small else 1.0)
        lift = 0.25 * SIZE * small * rng.uniform(*recipe.small_raise)
        y = self.top + (SIZE - size) * 0.7 - lift * 0.3 + SIZE * rng.normal(0, self._drift) + self._slope * (x - 60)
        return size, y

    def _gap_after(self, character: str, last: str) -> float:
        """Pixels between this character and the next."""
        gap = SIZE * (self._gap + self._rng.normal(0, self._recipe.gap_spread))
        if not character.isdigit() or (last and not last.isdigit()):
            gap = max(gap, SIZE * self._rng.uniform(*self._recipe.sign_gap))
        return gap

    def _joins(self, character: str, last: str) -> bool:
        """Whether a stroke joins two digits."""
        return bool(self._rng.random() < (self._join_zeros if character == last == "0" else self._join))

    def _rule(self) -> list[Floats]:
        """A rule from above to below any canvas, in digit heights."""
        reach = self.height / SIZE
        return [np.array([[self._rng.normal(0, RULE_TILT) * reach, -reach], [0, 1 + reach]], np.float32)]

    def _strokes(
        self, drawn: list[Floats], strokes: list[Floats], x: float, y: float, size: float, upright: bool = False
    ) -> float:
        """Lay out a character's strokes from x on; returns the x where it ends."""
        slanted = [stroke * np.array([size * self._wide, size], np.float32) for stroke in strokes]
        for stroke in slanted:
            stroke[:, 0] += (size / 2 - stroke[:, 1]) * np.float32(0 if upright else self._slant)
        left = min(float(stroke[:, 0].min()) for stroke in slanted)
        right = max(float(stroke[:, 0].max()) for stroke in slanted)
        offset = np.array([x - left + self.pen / 2, y], np.float32)
        drawn.extend(stroke + offset for stroke in slanted)
        return x + right - left + self.pen

    def _glyph(self, canvas: Levels, glyph: Glyph, x: float, y: float, size: float) -> float:
        """Paste a character's picture at x; returns the x where it ends."""
        ink, slant = glyph.ink, self._slant
        scale = size * glyph.height / ink.shape[0]
        wide = scale * (1.0 if self._printed else self._wide)
        if ink.shape[0] <= MNIST_HEIGHT:
            limit = 255 * self._thin
            gain = np.float32(1.3 * 255 / (255 - limit))
            ink = np.clip((ink.astype(np.float32) - np.float32(limit)) * gain, 0, 255).astype(np.uint8)
            slant /= LEANING
        return paste(canvas, ink, x, y + glyph.top * size, wide, scale, slant)
