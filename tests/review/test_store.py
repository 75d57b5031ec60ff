"""The queue in its file: nothing twice, nothing lost, nobody asked the same at once, every answer in the journal."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
from pathlib import Path

import numpy as np
import pytest

from digitscope.errors import ConfigError, DigitscopeError
from digitscope.review.agreement import progress_of
from digitscope.review.items import Action, Answer, State, checked, standing, state_of
from digitscope.review.store import LEASE, ReviewStore
from review_items import digit, item

ANNA, BORIS, CLARA = "person-anna", "person-boris", "person-clara"


@pytest.fixture
def store(tmp_path: Path) -> ReviewStore:
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        store.add(item(number) for number in range(5))
        yield store


def journal(store: ReviewStore) -> list[tuple[object, ...]]:
    return store.base.all("SELECT person, action, item, text FROM journal ORDER BY row")


def test_what_is_there_is_not_added_again(store: ReviewStore):
    assert store.add([item(0), item(4), item(5), item(0, page=2), item(0, box=None), item(0, crop=b"other")]) == 4
    assert progress_of(store).items == 9
    assert store.add([item(0, guess="99", written="12")]) == 0, "another guess about the same crop asks nothing new"


def test_items_come_back_as_they_went_in(tmp_path: Path):
    given = [digit(1, box=None, reason=None), item(2, guess="", written="x"), item(3, file="=evil|'\u202e.png")]
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        store.add(given)
    with ReviewStore(tmp_path / "queue.db") as store:
        assert [queued.item for queued in store.next(ANNA, 9)] == given


def test_the_file_and_its_companions_are_the_owners_alone(store: ReviewStore, tmp_path: Path):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"queue.db": 0o600, "queue.db-wal": 0o600, "queue.db-shm": 0o600}


def add_many(path: Path) -> None:
    with ReviewStore(path, create=True) as store:
        for start in range(0, 60, 6):
            store.add(item(number) for number in range(start, start + 6))


def test_several_processes_fill_one_file(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=add_many, args=(tmp_path / "queue.db",)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    with ReviewStore(tmp_path / "queue.db") as store:
        assert progress_of(store).items == 60


def test_nobody_is_given_what_another_looks_at(store: ReviewStore):
    first = [queued.number for queued in store.next(ANNA, 2, now=0)]
    second = [queued.number for queued in store.next(BORIS, 2, now=1)]
    assert (first, second) == ([1, 2], [3, 4])
    assert [queued.number for queued in store.next(ANNA, 2, now=2)] == first, "after a reload the same"
    assert [queued.number for queued in store.next(ANNA, 3, held=first, now=3)] == [5]
    assert store.next(CLARA, 2, now=4) == []
    assert [queued.number for queued in store.next(CLARA, 9, now=2 + LEASE)] == [3, 4], "Boris has gone"
    assert store.next(BORIS, 4, held=[3, 4], now=3 + LEASE) == [], "what another holds meanwhile is not taken back"
    assert [queued.number for queued in store.next(CLARA, 4, held=[3, 4], now=200 + LEASE)] == [1, 2]


def test_an_answer_is_taken_once(store: ReviewStore):
    for _ in range(3):
        store.record("answer-1", ANNA, Action.TEXT, 1, " 1 2 ")
    store.record("answer-2", ANNA, Action.TEXT, 2, "13")
    store.record("answer-3", ANNA, Action.UNREADABLE, 3)
    assert [row[1:] for row in journal(store)] == [("text", 1, "12"), ("text", 2, "13"), ("unreadable", 3, None)]
    progress = progress_of(store)
    assert (progress.open, progress.confirmed, progress.corrected, progress.unreadable) == (2, 1, 1, 1)
    assert {queued.number: queued.text for queued in store.settled()} == {1: "12", 2: "13", 3: None}


@pytest.mark.parametrize("text", ["", " ", "-", "1a", "١٢", "1\u202e2", "=cmd", "1" * 65, "1;2", "²"])
def test_what_is_no_number_is_refused(store: ReviewStore, text: str):
    with pytest.raises(ConfigError, match="expected 1 to 64 digits"):
        store.record("answer-1", ANNA, Action.TEXT, 1, text)
    assert journal(store) == []


def test_of_a_digit_only_digits_are_taken_and_items_must_be_there(store: ReviewStore):
    store.add([digit(9)])
    with pytest.raises(ConfigError, match=r"expected 1 to 64 digits$"):
        store.record("answer-1", ANNA, Action.TEXT, 6, "7.5")
    with pytest.raises(ConfigError, match="there is no item 99"):
        store.record("answer-1", ANNA, Action.SKIP, 99)
    assert journal(store) == [] and checked("7.5-3/2,1=4", "line") == "7.5-3/2,1=4"


def test_undo_is_a_row_and_gives_the_item_back(store: ReviewStore):
    store.record("answer-1", ANNA, Action.TEXT, 1, "12")
    store.record("answer-2", BORIS, Action.TEXT, 2, "13")
    store.record("answer-3", ANNA, Action.SKIP, 3)
    skipped = store.undo("undo-1", ANNA)
    assert skipped is not None and (skipped.queued.number, skipped.text) == (3, None)
    taken = store.undo("undo-2", ANNA)
    again = store.undo("undo-2", ANNA)
    assert taken is not None and again is not None and (taken.queued.number, taken.text) == (1, "12")
    assert again.queued.number == 1, "sent again, it undoes nothing more"
    assert store.undo("undo-3", ANNA) is None, "what Boris said is his"
    assert taken.queued.state is State.OPEN and progress_of(store).open == 4
    assert [row[1] for row in journal(store)] == ["text", "text", "skip", "undo", "undo"]
    assert [queued.number for queued in store.next(CLARA, 9)] == [4, 5], "Anna holds what she took back"
    store.record("answer-4", ANNA, Action.TEXT, 1, "21")
    assert next(store.settled()).text == "21"


def test_what_is_skipped_comes_last(store: ReviewStore):
    store.record("answer-1", ANNA, Action.SKIP, 1)
    store.record("answer-2", ANNA, Action.SKIP, 2)
    store.record("answer-3", ANNA, Action.SKIP, 1)
    assert [queued.number for queued in store.next(ANNA, 9)] == [3, 4, 5, 2, 1]


def test_two_who_differ_are_a_dispute_that_a_third_settles(store: ReviewStore):
    store.record("answer-1", ANNA, Action.TEXT, 1, "12", seen=0)
    store.record("answer-2", BORIS, Action.TEXT, 1, "17", seen=0)
    assert progress_of(store).disputed == 1 and list(store.settled()) == []
    *_, last = store.next(CLARA, 9)
    assert (last.number, last.state, last.said) == (1, State.DISPUTED, ("12", "17"))
    store.record("answer-3", CLARA, Action.TEXT, 1, "17", seen=last.seen)
    assert [queued.text for queued in store.settled()] == ["17"] and len(journal(store)) == 3
    store.undo("undo-1", CLARA)
    assert progress_of(store).disputed == 1
    store.undo("undo-2", ANNA)
    assert [queued.text for queued in store.settled()] == ["17"]


def test_two_who_agree_are_no_dispute_and_whoever_has_seen_decides(store: ReviewStore):
    store.record("answer-1", ANNA, Action.TEXT, 1, "12", seen=0)
    store.record("answer-2", BORIS, Action.TEXT, 1, "12", seen=0)
    assert progress_of(store).confirmed == 1
    store.record("answer-3", BORIS, Action.UNREADABLE, 1, seen=2)
    assert progress_of(store).unreadable == 1
    store.record("answer-4", BORIS, Action.TEXT, 2, "12", seen=99)
    assert progress_of(store).confirmed == 1, "who claims to have seen more than there is has not seen the own answer"


def test_the_state_of_every_item_follows_from_the_journal(store: ReviewStore):
    """Many random acts; the states are those that the journal alone gives, and no row ever goes."""
    rng = np.random.default_rng(0)
    for number in range(400):
        person, action = str(rng.choice([ANNA, BORIS, CLARA])), Action(str(rng.choice([*Action])))
        before = journal(store)
        if action is Action.UNDO:
            store.undo(f"act-{number}", person)
        else:
            seen = int(rng.choice([0, store.base.one("SELECT count(*) FROM journal")[0]]))
            text = str(rng.choice(["12", "17"])) if action is Action.TEXT else None
            store.record(f"act-{number}", person, action, int(rng.integers(1, 6)), text, seen)
        assert journal(store)[: len(before)] == before
    rows = store.base.all("SELECT row, action, item, text, seen, undoes FROM journal ORDER BY row")
    undone = {row[5] for row in rows}
    for number in range(1, 6):
        said = [
            Answer(row, seen, text)
            for row, action, about, text, seen, _ in rows
            if about == number and action in ("text", "unreadable") and row not in undone
        ]
        kept = store.base.one("SELECT state, text FROM items WHERE id = ?", number)
        assert kept == state_of(standing(said))
    skips = dict(store.base.all("SELECT id, skips FROM items"))
    assert skips == {
        n: sum(row[1] == "skip" and row[2] == n and row[0] not in undone for row in rows) for n in range(1, 6)
    }


def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(store: ReviewStore):
    store.base.run("PRAGMA wal_checkpoint(TRUNCATE)")
    (pages,) = store.base.one("PRAGMA page_count")
    store.base.run(f"PRAGMA max_page_count={pages}")
    with pytest.raises(DigitscopeError, match=r"cannot be used \(database or disk is full\); what was confirmed"):
        store.add(item(number) for number in range(10, 99))
    assert progress_of(store).items == 5


@pytest.mark.parametrize("create", [False, True])
def test_other_files_are_refused(tmp_path: Path, create: bool):
    text, foreign, newer, cut = (tmp_path / name for name in ("a.txt", "b.db", "c.db", "d.db"))
    text.write_text("no database, but a text that is long enough to be read as the head of one" * 9)
    with sqlite3.connect(foreign) as base:
        base.execute("CREATE TABLE items (id)")
    base.close()
    ReviewStore(newer, create=True).close()
    with sqlite3.connect(newer) as base:
        base.execute("PRAGMA user_version=2")
    base.close()
    with ReviewStore(cut, create=True) as store:
        store.add(item(number) for number in range(50))
    content = cut.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    for path, said in ((text, "is no review queue"), (foreign, "is no review queue"), (newer, "of version 2")):
        before = path.read_bytes()
        with pytest.raises(ConfigError, match=said):
            ReviewStore(path, create)
        assert path.read_bytes() == before
    with (
        pytest.raises(DigitscopeError, match=r"cannot be used \(database disk image is malformed\)"),
        ReviewStore(cut, create) as store,
    ):
        list(store.next(ANNA, 99))


def test_a_queue_that_was_closed_is_one_sentence_too(tmp_path: Path):
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        pass
    with pytest.raises(DigitscopeError, match=r"queue\.db cannot be used \(Cannot operate on a closed database"):
        progress_of(store)


def test_a_queue_that_is_not_there_is_made_only_where_it_is_filled(tmp_path: Path):
    with pytest.raises(ConfigError, match="there is no review queue"):
        ReviewStore(tmp_path / "queue.db")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        ReviewStore(tmp_path / "file" / "queue.db", create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
