"""The page as the service hands it out, asked over a real socket: what, under which headers, and what is refused."""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.client
import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

import uvicorn

from digitscope.cli import service as command
from digitscope.errors import ConfigError, ModelError
from digitscope.models.model import load
from digitscope.progress import Progress
from digitscope.service import server
from digitscope.service.server import LOCAL, serve
from digitscope.web.lens.bundle import page_files
from page_models import dense_network

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Ask a server that listens on a free port: (path, method, headers) -> (status, headers, body)."""
    running: queue.Queue[tuple[str, uvicorn.Server]] = queue.Queue()
    options = {"port": 0, "started": lambda *both: running.put(both)}
    thread = threading.Thread(target=serve, args=(load("classic"),), kwargs=options)
    thread.start()
    address, running_server = running.get(timeout=60)
    yield functools.partial(answer, address)
    running_server.should_exit = True
    thread.join()


def answer(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(LOCAL, port_of(address), timeout=60)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    found = connection.getresponse()
    body = found.read()
    connection.close()
    return found.status, {name.lower(): value for name, value in found.getheaders()}, body


def port_of(address: str) -> int:
    return int(address.rstrip("/").rpartition(":")[2])


class Slow:
    """Stands for the long work: it reports again and again until it may end, and then gives what it has."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.may_end, self.reports = error, threading.Event(), 0

    def __call__(self, model: object, progress: Progress) -> dict[str, Any]:
        while not self.may_end.wait(0.01):
            self.reports += 1
            progress("page", self.reports, 100, {})
        if self.error is not None:
            raise self.error
        return {"patches": {}}


@contextlib.contextmanager
def serving(work: Slow, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, uvicorn.Server, Future[None]]]:
    """A server that prepares its model slowly: its address, itself, and how it ended."""
    monkeypatch.setattr(server, "page_images", work)
    running: queue.Queue[tuple[str, uvicorn.Server]] = queue.Queue()
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(serve, load("classic"), port=0, started=lambda *both: running.put(both))
        address, served = running.get(timeout=60)
        try:
            yield address, served, ended
        finally:
            work.may_end.set()
            served.should_exit = True


def test_it_answers_while_the_model_is_prepared(monkeypatch: pytest.MonkeyPatch):
    work = Slow()
    with serving(work, monkeypatch) as (address, _, _):
        assert answer(address, "/")[0] == 200
        assert json.loads(answer(address, "/healthz")[2]) == {"status": "preparing", "model": "classic"}
        gone = http.client.HTTPConnection(LOCAL, port_of(address), timeout=60)
        gone.request("GET", "/model.json")
        gone.close()  # a browser that does not wait takes nothing from the others
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(answer, address, "/model.json")
            assert answer(address, "/page.css")[0] == 200 and not waiting.done()
            work.may_end.set()
            status, _, body = waiting.result(timeout=60)
        assert status == 200 and json.loads(body)["patches"] == {} and json.loads(body)["name"] == "classic"
        assert json.loads(answer(address, "/healthz")[2])["status"] == "ok"


def test_a_server_that_stops_does_not_finish_the_model_first(monkeypatch: pytest.MonkeyPatch):
    work = Slow()
    with serving(work, monkeypatch) as (address, served, ended):
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(answer, address, "/model.json")
            while not served.server_state.tasks:
                assert not waiting.done()
            served.should_exit = True
            assert waiting.result(timeout=60)[0] == 503
        ended.result(timeout=60)
        assert not work.may_end.is_set()


def test_what_goes_wrong_in_the_long_work_ends_the_server(monkeypatch: pytest.MonkeyPatch):
    work = Slow(ModelError("the model broke"))
    with serving(work, monkeypatch) as (_, _, ended):
        work.may_end.set()
        with pytest.raises(ModelError, match=r"^the model broke$"):
            ended.result(timeout=60)


def test_a_model_that_no_page_can_show_is_refused_before_anything_is_served():
    with pytest.raises(ModelError, match="a page computes at most"):
        serve(dense_network(2500, 4001), port=0, started=lambda *_: pytest.fail("it serves"))


def test_every_file_of_the_page_is_served_as_what_it_is(ask: Ask):
    assert ask("/")[2] == ask("/index.html")[2] == page_files()["index.html"]
    kinds = {"html": "text/html", "css": "text/css", "js": "text/javascript", "json": "application/json"}
    for name, content in page_files().items():
        status, headers, body = ask(f"/{name}")
        assert status == 200 and body == content
        assert headers["content-type"].partition(";")[0] == kinds[name.rpartition(".")[2]]


def test_the_model_and_health(ask: Ask):
    described = json.loads(ask("/model.json")[2])
    assert {"layers", "known", "samples", "patches"} <= set(described)
    assert described["name"] == "classic" and described["layers"][0]["kind"] == "input"
    assert json.loads(ask("/healthz")[2]) == {"status": "ok", "model": "classic"}


@pytest.mark.parametrize("path", ["/", "/model.json", "/no-such-file"])
def test_a_policy_stands_on_every_answer(ask: Ask, path: str):
    headers = ask(path)[1]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/../page.py",
        "/%2e%2e/page.py",
        "/..%2fpage.py",
        "/app.py",
        "/__init__.py",
        "/docs",
        "/health",
        "/a/b",
    ],
)
def test_nothing_else_is_served(ask: Ask, path: str):
    assert ask(path)[0] == 404


def test_other_methods_and_other_hosts_are_refused(ask: Ask):
    assert ask("/", "POST")[0] == 405
    assert ask("/", Host="evil.example")[0] == 421
    assert ask("/", Host="localhost:9")[0] == 200


def test_a_port_that_is_taken_is_an_error_of_one_sentence():
    with socket.socket() as taken:
        taken.bind((LOCAL, 0))
        taken.listen()
        with pytest.raises(ConfigError, match="choose another port"):
            serve(load("classic"), port=taken.getsockname()[1])
    with pytest.raises(ConfigError, match="choose another port"):
        serve(load("classic"), port=99999)


def test_the_command_says_where_it_serves_once_it_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(ConfigError, match="no model 'nosuch'"):
        command.serve("nosuch")
    with socket.socket() as taken:
        taken.bind((LOCAL, 0))
        taken.listen()
        with pytest.raises(ConfigError, match="choose another port"):
            command.serve("classic", port=taken.getsockname()[1])
    assert capsys.readouterr().out == ""
    opened: list[str] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: opened.append(sockets[0].getsockname()[1]))
    monkeypatch.setattr("webbrowser.open", opened.append)
    command.serve("classic", port=0, open_=True)
    address, port = opened
    assert address == f"http://{LOCAL}:{port}/"
    assert capsys.readouterr().out == f"Serving classic on {address}; Ctrl-C stops it\n"


@pytest.mark.parametrize(("lan", "address"), [(False, "127.0.0.1"), (True, "0.0.0.0")])
def test_it_listens_to_this_machine_only_unless_told_otherwise(
    lan: bool, address: str, monkeypatch: pytest.MonkeyPatch
):
    bound: list[str] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: bound.append(sockets[0].getsockname()[0]))
    serve(load("classic"), port=0, lan=lan)
    assert bound == [address]


def test_it_is_compressed_and_sent_again_only_if_it_has_changed(ask: Ask):
    _, headers, body = ask("/model.json", Accept_Encoding="gzip")
    assert headers["content-encoding"] == "gzip" and headers["vary"] == "Accept-Encoding"
    assert json.loads(gzip.decompress(body))["version"]
    status, again, nothing = ask("/model.json", Accept_Encoding="gzip", If_None_Match=headers["etag"])
    assert (status, again["etag"], nothing) == (304, headers["etag"], b"")
    plain = ask("/model.json")[1]["etag"]
    assert plain != headers["etag"] and ask("/model.json", If_None_Match=headers["etag"])[0] == 200
    assert ask("/engine.js", If_None_Match=ask("/engine.js")[1]["etag"])[0] == 304


@pytest.mark.parametrize("path", ["/", "/model.json", "/page.css"])
def test_a_head_is_a_get_without_its_body(ask: Ask, path: str):
    status, headers, body = ask(path, "HEAD")
    assert (status, body) == (200, b"")
    assert headers["content-length"] == str(len(ask(path)[2]))
