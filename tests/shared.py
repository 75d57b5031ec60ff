"""What is made once for all tests, although several processes run them."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

FOLDER = "DIGITSCOPE_TESTS_SHARED"
"""Variable with the folder that all processes of a session share; ``conftest`` makes it and takes it away."""


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that ``make`` has filled: for the first that asks for it, while others wait. It is not to be changed."""
    folder = Path(os.environ[FOLDER]) / name
    made = folder.with_suffix(".made")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
