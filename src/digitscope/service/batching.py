"""Micro-batches: images that wait for the same network at the same time are classified together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from digitscope.arraytypes import Floats
from digitscope.models.model import Model
from digitscope.models.session import BATCH
from digitscope.service.problems import Kind, Problem


class Batcher:
    """Answers for one network. While it computes, requests gather; then all of them are computed in one go.

    So nobody waits for a batch to fill: a lone request is computed at once, and batches grow with the load.
    """

    def __init__(self, model: Model, thread: Executor, seconds: float, computed: Callable[[int], None]) -> None:
        """Take a network.

        Args:
            model: the network.
            thread: where it computes.
            seconds: for which a request may wait; it is given up after that.
            computed: called with the number of images of each batch.
        """
        self.name, self._classify = model.short_name, model.session.probabilities
        self._thread, self._seconds, self._computed = thread, seconds, computed
        self._waiting: deque[_Request] = deque()
        self._work: asyncio.Task[None] | None = None

    async def predict(self, images: Floats) -> Floats:
        """Probabilities float32 (n, 10) of images float32 (n, 28, 28, 1) 0..1.

        Raises:
            ModelError: the network fails on these images.
            Problem: they waited too long.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Floats] = loop.create_future()
        self._waiting.append(_Request(images, answer, loop.time() + self._seconds))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._compute_all())
        return await answer

    async def _compute_all(self) -> None:
        """Compute what waits until nothing does."""
        loop = asyncio.get_running_loop()
        while batch := self._next_batch(loop.time()):
            images = np.concatenate([one.images for one in batch]) if len(batch) > 1 else batch[0].images
            self._computed(len(images))
            try:
                found = await loop.run_in_executor(self._thread, self._classify, images)
            except Exception as error:  # whatever it is belongs to those who wait
                for one in batch:
                    one.fail(error)
                continue
            start = 0
            for one in batch:
                one.succeed(found[start : start + len(one.images)])
                start += len(one.images)

    def _next_batch(self, now: float) -> list[_Request]:
        """The first requests that wait, as many as fit into one call of the network, at least one if there is one."""
        batch: list[_Request] = []
        images = 0
        while self._waiting and (not batch or images + len(self._waiting[0].images) <= BATCH):
            one = self._waiting.popleft()
            if one.until < now:
                one.fail(Problem(Kind.TOO_SLOW, f"no answer within {self._seconds:g} seconds; send fewer images"))
                continue
            batch.append(one)
            images += len(one.images)
        return batch


class _Request(NamedTuple):
    """Images that wait, the answer that is awaited, and until when."""

    images: Floats
    answer: asyncio.Future[Floats]
    until: float

    def succeed(self, found: Floats) -> None:
        """Hand the answer over; its client may have gone."""
        if not self.answer.done():
            self.answer.set_result(found)

    def fail(self, error: Exception) -> None:
        """Hand an error over."""
        if not self.answer.done():
            self.answer.set_exception(error)
