"""Networks in eight bits: the same layers, computed with whole numbers, a quarter as large and several times as fast.

Static quantisation by ONNX Runtime's own tool: the range of every activation is measured on inputs of the kind that the
network will see, and every filter has a scale of its own. Weights get seven of the eight bits: processors without VNNI
instructions add two products in 16 bits, which eight would overflow (ONNX Runtime's documentation of quantisation).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from digitscope.arraytypes import Floats
from digitscope.quiet import quiet


def quantized(content: bytes, inputs: Iterable[Floats], in_float: str) -> bytes:
    """A network whose layers compute in eight bits.

    Args:
        content: an ``.onnx`` file with one input, its weights float32.
        inputs: batches of what the network will see, some hundred inputs in all.
        in_float: name of a layer that stays float32, which is the last: its scores are compared with each other.

    Returns:
        An ``.onnx`` file with the same inputs and outputs.
    """
    import onnx  # extra train
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static  # extra train

    network = onnx.load_from_string(content)
    batches = ({network.graph.input[0].name: batch} for batch in inputs)
    kept = [node.name for node in network.graph.node if f"/{in_float}" in node.name]

    class Seen(CalibrationDataReader):  # type: ignore[misc]  # it has no types
        """Hands out the batches one by one, and None after the last."""

        def get_next(self) -> dict[str, Floats] | None:
            return next(batches, None)

    with tempfile.TemporaryDirectory() as folder, quiet():
        target = Path(folder) / "model.onnx"
        quantize_static(
            network, target, Seen(), QuantFormat.QDQ, nodes_to_exclude=kept, per_channel=True, reduce_range=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        return target.read_bytes()
