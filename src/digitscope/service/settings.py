"""The settings of the service, each from an environment variable ``DIGITSCOPE_SERVE_`` and its name in capitals."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator  # extra serve
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict  # extra serve

from digitscope.errors import ConfigError, first_line

PREFIX = "DIGITSCOPE_SERVE_"
"""What the name of each environment variable begins with."""

SHORTEST_TOKEN = 16
"""Characters of the shortest token that is accepted; a shorter one can be guessed."""


def _processors() -> int:
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """What the service allows; the defaults suit one machine and one team."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    token: SecretStr | None = Field(
        default=None,
        description="What `/v1` and `/metrics` ask for, as `Authorization: Bearer TOKEN`; nothing by default.",
    )
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Further host names by which the service may be asked, separated by commas."
    )
    page: bool = Field(default=True, description="Whether the page to draw digits in is served as well.")
    engine: str = Field(default="auto", description="What reads lines: `auto`, `own`, `ocr`, or an `.onnx` file.")
    upload_bytes: int = Field(default=32 * 1024**2, ge=1, description="Bytes of the largest upload; 413 above.")
    held_bytes: int = Field(
        default=256 * 1024**2, ge=1, description="Bytes of all uploads together that are held in memory; 503 above."
    )
    files: int = Field(default=20, ge=1, description="Most files of one upload; 413 above.")
    pixels: int = Field(default=50_000_000, ge=1, description="Pixels of the largest picture; 413 above.")
    pages: int = Field(default=50, ge=1, description="Most pages of one file; 413 above.")
    batch: int = Field(default=256, ge=1, description="Most images of one request to `/v1/predict`; 413 above.")
    workers: int = Field(
        default_factory=_processors, ge=1, description="Processes that read uploads; one for each processor by default."
    )
    waiting: int = Field(default=16, ge=0, description="Uploads that may wait for a worker; 503 above.")
    requests: int = Field(default=512, ge=1, description="Requests that may be in progress at once; 503 above.")
    client_requests: int = Field(default=128, ge=1, description="Requests of one address at once; 429 above.")
    connections: int = Field(default=1024, ge=1, description="Connections that may be open at once; 503 above.")
    seconds: float = Field(
        default=30.0, gt=0, description="Seconds until an answer must be there, waiting included; 503 above."
    )
    upload_seconds: float = Field(default=30.0, gt=0, description="Seconds until an upload must be there; 408 above.")
    idle_seconds: float = Field(
        default=5.0,
        gt=0,
        description="Seconds after which a connection is closed that asks nothing or half, or takes no answer.",
    )
    drain_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Seconds that requests in progress may still take after SIGTERM.",
    )

    @field_validator("hosts", mode="before")
    @classmethod
    def _parted(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @field_validator("token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"has fewer than {SHORTEST_TOKEN} characters")
        return value

    @property
    def predict_bytes(self) -> int:
        """Bytes of the largest body of ``/v1/predict``: ``batch`` images of floats, with all their digits, as JSON."""
        return min(self.upload_bytes, self.batch * 28 * 28 * 25 + 1024)


def from_environment() -> Settings:
    """The settings that the environment gives.

    Raises:
        ConfigError: a variable does not hold what it should.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = PREFIX + "_".join(map(str, first["loc"])).upper()
        raise ConfigError(
            f"{name} cannot be used: {first_line(ValueError(first['msg']))}; see docs/service.md"
        ) from error
