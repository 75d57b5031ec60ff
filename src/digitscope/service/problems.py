"""What can go wrong with a request, as ``application/problem+json``. Source: RFC 9457."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response  # extra serve

from digitscope.errors import DigitscopeError

MEDIA_TYPE = "application/problem+json"

RETRY_AFTER = "1"
"""Seconds after which a client may ask again that was refused because too much is going on."""


class Kind(enum.Enum):
    """The kinds of problems: the last part of their type, the status, and a title."""

    INVALID_REQUEST = "invalid-request", 400, "The request is not HTTP, or breaks its rules"
    UNAUTHORIZED = "unauthorized", 401, "The token is missing or wrong"
    FOREIGN_ORIGIN = "foreign-origin", 403, "A page of another site asks"
    NOT_FOUND = "not-found", 404, "There is nothing here"
    METHOD_NOT_ALLOWED = "method-not-allowed", 405, "It cannot be asked in this way"
    UPLOAD_TOO_SLOW = "upload-too-slow", 408, "The upload did not arrive in time"
    TOO_LARGE = "too-large", 413, "More was sent than the service takes"
    UNSUPPORTED_TYPE = "unsupported-type", 415, "Bodies of this type are not read"
    WRONG_HOST = "wrong-host", 421, "The service does not go by this name"
    UNUSABLE = "unusable", 422, "What was sent cannot be used"
    TOO_MANY_REQUESTS = "too-many-requests", 429, "This address asks too much at once"
    HEADERS_TOO_LARGE = "headers-too-large", 431, "The headers are too long"
    INTERNAL = "internal", 500, "The service has a fault"
    BUSY = "busy", 503, "Too much is going on"
    TOO_SLOW = "too-slow", 503, "The answer was not there in time"
    WORKER_LOST = "worker-lost", 503, "The process that worked on it ended"
    STOPPING = "stopping", 503, "The service is being stopped"

    def __init__(self, slug: str, status: int, title: str) -> None:
        self.type, self.status, self.title = f"urn:digitscope:problem:{slug}", status, title


class Problem(Exception):
    """A request that gets an error instead of an answer."""

    def __init__(self, kind: Kind, detail: str, headers: Mapping[str, str] | None = None) -> None:
        """Describe what is wrong.

        Args:
            kind: of the problem.
            detail: what came, what was expected, how to fix it, in one sentence.
            headers: further headers of the answer.
        """
        super().__init__(detail)
        self.kind = kind
        self.detail = str(DigitscopeError(detail))  # short and printable
        self.headers = dict(headers or {})
        if kind in (Kind.BUSY, Kind.TOO_MANY_REQUESTS):
            self.headers["Retry-After"] = RETRY_AFTER

    def to_dict(self) -> dict[str, Any]:
        """The problem as plain JSON values."""
        kind = self.kind
        return {"type": kind.type, "title": kind.title, "status": kind.status, "detail": self.detail}

    def response(self) -> Response:
        """The answer that tells it."""
        return Response(json.dumps(self.to_dict()), self.kind.status, self.headers, MEDIA_TYPE)

    def raw(self) -> bytes:
        """The whole answer as bytes of HTTP/1.1, for a connection that is closed behind it."""
        body = json.dumps(self.to_dict()).encode()
        status = HTTPStatus(self.kind.status)
        head = {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Connection": "close",
            **self.headers,
        }
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in head.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def of_status(status: int, detail: str) -> Problem:
    """The problem for a status that the framework gives, such as 404 or 405."""
    kind = next((kind for kind in Kind if kind.status == status), None)
    return Problem(kind or (Kind.INTERNAL if status >= 500 else Kind.INVALID_REQUEST), detail)
