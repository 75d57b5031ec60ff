"""The review queue over HTTP: hands out numbers to look at, takes the answers, and serves the page for both.

An answer is confirmed once it is on the disk. The queue is used in one thread, so that no other request waits for it.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from fastapi import FastAPI, Request, Response  # extra serve
from pydantic import ValidationError  # extra serve
from starlette.responses import RedirectResponse  # extra serve

from digitscope.errors import ConfigError, DigitscopeError, first_line
from digitscope.review.agreement import progress_of, throughput_of
from digitscope.review.items import Action
from digitscope.review.store import Queued, ReviewStore
from digitscope.service import openapi
from digitscope.service.bodies import Bodies
from digitscope.service.page_files import ready_files
from digitscope.service.problems import Kind, Problem
from digitscope.service.review_records import Act, Ask, ItemRecord, ProgressRecord, ReviewAnswer, UndoneRecord
from digitscope.web.review.files import review_files

AHEAD = 3
"""Items that a person holds: the one on the screen, and those that are loaded before they are needed."""

RECENT = 200
"""Rows of the journal by which the page shows how fast it goes."""

LARGEST_BODY = 4096
"""Bytes of the largest request."""

JSON = "application/json"

Asked = TypeVar("Asked", bound=Ask)
Found = TypeVar("Found")


class Review:
    """A queue that is open while the service runs."""

    def __init__(self, path: str | Path) -> None:
        """Make sure that there is a queue; errors as of ``ReviewStore``."""
        ReviewStore(path).close()
        self._path = path
        self._store: ReviewStore | None = None
        self._thread = ThreadPoolExecutor(1, "review")

    async def answer(self, asked: Ask) -> ReviewAnswer:
        """Do what somebody asks for, and hand out items until they hold ``AHEAD``."""
        return await self._in_thread(lambda store: _answer(store, asked))

    async def progress(self) -> ProgressRecord:
        """How far the queue is."""
        return await self._in_thread(_progress)

    def close(self) -> None:
        """Close the file once what was asked is done."""
        if self._store is not None:
            self._thread.submit(self._store.close)
        self._thread.shutdown()

    async def _in_thread(self, work: Callable[[ReviewStore], Found]) -> Found:
        """Work with the queue.

        Raises:
            Problem: an answer is no number, an item is not there, or the file cannot be written.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._open()))
        except ConfigError as error:
            raise Problem(Kind.UNUSABLE, str(error)) from error
        except DigitscopeError as error:
            raise Problem(Kind.BUSY, str(error)) from error

    def _open(self) -> ReviewStore:
        if self._store is None:
            self._store = ReviewStore(self._path)
        return self._store


def _answer(store: ReviewStore, asked: Ask) -> ReviewAnswer:
    undone = None
    if isinstance(asked, Act):
        if asked.action is Action.UNDO:
            found = store.undo(asked.id, asked.person)
            undone = None if found is None else UndoneRecord(item=_item(found.queued), text=found.text)
        else:
            store.record(asked.id, asked.person, asked.action, asked.item, asked.text, asked.seen)
    held = asked.held if undone is None else [*asked.held, undone.item.number]
    return ReviewAnswer(
        items=[_item(queued) for queued in store.next(asked.person, AHEAD, held)],
        undone=undone,
        progress=_progress(store),
    )


def _item(queued: Queued) -> ItemRecord:
    item = queued.item
    return ItemRecord(
        number=queued.number,
        file=item.file,
        page=item.page,
        kind=item.kind,
        guess=item.guess,
        confidence=item.confidence,
        reason=item.reason,
        crop=base64.b64encode(item.crop).decode(),
        frame=[item.frame.x, item.frame.y, item.frame.width, item.frame.height],
        seen=queued.seen,
        said=list(queued.said),
    )


def _progress(store: ReviewStore) -> ProgressRecord:
    progress, speed = progress_of(store), throughput_of(store, RECENT)
    return ProgressRecord(
        **asdict(progress), agreement=progress.agreement, per_minute=speed.per_minute, seconds=speed.seconds
    )


def add_review(app: FastAPI, review: Review, bodies: Bodies) -> None:
    """Add the routes of the queue and the files of its page to an application."""
    files = ready_files(review_files())

    @app.post("/v1/review/next", **openapi.NEXT)
    async def next_items(request: Request) -> Response:
        """Numbers to look at, which are given to nobody else for two minutes."""
        return _json(await review.answer(await _body(request, bodies, Ask)))

    @app.post("/v1/review/answers", **openapi.ANSWERS)
    async def answers(request: Request) -> Response:
        """Take an answer, and confirm it once it is on the disk; the same `id` is taken once."""
        return _json(await review.answer(await _body(request, bodies, Act)))

    @app.get("/v1/review/progress", **openapi.PROGRESS)
    async def progress() -> Response:
        """How far the queue is, how often guesses are right, and how fast it goes."""
        return Response((await review.progress()).model_dump_json(), media_type=JSON)

    @app.get("/review", include_in_schema=False)
    async def without_slash() -> Response:
        return RedirectResponse("/review/", 308)

    @app.api_route("/review/{name:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def file(request: Request, name: str) -> Response:
        found = files.get(name or "index.html")
        if found is None:
            raise Problem(Kind.NOT_FOUND, f"the review page has no {name[:80]!r}; it is at /review/")
        return found.response(request)


async def _body(request: Request, bodies: Bodies, kind: type[Asked]) -> Asked:
    """The body of a request.

    Raises:
        Problem: it is too large, is not JSON, or has other fields.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != JSON:
        raise Problem(Kind.UNSUPPORTED_TYPE, f"the body is {given or 'of no type'}; send {JSON}")
    async with bodies.whole(request, LARGEST_BODY) as body:
        try:
            return kind.model_validate_json(bytes(body))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the body"
            said = first_line(ValueError(first["msg"]))
            raise Problem(Kind.UNUSABLE, f"{place} cannot be used ({said}); docs/review.md says more") from error


def _json(answer: ReviewAnswer) -> Response:
    return Response(answer.model_dump_json(), media_type=JSON)
