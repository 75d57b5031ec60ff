"""What docs/service.md and the OpenAPI description promise is so; hostile requests, in short."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
import jsonschema

from digitscope.review.store import ReviewStore
from digitscope.service.problems import Kind
from served import Served, serving

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
EXAMPLES = ("examples/pages/amount.png", "examples/digits/7-black-squared.png")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    queue = tmp_path_factory.mktemp("queue") / "queue.db"
    ReviewStore(queue, create=True).close()
    with serving("--review", str(queue), workers="1") as served:
        yield served


def test_the_client_reads_files(service: Served, tmp_path: Path):
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(program.splitlines()) <= 36
    (tmp_path / "client.py").write_text(program.replace("http://127.0.0.1:8128", service.address))
    words = [sys.executable, tmp_path / "client.py", *EXAMPLES]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert re.match(r"amount.png 248650 0\.9\d+$", done.stdout.splitlines()[0])
    (tmp_path / "bad.png").write_bytes(b"no picture")
    done = subprocess.run([*words[:2], tmp_path / "bad.png"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "convert it first" in done.stderr and "Traceback" not in done.stderr


def test_the_line_with_curl_does(service: Served):
    (line,) = re.findall(r"^curl .*", PAGE, re.MULTILINE)
    words = shlex.split(line.replace("http://127.0.0.1:8128", service.address))
    if shutil.which("curl"):  # it is no part of the tests' installation
        done = subprocess.run([words[0], "-s", *words[1:]], capture_output=True, text=True, check=True, cwd=ROOT)
        assert [page["file"] for page in json.loads(done.stdout)["pages"]] == ["numbers.jpg", "amount.png"]
    assert all((ROOT / word.removeprefix("file=@")).exists() for word in words if word.startswith("file=@"))


def test_the_description_has_every_route_its_problems_and_examples_that_hold(service: Served):
    with service.client() as client:
        described = client.get("/openapi.json").json()
        routes = {f"{method.upper()} {path}" for path, methods in described["paths"].items() for method in methods}
        assert routes | {"GET /openapi.json"} == set(re.findall(r"^\| `((?:GET|POST) /\S+)`", PAGE, re.MULTILINE))
        types = set()
        for methods in described["paths"].values():
            for route in methods.values():
                for status, answer in route["responses"].items():
                    for example in answer["content"].get("application/problem+json", {}).get("examples", {}).values():
                        jsonschema.validate(example["value"], described["components"]["schemas"]["ProblemRecord"])
                        assert str(example["value"]["status"]) == status
                        types.add(example["value"]["type"])
        general = {Kind.NOT_FOUND, Kind.METHOD_NOT_ALLOWED, Kind.INTERNAL}  # of no route
        assert types == {kind.type for kind in Kind if kind not in general}
        body = described["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
        assert client.post("/v1/predict", json=body).json()["predictions"][0]["digit"] == 7


@pytest.mark.slow
def test_hostile_requests_find_no_fault(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    hostile = importlib.import_module("hostile_requests")
    with serving(**hostile.SETTINGS) as served:
        found = hostile.attacked(served, 120, 0)
        assert found["faults"] == []
        seen = {words.split()[1] for words in found["statuses"]}
        assert {"200", "413", "415", "421", "422"} <= seen
        assert all(size["service"] < 600 and size["largest_reader"] < 1000 for size in found["memory_mb"])
        with served.client() as client:
            assert client.get("/healthz").status_code == 200
