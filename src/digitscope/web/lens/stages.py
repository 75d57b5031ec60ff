"""The course of a training as the page replays it: the weights of each stage, packed, and the loss of every step."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from typing import Any

import numpy as np

from digitscope.arraytypes import AnyArray, Floats, base64_text

LEVELS = 63
"""Whole numbers on either side of zero to which the weights of a stage are rounded; the largest of a kernel or bias is
the last. On a run of ``classic`` no stage but the untrained, which guesses, answered more than 2 of 500 test digits
differently; 31 would save a quarter of the size and moved probabilities by up to 0.11."""

LONGEST = 4000
"""Most losses that a page holds: more than a curve has pixels. Of a longer fit, means over equal numbers of steps."""


def packed_course(
    stages: Sequence[tuple[str | int, AnyArray]], sizes: Sequence[int], losses: Floats | None
) -> dict[str, Any]:
    """A course as plain JSON values.

    Args:
        stages: in order, each the step after which it was kept, or a name, and all weights, floats (n,).
        sizes: numbers in each kernel and bias, in order; n in all.
        losses: float32 (s,) of every step, if they are known.

    Returns:
        ``stages``, steps or names; ``sizes``; ``scales``, what one level of each kernel and bias is worth; ``weights``,
        base64 of gzipped int8: the levels of the first stage, then the change from each stage to the next, modulo 256;
        ``losses``, base64 of float16, each the mean over ``every`` steps; ``steps`` of the whole fit, 0 if unknown.
    """
    weights = np.stack([np.asarray(row, np.float32) for _, row in stages])
    ends = np.cumsum(sizes)[:-1]
    scales = [max(float(np.abs(part).max(initial=0)), 1e-9) / LEVELS for part in np.split(weights, ends, axis=1)]
    levels = np.rint(weights / np.repeat(np.array(scales, np.float32), sizes)).astype(np.int8)
    changes = np.diff(levels, axis=0, prepend=np.zeros_like(levels[:1]))
    losses = np.empty(0, np.float32) if losses is None else losses
    every = max(1, -(-len(losses) // LONGEST))
    means = [part.mean() for part in np.split(losses, range(every, len(losses), every))] if len(losses) else []
    return {
        "stages": [stage for stage, _ in stages],
        "sizes": list(sizes),
        "scales": scales,
        "weights": packed(changes.tobytes()),
        "losses": base64_text(np.array(means, "<f2")),
        "every": every,
        "steps": len(losses),
    }


def packed(content: bytes) -> str:
    """Bytes as base64 of gzip, the same on every machine and day."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")
