"""The service as a program asks it, over real connections: answers, limits, who is let in, and how it ends."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
import httpx
import jsonschema

from digitscope.datasets.mnist import load_mnist
from digitscope.models.model import load
from served import PROGRAM, Served, answers, is_running, serving

TOKEN = "a-token-of-some-length"
LIMITS = {
    "upload_bytes": "300000", "files": "3", "pixels": "2000000", "pages": "2", "batch": "8", "workers": "1",
    "idle_seconds": "1", "upload_seconds": "2",
}  # fmt: skip
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def service() -> Iterator[Served]:
    """A service with small limits."""
    with serving(**LIMITS) as served:
        yield served


@pytest.fixture(scope="module")
def client(service: Served) -> Iterator[httpx.Client]:
    with service.client() as found:
        yield found


def digit(index: int) -> Any:
    return load_mnist()[1][0][index]


def line(*indices: int) -> Image.Image:
    """A line of MNIST's test digits on white paper, twice as large."""
    digits = np.hstack([digit(index) for index in indices])
    paper = np.full((digits.shape[0] + 40, digits.shape[1] + 60), 255, np.uint8)
    paper[20:-20, 30:-30] -= digits
    return Image.fromarray(paper).resize((2 * paper.shape[1], 2 * paper.shape[0]))


def file_of(*pages: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    pages[0].save(buffer, kind, **({"save_all": True, "append_images": pages[1:]} if len(pages) > 1 else {}))
    return buffer.getvalue()


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status of a problem and the end of its type; its form is checked."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert set(found) == {"type", "title", "status", "detail"} and found["status"] == answer.status_code
    assert len(found["detail"]) > 10 and "\n" not in found["detail"]
    return answer.status_code, found["type"].rpartition(":")[2]


def without_time(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key != "milliseconds"} for record in records]


def printed(folder: Path, *words: str) -> list[dict[str, Any]]:
    """The records that the command prints."""
    done = subprocess.run(
        [*PROGRAM, "read", "--format", "jsonl", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    return [json.loads(row) for row in done.stdout.splitlines()]


def test_the_records_are_those_that_the_command_prints(client: httpx.Client, tmp_path: Path):
    files = {
        "one line.png": file_of(line(0, 1, 2, 3)),
        "two.tiff": file_of(line(4, 5), line(6), kind="TIFF"),
        "form.pdf": file_of(line(7, 8, 9), kind="PDF"),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    answer = client.post("/v1/read", files=[("file", item) for item in files.items()])
    assert answer.status_code == 200, answer.text
    records = answer.json()["pages"]
    assert without_time(records) == without_time(printed(tmp_path, *files))
    assert [record["file"] for record in records] == ["one line.png", "two.tiff", "two.tiff", "form.pdf"]
    schema = client.get("/v1/schema").json()
    for record in records:
        jsonschema.validate(record, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(records[0] | {"more": 1}, schema)


def test_a_digit_and_a_form_known_in_advance(client: httpx.Client, tmp_path: Path):
    (tmp_path / "7.png").write_bytes(file_of(line(0)))
    sent = client.post(
        "/v1/digit?name=7.png", content=(tmp_path / "7.png").read_bytes(), headers={"Content-Type": "image/png"}
    )
    assert without_time(sent.json()["pages"]) == without_time(printed(tmp_path, "--single", "7.png"))
    jsonschema.validate(sent.json()["pages"][0], client.get("/v1/schema").json())
    (tmp_path / "line.png").write_bytes(file_of(line(0, 1, 2)))
    upload = {"file": ("line.png", (tmp_path / "line.png").read_bytes())}
    known = client.post("/v1/read?length=3&rotate=0&max_value=800", files=upload).json()["pages"]
    words = ("--length", "3", "--rotate", "0", "--max-value", "800", "line.png")
    assert without_time(known) == without_time(printed(tmp_path, *words))


def test_a_bad_file_costs_no_other(client: httpx.Client):
    good, bad = ("good.png", file_of(line(0, 1))), ("bad.png", file_of(line(2))[:200])
    pages = client.post("/v1/read", files=[("a", bad), ("b", good)]).json()["pages"]
    assert [page["error"] is None for page in pages] == [False, True]
    assert problem(client.post("/v1/read", files=[("a", bad)])) == (422, "unusable")


@pytest.mark.parametrize("model", ["classic", "robust"])
def test_predictions_are_the_models(client: httpx.Client, model: str):
    images = load_mnist()[1][0][:5]
    expected = load(model).predict(images)
    buffer, fortran = io.BytesIO(), io.BytesIO()
    np.save(buffer, images)
    np.save(fortran, np.asfortranarray(images.astype(np.float64) / 255))
    for content, kind in (
        (json.dumps({"images": images.tolist()}), "application/json"),
        (json.dumps({"images": (images / 255).tolist()}), "application/json; charset=utf-8"),
        (buffer.getvalue(), "application/x-npy"),
        (fortran.getvalue(), "application/octet-stream"),
    ):
        answer = client.post("/v1/predict", params={"model": model}, content=content, headers={"Content-Type": kind})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["model"] == model
        assert np.allclose([one["probabilities"] for one in found["predictions"]], expected, atol=1e-5)
        assert [one["digit"] for one in found["predictions"]] == expected.argmax(axis=1).tolist()
    for one in (images[0].tolist(), (images[0] / 255).tolist()):
        (single,) = client.post("/v1/predict", params={"model": model}, json={"images": one}).json()["predictions"]
        assert np.allclose(single["probabilities"], expected[0], atol=1e-5)


def test_many_at_once_get_their_own_answers(client: httpx.Client):
    images = load_mnist()[1][0][:64]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda image: client.post("/v1/predict", json={"images": image.tolist()}), images))
    digits = [answer.json()["predictions"][0]["digit"] for answer in answers]
    assert digits == load("classic").predict(images).argmax(axis=1).tolist()


ROW, IMAGE = [0] * 28, [[0] * 28] * 28


def with_value(value: object) -> str:
    """An image whose first pixel is something else."""
    return json.dumps({"images": [[value, *ROW[1:]], *IMAGE[1:]]})


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"7", b"[" * 100000, b"{}", '{"images": 3}', '{"images": "three"}', '{"images": null}',
        '{"images": [1000000000000]}', '{"images": [[1e400]]}', '{"images": {"a": 1}}',
        json.dumps({"images": [ROW] * 27}), json.dumps({"images": [*[ROW] * 27, ROW[1:]]}), json.dumps({"images": []}),
        json.dumps({"images": [[ROW] * 28] * 2 + [[ROW] * 27]}), json.dumps({"images": [["x" * 9000], *IMAGE[1:]]}),
        with_value(256), with_value(-1), with_value(1.5), with_value(float("nan")), with_value(None), with_value(ROW),
    ],
    ids=range(23),
)  # fmt: skip
def test_json_that_holds_no_images_is_refused(client: httpx.Client, content: str | bytes):
    assert problem(client.post("/v1/predict", content=content, headers=JSON)) == (422, "unusable")


def npy(header: str, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + body


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff", b"\x93NUMPY\x09\x00\x04\x00abcd",
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (28, 28)}"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 28, 28)}", bytes(784)),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (98,)}", bytes(784)),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (14, 14)}", bytes(784)),
        npy("{'descr': '<i2', 'fortran_order': False, 'shape': (14, 28)}", bytes(784)),
        npy("{'descr': '|V4', 'fortran_order': False, 'shape': (28, 7)}", bytes(784)),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-28, -28)}", bytes(784)),
        npy("__import__('os').abort()", bytes(784)),
    ],
    ids=range(12),
)  # fmt: skip
def test_npy_that_holds_no_images_is_refused(client: httpx.Client, content: bytes):
    answer = client.post("/v1/predict", content=content, headers={"Content-Type": "application/x-npy"})
    assert problem(answer) == (422, "unusable")


def test_more_than_the_service_takes_is_refused(client: httpx.Client):
    big = b"\x89PNG" + bytes(400_000)
    png = {"Content-Type": "image/png"}
    wide, deep = Image.new("L", (3000, 800)), Image.new("1", (10000, 9000))
    too_large = (413, "too-large")
    assert problem(client.post("/v1/read", content=big, headers=png)) == too_large
    assert problem(client.post("/v1/read", content=iter([big[:200_000]] * 3), headers=png)) == too_large
    assert problem(client.post("/v1/read", files={"file": big})) == too_large
    assert problem(client.post("/v1/read", content=file_of(wide), headers=png)) == too_large
    assert problem(client.post("/v1/digit", content=file_of(deep), headers=png)) == too_large
    pages = [line(0)] * 3
    assert problem(client.post("/v1/read", files={"file": file_of(*pages, kind="TIFF")})) == too_large
    assert problem(client.post("/v1/read", files={"file": file_of(*pages, kind="PDF")})) == too_large
    assert problem(client.post("/v1/read", files=[("file", (f"{n}.png", b"x")) for n in range(4)])) == too_large
    assert problem(client.post("/v1/predict", json={"images": [IMAGE] * 9})) == too_large
    assert client.post("/v1/predict", json={"images": [IMAGE] * 8}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/read", "/v1/digit", "/v1/predict"])
def test_other_bodies_are_refused(client: httpx.Client, path: str):
    for kind in ("text/plain", "text/html", "", "application/zip"):
        assert problem(client.post(path, content=b"1", headers={"Content-Type": kind})) == (415, "unsupported-type")
    broken = {"Content-Type": "multipart/form-data" if path != "/v1/predict" else "application/json"}
    assert problem(client.post(path, content=b"1", headers=broken)) == (422, "unusable")


def test_the_names_in_a_form_are_in_utf_8(client: httpx.Client):
    form = b'--x\r\nContent-Disposition: form-data; name="a"; filename="\\ud800.png"\r\n\r\nx\r\n--x--\r\n'

    def said(charset: str) -> str:
        kind = f"multipart/form-data; boundary=x; charset={charset}"
        answer = client.post("/v1/read", content=form, headers={"Content-Type": kind})
        assert problem(answer) == (422, "unusable")
        return str(answer.json()["detail"])

    for charset in ("undefined", "punycode", "idna", "unicode_escape", "latin-1", '"no charset"'):
        assert "send its names in UTF-8" in said(charset)
    for charset in ("utf-8", '"UTF-8"'):
        assert "is not a PNG" in said(charset)


@pytest.mark.parametrize(
    "query",
    ["length=0", "length=x", "rotate=45", "max_value=-1", "pattern=abc", "length=3&pattern=%23", "length=1000000000"],
)
def test_parameters_that_do_not_fit_are_named(client: httpx.Client, query: str):
    answer = client.post(f"/v1/read?{query}", files={"file": file_of(line(0))})
    assert problem(answer) == (422, "unusable")
    assert query.partition("=")[0] in answer.json()["detail"]


def test_a_model_that_is_not_there_is_named_with_those_that_are(client: httpx.Client):
    answer = client.post("/v1/predict?model=/etc/passwd", json={"images": IMAGE})
    assert problem(answer) == (422, "unusable")
    for model in client.get("/v1/models").json()["models"]:
        assert model["name"] in answer.json()["detail"]


def test_the_models_are_those_that_come_with_the_package(client: httpx.Client):
    models = client.get("/v1/models").json()["models"]
    assert [model["name"] for model in models] == ["classic", "reader-digit", "robust", "strong"]
    assert [model["default"] for model in models] == [True, False, False, False]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nope", 404), ("GET", "/", 404), ("GET", "/v1/read", 405), ("PUT", "/healthz", 405)],
)
def test_what_is_not_there_is_a_problem_too(client: httpx.Client, method: str, path: str, status: int):
    assert problem(client.request(method, path))[0] == status


def test_every_answer_forbids_what_no_page_of_ours_does(client: httpx.Client):
    for path in ("/healthz", "/nope", "/v1/models"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
    assert client.get("/v1/models").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["localhost:{}", "127.0.0.1", "[::1]:{}", "[::1]", "LOCALHOST"])
def test_the_names_of_this_machine_are_known(client: httpx.Client, service: Served, host: str):
    assert client.get("/healthz", headers={"Host": host.format(service.port)}).status_code == 200


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example", "localhost:x", "192.168.1.2", "[::2]", "::1"]
)
def test_other_names_are_refused(client: httpx.Client, host: str):
    assert problem(client.get("/healthz", headers={"Host": host})) == (421, "wrong-host")


def test_only_its_own_page_may_ask(client: httpx.Client, service: Served):
    asked = lambda origin: client.post("/v1/predict", json={"images": IMAGE}, headers={"Origin": origin})  # noqa: E731
    assert asked(service.address).status_code == 200
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{service.port + 1}", "http://localhost:1"):
        assert problem(asked(origin)) == (403, "foreign-origin")


def test_it_is_reached_by_ipv6_where_there_is_any(service: Served):
    try:
        answer = httpx.get(f"http://[::1]:{service.port}/healthz")
    except httpx.ConnectError:
        pytest.skip("this machine has no IPv6")
    assert answer.status_code == 200


def test_half_open_connections_are_closed_and_hold_nobody_up(service: Served, client: httpx.Client):
    head = b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    begun = (
        b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"\r\n",
        head + b"Content-Length: 900\r\n\r\n{", head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        waiting = []
        for number in range(64):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=60))
            one.sendall(begun[number % len(begun)])
            waiting.append(one)
        assert client.get("/healthz").status_code == 200
        said = [b"".join(iter(lambda one=one: one.recv(4096), b"")) for one in waiting]  # ends when the service closes
    for number, answer in enumerate(said):
        assert (b"408" in answer.partition(b"\r\n")[0]) == (number % len(begun) not in (0, 3)), answer


def test_a_client_that_drips_its_head_is_cut_off(service: Served):
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as one:
        one.sendall(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(600):
                one.sendall(b"X-A: b\r\n")
                time.sleep(0.05)
            pytest.fail("it may drip for half a minute")


CHUNKED = b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("beside", [b"4\r\n\x89PNG\r\n0\r\n" + b"A: b\r\n" * 99, b"4;" + b"a" * 999])
def test_a_chunked_upload_with_endless_trailers_or_names_of_chunks_is_refused(service: Served, beside: bytes):
    more = b"A: b\r\n" * 1000 if beside.endswith(b"\n") else b"a" * 6000
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as one:
        one.sendall(CHUNKED + beside)
        with contextlib.suppress(ConnectionError):
            for _ in range(5000):  # 30 MB
                one.sendall(more)
            pytest.fail("it may go on for ever")
        with contextlib.suppress(ConnectionResetError):
            assert b"".join(iter(lambda: one.recv(4096), b"")).startswith(b"HTTP/1.1 431")


def test_an_upload_in_the_smallest_chunks_is_read(service: Served):
    content = file_of(line(0, 1))
    many = content + bytes(100_000 - len(content))  # what stands behind a PNG does not matter
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in many)
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as one:
        one.sendall(CHUNKED + chunks + b"0\r\nA: b\r\n\r\n")
        assert one.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_client_that_takes_no_answer_is_cut_off():
    with serving(page="true", idle_seconds="1") as served, socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", served.port))
        one.sendall(b"GET /model.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
        with served.client() as client:
            assert client.get("/model.json").status_code == 200
            while b"digitscope_requests_in_progress 1.0" not in client.get("/metrics").content:
                time.sleep(0.05)  # the one that asks for them


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"NONSENSE\r\n\r\n", b"400"), (b"\x16\x03\x01\x02\x00\x01\x00", b"400"), (b"GET / HTTP/9.9\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 400_000, b"431"), (b"GET /" + b"a" * 400_000, b"431"),
        (b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", b"400"),
    ],
    ids=range(6),
)  # fmt: skip
def test_what_is_not_http_is_refused(service: Served, sent: bytes, status: bytes):
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as one:
        with contextlib.suppress(ConnectionError):
            one.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            answer = b"".join(iter(lambda: one.recv(4096), b""))
            assert answer.startswith(b"HTTP/1.1 " + status) and b"application/problem+json" in answer


def test_too_much_at_once_is_refused_and_health_is_not():
    with serving(client_requests="2", upload_seconds="60") as served, contextlib.ExitStack() as stack:
        for _ in range(2):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            one.sendall(
                b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n"
            )
        with served.client() as client:
            while client.get("/v1/models").status_code == 200:  # until the two are seen
                time.sleep(0.05)
            refused = client.get("/v1/models")
            assert problem(refused) == (429, "too-many-requests") and refused.headers["retry-after"]
            assert client.get("/healthz").status_code == 200


def test_uploads_that_find_no_place_are_refused_and_the_others_answered():
    with serving(workers="1", waiting="1", held_bytes="500000") as served, served.client() as client:
        content = file_of(line(0, 1, 2))

        def read(_: int) -> httpx.Response:
            return client.post("/v1/read", content=content, headers={"Content-Type": "image/png"})

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(read, range(8)))
        assert sum(answer.status_code == 200 for answer in answers) >= 2
        refused = [answer for answer in answers if answer.status_code != 200]
        assert refused and all(problem(answer) == (503, "busy") for answer in refused)
        held = client.post("/v1/read", content=bytes(600_000), headers={"Content-Type": "image/png"})
        assert problem(held) == (503, "busy")
        assert read(0).status_code == 200


def test_what_takes_too_long_is_given_up_and_its_process_ended():
    with serving(seconds="0.01", workers="1") as served, served.client() as client:
        for _ in range(2):
            answer = client.post("/v1/read", files={"file": file_of(line(0))})  # a process takes longer to start
            assert problem(answer) == (503, "too-slow")
            assert client.get("/healthz").status_code == 200
            assert not served.children()


def test_a_reading_process_that_dies_is_replaced(service: Served, client: httpx.Client):
    upload = {"file": file_of(line(0))}
    assert client.post("/v1/read", files=upload).status_code == 200
    (child,) = service.children()
    os.kill(child, signal.SIGKILL)
    while is_running(child):
        time.sleep(0.01)
    assert client.post("/v1/read", files=upload).status_code == 200
    assert service.children() and service.children() != [child]


def test_ctrl_c_in_a_terminal_ends_no_process_that_is_starting():
    """A terminal sends it to all processes; the service lets uploads be finished."""
    with serving(workers="1") as served, served.client() as client, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.post, "/v1/read", files={"file": file_of(line(0))})
        while not served.children():
            assert not asked.done()
        for process in (*served.children(), served.process.pid):
            os.kill(process, signal.SIGINT)
        assert asked.result().status_code == 200


def test_a_token_is_asked_for():
    with serving(token=TOKEN) as served, served.client() as client:
        for path in ("/v1/models", "/metrics", "/v1/schema"):
            for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
                refused = client.get(path, headers=given)
                assert problem(refused) == (401, "unauthorized")
                assert refused.headers["www-authenticate"] == "Bearer"
            assert client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert client.get("/healthz").status_code == 200


def test_the_metrics_count(service: Served, client: httpx.Client):
    def value(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    counters = {
        'digitscope_requests_total{route="/v1/read",status="200"}': 1, 'digitscope_pages_total{outcome="read"}': 1,
        'digitscope_requests_total{route="/v1/predict",status="200"}': 1, "digitscope_batch_images_sum": 3,
        'digitscope_request_seconds_count{route="/v1/read"}': 1,
    }  # fmt: skip
    before = {name: value(name) for name in counters}
    client.post("/v1/read", files={"file": file_of(line(0))})
    client.post("/v1/predict", json={"images": [IMAGE] * 3})
    assert {name: value(name) - before[name] for name in counters} == counters


def test_sigterm_lets_it_finish_what_was_asked():
    with serving(workers="1") as served, served.client() as client:
        upload = {"file": file_of(line(0, 1, 2))}
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(client.post, "/v1/read", files=upload)  # the process that reads has yet to start
            while not served.children():
                assert not asked.done()
            (child,) = served.children()
            served.process.send_signal(signal.SIGTERM)
            assert asked.result().status_code == 200
        assert served.process.wait(timeout=60) == 0
        assert not is_running(child)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{served.address}/healthz")


def test_a_second_ctrl_c_does_not_wait_for_uploads():
    with serving(workers="1", upload_seconds="60") as served, served.client() as client:
        assert client.post("/v1/read", files={"file": file_of(line(0))}).status_code == 200
        (child,) = served.children()
        with socket.create_connection(("127.0.0.1", served.port)) as one:
            one.sendall(CHUNKED + b"5\r\nab")
            while b"digitscope_requests_in_progress 2.0" not in client.get("/metrics").content:
                time.sleep(0.05)  # until it is seen
            served.process.send_signal(signal.SIGINT)
            while answers(served.address):
                time.sleep(0.05)
            assert served.process.poll() is None, "the upload may still come"
            served.process.send_signal(signal.SIGINT)
            served.process.communicate(timeout=30)
        assert not is_running(child)


def test_processes_do_not_outlive_a_service_that_is_killed():
    with serving(workers="1") as served, served.client() as client:
        assert client.post("/v1/read", files={"file": file_of(line(0))}).status_code == 200
        (child,) = served.children()
        served.process.kill()
        served.process.wait(timeout=60)
        while is_running(child):
            time.sleep(0.01)


def test_nothing_that_is_uploaded_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (1500, 1500), np.uint8))
    with serving() as served, served.client() as client:
        assert client.post("/v1/digit", files={"file": file_of(noise)}).status_code == 200
        links = [str(link.readlink()) for link in Path(f"/proc/{served.process.pid}/fd").iterdir()]
        assert not [link for link in links if link.startswith(str(tmp_path))]
    assert [path.name for path in tmp_path.iterdir() if path.name != ".ses"] == []  # that one is ONNX Runtime's own


def test_what_is_uploaded_is_not_logged():
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    with serving() as served, served.client() as client:
        for body in (b"--secret", b"--x\r\nA: secret", b"--x\r\n(secret): 1\r\n\r\n", b"--x--secret\x00\xff"):
            assert problem(client.post("/v1/read", content=body, headers=form)) == (422, "unusable")
        served.process.send_signal(signal.SIGTERM)
        assert served.process.communicate(timeout=60)[1] == ""


def test_lan_says_what_it_opens_and_goes_by_addresses():
    with serving("--lan") as served, served.client() as client:
        assert client.get("/healthz", headers={"Host": "192.168.1.2:80"}).status_code == 200
        assert client.get("/healthz", headers={"Host": socket.gethostname()}).status_code == 200
        assert problem(client.get("/healthz", headers={"Host": "evil.example"})) == (421, "wrong-host")
        served.process.send_signal(signal.SIGTERM)
        said = served.process.communicate(timeout=60)[1]
    assert "every device that reaches port" in said and "without a token" in said and "not encrypted" in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BATCH", "0", "greater than or equal to 1"),
        ("PAGES", "many", "integer"),
        ("TOKEN", "short", "fewer than 16 characters"),
    ],
)
def test_settings_that_cannot_be_used_are_named(name: str, value: str, said: str):
    variable = f"DIGITSCOPE_SERVE_{name}"
    done = subprocess.run(
        [*PROGRAM, "serve"], env=os.environ | {variable: value}, capture_output=True, text=True, check=False
    )
    assert (
        done.returncode == 2
        and done.stderr.startswith(f"digitscope: {variable} cannot be used")
        and said in done.stderr
    )
    assert len(done.stderr.splitlines()) == 1
