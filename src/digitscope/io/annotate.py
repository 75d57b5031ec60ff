"""Draws on a page what was read: every number with its box, its confidence, and as it is written. It reads nothing.

Accepted and refused numbers differ in colour, line and sign, so that they can be told apart in a grey print and with
every kind of colour vision. ``io.label_layout`` decides where the labels go.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from digitscope.arraytypes import Levels
from digitscope.formatting import probability
from digitscope.io.elements import Box, Number
from digitscope.io.label_layout import LabelStyle, Mark, Sides, Size, Spot, laid_out
from digitscope.io.pixels import picture_of_array

ACCEPTED, REFUSED = (0, 114, 178), (213, 94, 0)
"""Blue and vermilion, which people with every kind of colour vision tell apart.

Source: Okabe and Ito, "Color Universal Design", 2008.
"""

WHITE, INK, MUTED, FAINT = (255, 255, 255), (34, 34, 34), (102, 102, 102), (184, 184, 184)

NOTHING = "no number found"

ROOMY, LEGIBLE, MOST_ZOOM, LARGEST = 480, 28, 8, 4000
"""A small picture is enlarged by a whole factor until labels have room: to about ROOMY pixels of its longer side, and
to about LEGIBLE pixels of its numbers' median height; at most MOST_ZOOM times, and not beyond LARGEST pixels."""

TYPE_SHARE, TYPE_OF_NUMBER = 1 / 60, 0.5
"""Size of the type: this share of the page's longer side, but at most this share of the numbers' median height."""

LONGEST_TEXT = 24
"""Characters of a number that a label shows."""


def annotated(pixels: Levels, numbers: Sequence[Number], size: Size, error: str | None = None) -> Image.Image:
    """The page with what was read drawn on it; a margin is added if the labels need one.

    Args:
        pixels: uint8 (h, w) or (h, w, 3), the page as it stands in the file, perhaps reduced.
        numbers: what was read.
        size: width and height of the page; the boxes are in its pixels.
        error: what to write below the page if there are no numbers; None writes ``NOTHING``.

    Raises:
        ImageError: ``pixels`` is not a picture.

    >>> seven = Number("7", "7", "7", 0.98, 1.0, Box(60, 80, 30, 48), None, ())
    >>> annotated(np.full((200, 600), 255, np.uint8), [seven], (600, 200)).size
    (600, 200)
    """
    boxes = [number.box for number in numbers if number.box is not None]
    heights = [min(box.width, box.height) for box in boxes]  # on a turned page, the width
    usual = float(np.median(heights or [max(size)]))
    shown = _enlarged(picture_of_array(pixels).pixels, usual, max(1, *size))
    height, width = shown.shape[:2]
    scale = width / max(1, size[0]), height / max(1, size[1])
    marks = [_mark(number, number.box, scale, (width, height)) for number in numbers if number.box is not None]
    type_size = min(TYPE_SHARE * max(width, height), TYPE_OF_NUMBER * max(scale) * usual)
    if not marks:
        return _with_note(shown, error or NOTHING, LabelStyle.of(type_size))
    layout = laid_out(marks, shown, type_size)
    image = _on_white(shown, layout.size)
    draw = ImageDraw.Draw(image, "RGBA")
    for spot in layout.spots:
        _draw_boxes(draw, spot, layout.style.line)
    for spot in layout.spots:
        _draw_label(draw, spot, layout.style)
    return image


def _enlarged(pixels: Levels, usual: float, side: int) -> Levels:
    """The picture as uint8 (h, w, 3), enlarged by a whole factor if it or its numbers are small.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
        usual: median height of its numbers, in pixels of the source.
        side: longer side of the source.
    """
    rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    longest = max(rgb.shape[:2])
    wanted = max(ROOMY / longest, np.ceil(LEGIBLE / max(usual * longest / side, 1)))
    zoom = int(min(wanted, MOST_ZOOM, LARGEST / longest))
    if zoom < 2:
        return rgb
    return np.asarray(cv2.resize(rgb, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC), np.uint8)


def _mark(number: Number, box: Box, scale: tuple[float, float], size: Size) -> Mark:
    """A number in pixels of the drawing."""
    text = number.written
    text = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    return Mark(
        _sides(box, scale, size),
        tuple(_sides(digit.box, scale, size) for digit in number.digits),
        f"? {text}".rstrip() if number.refused else text,
        probability(number.confidence, 0),
        number.refused,
    )


def _sides(box: Box, scale: tuple[float, float], size: Size) -> Sides:
    """A box of the source in pixels of the drawing: inside it and never empty."""
    left, right = (round(at * scale[0]) for at in (box.x, box.x + box.width))
    top, bottom = (round(at * scale[1]) for at in (box.y, box.y + box.height))
    left, top = min(max(0, left), size[0] - 1), min(max(0, top), size[1] - 1)
    return Sides(left, top, min(max(left + 1, right), size[0]), min(max(top + 1, bottom), size[1]))


def _on_white(shown: Levels, size: Size) -> Image.Image:
    """The picture at the upper left of a white sheet; a fine line marks its edge if the sheet is larger."""
    picture = Image.fromarray(shown)
    if picture.size == size:
        return picture
    sheet = Image.new("RGB", size, WHITE)
    sheet.paste(picture)
    ImageDraw.Draw(sheet).rectangle((0, 0, picture.width - 1, picture.height - 1), outline=FAINT)
    return sheet


def _with_note(shown: Levels, note: str, style: LabelStyle) -> Image.Image:
    """The picture with a sentence below it."""
    width = max(shown.shape[1], 20 * style.size)
    lines = textwrap.wrap(note, max(20, int(width / (0.6 * style.size)))) or [""]
    wide = max(width, *(int(style.text_font.getlength(line)) + 2 * style.pad for line in lines))
    step = round(1.4 * style.size)
    image = _on_white(shown, (wide, shown.shape[0] + 2 * style.pad + step * len(lines)))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        at = style.pad, shown.shape[0] + style.pad + number * step + style.size
        draw.text(at, line, MUTED, style.text_font, anchor="ls")
    return image


def _draw_boxes(draw: ImageDraw.ImageDraw, spot: Spot, line: int) -> None:
    """Fine boxes around the digits, and one around the number: solid if it was accepted, dashed if refused."""
    color = REFUSED if spot.mark.refused else ACCEPTED
    for left, top, right, bottom in spot.mark.digits:
        draw.rectangle((left - 1, top - 1, right, bottom), outline=(*WHITE, 110))
        draw.rectangle((left, top, right - 1, bottom - 1), outline=(*color, 150))
    left, top, right, bottom = spot.frame
    draw.rectangle((left - 1, top - 1, right, bottom), outline=(*WHITE, 170), width=line + 2)
    if not spot.mark.refused:
        draw.rectangle((left, top, right - 1, bottom - 1), outline=color, width=line)
        return
    for start, end in _dashes(right - left, line):
        for side in (top, bottom - line):
            draw.rectangle((left + start, side, left + end - 1, side + line - 1), color)
    for start, end in _dashes(bottom - top, line):
        for side in (left, right - line):
            draw.rectangle((side, top + start, side + line - 1, top + end - 1), color)


def _dashes(length: int, line: int) -> Iterator[Size]:
    """Start and end of each dash on a side; the side starts and ends with half a dash, so that corners are closed."""
    number = max(1, round(length / (9 * line)))
    half = 0.29 * length / number
    for middle in np.linspace(0, length, number + 1):
        start = min(length - 1, max(0, round(middle - half)))
        yield start, min(length, max(start + 1, round(middle + half)))


def _draw_label(draw: ImageDraw.ImageDraw, spot: Spot, style: LabelStyle) -> None:
    """A number's label: a filled plate if it was accepted, a white one with a question mark if it was refused."""
    left, top, right, bottom = spot.label
    color, fine = REFUSED if spot.mark.refused else ACCEPTED, max(1, style.line // 2)
    words, plate = (INK, WHITE) if spot.mark.refused else (WHITE, color)
    if spot.lead:
        draw.line(spot.lead, (*color, 190), fine)
    draw.rectangle((left - 1, top - 1, right, bottom), outline=(*WHITE, 170))
    draw.rectangle((left, top, right - 1, bottom - 1), plate, color, fine)
    foot = (top + bottom - style.text_font.getbbox("0", anchor="ls")[1]) / 2
    draw.text((left + style.pad, foot), spot.mark.text, words, style.text_font, anchor="ls")
    draw.text((right - style.pad, foot), spot.mark.confidence, (*words, 215), style.confidence_font, anchor="rs")
