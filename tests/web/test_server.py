"""The server, asked over a real socket: what it hands out, under which headers, and what it refuses."""

from __future__ import annotations

import gzip
import http.client
import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

import uvicorn

from digitscope.cli import looking
from digitscope.errors import ConfigError
from digitscope.models.model import load
from digitscope.web.lens import bundle
from digitscope.web.lens.bundle import page_files
from digitscope.web.lens.server import LOCAL, serve

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Ask a server that listens on a free port: (path, method, headers) -> (status, headers, body)."""
    running: queue.Queue[tuple[str, uvicorn.Server]] = queue.Queue()
    options = {"port": 0, "started": lambda *both: running.put(both)}
    thread = threading.Thread(target=serve, args=(load("classic"),), kwargs=options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "fit_detector", lambda model, data: None)
        thread.start()
        address, server = running.get(timeout=60)
    port = int(address.rstrip("/").rpartition(":")[2])

    def answer(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(LOCAL, port, timeout=20)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        found = connection.getresponse()
        body = found.read()
        connection.close()
        return found.status, {name.lower(): value for name, value in found.getheaders()}, body

    yield answer
    server.should_exit = True
    thread.join()


def test_every_file_of_the_page_is_served_as_what_it_is(ask: Ask):
    assert ask("/")[2] == ask("/index.html")[2] == page_files()["index.html"]
    kinds = {"html": "text/html", "css": "text/css", "js": "text/javascript", "json": "application/json"}
    for name, content in page_files().items():
        status, headers, body = ask(f"/{name}")
        assert status == 200 and body == content
        assert headers["content-type"].partition(";")[0] == kinds[name.rpartition(".")[2]]


def test_the_model_and_health(ask: Ask):
    described = json.loads(ask("/model.json")[2])
    assert described["name"] == "classic" and described["layers"][0]["kind"] == "input"
    assert json.loads(ask("/health")[2]) == {"status": "ok", "model": "classic"}


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
        "/openapi.json",
        "/a/b",
    ],
)
def test_nothing_else_is_served(ask: Ask, path: str):
    assert ask(path)[0] == 404


def test_other_methods_and_other_hosts_are_refused(ask: Ask):
    assert ask("/", "POST")[0] == 405
    assert ask("/", Host="evil.example")[0] == 400
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
        looking.serve("nosuch")
    with socket.socket() as taken:
        taken.bind((LOCAL, 0))
        taken.listen()
        with pytest.raises(ConfigError, match="choose another port"):
            looking.serve("classic", port=taken.getsockname()[1])
    assert capsys.readouterr().out == ""
    opened: list[str] = []
    monkeypatch.setattr(bundle, "fit_detector", lambda model, data: None)
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: opened.append(sockets[0].getsockname()[1]))
    monkeypatch.setattr("webbrowser.open", opened.append)
    looking.serve("classic", port=0, open_=True)
    address, port = opened
    assert address == f"http://{LOCAL}:{port}/"
    assert capsys.readouterr().out == f"Serving classic on {address}; Ctrl-C stops it\n"


@pytest.mark.parametrize(("lan", "address"), [(False, "127.0.0.1"), (True, "0.0.0.0")])
def test_it_listens_to_this_machine_only_unless_told_otherwise(
    lan: bool, address: str, monkeypatch: pytest.MonkeyPatch
):
    bound: list[str] = []
    monkeypatch.setattr(bundle, "fit_detector", lambda model, data: None)
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: bound.append(sockets[0].getsockname()[0]))
    serve(load("classic"), port=0, lan=lan)
    assert bound == [address]


def test_it_is_compressed(ask: Ask):
    _, headers, body = ask("/model.json", Accept_Encoding="gzip")
    assert headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(body))["version"]
