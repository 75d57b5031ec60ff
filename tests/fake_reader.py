"""A reader for tests of batches: quick, and, if a file's name asks for it, it dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PIL import Image

from digitscope.errors import ConfigError, MissingExtra
from digitscope.io.document import scans
from digitscope.io.elements import Box, Number
from digitscope.io.page import Page


def scans_of_all_kinds(folder: Path) -> Path:
    """40 files: pictures, TIFFs of three pages, poison, and names that are awkward."""
    for number in range(37):
        path = folder / f"img{number}.png"
        if number % 5 == 1:
            path.write_bytes(b"poison" * number)
        elif number % 5 == 2:
            pages = [Image.new("1", (3 + number, 4 + page)) for page in range(3)]
            pages[0].save(path, "TIFF", save_all=True, append_images=pages[1:])
        else:
            Image.new("L", (5 + number, 7)).save(path)
    for name in ('comma, "quote".png', "two\nlines.png", "größe 7.png"):
        Image.new("L", (9, 9)).save(folder / name)
    return folder


def fake_read(source: str | bytes, name: str) -> Iterator[Page]:
    """Two numbers on every page: how many pixels it has, and which page it is."""
    for scan in scans(source, name=name):
        if scan.picture is None:
            yield Page(scan.file, scan.page, 0, 0, 0, (), 0.0, scan.error)
            continue
        width, height = scan.picture.width, scan.picture.height
        numbers = tuple(
            Number(text, text, text, 0.9, 1.0, Box(0, 0, 5, 5), None, (), 0)
            for text in (str(width * height), str(scan.page))
        )
        yield Page(scan.file, scan.page, width, height, 0, numbers, 0.0, pixels=scan.picture.pixels)


def open_fake() -> Callable[[str | bytes, str], Iterator[Page]]:
    return fake_read


def open_logged(log: Path, seconds: float) -> Callable[[str | bytes, str], Iterator[Page]]:
    """A reader that takes its time and writes down what it reads, and in which process."""
    return partial(_logged, log=log, seconds=seconds)


def _logged(source: str | bytes, name: str, log: Path, seconds: float) -> Iterator[Page]:
    for page in fake_read(source, name):
        with log.open("a") as lines:
            lines.write(f"{page.file!r} {page.page} {os.getpid()}\n")
        time.sleep(seconds)
        yield page


def open_deadly(folder: Path) -> Callable[[str | bytes, str], Iterator[Page]]:
    """A reader that dies of files called ``deadly``, and once, as by a passer-by, of those called ``unlucky``."""
    return partial(_deadly, folder=folder)


def _deadly(source: str | bytes, name: str, folder: Path) -> Iterator[Page]:
    mark = folder / Path(name).stem
    if "deadly" in name or ("unlucky" in name and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    yield from fake_read(source, name)


def open_nothing() -> Callable[[str | bytes, str], Iterator[Page]]:
    raise ConfigError("there is no such reader")


def open_unreadable() -> Callable[[str | bytes, str], Iterator[Page]]:
    raise OSError("the disk with the networks is gone")


def open_failing() -> Callable[[str | bytes, str], Iterator[Page]]:
    """A reader with a fault that is no page's."""
    return _failing


def _failing(source: str | bytes, name: str) -> Iterator[Page]:
    raise OSError(f"no room for {name}")


def open_without_engine() -> Callable[[str | bytes, str], Iterator[Page]]:
    raise MissingExtra("RapidOCR", "ocr")


def end_at_once() -> Callable[[str | bytes, str], Iterator[Page]]:
    os._exit(3)
