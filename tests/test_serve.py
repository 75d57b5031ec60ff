"""The server: what it hands out, under which headers, and what it refuses."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from fastapi.testclient import TestClient

from digitscope.models import load
from digitscope.page import page_files
from digitscope.serve.app import create_app


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(load("classic")), base_url="http://127.0.0.1:8128")


def test_every_file_of_the_page_is_served_as_what_it_is(client: TestClient):
    assert client.get("/").text == client.get("/index.html").text == page_files()["index.html"].decode()
    for name, content in page_files().items():
        answer = client.get(f"/{name}")
        assert answer.content == content
        assert answer.headers["content-type"].partition(";")[0] in {
            "text/html",
            "text/css",
            "text/javascript",
            "application/json",
        }


def test_the_model_and_health(client: TestClient):
    described = client.get("/model.json").json()
    assert described["name"] == "classic" and described["layers"][0]["kind"] == "input"
    assert client.get("/health").json() == {"status": "ok", "model": "classic"}


def test_a_policy_stands_on_every_answer(client: TestClient):
    for path in ("/", "/model.json", "/no-such-file"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/../page.py", "/%2e%2e/page.py", "/..%2fpage.py", "/app.py", "/docs", "/openapi.json"]
)
def test_nothing_else_is_served(client: TestClient, path: str):
    assert client.get(path).status_code == 404


def test_other_methods_and_other_hosts_are_refused(client: TestClient):
    assert client.post("/").status_code == 405
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    everywhere = TestClient(create_app(load("classic"), hosts=["*"]), base_url="http://192.168.1.5")
    assert everywhere.get("/health").status_code == 200


def test_it_is_compressed(client: TestClient):
    answer = client.get("/model.json", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(answer.text)["version"]
