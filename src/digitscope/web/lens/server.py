"""The server of the page: it delivers the page's files and the model. The page itself does the computing."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Sequence

from digitscope.errors import ConfigError, MissingExtra
from digitscope.models.model import Model
from digitscope.web.lens.bundle import TYPES, page_files, page_model

try:
    import uvicorn  # extra serve
    from fastapi import FastAPI, Request, Response  # extra serve
    from fastapi.middleware.gzip import GZipMiddleware  # extra serve
    from fastapi.middleware.trustedhost import TrustedHostMiddleware  # extra serve
    from starlette.middleware.base import RequestResponseEndpoint  # extra serve
except ImportError as error:
    raise MissingExtra("FastAPI", "serve") from error

LOCAL, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104 - only if lan is set
"""Addresses to listen on: reachable from this machine only, or from the whole local network."""

PORT = 8128

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
        "worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""Sent with every answer: the page may load from this server only, and no other site may show it in a frame."""


def create_app(model: Model, snapshots: Sequence[Model] = (), lan: bool = False) -> FastAPI:
    """The application with ``/``, the page's files, ``/model.json`` and ``/health``.

    Args:
        model: a network that describes its layers.
        snapshots: the same network at other stages of its training, the earliest first.
        lan: whether to accept any host name; otherwise only ``127.0.0.1`` and ``localhost``, so that no web site can
            reach the server through a host name of its own (DNS rebinding).

    Raises:
        ModelError: see ``web.lens.bundle.page_model``.
    """
    app = FastAPI(title="Digitscope", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(GZipMiddleware)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*"] if lan else [LOCAL, "localhost"])
    described = json.dumps(page_model(model, snapshots), allow_nan=False, separators=(",", ":")).encode()
    files = page_files()

    @app.middleware("http")
    async def with_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
        answer = await call_next(request)
        answer.headers.update(HEADERS)
        return answer

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "model": json.loads(described)["name"]}

    @app.get("/model.json")
    def model_json() -> Response:
        return Response(described, media_type="application/json")

    @app.get("/{name}")
    def file(name: str) -> Response:
        if name not in files:
            return Response(f"there is no {name[:80]!r} here", status_code=404, media_type="text/plain")
        return Response(files[name], media_type=TYPES[name[name.rindex(".") :]])

    @app.get("/")
    def index() -> Response:
        return file("index.html")

    return app


def serve(
    model: Model,
    snapshots: Sequence[Model] = (),
    port: int = PORT,
    lan: bool = False,
    started: Callable[[str, uvicorn.Server], None] | None = None,
) -> None:
    """Serve the page until the process is interrupted.

    Args:
        model: a network that describes its layers.
        snapshots: the same network at other stages of its training, the earliest first.
        port: the port to listen on; 0 takes any free port.
        lan: whether to let the whole local network in, not only this machine.
        started: called with the address and the server once a browser can open the page.

    Raises:
        ConfigError: the port is taken, not allowed or out of range.
        ModelError: see ``web.lens.bundle.page_model``.
    """
    with socket.socket() as listening:
        if os.name == "posix":  # on Windows it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((EVERYWHERE if lan else LOCAL, port))
        except (OSError, OverflowError) as error:
            raise ConfigError(f"port {port} cannot be used ({error}); choose another port") from error
        app = create_app(model, snapshots, lan)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
        listening.listen()
        if started is not None:
            started(f"http://{LOCAL}:{listening.getsockname()[1]}/", server)
        server.run(sockets=[listening])
