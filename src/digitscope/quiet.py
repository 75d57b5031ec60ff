"""Silencing other packages: their unasked messages, log lines and warnings. What they do stays the same."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator

from digitscope.errors import ConfigError

BACKENDS = ("tensorflow", "torch", "jax")
"""The Keras backends that Digitscope trains on; the first is the default."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence messages, log lines and warnings until the block ends, those of C++ code included.

    Keras prints what it exports, and TensorFlow's C++ code writes straight to the process's standard error, which
    Python's settings do not reach. So that stream is redirected too, for all threads, while the block runs. Errors
    still pass, because they are exceptions.

    >>> with quiet():
    ...     print("unasked")
    """
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _no_standard_error():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def import_keras() -> None:
    """Import Keras without TensorFlow's start-up messages, which no setting turns off.

    Raises:
        ConfigError: ``KERAS_BACKEND`` names a backend that Digitscope does not train on.
    """
    backend = os.environ.get("KERAS_BACKEND", BACKENDS[0])
    if backend not in BACKENDS:
        raise ConfigError(
            f"KERAS_BACKEND={backend} is not a backend to train on; set it to one of {', '.join(BACKENDS)}"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet():
        import keras  # noqa: F401 (extra train)


@contextlib.contextmanager
def no_retracing_warnings() -> Iterator[None]:
    """Silence TensorFlow's warning about retracing, which training several networks in a row sets off.

    Its other warnings pass.
    """
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_is_not_retracing)
    try:
        yield
    finally:
        logger.removeFilter(_is_not_retracing)


def _is_not_retracing(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()


@contextlib.contextmanager
def _no_standard_error() -> Iterator[None]:
    """Point the process's standard error at nothing, and back."""
    sys.stderr.flush()
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)
