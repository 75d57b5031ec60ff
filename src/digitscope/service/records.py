"""The forms of what the service answers, for OpenAPI and as JSON Schema; the values themselves come from ``io.page``.

A test compares both.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field  # extra serve

from digitscope.io.page import SCHEMA

_Probability = Field(ge=0, le=1)


class Record(BaseModel):
    """A JSON object with these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class BoxRecord(Record):
    """A rectangle in pixels of the source image, turned upright."""

    x: int = Field(description="Pixels from the left side of the page to the box.")
    y: int = Field(description="Pixels from the top of the page to the box.")
    width: int
    height: int


class DigitRecord(Record):
    """One character that was read."""

    text: str
    box: BoxRecord
    probabilities: list[float] = Field(
        min_length=10, max_length=10, description="The calibrated probability of each digit 0..9."
    )


class NumberRecord(Record):
    """A run of digits on one line, or the refusal to read it."""

    text: str | None = Field(description="The digits if they were accepted, null if they were refused.")
    best_guess: str = Field(description="The most probable digits, accepted or not; empty if nothing is written.")
    written: str = Field(description="The most probable digits with the separators and wide gaps between them.")
    confidence: float = Field(ge=0, le=1, description="Calibrated probability that best_guess is right.")
    digit_probability: float = Field(ge=0, le=1, description="Probability that these are digits at all.")
    box: BoxRecord | None = Field(description="Where it is; null if nothing is written.")
    refused: bool
    reason: str | None = Field(description="Why it was refused; null if it was accepted.")
    line: int = Field(ge=0, description="Number of its line on the page, from 0.")
    digits: list[DigitRecord] = Field(description="Its digits from left to right.")


class PageRecord(Record):
    """One page of one file: what `digitscope read` prints as one line of JSON."""

    schema_: int = Field(alias="schema", description="Version of this record.", json_schema_extra={"const": SCHEMA})
    file: str = Field(description="Name of the file.")
    page: int = Field(ge=1, description="Number of the page in the file.")
    width: int = Field(ge=0, description="Pixels of the page, after EXIF orientation.")
    height: int = Field(ge=0, description="Pixels of the page, after EXIF orientation.")
    rotation: Literal[0, 90, 180, 270] = Field(
        description="Degrees by which the page was turned counter-clockwise to read it."
    )
    text: str = Field(description="The accepted numbers, one text line for each line of writing.")
    confidence: float = Field(ge=0, le=1, description="The lowest confidence of its numbers; 0 if there are none.")
    numbers: list[NumberRecord]
    milliseconds: float = Field(ge=0, description="How long reading took.")
    error: str | None = Field(description="Why the page could not be read; null if it could.")
    engine: str | None = Field(description="What read its lines; null for single digits and for errors.")


class ReadAnswer(Record):
    """The pages of all files, in order."""

    pages: list[PageRecord]


class Prediction(Record):
    """The answer for one image."""

    digit: int = Field(ge=0, le=9, description="The most probable digit.")
    probabilities: list[float] = Field(min_length=10, max_length=10, description="The probability of each digit 0..9.")


class PredictAnswer(Record):
    """The answers for all images, in order."""

    model: str
    predictions: list[Prediction]


class ModelRecord(Record):
    """A network that `/v1/predict` offers."""

    name: str
    default: bool = Field(description="Whether it answers if a request names none.")
    summary: str | None
    recipe: str | None
    test_accuracy: float | None
    bytes: int = Field(description="Size of its file.")


class ModelsAnswer(Record):
    """All networks, the default one first."""

    models: list[ModelRecord]


class Health(Record):
    """Whether the service is there."""

    status: Literal["ok", "preparing"] = Field(description="preparing, while the page's model is made.")
    model: str


class ProblemRecord(BaseModel):
    """A problem as RFC 9457 describes it."""

    type: str = Field(examples=["urn:digitscope:problem:too-large"])
    title: str
    status: int
    detail: str = Field(description="What came, what was expected, how to fix it.")


def page_schema() -> dict[str, Any]:
    """The JSON Schema of a page's record."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:digitscope:page:{SCHEMA}",
        **PageRecord.model_json_schema(mode="serialization"),
    }
