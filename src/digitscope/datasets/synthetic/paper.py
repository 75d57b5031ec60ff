"""Papers to write on, and what scanners and cameras do to them: textures, security prints, rules, light, blur, noise.

A bank of large textures is drawn once; every line gets its own section of one.
"""

from __future__ import annotations

import cv2
import numpy as np

from digitscope.arraytypes import AnyArray, Floats, Levels
from digitscope.datasets.synthetic.recipe import CameraRecipe, PaperRecipe

BANK_HEIGHT, BANK_WIDTH = 320, 1200
"""Pixels of a texture in the bank; it is larger than any line's canvas, so that there are many sections of each."""


class Papers:
    """A bank of textures and noises; the same seed gives the same bank."""

    def __init__(self, seed: int, size: int = 160) -> None:
        """Draw the bank.

        Args:
            seed: of everything in it.
            size: number of textures.
        """
        rng = np.random.default_rng(seed)
        makers = (_guilloche, _guilloche, _waves, _waves, _hatching, _halftone, _grain, _fibres, _ruled, _squared)
        self.textures = [makers[number % len(makers)](rng) for number in range(size)]
        self.noises = [rng.standard_normal((BANK_HEIGHT, BANK_WIDTH), np.float32) for _ in range(4)]
        self.clouds = [_cloud(rng, (8, 24)) for _ in range(4)]
        self.lights = [_cloud(rng, (3, 8)) for _ in range(4)]

    def cut(self, bank: list[Floats], height: int, width: int, rng: np.random.Generator) -> Floats:
        """A random section of a random array of a bank, float32 (height, width)."""
        chosen = bank[int(rng.integers(len(bank)))]
        top, left = int(rng.integers(BANK_HEIGHT - height + 1)), int(rng.integers(BANK_WIDTH - width + 1))
        return chosen[top : top + height, left : left + width]


def _cloud(rng: np.random.Generator, cells: tuple[int, int]) -> Floats:
    """A smooth random field, with mean 0 and a standard deviation of about 1."""
    coarse = rng.standard_normal(cells, np.float32)
    return np.asarray(cv2.resize(coarse, (BANK_WIDTH, BANK_HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


def _grid(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Coordinates of a texture, rotated by a random angle."""
    y, x = np.mgrid[:BANK_HEIGHT, :BANK_WIDTH].astype(np.float32)
    angle = rng.uniform(-0.5, 0.5)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * cos + y * sin, y * cos - x * sin


def _guilloche(rng: np.random.Generator) -> Floats:
    """Interlaced fine curves, as on checks: two or three families of arcs or waves."""
    image = np.zeros((BANK_HEIGHT, BANK_WIDTH), np.float32)
    for _ in range(int(rng.integers(2, 4))):
        x, y = _grid(rng)
        centre = rng.uniform(-1.5, 2.5, 2) * (BANK_WIDTH, BANK_HEIGHT)
        radius = np.hypot(x - centre[0], (y - centre[1]) * rng.uniform(0.6, 2))
        bend = rng.uniform(2, 14) * np.sin(x / rng.uniform(12, 60) + rng.uniform(0, 6))
        image = np.maximum(image, _lines(radius + bend, rng))
    return image


def _waves(rng: np.random.Generator) -> Floats:
    """Horizontal waves close to each other."""
    x, y = _grid(rng)
    bend = rng.uniform(1, 10) * np.sin(x / rng.uniform(8, 50)) + rng.uniform(0, 10) * np.sin(x / rng.uniform(60, 200))
    return _lines(y + bend, rng)


def _hatching(rng: np.random.Generator) -> Floats:
    """One or two families of straight lines."""
    x, y = _grid(rng)
    image = _lines(y, rng)
    if rng.random() < 0.5:
        return image
    return np.asarray(np.maximum(image, _lines(x + y * rng.uniform(-1, 1), rng)), np.float32)


def _lines(distance: AnyArray, rng: np.random.Generator) -> Floats:
    """Lines at equal distances, with soft edges, 0..1."""
    step, share = rng.uniform(5, 13), rng.uniform(0.15, 0.45)
    wave = np.abs((distance / np.float32(step)) % 1 - np.float32(0.5)) * 2
    return np.asarray(np.clip((wave - np.float32(1 - share)) * np.float32(step / 2.5), 0, 1), np.float32)


def _halftone(rng: np.random.Generator) -> Floats:
    """The dots of a halftone print, or small repeated marks."""
    x, y = _grid(rng)
    step = rng.uniform(4, 12)
    dots = np.cos(x * np.float32(2 * np.pi / step)) + np.cos(y * np.float32(2 * np.pi / step))
    return np.asarray(np.clip((dots - np.float32(rng.uniform(0.2, 1.5))) * 1.5, 0, 1), np.float32)


def _grain(rng: np.random.Generator) -> Floats:
    """The grain of rough paper."""
    noise = rng.standard_normal((BANK_HEIGHT, BANK_WIDTH), np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.8, 3))
    return np.asarray(np.clip(smooth / (4 * smooth.std()) + np.float32(0.5), 0, 1), np.float32)


def _fibres(rng: np.random.Generator) -> Floats:
    """Paper with fibres, specks and creases."""
    canvas = np.zeros((BANK_HEIGHT, BANK_WIDTH), np.uint8)
    for _ in range(int(rng.integers(5, 60))):
        start = rng.uniform(0, 1, 2) * (BANK_WIDTH, BANK_HEIGHT)
        turns = np.cumsum(rng.normal(0, 8, (8, 2)), axis=0) + start
        cv2.polylines(canvas, [np.rint(turns).astype(np.int32)], False, int(rng.integers(60, 255)), 1, cv2.LINE_AA)
    return np.asarray(canvas / 255, np.float32)


def _ruled(rng: np.random.Generator) -> Floats:
    """Ruled paper: thin horizontal lines far apart."""
    canvas = np.zeros((BANK_HEIGHT, BANK_WIDTH), np.uint8)
    step, pen = int(rng.integers(40, 120)), int(rng.integers(1, 4))
    for y in range(int(rng.integers(step)), BANK_HEIGHT, step):
        slope = int(rng.integers(-6, 7))
        cv2.line(canvas, (0, y), (BANK_WIDTH, y + slope), 255, pen, cv2.LINE_AA)
    return np.asarray(canvas / 255, np.float32)


def _squared(rng: np.random.Generator) -> Floats:
    """Squared paper."""
    canvas = np.zeros((BANK_HEIGHT, BANK_WIDTH), np.uint8)
    step, pen = int(rng.integers(16, 70)), int(rng.integers(1, 3))
    for at in range(int(rng.integers(step)), BANK_WIDTH, step):
        cv2.line(canvas, (at, 0), (at, BANK_HEIGHT), 255, pen)
        cv2.line(canvas, (0, at), (BANK_WIDTH, at), 255, pen)
    return np.asarray(canvas / 255, np.float32)


def on_paper(writing: Levels, around: Floats, papers: Papers, recipe: PaperRecipe, rng: np.random.Generator) -> Floats:
    """Writing and what stands around it on paper, float32 (h, w) grey levels 0..255.

    Args:
        writing: uint8 (h, w), 255 = full ink.
        around: float32 (h, w) 0..1, 1 = full ink.
        papers: where the patterns come from.
        recipe: what papers and ink are drawn from.
        rng: the random numbers.
    """
    height, width = writing.shape
    level = rng.uniform(*recipe.level)
    page = np.full((height, width), level, np.float32)
    pattern = float(rng.uniform(*recipe.pattern)) if rng.random() < recipe.patterned else 0.0
    if pattern:
        page *= 1 - np.float32(pattern) * papers.cut(papers.textures, height, width, rng)
    page *= 1 - np.float32(rng.uniform(*recipe.imprint)) * around
    ink = writing.astype(np.float32) * np.float32(1 / 255)
    if rng.random() < recipe.uneven:
        cloud = papers.cut(papers.clouds, height, width, rng)
        ink *= np.clip(1 - np.float32(rng.uniform(*recipe.unevenness)) * np.abs(cloud), recipe.least_cover, 1)
    faint = rng.uniform(*recipe.faintness) ** (recipe.darker_power if rng.random() >= 1 - recipe.darker else 1.0)
    pen = np.float32(level * min(faint, recipe.contrast - pattern))
    page += ink * (np.minimum(pen, page) - page)
    return np.float32(255) - page if rng.random() < recipe.negative else page


def photographed(page: Floats, papers: Papers, recipe: CameraRecipe, rng: np.random.Generator) -> Levels:
    """A page of grey levels as a scanner or a camera gives it, uint8 (h, w): uneven light, blur, noise, JPEG."""
    height, width = page.shape
    if rng.random() < recipe.uneven:
        strength = np.float32(rng.uniform(*recipe.unevenness))
        page = page * (1 + strength * papers.cut(papers.lights, height, width, rng))
    if rng.random() < recipe.shadow:
        edge = np.linspace(-1, 1, width, dtype=np.float32) * rng.uniform(*recipe.shadow_sharpness)
        edge += rng.uniform(*recipe.shadow_place)
        page = page * (1 - np.float32(rng.uniform(*recipe.shadow_depth)) / (1 + np.exp(edge)))
    if rng.random() < recipe.blur:
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), height / 64 * rng.uniform(*recipe.blur_width)), np.float32)
    if rng.random() < recipe.noise:
        page = page + np.float32(rng.uniform(*recipe.noise_level)) * papers.cut(papers.noises, height, width, rng)
    levels = np.clip(page, 0, 255).astype(np.uint8)
    if rng.random() < recipe.jpeg:
        _, file = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*recipe.jpeg_quality))])
        levels = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)
    return levels
