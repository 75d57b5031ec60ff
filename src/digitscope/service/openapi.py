"""What the OpenAPI description says about each route: bodies, parameters, examples, problems."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query  # extra serve

from digitscope.service.problems import MEDIA_TYPE, Kind
from digitscope.service.records import Health, ModelsAnswer, PredictAnswer, ProblemRecord, ReadAnswer, Record
from digitscope.service.review_records import Act, Ask, ProgressRecord, ReviewAnswer

DESCRIPTION = (
    "Reads handwritten digits and numbers and says how sure it is, or refuses. Every error is an "
    "`application/problem+json` whose `type` stays the same and whose `detail` says what to do."
)

LONGEST_NUMBER = 100
"""Digits of the longest number whose form may be given; a line that long does not exist."""

Length = Annotated[
    int | None, Query(ge=1, le=LONGEST_NUMBER, description="Number of digits of every number, if known.", examples=[5])
]
Pattern = Annotated[
    str | None,
    Query(
        max_length=LONGEST_NUMBER, description="Form of every number, # for a digit, anything else for itself.",
        examples=["#####-####"],
    ),
]  # fmt: skip
MaxValue = Annotated[
    int | None, Query(ge=0, le=10**18, description="The largest value that a number may have.", examples=[31])
]
Rotate = Annotated[
    int | None, Query(description="Degrees 0, 90, 180 or 270 to turn the pages counter-clockwise first.", examples=[0])
]


def _problems(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are problems, by status."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        example = {"type": kind.type, "title": kind.title, "status": kind.status, "detail": f"{kind.title}."}
        entry = found.setdefault(
            kind.status,
            {"description": kind.title, "model": ProblemRecord, "content": {MEDIA_TYPE: {"examples": {}}}},
        )
        entry["content"][MEDIA_TYPE]["examples"][kind.name.lower()] = {"value": example}
    return found


PROBLEMS = _problems(
    Kind.INVALID_REQUEST, Kind.FOREIGN_ORIGIN, Kind.WRONG_HOST, Kind.TOO_MANY_REQUESTS, Kind.HEADERS_TOO_LARGE,
    Kind.BUSY, Kind.STOPPING,
)  # fmt: skip
"""What every route may answer."""

_TOKEN = _problems(Kind.UNAUTHORIZED)
_BODY = _TOKEN | _problems(
    Kind.UPLOAD_TOO_SLOW, Kind.TOO_LARGE, Kind.UNSUPPORTED_TYPE, Kind.UNUSABLE, Kind.BUSY, Kind.TOO_SLOW,
    Kind.WORKER_LOST,
)  # fmt: skip

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_NAME = {
    "name": "name",
    "in": "query",
    "description": "What to call the file, if the body is one file.",
    "schema": {"type": "string"},
    "example": "form.pdf",
}
_FILES = {
    "required": True,
    "content": {
        "image/*": _BYTES,
        "application/pdf": _BYTES,
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                "required": ["file"],
            }
        },
    },
}
_IMAGE = {"type": "array", "items": {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 255}}}
_SEVEN = [[255 * ((row == 6 and 8 <= x <= 22) or (6 < row < 22 and x == 25 - row // 2)) for x in range(28)]
          for row in range(28)]  # fmt: skip
"""Something like a 7, as the example of an image."""

_IMAGES = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "images": {
                        "anyOf": [_IMAGE, {"type": "array", "items": _IMAGE}],
                        "description": "28x28, or n of them; pen bright: shares 0..1, or whole numbers 0..255.",
                    }
                },
                "required": ["images"],
            },
            "example": {"images": _SEVEN},
        },
        "application/x-npy": _BYTES,
    },
}

READ: dict[str, Any] = {
    "response_model": None,
    "responses": {200: {"model": ReadAnswer}} | _BODY,
    "openapi_extra": {"requestBody": _FILES, "parameters": [_NAME]},
}
DIGIT = READ
PREDICT: dict[str, Any] = {
    "response_model": None,
    "responses": {200: {"model": PredictAnswer}} | _BODY,
    "openapi_extra": {
        "requestBody": _IMAGES,
        "parameters": [
            {
                "name": "model",
                "in": "query",
                "description": "One of `GET /v1/models`; by default the one that is served.",
                "schema": {"type": "string"},
                "example": "robust",
            }
        ],
    },
}
MODELS: dict[str, Any] = {"response_model": None, "responses": {200: {"model": ModelsAnswer}} | _TOKEN}
SCHEMA: dict[str, Any] = {"response_model": None, "responses": _TOKEN}
HEALTH: dict[str, Any] = {"response_model": None, "responses": {200: {"model": Health}}}
METRICS: dict[str, Any] = {
    "response_model": None,
    "responses": {200: {"description": "Counters.", "content": {"text/plain": {}}}} | _TOKEN,
}


def _review(asked: type[Record], example: dict[str, Any]) -> dict[str, Any]:
    """A route of the review queue."""
    problems = _problems(Kind.UPLOAD_TOO_SLOW, Kind.TOO_LARGE, Kind.UNSUPPORTED_TYPE, Kind.UNUSABLE, Kind.BUSY)
    content = {"application/json": {"schema": asked.model_json_schema(), "example": example}}
    return {
        "response_model": None,
        "responses": {200: {"model": ReviewAnswer}} | _TOKEN | problems,
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
    }


NEXT = _review(Ask, {"person": "person-1"})
ANSWERS = _review(Act, {"id": "answer-1", "person": "person-1", "action": "text", "item": 1, "text": "7"})
PROGRESS: dict[str, Any] = {"response_model": None, "responses": {200: {"model": ProgressRecord}} | _TOKEN}
