"""Make the pictures in examples/pages: numbers in digits by MNIST's test writers, as a camera and a scanner see them.

The true numbers are in truth.csv.

The digits are MNIST's (LeCun, Cortes, Burges; CC BY-SA 3.0); this script draws pen, paper, print and light.

Usage: python examples/make_pages.py               writes examples/pages
       python examples/make_pages.py PICTURE.png   reads numbers.jpg and draws what was read on it, as in
                                                   docs/pictures/reading.png
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitscope import Reader
from digitscope.datasets.mnist import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS, load_mnist
from digitscope.files import atomic_path, write_text

FOLDER = Path(__file__).parent / "pages"
BLUE, BLACK = (36, 58, 148), (44, 42, 46)
FINE = 8  # pixels of a digit's outline for each of MNIST's
ROWS = (
    ("4", "71902"),
    ("60385", "12"),
    ("2748", "935061"),
    ("19", "8"),
    ("80514637", "246"),
    ("335", "7080"),
    ("96152", "43"),
)
POINT = "."
FOOT = 0.8  # share of a written number's height that is above its writing line


class Hand:
    """A writer who uses each digit of MNIST's test part once."""

    def __init__(self, seed: int) -> None:
        _, (self.images, labels) = load_mnist()
        self.rng = np.random.default_rng(seed)
        order = self.rng.permutation(np.setdiff1d(np.arange(len(labels)), [*WRONG_TEST_LABELS, *UNCLEAR_TEST_LABELS]))
        self.unused = {str(digit): list(order[labels[order] == digit]) for digit in range(10)}

    def digit(self, character: str) -> np.ndarray:
        """One digit float32 (h, w) 0..1, upright and cropped: the outline smoothed, the stroke as thin as a pen's.

        Only the part of the stroke near its centre line is kept, where the distance to the edge has a crest.
        """
        image = self.images[self.unused[character].pop()].astype(np.float32) / 255
        large = cv2.resize(image, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC)
        sharp = 1.7 * large - 0.7 * cv2.GaussianBlur(large, (0, 0), 1.5 * FINE)  # opens closed-up loops
        inside = cv2.GaussianBlur(sharp, (0, 0), 0.45 * FINE) > 0.45
        depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
        around = cv2.dilate(depth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3 * FINE + 1, 3 * FINE + 1)))
        crest = depth - cv2.GaussianBlur(depth, (0, 0), FINE) > 0.24 * FINE
        crest &= depth > 0.6 * np.minimum(around, 1.3 * FINE)  # otherwise it forks into the corners of a blunt end
        stroke = cv2.GaussianBlur(crest.astype(np.float32), (0, 0), 0.26 * FINE)
        moments = cv2.moments(stroke)
        slant = moments["mu11"] / max(moments["mu02"], 1)
        size = stroke.shape[1]
        level = np.array([[1, -slant, slant * size / 2], [0, 1, 0]])
        stroke = cv2.warpAffine(stroke, level, (size, size))
        x, y, width, height = cv2.boundingRect((stroke > 0.1).astype(np.uint8))
        return stroke[y : y + height, x : x + width]

    def number(self, text: str, height: float, slant: float, spacing: float, unevenness: float = 0.04) -> np.ndarray:
        """A number float32 (1.6 height, w) 0..1, slanted by ``slant``, its digits on a writing line at ``FOOT``."""
        rows = round(1.6 * height)
        canvas = np.zeros((rows, round((len(text) + 2) * 1.5 * height)), np.float32)
        x = height / 2
        for character in text:
            tall = height * (1 + self.rng.normal(0, unevenness))
            foot = FOOT * rows + height * self.rng.normal(0, unevenness)
            if character == POINT:
                middle = round(x + height / 12), round(foot)
                cv2.circle(canvas, middle, max(1, round(height / 16)), 1.0, -1, cv2.LINE_AA)
                x += height * (0.17 + spacing)
                continue
            shape = self.digit(character)
            lean = slant + self.rng.normal(0, 0.03)
            wide = max(2, round(shape.shape[1] * tall / shape.shape[0]))
            small = cv2.resize(shape, (wide, round(tall)), interpolation=cv2.INTER_AREA)
            affine = np.array([[1, -lean, x + lean * tall], [0, 1, foot - tall]])
            moved = cv2.warpAffine(small, affine, canvas.shape[::-1], flags=cv2.INTER_LINEAR)
            np.maximum(canvas, moved, out=canvas)
            x += wide + height * max(0.02, spacing + self.rng.normal(0, 0.05))
        columns = np.flatnonzero(canvas.max(axis=0) > 0.1)
        return canvas[:, columns[0] : columns[-1] + 1]


def cloud(shape: tuple[int, int], cell: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise float32 (h, w) with mean 0 and deviation about 1, in patches of ``cell`` pixels."""
    coarse = rng.normal(0, 1, (int(shape[0] / cell) + 3, int(shape[1] / cell) + 3)).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def paper(shape: tuple[int, int], color: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """A sheet float32 (h, w, 3) 0..255 with a little grain."""
    grain = 1.2 * cloud(shape, 2, rng) + 0.9 * cloud(shape, 9, rng) + 0.8 * cloud(shape, 60, rng)
    return np.array(color, np.float32) + grain[..., None]


def write(
    sheet: np.ndarray, ink: np.ndarray, at: tuple[int, int], pen: tuple[int, int, int], rng: np.random.Generator
) -> None:
    """Put ink float32 (h, w) on the sheet, its left end and writing line ``at`` x, y, with varying pressure."""
    top = at[1] - round(FOOT * ink.shape[0])
    part = sheet[top : top + ink.shape[0], at[0] : at[0] + ink.shape[1]]
    pressure = 0.86 + 0.07 * cloud(ink.shape, 14, rng) + 0.05 * cloud(ink.shape, 3, rng)
    cover = (ink * np.clip(pressure, 0.55, 1))[..., None]
    part *= 1 - cover * (1 - np.array(pen, np.float32) / 255)


def photograph(sheet: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The sheet as a phone sees it slightly from the side, with a lamp at the upper left and the shadow of a hand."""
    width, height = size
    rows, columns = sheet.shape[:2]
    seen = np.array([[70, 95], [columns - 95, 40], [columns - 30, rows - 60], [30, rows - 25]], np.float32)
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    soft = cv2.GaussianBlur(sheet, (0, 0), 0.5 * columns / width)
    view = cv2.warpPerspective(soft, cv2.getPerspectiveTransform(seen, frame), size, flags=cv2.INTER_LINEAR)
    x, y = np.meshgrid(np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32))
    light = 1.04 - 0.20 * x - 0.16 * y - 0.10 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    corner = np.array([[1.02, 0.42], [0.86, 0.60], [0.70, 1.02], [1.02, 1.02]]) * size
    shade = cv2.fillPoly(np.zeros((height, width), np.float32), [corner.astype(np.int32)], 1.0)
    light *= 1 - 0.26 * cv2.GaussianBlur(shade, (0, 0), width / 22)
    warm = np.stack([light**0.95, light, light**1.12], axis=2)
    noise = 2.2 * rng.normal(0, 1, view.shape) + 1.4 * cloud((height, width), 2, rng)[..., None]
    return view * warm + noise


def numbers(rng: np.random.Generator) -> np.ndarray:
    """A page of a notebook with two columns of numbers, photographed."""
    rows, columns, pitch = 1450, 2000, 172
    sheet = paper((rows, columns), (248, 245, 237), rng)
    for y in range(75, rows, pitch // 2):
        sheet[y : y + 2] *= np.array([0.80, 0.88, 0.95], np.float32)
    sheet[:, 205:208] *= np.array([0.97, 0.74, 0.74], np.float32)
    hand = Hand(28)
    for row, texts in enumerate(ROWS):
        for column, text in enumerate(texts):
            height, slant = rng.uniform(76, 104), rng.uniform(-0.08, 0.34)
            ink = hand.number(text, height, slant, rng.uniform(0.10, 0.30))
            x = (270, 1230)[column] + int(rng.integers(0, 50))
            turn = cv2.getRotationMatrix2D((0, FOOT * ink.shape[0]), float(rng.normal(0, 0.8)), 1)
            ink = cv2.warpAffine(ink, turn, (ink.shape[1], ink.shape[0]))
            write(sheet, ink, (x, 247 - 4 + pitch * row), BLACK if row in (3, 4) else BLUE, rng)
    return photograph(sheet, (1400, 1000), rng)


def amount(rng: np.random.Generator) -> np.ndarray:
    """The amount on a cheque, 50 pixels high, on printed waves."""
    rows, columns, zoom = 50, 230, 4
    sheet = paper((rows * zoom, columns * zoom), (238, 243, 236), rng)
    x, y = np.meshgrid(np.arange(columns * zoom, dtype=np.float32), np.arange(rows * zoom, dtype=np.float32))
    for bend, color in ((9.0, (0.86, 0.95, 0.88)), (-9.0, (0.96, 0.89, 0.90))):
        wave = np.sin((y + bend * np.sin(x / 38) + 3 * np.sin(x / 11)) * 2 * np.pi / 21)
        cover = np.clip(3 * (wave - 0.62), 0, 1)[..., None]
        sheet *= 1 - cover * (1 - np.array(color, np.float32))
    sheet[-26:-22, 10:-10] *= 0.55
    ink = Hand(28).number("2486.50", 108, 0.16, 0.10)
    write(sheet, ink, (50, rows * zoom - 42), BLACK, rng)
    small = cv2.resize(cv2.GaussianBlur(sheet, (0, 0), 1.6), (columns, rows), interpolation=cv2.INTER_AREA)
    return small + rng.normal(0, 1.5, (rows, columns, 1))


def form(rng: np.random.Generator) -> np.ndarray:
    """The boxes of a postal code on a printed form, scanned."""
    rows, columns, side, zoom = 190, 560, 84, 2
    print_ = Image.new("L", (columns * zoom, rows * zoom), 0)
    draw = ImageDraw.Draw(print_)
    draw.text((36 * zoom, 22 * zoom), "Postal code", 255, ImageFont.load_default(20 * zoom))
    lefts = [36 + 98 * number for number in range(5)]
    for left in lefts:
        draw.rectangle((left * zoom, 62 * zoom, (left + side) * zoom, (62 + side) * zoom), outline=255, width=3)
    cover = (np.asarray(print_, np.float32) / 255)[..., None] * 0.75
    sheet = paper((rows * zoom, columns * zoom), (250, 249, 246), rng)
    sheet *= 1 - cover * (1 - np.array((222, 112, 74), np.float32) / 255)
    hand = Hand(35)
    for left, character in zip(lefts, "50937", strict=True):
        height = rng.uniform(104, 124)
        ink = hand.number(character, height, rng.uniform(-0.02, 0.12), 0.0)
        middle = (left + side / 2 + rng.normal(0, 3)) * zoom
        at = round(middle - ink.shape[1] / 2), round((62 + side / 2 + rng.normal(0, 3)) * zoom + height / 2)
        write(sheet, ink, at, BLUE, rng)
    sheet = cv2.warpAffine(
        sheet, cv2.getRotationMatrix2D((0, 0), 0.5, 1), sheet.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.resize(cv2.GaussianBlur(sheet, (0, 0), 1.0), (columns, rows), interpolation=cv2.INTER_AREA)


def main() -> None:
    """Write the three pictures and their true numbers; with these seeds, a person can read every digit."""
    rng = np.random.default_rng(5)
    FOLDER.mkdir(exist_ok=True)
    for name, picture in (("numbers.jpg", numbers(rng)), ("amount.png", amount(rng)), ("form.png", form(rng))):
        image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
        image.save(FOLDER / name, **({"quality": 84} if name.endswith("jpg") else {"optimize": True}))
    truth = io.StringIO()
    table = csv.writer(truth, lineterminator="\n")
    table.writerow(("file", "line", "text", "written"))
    table.writerow(("amount.png", 0, "248650", "2486.50"))
    table.writerow(("form.png", 0, "50937", "50937"))
    table.writerows(("numbers.jpg", line, text, text) for line, texts in enumerate(ROWS) for text in texts)
    write_text(FOLDER / "truth.csv", truth.getvalue())


def show_reading(path: str) -> None:
    """Read the page of numbers and write it with what was read drawn on it, at a size for web pages."""
    page = Reader(engine="own").read(FOLDER / "numbers.jpg")
    picture = page.annotated()
    picture.thumbnail((1000, 1000), Image.Resampling.LANCZOS)
    with atomic_path(path) as temporary:
        picture.quantize(160, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(temporary, optimize=True)
    print(page.text)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        show_reading(sys.argv[1])
    else:
        main()
