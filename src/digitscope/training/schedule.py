"""The learning rate of every step of a fit, as a recipe's schedule plans it; without Keras, so reports can draw it.

Source of one-cycle: after Smith and Topin, "Super-Convergence", 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from digitscope.arraytypes import Doubles
from digitscope.training.recipes import Recipe

LAST = 0.01
"""Share of the highest learning rate that is left at the last step."""


def learning_rates(recipe: Recipe, steps: int) -> Doubles:
    """The learning rate at every step of a fit, float64 (steps,).

    Args:
        recipe: its ``schedule``, ``learning_rate`` and ``warmup`` count.
        steps: steps of the optimizer in the whole fit: batches per epoch times epochs.

    >>> from digitscope.training.recipes import recipe_of
    >>> [round(float(rate), 5) for rate in learning_rates(recipe_of("classic"), 8)]
    [0.005, 0.01, 0.00934, 0.00752, 0.00505, 0.00258, 0.00076, 0.0001]
    """
    if recipe.schedule == "constant":
        return np.full(steps, recipe.learning_rate)
    done = np.arange(1, steps + 1) / steps
    return np.asarray(one_cycle(done, recipe.learning_rate, recipe.warmup))


def one_cycle(done: Any, peak: float, warmup: float, maths: Any = np) -> Any:
    """The learning rate after a share of the steps: a linear rise to the peak, then a cosine down to ``LAST`` of it.

    Args:
        done: share 0..1 of the steps, a number, array or tensor; 1 at the last step.
        peak: the highest learning rate.
        warmup: share 0..1 of the steps before the peak.
        maths: what computes with ``done``: ``numpy``, or ``keras.ops`` for tensors.
    """
    rise = done / max(warmup, 1e-9)
    fall = maths.clip((done - warmup) / max(1 - warmup, 1e-9), 0.0, 1.0)
    return peak * maths.minimum(rise, LAST + (1 - LAST) * 0.5 * (1 + maths.cos(np.pi * fall)))
