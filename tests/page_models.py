"""What the page is given, made once for all tests; and a model with its weights rounded as the page keeps them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import onnx

from digitscope.models import Model, load
from digitscope.page import page_model
from digitscope.runtime import ClassifierSession


@functools.cache
def described(name: str) -> dict[str, Any]:
    """The page's model of a shipped one; not to be changed."""
    return page_model(load(name))


def rounded(model: Model) -> Model:
    """The same network with every weight rounded to float16 and kept as float32."""
    graph = onnx.load_from_string(model.session.content)
    for tensor in graph.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16).astype(np.float32), tensor.name))
    return Model(model.name, ClassifierSession(graph.SerializeToString(), model.name), model.card)
