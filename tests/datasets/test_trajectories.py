"""Files of pen trajectories: read as they are, chosen from evenly by writer, and refused in one sentence if damaged."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from damage import damaged, tally
from digitscope.datasets.trajectories import (
    FOLDER_VARIABLE,
    KINDS,
    LARGEST_ARRAY,
    UNKNOWN,
    EvenChoice,
    read_trajectories,
    trajectories_folder,
)
from digitscope.errors import DataError
from trajectory_files import WRITERS, arrays, samples_of, write_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("trajectories"))


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_as_they_were_written(kind: str, folder: Path):
    read, written = read_trajectories(kind, folder), samples_of(kind)
    assert read.labels.tolist() == [one["label"] for one in written]
    assert read.writers.tolist() == [one["writer"] for one in written]
    assert read.validation.tolist() == [one["writer"] >= WRITERS - 2 for one in written]
    for index, one in enumerate(written):
        strokes = read.strokes(index)
        assert len(strokes) == len(one["strokes"]) and all(stroke.dtype == np.float32 for stroke in strokes)
        for found, expected in zip(strokes, one["strokes"], strict=True):
            assert np.allclose(found, expected / 1000)
        assert read.owners(index) == (one["owners"] if kind == "strings" else [-1] * len(strokes))
        baseline = read.baseline[index]
        assert np.isnan(baseline) if one["baseline"] == UNKNOWN else np.isclose(baseline, one["baseline"] / 1000)


def test_the_folder_comes_by_name_or_by_the_variable(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with pytest.raises(DataError, match="no folder with pen trajectories is known; give one, or name it in DIGITSCOPE"):
        trajectories_folder()
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    assert trajectories_folder() == folder and len(read_trajectories("strings").labels) == len(samples_of("strings"))
    for wrong in (tmp_path, tmp_path / "none", "a\0b", folder / "digits.npz"):
        with pytest.raises(DataError, match="pen trajectories"):
            trajectories_folder(wrong)
    (tmp_path / "digits.npz").touch()
    with pytest.raises(DataError, match=r"has no strings\.npz, letters\.npz, symbols\.npz; docs/data\.md says"):
        read_trajectories("digits", tmp_path)


def test_every_writer_is_chosen_as_often_as_the_others_and_each_of_their_samples_too():
    writers = np.array([5] * 90 + [7] * 9 + [2])
    choice, rng = EvenChoice(writers, np.arange(8, 100)), np.random.default_rng(0)
    chosen = Counter(choice.choose(rng) for _ in range(6000))
    assert set(chosen) == set(range(8, 100)) and set(choice.groups) == {2, 5, 7}
    by_writer = Counter[int]()
    for index, times in chosen.items():
        by_writer[int(writers[index])] += times
    assert all(1800 < times < 2200 for times in by_writer.values())
    assert all(160 < chosen[index] < 280 for index in range(90, 99))


BROKEN: list[tuple[str, str, Any, str]] = [
    ("digits", "points", lambda a: a[:, :1], "points have the shape"),
    ("digits", "points", lambda a: a.astype(np.int32) + 40_000, "points have the shape"),
    ("digits", "points", lambda a: a / 2, "points holds float64"),
    ("digits", "points", lambda a: a.astype(np.int64), "at most 32 bits"),
    ("digits", "stroke_off", lambda a: a[::-1], "stroke_off does not ascend from 0"),
    ("digits", "stroke_off", lambda a: np.append(a[:-1], a[-1] + 1), "stroke_off does not ascend"),
    ("digits", "stroke_off", lambda a: np.append(a[:-2], [a[-1], a[-1]]), "stroke_off does not ascend"),
    ("letters", "sample_off", lambda a: a[1:], "sample_off does not ascend"),
    ("letters", "sample_off", lambda a: a[:0], "sample_off does not ascend"),
    ("letters", "label", lambda a: a[:-1], "label has the shape"),
    ("letters", "label", lambda a: np.arange(len(a)), "label has the shape"),
    ("letters", "label", lambda a: np.array(["AB", *a[1:]]), "'AB' is no label of letters"),
    ("letters", "label", lambda a: np.array(["", *a[1:]]), "'' is no label of letters"),
    ("letters", "label", lambda a: np.array(["é", *a[1:]]), "'é' is no label of letters"),
    ("strings", "label", lambda a: np.array(["1 2", *a[1:]]), "'1 2' is no label of strings"),
    ("strings", "label", lambda a: np.array(["1" * 65, *a[1:]]), "is no label of strings"),
    ("digits", "label", lambda a: a + 1, "label has other values than 0 to 9"),
    ("digits", "label", lambda a: a.astype("U1"), "label has the shape"),
    ("symbols", "writer", lambda a: a[:-1], "writer has the shape"),
    ("symbols", "split", lambda a: a + 1, "split has other values"),
    ("symbols", "split", lambda a: np.arange(len(a), dtype=np.uint16) % 2, "writer 0 is among those for training and"),
    ("symbols", "baseline", lambda a: a[None], "baseline has the shape"),
    ("strings", "stroke_char", lambda a: a - 2, "stroke_char points outside"),
    ("strings", "stroke_char", lambda a: a + 3, "stroke_char points outside"),
    ("strings", "stroke_char", lambda a: a[:-1], "stroke_char has the shape"),
    ("digits", "points", lambda a: a.astype(object), "Python objects, which are not loaded"),
    ("strings", "stroke_char", None, r"holds the arrays .*; expected an \.npz with points"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "change", "said"), BROKEN)
def test_what_does_not_fit_is_said_in_one_sentence(
    kind: str, name: str, change: Any, said: str, folder: Path, tmp_path: Path
):
    for other in KINDS:
        (tmp_path / f"{other}.npz").symlink_to(folder / f"{other}.npz")
    made = arrays(samples_of(kind), kind)
    if change is None:
        del made[name]
    else:
        made[name] = change(made[name])
    (tmp_path / f"{kind}.npz").unlink()
    np.savez(tmp_path / f"{kind}.npz", **made)
    with pytest.raises(DataError, match=said):
        read_trajectories(kind, tmp_path)


def test_damaged_files(folder: Path, tmp_path: Path):
    for other in KINDS:
        (tmp_path / f"{other}.npz").symlink_to(folder / f"{other}.npz")
    path = tmp_path / "strings.npz"
    path.unlink()
    np.savez(path, **arrays(samples_of("strings"), "strings"))  # not packed, so that damage reaches the arrays
    good = path.read_bytes()

    def read(seed: int) -> None:
        path.write_bytes(damaged(good, seed))
        found = read_trajectories("strings", tmp_path)
        assert all(len(stroke) for index in range(len(found.labels)) for stroke in found.strokes(index))

    assert set(tally(400, read)) == {None, "DataError"}


def test_what_unpacks_to_too_much_is_refused(folder: Path, tmp_path: Path):
    for other in KINDS:
        (tmp_path / f"{other}.npz").symlink_to(folder / f"{other}.npz")
    (tmp_path / "digits.npz").unlink()
    made = arrays(samples_of("digits"), "digits") | {"points": np.zeros((LARGEST_ARRAY // 4 + 1, 2), np.int16)}
    np.savez_compressed(tmp_path / "digits.npz", **made)
    del made
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="unpacks to more than 16,777,216 bytes"):
            read_trajectories("digits", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 4 * LARGEST_ARRAY
    finally:
        tracemalloc.stop()
