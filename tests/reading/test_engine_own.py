"""The own engine: networks with and without a class for other marks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from digitscope.errors import ModelError
from digitscope.preprocessing.line import ALPHABET, CLASSES, HEIGHT, OTHER
from digitscope.reading.ctc import best_path, digits_only
from digitscope.reading.engine_own import OLD_CLASSES, LineModel

FIELD = np.zeros((HEIGHT, 40), np.float32)


def network(path: Path, classes: int) -> Path:
    """A network that gives its last class the highest score in every column."""
    nodes = [
        helper.make_node("MaxPool", ["x"], ["halved"], kernel_shape=[1, 2], strides=[1, 2]),
        helper.make_node("ReduceMean", ["halved"], ["columns"], axes=[1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["columns", "last"], ["apart"]),
        helper.make_node("Add", ["apart", "scores"], ["y"]),
    ]
    transposed = helper.make_node("Transpose", ["field"], ["x"], perm=[0, 3, 1, 2])
    graph = helper.make_graph(
        [transposed, *nodes],
        "g",
        [helper.make_tensor_value_info("field", TensorProto.FLOAT, ["n", HEIGHT, "w", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "c", classes])],
        [
            numpy_helper.from_array(np.arange(classes, dtype=np.float32) / 4, "scores"),
            numpy_helper.from_array(np.array([2]), "last"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.save(model, path)
    return path


def test_other_marks_are_the_last_class():
    assert ALPHABET[-1] == OTHER == "?" and len(ALPHABET) == 16 and CLASSES == 17
    assert ALPHABET.startswith("0123456789.,-/="), "the order of the shipped network's answers"


def test_a_network_without_other_marks_never_sees_one(tmp_path: Path):
    (old,) = LineModel(network(tmp_path / "old.onnx", OLD_CLASSES)).probabilities([FIELD])
    (new,) = LineModel(network(tmp_path / "new.onnx", CLASSES)).probabilities([FIELD])
    assert old.shape == new.shape == (28, CLASSES)
    assert not old[:, -1].any() and np.allclose(old.sum(axis=1), 1) and best_path(old) == "="
    assert new[:, -1].min() > 0.1 and np.allclose(new.sum(axis=1), 1) and best_path(new) == OTHER
    scores = np.exp(np.arange(OLD_CLASSES) / 4)
    assert np.allclose(old[0, :-1], scores / scores.sum(), atol=1e-6)


def test_the_shipped_network_sees_nothing_on_blank_paper():
    (answer,) = LineModel().probabilities([FIELD])
    assert answer.shape[1] == CLASSES and answer[:, 0].min() > 0.5


@pytest.mark.parametrize("classes", [OLD_CLASSES - 1, CLASSES + 1])
def test_another_number_of_classes_is_refused(classes: int, tmp_path: Path):
    with pytest.raises(ModelError, match="expected finite scores"):
        LineModel(network(tmp_path / "other.onnx", classes))


def test_where_only_digits_count_another_mark_is_blank():
    table = np.full((1, CLASSES), 0.04, np.float32)
    table[0, -1] = 0.36
    assert digits_only(table)[0, 0] == pytest.approx(0.04 + 5 * 0.04 + 0.36)
