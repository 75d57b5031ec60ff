"""Damaged and hostile model files: one sentence or a right answer; no other error, no gigabytes, no endless loop."""

from __future__ import annotations

import random
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import digitscope.models.session
import digitscope.reading.engine_own
from damage import damaged, tally
from digitscope.errors import ConfigError, DigitscopeError, ModelError
from digitscope.models.layers import layer_views
from digitscope.models.model import Model, load
from digitscope.models.onnx_guard import PARTS, check_tensors
from digitscope.models.session import ClassifierSession
from digitscope.preprocessing.line import ALPHABET
from digitscope.reading.detection import Strip
from digitscope.reading.engine_own import LineModel
from digitscope.reading.engine_rapidocr import LOOKALIKES, OcrModel

SHIPPED = Path(__file__).parents[2] / "src/digitscope/shipped"
FILES = {"classifier": SHIPPED / "models/classic.onnx", "lines": SHIPPED / "lines/reader.onnx"}
BLANK = np.zeros((1, 28, 28, 1), np.float32)
STRIP = Strip.of(np.random.default_rng(0).integers(0, 256, (40, 130), np.uint8))
NUMBERS = (0, 1, -1, 2, 3, 27, 2**31 - 1, 2**31, 2**63 - 1, -(2**63), 10**6, 10**9)
KINDS = (
    "Conv MaxPool Relu Reshape MatMul Softmax Transpose Flatten Identity Expand Tile ConstantOfShape Cast Pad Loop If"
)


@cache
def graph_of(name: str) -> onnx.ModelProto:
    return onnx.load(FILES[name])


@cache
def shortened(name: str) -> tuple[bytes, list[tuple[int, bytes]]]:
    """A model without the insides of its large weights, and where they go: damage to them would only change answers."""
    content, cuts = FILES[name].read_bytes(), []
    for tensor in graph_of(name).graph.initializer:
        middle = tensor.raw_data[20:-20]
        if len(middle) > 160 and content.count(middle) == 1:
            cuts.append((content.index(middle), middle))
    small = content
    for start, middle in sorted(cuts, reverse=True):
        small = small[:start] + b"\1CUT%03d\2" % cuts.index((start, middle)) + small[start + len(middle) :]
    return small, cuts


def damaged_bytes(name: str, seed: int) -> bytes:
    small, cuts = shortened(name)
    content = damaged(small, seed)
    for number, (_, middle) in enumerate(cuts):
        content = content.replace(b"\1CUT%03d\2" % number, middle)
    return content


def damaged_graph(name: str, seed: int) -> bytes:
    """A well-formed file of a network that is none: other operations, sizes, types, names, versions."""
    rng, model = random.Random(seed), onnx.ModelProto()
    model.CopyFrom(graph_of(name))
    graph = model.graph
    for _ in range(rng.choice((1, 1, 2, 4))):
        node, tensor, kind = rng.choice(graph.node), rng.choice(graph.initializer), rng.randrange(11)
        if kind == 0:
            node.op_type = rng.choice(KINDS.split())
        elif kind == 1 and node.attribute:
            attribute = rng.choice(node.attribute)
            attribute.i = rng.choice(NUMBERS)
            if attribute.ints:
                attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)
        elif kind == 2 and node.attribute:
            rng.choice(node.attribute).type = rng.randrange(15)
        elif kind == 3 and tensor.dims:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(NUMBERS)
        elif kind == 4:
            tensor.data_type = rng.randrange(28)
        elif kind == 5:
            tensor.raw_data = rng.choice((b"", tensor.raw_data[:7], tensor.raw_data + b"abc"))
        elif kind == 6 and tensor.data_type == TensorProto.INT64:
            tensor.CopyFrom(numpy_helper.from_array(np.array([rng.choice(NUMBERS) for _ in range(3)]), tensor.name))
        elif kind == 7 and node.input:
            names = [part.name for part in graph.initializer] + [out for one in graph.node for out in one.output]
            node.input[rng.randrange(len(node.input))] = rng.choice([*names, "", "nothing"])
        elif kind == 8:
            graph.node.insert(rng.randrange(len(graph.node)), rng.choice(graph.node))
        elif kind == 9:
            graph.node.remove(node)
        elif kind == 10:
            model.opset_import[0].version = rng.choice((1, 7, 13, 18, 99, 0, -1))
    return bytes(model.SerializeToString())


def use_classifier(content: bytes) -> None:
    model = Model("bad.onnx", ClassifierSession(content, "bad.onnx"))
    answer = model.predict(BLANK)
    assert answer.shape == (1, 10) and answer.min() >= 0 and answer.max() <= 1.001
    layer_views(model.session, BLANK)


@pytest.mark.parametrize("damage", [damaged_bytes, damaged_graph])
def test_damaged_classifiers(damage: Any):
    found = tally(150, lambda seed: use_classifier(damage("classifier", seed)))
    assert set(found) == {None, "ModelError"} and found["ModelError"] > 60, found


@pytest.mark.parametrize("damage", [damaged_bytes, damaged_graph])
def test_damaged_line_readers(damage: Any, tmp_path: Path):
    def read(seed: int) -> None:
        (tmp_path / "bad.onnx").write_bytes(damage("lines", seed))
        for view in LineModel(tmp_path / "bad.onnx").look(STRIP):
            np.testing.assert_allclose(view.probabilities.sum(axis=1), 1, atol=1e-3)

    found = tally(60, read)
    assert set(found) == {None, "ModelError"} and found["ModelError"] > 25, found


def network(*nodes: onnx.NodeProto, **constants: Any) -> bytes:
    """A classifier whose answer `y` is what the nodes make of `few`, the first ten numbers of its image."""
    given = {"start": [0], "end": [10], "axis": [1], **constants}
    first = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Slice", ["flat", *list(given)[:3]], ["few"]),
    ]
    graph = helper.make_graph(
        [*first, *nodes],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 28, 28, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
        [value if isinstance(value, TensorProto) else numpy_helper.from_array(np.array(value), name)
         for name, value in given.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    return bytes(model.SerializeToString())


def endless(times: int = 10**12) -> bytes:
    """A network that adds a number to itself so many times."""
    state = [("trip", TensorProto.INT64, []), ("go", TensorProto.BOOL, []), ("value", TensorProto.FLOAT, None)]
    after = [("go on", TensorProto.BOOL, []), ("double", TensorProto.FLOAT, None)]
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go on"]), helper.make_node("Add", ["value", "value"], ["double"])],
        "body",
        [helper.make_tensor_value_info(*one) for one in state],
        [helper.make_tensor_value_info(*one) for one in after],
    )
    return network(helper.make_node("Loop", ["times", "yes", "few"], ["y"], body=body), times=times, yes=True)


def huge() -> bytes:
    """A network of 300 bytes that wants 40 GB."""
    nodes = [
        helper.make_node("Expand", ["one", "sizes"], ["big"]),
        helper.make_node("ReduceMean", ["big"], ["mean"], keepdims=0),
        helper.make_node("Add", ["few", "mean"], ["y"]),
    ]
    return network(*nodes, one=np.ones((1, 1), np.float32), sizes=[100_000, 100_000])


def elsewhere(place: str) -> bytes:
    """A network whose weights lie in another file."""
    weights = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[10], data_location=TensorProto.EXTERNAL)
    weights.external_data.add(key="location", value=place)
    weights.external_data.add(key="length", value="40")
    return network(helper.make_node("Add", ["few", "weights"], ["y"]), weights=weights)


def lying() -> bytes:
    """A good network, of which a tensor of one number announces a million million."""
    model = onnx.ModelProto()
    model.CopyFrom(graph_of("classifier"))
    sizes = next(tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.INT64)
    sizes.dims[0] = 10**12
    return bytes(model.SerializeToString())


def without_softmax(value: float | None = None) -> bytes:
    model = onnx.ModelProto()
    model.CopyFrom(graph_of("classifier"))
    last = next(node for node in model.graph.node if node.op_type == "Softmax")
    last.op_type = "Identity"
    del last.attribute[:]
    if value is not None:
        for tensor in model.graph.initializer:
            if list(tensor.dims) == [10]:
                tensor.CopyFrom(numpy_helper.from_array(np.full(10, value, np.float32), tensor.name))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (endless(), "no answer within 0.2 seconds"),
        (huge(), "cannot be run"),
        (elsewhere("weights.bin"), "not a usable ONNX model"),
        (elsewhere("/etc/passwd"), "not a usable ONNX model"),
        (lying(), "announces 1,000,000,000,000 numbers"),
        (without_softmax(), "expected probabilities"),
        (without_softmax(float("nan")), "answered nan to nan"),
        (b"\x0b" * 50, "not an ONNX file"),
    ],
    ids=["endless", "huge", "other file", "secret", "lying", "logits", "nan", "groups"],
)
def test_hostile_classifiers(content: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(digitscope.models.session, "LONGEST_ANSWER", 0.2)
    monkeypatch.chdir(tmp_path)
    Path("weights.bin").write_bytes(bytes(40))
    with pytest.raises(ModelError, match=words):
        ClassifierSession(content, "bad.onnx").probabilities(BLANK)


def stretched(kind: int, size: int, announced: int) -> bytes:
    """A network with a tensor of ``size`` bytes that announces so many numbers."""
    tensor = TensorProto(name="lie", data_type=kind, dims=[announced], raw_data=bytes(size))
    return network(helper.make_node("Identity", ["few"], ["y"]), lie=tensor)


@pytest.mark.parametrize("announced", [10_000, 10**6])
def test_a_tensor_that_announces_far_more_than_it_holds_is_refused(announced: int):
    """Refused by what it announces, before ONNX Runtime sees it, and not only where the lie is enormous."""
    with pytest.raises(ModelError, match=f"announces {announced:,} numbers and holds 1,0"):
        ClassifierSession(stretched(TensorProto.FLOAT, 1000, announced), "bad.onnx")


def test_the_smallest_numbers_there_are_fit_two_in_a_byte():
    check_tensors(stretched(TensorProto.INT4, 1000, 2000))
    with pytest.raises(ValueError, match="announces 2,100 numbers"):
        check_tensors(stretched(TensorProto.INT4, 1000, 2100))


def test_a_model_that_takes_too_long_is_stopped_at_a_deadline_that_people_wait_for(monkeypatch: pytest.MonkeyPatch):
    """A stand-in for the clock: every deadline is over as soon as it is set."""
    deadlines: list[float] = []

    class Over(threading.Timer):
        def start(self) -> None:
            deadlines.append(self.interval)
            self.function(*self.args)

    monkeypatch.setattr(threading, "Timer", Over)
    with pytest.raises(ModelError, match=r"no answer within \d\d seconds"):
        ClassifierSession(endless(1000), "bad.onnx")
    assert len(deadlines) == 1 and deadlines[0] <= 30


def test_every_network_has_a_deadline_for_its_first_answer_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A classifier, the same with its layers, and both readers of lines; it is lifted once the answer is there."""
    alarms: list[threading.Timer] = []

    class Watched(threading.Timer):
        def start(self) -> None:
            alarms.append(self)

    monkeypatch.setattr(threading, "Timer", Watched)
    classifier = ClassifierSession(FILES["classifier"].read_bytes(), "classic")
    assert len(alarms) == 1
    layer_views(classifier, BLANK)
    assert len(alarms) == 2
    LineModel(FILES["lines"])
    assert len(alarms) == 3
    characters = ALPHABET + "".join(LOOKALIKES.values())
    (tmp_path / "rec.onnx").write_bytes(recogniser(characters, len(characters) + 1))
    OcrModel(tmp_path / "rec.onnx")
    assert len(alarms) == 4
    classifier.probabilities(BLANK)
    assert len(alarms) == 4, "a large batch may take its time"
    assert all(alarm.interval <= 30 and alarm.finished.is_set() for alarm in alarms)


def test_a_line_reader_that_is_another_network(tmp_path: Path):
    for content in (FILES["classifier"].read_bytes(), network(helper.make_node("Identity", ["few"], ["y"]))):
        (tmp_path / "other.onnx").write_bytes(content)
        with pytest.raises(ModelError):
            LineModel(tmp_path / "other.onnx")


def test_nothing_is_printed_about_a_damaged_model(capfd: pytest.CaptureFixture[str]):
    name = graph_of("classifier").graph.input[0].name.encode()
    for content in (FILES["classifier"].read_bytes().replace(name, b"\xff" + name[1:]), b"hello"):
        with pytest.raises(ModelError):
            ClassifierSession(content, "bad.onnx")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_look_finds_the_tensors_that_onnx_finds(name: str, monkeypatch: pytest.MonkeyPatch):
    """If the least that a tensor announces is too much, each of them is refused; without tensors, nothing is."""
    check_tensors(FILES[name].read_bytes())
    monkeypatch.setattr("digitscope.models.onnx_guard.PER_BYTE", 0)
    with pytest.raises(ValueError, match="announces"):
        check_tensors(FILES[name].read_bytes())
    model = onnx.ModelProto()
    model.CopyFrom(graph_of(name))
    del model.graph.initializer[:]
    for node in model.graph.node:
        for attribute in list(node.attribute):
            if attribute.HasField("t"):
                node.attribute.remove(attribute)
    check_tensors(model.SerializeToString())


def test_the_fields_are_those_of_the_format():
    messages = {"model": "ModelProto", "training": "TrainingInfoProto", "function": "FunctionProto",
                "graph": "GraphProto", "node": "NodeProto", "attribute": "AttributeProto",
                "sparse tensor": "SparseTensorProto", "tensor": "TensorProto"}  # fmt: skip
    kinds = {known: ours for ours, known in messages.items()}
    for ours, known in messages.items():
        fields = getattr(onnx, known).DESCRIPTOR.fields
        inside = {field.number: kinds.get(field.message_type.name) for field in fields if field.message_type}
        assert PARTS.get(ours, {}) == {number: kind for number, kind in inside.items() if kind}


def recogniser(characters: str, classes: int, value: float = 1.0) -> bytes:
    """A stand-in for RapidOCR's network: a column of probabilities for each pixel of width."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["means", "last"], ["columns"]),
        helper.make_node("MatMul", ["columns", "weights"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["y"], axis=2),
    ]
    weights = np.full((1, classes), value, np.float32)
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 48, "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "w", classes])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(np.array([2]), "last")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    helper.set_model_props(model, {"character": "\n".join(characters)})
    return bytes(model.SerializeToString())


def test_damaged_recognition_networks(tmp_path: Path):
    path, characters = tmp_path / "rec.onnx", ALPHABET + "".join(LOOKALIKES.values())
    path.write_bytes(recogniser(characters, len(characters) + 1))
    assert len(OcrModel(path).look(STRIP) + OcrModel(path).look_again(STRIP)) == 2
    for content in (
        recogniser("0123", len(characters) + 1),
        recogniser(characters, 5),
        recogniser(characters, len(characters) + 1, float("nan")),
        FILES["lines"].read_bytes(),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelError):
            OcrModel(path)
    good = recogniser(characters, len(characters) + 1)

    def read(seed: int) -> None:
        path.write_bytes(damaged(good, seed))
        OcrModel(path).look(STRIP)

    assert set(tally(80, read)) == {None, "ModelError"}


@pytest.mark.parametrize("opened", [load, LineModel, OcrModel], ids=lambda opened: opened.__name__)
@pytest.mark.parametrize(
    "name",
    ["folder.onnx", "missing.onnx", "empty.onnx", "device.onnx", "a\0.onnx", "x" * 5000 + ".onnx", "~nobody/a.onnx"],
)
def test_names_that_are_no_model_file(opened: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("folder.onnx").mkdir()
    Path("empty.onnx").touch()
    Path("device.onnx").symlink_to("/dev/zero")
    with pytest.raises((ModelError, ConfigError)):
        opened(name)


@pytest.mark.parametrize("content", [b"[1]", b"7", b"[" * 100_000, b"\xff", b"", b'{"a": 1'])
@pytest.mark.parametrize("name", ["config.json", "metrics.json"])
def test_a_run_whose_card_is_damaged(name: str, content: bytes, tmp_path: Path):
    (tmp_path / "model.onnx").write_bytes(FILES["classifier"].read_bytes())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DigitscopeError, match=name):
        load(tmp_path)
