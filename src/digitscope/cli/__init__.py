"""The ``digitscope`` command: each command calls a library function and prints what it returns.

Every command imports what it needs when it runs, so that ``--help`` and ``read`` start without Keras. Start with
``terminal``, which holds what the commands share.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from typing import Annotated

import typer

# Each of these registers its commands, in the order of the help.
# isort: off
from digitscope.cli import training  # noqa: F401
from digitscope.cli import lines  # noqa: F401
from digitscope.cli import reading  # noqa: F401
from digitscope.cli import review  # noqa: F401
from digitscope.cli import submission  # noqa: F401
from digitscope.cli import models  # noqa: F401
from digitscope.cli import looking  # noqa: F401
from digitscope.cli import service  # noqa: F401

# isort: on
from digitscope.cli.terminal import app, stop
from digitscope.errors import DigitscopeError, MissingExtra

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; an error in the input ends with one sentence on stderr and exit code 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files need not be Unicode
    atexit.register(gc.freeze)  # spares the search for cycles in all that was imported, a tenth of a short command
    try:
        app()
    except DigitscopeError as error:
        stop(str(error), 2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        _stop_if_not_printed(error)
        raise
    except ModuleNotFoundError as error:
        missing = MissingExtra.of(error)
        if missing is None:
            raise
        stop(str(missing), 2)


def _stop_if_not_printed(error: OSError) -> None:
    """End the command with a sentence if the standard output does not take what was printed."""
    try:
        typer.echo()  # what failed is forgotten: only another try tells
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would be printed at exit
        stop(f"the standard output cannot be written ({error.strerror}); make room, or send it elsewhere", 2)


def _print_version(asked: bool) -> None:
    if asked:
        from digitscope import __version__

        typer.echo(f"digitscope {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None: ...
