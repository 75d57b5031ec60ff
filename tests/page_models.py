"""What the page is given, made once for all tests; and a model with its weights rounded as the page keeps them."""

from __future__ import annotations

import functools
import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx

from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.models.model import Model, load
from digitscope.models.session import ClassifierSession
from digitscope.web.lens.bundle import page_model


@functools.cache
def described(name: str) -> dict[str, Any]:
    """The page's model of a shipped one; not to be changed."""
    return page_model(load(name))


def few_images(n: int) -> Dataset:
    """MNIST with its first ``n`` test images alone: fewer samples than a real page has."""
    whole = load_dataset("mnist")
    return Dataset("few", whole.x_train, whole.y_train, whole.x_test[:n], whole.y_test[:n])


def dense_network(*units: int) -> Model:
    """A stand-in that was never trained: the image as a list, dense layers of so many units, softmax."""
    sides = list(itertools.pairwise((784, *units, 10)))
    kernels = {f"kernel{i}": np.full(side, 1 / side[0], np.float32) for i, side in enumerate(sides)}
    last = len(sides) - 1

    def tensors(images: np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
        x = images.reshape(len(images), -1)
        found = {"flat": x}
        for i in range(len(sides)):
            found[f"sum{i}"] = x = x @ kernels[f"kernel{i}"]
        found["answer"] = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        return {name: (found | kernels)[name] for name in names}

    def layer(i: int) -> dict[str, Any]:
        total = {"tensor": f"sum{i}", "layout": "nhwc"}
        return {
            "name": f"d{i}", "kind": "dense", "shape": [sides[i][1]], "parameters": sides[i][0] * sides[i][1],
            "activation": "softmax" if i == last else "linear", "kernel": {"tensor": f"kernel{i}", "layout": "keras"},
            "bias": None, "sum": total, "output": total | {"tensor": "answer"} if i == last else total,
        }  # fmt: skip

    layers: list[dict[str, Any]] = [
        {"name": "input", "kind": "input", "shape": [28, 28, 1], "parameters": 0, "activation": "linear"},
        {"name": "f", "kind": "flatten", "shape": [784], "parameters": 0, "activation": "linear",
         "output": {"tensor": "flat", "layout": "nhwc"}},
        *[layer(i) for i in range(len(sides))],
    ]  # fmt: skip
    session: Any = SimpleNamespace(
        source="stand-in", layers=layers, tensors=tensors, probabilities=lambda x: tensors(x, ["answer"])["answer"]
    )
    return Model("wide", session)


def rounded(model: Model) -> Model:
    """The same network with every weight rounded to float16 and kept as float32."""
    graph = onnx.load_from_string(model.session.content)
    for tensor in graph.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16).astype(np.float32), tensor.name))
    return Model(model.name, ClassifierSession(graph.SerializeToString(), model.name), model.card)
