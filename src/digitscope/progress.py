"""The callback by which long-running work reports its progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """A callback for progress. It is called often, so it must be quick; only the command line's prints anything."""

    def __call__(self, stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        """Take one report.

        Args:
            stage: what is being done, e.g. ``"fit"``, ``"figures"``, ``"report"``.
            done: units finished (images while training, files while reading).
            total: units in all.
            facts: what is known now, e.g. ``{"epoch": 2, "loss": 0.05, "accuracy": 0.985}``.
        """
