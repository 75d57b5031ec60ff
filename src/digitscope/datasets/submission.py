"""Writes a submission to Kaggle's Digit Recognizer: a CSV file with the columns ``ImageId`` and ``Label``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitscope.errors import DataError
from digitscope.files import check_folder, write_text, writing

_CURE = "give another file"


def write_submission(path: str | Path, answers: npt.ArrayLike) -> None:
    """Write answers as ``ImageId,Label``, the images counted from 1.

    Args:
        path: the CSV file; written whole or not at all.
        answers: integers (n,) 0..9, in the order of the table's rows.

    Raises:
        DataError: the answers are something else.
        ConfigError: the file cannot be written.
    """
    digits = np.asarray(answers)
    if digits.ndim != 1 or not np.issubdtype(digits.dtype, np.integer) or not np.isin(digits, range(10)).all():
        raise DataError(f"answers are {digits.dtype} {digits.shape}; a submission needs one digit 0 to 9 per image")
    rows = (f"{number},{digit}\n" for number, digit in enumerate(digits.tolist(), start=1))
    with writing(path, _CURE):
        write_text(path, "ImageId,Label\n" + "".join(rows))


def check_submission_path(path: str | Path) -> None:
    """Make sure that a submission can be written, before the answers are computed; its folder is created.

    Raises:
        ConfigError: it cannot be written.
    """
    with writing(path, _CURE):
        if Path(path).is_dir():
            raise IsADirectoryError(None, "it is a folder")
        check_folder(Path(path).parent)
