"""What the service counts about itself, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST as MEDIA_TYPE  # extra serve
from prometheus_client import (  # extra serve
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

__all__ = ["MEDIA_TYPE", "Metrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histogram of answer times: from a single image to the longest upload."""

IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Upper bounds of the histogram of batches."""


class Metrics:
    """Counters of one service; none is shared with other services of the same process."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "digitscope_requests", "Requests answered, by route and status.", ["route", "status"],
            registry=self._registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "digitscope_request_seconds", "Seconds from the head of a request to the end of its answer, by route.",
            ["route"], buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self._in_progress = Gauge("digitscope_requests_in_progress", "Requests now worked on.", registry=self._registry)
        self.batches = Histogram(
            "digitscope_batch_images", "Images that a network classified in one go.", buckets=IMAGES,
            registry=self._registry,
        )  # fmt: skip
        self.pages = Counter("digitscope_pages", "Pages, read or not.", ["outcome"], registry=self._registry)
        self.numbers = Counter("digitscope_numbers", "Numbers, by outcome.", ["outcome"], registry=self._registry)
        self.lost_workers = Counter(
            "digitscope_lost_workers", "Reading processes that were replaced.", registry=self._registry
        )
        ProcessCollector(registry=self._registry)

    def watch(self, in_progress: Callable[[], float]) -> None:
        """Ask for the number of requests in progress whenever the metrics are read."""
        self._in_progress.set_function(in_progress)

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count an answer; a client that went away before it began counts as 499."""
        self.requests.labels(route, str(status or 499)).inc()
        self.seconds.labels(route).observe(seconds)

    def count_pages(self, outcome: Mapping[str, int]) -> None:
        """Count what a worker read; see ``reading_process``."""
        self.pages.labels("read").inc(outcome["pages"] - outcome["errors"])
        self.pages.labels("error").inc(outcome["errors"])
        for name in ("accepted", "refused"):
            self.numbers.labels(name).inc(outcome[name])

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
