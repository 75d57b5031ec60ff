"""The report: complete, self-contained, well-formed, and true to the run it tells of."""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import escape

from digitscope.datasets.mnist import WRONG_TEST_LABELS, load_mnist
from digitscope.errors import ConfigError, DataError, DigitscopeError
from digitscope.models.layers import LayerView
from digitscope.models.lens import Lens, look
from digitscope.models.metrics import evaluate_predictions
from digitscope.models.model import load
from digitscope.plots import architecture, overview
from digitscope.training.recipes import Recipe, recipe_of
from digitscope.web.lens.single_file import self_contained
from digitscope.web.report import build, compared, figures, linked, moved, network, sheets, templates, window
from digitscope.web.report.record import Record
from digitscope.web.report.templates import chapter_names

VOID = {"meta", "link", "img", "br", "input", "hr"}


def stand_in() -> dict:
    """Comparisons of the right shape whose numbers could not be mistaken for results."""
    variants = {"accuracy": [0.5, 0.625], "parameters": 1}
    return {
        "command": "make comparisons", "machine": "no machine <at all>", "seeds": [0, 1], "epochs": 1, "n": 10_000,
        "networks": {"cnn": variants, "dense": variants},
        "shuffled_pixels": {"cnn": variants, "dense": variants},
        "pooling": {"max": variants, "average": variants, "none": variants},
        "activation": {"relu": variants, "sigmoid": variants},
        "scaling": {"0..1": variants, "0..255": variants},
        "filters": [{"filters": [n, 2 * n], "parameters": n, "accuracy": [0.5, 0.625]} for n in (1, 2, 4)],
        "training_images": [{"n": n, "accuracy": [0.5, 0.625]} for n in (10, 20)],
        "shift": {"pixels": [*range(11)], "cnn": [0.5] * 11, "dense": [0.5] * 11, "robust": [0.5] * 11},
        "turn": {"degrees": [*range(0, 100, 10)], "cnn": [0.5] * 10, "dense": [0.5] * 10, "robust": [0.5] * 10},
    }  # fmt: skip


SECTIONS = [name for name, value in stand_in().items() if isinstance(value, dict | list) and name != "seeds"]


def write_run(folder: Path, recipe: Recipe, data: str, train_n: int) -> Path:
    """The files that a training would leave beside ``model.onnx``."""
    evaluation = load(folder / "model.onnx").evaluate(data)
    metrics = {"recipe": recipe.name, "test_accuracy": evaluation.accuracy, "test_loss": evaluation.loss,
               "n": evaluation.n, "misses": evaluation.misses, "parameters": 225_034, "fit_seconds": 61.0,
               "total_seconds": 70.0, "train_n": train_n, "images_per_second": 1000.0}  # fmt: skip
    config = {"recipe": asdict(recipe), "seed": 7, "data": data, "data_sha256": "00ff", "execution": {}, "versions": {}}
    for name, value in (("metrics", metrics), ("config", config), ("evaluation", evaluation.to_dict())):
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    with (folder / "history.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "loss", "accuracy", "learning_rate", "images_per_second", "seconds"])
        writer.writerows([epoch, 1 / epoch, 1 - 0.1 / epoch, 0.001, 1000, 15] for epoch in range(1, recipe.epochs + 1))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    model = resources.files("digitscope") / "shipped" / "models" / "classic.onnx"
    (folder / "model.onnx").write_bytes(model.read_bytes())
    return write_run(folder, recipe_of("classic"), "mnist", 60_000)


@pytest.fixture(scope="module")
def told(run):
    heard = []
    path = build.write_report(run, lambda *told: heard.append(told), comparisons=stand_in())
    return path, path.read_text(encoding="utf-8"), heard


@pytest.fixture(scope="module")
def few(run, tmp_path_factory):
    """A run on a few digits, whose facts are computed in no time."""
    folder = tmp_path_factory.mktemp("few")
    shutil.copy(run / "model.onnx", folder)
    (x, y), (x_test, y_test) = load_mnist()
    np.savez(folder / "few.npz", x_train=x[:300], y_train=y[:300], x_test=x_test[:90], y_test=y_test[:90])
    return write_run(folder, recipe_of("classic"), str(folder / "few.npz"), 300)


@pytest.fixture(scope="module")
def facts(few):
    return facts_of(Record.read(few), stand_in())


def facts_of(record: Record, comparisons: dict) -> dict:
    """All facts of a run, with the name of each figure in its place."""
    found = build.facts_of(record, comparisons)
    names = figures.figures(*(found[name] for name in ("run", "descent", "moved", "compared")))
    return found | {"figures": {name: f"[{name}]" for name in names}}


def chapters_of(facts: dict) -> dict[str, str]:
    """Every chapter as HTML."""
    return {name: build.chapter(name, facts).body for name in chapter_names()}


@dataclass
class Page(HTMLParser):
    """Tags that do not close, ids, links and sources of a page."""

    faults: list = field(default_factory=list)
    ids: Counter = field(default_factory=Counter)
    links: list = field(default_factory=list)
    loads: list = field(default_factory=list)
    silent: list = field(default_factory=list)

    def __post_init__(self):
        super().__init__()
        self._open = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if len(attributes) != len(attrs):
            self.faults.append(f"attribute twice in {attrs}")
        if "id" in attributes:
            self.ids[attributes["id"]] += 1
        if tag == "a":
            self.links.append((attributes["href"], list(self._open)))
        self.loads += [attributes[key] for key in ("src", "srcset", "data", "poster", "action") if key in attributes]
        self.loads += [attributes[key] for key in ("href", "xlink:href") if key in attributes and tag != "a"]
        if tag == "img" and not attributes.get("alt"):
            self.silent.append(attrs)
        if tag == "svg" and not attributes.get("aria-label"):
            self.silent.append(attrs)
        if tag not in VOID:
            self._open.append((tag, attributes.get("class") or ""))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        if not self._open or self._open.pop()[0] != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    page.faults += page._open
    return page


def test_page_is_well_formed_and_loads_nothing(told):
    path, text, _ = told
    page = parsed(text)
    assert page.faults == [] and page.silent == []
    assert [name for name, times in page.ids.items() if times > 1] == []
    assert all(load.startswith(("data:image/png;base64,", "#")) for load in page.loads)
    assert {load[1:] for load in page.loads if load.startswith("#")} <= set(page.ids)
    for link, parents in page.links:
        outside = ("div", "sources") in parents
        assert link.startswith("https://") if outside else link[1:] in page.ids
    loading = r"url\((?!#|data:image/png;base64,)[^)]*\)|@import|\bfetch\(|XMLHttpRequest|new Worker"
    assert set(re.findall(loading, text)) == set()
    assert path.stat().st_size < 4e6


def test_every_chapter_is_there_in_order_and_nothing_is_left_unfilled(told):
    _, text, _ = told
    headings = re.findall(r"<h([1-6])", text)
    assert headings[0] == "1" and headings.count("1") == 1
    assert all(int(b) <= int(a) + 1 for a, b in itertools.pairwise(headings))
    sections = re.findall(r'<section class="chapter" id="([\w-]+)">\s*<h2>', text)
    assert sections == [name[3:] for name in chapter_names()[1:]]
    assert re.findall(r'<li><a href="#([\w-]+)">', text) == sections
    assert "{{" not in text and "{%" not in text and "{#" not in text and "<!-- " not in text
    assert not re.search(
        r"\b(nan|None|inf|Traceback)\b", re.sub(r"<(script|style).*?</\1>|<[^>]*>", "", text, flags=re.S)
    )


def test_numbers_are_those_of_the_run(told, run):
    _, text, _ = told
    found = json.loads((run / "evaluation.json").read_text())
    low, high = found["accuracy_interval"]
    for part in (found["accuracy"], low, high, found["top2_accuracy"], found["per_class"][5]["recall"]):
        assert f"{100 * part:.2f}\N{NO-BREAK SPACE}%" in text
    clean = found["without_wrong_labels"]
    for shown in (f"{found['loss']:.4f}", f"misread {found['misses']} of them", "1\xa0min\xa01\xa0s", "“classic”",
                  "225,034", f"misreads {clean['misses']} of 9,985", "32·(3·3·1) + 32 = 320",
                  "64·(3·3·32) + 64 = 18,496", "5×5×64 = 1,600"):  # fmt: skip
        assert shown in text
    assert text.count("Where tutorials err") >= 4


def test_comparisons_are_told_with_their_spread_and_claim_nothing_they_cannot(told):
    _, text, _ = told
    assert text.count("56.250\N{NO-BREAK SPACE}% (50.00 to 62.50)") >= 12
    assert text.count("does not say which is better") >= 5 and "its worst training" not in text
    assert "no machine &lt;at all&gt;" in text and "make comparisons" in text


def test_animation_holds_real_filters_whose_sums_are_the_stored_activations(told):
    _, text, _ = told
    data = json.loads(re.search(r'<script type="application/json" id="window-data">(.*?)</script>', text)[1])
    (_, _), (x_test, _) = load_mnist()
    image = np.array(data["pixels"]).reshape(28, 28)
    assert (x_test == image).all(axis=(1, 2)).any()
    pixels = (image.astype(np.float32) / np.float32(255)).astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (3, 3))
    stored = look(load("classic"), image.astype(np.uint8)).layer("conv1").sums
    assert len({one["number"] for one in data["filters"]}) == window.CHOICES
    for one in data["filters"]:
        sums = (windows * np.array(one["kernel"]).reshape(3, 3)).sum(axis=(2, 3)) + one["bias"]
        np.testing.assert_allclose(sums.ravel(), one["sums"], rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(np.float32(one["sums"]).reshape(26, 26), stored[:, :, one["number"]])
    assert [one["number"] for one in data["pool"]["maps"]] == [one["number"] for one in data["filters"]]
    for one in data["pool"]["maps"]:
        values = np.maximum(stored[:, :, one["number"]], 0)
        np.testing.assert_array_equal(np.float32(one["values"]).reshape(26, 26), values)
        pooled = values.reshape(13, 2, 13, 2).max(axis=(1, 3))
        np.testing.assert_array_equal(np.float32(one["pooled"]).reshape(13, 13), pooled)


def test_figures_are_written_beside_the_page_and_progress_is_told(told):
    path, _, heard = told
    figures = sorted((path.parent / "figures").iterdir())
    assert len(figures) == len(heard) == heard[-1][1] == heard[-1][2] and heard[0][0] == "report"
    for figure in figures:
        assert ET.parse(figure).getroot().tag.endswith("svg")


@pytest.mark.parametrize("present", [[], *[[name] for name in SECTIONS]], ids=lambda names: "".join(names) or "none")
def test_any_comparison_may_be_missing(facts, present):
    everything = stand_in()
    some = {key: value for key, value in everything.items() if key not in SECTIONS or key in present} if present else {}
    chapters = chapters_of(facts_of(facts["run"], some))
    told = words_of(re.sub(r"<pre>.*?</pre>", "", "".join(chapters.values()), flags=re.DOTALL))
    assert "{{" not in told and "[" not in re.sub(r"\[\w+\]", "", told)
    assert ("make comparisons" in told) is bool(present)
    shown = {
        "scaling": "trained both ways", "networks": "a dense network of equal size", "activation": "the sigmoid differ",
        "pooling": "no pooling at all differ", "filters": "filters the mean changes by",
        "training_images": "times fewer mistakes",
    }  # fmt: skip
    assert [name for name, words in shown.items() if words in told] == [name for name in shown if name in present]


def test_broken_comparisons_are_one_clear_error():
    with pytest.raises(DataError, match="make comparisons"):
        compared.facts(stand_in() | {"pooling": {"max": 1}})


@given(st.lists(st.floats(0.5, 1), min_size=1, max_size=4), st.lists(st.floats(0.5, 1), min_size=1, max_size=4))
def test_a_verdict_names_a_winner_only_if_the_ranges_do_not_touch(a, b):
    words = compared.verdict("this", compared.Network("", tuple(a)), "that", compared.Network("", tuple(b)))
    if min(a) > max(b):
        assert words.startswith("This is ahead of that")
    elif min(b) > max(a):
        assert words.startswith("That is ahead of this")
    else:
        assert "does not say which is better" in words


def test_shifts_and_turns_move_the_ink_where_they_say():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10, 20] = 255
    assert moved.shifted(image, 3)[0, 10, 23] == 255
    assert moved.shifted(image, -3)[0, 10, 17] == 255
    assert moved.shifted(image, 0, -2)[0, 8, 20] == 255
    assert moved.shifted(image, 27).sum() == 0
    assert moved.turned(image, 90)[0, 7, 10] == 255


def test_one_digit_runs_through_the_chapters_and_its_story_is_told_twice(facts):
    chapters = chapters_of(facts)
    threads = {
        name: re.findall(r'<aside class="thread".*?</aside>', body, re.DOTALL) for name, body in chapters.items()
    }
    told = [name[3:] for name, found in threads.items() if found]
    without = {"result", "halfway", "again", "better", "next", "glossary", "sources"}
    assert told == [name[3:] for name in chapter_names() if name[3:] not in without]
    assert all(len(found) <= 1 for found in threads.values())
    pictures = {re.search(r'src="([^"]+)"', found[0])[1] for found in threads.values() if found}
    assert pictures == {templates.png(facts["run"].image)}
    order = list(chapters)
    assert order.index("16-softmax") < order.index("17-halfway") < order.index("18-loss")
    assert order.index("20-training") < order.index("21-again") < order.index("22-accuracy")
    for name, steps in (("17-halfway", 7), ("21-again", 6)):
        assert re.search(r'<ol class="story">.*?</ol>', chapters[name], re.DOTALL)[0].count("<li>") == steps


def test_every_line_of_keras_stands_beside_its_chapter_and_once_more_in_the_whole_program(facts):
    chapters = {name[3:]: body for name, body in chapters_of(facts).items()}
    for chapter, code in facts["keras"].parts.items():
        assert str(escape(code)) in chapters[chapter], chapter
        assert str(escape(code.splitlines()[-1])) in chapters["again"]


def test_mnist_is_spelled_out_where_it_first_appears_and_dropout_is_named(facts):
    chapters = {name[3:]: words_of(body) for name, body in chapters_of(facts).items()}
    spelled = "MNIST, the Modified National Institute of Standards and Technology database"
    assert spelled in chapters["mnist"] and "SD-3" in chapters["mnist"] and "SD-1" in chapters["mnist"]
    assert "This run has no dropout" in chapters["split"] and "label smoothing" in chapters["split"]
    assert "Dropout" in chapters["glossary"]


def test_the_live_page_is_linked_only_where_it_exists(facts, tmp_path):
    for there in (False, True):
        if there:
            (tmp_path / "lens.html").touch()
        run = replace(facts["run"], folder=tmp_path)
        told = chapters_of(facts | {"run": run, "page": linked.page_links(run)})
        assert ('href="lens.html#' in told["25-next"]) is there and ("Open the live page" in told["00-result"]) is there
        assert ("writes it, and" in told["00-result"]) is not there
        counted = sum(body.count('href="lens.html#') for body in told.values())
        assert counted > 250 if there else counted == 0


def test_a_test_image_is_named_where_the_page_holds_it_and_spelled_out_where_not(facts, tmp_path):
    run = replace(facts["run"], folder=tmp_path)
    index = '<meta charset="utf-8"><script type="application/json" data-file="model.json"></script>'
    held = self_contained({"index.html": index, "model.json": json.dumps({"samples": [{"index": 3}]})})
    (tmp_path / "lens.html").write_text(held)
    page = linked.page_links(run)
    assert page.test(3, run.data.x_test[3]) == "lens.html#draw=t3"
    assert page.test(4, run.data.x_test[4]).startswith("lens.html#draw=p")
    assert page.cell("conv1", (1, 2, 3)).startswith("lens.html#number=conv1,1.2.3&draw=")


def test_the_chapter_on_training_leads_to_the_stages_that_the_page_holds(facts, tmp_path):
    run = replace(facts["run"], folder=tmp_path)
    index = '<meta charset="utf-8"><script type="application/json" data-file="model.json"></script>'
    for stages in ([0, 25, 1050], ["a", "b"], None):
        values = {"samples": [{"index": run.index}], "course": stages and {"stages": stages}}
        page_text = self_contained({"index.html": index, "model.json": json.dumps(values)})
        (tmp_path / "lens.html").write_text(page_text)
        told = chapters_of(facts | {"run": run, "page": linked.page_links(run)})["20-training"]
        found = re.findall(r'href="lens\.html#stage=(\d+)&amp;draw=t\d+"[^>]*>([^<]+)<', told)
        wanted = [("0", "untrained"), ("25", "after 25 steps"), ("1050", "after 1,050 steps")]
        assert found == (wanted if stages == [0, 25, 1050] else []), stages


def test_every_layer_has_a_chapter_that_is_there(facts):
    assert facts["chapter_of"] == {
        "input": "data", "conv1": "convolution", "pool1": "pooling", "conv2": "second", "pool2": "pooling",
        "flatten": "flatten", "dense": "dense", "softmax": "softmax",
    }  # fmt: skip
    assert set(facts["chapter_of"].values()) <= {name[3:] for name in chapter_names()}


def test_the_most_confident_mistake_is_the_same_wherever_it_is_named(told):
    shown = told[1]
    first = re.search(r"mistake of this run \(test image (\d+);", shown)[1]
    gallery = shown[shown.index("Its most confident mistakes") :]
    assert re.search(r'alt="Test image (\d+),', gallery)[1] == first


def test_confusions_that_are_equally_frequent_are_all_named(few):
    record = Record.read(few)
    labels = np.arange(90) % 10
    record = replace(record, data=replace(record.data, y_test=labels.astype(np.uint8)))

    def said(wrong: dict[int, int]) -> str:
        answers = labels.copy()
        answers[list(wrong)] = list(wrong.values())
        probabilities = np.eye(10, dtype=np.float32)[answers] * 0.8 + 0.02
        whole = replace(record, evaluation=evaluate_predictions(probabilities, labels), answers=probabilities)
        facts = facts_of(whole, {})
        assert [len(cell.images) for row in facts["errors"].matrix for cell in row if not cell.right] == [
            cell.times for row in facts["errors"].matrix for cell in row if not cell.right
        ]
        return words_of(chapters_of(facts)["23-errors"])

    assert "The most frequent confusion: a 4 taken for a 9, twice." in said({4: 9, 14: 9, 5: 3})
    assert "confusions: a 4 taken for a 9 and a 5 taken for a 3, once each." in said({4: 9, 5: 3})
    assert "No confusion stands out: 4 of them happened once each." in said({4: 9, 5: 3, 6: 0, 7: 1})
    assert "confusion:" not in said({})


def test_text_of_a_run_cannot_become_markup():
    filled = templates.environment().from_string
    assert filled("<p>{{ name }}</p>").render(name="<script>") == "<p>&lt;script&gt;</p>"
    assert "<" not in filled("{{ window|tojson }}").render(window={"of": "</script><!--"})
    macro = '{% from "macros.html" import picture %}{{ picture(pixels, words) }}'
    page = parsed(filled(macro).render(pixels=np.zeros((2, 2), np.uint8), words='"><script>'))
    assert page.faults == [] and page.silent == [] and not page.ids
    with pytest.raises(UndefinedError):
        filled("{{ missing }}").render()
    with pytest.raises(UndefinedError):
        filled("{% if run.missing %}{% endif %}").render(run={})


def test_names_of_a_foreign_run_are_escaped_wherever_they_stand(few, tmp_path):
    record = Record.read(few)
    bad = "\"'><script>alert(1)</script>"
    config = record.config | {
        "recipe": record.config["recipe"] | {"name": bad}, "data_sha256": bad, "machine": bad, "settings": [bad],
        "versions": {bad: bad}, "execution": {"backend": bad},
    }  # fmt: skip
    foreign = replace(record, config=config, folder=tmp_path / "a<b>")
    chapters = chapters_of(facts_of(foreign, stand_in() | {"command": bad, "machine": bad}))
    text = "".join(chapters.values())
    assert parsed(text).faults == [] and "<script" not in text and text.count("&lt;script&gt;") > 10


def test_what_is_known_already_is_not_computed_again(few, monkeypatch):
    model, data = load(few), Record.read(few).data
    answers = model.predict(data.x_test)
    monkeypatch.setattr("digitscope.web.report.record.load", lambda _: pytest.fail("opened the model again"))
    record = Record.read(few, data, model, answers)
    assert record.model is model and record.probabilities is answers and record.data is data
    with pytest.raises(ConfigError, match="probabilities have shape"):
        Record.read(few, data, model, answers[:5])


@pytest.mark.parametrize("damage", ["config.json", "metrics.json", "evaluation.json", "history.csv", "model.onnx"])
@pytest.mark.parametrize("content", [None, b"", b"[1, 2]", b"\xff\x00{", b'{"recipe": 1, "seed": 1, "data": "mnist"}'])
def test_a_damaged_run_is_one_clear_error(run, tmp_path, damage, content):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("config.json", "metrics.json", "evaluation.json", "history.csv", "model.onnx"):
        shutil.copy(run / name, folder / name)
    (folder / damage).unlink() if content is None else (folder / damage).write_bytes(content)
    with pytest.raises(DigitscopeError):
        build.write_report(folder)
    assert not (folder / "report.html").exists()


def test_another_recipe_on_other_data_is_told_by_its_own_numbers(tmp_path):
    networks, export = (
        pytest.importorskip("digitscope.training.networks"),
        pytest.importorskip("digitscope.models.export_onnx"),
    )
    fitting = pytest.importorskip("digitscope.training.fit")
    (x, y), (x_test, y_test) = load_mnist()
    data = tmp_path / "a <b> & c.npz"
    np.savez(data, x_train=x[:300], y_train=y[:300], x_test=x_test[:90], y_test=y_test[:90])
    changes = {"pooling": "average", "filters": "3,5", "kernel": 5, "dense": 9, "epochs": 2, "batch_size": 128}
    recipe = recipe_of("seed", changes | {"schedule": "one-cycle", "warmup": 0.25})
    export.export_onnx(networks.build(recipe), tmp_path / "model.onnx")
    write_run(tmp_path, recipe, str(data), 300)
    text = build.write_report(tmp_path, comparisons={}).read_text(encoding="utf-8")
    page, text = parsed(text), " ".join(text.split())
    assert page.faults == [] and [name for name, times in page.ids.items() if times > 1] == []
    for shown in ("Pooling: from 24 to 12", "average pooling", "3·(5·5·1) + 3 = 78", "5·(5·5·3) + 5 = 380",
                  "4×4×5 = 80", "a &lt;b&gt; &amp; c.npz", "3 steps for each pass",
                  "the 44 that are left"):  # fmt: skip
        assert shown in text
    for absent in ("max-pooling</em>", "wrong labels set aside", "find no partner", "make comparisons", "Beside it"):
        assert absent not in text
    planned = fitting.OneCycle(recipe.learning_rate, 6, recipe.warmup)
    rates = Record.read(tmp_path).learning_rates
    np.testing.assert_allclose(rates, [float(planned(step)) for step in range(6)], rtol=1e-5)


def sees(lens: Lens, name: str) -> int:
    """How many pixels wide the part of the picture is that the first cell of a layer depends on, followed back."""
    cell = (0, 0, 0)
    while lens.layer(name).kind != "input":
        cell = tuple(int(part) for part in lens.terms(name, cell).sources.max(axis=0))
        name = lens.before(name).name
    return cell[1] + 1


def words_of(text: str) -> str:
    """What a reader sees of a page or chapter, on one line."""
    return " ".join(re.sub(r"<(script|style).*?</\1>|<[^>]*>", "", text, flags=re.DOTALL).split())


CLASSIC_ONLY = ("The second convolution: patterns", "the second layer", "same three steps", "The same network",
                "two convolutions do", "The same short training", "maps of maps",
                "in the first and", "Pooling: from 26")  # fmt: skip
"""What may not be said of a network with more convolutions than the classic one."""


def test_a_deeper_network_is_told_by_its_own_layers(tmp_path):
    networks, export = (
        pytest.importorskip("digitscope.training.networks"),
        pytest.importorskip("digitscope.models.export_onnx"),
    )
    (x, y), (x_test, y_test) = load_mnist()
    np.savez(tmp_path / "few.npz", x_train=x[:300], y_train=y[:300], x_test=x_test[:90], y_test=y_test[:90])
    recipe = recipe_of("classic", {"convolutions": 2, "filters": "4,6", "last_filters": 5, "epochs": 1})
    export.export_onnx(networks.build(recipe), tmp_path / "model.onnx")
    write_run(tmp_path, recipe, str(tmp_path / "few.npz"), 300)
    text = build.write_report(tmp_path, comparisons=stand_in()).read_text(encoding="utf-8")
    lens, page, told = Record.read(tmp_path).lens, parsed(text), words_of(text)
    assert page.faults == [] and [name for name, times in page.ids.items() if times > 1] == []
    sides = {layer.name: layer.shape[0] for layer in lens.layers}
    numbers = {layer.name: layer.parameters for layer in lens.layers}
    assert [sides[name] for name in ("conv2", "pool1", "conv4", "pool2", "conv5")] == [24, 12, 8, 4, 2]
    for shown in (
        f"Pooling: from {sides['conv2']} to {sides['pool1']}",
        f"{sees(lens, 'conv1')}×3 after conv1, {sees(lens, 'conv2')}×5 after conv2",
        f"The 4 maps of conv2 for our digit, {sides['conv2']}×24 each",
        f"So far {numbers['conv1'] + numbers['conv2']} learned numbers",
        f"One cell of these maps depends on {sees(lens, 'conv3')}×{sees(lens, 'conv3')} pixels",
        lens.layer("conv3").parameter_formula,
        f"conv4 does the same with the 6 maps of the layer before. After that a cell depends on {sees(lens, 'conv4')}×",
        f"6 maps of {sides['pool2']}×{sides['pool2']} remain. One more convolution, conv5, makes 5 maps of 2×2",
        f"of them: 20 numbers, each of which knows about {sees(lens, 'conv5')}×{sees(lens, 'conv5')} pixels",
        f"{sides['conv5']}×{sides['conv5']}×5 = {lens.layer('flatten').values.size}",
        "the five convolutions do",
        f"{sum(numbers.values()):,}",
    ):
        assert shown in told, shown
    assert [sentence for sentence in CLASSIC_ONLY if sentence in told] == []
    assert "find no partner" not in told, "24, 12, 8 and 4 cells all have one"
    assert "One dot: the mean over the only epoch." in told and "Look where" not in told


@pytest.mark.parametrize(("teachers", "smoothing"), [(0, 0.0), (0, 0.2), (1, 0.0), (3, 0.2)])
def test_teachers_and_softened_labels_are_told_where_there_are_some(tmp_path, monkeypatch, teachers, smoothing):
    """The least loss that the training can reach is that of an answer equal to what is asked for."""
    monkeypatch.setattr(figures, "svg", lambda *_: '<svg aria-label="drawn by other tests"></svg>')
    networks, export = (
        pytest.importorskip("digitscope.training.networks"),
        pytest.importorskip("digitscope.models.export_onnx"),
    )
    (x, y), (x_test, y_test) = load_mnist()
    np.savez(tmp_path / "few.npz", x_train=x[:300], y_train=y[:300], x_test=x_test[:90], y_test=y_test[:90])
    settings = {"filters": "4,6", "epochs": 2, "teachers": teachers, "label_smoothing": smoothing, "teacher_share": 0.8}
    recipe = recipe_of("classic", settings)
    export.export_onnx(networks.build(recipe), tmp_path / "model.onnx")
    write_run(tmp_path, recipe, str(tmp_path / "few.npz"), 300)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | {"settings": ["filters=4:6", "epochs=2"]}))
    text = build.write_report(tmp_path, comparisons=stand_in()).read_text(encoding="utf-8")
    told, name = words_of(text), {0: "no teachers", 1: "one teacher", 3: "three teachers"}[teachers]
    assert parsed(text).faults == []
    asked = smoothing / 10 + (1 - smoothing) * np.eye(10)[0]
    least = -float(np.sum(asked * np.log(asked, where=asked > 0, out=np.zeros(10))))
    looks = f"for {300 * 2 * (1 + teachers):,} looks at a digit" + (f", those of {name} included" if teachers else "")
    assert looks + ", on this computer" in told
    for sentence in (f"it had {name}", "80 % what they answer on average and 20 % the label", f"after {name} had done",
                     f"Before it, {name} with the same layers"):  # fmt: skip
        assert (sentence in told.replace("\N{NO-BREAK SPACE}", " ")) is (teachers > 0), sentence
    assert (f"even the best possible answer costs {least:.2f} there" in told) is (smoothing > 0 and not teachers)
    assert ("cannot be compared with the test loss" in told) is (teachers > 0)
    assert ("On top of what the teachers said" in told) is (teachers > 0 and smoothing > 0)
    assert ("The mean of their answers is usually better" in told) is (teachers > 1)
    assert "recipe “classic”, with filters=4:6, epochs=2, data" in told
    assert "this run (classic, with filters=4:6, epochs=2)" in told
    assert "although the test loss" not in told, "a network that has learned nothing is far above the least loss"
    assert "it has been set before" not in told, "of MNIST's test digits, not of others"
    assert "same distorted digit" not in told and "too small or was trained too briefly" in told
    assert "falls below 99" not in told and "misreads twice as many" in told


def test_what_is_said_of_a_trained_network_is_true_of_this_one(told):
    shown = words_of(told[1])
    for sentence in ("recipe “classic”, data MNIST", "this run (classic)", "weights and biases, found by training",
                     "although the test loss is", "divided by 0.5, a number found on validation writers",
                     "nearly all answers lie in the last bar", "filters can you take away before it falls below 99",
                     "too small to tell from the difference", "Many are small edge detectors", "(but for max-pooling)",
                     "Each dot is the mean over an epoch", "this exam: it has been set before"):  # fmt: skip
        assert sentence in shown, sentence
    for sentence in ("network is too modest", "trained too briefly", "Before it,", "learned by heart; a large"):
        assert sentence not in shown, sentence
    assert int(re.search(r"mistake of this run \(test image (\d+);", shown)[1]) not in WRONG_TEST_LABELS


def test_a_written_sum_can_be_added_up_with_a_calculator(told):
    written = re.search(r'aria-label="The sum written out">(.*?)</div>', told[1])[1]
    products, result = words_of(written).replace("\N{MINUS SIGN}", "-").split(" = ")
    terms = [term.removesuffix(" (bias)") for term in products.split(" + ")]
    factors = [[float(factor.strip("()")) for factor in term.split("·")] for term in terms]
    assert len(factors) == 10
    assert sum(np.prod(each) for each in factors) == pytest.approx(float(result), abs=1.5e-3)


@pytest.mark.parametrize(("confidence", "wrong", "modest"), [(0.55, 0, True), (0.999, 0, False), (0.999, 20, False)])
def test_a_network_is_called_modest_only_if_it_is(few, confidence, wrong, modest):
    record = Record.read(few)
    labels = record.data.y_test
    answers = (labels + (np.arange(90) < wrong)) % 10
    probabilities = np.full((90, 10), (1 - confidence) / 9)
    probabilities[np.arange(90), answers] = confidence
    record = replace(record, evaluation=evaluate_predictions(probabilities, labels))
    chapters = chapters_of(facts_of(record, {}))
    errors, split = (words_of(chapters[name]) for name in ("23-errors", "03-split"))
    assert ("average it gives its answers 55.00 %" in errors) is modest
    assert ("temperature below 0.5 would correct that" in errors) is modest
    assert ("nearly all answers lie in the last bar" in errors) is (confidence > 0.9)
    assert ("trained too briefly" in errors) is (wrong > 0)
    assert ("a good part of it is what the network has learned by heart" in split) is (wrong > 0)


def test_figures_of_a_deeper_network_have_room_for_every_layer(tmp_path):
    networks, export = (
        pytest.importorskip("digitscope.training.networks"),
        pytest.importorskip("digitscope.models.export_onnx"),
    )
    recipe = recipe_of("classic", {"convolutions": 2, "filters": "4,6", "last_filters": 5})
    export.export_onnx(networks.build(recipe), tmp_path / "model.onnx")
    lens = look(load(tmp_path / "model.onnx"), load_mnist()[1][0][0])
    names = [layer.name for layer in lens.layers]
    sheet = {text.get_text(): text.get_position() for text in overview.overview(lens).texts}
    rows = [
        [name for name in names if name in sheet and sheet[name][1] == sheet[first][1]] for first in ("conv1", "conv3")
    ]
    assert rows == [["input", "conv1", "conv2", "pool1"], ["conv3", "conv4", "pool2", "conv5"]]
    boxes = {text.get_text(): text.get_position() for text in architecture.architecture(lens.layers).texts}
    assert min(np.diff([boxes[name][0] for name in names])) > 1.1, "inches, about as wide as the words below a box"


def test_the_pooling_animation_pools_what_the_network_pools(tmp_path):
    networks, export = (
        pytest.importorskip("digitscope.training.networks"),
        pytest.importorskip("digitscope.models.export_onnx"),
    )
    recipe = recipe_of("classic", {"convolutions": 3, "filters": "6,2", "pooling": "average", "kernel": 2})
    export.export_onnx(networks.build(recipe), tmp_path / "model.onnx")
    lens = look(load(tmp_path / "model.onnx"), load_mnist()[1][0][0])
    pool = window.data(lens, network.facts(lens))["pool"]
    assert (pool["of"], pool["side"], pool["pooledSide"], pool["mode"]) == ("conv3", 25, 12, "average")
    for one in pool["maps"]:
        values = np.float32(one["values"]).reshape(25, 25)
        np.testing.assert_array_equal(values, lens.layer("conv3").values[:, :, one["number"]])
        means = values[:24, :24].reshape(12, 2, 12, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(np.float32(one["pooled"]).reshape(12, 12), means, rtol=1e-5, atol=1e-6)


def outline(recipe: Recipe) -> Lens:
    """The network of a recipe as a lens, with nothing in it but zeros."""
    kinds = {"Conv2D": "conv2d", "MaxPooling2D": "max_pooling2d", "AveragePooling2D": "average_pooling2d",
             "Flatten": "flatten", "Dense": "dense"}  # fmt: skip
    views = [LayerView("input", "input", "linear", (28, 28, 1), 0, np.zeros((28, 28, 1), np.float32))]
    for layer in pytest.importorskip("digitscope.training.networks").build(recipe).layers:
        size = tuple(layer.output.shape[1:])
        values = np.zeros(size, np.float32)
        kernel, bias = layer.get_weights() or (None, None)
        window = getattr(layer, "kernel_size", getattr(layer, "pool_size", None)) if len(size) == 3 else None
        activation = layer.activation.__name__ if kernel is not None else "linear"
        views.append(LayerView(layer.name, kinds[type(layer).__name__], activation, size, layer.count_params(), values,
                               values, kernel, bias, window, layer.strides if window else None))  # fmt: skip
    return Lens(views[0].values[..., 0], tuple(views))


def buildable(convolutions: int, kernel: int, last_filters: int, pooling: str) -> list[Recipe]:
    """The one recipe with these settings, or none where nothing would be left of the picture."""
    changes = {"convolutions": convolutions, "kernel": kernel, "last_filters": last_filters, "pooling": pooling}
    try:
        return [recipe_of("classic", changes | {"filters": "2,3", "dense": 4})]
    except ConfigError:
        return []


BUILDABLE = [
    recipe
    for choice in itertools.product(range(1, 9), range(1, 10), (0, 5), ("max", "average"))
    for recipe in buildable(*choice)
]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(BUILDABLE))
def test_sizes_are_true_of_every_network_that_recipes_build(facts, recipe):
    lens = outline(recipe)
    built = network.facts(lens)
    swapped = facts | {"network": built, "sheets": sheets.facts(lens, built, facts["cells"].dense)}
    chapters = {name: words_of(body) for name, body in chapters_of(swapped).items()}
    told = " ".join(chapters.values())
    assert "<!--" not in told and told.count("$") == 0 and "{{" not in told
    pooled, pool1, pool2 = (lens.layer(name).shape[0] for name in (lens.before("pool1").name, "pool1", "pool2"))
    last, pooled_again = lens.before("flatten"), lens.before("pool2").shape[0]
    assert f"Pooling: from {pooled} to {pool1} " in told
    assert f"a map of {pooled}×{pooled} would become {pooled - 1}×{pooled - 1}." in told
    assert told.count("find no partner") == pooled % 2 + pooled_again % 2
    assert f"3 maps of {pool2}×{pool2} remain" in told
    assert f"each of which knows about {sees(lens, last.name)}×" in told
    side, _, maps, flat = re.search(r"in one row: (\d+)×(\d+)×(\d+) = ([\d,]+)\.", told).groups()
    assert (int(side), int(maps)) == (last.shape[0], last.shape[2])
    assert int(flat.replace(",", "")) == int(side) ** 2 * int(maps) == lens.layer("flatten").shape[0]
    for name, wide in re.findall(r"(\d+)×\d+ after (conv\d)", chapters["10-relu"]):
        assert int(name) == sees(lens, wide)
    assert ("The second convolution: patterns" in told) is (recipe.convolutions == 1)
    assert ("edge detectors" in told) is ("filter’s pattern fits here" in told) is (recipe.kernel > 1)
    assert "Many are small edge detectors" not in told and "upper edge here”" not in told, "of two filters"
    assert ("the two convolutions do" in told) is (recipe.convolutions == 1 and not recipe.last_filters)
