"""The routes of the service: each takes a request, asks the library, and gives its answer as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response  # extra serve
from fastapi.exceptions import RequestValidationError  # extra serve
from fastapi.routing import APIRoute  # extra serve
from starlette.exceptions import HTTPException  # extra serve

import digitscope
from digitscope.errors import ConfigError
from digitscope.reading.constraint import Constraint
from digitscope.reading.page import check_rotation
from digitscope.service import openapi
from digitscope.service.bodies import Bodies
from digitscope.service.classifiers import Classifiers
from digitscope.service.images import images_of
from digitscope.service.metrics import MEDIA_TYPE, Metrics
from digitscope.service.page_files import Ready
from digitscope.service.problems import Kind, Problem, of_status
from digitscope.service.records import page_schema
from digitscope.service.review import Review, add_review
from digitscope.service.settings import Settings
from digitscope.service.workers import Workers

JSON = "application/json"


@dataclass(frozen=True, eq=False)
class Parts:
    """What the routes work with.

    Attributes:
        settings: the limits.
        metrics: the counters.
        classifiers: the networks for single images.
        workers: the processes that read uploads.
        page: ``model.json`` for the page, which is being made; None if the page is not served.
        files: the other files of the page by name.
        review: the review queue; None if none is served.
    """

    settings: Settings
    metrics: Metrics
    classifiers: Classifiers
    workers: Workers
    page: Future[Ready] | None
    files: Mapping[str, Ready]
    review: Review | None = None


class PlainRoute(APIRoute):
    """A route whose function takes the request itself; FastAPI describes it, but looks for no parameters."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function itself."""
        return self.endpoint


def create_app(parts: Parts) -> FastAPI:
    """The application, not yet behind its ``guard``."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:  # also after a second Ctrl-C, with which uvicorn leaves out the orderly end
            parts.workers.stop()
            parts.classifiers.close()
            if parts.review is not None:
                parts.review.close()

    app = FastAPI(
        title="Digitscope", version=digitscope.__version__, description=openapi.DESCRIPTION, lifespan=lifespan,
        docs_url=None, redoc_url=None, responses=openapi.PROBLEMS,
    )  # fmt: skip
    _tell_problems(app)
    bodies = Bodies(parts.settings)
    _add_predict(app, parts, bodies)
    _add_reading(app, parts, bodies)
    _add_knowledge(app, parts)
    if parts.review is not None:
        add_review(app, parts.review, bodies)
    if parts.page is not None:
        _add_page(app, parts.page, parts.files)
    return app


def _tell_problems(app: FastAPI) -> None:
    """Have every error answered as a problem."""

    @app.exception_handler(Problem)
    async def of_problem(_: Request, problem: Problem) -> Response:
        return problem.response()

    @app.exception_handler(HTTPException)
    async def of_framework(request: Request, error: HTTPException) -> Response:
        problem = of_status(error.status_code, f"{request.method} {request.url.path[:80]}: {error.detail}")
        problem.headers.update(error.headers or {})
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def of_parameter(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return Problem(Kind.UNUSABLE, f"{first['loc'][-1]} cannot be used: {first['msg']}").response()

    @app.exception_handler(Exception)
    async def of_fault(_: Request, error: Exception) -> Response:
        return Problem(Kind.INTERNAL, f"the service failed ({type(error).__name__}); please report this").response()


def _add_predict(app: FastAPI, parts: Parts, bodies: Bodies) -> None:
    settings, router = parts.settings, APIRouter(route_class=PlainRoute)

    @router.post("/v1/predict", **openapi.PREDICT)
    async def predict(request: Request) -> Response:
        """Classify 28x28 images, pen bright: one or a batch."""
        batcher = await parts.classifiers.named(request.query_params.get("model"))
        async with bodies.whole(request, settings.predict_bytes) as body:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            images = images_of(body, kind, settings.batch)
        probabilities = await batcher.predict(images)
        digits = probabilities.argmax(axis=1).tolist()
        answers = [
            {"digit": digit, "probabilities": row} for digit, row in zip(digits, probabilities.tolist(), strict=True)
        ]
        return Response(json.dumps({"model": batcher.name, "predictions": answers}), media_type=JSON)

    app.include_router(router)


def _add_reading(app: FastAPI, parts: Parts, bodies: Bodies) -> None:
    @app.post("/v1/read", **openapi.READ)
    async def read(
        request: Request,
        length: openapi.Length = None,
        pattern: openapi.Pattern = None,
        max_value: openapi.MaxValue = None,
        rotate: openapi.Rotate = None,
    ) -> Response:
        """Read the numbers in images, TIFFs and PDFs: the body is one file, or a form with several."""
        try:
            Constraint.of(length, pattern, max_value)
            check_rotation(rotate)
        except ConfigError as error:
            raise Problem(Kind.UNUSABLE, str(error)) from error
        options = {"length": length, "pattern": pattern, "max_value": max_value, "rotate": rotate}
        async with bodies.files(request) as uploads:
            return Response(await parts.workers.read(uploads, False, options), media_type=JSON)

    @app.post("/v1/digit", **openapi.DIGIT)
    async def digit(request: Request) -> Response:
        """Read pictures that hold one digit each."""
        async with bodies.files(request) as uploads:
            return Response(await parts.workers.read(uploads, True, {}), media_type=JSON)


def _add_knowledge(app: FastAPI, parts: Parts) -> None:
    served = parts.classifiers.served

    @app.get("/v1/models", **openapi.MODELS)
    async def models() -> dict[str, Any]:
        """The networks that `/v1/predict` offers."""
        return {"models": await parts.classifiers.described()}

    @app.get("/v1/schema", **openapi.SCHEMA)
    async def schema() -> dict[str, Any]:
        """The JSON Schema of a page's record."""
        return page_schema()

    @app.get("/healthz", **openapi.HEALTH)
    async def health() -> dict[str, str]:
        """Whether the service is there."""
        return {"status": "ok" if parts.page is None or parts.page.done() else "preparing", "model": served}

    @app.get("/metrics", **openapi.METRICS)
    async def metrics() -> Response:
        """Counters in Prometheus' text format."""
        return Response(parts.metrics.text(), media_type=MEDIA_TYPE)


def _add_page(app: FastAPI, prepared: Future[Ready], files: Mapping[str, Ready]) -> None:
    @app.api_route("/model.json", methods=["GET", "HEAD"], include_in_schema=False)
    async def model_json(request: Request) -> Response:
        try:
            return (await asyncio.wrap_future(prepared)).response(request)
        except Exception as error:  # whatever it is, ``serve`` raises it where the user sees it
            raise Problem(Kind.STOPPING, f"the model is not there ({error}); start the service again") from error

    @app.api_route("/{name}", methods=["GET", "HEAD"], include_in_schema=False)
    async def file(request: Request, name: str) -> Response:
        if name not in files:
            raise Problem(Kind.NOT_FOUND, f"there is no {name[:80]!r} here; docs/service.md lists what is")
        return files[name].response(request)

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def index(request: Request) -> Response:
        return files["index.html"].response(request)
