"""Keras, imported quietly and in the way that is fast on this machine. Whatever needs Keras takes it from here.

TensorFlow reads the variables that are set here once, when it is imported; so nothing else in the package may import
Keras or TensorFlow first.
"""

from __future__ import annotations

import os
import platform

from digitscope.errors import ConfigError
from digitscope.quiet import quiet

BACKENDS = ("tensorflow", "torch", "jax")
"""Keras' backends that Digitscope trains on, the default first."""

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
"""The variable that switches TensorFlow's oneDNN kernels on (1) or off (0)."""


def uses_onednn() -> bool:
    """Whether oneDNN's kernels are switched on under TensorFlow; False on the other backends."""
    return keras.backend.backend() == "tensorflow" and os.environ.get(ONEDNN, "").lower() in ("1", "true")


def _prepare() -> None:
    """Set what TensorFlow reads when it is imported; what the user has set stays.

    On x86 TensorFlow uses oneDNN by itself only where the processor has VNNI, bfloat16 or AMX; it is about twice as
    fast without them too (``docs/experiments.md``).

    Raises:
        ConfigError: ``KERAS_BACKEND`` names a backend that Digitscope does not train on.
    """
    backend = os.environ.get("KERAS_BACKEND", BACKENDS[0])
    if backend not in BACKENDS:
        raise ConfigError(
            f"KERAS_BACKEND={backend} is not a backend to train on; set it to one of {', '.join(BACKENDS)}"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if platform.machine().lower() in ("x86_64", "amd64"):
        os.environ.setdefault(ONEDNN, "1")


_prepare()
with quiet():  # TensorFlow's C++ part writes start-up lines to the terminal whatever its settings
    import keras

__all__ = ["BACKENDS", "keras", "uses_onednn"]
