"""Holding back what packages write to the terminal on their own account. It changes nothing that they do."""

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
"""Keras' backends that Digitscope trains on, the one that is taken unasked first."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back messages, log lines and warnings until the block ends, those of C++ parts included.

    Keras prints what it exports, and TensorFlow's C++ parts write to the process's own standard error, which no
    setting of Python reaches; so that is turned away as well, for all threads, as long as the block runs. Errors
    pass, because they are exceptions.

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
    """Import Keras without the start-up lines that TensorFlow's C++ part writes to the terminal whatever one sets.

    Raises:
        ConfigError: ``KERAS_BACKEND`` names none that Digitscope trains on.
    """
    backend = os.environ.get("KERAS_BACKEND", BACKENDS[0])
    if backend not in BACKENDS:
        raise ConfigError(f"KERAS_BACKEND={backend} is no backend to train on; set it to {', '.join(BACKENDS)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet():
        import keras  # noqa: F401


@contextlib.contextmanager
def no_retracing_warnings() -> Iterator[None]:
    """Hold back what TensorFlow says of many networks in a row, which it takes for a mistake in one's training.

    All its other warnings pass.
    """
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_is_not_of_retracing)
    try:
        yield
    finally:
        logger.removeFilter(_is_not_of_retracing)


def _is_not_of_retracing(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()


@contextlib.contextmanager
def _no_standard_error() -> Iterator[None]:
    """Point file descriptor 2 at nothing, and back."""
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
