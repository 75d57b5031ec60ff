"""What was read, shown on the page itself: every number with its box, its text and how sure it is. It reads nothing.

Accepted and refused numbers differ in colour, line and sign, so that a grey print and every kind of colour vision tell
them apart. Where the labels stand is ``io.label_layout``.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from digitscope import files
from digitscope.arraytypes import Levels
from digitscope.errors import ConfigError
from digitscope.io.elements import Box, Number, Page
from digitscope.io.image import picture_of_array
from digitscope.io.label_layout import Mark, Sides, Size, Spot, Type, laid_out

ACCEPTED, REFUSED = (0, 114, 178), (213, 94, 0)
"""Blue and vermilion, which people with every kind of colour vision tell apart.

Source: Okabe and Ito, "Color Universal Design", 2008.
"""

WHITE, INK, MUTED, FAINT = (255, 255, 255), (34, 34, 34), (102, 102, 102), (184, 184, 184)

NOTHING = "no number found"

ROOMY, LEGIBLE, MOST_ZOOM, LARGEST = 480, 28, 8, 4000
"""A picture is enlarged a whole number of times until labels have room: to about ROOMY pixels of its longer side, and
to LEGIBLE pixels of its numbers' usual height; at most MOST_ZOOM times, and not beyond LARGEST pixels."""

TYPE_SHARE, TYPE_OF_NUMBER = 1 / 60, 0.5
"""Size of the type: this share of the page's longer side, and of a number's usual height at most."""

LONGEST_NAME = 200
"""Bytes of a file's name that its annotated pages take up; most systems allow 255 with all that is added."""

LONGEST_TEXT = 24
"""Characters of a number that a label shows."""

MODERATE = 1000
"""Pixels of the longer side of the picture in a notebook."""


_LATER_PAGE = re.compile(r"-p[0-9]+$")
"""What ``write_annotated`` puts behind the name of a page that is not the first."""


def annotated(page: Page, pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """The page with what was read drawn on it; a margin is added where labels need one.

    Args:
        page: what was read.
        pixels: uint8 (h, w) or (h, w, 3), the page as it stands in the file, perhaps reduced.

    Raises:
        ImageError: ``pixels`` is no picture.

    >>> seven = Number("7", "7", "7", 0.98, 1.0, Box(60, 80, 30, 48), None, ())
    >>> annotated(Page("a.png", 1, 600, 200, 0, (seven,), 1.0), np.full((200, 600), 255, np.uint8)).size
    (600, 200)
    """
    shown = _enlarged(picture_of_array(pixels).pixels, page)
    height, width = shown.shape[:2]
    scale = width / max(1, page.width), height / max(1, page.height)
    marks = [_mark(number, scale, (width, height)) for number in page.numbers if number.box is not None]
    size = min(TYPE_SHARE * max(width, height), TYPE_OF_NUMBER * max(scale) * _usual_height(page))
    if not marks:
        return _with_note(shown, page.error or NOTHING, Type.of(size))
    layout = laid_out(marks, shown, size)
    image = _on_white(shown, layout.size)
    draw = ImageDraw.Draw(image, "RGBA")
    for spot in layout.spots:
        _draw_boxes(draw, spot, layout.kind.line)
    for spot in layout.spots:
        _draw_label(draw, spot, layout.kind)
    return image


def drawing_names(sources: Sequence[str]) -> dict[str, str]:
    """A name for each file's annotated pages, so that no two pages have the same, whatever the order of the files.

    It is the file's own name without folder and suffix; with them where that is not enough, as of ``x.png`` in two
    folders, or of ``x-p2.png`` beside page 2 of ``x.pdf``; and a hash of the path behind it where that is not either.

    >>> drawing_names(["a/x.png", "b/x.png", "y.pdf"])
    {'a/x.png': 'a-x.png', 'b/x.png': 'b-x.png', 'y.pdf': 'y'}
    """
    longer = {file: _names(file) for file in sources}
    names = {file: next(longer[file]) for file in longer}
    while clashing := _clashing(names):
        names |= {file: name for file in clashing if (name := next(longer[file], None)) is not None}
    return names


def _names(file: str) -> Iterator[str]:
    """What a file's annotated pages may be called, each name longer than the one before."""
    path, code = Path(file), hashlib.sha256(file.encode(errors="surrogatepass")).hexdigest()
    joined = "-".join(part for part in path.parts if part not in ("/", ".", ".."))
    yield _end(path.stem)
    yield _end(joined)
    yield f"{_end(joined)}-{code[:8]}"
    yield f"{_end(joined)}-{code[:32]}"


def _end(name: str) -> str:
    """The last ``LONGEST_NAME`` bytes of a name, in whole characters."""
    return name.encode(errors="surrogatepass")[-LONGEST_NAME:].decode(errors="ignore")


def _clashing(names: dict[str, str]) -> list[str]:
    """The files that must be called otherwise, so that no two pages of different files have the same name."""
    plain = {file: name.casefold() for file, name in names.items()}  # some systems do not tell a from A
    often = Counter(plain.values())
    first = {file: _LATER_PAGE.sub("", name) for file, name in plain.items()}
    return [file for file, name in plain.items() if often[name] > 1 or (first[file] != name and first[file] in often)]


def check_drawing_place(folder: str | Path) -> None:
    """Find out whether annotated pages could be written, before anything is read; their folder is made.

    Raises:
        ConfigError: they could not.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot take pages with boxes ({error.strerror}); give another folder with --annotate"
        ) from error


def write_annotated(page: Page, pixels: npt.NDArray[np.uint8], folder: str | Path, name: str) -> Path:
    """Write the page with what was read drawn on it as ``FOLDER/NAME.jpg``, of later pages ``NAME-p2.jpg`` and so on.

    Arguments and errors are those of ``annotated``.
    """
    path = Path(folder) / (f"{name}.jpg" if page.page == 1 else f"{name}-p{page.page}.jpg")
    with files.atomic_path(path) as temporary:
        annotated(page, pixels).save(temporary, quality=92, subsampling=0)
    return path


def percent(share: float) -> str:
    """A probability in whole percent that never says certain where it is not.

    >>> percent(0.9994), percent(0.934), percent(0.001)
    ('>99%', '93%', '<1%')
    """
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def _usual_height(page: Page) -> float:
    """Height of a usual number in pixels of the source, or width on a turned page; the page's side where none is."""
    boxes = [number.box for number in page.numbers if number.box is not None]
    return float(np.median([min(box.width, box.height) for box in boxes] or [max(page.width, page.height)]))


def _enlarged(pixels: Levels, page: Page) -> Levels:
    """The picture as uint8 (h, w, 3), a whole number of times as large where it or its numbers are small."""
    rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    longest = max(rgb.shape[:2])
    written = _usual_height(page) * longest / max(1, page.width, page.height)
    wanted = max(ROOMY / longest, np.ceil(LEGIBLE / max(written, 1)))
    zoom = int(min(wanted, MOST_ZOOM, LARGEST / longest))
    if zoom < 2:
        return rgb
    return np.asarray(cv2.resize(rgb, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC), np.uint8)


def _mark(number: Number, scale: tuple[float, float], size: Size) -> Mark:
    """A number in pixels of the drawing."""
    text = number.best_guess if number.text is None else number.text
    text = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    return Mark(
        _sides(number.box or Box(0, 0, 1, 1), scale, size),
        tuple(_sides(digit.box, scale, size) for digit in number.digits),
        f"? {text}".rstrip() if number.refused else text,
        percent(number.confidence),
        number.refused,
    )


def _sides(box: Box, scale: tuple[float, float], size: Size) -> Sides:
    """A box of the source in pixels of the drawing, kept inside of it and never empty."""
    left, right = (round(at * scale[0]) for at in (box.x, box.x + box.width))
    top, bottom = (round(at * scale[1]) for at in (box.y, box.y + box.height))
    left, top = min(max(0, left), size[0] - 1), min(max(0, top), size[1] - 1)
    return Sides(left, top, min(max(left + 1, right), size[0]), min(max(top + 1, bottom), size[1]))


def _on_white(shown: Levels, size: Size) -> Image.Image:
    """The picture at the upper left of a white sheet, set off by a fine line where it is smaller than the sheet."""
    picture = Image.fromarray(shown)
    if picture.size == size:
        return picture
    sheet = Image.new("RGB", size, WHITE)
    sheet.paste(picture)
    ImageDraw.Draw(sheet).rectangle((0, 0, picture.width - 1, picture.height - 1), outline=FAINT)
    return sheet


def _with_note(shown: Levels, note: str, kind: Type) -> Image.Image:
    """The picture with a sentence under it."""
    width = max(shown.shape[1], 20 * kind.size)
    lines = textwrap.wrap(note, max(20, int(width / (0.6 * kind.size)))) or [""]
    wide = max(width, *(int(kind.text.getlength(line)) + 2 * kind.pad for line in lines))
    step = round(1.4 * kind.size)
    image = _on_white(shown, (wide, shown.shape[0] + 2 * kind.pad + step * len(lines)))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        at = kind.pad, shown.shape[0] + kind.pad + number * step + kind.size
        draw.text(at, line, MUTED, kind.text, anchor="ls")
    return image


def _draw_boxes(draw: ImageDraw.ImageDraw, spot: Spot, line: int) -> None:
    """The fine boxes of the digits, and the number's: solid where it was accepted, dashed where it was refused."""
    color = REFUSED if spot.mark.refused else ACCEPTED
    for left, top, right, bottom in spot.mark.digits:
        draw.rectangle((left - 1, top - 1, right, bottom), outline=(*WHITE, 110))
        draw.rectangle((left, top, right - 1, bottom - 1), outline=(*color, 150))
    left, top, right, bottom = spot.frame
    draw.rectangle((left - 1, top - 1, right, bottom), outline=(*WHITE, 170), width=line + 2)
    if not spot.mark.refused:
        draw.rectangle((left, top, right - 1, bottom - 1), outline=color, width=line)
        return
    for low, high in _dashes(right - left, line):
        for side in (top, bottom - line):
            draw.rectangle((left + low, side, left + high - 1, side + line - 1), color)
    for low, high in _dashes(bottom - top, line):
        for side in (left, right - line):
            draw.rectangle((side, top + low, side + line - 1, top + high - 1), color)


def _dashes(length: int, line: int) -> Iterator[Size]:
    """Begin and end of the dashes on a side, which starts and ends with half of one so that corners are closed."""
    number = max(1, round(length / (9 * line)))
    half = 0.29 * length / number
    for middle in np.linspace(0, length, number + 1):
        low = min(length - 1, max(0, round(middle - half)))
        yield low, min(length, max(low + 1, round(middle + half)))


def _draw_label(draw: ImageDraw.ImageDraw, spot: Spot, kind: Type) -> None:
    """A number's label: a filled plate where it was accepted, a white one with a question mark where it was refused."""
    left, top, right, bottom = spot.label
    color, fine = REFUSED if spot.mark.refused else ACCEPTED, max(1, kind.line // 2)
    words, plate = (INK, WHITE) if spot.mark.refused else (WHITE, color)
    if spot.lead:
        draw.line(spot.lead, (*color, 190), fine)
    draw.rectangle((left - 1, top - 1, right, bottom), outline=(*WHITE, 170))
    draw.rectangle((left, top, right - 1, bottom - 1), plate, color, fine)
    foot = (top + bottom - kind.text.getbbox("0", anchor="ls")[1]) / 2
    draw.text((left + kind.pad, foot), spot.mark.text, words, kind.text, anchor="ls")
    draw.text((right - kind.pad, foot), spot.mark.share, (*words, 215), kind.share, anchor="rs")


_HEAD = '<tr><th scope="col">number</th><th scope="col">confidence</th><th scope="col">refused because</th></tr>'

_STYLE = (
    ".digitscope-page img{display:block;max-width:100%;height:auto}"
    ".digitscope-page table{margin:.8em 0;border-collapse:collapse;color:inherit;background:none}"
    ".digitscope-page tr{background:none}"
    ".digitscope-page th,.digitscope-page td{padding:.25em 1.2em .25em 0;border:0;"
    "border-bottom:1px solid rgba(128,128,128,.35);text-align:left;font-variant-numeric:tabular-nums}"
    ".digitscope-page th{font-weight:normal;opacity:.7}"
    ".digitscope-page td:nth-child(2),.digitscope-page th:nth-child(2){text-align:right}"
    ".digitscope-page .refused{opacity:.75}"
)


def page_html(page: Page, pixels: npt.NDArray[np.uint8]) -> str:
    """The annotated page above a table of its numbers, as a piece of HTML for light and dark notebooks.

    Arguments and errors are those of ``annotated``.
    """
    shown = annotated(page, pixels)
    shown.thumbnail((MODERATE, MODERATE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=88, subsampling=0)
    source = base64.b64encode(file.getvalue()).decode("ascii")
    rows = "".join(_row(number) for number in page.numbers)
    body = f"<table><thead>{_HEAD}</thead><tbody>{rows}</tbody></table>" if rows else ""
    heard = escape(f"The page with what was read: {page.text or page.error or ('all refused' if rows else NOTHING)}")
    return (
        f'<div class="digitscope-page"><style>{_STYLE}</style>'
        f'<img src="data:image/jpeg;base64,{source}" width="{shown.width}" alt="{heard}">{body}</div>'
    )


def _row(number: Number) -> str:
    """A number's row of the table; a refused one shows its best guess behind a question mark."""
    text = f"<b>{escape(number.text)}</b>" if number.text is not None else f"? {escape(number.best_guess)}"
    cells = text, escape(percent(number.confidence)), escape(number.reason or "")
    kind = ' class="refused"' if number.refused else ""
    return f"<tr{kind}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
