"""What a worker of the service makes of uploads, asked in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from digitscope.io.page import Page
from digitscope.service.reading_process import Question, _pages


class FewReads:
    """A reader that finds nothing on two pages."""

    def read_file(self, content: bytes, name: str, **options: Any) -> Iterator[Page]:
        for number in (1, 2):
            yield Page(name, number, 4, 3, 0, (), 0.0, pixels=np.zeros((3, 4), np.uint8))


def question(pixels: int) -> Question:
    return Question(["a.png"], False, {}, pixels, 50)


def test_pages_wait_for_their_answer_without_their_pixels():
    found = list(_pages(FewReads(), question(100), "a.png", b""))  # type: ignore[arg-type]
    assert [page.page for page in found] == [1, 2] and all(page.pixels is None for page in found)
