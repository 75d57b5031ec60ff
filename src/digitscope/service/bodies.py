"""The body of a request: taken within its limits, and as the files that it holds. Nothing is written to a disk.

Clients that send too slowly are cut off by ``connection``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from python_multipart.multipart import parse_options_header  # extra serve
from starlette.datastructures import UploadFile  # extra serve
from starlette.formparsers import MultiPartException, MultiPartParser  # extra serve
from starlette.requests import ClientDisconnect, Request  # extra serve

from digitscope.errors import first_line
from digitscope.service.problems import Kind, Problem
from digitscope.service.settings import Settings
from digitscope.service.workers import Upload

PICTURES = ("image/", "application/pdf", "application/octet-stream")
"""How the types begin of bodies that are one file; the bytes tell what it is."""

FORM = "multipart/form-data"
"""The type of a body with several files."""

LONGEST_NAME = 255
"""Characters of a file's name that are kept."""


class Bodies:
    """Takes bodies, and counts the bytes of all that are held at the moment."""

    def __init__(self, settings: Settings) -> None:
        """Hold nothing yet."""
        self._settings, self._held = settings, 0

    @asynccontextmanager
    async def whole(self, request: Request, most: int) -> AsyncIterator[bytearray]:
        """The bytes of a body, which count as held until the block ends.

        Raises:
            Problem: it has more than ``most`` bytes, too many are held already, or the client went away.
        """
        body = bytearray()
        try:
            _check_size(_announced(request), most)
            async for chunk in request.stream():
                body += chunk
                self._held += len(chunk)
                _check_size(len(body), most)
                self._check_held()
            yield body
        except ClientDisconnect as error:
            raise Problem(Kind.INVALID_REQUEST, "the client went away before all of its upload had arrived") from error
        finally:
            self._held -= len(body)

    @asynccontextmanager
    async def files(self, request: Request) -> AsyncIterator[list[Upload]]:
        """The files in a body: itself, or the parts of a form that have a file name.

        Raises:
            Problem: as for ``whole``; or the body has another type, or holds no file or too many.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != FORM and not kind.startswith(PICTURES):
            raise Problem(
                Kind.UNSUPPORTED_TYPE,
                f"the body is {kind or 'of no type'}; send image/..., application/pdf, or {FORM} with files",
            )
        async with self.whole(request, self._settings.upload_bytes) as body:
            if kind == FORM:
                uploads = await _parts(request, body, self._settings.files)
            else:
                uploads = [Upload(request.query_params.get("name", "-")[:LONGEST_NAME], body)]
            if not uploads or not all(one.content for one in uploads):
                raise Problem(
                    Kind.UNUSABLE, "a file is missing or empty; send its bytes as the body, or as form fields"
                )
            yield uploads

    def _check_held(self) -> None:
        if self._held > self._settings.held_bytes:
            raise Problem(Kind.BUSY, f"uploads of {self._held:,} bytes are being worked on; wait")


def _announced(request: Request) -> int:
    """The length that is announced; 0 if none is. The parser of HTTP lets only digits pass."""
    return int(request.headers.get("content-length", "0"))


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise Problem(Kind.TOO_LARGE, f"the body has {size:,} bytes or more; the service takes at most {most:,} here")


def _check_charset(request: Request) -> None:
    """Refuse a form whose names are not said to be UTF-8: some of Python's codecs fail, or take very long."""
    charset = parse_options_header(request.headers["content-type"])[1].get(b"charset", b"utf-8").decode("latin-1")
    if charset.lower() not in ("utf-8", "utf8"):
        raise Problem(Kind.UNUSABLE, f"the form's charset is {charset[:40]!r}; send its names in UTF-8")


async def _parts(request: Request, body: bytearray, most: int) -> list[Upload]:
    """The files in a form, in order."""
    _check_charset(request)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield bytes(body)

    parser = MultiPartParser(request.headers, stream(), max_files=most, max_fields=most)
    parser.spool_max_size = len(body) + 1  # never to a disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many"):
            raise Problem(Kind.TOO_LARGE, f"the form has more than {most:,} files or fields; send fewer") from error
        raise Problem(Kind.UNUSABLE, f"the form cannot be read ({first_line(error)}); check the client") from error
    uploads = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
    return [Upload((one.filename or "-")[:LONGEST_NAME], await one.read()) for one in uploads]
