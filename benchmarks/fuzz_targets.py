"""Readers of foreign bytes under coverage-guided fuzzing (Atheris); ``campaign.py`` runs them slice by slice.

Each target takes bytes and either reads them or refuses them in one sentence. Anything else, a native crash, more than
a gigabyte or more than the time limit ends the process, and libFuzzer keeps the input. Counts are kept in a mapped
file, which survives that.

Usage: python benchmarks/fuzz_targets.py TARGET COUNTS [flags of libFuzzer] CORPUS
"""

from __future__ import annotations

import contextlib
import io
import mmap
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["digitscope", "PIL", "zipfile", "numpy.lib"]):
    from digitscope.datasets.arrays import read_idx
    from digitscope.datasets.load import load_dataset
    from digitscope.errors import DigitscopeError
    from digitscope.io import document
    from digitscope.io.decoder import Decoder
    from digitscope.io.document import scans
    from digitscope.io.pdf_streams import check_streams
    from digitscope.models.keras_guard import check_keras_file
    from digitscope.models.model import Model
    from digitscope.models.onnx_guard import check_tensors
    from digitscope.models.session import ClassifierSession

COUNTED = ("inputs", "read", "refused", "contained")
"""What is counted: inputs, those read, those refused, and refused pages that ended the child that decoded them."""

LONGEST = 200
"""Pixels to which pages are reduced."""

with Path(sys.argv[2]).open("r+b") as counted:
    _counts = mmap.mmap(counted.fileno(), 8 * len(COUNTED))
_folder = Path(tempfile.mkdtemp(prefix="digitscope-fuzz-"))


def image(data: bytes) -> bool:
    """PNG, JPEG, BMP, GIF, WebP and TIFF, decoded in this process, so that a crash shows."""
    found = [scan.error for scan, _ in zip(scans(data, LONGEST), range(30), strict=False)] if not _is_pdf(data) else []
    return _checked(found)


def pdf(data: bytes) -> bool:
    """PDFs: the check of their packed parts in this process, PDFium in the child where it always runs."""
    with contextlib.suppress(DigitscopeError):
        check_streams(io.BytesIO(data), "a.pdf")
    return _checked([scan.error for scan, _ in zip(scans(b"%PDF-1.4\n" + data, LONGEST), range(5), strict=False)])


def idx(data: bytes) -> bool:
    """IDX, gzipped or not."""
    read_idx(_file("train-images-idx3-ubyte", data))
    return True


def npz(data: bytes) -> bool:
    """NPZ: the archive as it is, or a good archive with these bytes as its arrays."""
    if data[:1] == b"\0":
        half = len(data) // 2
        data = _zipped({"x.npy": data[1:half], "y.npy": data[half:]})
    load_dataset(_file("a.npz", data))
    return True


def table(data: bytes) -> bool:
    """CSV tables of pixels."""
    load_dataset(_file("a.csv", data))
    return True


def onnx(data: bytes) -> bool:
    """Networks in ONNX: the guard, ONNX Runtime, and an answer."""
    import numpy as np

    with contextlib.suppress(ValueError):
        check_tensors(data)
    Model("a.onnx", ClassifierSession(data, "a.onnx")).predict(np.zeros((1, 28, 28), np.uint8))
    return True


def keras(data: bytes) -> bool:
    """``.keras`` files up to the point where Keras would see them, as they are or with these bytes inside."""
    if data[:1] == b"\0":
        config, _, weights = data[1:].partition(b"\x89HDF")
        data = _zipped({"config.json": config, "metadata.json": b"{}", "model.weights.h5": b"\x89HDF" + weights})
    check_keras_file(_file("a.keras", data))
    return True


TARGETS: dict[str, Callable[[bytes], bool]] = {one.__name__: one for one in (image, pdf, idx, npz, table, onnx, keras)}


def _is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:1024]


def _file(name: str, data: bytes) -> Path:
    path = _folder / name
    path.write_bytes(data)
    return path


def _zipped(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _checked(errors: list[str | None]) -> bool:
    """Whether all pages were read; a refusal must be one sentence."""
    for error in errors:
        if error is not None:
            _check_sentence(error)
            if "breaks the decoder" in error or "of a processor" in error:
                _count("contained")
    return not any(errors)


def _check_sentence(said: str) -> None:
    if not said or len(said) > 700 or not said.isprintable():
        raise RuntimeError(f"not one sentence: {said!r}")


def _count(name: str) -> None:
    place = 8 * COUNTED.index(name)
    _counts[place : place + 8] = struct.pack("<Q", struct.unpack("<Q", _counts[place : place + 8])[0] + 1)


def main() -> None:
    target = TARGETS[sys.argv[1]]
    document._decoder = Decoder(seconds=3)

    def one_input(data: bytes) -> None:
        _count("inputs")
        try:
            _count("read" if target(data) else "refused")
        except DigitscopeError as error:
            _check_sentence(str(error))
            _count("refused")

    atheris.Setup([sys.argv[0], *sys.argv[3:]], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
