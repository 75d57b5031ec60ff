"""How long work reports on itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """How long work reports: called often, must be quick, prints nothing itself unless it is the command line's."""

    def __call__(self, stage: str, done: int, total: int, facts: Mapping[str, float]) -> None:
        """Take one report.

        Args:
            stage: what is being done, e.g. ``"fit"``, ``"figures"``, ``"report"``.
            done: units finished (images while training, files while reading).
            total: units in all.
            facts: what is known now, e.g. ``{"epoch": 2, "loss": 0.05, "accuracy": 0.985}``.
        """
