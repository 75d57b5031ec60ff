from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from test_model import identity_model

from digitscope.datasets.load import load_dataset
from digitscope.errors import ConfigError, MissingExtra, ModelError
from digitscope.models import export_keras
from digitscope.models.c_header import header_record, header_text
from digitscope.models.formats import Format, export_model, export_path
from digitscope.models.inputs import network_input
from digitscope.models.layers import layer_views
from digitscope.models.model import Model, load
from digitscope.models.weights_json import answers
from digitscope.quiet import quiet
from plain_network import plain_probabilities
from small_network import small_network

IMAGES = network_input(load_dataset("mnist").x_train[40_000:40_020])
FORMATS: list[Format] = ["onnx", "keras", "tflite", "weights-json", "c"]
SUFFIXES = {"onnx": ".onnx", "keras": ".keras", "tflite": ".tflite", "weights-json": ".json", "c": ".h"}
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def asked_tflite(path: Path) -> np.ndarray:
    """One image at a time, without resizing the input, as a phone would."""
    import tensorflow as tf

    with quiet():
        interpreter = tf.lite.Interpreter(model_path=str(path))
    run = interpreter.get_signature_runner()
    (name,) = interpreter.get_signature_list()["serving_default"]["inputs"]
    return np.concatenate([next(iter(run(**{name: image[None]}).values())) for image in IMAGES])


def asked_c(header: Path, name: str) -> np.ndarray:
    """Compiled as C99 without a warning, and asked for one image after the other."""
    if COMPILER is None:
        pytest.skip("NO COMPILER: install a C compiler to test the header")
    with tempfile.TemporaryDirectory() as folder:
        code, library = Path(folder) / "a.c", Path(folder) / "a.so"
        code.write_text(
            f'#include "{header}"\nint ask(const float *image, float *out) {{ return {name}_read(image, out); }}'
        )
        words = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC"]
        subprocess.run([COMPILER, *words, str(code), "-o", str(library), "-lm"], check=True)
        ask = ctypes.CDLL(str(library)).ask
    answers, pointer = np.zeros((len(IMAGES), 10), np.float32), ctypes.POINTER(ctypes.c_float)
    for image, answer in zip(np.ascontiguousarray(IMAGES), answers, strict=True):
        assert ask(image.ctypes.data_as(pointer), answer.ctypes.data_as(pointer)) == answer.argmax()
    return answers


ASK: dict[str, Callable[[Path], np.ndarray]] = {
    "onnx": lambda path: load(path).session.probabilities(IMAGES),
    "keras": lambda path: load(path).session.probabilities(IMAGES),
    "tflite": asked_tflite,
    "c": lambda path: asked_c(path, path.stem),
    "weights-json": lambda path: np.stack([plain_probabilities(path.read_text("utf-8"), i) for i in IMAGES[:2]]),
}


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_written_answers_the_same_and_nothing_is_printed(
    format: Format, small_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    model = load(small_run)
    planned = export_path(model, format, tmp_path / "deep" / "net")
    assert not planned.parent.exists(), "a plan writes nothing"
    path = export_model(model, format, tmp_path / "deep" / "net")
    assert path == planned
    assert path == tmp_path / "deep" / "net" / f"small{SUFFIXES[format]}"
    assert capfd.readouterr() == ("", "")
    assert list(path.parent.iterdir()) == [path]
    found = ASK[format](path)
    np.testing.assert_allclose(found, model.session.probabilities(IMAGES[: len(found)]), atol=1e-5)


def test_the_keras_file_is_the_one_that_the_training_saved(small_run: Path, tmp_path: Path):
    path = export_model(load(small_run), "keras", tmp_path)
    saved, exported = (keras.saving.load_model(file, compile=False) for file in (small_run / "model.keras", path))
    for ours, theirs in zip(exported.layers, saved.layers, strict=True):
        wanted, found = theirs.get_config(), ours.get_config()
        unlearned = ("kernel_initializer", "bias_initializer", "build_config", "batch_shape")
        assert {k: v for k, v in found.items() if k not in unlearned} == {
            k: v for k, v in wanted.items() if k not in unlearned
        }
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_shipped_model_can_be_trained_further_in_keras(tmp_path: Path):
    network = keras.saving.load_model(export_model(load("classic"), "keras", tmp_path))
    network.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    data = load_dataset("mnist")
    before = network.get_weights()[0].copy()
    network.fit(IMAGES, data.y_train[40_000:40_020], verbose=0)
    assert not np.array_equal(before, network.get_weights()[0])


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["max_pooling2d", "average_pooling2d"])
def test_keras_gets_every_kind_of_window(padding: str, kind: str):
    session = small_network(padding, kind, strides=2, bias=False)
    network = export_keras.keras_network(layer_views(session, IMAGES[:1]))
    wanted = session.tensors(IMAGES[:1], ["probabilities"])["probabilities"]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(network(IMAGES[:1])), wanted, atol=1e-6)
    assert network.count_params() == sum(layer["parameters"] for layer in session.layers)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["max_pooling2d", "average_pooling2d"])
def test_c_has_every_kind_of_window(padding: str, kind: str, tmp_path: Path):
    session = small_network(padding, kind, strides=2, bias=False)
    header = tmp_path / "a.h"
    header.write_text(header_text(layer_views(session, IMAGES[:1]), "7 of */ mine", "ends no comment: */"))
    wanted = [session.tensors(image[None], ["probabilities"])["probabilities"][0] for image in IMAGES]
    np.testing.assert_allclose(asked_c(header, "digits_7_of____mine"), wanted, atol=1e-6)
    np.testing.assert_allclose(answers(header_record(header.read_text()), IMAGES), wanted, atol=1e-6)


def test_eight_bits_take_levels_and_a_quarter_of_the_size(tmp_path: Path):
    import tensorflow as tf

    full, small = (export_model(load("classic"), format, tmp_path / format) for format in ("tflite", "tflite-int8"))
    assert small.stat().st_size < 0.3 * full.stat().st_size
    with quiet():
        interpreter = tf.lite.Interpreter(model_path=str(small))
        interpreter.allocate_tensors()
    (asked,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    images, wanted = load_dataset("mnist").x_train[40_000:40_200], []
    for image in images:
        interpreter.set_tensor(asked["index"], (image.astype(int) - 128).astype(np.int8)[None, ..., None])
        interpreter.invoke()
        wanted.append(interpreter.get_tensor(answer["index"])[0])
    found = (np.array(wanted).astype(int) + 128) / 256
    assert np.all(np.abs(found.sum(axis=1) - 1) < 0.03), "probabilities in 256ths"
    assert np.mean(found.argmax(axis=1) == load("classic").predict(images).argmax(axis=1)) > 0.98


@pytest.mark.parametrize("wrong", [0.01, np.nan])
@pytest.mark.parametrize("format", ["keras", "tflite"])
def test_a_file_that_answers_differently_is_not_written(
    format: Format, wrong: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old = tmp_path / f"net{SUFFIXES[format]}"
    old.write_text("old")
    build = export_keras.keras_network

    def spoilt(layers: object) -> keras.Sequential:
        network = build(layers)
        network.layers[0].bias.assign(network.layers[0].bias + wrong)
        return network

    monkeypatch.setattr(export_keras, "keras_network", spoilt)
    with pytest.raises(ModelError, match=f"classic as {format} answers differently"):
        export_model(load("classic"), format, old)
    assert [old.read_text()] == [file.read_text() for file in tmp_path.iterdir()]


def test_text_and_onnx_need_no_keras(tmp_path: Path):
    program = (
        "import sys, digitscope; from digitscope.models.formats import export_model\n"
        "for format in ('onnx', 'weights-json'): print(export_model(digitscope.load('robust'), format))\n"
        "print(sorted({'keras', 'tensorflow', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["robust.onnx", "robust.json", "[]"]
    assert (tmp_path / "robust.onnx").read_bytes() == load("robust").session.content


@pytest.mark.parametrize(
    ("format", "out", "words"),
    [
        ("pickle", "a.pkl", "no format 'pickle'; there are onnx, keras, tflite, tflite-int8, weights-json, c"),
        ("keras", "a.h5", "ends in '.h5'; give a file that ends in .keras"),
        ("onnx", "file/inside/a.onnx", "cannot be written"),
        ("onnx", "file/a.onnx", "cannot be written"),
        ("onnx", "mine.onnx", "is the model itself"),
    ],
)
def test_a_format_or_path_that_does_not_fit_is_one_sentence(format: Format, out: str, words: str, tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(load("classic").session.content)
    with pytest.raises(ConfigError, match=words) as caught:
        export_model(load(mine), format, tmp_path / out)
    assert "\n" not in str(caught.value)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "mine.onnx"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_model_that_does_not_describe_its_layers_goes_to_onnx_only(format: Format, tmp_path: Path):
    (tmp_path / "foreign.onnx").write_bytes(identity_model(["n", 28, 28, 1], 10))
    model = load(tmp_path / "foreign.onnx")
    if format == "onnx":
        assert load(export_model(model, format, tmp_path / "out")).session.content == model.session.content
        return
    with pytest.raises(ModelError, match="does not describe its layers"):
        export_model(model, format, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_names_that_tensorflow_does_not_take_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model = load("classic")
    monkeypatch.setitem(model.session.layers[1], "name", "conv 1")  # and set back: all who load it share the session
    with pytest.raises(ModelError, match="cannot be converted to tflite") as caught:
        export_model(model, "tflite", tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_tensorflow_lite_needs_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model: Model = load("classic")
    with monkeypatch.context() as patch, pytest.raises(ConfigError, match="Keras runs on jax; set KERAS_BACKEND"):
        patch.setattr(keras.backend, "backend", lambda: "jax")
        export_model(model, "tflite", tmp_path)
    with monkeypatch.context() as patch, pytest.raises(MissingExtra, match=r"digitscope\[train\]"):
        patch.setitem(sys.modules, "tensorflow", None)
        export_model(model, "tflite", tmp_path)
    assert not list(tmp_path.iterdir())


def test_quiet_ends_with_its_block(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(KeyError), quiet():
        os.write(2, b"from C++")
        print("from Python")
        raise KeyError
    os.write(2, b"after")
    print("after")
    assert capfd.readouterr() == ("after\n", "after")
