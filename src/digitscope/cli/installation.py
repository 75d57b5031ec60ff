"""What ``digitscope info`` shows of this installation: versions, machine, Keras backends and models."""

from __future__ import annotations

import os
from importlib.util import find_spec

from digitscope.environment import machine, processor_features, versions


def installation() -> dict[str, list[tuple[str, str]]]:
    """The rows of each section, as pairs of a name and a value. It imports none of the optional packages."""
    from digitscope.models.model import load, shipped

    backends = [name for name in ("tensorflow", "jax", "torch") if find_spec(name) is not None]
    used = os.environ.get("KERAS_BACKEND", "tensorflow") if find_spec("keras") else "none: Keras is not installed"
    return {
        "versions": list(versions().items()),
        "machine": [("system", machine()), ("features", ", ".join(processor_features()) or "unknown")],
        "Keras": [("backend", used), ("installed", ", ".join(backends) or "none")],
        "models": [(name, str(load(name).card.get("summary", "no card"))) for name in shipped()],
    }
