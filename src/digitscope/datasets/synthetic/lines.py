"""Synthetic lines of writing: pictures of cut-out lines with their texts, any number of them, by seed.

Digits come from three sources: MNIST's training digits, openly licensed fonts, and strokes of a pen (``handwriting``).
``texts`` says what is written, ``hand`` lays it out, ``surroundings`` and ``paper`` make a picture of it; ``recipe``
holds the probabilities. Nothing here trains or reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.datasets.synthetic import handwriting
from digitscope.datasets.synthetic.glyphs import (
    LETTERS,
    Glyph,
    font_files,
    font_glyphs,
    fonts_folder,
    mnist_glyphs,
)
from digitscope.datasets.synthetic.hand import Hand, Source
from digitscope.datasets.synthetic.paper import Papers, on_paper, photographed
from digitscope.datasets.synthetic.recipe import LineRecipe
from digitscope.datasets.synthetic.surroundings import add_shapes, surroundings
from digitscope.datasets.synthetic.texts import no_number, number
from digitscope.files import write_bytes, write_text, writing
from digitscope.preprocessing.line import ALPHABET
from digitscope.progress import Progress


@dataclass(frozen=True, eq=False)
class SyntheticLine:
    """A synthetic line.

    Attributes:
        pixels: uint8 (h, w) grey, 0 = black.
        text: what is written: digits and separators of ``preprocessing.line.ALPHABET``.
        spans: where each character of the text begins and ends, as shares of the width.
    """

    pixels: Levels
    text: str
    spans: tuple[tuple[float, float], ...]


class Lines:
    """A source of lines; the same seed and number give the same line."""

    def __init__(self, seed: int = 0, fonts: Path | None = None, recipe: LineRecipe | None = None) -> None:
        """Load the characters and draw the papers, which takes some seconds.

        Args:
            seed: of all lines.
            fonts: the folder that ``benchmarks/fetch_fonts.py`` filled; None takes its default.
            recipe: what the lines look like; None takes what the shipped reader was trained on.

        Raises:
            DataError: there are no fonts.
        """
        self._seed, self._recipe = seed, recipe or LineRecipe()
        folder = fonts_folder() if fonts is None else fonts
        self._written = [found for path in font_files(folder, "handwritten") if (found := font_glyphs(path))]
        self._printed = [found for path in font_files(folder, "printed") if (found := font_glyphs(path))]
        self._mnist = mnist_glyphs()
        self._papers = Papers(seed)

    def line(self, index: int) -> SyntheticLine:
        """The line with this number, counted from 0."""
        recipe, rng = self._recipe, np.random.default_rng((self._seed, index))
        text = no_number(rng) if rng.random() < recipe.empty else number(rng)
        hand = self._hand(text, rng)
        ink, placed = hand.write(text)
        kept = [(character, left, right) for character, left, right in placed if character in ALPHABET]
        if not text and rng.random() < recipe.surroundings.shapes:
            ink = add_shapes(ink, recipe.surroundings, rng)
        around = surroundings(ink.shape, hand, self._printed, recipe, rng)
        page = on_paper(ink, around, self._papers, recipe.paper, rng)
        pixels = photographed(page, self._papers, recipe.camera, rng)
        width = ink.shape[1]
        spans = tuple((left / width, right / width) for _, left, right in kept)
        return SyntheticLine(pixels, "".join(character for character, _, _ in kept), spans)

    def _hand(self, text: str, rng: np.random.Generator) -> Hand:
        """A writer who uses strokes, MNIST digits, a handwriting font or a printed one."""
        recipe = self._recipe
        draw = rng.random()
        has_letters = any(character in LETTERS for character in text)
        if not has_letters and draw < recipe.strokes:
            return Hand(recipe.hand, handwriting.writer(recipe.hand, rng), False, rng)
        if not has_letters and draw < recipe.strokes + recipe.mnist:
            return Hand(recipe.hand, self._mnist_writer(rng), False, rng)
        printed = (
            rng.random() < recipe.printed_words
            if has_letters
            else draw > recipe.strokes + recipe.mnist + recipe.handwritten
        )
        fonts = self._printed if printed else self._written
        return Hand(recipe.hand, fonts[int(rng.integers(len(fonts)))].get, printed, rng)

    def _mnist_writer(self, rng: np.random.Generator) -> Source:
        """MNIST's digits, and strokes for everything else."""
        strokes = handwriting.writer(self._recipe.hand, rng)

        def source(character: str) -> Glyph | list[Floats] | None:
            if not character.isdigit():
                return strokes(character)
            digits = self._mnist[int(character)]
            return digits[int(rng.integers(len(digits)))]

        return source


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
