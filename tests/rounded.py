"""A model whose weights are rounded to float16, as the page keeps them, still in ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnx

from digitscope.models import Model
from digitscope.runtime import ClassifierSession


def rounded(model: Model) -> Model:
    """The same network with every weight rounded to float16 and kept as float32."""
    graph = onnx.load_from_string(model.session.content)
    for tensor in graph.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16).astype(np.float32), tensor.name))
    return Model(model.name, ClassifierSession(graph.SerializeToString(), model.name), model.card)
