"""Synthetic lines of writing: pictures of cut-out lines with their texts, any number of them, by seed.

Digits come from three sources: MNIST's training digits, openly licensed fonts, and strokes of a pen (``handwriting``);
and from a fourth where there is one, people whose pens were recorded (``recorded``). ``texts`` says what is written,
``hand`` lays it out, ``surroundings`` and ``paper`` make a picture of it; ``recipe`` holds the probabilities. Nothing
here trains or reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.datasets.synthetic import handwriting
from digitscope.datasets.synthetic.glyphs import (
    Glyph,
    font_files,
    font_glyphs,
    fonts_folder,
    mnist_glyphs,
)
from digitscope.datasets.synthetic.hand import Hand, Source
from digitscope.datasets.synthetic.paper import Papers, on_paper, photographed
from digitscope.datasets.synthetic.recipe import LineRecipe
from digitscope.datasets.synthetic.recorded import RecordedWriters
from digitscope.datasets.synthetic.surroundings import add_shapes, surroundings
from digitscope.datasets.synthetic.texts import marked, no_number, number
from digitscope.files import write_bytes, write_text, writing
from digitscope.preprocessing.line import ALPHABET, OTHER
from digitscope.progress import Progress


@dataclass(frozen=True, eq=False)
class SyntheticLine:
    """A synthetic line.

    Attributes:
        pixels: uint8 (h, w) grey, 0 = black.
        text: what is written: digits and separators of ``preprocessing.line.ALPHABET``, and its sign for other marks if
            there are recorded writers; without them other marks are left out.
        spans: where each character of the text begins and ends, as shares of the width; empty if that is not known.
    """

    pixels: Levels
    text: str
    spans: tuple[tuple[float, float], ...]


Placed = list[tuple[str, float, float]]
"""Characters with the x of their left and right side, which are NaN if they are not known."""


class Lines:
    """A source of lines; the same seed and number give the same line.

    Attributes:
        seed: of all lines.
    """

    def __init__(
        self,
        seed: int = 0,
        fonts: Path | None = None,
        recipe: LineRecipe | None = None,
        trajectories: str | Path | None = None,
        validation: bool = False,
    ) -> None:
        """Load the characters and draw the papers, which takes some seconds.

        Args:
            seed: of all lines.
            fonts: the folder that ``benchmarks/fetch_fonts.py`` filled; None takes its default.
            recipe: what the lines look like; None takes what the shipped reader was trained on.
            trajectories: a folder of recorded pens (docs/data.md); None: all lines are as they ever were.
            validation: whether the recorded writers are those that no training may see, or the others.

        Raises:
            DataError: there are no fonts, or the trajectories are missing or damaged.
        """
        self.seed, self._recipe = seed, recipe or LineRecipe()
        self._recorded = None if trajectories is None else RecordedWriters(trajectories, validation)
        folder = fonts_folder() if fonts is None else fonts
        self._written = [found for path in font_files(folder, "handwritten") if (found := font_glyphs(path))]
        self._printed = [found for path in font_files(folder, "printed") if (found := font_glyphs(path))]
        self._mnist = mnist_glyphs()
        self._papers = Papers(seed)

    def line(self, index: int) -> SyntheticLine:
        """The line with this number, counted from 0."""
        recipe, rng = self._recipe, np.random.default_rng((self.seed, index))
        hand, ink, placed = self._written_line(rng)
        kept = [(label, left, right) for character, left, right in placed if (label := self._label(character))]
        around = surroundings(ink.shape, hand, self._printed, recipe, rng)
        page = on_paper(ink, around, self._papers, recipe.paper, rng)
        pixels = photographed(page, self._papers, recipe.camera, rng)
        width = ink.shape[1]
        known = not any(np.isnan(left) for _, left, _ in kept)
        spans = tuple((left / width, right / width) for _, left, right in kept) if known else ()
        return SyntheticLine(pixels, "".join(label for label, _, _ in kept), spans)

    def _label(self, character: str) -> str:
        """What a text says of a character; nothing if the text leaves it out."""
        if character in ALPHABET.removesuffix(OTHER):
            return character
        return "" if self._recorded is None else OTHER

    def _written_line(self, rng: np.random.Generator) -> tuple[Hand, Levels, Placed]:
        """A writer, the ink of a line uint8 (h, w), and its characters."""
        recorded = self._recorded if self._recorded is not None and rng.random() < self._recipe.recorded else None
        if recorded is None:
            return self._composed(None, rng)
        return self._copied(recorded, rng) if rng.random() < self._recipe.whole else self._composed(recorded, rng)

    def _copied(self, recorded: RecordedWriters, rng: np.random.Generator) -> tuple[Hand, Levels, Placed]:
        """A whole number of a recorded writer."""
        found = recorded.number(rng)
        hand = Hand(self._recipe.hand, lambda character: None, False, rng, leaning=True)
        ink, sides = hand.copy(found.strokes)
        if found.owners is None:
            return hand, ink, [(character, np.nan, np.nan) for character in found.text]
        owned = list(zip(found.owners, sides, strict=True))
        placed = []
        for place, character in enumerate(found.text):
            lefts, rights = zip(*(side for owner, side in owned if owner == place), strict=True)
            placed.append((character, min(lefts), max(rights)))
        return hand, ink, placed

    def _composed(self, recorded: RecordedWriters | None, rng: np.random.Generator) -> tuple[Hand, Levels, Placed]:
        """A made-up text, character by character."""
        recipe = self._recipe
        text = no_number(rng) if rng.random() < recipe.empty else self._number(rng)
        hand = self._hand(text, recorded, rng)
        ink, placed = hand.write(text)
        if not text and rng.random() < recipe.surroundings.shapes:
            ink = add_shapes(ink, recipe.surroundings, rng)
        return hand, ink, placed

    def _number(self, rng: np.random.Generator) -> str:
        """A number; with other marks only where they have a label."""
        return marked(rng) if self._recorded is not None and rng.random() < self._recipe.marked else number(rng)

    def _hand(self, text: str, recorded: RecordedWriters | None, rng: np.random.Generator) -> Hand:
        """A writer who was recorded, or who uses strokes, MNIST digits, a handwriting font or a printed one.

        Where other marks have a label, those of people with a pen are printed at times, as on forms.
        """
        recipe = self._recipe
        printed_marks = self._recorded is not None and rng.random() < recipe.printed_marks
        draw = rng.random()
        has_letters = not printed_marks and any(character.isalpha() for character in text)
        if recorded is None and (has_letters or draw >= recipe.strokes + recipe.mnist):
            printed = (
                rng.random() < recipe.printed_words
                if has_letters
                else draw > recipe.strokes + recipe.mnist + recipe.handwritten
            )
            fonts = self._printed if printed else self._written
            return Hand(recipe.hand, fonts[int(rng.integers(len(fonts)))].get, printed, rng)
        if recorded is not None:
            source: Source = recorded.writer(recipe.hand, rng)
        elif draw < recipe.strokes:
            source = handwriting.writer(recipe.hand, rng)
        else:
            source = self._mnist_writer(rng)
        if printed_marks:
            source = _with_marks_of(self._printed[int(rng.integers(len(self._printed)))], source)
        return Hand(recipe.hand, source, False, rng, leaning=recorded is not None)

    def _mnist_writer(self, rng: np.random.Generator) -> Source:
        """MNIST's digits, and strokes for everything else."""
        strokes = handwriting.writer(self._recipe.hand, rng)

        def source(character: str) -> Glyph | list[Floats] | None:
            if not character.isdigit():
                return strokes(character)
            digits = self._mnist[int(character)]
            return digits[int(rng.integers(len(digits)))]

        return source


def _with_marks_of(font: dict[str, Glyph], source: Source) -> Source:
    """The digits and separators of a source, and the other marks of a font."""

    def either(character: str) -> Glyph | list[Floats] | None:
        own = character in ALPHABET or character not in font
        return source(character) if own else font[character]

    return either


def write_samples(folder: Path, count: int, seed: int = 0, progress: Progress | None = None) -> None:
    """Write lines as PNG files, with a ``labels.csv`` beside them, for people to look at.

    Args:
        folder: for the files; it is created.
        count: how many lines.
        seed: of the lines.
        progress: called with the number of lines done.

    Raises:
        ConfigError: the folder cannot be written.
        DataError: there are no fonts.
    """
    source = Lines(seed)
    with writing(folder, "give another folder"):
        folder.mkdir(parents=True, exist_ok=True)
        rows = ["file,text"]
        for index in range(count):
            line = source.line(index)
            name = f"{index:06d}.png"
            write_bytes(folder / name, cv2.imencode(".png", line.pixels)[1].tobytes())
            rows.append(f'{name},"{line.text}"')
            if progress is not None:
                progress("lines", index + 1, count, {})
        write_text(folder / "labels.csv", "\n".join(rows) + "\n")
