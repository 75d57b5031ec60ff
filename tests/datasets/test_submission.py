from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitscope.datasets.submission import check_submission_path, write_submission
from digitscope.errors import ConfigError, DataError


def test_a_submission_is_as_kaggle_wants_it(tmp_path: Path):
    write_submission(tmp_path / "s.csv", np.array([7, 0, 9]))
    assert (tmp_path / "s.csv").read_bytes() == b"ImageId,Label\n1,7\n2,0\n3,9\n"
    for wrong in ([10], [-1], [0.5], [[1]], ["1"], [True]):
        with pytest.raises(DataError, match="answers are"):
            write_submission(tmp_path / "s.csv", wrong)
    assert (tmp_path / "s.csv").read_bytes().startswith(b"ImageId")


def test_a_submission_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    for place in (tmp_path, tmp_path / "file" / "s.csv"):
        for attempt in (check_submission_path, lambda path: write_submission(path, [1])):
            with pytest.raises(ConfigError, match=r"cannot be written \(.+\); give another file$"):
                attempt(place)
    (tmp_path / "old.csv").write_text("old")
    check_submission_path(tmp_path / "old.csv")
    check_submission_path(tmp_path / "new" / "s.csv")
    assert (tmp_path / "old.csv").read_text() == "old" and not list((tmp_path / "new").iterdir())
