from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitscope.datasets import table as tables
from digitscope.datasets.load import load_dataset, load_unlabelled
from digitscope.datasets.mnist import load_mnist
from digitscope.datasets.table import read_pixels, read_table
from digitscope.errors import DataError

(IMAGES, LABELS), _ = load_mnist()
ROWS = np.column_stack([LABELS, IMAGES.reshape(-1, 784)])
KAGGLE = ["label", *(f"pixel{pixel}" for pixel in range(784))]
HEADERS = [
    KAGGLE,
    ["class", *(f"pixel{pixel}" for pixel in range(1, 785))],
    ["Label", *(f"{row}x{column}" for row in range(1, 29) for column in range(1, 29))],
    ["label", *map(str, range(784))],
]


def table(
    rows: np.ndarray, header: list[str] | None = None, write: Callable[[int], str] = str, end: str = "\n"
) -> bytes:
    lines = [",".join(header)] if header else []
    return end.join([*lines, *(",".join(map(write, row)) for row in rows.tolist()), ""]).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


@settings(max_examples=30, deadline=None)
@given(
    header=st.none() | st.sampled_from(HEADERS),
    order=st.randoms(use_true_random=False),
    write=st.sampled_from([str, "{:d}.0".format, '"{}"'.format, " {} ".format, "{:.18e}".format, "{:03d}".format]),
    end=st.sampled_from(["\n", "\r\n"]),
    tail=st.sampled_from([b"", b"\n\n", b"\r\n \n"]),
    block=st.sampled_from([100, 5000, 1 << 20]),
    bom=st.booleans(),
)
def test_every_way_to_write_a_table_gives_the_same_images(
    tmp_path_factory: pytest.TempPathFactory, header, order, write, end, tail, block, bom
):
    columns = list(range(785))
    if header:
        order.shuffle(columns)
    content = table(ROWS[:5][:, columns], [header[column] for column in columns] if header else None, write, end)
    path = tmp_path_factory.getbasetemp() / "ways.csv"
    path.write_bytes(b"\xef\xbb\xbf" * bom + content.rstrip() + tail)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BLOCK", block)
        part = read_table(path)
    np.testing.assert_array_equal(part.images, IMAGES[:5])
    np.testing.assert_array_equal(part.labels, LABELS[:5])
    assert part.places[4] == f"{path}, line {6 if header else 5}"


def test_kaggles_folder_trains_on_one_and_answers_the_other(tmp_path: Path):
    (tmp_path / "train.csv").write_bytes(table(ROWS[:300], KAGGLE))
    (tmp_path / "test.csv").write_bytes(table(ROWS[300:310, 1:], KAGGLE[1:]))
    dataset = load_dataset(tmp_path)
    assert len(dataset.y_train) + len(dataset.y_test) == 300
    assert dataset.sha256() == load_dataset(tmp_path / "train.csv").sha256()
    for given_path in (tmp_path, tmp_path / "test.csv"):
        np.testing.assert_array_equal(load_unlabelled(given_path), IMAGES[300:310])
    np.testing.assert_array_equal(load_unlabelled(tmp_path / "train.csv"), IMAGES[:300])
    with pytest.raises(DataError, match=r"test\.csv has no column 'label'"):
        load_dataset(tmp_path / "test.csv")


def test_two_tables_with_labels_are_the_two_parts(tmp_path: Path):
    (tmp_path / "mnist_train.csv").write_bytes(table(ROWS[:40]))
    (tmp_path / "mnist_test.csv").write_bytes(table(ROWS[39:50]))
    dataset = load_dataset(tmp_path)
    np.testing.assert_array_equal(dataset.x_train, IMAGES[:40])
    np.testing.assert_array_equal(dataset.x_test, IMAGES[39:50])
    assert any("mnist_test.csv, line 1 is " in found and "line 40" in found for found in dataset.warnings)


def put(line: int, column: int, text: str) -> Callable[[bytes], bytes]:
    """A table with another text in one place."""

    def change(content: bytes) -> bytes:
        lines = [row.split(b",") for row in content.split(b"\n")]
        lines[line - 1][column] = text.encode()
        return b"\n".join(b",".join(row) for row in lines)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put(3, 0, "10"), "line 3: the label is '10'; expected a whole number 0 to 9"),
        (put(3, 0, "1.5"), "line 3: the label is '1.5'; expected a whole number 0 to 9"),
        (
            put(4, 785 - 1, "256"),
            r"line 4: the pixel in row 28, column 28 \(pixel783\) is '256'; expected a whole number 0 to 255",
        ),
        (put(2, 1, "-1"), r"line 2: the pixel in row 1, column 1 \(pixel0\) is '-1'"),
        (put(2, 30, "nan"), r"line 2: the pixel in row 2, column 2 \(pixel29\) is 'nan'"),
        (put(2, 30, ""), r"line 2: the pixel in row 2, column 2 \(pixel29\) is empty"),
        (put(2, 30, "0.5"), "is '0.5'; expected a whole number 0 to 255"),
        (put(2, 30, "1_0"), "is '1_0'"),
        (put(2, 30, "1 0"), "is '1 0'"),
        (put(2, 30, "9" * 400), "is '9999"),
        (put(5, 3, "1,2"), "line 5 has 786 values; expected 785"),
        (put(6, 784, "3\n"), "line 7 is empty; remove it"),
        (put(6, 784, "3\n7"), "line 7 has 1 value; expected 785"),
        (put(1, 0, "lable"), "line 1: the name of column 1 is 'lable'; expected 'label' and 784 pixels"),
        (put(1, 0, ""), "line 1: the name of column 1 is empty"),
        (put(1, 9, "pixel3"), "line 1: columns 5 and 10 are both 'pixel3'"),
        (put(1, 9, "class"), "line 1: columns 1 and 10 are both 'class'"),
        (put(1, 9, "pixel784"), r"line 1 names 784 pixels, none for row 1, column 9 \(pixel8\);"),
        (
            lambda content: content.replace(b"pixel40,", b"", 1),
            r"line 1 names 783 pixels, none for row 2, column 13 \(pixel40\)",
        ),
        (lambda content: content.replace(b"\n", b",pixel784\n", 1), "line 1 names 785 pixels; expected"),
        (lambda content: content[:-30], "line 11 has"),
        (lambda content: content.replace(b",", b";"), "line 1: the values are separated by ';', expected ','"),
        (lambda content: content.replace(b",", b"\t"), r"line 1: the values are separated by '\\t', expected ','"),
        (lambda content: table(ROWS[:3], ["label", *HEADERS[2][1:399], "1x1"]), "columns 2 and 400 are both '1x1'"),
        (lambda content: table(ROWS[:3, :-1], HEADERS[2][:-1]), r"none for row 28, column 28 \(28x28\)"),
        (lambda content: table(ROWS[:3, :-1], HEADERS[3][:-1]), r"none for row 28, column 28 \(783\)"),
        (lambda content: content.decode().encode("utf-16"), "is not a CSV table but UTF-16 text"),
        (lambda content: content.replace(b"\n", b"\r"), "ends its lines with carriage returns only"),
        (lambda content: b"PK\3\4" + content, "is not a CSV table but a ZIP archive"),
        (lambda content: b"\0\0\x08\x03" + content, "is not a CSV table but an IDX file"),
        (lambda content: b"caf\xe9" + content, "first line is not text in UTF-8"),
        (lambda content: content.split(b"\n")[0], "has no rows"),
        (lambda content: b"", "is empty"),
        (lambda content: b"1,2,3\n", "line 1 has 3 values; expected a label and 784 pixels, or 784 pixels"),
        (lambda content: b"\x1f\x8b\0" + content, "is not a CSV table but compressed with gzip; unpack it"),
        (lambda content: content.replace(b"\n", b" "), "not a CSV table|the name of column 785"),
        (lambda content: content + b"\n" * 100_000, "without a next row"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(path: Path, change: Callable[[bytes], bytes], message: str):
    path.write_bytes(change(table(ROWS[:10], KAGGLE)))
    with pytest.raises(DataError, match=message) as caught:
        read_table(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def plainly(content: bytes) -> list[list[float]]:
    """The rows below a table's header, read by the book."""
    lines = content.decode().rstrip().replace("\r\n", "\n").split("\n")[1:]
    return [[float(text.strip().strip('"')) for text in line.split(",")] for line in lines]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_table_is_one_sentence_or_what_it_says(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    content = bytearray(table(ROWS[:3], KAGGLE))
    start = len(",".join(KAGGLE))
    spot = st.integers(0, len(content)) | st.integers(start, start + 40)
    text = st.binary(max_size=4) | st.text(',0129."\r\n -+eE_nax', max_size=4).map(str.encode)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(spot)
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(text)
    damaged = bytes(content)[: data.draw(st.none() | spot)]
    path = tmp_path_factory.getbasetemp() / "damaged.csv"
    path.write_bytes(damaged)
    try:
        part = read_table(path)
    except DataError as error:
        assert str(error).startswith(str(path))
    else:
        np.testing.assert_array_equal(np.column_stack([part.labels, part.images.reshape(-1, 784)]), plainly(damaged))


@given(st.binary(max_size=2000) | st.text(',0123"x\n', max_size=2000).map(str.encode))
def test_arbitrary_bytes_are_one_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    path = tmp_path_factory.getbasetemp() / "bytes.csv"
    path.write_bytes(content)
    for read in (read_table, read_pixels, load_dataset, load_unlabelled):
        with pytest.raises(DataError, match=r"bytes\.csv"):
            read(path)
