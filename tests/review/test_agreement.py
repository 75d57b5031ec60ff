"""What a queue says about the reader and the people."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitscope.review import store as module
from digitscope.review.agreement import Share, by_confidence, by_reason, progress_of, throughput_of
from digitscope.review.items import Action
from digitscope.review.store import ReviewStore
from review_items import digit, item


@pytest.fixture
def store(tmp_path: Path) -> ReviewStore:
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        store.add([
            item(0, confidence=0.4), item(1, confidence=0.5), item(2, "7.5", confidence=0.5), item(3, confidence=0.97),
            item(4, confidence=1.0, reason=None), digit(5, "", confidence=0.0, reason="blank", written="x"), item(6),
        ])  # fmt: skip
        yield store


def test_an_empty_queue_has_no_shares(tmp_path: Path):
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        progress, speed = progress_of(store), throughput_of(store)
        assert (progress.items, progress.agreement, speed.answers, speed.per_minute) == (0, None, 0, None)
        assert by_confidence(store) == by_reason(store) == []


def test_guesses_are_counted_by_confidence_and_by_reason(store: ReviewStore):
    answers = {1: "12", 2: "13", 3: "75", 4: None, 5: "12", 6: "3"}
    for number, text in answers.items():
        action = Action.UNREADABLE if text is None else Action.TEXT
        store.record(f"answer-{number}", "person-1", action, number, text)
    progress = progress_of(store)
    assert (progress.items, progress.open, progress.confirmed, progress.corrected, progress.unreadable) == (
        7,
        1,
        3,
        2,
        1,
    )
    assert progress.agreement == 0.6, "separators make no difference"
    assert by_confidence(store) == [
        Share("refused, 0 to 0.5", 1, 1, 0),
        Share("refused, 0.5 to 0.8", 2, 1, 0),
        Share("refused, 0.96 to 0.99", 1, 0, 1),
        Share("accepted, 0.99 to 1", 1, 1, 0),
    ]
    assert {share.name: share for share in by_reason(store)} == {
        "too uncertain": Share("too uncertain", 4, 2, 1), "accepted": Share("accepted", 1, 1, 0),
        "blank": Share("blank", 1, 0, 0),
    }  # fmt: skip


def test_pauses_do_not_count(store: ReviewStore, monkeypatch: pytest.MonkeyPatch):
    """Two people: one answers after 2, 4 and 2 seconds, goes for lunch, and undoes; the other answers twice."""
    times = {"a": (100.0, 102.0, 106.0, 108.0, 2000.0), "b": (101.0, 111.0)}
    numbers = iter(range(1, 8))
    for person, moments in times.items():
        for moment in moments:
            monkeypatch.setattr(module.time, "time", lambda moment=moment: moment)
            store.record(f"{person}-{moment}", f"person-{person}", Action.TEXT, next(numbers), "12")
    speed = throughput_of(store)
    assert (speed.answers, speed.per_minute, speed.seconds) == (4, 60 * 4 / 18, 3.0)
    monkeypatch.setattr(module.time, "time", lambda: 112.0)
    store.undo("undo-1", "person-b")
    assert throughput_of(store).answers == 4
    assert throughput_of(store, 3).answers == 1, "of the last three rows two are b's answers and one takes back"
