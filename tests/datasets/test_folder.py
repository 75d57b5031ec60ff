from __future__ import annotations

import io
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitscope.datasets.folder import read_images
from digitscope.datasets.load import load_dataset, load_unlabelled
from digitscope.datasets.mnist import load_mnist
from digitscope.errors import DataError, ImageError
from digitscope.io.paths import files_of
from digitscope.models.model import load

(IMAGES, LABELS), _ = load_mnist()


def photo(image: np.ndarray) -> np.ndarray:
    """A digit in blue on yellowish paper, uint8 (140, 140, 3)."""
    pen = cv2.resize(np.pad(image, 6), (140, 140), interpolation=cv2.INTER_CUBIC)[..., None] / 255
    grain = np.random.default_rng(0).normal(0, 2, (140, 140, 1))
    return np.clip(np.array([225, 220, 200]) * (1 - pen) + np.array([40, 50, 130]) * pen + grain, 0, 255).astype(
        np.uint8
    )


def write(folder: Path, images: np.ndarray, labels: np.ndarray, suffix: str = "png") -> None:
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{index}.{suffix}")


@pytest.mark.parametrize("names", [("train", "test"), ("training", "testing")])
def test_images_that_are_fields_already_are_taken_as_they_are(tmp_path: Path, names: tuple[str, str]):
    write(tmp_path / names[0], IMAGES[:40], LABELS[:40])
    write(tmp_path / names[1], IMAGES[40:60], LABELS[40:60])
    for hidden in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / names[0] / "3" / hidden).write_bytes(b"hidden")
    (tmp_path / "val").mkdir()
    dataset = load_dataset(tmp_path)
    assert any(
        f"{tmp_path} has val too" in found and f"only {names[0]} and {names[1]}" in found for found in dataset.warnings
    )
    first = int(np.flatnonzero(LABELS[40:60] == dataset.y_test[0])[0])
    assert dataset.places_test[0] == str(tmp_path / names[1] / str(dataset.y_test[0]) / f"{first}.png")
    for images, labels, first, last in (
        (dataset.x_train, dataset.y_train, 0, 40),
        (dataset.x_test, dataset.y_test, 40, 60),
    ):
        for digit in range(10):
            expected = IMAGES[first:last][LABELS[first:last] == digit]
            np.testing.assert_array_equal(images[labels == digit], expected)
    assert set(dataset.y_train[:10].tolist()) == set(range(10))


def test_dark_on_bright_is_decided_for_all_together(tmp_path: Path):
    write(tmp_path, 255 - IMAGES[:30], LABELS[:30])
    dark = IMAGES[30].copy()
    dark[[0, -1]], dark[:, [0, -1]] = 200, 200
    Image.fromarray(255 - dark).save(tmp_path / "3" / "x.png")
    Image.fromarray(np.stack([255 - IMAGES[31]] * 3, -1)).save(tmp_path / "3" / "y.png")
    dataset = load_dataset(tmp_path)
    both = np.concatenate([dataset.x_train, dataset.x_test])
    for image in (IMAGES[0], dark, IMAGES[31]):
        assert (both == image).all(axis=(1, 2)).sum() == 1
    assert any("1 of the 32 images" in found and found.endswith("x.png") for found in dataset.warnings)


def test_photos_are_read_as_the_reader_reads_them(tmp_path: Path):
    for index, suffix in enumerate(("png", "jpg", "bmp", "tif", "webp", "gif")):
        part = slice(10 * index, 10 * index + 10)
        write(tmp_path / suffix, np.stack([photo(image) for image in IMAGES[part]]), LABELS[part], suffix)
        paths = sorted((tmp_path / suffix).glob("*/*"), key=lambda path: int(path.stem))
        fields = read_images(paths)
        assert fields.warnings == ()
        assert (load("robust").predict(fields.images).argmax(axis=1) == LABELS[part]).sum() >= 9


def test_what_was_done_to_some_images_only_is_told(tmp_path: Path):
    Image.fromarray(IMAGES[0]).save(tmp_path / "1.png")
    Image.fromarray(photo(IMAGES[1])).save(tmp_path / "2.png")
    Image.new("L", (90, 90), 240).save(tmp_path / "10.png")
    fields = read_images(sorted(tmp_path.iterdir()))
    mixed, blank = fields.warnings
    assert mixed.startswith("1 of 3 images are 28x28")
    assert blank.startswith("1 of 3 images show no ink") and blank.endswith("10.png")
    unlabelled = load_unlabelled(tmp_path)
    np.testing.assert_array_equal(unlabelled[0], IMAGES[0])
    assert unlabelled[1].any() and not unlabelled[2].any()


def test_a_folder_is_read_in_one_order_by_every_way_of_reading(tmp_path: Path):
    names = ["b10.png", "c.png", "B9.png", "b2.png", "A.png", "10.png", "9.png", "a.png"]
    for level, name in enumerate(names):
        Image.fromarray(np.pad(np.full((1, 1), 10 + level, np.uint8), ((0, 27), (0, 27)))).save(tmp_path / name)
    order = [names[image[0, 0] - 10] for image in load_unlabelled(tmp_path)]
    assert order == ["9.png", "10.png", "A.png", "a.png", "b2.png", "B9.png", "b10.png", "c.png"]
    assert order == [Path(file).name for file in files_of([str(tmp_path)])]


def test_progress_counts_the_files(tmp_path: Path):
    write(tmp_path, IMAGES[:20], LABELS[:20])
    reports: list[tuple[str, int, int]] = []
    load_dataset(tmp_path, progress=lambda stage, done, total, facts: reports.append((stage, done, total)))
    assert reports == [("images", done, 20) for done in range(1, 21)]


def test_what_does_not_fit_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="holds no dataset; expected a folder with"):
        load_dataset(tmp_path)
    with pytest.raises(DataError, match="holds no image"):
        load_unlabelled(tmp_path)
    write(tmp_path, IMAGES[:20], LABELS[:20])
    (tmp_path / "ten").mkdir()
    with pytest.raises(DataError, match="ten is not named after a digit"):
        load_dataset(tmp_path)
    (tmp_path / "ten").rename(tmp_path / "3" / "more")
    with pytest.raises(ImageError, match="more is a folder"):
        load_dataset(tmp_path)
    (tmp_path / "3" / "more").rmdir()
    (tmp_path / "3" / "notes.txt").write_text("three")
    with pytest.raises(ImageError, match=r"notes\.txt is not a PNG"):
        load_dataset(tmp_path)
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match="train has no sub-folders"):
        load_dataset(tmp_path)
    (tmp_path / "train" / "3").mkdir()
    with pytest.raises(DataError, match="train holds no image"):
        load_dataset(tmp_path)


def test_an_empty_folder_of_a_digit_is_the_same_as_none(tmp_path: Path):
    write(tmp_path, IMAGES[:60], LABELS[:60])
    shutil.rmtree(tmp_path / "3")
    without = load_dataset(tmp_path)
    (tmp_path / "3").mkdir()
    empty = load_dataset(tmp_path)
    assert empty.warnings == without.warnings and empty.sha256() == without.sha256()
    assert any(found.startswith("no training image of 3:") for found in empty.warnings)


def encoded(image: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


CONTENTS = [
    encoded(image, kind) for image in (IMAGES[0], photo(IMAGES[1])[::4, ::4]) for kind in ("PNG", "JPEG", "GIF")
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CONTENTS), st.data())
def test_a_damaged_image_is_one_sentence_or_a_field(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, data: st.DataObject
):
    damaged = bytearray(content)
    spot = st.integers(0, len(damaged) - 1)
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(spot)] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(bytes(damaged)[: data.draw(st.none() | spot)])
    try:
        images = read_images([path]).images
    except ImageError as error:
        assert str(path) in str(error)
    else:
        assert (images.shape, images.dtype) == ((1, 28, 28), np.uint8)
