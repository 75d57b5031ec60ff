"""The server of the page: it delivers the page's files and the model. The page itself does the computing."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from digitscope.errors import ConfigError, MissingExtra
from digitscope.models.model import Model
from digitscope.progress import Progress
from digitscope.web.lens.bundle import TYPES, as_json, page_files, page_images, page_network

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


def create_app(name: str, prepared: Future[str], lan: bool = False) -> FastAPI:
    """The application with ``/``, the page's files, ``/model.json`` and ``/health``.

    Args:
        name: of the model.
        prepared: the text of ``model.json``; who asks for it waits until it is there.
        lan: whether to accept any host name; otherwise only ``127.0.0.1`` and ``localhost``, so that no web site can
            reach the server through a host name of its own (DNS rebinding).
    """
    app = FastAPI(title="Digitscope", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(GZipMiddleware)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*"] if lan else [LOCAL, "localhost"])
    files = page_files()

    @app.middleware("http")
    async def with_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
        answer = await call_next(request)
        answer.headers.update(HEADERS)
        return answer

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok" if prepared.done() else "preparing", "model": name}

    @app.get("/model.json")
    async def model_json() -> Response:
        try:
            return Response(await asyncio.wrap_future(prepared), media_type="application/json")
        except Exception as error:  # whatever it is, ``serve`` raises it where the user sees it
            return Response(f"the model is not there ({error})", status_code=503, media_type="text/plain")

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
    preparing: Callable[[], AbstractContextManager[Progress | None]] = nullcontext,
    beside: Sequence[Model] = (),
) -> None:
    """Serve the page until the process is interrupted.

    The server answers at once; what takes time is made meanwhile, and a browser that asks for the model waits for it.

    Args:
        model: a network that describes its layers.
        snapshots: the same network at other stages of its training, the earliest first.
        port: the port to listen on; 0 takes any free port.
        lan: whether to let the whole local network in, not only this machine.
        started: called with the address and the server once a browser can open the page.
        preparing: gives the callback for progress, and is left when all is ready; both happen in another thread.
        beside: other networks to compare with.

    Raises:
        ConfigError: the port is taken, not allowed or out of range.
        ModelError, DataError: see ``web.lens.bundle.page_network``.
    """
    network, prepared = page_network(model, snapshots, beside), Future[str]()
    with socket.socket() as listening:
        if os.name == "posix":  # on Windows it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((EVERYWHERE if lan else LOCAL, port))
        except (OSError, OverflowError) as error:
            raise ConfigError(f"port {port} cannot be used ({error}); choose another port") from error
        app = create_app(model.short_name, prepared, lan)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
        listening.listen()
        if started is not None:
            started(f"http://{LOCAL}:{listening.getsockname()[1]}/", server)
        thread = threading.Thread(target=_prepare, args=(model, network, prepared, server, preparing))
        thread.start()
        try:
            server.run(sockets=[listening])
        finally:
            server.should_exit = True
            thread.join()
    failure = prepared.exception()
    if failure is not None and not isinstance(failure, _Stopped):
        raise failure


class _Stopped(Exception):
    """The server has stopped, so nobody waits for the model any more."""


def _prepare(
    model: Model,
    network: dict[str, Any],
    prepared: Future[str],
    server: uvicorn.Server,
    preparing: Callable[[], AbstractContextManager[Progress | None]],
) -> None:
    """Make the text of ``model.json``; an error stops the server, and the end of the server stops this."""
    prepared.set_running_or_notify_cancel()  # a browser that goes away does not cancel it
    try:
        with preparing() as progress:

            def report(stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
                if server.should_exit:
                    raise _Stopped("the server was stopped")
                if progress is not None:
                    progress(stage, done, total, facts)

            text = as_json(network | page_images(model, progress=report))
        prepared.set_result(text)
    except Exception as error:
        prepared.set_exception(error)
        server.should_exit = True
