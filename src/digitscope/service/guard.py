"""Who may ask: the names by which the service goes, the pages that may ask, the token, and how much at once.

It stands before everything else and also counts the requests and puts the headers on every answer.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
import time
from collections import Counter
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send  # extra serve

from digitscope.service.metrics import Metrics
from digitscope.service.problems import Kind, Problem
from digitscope.service.settings import Settings

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
        "worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Sent with every answer: the page may load from this server only, and no other site may show it in a frame."""

_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_KEEP, _KEEP_NOT = (b"cache-control", b"no-cache"), (b"cache-control", b"no-store")

HERE = ("127.0.0.1", "localhost", "[::1]")
"""The names of this machine for itself."""

_PROTECTED = ("/v1/", "/metrics")
_ALWAYS = "/healthz"


class Guard:
    """The application behind its checks."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, lan: bool) -> None:
        """Stand before an application.

        Args:
            app: the application.
            settings: token, host names and numbers of requests.
            metrics: what counts.
            lan: whether other machines may ask, by this machine's address or name.
        """
        self._app, self._settings, self._metrics, self._lan = app, settings, metrics, lan
        names = {socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"} if lan else set()
        self._hosts = names | {*HERE, *(name.lower() for name in settings.hosts)}
        token = settings.token
        self._token = None if token is None else f"Bearer {token.get_secret_value()}".encode()
        self._asking: Counter[str] = Counter()
        self._all = 0
        metrics.watch(lambda: self._all)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 0
        headers = [*_HEADERS, _KEEP_NOT if scope["path"].startswith(_PROTECTED) else _KEEP]

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        address = scope["client"][0] if scope["client"] else ""
        self._enter(address)
        try:
            self._check(scope, address)
            await self._app(scope, receive, with_headers)
        except Problem as problem:
            await problem.response()(scope, receive, with_headers)
        finally:
            self._leave(address)
            self._metrics.count_request(_route(scope), status, time.perf_counter() - start)

    def _enter(self, address: str) -> None:
        self._all += 1
        self._asking[address] += 1

    def _leave(self, address: str) -> None:
        self._all -= 1
        self._asking[address] -= 1
        if not self._asking[address]:
            del self._asking[address]

    def _check(self, scope: MutableMapping[str, Any], address: str) -> None:
        """Raise a Problem unless the request may be answered."""
        headers = {name: value for name, value in scope["headers"] if name in _CHECKED}
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if not self._goes_by(host):
            raise Problem(
                Kind.WRONG_HOST,
                f"the service was asked as {host[:80]!r}; ask by its address, or add the name to hosts",
            )
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").lower().partition("://")[2] != host:
            raise Problem(Kind.FOREIGN_ORIGIN, "a page of another site asks; only the service's own page may")
        path = scope["path"]
        if path == _ALWAYS:
            return
        if self._token is not None and path.startswith(_PROTECTED):
            self._check_token(headers.get(b"authorization", b""))
        if self._asking[address] > self._settings.client_requests:
            most = self._settings.client_requests
            raise Problem(Kind.TOO_MANY_REQUESTS, f"{most:,} requests of this address are in progress; wait")
        if self._all > self._settings.requests:
            raise Problem(Kind.BUSY, f"{self._settings.requests:,} requests are in progress; wait")

    def _check_token(self, given: bytes) -> None:
        if not hmac.compare_digest(given, self._token or b""):
            raise Problem(
                Kind.UNAUTHORIZED,
                "the token is missing or wrong; send it as Authorization: Bearer TOKEN",
                {"WWW-Authenticate": "Bearer"},
            )

    def _goes_by(self, host: str) -> bool:
        """Whether this is a name of the service; an address cannot be another site's name (DNS rebinding)."""
        name, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "")
        if port and not port.isdecimal():
            return False
        return name in self._hosts or (self._lan and _is_address(name))


_CHECKED = (b"host", b"origin", b"authorization")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _route(scope: MutableMapping[str, Any]) -> str:
    """The pattern of the path that was asked, of which there are few; paths that nobody knows count as one."""
    return getattr(scope.get("route"), "path", "other")
