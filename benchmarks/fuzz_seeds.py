"""Small good files from which the campaign's mutations start, one or some for each reader."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image


def images() -> dict[str, bytes]:
    """A small picture in every format, with pages, palettes, transparency and depth."""
    rng = np.random.default_rng(0)
    grey = Image.fromarray(rng.integers(0, 256, (24, 30), np.uint8))
    forms = {"png": ("PNG", grey), "jpeg": ("JPEG", grey), "bmp": ("BMP", grey), "gif": ("GIF", grey),
             "webp": ("WEBP", grey.convert("RGB")), "tiff": ("TIFF", grey), "rgba": ("PNG", grey.convert("RGBA")),
             "palette": ("PNG", grey.convert("P")), "deep": ("PNG", grey.convert("I;16")),
             "colour": ("JPEG", grey.convert("RGB")), "cmyk": ("JPEG", grey.convert("CMYK")),
             "float": ("TIFF", grey.convert("F"))}  # fmt: skip
    made = {name: _encoded(image, form) for name, (form, image) in forms.items()}
    for compression in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg"):
        made[compression] = _encoded(grey, "TIFF", compression=compression, save_all=True, append_images=[grey])
    made["fax"] = _encoded(grey.convert("1"), "TIFF", compression="group4")
    return made


def _encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def pdfs() -> dict[str, bytes]:
    """A drawing, a packed one, and a scan; without the first line, which the target adds."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 60 40] /Contents 4 0 R >>"
    draw = b"1 0 0 rg 10 10 30 20 re f BT /F1 9 Tf (7) Tj ET"
    packed = zlib.compress(draw)
    streams = {
        "drawing": b"<< /Length %d >>\nstream\n%s\nendstream" % (len(draw), draw),
        "packed": b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
    }
    kids = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    made = {
        name: b"".join(
            b"%d 0 obj\n%s\nendobj\n" % (number, item)
            for number, item in enumerate((b"<< /Type /Catalog /Pages 2 0 R >>", kids, page, stream), 1)
        )
        + b"trailer\n<< /Size 5 /Root 1 0 R >>\n%%EOF\n"
        for name, stream in streams.items()
    }
    made["scan"] = _encoded(Image.new("L", (30, 20), 200), "PDF").partition(b"\n")[2]
    return made


def idxs() -> dict[str, bytes]:
    """Three images, plain and gzipped."""
    plain = struct.pack(">4B3I", 0, 0, 8, 3, 3, 28, 28) + bytes(range(256)) * 9 + bytes(48)
    return {"plain": plain, "gzip": gzip.compress(plain), "labels": struct.pack(">4BI", 0, 0, 8, 1, 5) + b"\1\2\3\4\5"}


def npzs() -> dict[str, bytes]:
    """A labelled archive, plain and packed, and two arrays for the target to put into one."""
    x, y = np.arange(20 * 784, dtype=np.uint32).astype(np.uint8).reshape(20, 28, 28), np.arange(20) % 10
    made = {}
    for name, save in (("plain", np.savez), ("packed", np.savez_compressed)):
        file = io.BytesIO()
        save(file, x=x, y=y)
        made[name] = file.getvalue()
    arrays = [io.BytesIO(), io.BytesIO()]
    np.save(arrays[0], x[:1].repeat(20, 0)), np.save(arrays[1], y)
    return made | {"inside": b"\0" + arrays[0].getvalue() + arrays[1].getvalue()}


def tables() -> dict[str, bytes]:
    """Kaggle's layout with and without a header, and numbers written in other ways."""
    head = ",".join(["label", *(f"pixel{number}" for number in range(784))])
    rows = [",".join([str(digit % 10), *["0"] * 700, *["255"] * 84]) for digit in range(4)]
    odd = rows[0].replace("255", "2.55e2", 3).replace(",0", ', "0"', 2)
    texts = {"header": "\n".join([head, *rows, ""]), "bare": "\r\n".join(rows), "odd": "\n".join([head, odd, *rows])}
    return {name: text.encode() for name, text in texts.items()}


def onnxs() -> dict[str, bytes]:
    """A network of a few hundred bytes: the softmax of an image's first ten pixels."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Slice", ["flat", "start", "end", "axis"], ["few"]),
        helper.make_node("Mul", ["few", "weights"], ["sums"]),
        helper.make_node("Softmax", ["sums"], ["y"], axis=1),
    ]
    values = {"start": np.array([0]), "end": np.array([10]), "axis": np.array([1]),
              "weights": np.linspace(-1, 1, 10, dtype=np.float32)}  # fmt: skip
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 28, 28, 1])
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])
    parts = [numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "g", [given], [answer], parts)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    return {"small": bytes(model.SerializeToString())}


def kerases() -> dict[str, bytes]:
    """A network of one layer, as a file and as its parts; nothing in it was written by Keras."""
    import h5py

    layers = [
        {"class_name": "InputLayer", "config": {"batch_shape": [None, 28, 28, 1]}},
        {"class_name": "Flatten", "config": {}},
        {"class_name": "Dense", "config": {"units": 10, "use_bias": True, "activation": "softmax"}},
    ]
    config = json.dumps({"class_name": "Sequential", "config": {"layers": layers}}).encode()
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        group = file.create_group("layers/dense/vars")
        group.create_dataset("0", data=np.zeros((784, 10), np.float32), compression="gzip")
        group.create_dataset("1", data=np.zeros(10, np.float32))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("config.json", config)
        packed.writestr("model.weights.h5", weights.getvalue())
    return {"file": archive.getvalue(), "parts": b"\0" + config + weights.getvalue()}


SEEDS: dict[str, Callable[[], dict[str, bytes]]] = {
    "image": images, "pdf": pdfs, "idx": idxs, "npz": npzs, "table": tables, "onnx": onnxs, "keras": kerases
}  # fmt: skip
