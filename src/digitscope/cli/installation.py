"""What ``digitscope info`` shows of this installation: versions, machine, Keras backends and models."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec

from digitscope.environment import machine, processor_features, versions
from digitscope.errors import EXTRAS


def installation() -> dict[str, list[tuple[str, str]]]:
    """The rows of each section, as pairs of a name and a value. It imports none of the optional packages."""
    from digitscope.models.model import load, shipped
    from digitscope.reading.engine_rapidocr import installed_network

    backends = [name for name in ("tensorflow", "jax", "torch") if find_spec(name) is not None]
    used = os.environ.get("KERAS_BACKEND", "tensorflow") if find_spec("keras") else "none: Keras is not installed"
    extras = [(extra, _installed(modules)) for extra, modules in sorted({**EXTRAS, "ocr": ("rapidocr",)}.items())]
    return {
        "versions": list(versions().items()),
        "machine": [("system", machine()), ("features", ", ".join(processor_features()) or "unknown")],
        "Keras": [("backend", used), ("installed", ", ".join(backends) or "none")],
        "reading": [("engine auto", "own" if installed_network() is None else "ocr")],
        "extras": extras,
        "models": [(name, str(load(name).card.get("summary", "no card"))) for name in shipped()],
    }


def _installed(modules: Sequence[str]) -> str:
    """Whether an extra is installed, by the modules that it brings."""
    missing = [module for module in modules if find_spec(module) is None]
    return "installed" if not missing else "not installed" if len(missing) == len(modules) else f"lacks {missing[0]}"
