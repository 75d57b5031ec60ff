"""A connection that does not wait for ever: uvicorn's, with deadlines for questions and for answers."""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol  # extra serve

from digitscope.service.problems import Kind, Problem
from digitscope.service.settings import Settings

LONGEST_HEAD = 64 * 1024
"""Bytes of the longest request line with its headers, and of what may stand between and after the parts of a body."""

LINGER = 2.0
"""Seconds for which the rest of an upload is taken and dropped once it is refused, so that the client sees why."""


class BoundedConnection(HttpToolsProtocol):
    """One client's connection.

    uvicorn has a deadline between two requests only. Here, a client that sends nothing, half a head or half a body is
    cut off, as is one that does not take its answer.
    """

    def __init__(self, settings: Settings, *args: Any, **kwargs: Any) -> None:
        """Take a connection; ``args`` and ``kwargs`` are uvicorn's."""
        super().__init__(*args, **kwargs)
        self._settings = settings
        self._deadline: TimerHandle | None = None  # for the request to be complete
        self._stalled: TimerHandle | None = None  # for the client to take what was sent
        self._in_head, self._complete = True, True
        self._advanced, self._beside = False, 0  # bytes since it last came to a head's begin or end, or to a body

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin; too many connections are refused."""
        super().connection_made(transport)
        self._arm(self._settings.idle_seconds)
        limit = self._settings.connections
        if len(self.connections) > limit:
            self._refuse(Problem(Kind.BUSY, f"{limit:,} connections are open, which is all the service takes; wait"))

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that does not end is refused, and so are trailers."""
        if self.transport.is_closing():
            return
        self._expect_the_rest()
        self._advanced = False
        super().data_received(data)
        if not self._complete and not self._advanced and not self.transport.is_closing():
            self._beside += len(data)
            if self._beside > LONGEST_HEAD:
                self._give_up(Problem(Kind.HEADERS_TOO_LARGE, f"the headers have more than {LONGEST_HEAD:,} bytes"))

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._complete = True, False
        self._advance()
        self._expect_the_rest()

    def on_headers_complete(self) -> None:
        """Its head is complete."""
        self._in_head = False
        self._advance()
        self._arm(self._settings.upload_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of its body is there."""
        self._advance()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is complete."""
        super().on_message_complete()
        self._in_head, self._complete = True, True
        self._disarm()
        if self.cycle.response_complete:  # it was refused before
            self._arm(self._settings.idle_seconds)

    def on_response_complete(self) -> None:
        """It is answered."""
        super().on_response_complete()
        if not self._complete:
            self._arm(LINGER)

    def pause_writing(self) -> None:
        """The client does not take what is sent."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self._settings.idle_seconds, self.timeout_keep_alive_handler)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._disarm()
        super().connection_lost(exc)
        if self._stalled is not None:
            self._stalled.cancel()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(Problem(Kind.INVALID_REQUEST, "what came is not a request of HTTP/1.1; check the client"))

    def timeout_keep_alive_handler(self) -> None:
        """Close; a client that has begun a request learns why, and what it has not taken by now is dropped."""
        self._give_up(Problem(Kind.UPLOAD_TOO_SLOW, "half a request came, and then nothing in time; send faster"))

    def _advance(self) -> None:
        self._advanced, self._beside = True, 0

    def _give_up(self, problem: Problem) -> None:
        """Close; whoever has begun a request, and has no answer to it, learns of the problem."""
        waits = not self._complete and (self._in_head or not self.cycle.response_started)
        if waits and not self.transport.is_closing():
            self._refuse(problem)
        elif self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _expect_the_rest(self) -> None:
        """Set the deadline for a head, unless one is set, or the client still waits for an answer."""
        answered = self.cycle is None or self.cycle.response_complete
        if self._deadline is None and self._in_head and answered:
            self._arm(self._settings.idle_seconds)

    def _refuse(self, problem: Problem) -> None:
        self.transport.write(problem.raw())
        self.transport.close()
        self._arm(LINGER)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
