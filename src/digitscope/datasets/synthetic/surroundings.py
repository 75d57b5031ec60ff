"""Draws what stands around the writing on a line: rules, boxes, rims, printed words, parts of neighbouring digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from digitscope.arraytypes import Floats, Levels
from digitscope.datasets.synthetic import handwriting
from digitscope.datasets.synthetic.glyphs import LETTERS, SIZE, Glyph, paste
from digitscope.datasets.synthetic.hand import Hand
from digitscope.datasets.synthetic.recipe import LineRecipe, SurroundingsRecipe

Fonts = Sequence[Mapping[str, Glyph]]


def surroundings(
    shape: tuple[int, ...], hand: Hand, fonts: Fonts, recipe: LineRecipe, rng: np.random.Generator
) -> Floats:
    """Print and strokes around the writing.

    Args:
        shape: height and width of the picture.
        hand: the writer of the line.
        fonts: printed fonts.
        recipe: what is drawn how often.
        rng: the random numbers.

    Returns:
        float32 (h, w) 0..1, 1 = full ink.
    """
    canvas = np.zeros(shape, np.uint8)
    around = recipe.surroundings
    if rng.random() < around.rule:
        y = hand.top + SIZE * rng.uniform(*around.rule_height)
        tilt = rng.normal(0, around.rule_tilt) * shape[1]
        _rule(canvas, y, y + tilt, int(rng.integers(*around.rule_level)), int(rng.integers(*around.rule_pen)))
    if rng.random() < around.upper_rule:
        y = hand.top - SIZE * rng.uniform(*around.upper_rule_height)
        _rule(canvas, y, y, int(rng.integers(*around.rule_level)), int(rng.integers(*around.upper_rule_pen)))
    if rng.random() < around.box:
        _box(canvas, hand, around, rng)
    if rng.random() < around.rim:
        side = int(rng.integers(*around.rim_width))
        strip = (slice(None), slice(-side, None)) if rng.random() < 0.5 else (slice(-side, None), slice(None))
        canvas[strip] = int(rng.integers(*around.rim_level))
    if rng.random() < around.words:
        _word(canvas, hand, fonts, around, rng)
    if rng.random() < around.neighbours:
        _neighbours(canvas, hand, recipe, rng)
    return np.asarray(canvas / 255, np.float32)


def add_shapes(canvas: Levels, recipe: SurroundingsRecipe, rng: np.random.Generator) -> Levels:
    """Filled and open shapes that are not writing, uint8 (h, w), instead of an empty canvas.

    The picture is as high as the canvas, and at least as wide.
    """
    height = canvas.shape[0]
    drawn = np.zeros((height, max(canvas.shape[1], int(height * rng.uniform(*recipe.shapes_width)))), np.uint8)
    for _ in range(int(rng.integers(*recipe.shape_count))):
        middle = rng.uniform(*recipe.shape_middle, 2) * (drawn.shape[1], height)
        spread = height * rng.uniform(*recipe.shape_size)
        corners = middle + rng.normal(0, spread, (int(rng.integers(*recipe.shape_corners)), 2))
        points = np.rint(corners).astype(np.int32)
        points = cv2.convexHull(points) if rng.random() < recipe.shape_convex else points[:, None]
        if rng.random() < recipe.shape_filled:
            cv2.fillPoly(drawn, [points], int(rng.integers(*recipe.shape_level)), cv2.LINE_AA)
        else:
            cv2.polylines(drawn, [points], True, 255, int(rng.integers(*recipe.shape_pen)), cv2.LINE_AA)
    return drawn


def _rule(canvas: Levels, left: float, right: float, level: int, pen: int) -> None:
    """A line across the canvas, at these y on its left and right."""
    cv2.line(canvas, (-5, round(left)), (canvas.shape[1] + 5, round(right)), level, pen, cv2.LINE_AA)


def _box(canvas: Levels, hand: Hand, recipe: SurroundingsRecipe, rng: np.random.Generator) -> None:
    """A printed box around the writing."""
    above, below = recipe.box_heights
    top, bottom = hand.top - SIZE * rng.uniform(*above), hand.top + SIZE * rng.uniform(*below)
    left, right = rng.uniform(*recipe.box_inset), canvas.shape[1] - rng.uniform(*recipe.box_inset)
    corners = (round(left), round(top)), (round(right), round(bottom))
    cv2.rectangle(canvas, *corners, int(rng.integers(*recipe.box_level)), int(rng.integers(*recipe.box_pen)))


def _word(canvas: Levels, hand: Hand, fonts: Fonts, recipe: SurroundingsRecipe, rng: np.random.Generator) -> None:
    """A printed word above or below the writing, mostly cut off by the rim."""
    font = fonts[int(rng.integers(len(fonts)))]
    scale = rng.uniform(*recipe.word_size)
    below, above = recipe.word_heights
    y = hand.top + SIZE * (rng.uniform(*below) if rng.random() < recipe.word_below else -rng.uniform(*above) - scale)
    first, last = recipe.word_start
    x = rng.uniform(first, canvas.shape[1] * last)
    for _ in range(int(rng.integers(*recipe.word_length))):
        glyph = font[LETTERS[int(rng.integers(len(LETTERS)))]]
        factor = SIZE * scale * glyph.height / glyph.ink.shape[0]
        x = paste(canvas, glyph.ink, x, y + glyph.top * SIZE * scale, factor, factor, 0.0) + 2


def _neighbours(canvas: Levels, hand: Hand, recipe: LineRecipe, rng: np.random.Generator) -> None:
    """Digits of the lines above and below, and of the fields left and right, that reach into the picture."""
    around = recipe.surroundings
    height, width = canvas.shape
    writer = handwriting.writer(recipe.hand, rng)
    for _ in range(int(rng.integers(*around.neighbour_count))):
        strokes = writer(str(rng.integers(10))) or []
        size = SIZE * rng.uniform(*around.neighbour_size)
        seen = rng.uniform(*around.neighbour_seen)
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
