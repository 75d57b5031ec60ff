"""Small files that unpack to gigabytes: refused in one sentence, before the memory is taken."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from digitscope.datasets.load import load_dataset
from digitscope.datasets.mnist import IDX_FILES
from digitscope.errors import DataError, DigitscopeError
from digitscope.files import LOCATOR, MOST_PACKED, MUCH, check_directory, check_packed
from digitscope.models.onnx_guard import MOST_FIELDS, check_tensors
from peak_memory import grown_by

MEGABYTE = 1 << 20
SIZE = 500 * MEGABYTE
DATA = "from digitscope.datasets.load import load_dataset as read"
MODEL = """
from pathlib import Path
from digitscope.models.keras_guard import check_keras_file
read = lambda name: check_keras_file(Path(name))
"""
READ = """
from digitscope.errors import DigitscopeError
try:
    said = repr(read(sys.argv[1]))
except DigitscopeError as error:
    said = str(error)
"""


def header(images: int) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (images, 28, 28)})
    return file.getvalue()


def archive(path: Path, **parts: tuple[bytes, int]) -> Path:
    """A zip file of parts, each with a beginning and so many bytes of zero after it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, (start, zeros) in parts.items():
            with packed.open(name.replace("__", "."), "w") as part:
                part.write(start)
                for _ in range(zeros // MEGABYTE):
                    part.write(bytes(MEGABYTE))
                part.write(bytes(zeros % MEGABYTE))
    return path


def npz(folder: Path) -> Path:
    images = SIZE // 784
    labels = np.zeros(images, np.int64)
    file = io.BytesIO()
    np.save(file, labels)
    return archive(folder / "bomb.npz", x__npy=(header(images), images * 784), y__npy=(file.getvalue(), 0))


def idx(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        count = SIZE // 784
        shape = (count, 28, 28) if "images" in name else (SIZE,)
        start = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
        with gzip.open(folder / f"{name}.gz", "wb", compresslevel=1) as file:
            file.write(start)
            for _ in range(SIZE // MEGABYTE + 1):
                file.write(bytes(MEGABYTE))
    return folder


def without_labels(folder: Path) -> Path:
    return idx(folder, (IDX_FILES["x_train"],))


def complete(folder: Path) -> Path:
    for name in IDX_FILES.values():
        (folder / name).write_bytes(b"")
    (folder / IDX_FILES["x_train"]).unlink()
    return idx(folder, (IDX_FILES["x_train"],))


def long_text(folder: Path) -> Path:
    return archive(folder / "bomb.keras", config__json=(json.dumps({"class_name": "x"}).encode(), SIZE))


def empty_weights(folder: Path) -> Path:
    return archive(folder / "bomb.keras", config__json=(b"{}", 0), model__weights__h5=(b"\x89HDF", SIZE))


def many_entries(folder: Path, name: str = "bomb.npz", comment: bytes = b"") -> Path:
    """A zip file that lists 300,000 files, none of which is there."""
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *[0] * 6, 0, 0, 0, 1, *[0] * 4, 0, 0) + b"a"
    directory = 300_000 * entry
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, len(comment))
    (folder / name).write_bytes(directory + end + comment)
    return folder / name


def many_parts(folder: Path) -> Path:
    return many_entries(folder, "bomb.keras", b"a comment")


@pytest.mark.parametrize(
    ("made", "read", "said"),
    [
        (many_entries, DATA, "bomb.npz is a zip file with thousands of entries"),
        (many_parts, MODEL, "bomb.keras is a zip file with thousands of entries"),
        (npz, DATA, "bomb.npz: x unpacks from "),
        (without_labels, DATA, "has no train-labels-idx1-ubyte"),
        (complete, DATA, "train-images-idx3-ubyte.gz unpacks from "),
        (long_text, MODEL, "config.json in "),
        (empty_weights, MODEL, "model.weights.h5 in "),
    ],
)
def test_bombs_take_no_memory(made: Callable[[Path], Path], read: str, said: str, tmp_path: Path):
    megabytes, sentence = grown_by(READ, made(tmp_path), before=read)
    assert said in sentence and megabytes < 100, (megabytes, sentence)


def test_only_long_directories_are_refused(tmp_path: Path):
    for comment in (b"", b"PK", bytes(65_535)):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
            packed.writestr("x", b"1")
            packed.comment = comment
        check_directory(tmp_path / "a.zip", DataError)
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"PK\x05\x06", LOCATOR + bytes(16) + b"PK\x05\x06"))
    with pytest.raises(DataError, match="thousands of entries"):
        check_directory(tmp_path / "a.zip", DataError)
    for short in (b"", b"PK\x05\x06", b"x" * 100):
        (tmp_path / "b.zip").write_bytes(short)
        check_directory(tmp_path / "b.zip", DataError)


def test_what_is_packed_as_well_as_digits_are_is_no_bomb():
    check_packed(MUCH, MUCH // MOST_PACKED + 1, "a", DataError)
    check_packed(MUCH - 1, 1, "labels", DataError)
    with pytest.raises(DataError, match=r"^a unpacks from 5 to 67,108,864 bytes"):
        check_packed(MUCH, 5, "a", DataError)


@pytest.mark.parametrize("shape", [(20, 28, 29), (19, 28, 28), (20, 28, 28, 2)])
def test_an_array_is_as_large_as_its_header_says(shape: tuple[int, ...], tmp_path: Path):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    labels = io.BytesIO()
    np.save(labels, np.arange(20) % 10)
    archive(tmp_path / "a.npz", x__npy=(file.getvalue(), 20 * 784), y__npy=(labels.getvalue(), 0))
    with pytest.raises(DataError, match=r"a\.npz: x holds 15,680 bytes, its header announces [\d,]+; save it again"):
        load_dataset(tmp_path / "a.npz")


def test_a_tensor_with_thousands_of_dimensions_is_named():
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**62] * 50_000)
    graph = helper.make_graph([], "g", [], [], [tensor])
    with pytest.raises(ValueError, match="a tensor has more than 8 dimensions"):
        check_tensors(helper.make_model(graph).SerializeToString())
    apart = bytes([0x2A, 20]) + b"\x08\x01" * 10  # a tensor whose sizes are not packed
    with pytest.raises(ValueError, match="a tensor has more than 8 dimensions"):
        check_tensors(b"\x3a" + bytes([len(apart)]) + apart)


def test_a_file_of_nothing_but_small_fields_is_not_followed_for_ever():
    check_tensors(b"\x08\x01" * (MOST_FIELDS - 1))
    with pytest.raises(ValueError, match="more than 500,000 parts"):
        check_tensors(b"\x08\x01" * (MOST_FIELDS + 1))


def test_a_refusal_is_an_error_of_ours(tmp_path: Path):
    with pytest.raises(DigitscopeError):
        load_dataset(long_text(tmp_path).rename(tmp_path / "a.npz"))
