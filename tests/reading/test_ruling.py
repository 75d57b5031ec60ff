"""Rules are taken out of a page's ink, at any slope a photo has, and the digits that cross them stay whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitscope.reading.ruling import without_rules
from line_drawings import HANDS, page


def ruled(slope: float, hand: str = "school", pen: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The ink of a page with a number, and with rules through and around it too; bool (260, 420)."""
    ink = page((260, 420), [("7", 120, 100), ("8", 200, 100), ("0", 290, 100)], hand)
    with_rules = ink.copy()
    for y in (30, 113, 220):
        ends = (0, round(y - slope * 210)), (420, round(y + slope * 210))
        cv2.line(with_rules, *ends, 255, pen, cv2.LINE_AA)
    return ink > 100, with_rules > 100


@pytest.mark.parametrize("hand", HANDS)
@pytest.mark.parametrize("pen", [1, 3])
@pytest.mark.parametrize("slope", [0.0, 0.02, -0.05, 0.09, -0.12])
def test_digits_that_cross_a_rule_stay_whole(slope: float, pen: int, hand: str):
    ink, with_rules = ruled(slope, hand, pen)
    left = without_rules(with_rules)
    pieces, _, stats, _ = cv2.connectedComponentsWithStats(left.astype(np.uint8), connectivity=8)
    tall = stats[1:][stats[1:, 3] > 20]
    assert len(tall) == 3 and pieces > 3, "each digit is one piece"
    assert (left & ink).sum() > 0.85 * ink.sum()
    assert (left & ~ink).sum() < 0.15 * (with_rules & ~ink).sum(), "the rules are gone"


def test_a_page_without_rules_stays_as_it_is():
    ink, _ = ruled(0.0)
    np.testing.assert_array_equal(without_rules(ink), ink)
    assert not without_rules(np.zeros((50, 60), bool)).any()


def test_upright_rules_go_and_tall_strokes_stay():
    ink = np.zeros((200, 300), bool)
    ink[:, 40:42] = True
    ink[60:140, 150:152] = True
    left = without_rules(ink)
    assert not left[:, 40:42].any() and left[60:140, 150:152].all()
