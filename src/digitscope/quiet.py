"""Holding back what packages write to the terminal on their own account. It changes nothing that they do."""

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
