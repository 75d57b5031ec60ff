from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitscope.card import card_text, write_card
from digitscope.errors import ConfigError, DigitscopeError, ModelError
from digitscope.models import Model, load
from test_layers import json_values

PARTS = ("config", "metrics", "evaluation")


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
    assert str(run.parent.parent) not in text, "folders are nobody's business"
    for name, value in files["config"]["recipe"].items():
        assert name == "name" or f"| `{name}` | `{str(value).strip('[]')}` |" in text
    assert f"| Misses | {files['metrics']['misses']:,} |" in text
    assert f"It has learned {files['metrics']['parameters']:,} numbers" in text
    assert text.count("\n| 7 |") == 1, "a row for each digit"
    assert 'digitscope.load("model.onnx")' in text


def test_a_shipped_card_names_mnist_its_licence_and_the_spread_over_seeds():
    model = load("classic")
    text = card_text(model)
    front = front_matter(text)
    assert (front["license"], front["datasets"]) == ("apache-2.0", ["mnist"])
    assert front["model-index"][0]["results"][0]["metrics"][0]["value"] == model.card["metrics"]["test_accuracy"]
    assert (
        f"over {model.card['over_seeds']['n']} seeds: {100 * model.card['over_seeds']['mean_accuracy']:.2f} ±" in text
    )
    assert 'digitscope.load("classic")' in text
    assert "onnxruntime.InferenceSession" not in text, "there is no file beside the card"


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


def test_the_readme_of_something_else_is_not_touched(run: Path):
    (run / "README.md").write_text("# My project\n")
    with pytest.raises(ConfigError, match="is no card of a model"):
        write_card(load(run), run)
    assert (run / "README.md").read_text() == "# My project\n"
    first = write_card(load(run), run / "hub").read_text("utf-8")
    assert write_card(load("robust"), run / "hub").read_text("utf-8") != first
    with pytest.raises(ConfigError, match="cannot be written"):
        write_card(load(run), run / "model.onnx")


def test_text_from_a_file_is_never_markup(run: Path):
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
