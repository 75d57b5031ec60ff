"""What a worker does: it opens a reader once and reads uploads until nobody asks any more.

It runs in a process of its own, because uploads come from strangers: a decoder that crashes, hangs or takes all memory
costs one request, not the service. Pictures and PDFs are decoded by a child of this process, which has a limit on its
memory, too (``io.decoder``). Between the processes go bytes and JSON, no pickles.
"""

from __future__ import annotations

import contextlib
import io
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from digitscope.errors import DigitscopeError
from digitscope.io.exporters import json_rows
from digitscope.io.page import Page
from digitscope.reading.reader import Reader


@dataclass(frozen=True)
class Question:
    """What to read, and how.

    Attributes:
        names: what to call each file.
        single: whether every page holds one digit.
        options: ``rotate``, ``length``, ``pattern`` and ``max_value`` of ``Reader.read_file``, those that are given.
        pixels: of the largest picture.
        pages: most pages of one file.
    """

    names: list[str]
    single: bool
    options: dict[str, Any]
    pixels: int
    pages: int


class TooLarge(DigitscopeError):
    """A picture has too many pixels, or a file too many pages."""


def work(connection: Connection, engine: str) -> None:
    """Read uploads until the other end is closed; the first message says that the reader is open, or why it is not.

    A question is one message with its fields as JSON, then one for each file. An answer is one message that tells the
    outcome, then, unless it is an error, one with the records.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # the service says when to end
        signal.signal(number, signal.SIG_IGN)
    try:
        reader = Reader(engine=engine, untrusted=True)
    except DigitscopeError as error:
        _send(connection, error=str(error))
        return
    with contextlib.suppress(EOFError, OSError):  # the service has ended
        _send(connection)
        while True:
            question = Question(**json.loads(connection.recv_bytes()))
            uploads = [connection.recv_bytes() for _ in question.names]
            _answer(connection, reader, question, uploads)


def _answer(connection: Connection, reader: Reader, question: Question, uploads: list[bytes]) -> None:
    try:
        pages = [
            page
            for name, content in zip(question.names, uploads, strict=True)
            for page in _pages(reader, question, name, content)
        ]
    except TooLarge as error:
        _send(connection, error=str(error), too_large=True)
    except Exception as error:  # a fault of ours must not end the worker
        _send(connection, error=f"{type(error).__name__}: {error}", fault=True)
    else:
        errors = [page.error for page in pages if page.error is not None]
        numbers = [number for page in pages for number in page.numbers]
        refused = sum(number.refused for number in numbers)
        _send(
            connection, pages=len(pages), errors=len(errors), accepted=len(numbers) - refused, refused=refused,
            unreadable=errors[0] if errors and len(errors) == len(pages) else None,
        )  # fmt: skip
        connection.send_bytes(_body(pages))


def _pages(reader: Reader, question: Question, name: str, content: bytes) -> Iterator[Page]:
    """The pages of a file, without their pixels."""
    _check_pixels(name, content, question.pixels)
    for page in reader.read_file(content, name, single=question.single, **question.options):
        if page.page > question.pages:
            raise TooLarge(f"{name} has more than {question.pages:,} pages; split it")
        if page.width * page.height > question.pixels:
            raise _too_many_pixels(f"{name} page {page.page}", page.width, page.height, question.pixels)
        yield replace(page, pixels=None)


def _check_pixels(name: str, content: bytes, most: int) -> None:
    """Refuse a picture by its header, before it is decoded; what is no picture, or damaged, passes."""
    from PIL import Image  # start-up: as in ``io.image``

    from digitscope.io.image import FORMATS, decoding  # start-up: as above

    try:
        with decoding(name), Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
    except DigitscopeError as error:
        if isinstance(error.__cause__, Image.DecompressionBombError):
            raise TooLarge(str(error)) from error
        return
    if width * height > most:
        raise _too_many_pixels(name, width, height, most)


def _too_many_pixels(name: str, width: int, height: int, most: int) -> TooLarge:
    return TooLarge(f"{name} is {width}x{height} px; the service takes at most {most:,} pixels, reduce it first")


def _body(pages: list[Page]) -> bytes:
    """The records of pages, each as ``digitscope read`` prints it, as one JSON object."""
    return ('{"pages": [' + ", ".join(json_rows(pages).split("\n")[:-1]) + "]}").encode("utf-8", "backslashreplace")


def _send(connection: Connection, **outcome: Any) -> None:
    connection.send_bytes(json.dumps(outcome).encode())
