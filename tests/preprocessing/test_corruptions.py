from __future__ import annotations

import numpy as np
import pytest

from digitscope.datasets.mnist import load_mnist
from digitscope.preprocessing.corruptions import CORRUPTIONS, _plasma, corrupt

IMAGES = load_mnist()[0][0][:200]

CHANCELESS = {"scale", "brightness", "stripe", "canny_edges"}
"""Corruptions that draw nothing by chance."""


def corrupted(name: str, seed: int = 0, images: np.ndarray = IMAGES) -> np.ndarray:
    return corrupt(images, name, np.random.default_rng(seed))


def test_there_are_fifteen_in_the_order_of_mnist_c():
    assert [*CORRUPTIONS] == [
        "shot_noise", "impulse_noise", "glass_blur", "motion_blur", "shear", "scale", "rotate", "brightness",
        "translate", "stripe", "fog", "spatter", "dotted_line", "zigzag", "canny_edges",
    ]  # fmt: skip


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_changes_every_image_and_the_same_seed_gives_the_same(name: str):
    before = IMAGES.copy()
    after = corrupted(name)
    np.testing.assert_array_equal(IMAGES, before, err_msg="its input was changed")
    assert after.shape == IMAGES.shape and after.dtype == np.uint8
    assert (after != IMAGES).any(axis=(1, 2)).mean() > 0.97
    np.testing.assert_array_equal(after, corrupted(name))
    assert np.array_equal(after, corrupted(name, 1)) == (name in CHANCELESS)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("level", [0, 255])
def test_blank_and_full_images_and_no_images_are_corrupted_too(name: str, level: int):
    assert corrupted(name, images=np.full((3, 28, 28), level, np.uint8)).shape == (3, 28, 28)
    assert corrupted(name, images=np.zeros((0, 28, 28), np.uint8)).shape == (0, 28, 28)


def dot(row: int, column: int) -> np.ndarray:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, row, column] = 255
    return image


def test_noise_has_its_strength():
    grey = np.full((100, 28, 28), 128, np.uint8)
    shots = corrupted("shot_noise", images=grey)
    assert set(np.unique(shots)) == {0, 85, 170, 255} and shots[shots < 255].mean() < 128
    salted = corrupted("impulse_noise", images=grey)
    assert (salted == 0).mean() == pytest.approx(0.085, abs=0.005)
    assert (salted == 255).mean() == pytest.approx(0.085, abs=0.005)


def test_motion_smears_to_one_side_within_its_angle():
    smeared = corrupted("motion_blur", images=np.repeat(dot(13, 20), 200, axis=0))
    assert not smeared[:, :, 21:].any() and (smeared[:, 13, 20] > 0).all()
    rows, columns = np.nonzero(smeared.max(axis=0))
    assert (np.abs(rows - 13) <= 20 - columns + 1).all() and np.ptp(rows) > 6


def test_glass_swaps_neighbours_and_blurs_along_columns():
    alone = np.repeat(dot(13, 13), 300, axis=0)
    glass = corrupted("glass_blur", images=alone).astype(float)
    ink = glass.sum(axis=(0, 1)) / glass.sum()
    assert not ink[16:].any(), "a pixel goes at most one to the right in each of two rounds"
    assert 0.2 < ink[13] < 0.7 and ink[:13].sum() > 0.2
    assert (np.count_nonzero(glass, axis=1).max(axis=1) >= 3).all()


@pytest.mark.parametrize(("name", "places"), [
    ("translate", {(8, 8), (8, 14), (14, 8), (14, 14)}),
    ("scale", {(12, 12)}),
])  # fmt: skip
def test_a_dot_is_where_the_map_puts_it(name: str, places: set[tuple[int, int]]):
    moved = corrupted(name, images=np.repeat(dot(11, 11), 100, axis=0))
    peaks = {tuple(int(part) for part in np.unravel_index(image.argmax(), (28, 28))) for image in moved}
    assert peaks == places


def test_both_signs_of_a_turn_and_a_shear_come_about_as_often():
    bar = np.zeros((400, 28, 28), np.uint8)
    bar[:, 4:24, 13:15] = 255
    for name in ("rotate", "shear"):
        top = corrupted(name, images=bar)[:, :8].astype(float).sum(axis=1)
        right = (top[:, 14:].sum(axis=1) > top[:, :14].sum(axis=1)).mean()
        assert 0.4 < right < 0.6, name


def test_stripes_brightness_and_lines_are_where_they_belong():
    blank = np.zeros((100, 28, 28), np.uint8)
    striped = corrupted("stripe", images=blank)
    assert (striped[:, :, :7] == 255).all() and (striped[:, :, 21:] == 255).all() and not striped[:, :, 7:21].any()
    assert (corrupted("brightness", images=blank) == 128).all()
    dotted = corrupted("dotted_line", images=blank)
    columns = dotted.max(axis=(0, 1)) > 0
    assert columns.tolist() == [column % 4 >= 2 and column < 27 for column in range(28)]
    zigzag = corrupted("zigzag", images=blank)
    assert not zigzag[:, :, 0].any() and zigzag.max() == 255
    assert (np.count_nonzero(zigzag, axis=(1, 2)) > 30).mean() > 0.9


def test_fog_is_a_cloud_that_keeps_the_brightest_level():
    clouds = _plasma(20, 1.4, np.random.default_rng(0))
    assert clouds.shape == (20, 28, 28) and clouds.min() >= 0 and clouds.max() <= 1
    neighbours = np.abs(np.diff(clouds, axis=2)).mean()
    assert neighbours < 0.5 * np.abs(clouds - clouds[:, :, ::-1]).mean(), "near places are alike"
    foggy = corrupted("fog")
    assert foggy.mean() > 1.5 * IMAGES.mean() and foggy.std(axis=(1, 2)).mean() < 0.6 * IMAGES.std(axis=(1, 2)).mean()


def test_mud_covers_ink_and_dirties_paper():
    full = np.full((50, 28, 28), 255, np.uint8)
    assert 63 <= corrupted("spatter", images=full).min() < 110
    blank = corrupted("spatter", images=0 * full)
    assert 50 <= blank.max() <= 63 and 0.1 < (blank > 0).mean() < 0.6


def test_edges_are_thin_lines_around_the_ink():
    square = np.zeros((1, 28, 28), np.uint8)
    square[:, 8:20, 8:20] = 255
    edges = corrupted("canny_edges", images=square)[0]
    assert set(np.unique(edges)) == {0, 255}
    assert not edges[11:17, 11:17].any() and not edges[:5].any()
    assert (np.count_nonzero(edges[10:18], axis=1) == 2).all()
