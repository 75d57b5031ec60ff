"""A bright sheet on a dark desk is found, and what is around it painted over; other pictures stay as they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitscope.reading.detection import find_lines
from digitscope.reading.sheet import only_sheet
from line_drawings import on_paper, page

COLOURS = {"yellow": (236, 222, 110), "white": (245, 245, 240), "blue": (150, 200, 235)}
NOTE = np.array([[60, 50], [330, 35], [345, 410], [70, 425]], np.float32)
"""The corners of a note on a picture of 480 x 400 pixels, not quite straight."""


def photo(colour: tuple[int, int, int], desk: int, ink: np.ndarray, seed: int = 0) -> np.ndarray:
    """A note of 270 x 375 pixels with writing, lying on a desk, uint8 (480, 400, 3)."""
    rng = np.random.default_rng(seed)
    picture = rng.normal(desk, 5, (480, 400, 3))
    note = np.array(colour) * (on_paper(ink, "white")[..., None] / 255)
    corners = np.array([[0, 0], [270, 0], [270, 375], [0, 375]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, NOTE)
    placed = cv2.warpPerspective(note, matrix, (400, 480))
    there = cv2.warpPerspective(np.ones(note.shape[:2], np.uint8), matrix, (400, 480)) > 0
    picture[there] = placed[there] + rng.normal(0, 3, (int(there.sum()), 3))
    return picture.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("desk", [12, 60])
@pytest.mark.parametrize("hand", ["school", "bold"])
def test_the_writing_on_a_note_is_found(colour: str, desk: int, hand: str):
    ink = page((375, 270), [("5380", 50, 90), ("274", 70, 230)], hand, gap=0.2)
    found = find_lines(photo(COLOURS[colour], desk, ink))
    assert len(found) == 2
    for strip, (left, top, right) in zip(found, ((110, 130, 290), (130, 270, 260)), strict=True):
        assert abs(strip.box.y - top) < 25 and strip.box.height < 70
        assert left - 30 < strip.box.x < left + 30 and strip.box.x + strip.box.width < right + 40


@pytest.mark.parametrize(
    "kind", ["page", "dark page", "spot of light", "half in the shade", "light frame", "digit", "blank"]
)
def test_other_pictures_stay_as_they_are(kind: str):
    y, x = np.mgrid[:300, :400].astype(np.float32)
    pixels = {
        "page": on_paper(page((300, 400), [("5380", 50, 90)]), "grey"),
        "dark page": on_paper(page((300, 400), [("5380", 50, 90)]), "dark"),
        "spot of light": (20 + 220 * (np.hypot((x - 200) / 160, (y - 150) / 120) < 1)).astype(np.uint8),
        "half in the shade": np.where(x < 180, 240, 90).astype(np.uint8),
        "light frame": np.where((x > 30) & (x < 370) & (y > 30) & (y < 270), 30, 230).astype(np.uint8),
        "digit": cv2.ellipse(np.zeros((300, 400), np.uint8), (200, 150), (70, 110), 0, 0, 360, 255, 40),
        "blank": np.full((300, 400), 90, np.uint8),
    }[kind]
    assert only_sheet(pixels) is pixels


def test_around_a_sheet_everything_gets_its_colour():
    pixels = photo(COLOURS["yellow"], 20, np.zeros((375, 270), np.uint8))
    painted = only_sheet(pixels)
    assert painted.shape == pixels.shape and painted.dtype == np.uint8
    assert np.abs(painted.astype(float) - COLOURS["yellow"]).max() < 25
    middle = (slice(100, 350), slice(120, 290))
    np.testing.assert_array_equal(painted[middle], pixels[middle])
