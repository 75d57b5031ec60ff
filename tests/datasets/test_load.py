from __future__ import annotations

import gzip
import io
import re
import shutil
import struct
import tracemalloc
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitscope.datasets import arrays, mnist
from digitscope.datasets.arrays import read_idx, read_npz
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset, load_unlabelled
from digitscope.datasets.mnist import IDX_FILES, load_mnist
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
    monkeypatch.setattr(mnist.resources, "files", lambda _: tmp_path)
    mnist.mnist_arrays.cache_clear()
    try:
        with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz .* damaged"):
            load_mnist()
    finally:
        mnist.mnist_arrays.cache_clear()


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


def test_a_set_without_a_test_part_is_split_by_rank_within_each_digit(tmp_path: Path):
    (x, y), _ = load_mnist()
    for flat in (x[:500], x[:500].reshape(500, 784), x[:500, ..., None]):
        np.savez(tmp_path / "a.npz", x=flat, y=y[:500].astype(np.int32))
        dataset = load_dataset(tmp_path / "a.npz")
        for digit in range(10):
            of_digit = x[:500][y[:500] == digit]
            np.testing.assert_array_equal(dataset.x_test[dataset.y_test == digit], of_digit[1::7])
            np.testing.assert_array_equal(
                dataset.x_train[dataset.y_train == digit], np.delete(of_digit, np.s_[1::7], axis=0)
            )
    assert "the 2nd, 9th, 16th ... of each digit" in dataset.description


def test_a_set_that_cannot_be_split_says_so(tmp_path: Path):
    np.savez(tmp_path / "a.npz", x=np.zeros((10, 28, 28), np.uint8), y=np.arange(10))
    with pytest.raises(DataError, match="two images"):
        load_dataset(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({}, None),
        ({"x_test": lambda x: np.concatenate([x[:3], x[3:4] * 0 + 9, x[4:]])}, None),
        ({"copied": 5}, r"^1 of 10 test images .*: a\.npz, test image 2 is a\.npz, train image 5$"),
        ({"y_train": lambda y: np.where(y == 4, 5, y)}, "^no training image of 4:"),
        (
            {"y_train": lambda y: np.where(np.arange(len(y)) == 3, 7, np.where(y == 7, 1, y))},
            "images: 19 of 0, 1 of 7; fewer",
        ),
        ({"y_test": lambda y: y * 0 + 1}, "^no test image of 0, 2, 3, 4, 5, 6, 7, 8, 9:"),
        ({"x_test": lambda x: 255 - x}, "^most test images show a dark pen"),
        ({"x_train": lambda x: x // 50}, "^the brightest pixel of the training images is 1 of 255; .* by 255"),
        ({"x_test": lambda x: x * 0}, "^the brightest pixel of the test images is 0 of 255; they are blank"),
    ],
)
def test_what_is_odd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict, warning: str | None):
    rng = np.random.default_rng(1)
    parts = {
        "x_train": rng.integers(0, 100, (200, 28, 28)).astype(np.uint8),
        "y_train": np.repeat(np.arange(10), 20),
        "x_test": rng.integers(0, 100, (10, 28, 28)).astype(np.uint8),
        "y_test": np.arange(10),
    }
    if "copied" in changes:
        parts["x_test"][2] = parts["x_train"][changes["copied"]]
    parts |= {name: change(parts[name]) for name, change in changes.items() if name in parts}
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", **parts)
    dataset = load_dataset("a.npz")
    if warning is None:
        assert dataset.warnings == ()
    else:
        assert any(re.search(warning, found) for found in dataset.warnings), dataset.warnings


@pytest.mark.parametrize("name", ["", "x" * 5000, "~nobody-of-this-name/x", "a\0b", "/dev/null"])
def test_a_path_that_is_none_is_one_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ConfigError, DataError), match="expected a folder with" if name == "" else "give 'mnist'"):
        load_dataset(name)
    with pytest.raises((ConfigError, DataError)):
        load_unlabelled(name)


IMAGES, LABELS = np.arange(40 * 784).reshape(40, 28, 28) % 256, np.arange(40) % 10


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"x": IMAGES / 255, "y": LABELS}, r'float64 0 to 1; expected .*; save \(255 \* x\)\.astype\("uint8"\)'),
        ({"x": IMAGES > 99, "y": LABELS}, r'bool; expected .*; save \(255 \* x\)\.astype\("uint8"\)'),
        ({"x": IMAGES / 1, "y": LABELS}, r'float64 0 to 255; expected .*; save x\.astype\("uint8"\)'),
        ({"x": IMAGES / 255 - 0.5, "y": LABELS}, r"float64 -0\.5 to 0\.5; expected whole numbers 0 to 255, uint8$"),
        ({"x": IMAGES * np.nan, "y": LABELS}, r"float64 nan to nan; expected .*, uint8$"),
        ({"x": IMAGES + 1, "y": LABELS}, r"int64 1 to 256; expected .*, uint8$"),
        ({"x": IMAGES * 1j, "y": LABELS}, r"complex128; expected"),
        ({"x": IMAGES.astype(str), "y": LABELS}, r"<U\d+; expected"),
        ({"x": IMAGES, "y": np.eye(10)[LABELS]}, r"labels are float64 \(40, 10\); .*y\.argmax\(1\)"),
        (
            {"images": IMAGES, "labels": LABELS},
            r"holds the arrays images, labels; expected an .npz with x_train, y_train, x_test, y_test, or x, y",
        ),
        ({"x_train": IMAGES, "y_train": LABELS}, r"holds the arrays x_train, y_train; expected"),
        ({f"a{i}": LABELS for i in range(20)}, r"holds the arrays a0, .*, a7, \.\.\.; expected"),
    ],
)
def test_arrays_that_do_not_fit_are_told_with_their_cure(tmp_path: Path, parts: dict[str, np.ndarray], said: str):
    np.savez(tmp_path / "a.npz", **parts)
    with pytest.raises(DataError, match=said):
        load_dataset(tmp_path / "a.npz")


def test_whole_numbers_of_any_type_are_images(tmp_path: Path):
    hashes = set()
    for kind in (np.int64, np.uint8, np.uint16, ">i4"):
        np.savez(tmp_path / "a.npz", x=IMAGES.astype(kind), y=LABELS)
        hashes.add(load_dataset(tmp_path / "a.npz").sha256())
    assert len(hashes) == 1


def test_a_zipped_table_is_to_be_unpacked(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("train.csv", "label,pixel0")
    with pytest.raises(DataError, match=r"holds train\.csv and no arrays; unpack it"):
        load_dataset(tmp_path / "a.zip")


def test_every_image_keeps_its_place_through_the_split(tmp_path: Path):
    np.savez(tmp_path / "a.npz", x=IMAGES, y=LABELS)
    dataset = load_dataset(tmp_path / "a.npz")
    for images, places in ((dataset.x_train, dataset.places_train), (dataset.x_test, dataset.places_test)):
        for image, place in zip(images, places, strict=True):
            np.testing.assert_array_equal(image, IMAGES[int(place.removeprefix(f"{tmp_path / 'a.npz'}, image "))])
    assert dataset.place(1) == dataset.places_test[1] == f"{tmp_path / 'a.npz'}, image 11"


def test_a_model_that_learned_from_other_data_is_told():
    digits = load_dataset("mnist")
    own, other = {"data": "own.npz", "data_sha256": "00"}, {"data": "mnist", "data_sha256": "01"}
    same = {"data": "mnist", "data_sha256": digits.sha256()}
    assert digits.learned_elsewhere({"classic": same, "run": {"config": same}, "bare": {}, "odd": {"config": 3}}) == ()
    assert digits.learned_elsewhere({"a": {"config": own}, "b": {"config": own}, "c": same}) == (
        "a and b learned from own.npz, not from mnist, on which this measures",
    )
    assert digits.learned_elsewhere({"c": other}) == ("c learned from mnist, which has changed since",)


def saved(**parts: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **parts)
    return file.getvalue()


def lying_npz(shape: tuple[int, ...]) -> bytes:
    file, header = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(file, "w") as archive:
        for name in "xy":
            archive.writestr(f"{name}.npy", header.getvalue() + b"few bytes")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npz", lying_npz((10**12, 28, 28))),
        ("a.npz", lying_npz((2_000_000, 28, 28))),
        ("train-images-idx3-ubyte", b"\0\0\x08\x03" + struct.pack(">3I", 2**32 - 1, 2**31, 28) + b"few bytes"),
        ("train-images-idx3-ubyte", b"\0\0\x08\x04" + struct.pack(">4I", 0, 2**32 - 1, 2**32 - 1, 2**32 - 1)),
    ],
)
def test_a_header_that_lies_costs_no_memory(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    load_mnist()
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_idx(tmp_path / name) if "idx" in name else load_dataset(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_no_file_unpacks_to_more_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arrays, "LARGEST_FILE", 3_000_000)
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(np.zeros((5000, 28, 28), np.uint8))))
    with pytest.raises(DataError, match="unpacks to more"):
        read_idx(tmp_path / "a.gz")
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((5000, 28, 28), np.uint8), y=np.zeros(5000))
    with pytest.raises(DataError, match="unpacks to more"):
        load_dataset(tmp_path / "a.npz")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_npz_or_idx_is_one_sentence_or_a_dataset(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    x, y = np.arange(20 * 784, dtype=np.uint32).astype(np.uint8).reshape(20, 28, 28), np.arange(20) % 10
    folder = tmp_path_factory.getbasetemp()
    for name, content in {"a.npz": saved(x=x, y=y), "a.idx": idx(x), "a.gz": gzip.compress(idx(x))}.items():
        damaged = bytearray(content)
        spot = st.integers(0, len(damaged) - 1) | st.integers(max(0, len(damaged) - 300), len(damaged) - 1)
        for _ in range(data.draw(st.integers(1, 4))):
            damaged[data.draw(spot)] = data.draw(st.integers(0, 255))
        path = folder / name
        path.write_bytes(bytes(damaged)[: data.draw(st.none() | spot)])
        try:
            read = load_dataset(path) if name == "a.npz" else read_idx(path)
        except DataError as error:
            assert str(path) in str(error)
        else:
            assert isinstance(read, Dataset if name == "a.npz" else np.ndarray)


def test_arrays_come_back_as_numpy_saved_them(tmp_path: Path):
    x, y = np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)), np.array(["a", "ß"])
    np.savez_compressed(tmp_path / "a.npz", x=x, y=y)
    found = read_npz(tmp_path / "a.npz", [["z"], ["x", "y"]])
    np.testing.assert_array_equal(found["x"], x)
    np.testing.assert_array_equal(found["y"], y)


def digits_folder(folder: Path, digit: int = 3, count: int = 2) -> Path:
    """A folder with images of one digit, 28x28 and ready."""
    (folder / str(digit)).mkdir(parents=True)
    for number in range(count):
        image = np.zeros((28, 28), np.uint8)
        image[4:24, 10 + number : 14 + number] = 255
        Image.fromarray(image).save(folder / str(digit) / f"{number}.png")
    return folder


def test_others_add_their_images_to_the_training_part(folder: Path, tmp_path: Path):
    alone, added = load_dataset(folder), digits_folder(tmp_path / "corrections" / "digits")
    both = load_dataset(f"{folder}+{added}")
    assert np.array_equal(both.x_train[:7], alone.x_train) and both.y_train[7:].tolist() == [3, 3]
    assert np.array_equal(both.x_test, alone.x_test) and np.array_equal(both.y_test, alone.y_test)
    assert both.name == f"{folder}+{added}" and load_dataset(both.name).sha256() == both.sha256() != alone.sha256()
    assert both.places_train[7] == str(added / "3" / "0.png") and len(both.places_train) == 9
    assert both.description.endswith(f"; and 2 training images of {added}")
    thrice = load_dataset(f"{folder}+{added}+ {added}+{folder}")
    assert len(thrice.y_train) == 7 + 2 + 2 + 7 and thrice.y_train[-9:-7].tolist() == [3, 3]
    assert load_dataset(f"mnist+{added}").place(17) == "test:17"
    assert len(load_dataset(f"{added}+mnist").y_train) == 60_001, "of the first one image is set aside"


def test_what_is_odd_about_the_others_is_said(folder: Path, tmp_path: Path):
    np.savez(tmp_path / "dark.npz", x=np.full((3, 28, 28), 255, np.uint8), y=np.arange(3))
    np.savez(tmp_path / "test.npz", x=load_dataset(folder).x_test, y=load_dataset(folder).y_test)
    assert any(
        "most added images show a dark pen" in one for one in load_dataset(f"{folder}+{tmp_path}/dark.npz").warnings
    )
    assert any(
        "7 of 7 test images are training images too" in one
        for one in load_dataset(f"{folder}+{tmp_path}/test.npz").warnings
    )


def test_a_name_with_a_plus_may_be_a_path(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    np.savez(tmp_path / "a+b.npz", x=np.zeros((40, 28, 28), np.uint8), y=np.arange(40) % 10)
    monkeypatch.chdir(tmp_path)
    assert load_dataset("a+b.npz").name == "a+b.npz" and load_dataset(Path("a+b.npz")).name == "a+b.npz"
    with pytest.raises(ConfigError, match=r"no dataset 'c\+d\.npz'"):
        load_dataset(Path("c+d.npz"))
    with pytest.raises(ConfigError, match=r"no dataset 'd\.npz' \(No such file"):
        load_dataset("mnist+d.npz")
    for name in ("mnist+", "+mnist", "mnist++mnist", "+"):
        with pytest.raises(ConfigError, match=r"lacks a dataset before or after a \+"):
            load_dataset(name)
