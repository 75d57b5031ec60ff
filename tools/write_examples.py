"""Write docs/examples.md: what the reader says to twelve situations, and their pictures.

The pictures are drawn by this project (tests/line_drawings.py) or are those of `examples/`; the answers are the
reader's own, with engine `own`, when this program runs.

Usage: python tools/write_examples.py   (make docs)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from digitscope import files
from digitscope.arraytypes import Levels
from digitscope.formatting import markdown_table, percent
from digitscope.io.elements import Number
from digitscope.io.image import load_picture
from digitscope.reading.reader import Reader

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import line_drawings as drawings

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures" / "examples"
PAGE = ROOT / "docs" / "examples.md"

INTRODUCTION = """\
# Twelve situations

What Digitscope says to pictures as they come, with engine `own`; right, refused, and where it errs, wrong. The pictures
are drawn by this project or are those of `examples/`, and the answers are those of the version beside which this page
lies (`make docs`). `--single` means that the picture holds one digit."""


@dataclass(frozen=True)
class Situation:
    """A picture and what stands in it.

    Attributes:
        name: of its file.
        what: stands there.
        truth: the numbers in it, with blanks between them; empty if it should be refused.
        draw: gives the picture, uint8 (h, w) or (h, w, 3).
        single: whether it is read as one digit.
        advice: what to do if the answer is not enough.
    """

    name: str
    what: str
    truth: str
    draw: Callable[[], Levels]
    single: bool = False
    advice: str = ""


def shipped(name: str) -> Callable[[], Levels]:
    """A picture of `examples/`."""
    return lambda: load_picture(ROOT / "examples" / name).pixels


def line(text: str, paper: str = "white", hand: str = "school", **spread: float) -> Callable[[], Levels]:
    """A line of writing on paper."""
    return lambda: drawings.on_paper(drawings.line(text, hand, **spread), paper)


def crop(text: str) -> Levels:
    """A digit cut to its own box, as a contour gives it."""
    ink = drawings.line(text, "bold")
    x, y, width, height = cv2.boundingRect((ink > 127).astype(np.uint8))
    return drawings.on_paper(ink, "grey")[y : y + height, x : x + width]


def crossed() -> Levels:
    """An upright stroke that crosses a line of the same pen."""
    page = np.full((120, 100), 235, np.uint8)
    cv2.line(page, (0, 72), (100, 70), 40, 6, cv2.LINE_AA)
    cv2.line(page, (52, 22), (49, 100), 40, 6, cv2.LINE_AA)
    return page


def rising() -> Levels:
    """A number that rises across a white page."""
    ink = drawings.page((320, 320), [("472", 90, 140)], "bold")
    turn = cv2.getRotationMatrix2D((160, 160), 22, 1.0)
    return drawings.on_paper(np.asarray(cv2.warpAffine(ink, turn, (320, 320)), np.uint8))


def note() -> Levels:
    """A bright note on a dark desk."""
    desk = np.full((400, 340), 35, np.uint8)
    desk[60:340, 60:280] = drawings.on_paper(drawings.page((280, 220), [("5106", 40, 120)], "thin"))
    return cv2.GaussianBlur(desk, (0, 0), 0.8)


def cut_off() -> Levels:
    """A number whose last digit goes on beyond the picture."""
    return drawings.on_paper(drawings.line("4825", "bold"))[:, :-48]


SITUATIONS = (
    Situation("shadow", "a 3 on paper with a shadow", "3", shipped("digits/3-blue-shadow.png"), True),
    Situation("crop", "a 5 cut to its own box", "5", lambda: crop("5"), True),
    Situation("crossing", "a stroke on a line: a 1 on ruling, or part of a sign", "", crossed, True,
              "crop below or above the line"),
    Situation("number", "4827 on squared paper", "4827", line("4827", "squared")),
    Situation("amount", "an amount of money with a printed pattern", "248650", shipped("pages/amount.png")),
    Situation("sum", "63÷7", "63 7", line("63÷7")),
    Situation("ratio", "12:45", "12 45", line("12:45", "grey", "thin")),
    Situation("columns", "8, 25 and 3 with rules between columns", "8 25 3", line("8|25|3")),
    Situation("apart", "27 and 914, printed apart", "27 914", line("27 914", wide=1.6)),
    Situation("rising", "472, rising steeply", "472", rising),
    Situation("note", "5106 on a note on a dark desk", "5106", note),
    Situation("cut", "4825, its last digit cut through by the picture's rim", "", cut_off, advice="picture all of it"),
)  # fmt: skip


def verdict(one: Situation, numbers: tuple[Number, ...]) -> str:
    """Whether the answer is right, refused or wrong."""
    if any(number.refused for number in numbers) or not numbers:
        return "refused"
    return "right" if " ".join(number.text or "" for number in numbers) == one.truth else "**wrong**"


def said(numbers: tuple[Number, ...]) -> str:
    """What the reader says to a picture."""
    return "<br>".join(map(_one, numbers)) or "no number"


def _one(number: Number) -> str:
    written = "" if number.written == number.best_guess else f", written {number.written}"
    if number.text is not None:
        return f"**{number.text}** ({percent(min(number.confidence, 0.99), 0)} sure{written})"
    guess = f"; best guess {number.best_guess}{written}" if number.best_guess else ""
    return f"refused: {number.reason}{guess}"


def page() -> str:
    """The page, with answers of now."""
    reader = Reader(engine="own")
    rows = []
    for one in SITUATIONS:
        pixels = one.draw()
        numbers = (reader.digit(pixels),) if one.single else reader.read(pixels).numbers
        how = "`--single`" if one.single else ""
        rows.append(
            [
                f"![{one.what}](pictures/examples/{one.name}.png)",
                one.what,
                how,
                said(numbers),
                verdict(one, numbers),
                one.advice,
            ]
        )
    head = ("picture", "what stands there", "how it is read", "the answer", "", "what helps")
    return f"{INTRODUCTION}\n\n{markdown_table(head, rows)}\n"


def write() -> None:
    """Write the page and its pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for one in SITUATIONS:
        Image.fromarray(one.draw()).save(PICTURES / f"{one.name}.png")
    files.write_text(PAGE, page())


if __name__ == "__main__":
    write()
