"""The review queue over HTTP: who may ask, what is taken, and that a kill of the service loses nothing confirmed."""

from __future__ import annotations

import base64
import contextlib
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
import httpx

from digitscope.errors import ConfigError
from digitscope.models.model import load
from digitscope.review.store import ReviewStore
from digitscope.service.server import serve
from review_items import digit, item
from served import PROGRAM, Served, serving

PERSON = "person-anna"


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    with ReviewStore(tmp_path / "queue.db", create=True) as store:
        store.add([item(1), item(2, "34", reason=None), digit(3), item(4), item(5)])
    return tmp_path / "queue.db"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A service with a queue for tests that change nothing."""
    path = tmp_path_factory.mktemp("queue") / "queue.db"
    with ReviewStore(path, create=True) as store:
        store.add([item(1), item(2)])
    with serving("--review", str(path)) as served:
        yield served, path


def ask(client: httpx.Client, path: str = "next", **body: Any) -> httpx.Response:
    return client.post(f"/v1/review/{path}", json={"person": PERSON} | body)


def answer(client: httpx.Client, number: int, text: str | None, **body: Any) -> httpx.Response:
    known = {"action": "text", "text": text} if text is not None else {}
    return ask(client, "answers", item=number, **({"id": f"answer-{number}"} | known | body))


def test_numbers_are_handed_out_answered_and_taken_back(queue: Path):
    with serving("--review", str(queue)) as served, served.client() as client:
        first = ask(client).json()
        assert [one["number"] for one in first["items"]] == [1, 2, 3] and first["progress"]["open"] == 5
        shown = first["items"][0]
        assert base64.b64decode(shown.pop("crop"))[:4] == b"\x89PNG" and len(shown.pop("frame")) == 4
        assert shown == {
            "number": 1, "file": "scan-1.png", "page": 1, "kind": "line", "guess": "12", "confidence": 0.75,
            "reason": "too uncertain", "seen": 0, "said": [],
        }  # fmt: skip
        said = answer(client, 1, "12", held=[2, 3]).json()
        assert [one["number"] for one in said["items"]] == [4] and said["progress"]["confirmed"] == 1
        again = answer(client, 1, "12", held=[2, 3, 4]).json()
        assert [one["number"] for one in again["items"]] == [] and again["progress"]["confirmed"] == 1
        answer(client, 2, None, action="unreadable")
        answer(client, 3, None, action="skip")
        undone = [ask(client, "answers", id=f"undo-{n:04}", action="undo").json()["undone"] for n in range(4)]
        assert [one and (one["item"]["number"], one["text"]) for one in undone] == [
            (3, None),
            (2, None),
            (1, "12"),
            None,
        ]
        assert client.get("/v1/review/progress").json()["open"] == 5
    with ReviewStore(queue) as store:
        assert store.base.one("SELECT count(*) FROM journal") == (6,)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"person": "x"}, "person cannot be used"),
        ({"person": PERSON, "more": 1}, "more cannot be used"),
        ({"person": PERSON, "held": [1] * 9}, "held cannot be used"),
        ({"person": PERSON, "held": ["a"]}, "held.0 cannot be used"),
        ({"person": PERSON, "held": [1, 2**70]}, "held.1 cannot be used"),
        ({"person": PERSON, "held": [-1]}, "held.0 cannot be used"),
        ({"person": PERSON, "id": "answer-1", "action": "guess"}, "action cannot be used"),
        ({"person": PERSON, "id": "answer-1", "action": "text", "item": 1}, "text belongs to the action text"),
        ({"person": PERSON, "id": "answer-1", "action": "skip", "item": 1, "text": "1"}, "text belongs to"),
        ({"person": PERSON, "id": "answer-1", "action": "text", "item": 2**60, "text": "1"}, "item cannot be used"),
        ({"person": PERSON, "id": "answer-1", "action": "text", "item": 99, "text": "1"}, "there is no item 99"),
        ({"person": PERSON, "id": "answer-1", "action": "text", "item": 1, "text": "one"}, "expected 1 to 64 digits"),
        ({"person": PERSON, "id": "answer-1", "action": "text", "item": 1, "text": "1" * 129}, "text cannot be used"),
        ([1], "the body cannot be used"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_kept(shared: tuple[Served, Path], body: Any, said: str):
    served, path = shared
    with served.client() as client:
        refused = client.post(f"/v1/review/{'answers' if 'id' in body else 'next'}", json=body)
        assert refused.status_code == 422 and said in refused.json()["detail"]
    with ReviewStore(path) as store:
        assert store.base.all("SELECT * FROM journal") == []


def test_other_bodies_and_other_sites_are_refused(shared: tuple[Served, Path]):
    served, _ = shared
    with served.client() as client:
        assert (
            client.post("/v1/review/next", content=b"{", headers={"Content-Type": "application/json"}).status_code
            == 422
        )
        assert client.post("/v1/review/next", data={"person": PERSON}).status_code == 415
        assert client.post("/v1/review/next", json={"person": "x" * 9000}).status_code == 413
        assert ask(client, held=[]).headers["cache-control"] == "no-store"
        foreign = client.post("/v1/review/next", json={"person": PERSON}, headers={"Origin": "http://evil.example"})
        assert foreign.status_code == 403
        assert client.get("/review/", headers={"Host": "evil.example"}).status_code == 421
        assert client.get("/v1/review/next").status_code == 405


def test_the_page_is_served_with_its_files_and_no_others(shared: tuple[Served, Path]):
    served, _ = shared
    with served.client() as client:
        assert client.get("/review").headers["location"] == "/review/"
        page = client.get("/review/")
        assert (
            page.headers["content-type"].startswith("text/html")
            and "'unsafe" not in page.headers["content-security-policy"]
        )
        for name in ("review.js", "outbox.js", "dom.js", "page.css", "strings.en.json"):
            assert name not in page.text or client.get(f"/review/{name}").status_code == 200
        assert client.head("/review/review.js").status_code == 200
        for name in ("queue.db", "engine.js", "../api.py", "%2e%2e/api.py", "a/b"):
            assert client.get(f"/review/{name}").status_code == 404


def test_without_a_queue_there_is_neither_page_nor_route():
    with serving() as served, served.client() as client:
        assert ask(client).status_code == 404 and client.get("/review/").status_code == 404
        assert "/v1/review/next" not in client.get("/openapi.json").json()["paths"]


def test_the_token_protects_the_numbers(queue: Path):
    with serving("--review", str(queue), token="a-token-of-some-length") as served, served.client() as client:
        assert ask(client).status_code == 401 and client.get("/v1/review/progress").status_code == 401
        assert client.get("/review/").status_code == 200, "it holds nothing, and asks for the token"
        client.headers["Authorization"] = "Bearer a-token-of-some-length"
        assert ask(client).status_code == 200


def test_the_command_says_where_the_page_is_and_what_it_opens(queue: Path):
    with serving("--lan", "--review", str(queue)) as served:
        served.process.send_signal(signal.SIGTERM)
        said, warned = served.process.communicate(timeout=60)
    assert f"Review {queue} on {served.address}/review/" in said
    assert f"so are the crops in {queue}, and answers about them are taken" in warned


def test_a_queue_that_cannot_be_opened_is_refused_before_anything_is_served(tmp_path: Path):
    (tmp_path / "text.db").write_text("no queue" * 99)
    for path, said in (
        (tmp_path / "none.db", "there is no review queue"),
        (tmp_path / "text.db", "is no review queue"),
    ):
        with pytest.raises(ConfigError, match=said):
            serve(load("classic"), port=0, started=lambda *_: pytest.fail("it serves"), review=path)


def test_a_disk_that_is_full_is_told_and_the_answer_may_come_again(queue: Path):
    """The table is taken away for a moment: what the service cannot keep it does not confirm."""
    with serving("--review", str(queue)) as served, served.client() as client:
        ask(client)
        with ReviewStore(queue) as store:
            store.base.run("ALTER TABLE journal RENAME TO elsewhere")
            refused = answer(client, 1, "12")
            assert refused.status_code == 503 and "cannot be used" in refused.json()["detail"]
            store.base.run("ALTER TABLE elsewhere RENAME TO journal")
        assert answer(client, 1, "12").json()["progress"]["confirmed"] == 1


def test_what_is_uploaded_is_not_kept_in_the_queue(queue: Path):
    with serving("--review", str(queue)) as served, served.client() as client:
        crop = base64.b64decode(ask(client).json()["items"][0]["crop"])
        read = client.post("/v1/read", files={"file": crop})
        assert read.status_code == 200
    with ReviewStore(queue) as store:
        assert store.base.one("SELECT count(*) FROM items") == (5,)


def hammer(address: str, person: str, confirmed: dict[str, tuple[int, str]], stop: threading.Event) -> None:
    """Answer one number after the other until told to stop; note what the service has confirmed."""
    with httpx.Client(base_url=address, timeout=20, verify=False) as client, contextlib.suppress(httpx.TransportError):
        items = client.post("/v1/review/next", json={"person": person}).json()["items"]
        while items and not stop.is_set():
            one = items.pop(0)
            act = {"person": person, "id": f"{person}-{one['number']}", "action": "text", "item": one["number"],
                   "text": str(one["number"]), "held": [other["number"] for other in items]}  # fmt: skip
            answered = client.post("/v1/review/answers", json=act)
            assert answered.status_code == 200
            confirmed[act["id"]] = one["number"], act["text"]
            items += answered.json()["items"]


def test_no_answer_that_was_confirmed_is_lost_or_doubled_by_kill_9(tmp_path: Path):
    """The service is killed at several moments while two people answer, and started again."""
    queue, rng, confirmed = tmp_path / "queue.db", random.Random(0), {}  # type: ignore[var-annotated]
    with ReviewStore(queue, create=True) as store:
        store.add(item(number, "0", crop=b"crop %d" % number) for number in range(3000))
    for attempt in range(4):
        with serving("--review", str(queue)) as served:
            stop = threading.Event()
            people = [
                threading.Thread(target=hammer, args=(served.address, f"person-{attempt}-{n}", confirmed, stop))
                for n in range(2)
            ]
            for person in people:
                person.start()
            known = len(confirmed)
            while len(confirmed) < known + 10:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.5))
            served.process.kill()
            stop.set()
            for person in people:
                person.join()
        with ReviewStore(queue) as store:
            kept = {row[0]: row[1:] for row in store.base.all("SELECT id, item, text FROM journal")}
            assert confirmed.items() <= kept.items() and len(kept) <= len(confirmed) + 2 * (attempt + 1)
            assert store.base.one("PRAGMA integrity_check") == ("ok",)
            settled = {queued.number: queued.text for queued in store.settled()}
            assert settled.items() == dict(kept.values()).items()
            assert store.base.one("SELECT count(*), count(DISTINCT item) FROM journal") == (len(kept), len(kept))
    shown = subprocess.run([*PROGRAM, "review", str(queue)], capture_output=True, text=True, check=True).stdout
    assert f"{len(kept):,} corrected" in shown
