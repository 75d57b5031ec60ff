from __future__ import annotations

import gzip
import shutil
import struct
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitscope import datasets
from digitscope.datasets import IDX_FILES, load_dataset, load_mnist, read_idx
from digitscope.errors import ConfigError, DataError


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for part, name in IDX_FILES.items():
        array = rng.integers(0, 10, 7) if part[0] == "y" else rng.integers(0, 256, (7, 28, 28))
        content = idx(array.astype(np.uint8))
        if part.endswith("test"):
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (tmp_path / name).write_bytes(content)
    return tmp_path


def test_mnist_is_mnist():
    (x_train, y_train), (x_test, y_test) = load_mnist()
    assert x_train.shape == (60_000, 28, 28)
    assert x_test.shape == (10_000, 28, 28)
    assert x_train.dtype == y_train.dtype == np.uint8
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert (x_train.max(), y_train[0], y_test[0]) == (255, 5, 7)
    assert load_dataset("mnist").is_mnist


def test_callers_may_change_their_copy():
    (x_train, _), _ = load_mnist()
    x_train[:] = 0
    assert load_mnist()[0][0].any()


def test_one_wrong_byte_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(str(resources.files("digitscope") / "shipped" / "mnist"), tmp_path / "shipped" / "mnist")
    victim = tmp_path / "shipped" / "mnist" / f"{IDX_FILES['y_test']}.gz"
    content = bytearray(gzip.decompress(victim.read_bytes()))
    content[5000] ^= 1
    victim.write_bytes(gzip.compress(bytes(content)))
    monkeypatch.setattr(datasets.resources, "files", lambda _: tmp_path)
    datasets._mnist.cache_clear()
    try:
        with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz .* damaged"):
            load_mnist()
    finally:
        datasets._mnist.cache_clear()


def test_folder_of_idx_files(folder: Path):
    dataset = load_dataset(folder)
    assert dataset.x_train.shape == dataset.x_test.shape == (7, 28, 28)
    assert not dataset.is_mnist
    assert dataset.sha256() == load_dataset(str(folder)).sha256()


def test_npz_as_keras_lays_it_out(folder: Path, tmp_path: Path):
    dataset = load_dataset(folder)
    np.savez(tmp_path / "a.npz", **{part: getattr(dataset, part) for part in IDX_FILES})
    assert load_dataset(tmp_path / "a.npz").sha256() == dataset.sha256()


def test_a_missing_file_is_named(folder: Path):
    (folder / IDX_FILES["y_train"]).unlink()
    with pytest.raises(DataError, match="train-labels-idx1-ubyte"):
        load_dataset(folder)


def test_a_label_that_is_no_digit_is_named(folder: Path):
    (folder / IDX_FILES["y_train"]).write_bytes(idx(np.array([1, 2, 3, 4, 5, 6, 10], np.uint8)))
    with pytest.raises(DataError, match="label 10 of image 6"):
        load_dataset(folder)


def test_counts_that_differ_are_an_error(folder: Path):
    (folder / IDX_FILES["y_train"]).write_bytes(idx(np.zeros(6, np.uint8)))
    with pytest.raises(DataError, match="expected 7 integers"):
        load_dataset(folder)


def test_a_pickle_is_never_loaded(tmp_path: Path):
    np.savez(tmp_path / "a.npz", x_train=np.array([{}]), y_train=0, x_test=0, y_test=0)
    with pytest.raises(DataError, match=r"a\.npz"):
        load_dataset(tmp_path / "a.npz")


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ConfigError, match="mnist"):
        load_dataset("no-such-thing")


@given(st.binary(max_size=300), st.booleans())
def test_arbitrary_bytes_are_one_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes, zipped: bool):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(content)[: len(content)] if zipped else content)
    try:
        array = read_idx(path)
    except DataError as error:
        assert str(path) in str(error)
    else:
        assert idx(array) == content
    npz = path.with_suffix(".npz")
    npz.write_bytes(content)
    with pytest.raises(DataError):
        load_dataset(npz)
