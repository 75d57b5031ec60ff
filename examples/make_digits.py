"""Make the pictures in examples/digits: digits by MNIST's test writers, on paper as a camera sees it.

The digits are MNIST's (LeCun, Cortes, Burges; CC BY-SA 3.0); this script draws paper, ink, shadow and noise.

Usage: python examples/make_digits.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from digitscope.datasets.mnist import load_mnist

FOLDER = Path(__file__).parent / "digits"
PENS = {
    "blue": (38, 64, 150),
    "black": (35, 33, 36),
    "red": (170, 40, 45),
    "pencil": (95, 95, 98),
    "chalk": (240, 240, 232),
}


def paper(kind: str, side: int, rng: np.random.Generator) -> np.ndarray:
    """A sheet float32 (side, side, 3) 0..255: plain, ruled, squared, in shadow, yellow, or a blackboard."""
    color = {"board": (42, 62, 52), "yellow": (244, 232, 178)}.get(kind, (243, 241, 234))
    sheet = np.tile(np.array(color, np.float32), (side, side, 1))
    if kind in ("ruled", "squared"):
        for at in range(side // 7, side, side // 5):
            sheet[at : at + 2] = (176, 196, 222)
            if kind == "squared":
                sheet[:, at : at + 2] = (176, 196, 222)
    if kind == "shadow":
        ramp = np.linspace(0.45, 1.0, side, dtype=np.float32)
        sheet *= (ramp[None, :] * ramp[::-1, None] ** 0.3)[..., None]
    return sheet + rng.normal(0, 3, sheet.shape).astype(np.float32)


def write(sheet: np.ndarray, digit: np.ndarray, pen: str, rng: np.random.Generator) -> np.ndarray:
    """The sheet with a digit uint8 (28, 28) written on it, slightly rotated."""
    side = len(sheet)
    scale = side / 34
    affine = cv2.getRotationMatrix2D((13.5, 13.5), float(rng.uniform(-8, 8)), scale)
    affine[:, 2] += side / 2 - 13.5 + rng.uniform(-0.05, 0.05, 2) * side
    ink = cv2.warpAffine(digit, affine, (side, side), flags=cv2.INTER_CUBIC).astype(np.float32) / 255
    ink = cv2.GaussianBlur(np.clip((ink - 0.35) * 3, 0, 1), (0, 0), side / 260)[..., None]
    return sheet * (1 - ink) + np.array(PENS[pen], np.float32) * ink


def main() -> None:
    """Write the digits 0 to 9, each on its own kind of paper with its own pen."""
    _, (images, labels) = load_mnist()
    rng = np.random.default_rng(7)
    FOLDER.mkdir(exist_ok=True)
    sheets = ("plain", "ruled", "squared", "shadow", "yellow", "board", "plain", "squared", "shadow", "ruled")
    pens = ("blue", "black", "blue", "blue", "red", "chalk", "pencil", "black", "pencil", "blue")
    for digit, (sheet, pen) in enumerate(zip(sheets, pens, strict=True)):
        chosen = images[np.flatnonzero(labels == digit)[digit]]
        picture = write(paper(sheet, 220, rng), chosen, pen, rng)
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(
            FOLDER / f"{digit}-{pen}-{sheet}.png", optimize=True
        )


if __name__ == "__main__":
    main()
