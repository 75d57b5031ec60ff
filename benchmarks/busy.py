"""Whether other programs keep the processors busy while something is timed, so that the time can say so."""

from __future__ import annotations

import os
import time
from pathlib import Path

COUNTS = Path("/proc/stat")

LITTLE = 0.1
"""Other programs may use a tenth of one processor before a time counts as taken beside other work."""


class Others:
    """What other programs use of the processors from now on; this one's children are its own."""

    def __init__(self) -> None:
        """Start counting."""
        self._start, self._seconds = time.perf_counter(), _others_seconds()

    @property
    def busy(self) -> bool | None:
        """Whether they have used more than ``LITTLE`` of a processor since the start; None where nothing counts it."""
        if not COUNTS.exists():
            return None
        return _others_seconds() - self._seconds > LITTLE * (time.perf_counter() - self._start)


def _others_seconds() -> float:
    """Processor seconds of all programs but this one since the machine started, as Linux counts them; 0 elsewhere."""
    if not COUNTS.exists():
        return 0.0
    user, nice, system, _, _, interrupts, more = map(int, COUNTS.read_text().split()[1:8])
    return (user + nice + system + interrupts + more) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])
