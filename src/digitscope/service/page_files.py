"""The files of pages, ready to send: each file compressed once, with a tag by which a browser asks again."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request  # extra serve
from starlette.responses import Response  # extra serve

from digitscope.web.lens.bundle import TYPES

LEAST = 500
"""Bytes of the smallest file that is compressed, as in Starlette's own compression."""


@dataclass(frozen=True, eq=False)
class Ready:
    """A file to send.

    Attributes:
        plain: its bytes.
        packed: the same, gzipped; None if that is not smaller.
        kind: its type.
        tag: changes with the bytes.
    """

    plain: bytes
    packed: bytes | None
    kind: str
    tag: str

    @classmethod
    def of(cls, content: bytes, kind: str) -> Ready:
        """Make a file ready."""
        packed = gzip.compress(content, mtime=0) if len(content) >= LEAST else content
        tag = hashlib.sha256(content).hexdigest()[:32]
        return cls(content, packed if len(packed) < len(content) else None, kind, tag)

    def response(self, request: Request) -> Response:
        """The answer to a request: the file, or that the browser has it already."""
        packed = self.packed is not None and "gzip" in request.headers.get("accept-encoding", "")
        tag = f'"{self.tag}-gzip"' if packed else f'"{self.tag}"'
        headers = {"ETag": tag, "Vary": "Accept-Encoding"}
        if tag in [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        if packed:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if packed else self.plain, headers=headers, media_type=self.kind)


def ready_files(files: Mapping[str, bytes]) -> dict[str, Ready]:
    """The files of a page by name, ready to send."""
    return {name: Ready.of(content, TYPES[name[name.rindex(".") :]]) for name, content in files.items()}
