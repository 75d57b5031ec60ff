"""Silencing other packages: their unasked messages, log lines and warnings. What they do stays the same."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator


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
