"""What a worker of the service makes of uploads, asked in this process; and a worker that cannot be started."""

from __future__ import annotations

import asyncio
import io
import json
import multiprocessing
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitscope.io.page import Page
from digitscope.service.problems import Kind, Problem
from digitscope.service.reading_process import Question, TooLarge, _body, _pages
from digitscope.service.workers import Worker


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


def test_a_picture_that_claims_more_pixels_than_pillow_opens_is_too_large_as_well():
    file = io.BytesIO()
    Image.new("1", (20, 20)).save(file, "BMP")
    claimed = (100_000).to_bytes(4, "little") * 2
    content = file.getvalue()[:18] + claimed + file.getvalue()[26:]
    with pytest.raises(TooLarge, match=r"^a\.png has far more than 100,000,000 pixels"):
        list(_pages(FewReads(), question(100), "a.png", content))  # type: ignore[arg-type]
    with pytest.raises(TooLarge, match=r"^a\.png is 20x20 px; the service takes at most 100"):
        list(_pages(FewReads(), question(100), "a.png", file.getvalue()))  # type: ignore[arg-type]


def test_a_name_that_is_not_unicode_is_answered_as_json():
    page = Page("\udc80\ud800.png", 1, 0, 0, 0, (), 0.0, error="a fault")
    (record,) = json.loads(_body([page]).decode())["pages"]
    assert record["file"] == page.file and record["error"] == "a fault"


def test_a_process_that_cannot_be_started_may_be_started_later(monkeypatch: pytest.MonkeyPatch):
    worker = Worker("own")

    def refuse(_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(multiprocessing.process.BaseProcess, "start", refuse)
        for _ in range(2):
            with pytest.raises(Problem, match="no process that reads uploads can be started") as refused:
                asyncio.run(worker.ask(question(100), []))
            assert refused.value.kind is Kind.WORKER_LOST
            worker.stop()
    outcome, _ = asyncio.run(worker.ask(Question([], False, {}, 100, 50), []))
    worker.stop()
    assert outcome["pages"] == 0
