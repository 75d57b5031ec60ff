"""The networks that ``/v1/predict`` offers: the one that is served, and those that come with the package."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from digitscope.models.model import Model, load, shipped
from digitscope.service.batching import Batcher
from digitscope.service.problems import Kind, Problem


class Classifiers:
    """Networks by name; one that comes with the package is opened when it is first asked for."""

    def __init__(self, served: Model, seconds: float, computed: Callable[[int], None]) -> None:
        """Offer networks.

        Args:
            served: the network that answers if a request names none.
            seconds: for which a request may wait.
            computed: called with the number of images of each batch.
        """
        self.served = served.short_name
        self._seconds, self._computed = seconds, computed
        self._thread = ThreadPoolExecutor(1, "classifier")  # ONNX Runtime spreads each batch over the processors
        self._opening = asyncio.Lock()
        self._models = {self.served: served}
        self._open = {self.served: self._batcher(served)}

    @property
    def names(self) -> list[str]:
        """The names that a request may give, the served network first."""
        return [self.served, *(name for name in shipped() if name != self.served)]

    async def named(self, name: str | None) -> Batcher:
        """The network of a name, or the served one for None.

        Raises:
            Problem: there is none of this name.
        """
        found = self._open.get(name or self.served)
        if found is not None:
            return found
        if name not in self.names:
            raise Problem(Kind.UNUSABLE, f"there is no model {name!r}; give one of {', '.join(self.names)}")
        async with self._opening:
            if name not in self._open:
                self._models[name] = await asyncio.to_thread(load, name)
                self._open[name] = self._batcher(self._models[name])
        return self._open[name]

    async def described(self) -> list[dict[str, Any]]:
        """What is known about each network, as plain JSON values."""
        for name in self.names:
            await self.named(name)
        return [_described(self._models[name], name == self.served) for name in self.names]

    def close(self) -> None:
        """End the thread that computes."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _batcher(self, model: Model) -> Batcher:
        return Batcher(model, self._thread, self._seconds, self._computed)


def _described(model: Model, default: bool) -> dict[str, Any]:
    """What ``GET /v1/models`` says about a network; a network without a card has null where it would say more."""
    config = model.card.get("config", {})
    recipe, metrics = model.card.get("recipe") or config.get("recipe") or {}, model.card.get("metrics", {})
    return {
        "name": model.short_name,
        "default": default,
        "summary": model.card.get("summary"),
        "recipe": recipe.get("name"),
        "test_accuracy": metrics.get("test_accuracy"),
        "bytes": len(model.session.content),
    }
