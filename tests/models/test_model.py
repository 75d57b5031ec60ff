from __future__ import annotations

import json
import sys
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitscope.datasets.mnist import load_mnist
from digitscope.errors import ConfigError, MissingExtra, ModelError
from digitscope.models.model import load, shipped

CLASSIC = (Path(__file__).parents[2] / "src/digitscope/shipped/models/classic.onnx").read_bytes()


def identity_model(shape: list[int | str], answers: int, activation: str = "Softmax") -> bytes:
    """A model that flattens images of `shape` and answers with what the activation makes of the first numbers."""
    nodes = [
        onnx.helper.make_node("Flatten", ["x"], ["flat"]),
        onnx.helper.make_node("Slice", ["flat", "start", "end", "axis"], ["few"]),
        onnx.helper.make_node(activation, ["few"], ["y"]),
    ]
    constants = [
        onnx.numpy_helper.from_array(np.array([value]), name)
        for name, value in (("start", 0), ("end", answers), ("axis", 1))
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", answers])],
        constants,
    )
    return onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 15)], ir_version=8
    ).SerializeToString()


def test_shipped_models_read_what_their_cards_say():
    (_, _), (x, y) = load_mnist()
    assert shipped() == ["classic", "reader-digit", "robust", "strong"]
    for name in ("classic", "robust", "strong"):
        model = load(name)
        probabilities = model.predict(x)
        assert probabilities.dtype == np.float32
        assert probabilities.shape == (10_000, 10)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        assert int((probabilities.argmax(axis=1) != y).sum()) == model.card["metrics"]["misses"]


def test_whoever_loads_a_shipped_model_shares_its_session_but_not_its_card():
    one, other = load("robust"), load("robust")
    assert one.session is other.session
    assert one.card is not other.card
    assert one.session is not load("classic").session


def test_threads_wait_without_spinning():
    """In a busy loop they would keep a processor from every other program, also after the answer is there."""
    options = load("classic").session._session._session.get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_every_form_of_the_same_image_reads_the_same():
    image = load_mnist()[1][0][3]
    model = load("classic")
    wanted = model.predict(image)
    for form in (
        image[None],
        image[None, ..., None],
        image / 255,
        image.astype(np.float32) / 255,
        image.tolist() and image,
    ):
        np.testing.assert_allclose(model.predict(form), wanted, atol=1e-6)


def test_no_images_give_no_answers():
    assert load("classic").predict(np.zeros((0, 28, 28), np.uint8)).shape == (0, 10)


def test_by_path(tmp_path: Path):
    (tmp_path / "a.onnx").write_bytes(CLASSIC)
    image = load_mnist()[1][0][:5]
    np.testing.assert_array_equal(load(tmp_path / "a.onnx").predict(image), load("classic").predict(image))


def test_by_run_folder_and_keras_file(small_run: Path):
    image = load_mnist()[1][0][:50]
    from_run, from_keras = load(small_run).predict(image), load(small_run / "model.keras").predict(image)
    np.testing.assert_allclose(from_run, from_keras, atol=1e-5)
    assert load(small_run).card["config"]["recipe"]["name"] == "classic"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 bytes"),
        (b"hello", "not a usable ONNX model"),
        (CLASSIC[:5000], "not a usable ONNX model"),
        (identity_model(["n", 32, 32, 1], 10), "28, 28, 1"),
        (identity_model(["n", 28, 28, 1], 11), r"\[n, 10\]"),
    ],
    ids=["empty", "text", "truncated", "wrong input", "wrong output"],
)
def test_bad_onnx_files_are_one_sentence(tmp_path: Path, content: bytes, words: str):
    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=words) as caught:
        load(tmp_path / "bad.onnx")
    assert "\n" not in str(caught.value)


def test_a_foreign_model_reads_but_cannot_be_looked_into(tmp_path: Path):
    (tmp_path / "foreign.onnx").write_bytes(identity_model(["n", 28, 28, 1], 10))
    model = load(tmp_path / "foreign.onnx")
    images = np.zeros((2, 28, 28))
    images[[0, 1], 0, [3, 7]] = 1
    assert model.predict(images).argmax(axis=1).tolist() == [3, 7]
    with pytest.raises(ModelError, match="does not describe its layers"):
        _ = model.session.layers


def test_ten_numbers_that_do_not_add_up_to_1_are_no_probabilities(tmp_path: Path):
    path = tmp_path / "foreign.onnx"
    path.write_bytes(identity_model(["n", 28, 28, 1], 10, "Sigmoid"))
    with pytest.raises(ModelError, match=r"answered 0\.5 to 0\.5; expected"):
        load(path).predict(np.zeros((3, 28, 28), np.uint8))
    path.write_bytes(identity_model(["n", 28, 28, 1], 10, "Identity"))
    model, image = load(path), np.zeros((28, 28), np.float32)
    for values in ([0.5] * 10, [0.0] * 10, [0.1] * 9 + [0.102], [0.1] * 9 + [0.098]):
        image[0, :10] = values
        with pytest.raises(ModelError, match=r"expected probabilities 0\.\.1 that add up to 1, as a softmax") as caught:
            model.predict([image])
        assert str(path) in str(caught.value)
    image[0, :10] = [0.1] * 9 + [0.1005]
    assert model.predict([image]).shape == (1, 10)


def test_a_keras_file_without_keras_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = keras_file(tmp_path / "a.keras", ["InputLayer"])
    for module in ("digitscope.backend", "digitscope.models.export_onnx", "digitscope.models.keras_onnx"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(
        MissingExtra, match=r'^keras is not installed; install it with: pip install "digitscope\[train\]"'
    ):
        load(path)


@pytest.mark.parametrize(
    ("name", "words"),
    [("nothing", "no model 'nothing'"), ("pyproject.toml", "ends in '.toml'"), ("tests", "no model.onnx")],
)
def test_something_else_than_a_model_is_one_sentence(name: str, words: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    with pytest.raises((ConfigError, ModelError), match=words):
        load(name)


def keras_file(path: Path, layers: list[str]) -> Path:
    config = {"class_name": "Sequential", "config": {"layers": [{"class_name": name} for name in layers]}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    return path


@pytest.mark.parametrize(
    ("layers", "words"),
    [(["InputLayer", "Lambda"], "Lambda"), (["Conv2D"], "cannot be loaded"), (["os.system"], "os.system")],
)
def test_hostile_keras_files_are_refused(tmp_path: Path, layers: list[str], words: str):
    with pytest.raises(ModelError, match=words):
        load(keras_file(tmp_path / "hostile.keras", layers))


@pytest.mark.parametrize("name", ["theirs>Dense", 7])
def test_registered_classes_are_refused(name: object, tmp_path: Path):
    """Keras would look such a class up in what other packages have registered."""
    path, layer = tmp_path / "a.keras", {"class_name": "Dense", "registered_name": name}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}}))
    with pytest.raises(ModelError, match="holds registered classes"):
        load(path)


@given(st.binary(max_size=400), st.integers(0, len(CLASSIC) - 1), st.sampled_from([".onnx", ".keras"]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_arbitrary_bytes_give_only_our_errors(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, where: int, suffix: str
):
    folder = tmp_path_factory.mktemp("fuzz")
    damaged = CLASSIC[:where] + content + CLASSIC[where + len(content) :]
    for number, part in enumerate((content, damaged if suffix == ".onnx" else content + b"PK\x05\x06" + bytes(18))):
        path = folder / f"{number}{suffix}"
        path.write_bytes(part)
        try:
            load(path).predict(np.zeros((1, 28, 28), np.uint8))
        except ModelError as error:
            assert "\n" not in str(error)


def test_what_ships_for_reading_stays_small():
    shipped_folder = resources.files("digitscope") / "shipped"
    with resources.as_file(shipped_folder) as folder:
        models = [*folder.glob("models/*.onnx"), *folder.glob("models/*.known.json"), *folder.glob("lines/*.onnx")]
        assert len(models) >= 4
        assert sum(path.stat().st_size for path in models) <= 8_000_000, "all models together"
