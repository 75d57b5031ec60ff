"""The page as one file and the model in it: nothing lost, nothing leaked, nothing fetched."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import page_models
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.mnist import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS, load_mnist
from digitscope.errors import ConfigError, DataError, ModelError
from digitscope.models.course import Course
from digitscope.models.lens import look
from digitscope.models.model import Model, load, shipped
from digitscope.reading.detectors import detector_of
from digitscope.web.lens import bundle
from digitscope.web.lens.bundle import page_files, page_model, write_page
from digitscope.web.lens.single_file import self_contained
from page_models import dense_network, rounded
from small_network import small_network

NAMES = shipped()


@pytest.fixture(autouse=True)
def never_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tells digits from anything else takes seconds to fit; here every page gets that of ``classic``."""
    kept = detector_of(load("classic"))
    monkeypatch.setattr(bundle, "detector_of", lambda model, data, progress: kept)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(page_models.described("classic")))
    return plain


@pytest.mark.parametrize("name", NAMES)
def test_rounding_to_float16_costs_at_most_one_hundredth_of_a_point(name: str):
    (_, _), (images, labels) = load_mnist()
    model = load(name)
    accuracies = [(each.predict(images).argmax(axis=1) == labels).mean() for each in (model, rounded(model))]
    assert abs(accuracies[0] - accuracies[1]) <= 1e-4 + 1e-12


def test_weights_are_those_of_the_model(described: dict[str, Any]):
    values = np.frombuffer(base64.b64decode(described["weights"]), "<f2")
    layers = look(load("classic"), np.zeros((28, 28))).layers
    wanted = np.concatenate([part.ravel() for layer in layers if layer.kernel is not None for part in layer.learned])
    assert np.array_equal(values, wanted.astype(np.float16))
    assert [tuple(layer["shape"]) for layer in described["layers"]] == [layer.shape for layer in layers]
    assert described["card"]["parameters"] == wanted.size


def test_samples_are_test_images_and_the_hardest_are_hard(described: dict[str, Any]):
    _, (images, labels) = load_mnist()
    by_index = {sample["index"]: sample for sample in described["samples"]}
    assert len(by_index) == len(described["samples"]) and set(range(1000)) <= set(by_index)
    assert all(sum(sample["label"] == digit for sample in by_index.values()) >= 80 for digit in range(10))
    for index, sample in by_index.items():
        assert sample["label"] == labels[index]
        assert sample.get("seen") == WRONG_TEST_LABELS.get(index)
        assert base64.b64decode(sample["pixels"]) == images[index].tobytes()
    hard = described["hardest"]
    assert len(hard) == 30 and set(hard) <= set(by_index) and not set(hard) & {*WRONG_TEST_LABELS, *UNCLEAR_TEST_LABELS}
    right = load("classic").predict(images)[np.arange(10000), labels]
    assert right[hard].max() < np.quantile(right, 0.01)


def test_patches_excite_their_filters_as_they_say(described: dict[str, Any]):
    model, images = load("classic"), load_mnist()[1][0]
    assert list(described["patches"]) == ["conv1", "conv2"]
    for name, filters in described["patches"].items():
        layer = look(model, images[0]).layer(name)
        assert len(filters) == layer.shape[-1]
        for number in (0, len(filters) // 2, len(filters) - 1):
            found = filters[number]
            assert len(found) == 9
            assert [record["activation"] for record in found] == sorted((r["activation"] for r in found), reverse=True)
            for record in found[::4]:
                maps = look(model, images[record["sample"]]).layer(name).values[..., number]
                assert maps.max() == pytest.approx(record["activation"], abs=1e-5)
                assert maps[record["row"], record["column"]] == pytest.approx(record["activation"], abs=1e-5)
                patch = np.frombuffer(base64.b64decode(record["pixels"]), np.uint8)
                assert patch.size == record["height"] * record["width"]
                alone = np.zeros((28, 28), np.uint8)
                step = 1 if name == "conv1" else 2  # a step of conv2 is two pixels, behind 2x2 pooling
                top, left = record["row"] * step, record["column"] * step
                alone[top : top + record["height"], left : left + record["width"]] = patch.reshape(record["height"], -1)
                again = look(model, alone).layer(name).values[record["row"], record["column"], number]
                assert again == pytest.approx(record["activation"], abs=1e-4), "the patch is all that the cell sees"


def test_one_file_with_everything_in_it(tmp_path: Path):
    path = write_page(load("classic"), tmp_path / "lens.html")
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size <= 3_000_000
    assert not re.search(r"<script[^>]* src=|<link rel=\"stylesheet\"|@import|url\(\s*['\"]?https?:", text)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None and "unsafe" not in policy[1] and "connect-src" not in policy[1]
    scripts = re.findall(r'<script data-file="[\w.-]+">(.*?)</script>', text, re.DOTALL)
    assert len(scripts) > 4
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]


def test_the_work_is_reported_from_its_beginning_to_its_end(tmp_path: Path):
    told: list[tuple[str, int, int]] = []
    write_page(
        load("classic"),
        tmp_path / "a.html",
        progress=lambda stage, done, total, facts: told.append((stage, done, total)),
    )
    first, *rest = told
    assert first == ("page", 0, 1)
    assert [done for _, done, _ in rest] == sorted({done for _, done, _ in rest}) and len(rest) > 20
    assert rest[-1] == ("page", 13_000, 13_000), "10,000 test images, and 3,000 of them again"


def test_a_place_that_cannot_be_written_is_said_before_the_long_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundle, "page_model", lambda *given: pytest.fail("it worked for nothing"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "folder", tmp_path / "file" / "lens.html"):
        with pytest.raises(ConfigError, match=rf"^{place} cannot be written \(.+\); give another file$"):
            write_page(load("classic"), place)
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["file", "folder"], "nothing is left behind"


@pytest.mark.parametrize("name", NAMES)
def test_snapshots_are_the_stages_that_are_replayed_and_come_back_to_a_level(name: str):
    model = load(name)
    exact = bundle._weights(bundle.layer_views(model.session)).astype(np.float32)
    course = bundle.page_network(model, [model, model])["course"]
    assert course["stages"] == [model.short_name] * 2 and sum(course["sizes"]) == exact.size
    for stage in stages_of(course):
        worth = np.repeat(np.float32(course["scales"]), course["sizes"])
        assert np.abs(stage - exact).max() > 0 and (np.abs(stage - exact) <= 0.501 * worth).all()
    assert bundle.page_network(model)["course"] is None


def stages_of(course: dict[str, Any]) -> np.ndarray:
    """The weights of every stage, unpacked as the page does it, floats (k, n)."""
    changes = np.frombuffer(gzip.decompress(base64.b64decode(course["weights"])), np.int8)
    levels = changes.reshape(len(course["stages"]), -1).cumsum(axis=0, dtype=np.int8)
    return levels * np.repeat(np.float32(course["scales"]), course["sizes"])


def test_a_run_brings_its_course_and_one_of_another_network_is_refused(tmp_path: Path):
    model = load("classic")
    views = bundle.layer_views(model.session)
    weights = bundle._weights(views).astype(np.float16)
    losses = np.linspace(2.3, 0.3, 9000, dtype=np.float32)
    Course(losses, np.array([0, 64]), np.stack([weights / 2, weights])).write(tmp_path / "course.npz")
    course = bundle.page_network(replace(model, name=str(tmp_path)))["course"]
    assert (course["stages"], course["steps"], course["every"]) == ([0, 64], 9000, 3)
    shown = np.frombuffer(base64.b64decode(course["losses"]), "<f2")
    assert len(shown) == 3000 and shown[0] == pytest.approx(losses[:3].mean(), abs=2e-3)
    first, last = stages_of(course)
    assert np.corrcoef(first, weights)[0, 1] > 0.99 and np.abs(2 * first - last).max() < 0.1
    Course(losses, np.array([0]), weights[None, :-1]).write(tmp_path / "course.npz")
    with pytest.raises(DataError, match=r"course\.npz belongs to another network; delete it"):
        bundle.page_network(replace(model, name=str(tmp_path)))


def test_networks_beside_are_whole_and_checked():
    other = bundle.page_network(load("classic"), beside=[load("robust")])["beside"]
    alone = bundle.page_network(load("robust"))
    assert [one["weights"] for one in other] == [alone["weights"]] and other[0]["name"] == "robust"
    with pytest.raises(ModelError, match="multiplications"):
        bundle.page_network(load("classic"), beside=[dense_network(2500, 4001)])


def test_the_code_is_small():
    code = b"".join(content for name, content in page_files().items() if not name.endswith(".json"))
    assert len(gzip.compress(code)) <= 110_000


def test_names_cannot_break_out_of_the_page_and_folders_stay_private(tmp_path: Path):
    model = load("classic")
    folder = tmp_path / "private" / "my run"
    folder.mkdir(parents=True)
    assert page_model(replace(model, name=str(folder)))["name"] == "my run"
    bad = "</script><script>alert(1)</script>"
    assert bad not in write_page(replace(model, name=bad), tmp_path / "a.html").read_text(encoding="utf-8")
    texts = {"index.html": '<script src="missing.js"></script>'}
    with pytest.raises(KeyError):
        self_contained(texts)


class Scripts(HTMLParser):
    """The scripts of a page as a browser finds them, JSON blocks among them: name -> text, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self._inside: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self._inside = dict(attrs).get("data-file") or dict(attrs).get("src") or "of somebody else"
            self.texts[self._inside] = ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.texts[self._inside] += data


def test_what_a_foreign_run_says_about_itself_stays_text(tmp_path: Path):
    """A run folder may come from anyone, and the name of its recipe stands in the page's JSON."""
    bad = "</script><script>alert(1)</script></SCRIPT ><!--<script>&lt;\u2028'\"\\"
    card = {"config": {"recipe": {"name": bad}}, "metrics": {"test_accuracy": bad}}
    path = write_page(replace(load("classic"), card=card), tmp_path / "foreign.html")
    found = Scripts(path.read_text(encoding="utf-8")).texts
    assert list(found) == list(Scripts(page_files()["index.html"].decode()).texts)
    said = json.loads(gzip.decompress(base64.b64decode(found["model.json"])))["card"]
    assert (said["recipe"], said["test_accuracy"]) == (bad, bad)
    assert not any("<" in text for name, text in found.items() if name.endswith(".json"))


def test_a_network_of_twelve_million_products_still_fits_and_one_of_more_is_refused():
    images = np.zeros((20, 28, 28), np.uint8)
    few = Dataset("few", images, np.arange(20, dtype=np.uint8) % 10, images, np.arange(20, dtype=np.uint8) % 10)
    largest = page_model(dense_network(2500, 4000), data=few)
    assert largest["card"]["multiplications"] == 12_000_000
    assert len(base64.b64decode(largest["weights"])) == 2 * (12_000_000 + 2500 + 4000 + 10)
    with pytest.raises(ModelError) as refused:
        page_model(dense_network(2500, 4001), data=few)
    assert str(refused.value) == (
        "wide needs 12,002,510 multiplications for one image, and a page computes at most 12,000,000; "
        "train a smaller network"
    )


def test_multiplications_are_counted_as_by_hand(described: dict[str, Any]):
    convolutions = 26 * 26 * 9 * 32 + 11 * 11 * (9 * 32) * 64
    assert described["card"]["multiplications"] == convolutions + 5 * 5 * 64 * 128 + 128 * 10


def test_other_networks_are_refused_as_snapshots():
    model = load("classic")
    other: Any = Model("other", small_network("valid", "max_pooling2d"))  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="is another network"):
        page_model(model, [other])
    entries = [dict(entry) for entry in model.session.layers]
    nothing: Any = SimpleNamespace(source="x", layers=entries[:1], tensors=model.session.tensors)
    with pytest.raises(ModelError, match="names no layers"):
        page_model(Model("nothing", nothing))
