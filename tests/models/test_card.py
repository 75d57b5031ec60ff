from __future__ import annotations

import contextlib
import copy
import json
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_layers import json_values
from typer.testing import CliRunner

from digitscope.cli import app
from digitscope.datasets.load import load_dataset
from digitscope.datasets.split import Part, data_warnings
from digitscope.errors import ConfigError, DigitscopeError, ModelError
from digitscope.models.card import write_card
from digitscope.models.card_text import card_text
from digitscope.models.formats import export_model
from digitscope.models.inputs import network_input
from digitscope.models.model import Model, load, shipped

PARTS = ("config", "metrics", "evaluation")
FORMATS = {"onnx", "keras", "tflite", "json", "c"}


@pytest.fixture
def run(small_run: Path, tmp_path: Path) -> Path:
    """A copy of a real run's model and JSON files, to be changed."""
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("model.onnx", *(f"{part}.json" for part in PARTS)):
        shutil.copy(small_run / name, folder)
    return folder


def contents(run: Path) -> dict[str, Any]:
    return {part: json.loads((run / f"{part}.json").read_text("utf-8")) for part in PARTS}


def front_matter(text: str) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    start, front, _ = text.split("---\n", 2)
    assert not start
    return dict(yaml.safe_load(front))


def test_a_card_says_what_the_files_of_the_run_say(run: Path):
    files = contents(run)
    path = write_card(load(run), run, licence="mit")
    text = path.read_text("utf-8")
    front = front_matter(text)
    assert (front["license"], front["library_name"]) == ("mit", "digitscope")
    (entry,) = front["model-index"]
    (result,) = entry["results"]
    assert entry["name"] == "classic"
    assert result["dataset"] == {"type": "small.npz", "name": "small.npz", "split": "test", "args": {"n": 1000}}
    assert result["metrics"][0]["value"] == files["metrics"]["test_accuracy"]
    assert "datasets" not in front, "4,000 digits of MNIST are not MNIST"
    assert str(run.parent.parent) not in text, "folders may name a person"
    for name, value in files["config"]["recipe"].items():
        word = str(value).lower() if value is None or isinstance(value, bool) else str(value).strip("[]")
        assert name == "name" or f"| `{name}` | `{word}` |" in text
    assert f"| Misses | {files['metrics']['misses']:,} |" in text
    assert f"It has {files['metrics']['parameters']:,} trained parameters" in text
    assert text.count("\n| 7 |") == 1, "a row for each digit"
    assert 'digitscope.load("model.onnx")' in text
    assert not re.search("`(None|True|False)`", text), "the card is not only for Python users"
    assert "| `ema` | `none` |" in text


def test_a_shipped_card_names_mnist_its_licence_and_the_spread_over_seeds():
    model = load("classic")
    text = card_text(model)
    front = front_matter(text)
    assert (front["license"], front["datasets"]) == ("apache-2.0", ["ylecun/mnist"])
    assert front["model-index"][0]["results"][0]["metrics"][0]["value"] == model.card["metrics"]["test_accuracy"]
    seeds = model.card["over_seeds"]
    assert f"over {seeds['n']} seeds: {100 * seeds['mean_accuracy']:.3f} ± " in text
    assert f"| commit | `{model.card['commit']}` |" in text
    assert "measured on MNIST's test images" in text and "lists each time" in text
    assert 'digitscope.load("classic")' in text
    assert "onnxruntime.InferenceSession" not in text, "there is no file beside the card"


def test_the_card_of_reader_digit_names_other_writers_and_both_licences():
    """It has no figure on MNIST's test images, and no other may take that place."""
    card = load("reader-digit").card
    text = card_text(load("reader-digit"))
    (result,) = front_matter(text)["model-index"][0]["results"]
    assert result["dataset"]["name"] == "UNIPEN's validation writers" and result["dataset"]["split"] == "validation"
    assert result["dataset"]["args"] == {"n": card["metrics"]["n"]}
    assert result["metrics"][0]["value"] == card["metrics"]["unseen_writers_right"]
    assert "settings were chosen on them" in text
    _, _, licences = text.partition("## Licences\n")
    assert "CC BY-SA 3.0" in licences and "CC BY 4.0 at doi" in licences and "which has not seen it.\n" in licences


@pytest.mark.parametrize("name", shipped())
def test_export_writes_a_folder_as_hubs_keep_it(name: str, tmp_path: Path):
    out = tmp_path / name / "model.onnx"
    done = CliRunner().invoke(app, ["export", name, "--card", "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert {path.name for path in out.parent.iterdir()} == {"model.onnx", "README.md"}
    text = (out.parent / "README.md").read_text("utf-8")
    front = front_matter(text)
    assert (front["license"], front["datasets"]) == ("apache-2.0", ["ylecun/mnist"])
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", front["pipeline_tag"]) and "onnx" in front["tags"]
    for result in front["model-index"][0]["results"]:
        assert result["task"]["type"] == front["pipeline_tag"]
        assert result["dataset"]["type"] and result["dataset"]["name"]
        assert all(metric["type"] in front["metrics"] and 0 < metric["value"] < 1 for metric in result["metrics"])
    assert "\n## Licences\n\n- The weights: `apache-2.0`." in text
    assert load(out.parent).predict(load_dataset("mnist").x_test[:1]).shape == (1, 10)


def test_what_is_not_known_is_left_out(run: Path):
    for part in ("metrics", "evaluation"):
        (run / f"{part}.json").unlink()
    text = card_text(load(run))
    assert "## Results" not in text
    assert not {"metrics", "model-index", "license"} & set(front_matter(text))
    (run / "config.json").unlink()
    with pytest.raises(ConfigError, match="nothing is known"):
        card_text(load(run))


def test_metrics_are_enough_for_the_results(run: Path):
    (run / "evaluation.json").unlink()
    accuracy = json.loads((run / "metrics.json").read_text("utf-8"))["test_accuracy"]
    text = card_text(load(run))
    assert f"| Accuracy | {100 * accuracy:.2f} % |" in text
    assert "| digit | precision |" not in text


@pytest.mark.parametrize(
    ("file", "tag", "loaded"),
    [
        ("b.onnx", "onnx", True),
        ("b.keras", "keras", True),
        ("b.tflite", "tflite", False),
        ("b.json", "json", False),
        ("b.h", "c", False),
    ],
)
def test_the_example_is_of_the_file_that_was_written(file: str, tag: str, loaded: bool, run: Path, tmp_path: Path):
    """Whatever else lies in the folder; all the code in the card is run."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.onnx").write_bytes(b"another model's")
    model = load(run)
    path = export_model(model, {"json": "weights-json"}.get(tag, tag), tmp_path / "out" / file)  # type: ignore[arg-type]
    text = write_card(model, path).read_text("utf-8")
    assert [word for word in front_matter(text)["tags"] if word in FORMATS] == [tag]
    assert (f'digitscope.load("{file}")' in text) == loaded
    images = network_input(load_dataset("mnist").x_train[:4])
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert examples and "a.onnx" not in text
    for example in examples:
        space: dict[str, Any] = {"images": images}
        with contextlib.chdir(path.parent), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "    Warning: tf.lite.Interpreter is deprecated")
            exec(example, space)
        np.testing.assert_allclose(space["probabilities"], model.predict(images), atol=1e-4)


def test_the_example_of_a_shipped_model_in_a_folder_is_its_name(tmp_path: Path):
    text = write_card(load("classic"), tmp_path / "new").read_text("utf-8")
    assert 'digitscope.load("classic")' in text and not set(front_matter(text)["tags"]) & FORMATS


def test_the_card_warns_of_odd_data_and_of_repeated_images(run: Path):
    """Without the sentence on unseen test images, if some of them are training images."""
    assert "none of which it was trained on" in card_text(load(run))
    folder = "/home/somebody/of ours"
    images = np.random.default_rng(0).integers(0, 9, (30, 28, 28), np.uint8)
    part = Part(images, np.arange(30, dtype=np.uint8) % 10, [f"{folder}/dup.npz, image {n}" for n in range(30)])
    config = contents(run)["config"] | {"data": f"{folder}/dup.npz"}
    (run / "config.json").write_text(json.dumps(config | {"data_warnings": list(data_warnings(part, part))}), "utf-8")
    text = card_text(load(run))
    assert "none of which it was trained on" not in text and "On the test images of `dup.npz`:" in text
    assert "\n- 30 of 30 test images are training images too, pixel for pixel, and flatter the result: dup.npz" in text
    assert "\n- few training images: 3 of 0" in text and "somebody" not in text
    (run / "config.json").write_text(json.dumps(config | {"data_warnings": ["<b>`x`\n# [y]"]}), "utf-8")
    assert r"- \<b\>\`x\` \# \[y\]" in card_text(load(run)), "never markup"
    assert "none of which it was trained on" in card_text(load(run))


def test_export_says_what_is_wrong_before_it_writes(run: Path, tmp_path: Path):
    out, foreign = tmp_path / "out", tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "README.md").write_text("# My project\n")
    for words, said in (
        ([str(run / "model.onnx"), "--card", "-o", f"{out}/x.onnx"], "nothing is known about"),
        ([str(run), "--card", "-o", str(foreign)], "is not a model card"),
        ([str(run), "--license", "mit", "-o", f"{out}/x.onnx"], "--license mit is for the model card; add --card"),
    ):
        result = CliRunner().invoke(app, ["export", *words])
        assert isinstance(result.exception, ConfigError) and said in str(result.exception)
    assert not out.exists() and [path.name for path in foreign.iterdir()] == ["README.md"]
    result = CliRunner().invoke(app, ["export", str(run), "--card", "--license", "mit", "-o", f"{out}/x.onnx"])
    assert result.exit_code == 0, result.output
    size = (out / "x.onnx").stat().st_size
    assert f"x.onnx: {size / 1000:,.0f} kB;" in result.output and "0.0" not in result.output
    assert 'license: "mit"' in (out / "README.md").read_text("utf-8")


def test_the_readme_of_something_else_is_not_touched(run: Path):
    (run / "README.md").write_text("# My project\n")
    with pytest.raises(ConfigError, match="is not a model card"):
        write_card(load(run), run)
    assert (run / "README.md").read_text() == "# My project\n"
    first = write_card(load(run), run / "hub").read_text("utf-8")
    assert write_card(load("robust"), run / "hub").read_text("utf-8") != first
    with pytest.raises(ConfigError, match="cannot be written"):
        write_card(load(run), run / "model.onnx" / "hub")


def test_text_from_a_file_never_becomes_markup(run: Path):
    config = contents(run)["config"]
    config["recipe"]["name"] = 'x`: "\n---\n<b>'
    config["data"] = "/home/somebody/|secret\u2028`.npz"
    (run / "config.json").write_text(json.dumps(config), encoding="utf-8")
    text = card_text(load(run))
    assert front_matter(text)["model-index"][0]["name"] == 'x`: " --- <b>'
    assert "somebody" not in text
    assert "# Digitscope `x': \" --- <b>`" in text
    assert "| data | `/secret '.npz` |" in text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_json_gives_a_card_or_one_sentence(run: Path, classic: Model, files: dict[str, Any], data: st.DataObject):
    changed = copy.deepcopy(files)
    for _ in range(data.draw(st.integers(1, 3))):
        place, key = changed, data.draw(st.sampled_from(PARTS))
        while isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place, key = place[key], data.draw(st.sampled_from(sorted(place[key])))
        place[key] = data.draw(json_values)
    (run / "evaluation.json").write_text(json.dumps(changed["evaluation"]), encoding="utf-8")
    model = Model(str(run), classic.session, {part: changed[part] for part in PARTS[:2]})
    try:
        assert card_text(model).startswith("---\n")
    except DigitscopeError as error:
        assert "\n" not in str(error)


@pytest.fixture
def files(run: Path) -> dict[str, Any]:
    return contents(run)


@pytest.fixture(scope="module")
def classic() -> Model:
    return load("classic")


def test_damaged_files_are_a_model_error(run: Path):
    (run / "evaluation.json").write_bytes(b"\xff{")
    with pytest.raises(ModelError, match="train the run again"):
        card_text(load(run))
