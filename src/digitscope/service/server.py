"""Starts the service and ends it: sockets, the page's model in the background, and a quiet end after SIGTERM."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn  # extra serve

from digitscope.errors import ConfigError
from digitscope.models.model import Model
from digitscope.progress import Progress
from digitscope.service.api import JSON, Parts, create_app
from digitscope.service.classifiers import Classifiers
from digitscope.service.connection import BoundedConnection
from digitscope.service.guard import Guard
from digitscope.service.metrics import Metrics
from digitscope.service.page_files import Ready, ready_files
from digitscope.service.review import Review
from digitscope.service.settings import Settings, from_environment
from digitscope.service.workers import Workers
from digitscope.web.lens.bundle import as_json, page_files, page_images, page_network

LOCAL, LOCAL_6, EVERYWHERE = "127.0.0.1", "::1", "0.0.0.0"  # noqa: S104 - only if lan is set
"""Addresses to listen on: reachable from this machine only, or from the whole local network."""

PORT = 8128


def serve(
    model: Model,
    snapshots: Sequence[Model] = (),
    port: int = PORT,
    lan: bool = False,
    started: Callable[[str, uvicorn.Server], None] | None = None,
    preparing: Callable[[], AbstractContextManager[Progress | None]] = nullcontext,
    beside: Sequence[Model] = (),
    settings: Settings | None = None,
    chosen: Sequence[str] = (),
    review: str | Path | None = None,
) -> None:
    """Serve page and API until the process is interrupted; what was asked until then is answered.

    The server answers at once; what the page needs is made meanwhile, and a browser that asks for it waits.

    Args:
        model: the network of the page and of ``/v1/predict``; for the page it must describe its layers.
        snapshots: the same network at other stages of its training, the earliest first.
        port: the port to listen on; 0 takes any free port.
        lan: whether to let the whole local network in, not only this machine.
        started: called with the address and the server once a browser can open the page.
        preparing: gives the callback for progress, and is left when all is ready; both happen in another thread.
        beside: other networks to compare with.
        settings: limits, token and more; None takes them from the environment.
        chosen: the languages that the page speaks besides English.
        review: the file of a review queue, for which a page to answer on is served, too.

    Raises:
        ConfigError: the port is taken, not allowed or out of range, a setting cannot be used, there is no such
            language, or no review queue in the file.
        ModelError, DataError: see ``web.lens.bundle.page_network``.
    """
    settings = settings or from_environment()
    network = page_network(model, snapshots, beside) if settings.page else None
    prepared: Future[Ready] | None = None if network is None else Future()
    with ExitStack() as stack:
        sockets = _listening(port, lan, stack)
        server = _server(application(settings, model, prepared, lan, chosen, review), settings)
        if started is not None:
            started(f"http://{LOCAL}:{sockets[0].getsockname()[1]}/", server)
        if network is not None and prepared is not None:
            thread = threading.Thread(target=_prepare, args=(model, network, prepared, server, preparing))
            thread.start()
            stack.callback(thread.join)
        stack.callback(setattr, server, "should_exit", True)
        stack.enter_context(_quiet_end())
        server.run(sockets=sockets)
    failure = None if prepared is None else prepared.exception()
    if failure is not None and not isinstance(failure, _Stopped):
        raise failure


def _listening(port: int, lan: bool, stack: ExitStack) -> list[socket.socket]:
    """The sockets to listen on: IPv4, and IPv6 for this machine alone where it has it."""
    first = stack.enter_context(socket.socket())
    try:
        _bind(first, EVERYWHERE if lan else LOCAL, port)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"port {port} cannot be used ({error}); choose another port") from error
    sockets = [first]
    with contextlib.suppress(OSError):
        second = stack.enter_context(socket.socket(socket.AF_INET6))
        _bind(second, LOCAL_6, first.getsockname()[1])
        sockets.append(second)
    return sockets


def _bind(listening: socket.socket, address: str, port: int) -> None:
    if os.name == "posix":  # on Windows it would let two servers share a port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((address, port))
    listening.listen()


def application(
    settings: Settings,
    model: Model,
    prepared: Future[Ready] | None,
    lan: bool = False,
    chosen: Sequence[str] = (),
    review: str | Path | None = None,
) -> Guard:
    """The whole ASGI application.

    Args:
        settings: limits, token and more.
        model: the network that ``/v1/predict`` serves.
        prepared: ``model.json``; who asks for it waits until it is there; None serves no page.
        lan: whether other machines may ask.
        chosen: the languages that the page speaks besides English.
        review: the file of a review queue; None serves no page for one.

    Raises:
        ConfigError: there is no such language, or no review queue in the file.
    """
    metrics, files = Metrics(), {} if prepared is None else ready_files(page_files(chosen))
    queue = None if review is None else Review(review)
    classifiers = Classifiers(model, settings.seconds, metrics.batches.observe)
    app = create_app(Parts(settings, metrics, classifiers, Workers(settings, metrics), prepared, files, queue))
    return Guard(app, settings, metrics, lan)


def _server(app: Guard, settings: Settings) -> uvicorn.Server:
    """The server of an application."""
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # its warnings hold bytes that were uploaded
    protocol: Any = partial(BoundedConnection, settings)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            log_level="error",  # what strangers send is answered, not logged
            access_log=False,
            server_header=False,
            timeout_keep_alive=settings.idle_seconds,  # type: ignore[arg-type]
            timeout_graceful_shutdown=settings.drain_seconds,  # type: ignore[arg-type]
            backlog=settings.connections,
        )
    )


@contextlib.contextmanager
def _quiet_end() -> Iterator[None]:
    """Let SIGTERM end the server, but not the process before all is put away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn sends it again once it has ended
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Stopped(Exception):
    """The server has stopped, so nobody waits for the model any more."""


def _prepare(
    model: Model,
    network: dict[str, Any],
    prepared: Future[Ready],
    server: uvicorn.Server,
    preparing: Callable[[], AbstractContextManager[Progress | None]],
) -> None:
    """Make ``model.json`` ready; an error stops the server, and the end of the server stops this."""
    prepared.set_running_or_notify_cancel()  # a browser that goes away does not cancel it
    try:
        with preparing() as progress:

            def report(stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
                if server.should_exit:
                    raise _Stopped("the server was stopped")
                if progress is not None:
                    progress(stage, done, total, facts)

            text = as_json(network | page_images(model, progress=report))
        prepared.set_result(Ready.of(text.encode(), JSON))
    except Exception as error:
        prepared.set_exception(error)
        server.should_exit = True
