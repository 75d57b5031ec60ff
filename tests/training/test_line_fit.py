"""The line network and its loss; the training itself is measured by ``benchmarks/peers.py``."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

keras = pytest.importorskip("keras")

from digitscope.datasets.line_folder import LineFolder  # noqa: E402
from digitscope.datasets.synthetic.glyphs import fonts_folder  # noqa: E402
from digitscope.datasets.synthetic.lines import Lines, SyntheticLine  # noqa: E402
from digitscope.errors import ConfigError, DataError, DigitscopeError  # noqa: E402
from digitscope.preprocessing.line import (  # noqa: E402
    ALPHABET,
    CLASSES,
    HEIGHT,
    line_field,
)
from digitscope.reading.engine_own import LineModel  # noqa: E402
from digitscope.training.line_batches import (  # noqa: E402
    KEPT,
    LONGEST_TEXT,
    REPEATED,
    WARM,
    BatchPool,
    MixedLines,
    column_classes,
    fits,
    line_batches,
    text_classes,
)
from digitscope.training.line_fit import (  # noqa: E402
    export_reader,
    fit_lines,
    learning_rate,
    line_loss,
    train_reader,
    validate,
)
from digitscope.training.line_network import build_line_network  # noqa: E402
from digitscope.training.line_state import State, state_in  # noqa: E402
from digitscope.training.line_variation import varied  # noqa: E402
from review_items import drawn  # noqa: E402
from trajectory_files import write_files  # noqa: E402


def test_any_even_width_gives_half_as_many_columns():
    network = build_line_network()
    assert network.count_params() < 1_500_000
    for width in (8, 50, 306):
        assert network(np.zeros((2, HEIGHT, width, 1), np.float32)).shape == (2, width // 2, CLASSES)


class Scribbled:
    """A source of lines with strokes anywhere."""

    seed = 0

    def line(self, index: int) -> SyntheticLine:
        """A line of 32x60 pixels, dark on light."""
        paper, rng = np.full((32, 60), 235, np.uint8), np.random.default_rng(index)
        for ends in rng.integers(4, 28, (6, 4)):
            cv2.line(paper, (2 * int(ends[0]), int(ends[1])), (2 * int(ends[2]), int(ends[3])), 40, 2)
        return SyntheticLine(paper, "7", ())


def test_the_file_in_eight_bits_answers_nearly_as_the_network_does(tmp_path: Path):
    network = build_line_network()
    export_reader(network, tmp_path / "reader.onnx", Scribbled())  # type: ignore[arg-type]
    assert (tmp_path / "reader.onnx").stat().st_size < network.count_params() * 1.2
    fields = [line_field(Scribbled().line(number).pixels) for number in (10_000, 10_001)]
    for field, found in zip(fields, LineModel(tmp_path / "reader.onnx").probabilities(fields), strict=True):
        padded = np.zeros((1, HEIGHT, field.shape[1] + 16, 1), np.float32)
        padded[0, :, 8:-8, 0] = field
        expected = keras.ops.convert_to_numpy(keras.ops.softmax(network(padded)))[0]
        spread = expected.std(axis=0).max()
        assert 0 < np.abs(found - expected).max() < spread, (
            "an eighth of a bit would be too exact, and noise too far off"
        )


def test_the_loss_is_small_where_the_columns_say_the_text():
    text = "70.7"
    wanted = column_classes(text, np.array([[2, 6], [8, 12], [13, 14], [16, 20]], np.float32), 24)
    targets = np.concatenate([text_classes(text), wanted])[None].astype(np.float32)
    good = 12 * np.eye(CLASSES, dtype=np.float32)[np.maximum(wanted, 0)][None]
    wrong = good[:, ::-1].copy()
    empty = np.zeros((1, LONGEST_TEXT + 24), np.float32)
    nothing = 12 * np.eye(CLASSES, dtype=np.float32)[np.zeros(24, int)][None]
    assert float(line_loss(targets, good)) < 0.1 < 5 < float(line_loss(targets, wrong))
    assert float(line_loss(empty, nothing)) < 0.01 < 5 < float(line_loss(empty, good))


def test_a_blank_column_separates_touching_digits():
    wanted = column_classes("11", np.array([[2, 6], [6, 10]], np.float32), 14)
    one = ALPHABET.index("1") + 1
    assert wanted[4] == one and wanted[8] == one and 0 in wanted[5:8]
    assert wanted[0] == wanted[13] == 0 and -1 in wanted


def test_columns_may_say_anything_where_nobody_knows_what_stands_where():
    assert column_classes("00", np.zeros((0, 2), np.float32), 9).tolist() == [-1] * 9
    assert column_classes("", np.zeros((0, 2), np.float32), 9).tolist() == [0] * 9
    other = column_classes("?", np.array([[2, 6]], np.float32), 9)
    assert other[4] == len(ALPHABET) == text_classes("?")[0] == CLASSES - 1


def test_a_text_needs_room():
    assert fits("123", 10) and not fits("1111", 8) and not fits("1" * (LONGEST_TEXT + 1), 1000)


def test_the_rate_climbs_and_falls():
    rates = [learning_rate(done) for done in np.linspace(0, 1, 50)]
    assert rates[0] < max(rates) > rates[-1] > 0 and rates.index(max(rates)) < 5


BATCH = (np.zeros((1, HEIGHT, 8), np.uint8), np.zeros((1, LONGEST_TEXT), np.int32), np.zeros((1, 4), np.int32))


def pool_of(made: Connection, seen: int) -> BatchPool:
    """A pool that has seen so many batches."""
    pool = BatchPool(made, 0, np.random.default_rng(0))
    pool._seen += [BATCH] * seen
    return pool


@pytest.mark.parametrize("seen", [0, WARM - 1, WARM, KEPT])
@pytest.mark.parametrize("half", [b"", (1000).to_bytes(4, "big") + b"half a batch"], ids=["between", "in the midst"])
def test_a_generator_that_dies_is_one_sentence(seen: int, half: bytes):
    made, maker = multiprocessing.Pipe(duplex=False)
    maker.send((7, BATCH))
    os.write(maker.fileno(), half)
    maker.close()
    pool = pool_of(made, seen)
    taken = []
    with pytest.raises(DigitscopeError, match=r"line generator died \(out of memory\?\); train again to resume"):
        for _ in range(100):
            taken.append(pool.take())
    assert pool.next_line == 7 and (len(taken) == 1 or seen >= WARM)


def test_training_waits_for_the_first_batches_only():
    made, maker = multiprocessing.Pipe(duplex=False)
    pool = pool_of(made, WARM)
    assert pool.take() is BATCH and pool.next_line == 0, "none is ready"
    for number in range(1, 31):
        maker.send((number, BATCH))
    for _ in range(40):
        pool.take()
    assert len(pool._seen) - WARM == pool.next_line == pytest.approx(40 * (1 - REPEATED), abs=10)


@pytest.mark.parametrize("width", [8, 48, 304])
def test_no_line_is_seen_twice_and_its_ink_stays_in_its_columns(width: int):
    lines = np.zeros((40, HEIGHT, width), np.uint8)
    lines[:, 6:26, width // 2 - 2 : width // 2 + 2] = 255
    batch = (lines, np.zeros((40, LONGEST_TEXT), np.int32), np.zeros((40, width // 2), np.int32))
    fields, targets = varied(batch, np.random.default_rng(0))
    assert fields.shape == (40, HEIGHT, width, 1) and fields.min() >= 0 and fields.max() <= 1
    assert targets.shape == (40, LONGEST_TEXT + width // 2) and len(np.unique(fields, axis=0)) == 40
    middles = (fields.sum(axis=(1, 3)) @ np.arange(width)) / fields.sum(axis=(1, 2, 3))
    assert np.abs(middles - (width - 1) / 2).max() < 2.5


def test_without_fonts_nothing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIGITSCOPE_FONTS", str(tmp_path / "fonts"))
    with pytest.raises(DataError, match="holds no fonts"):
        train_reader(100, out=tmp_path / "run")
    assert not list(tmp_path.iterdir())
    with pytest.raises(DigitscopeError, match="line generator died"):
        fit_lines(build_line_network(), State(), 100, tmp_path, 0)


@pytest.mark.parametrize(
    "content", ["", "[1, 2]", '{"seconds": 1}', '{"seconds": "x", "lines": 1, "next": 1, "history": []}']
)
def test_a_damaged_state_is_one_sentence(content: str, tmp_path: Path):
    (tmp_path / "history.json").write_text(content)
    with pytest.raises(DataError, match=r"history.json is damaged .*; delete it to start the training again"):
        State.read(tmp_path / "history.json")


OLD = '{"seconds": 1, "lines": 96, "next": 100, "history": [], "accuracy": 0.5}'


@pytest.mark.parametrize(
    ("state", "trajectories", "said"),
    [
        (OLD, False, r"knows the characters '0123456789\.,-/=', and this version .*; set out to another folder"),
        (
            OLD.replace("}", ', "alphabet": "0123456789.,-/=?"}'),
            True,
            "was started without pen trajectories; resume it",
        ),
        (OLD.replace("}", ', "alphabet": "0123456789.,-/=?", "trajectories": true}'), False, "was started with pen"),
    ],
)
def test_a_training_is_resumed_as_it_was_started(state: str, trajectories: bool, said: str, tmp_path: Path):
    (tmp_path / "history.json").write_text(state)
    assert state_in(tmp_path, trajectories, True).lines == 0, "there is no network to go on with"
    (tmp_path / "reader.keras").touch()
    with pytest.raises(ConfigError, match=said):
        state_in(tmp_path, trajectories, True)
    fresh = state_in(tmp_path, trajectories, False)
    assert (fresh.lines, fresh.trajectories, fresh.alphabet) == (0, trajectories, ALPHABET)
    if "alphabet" in state:
        assert state_in(tmp_path, not trajectories, True).next == 100


@pytest.mark.parametrize(("before", "now"), [("", "aa"), ("aa", ""), ("aa", "bb")])
def test_a_training_is_resumed_with_the_same_corrections(before: str, now: str, tmp_path: Path):
    (tmp_path / "reader.keras").touch()
    (tmp_path / "history.json").write_text(json.dumps(asdict(State(lines=96, real=before))))
    assert state_in(tmp_path, False, True, before).lines == 96
    with pytest.raises(ConfigError, match="resume it with the same corrections, or set out to another folder"):
        state_in(tmp_path, False, True, now)
    assert state_in(tmp_path, False, False, now).real == now


@pytest.mark.skipif(not (fonts_folder() / "handwritten").is_dir(), reason="fonts were not fetched")
def test_a_network_of_an_older_version_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as older:
        older.setattr("digitscope.training.line_network.FILTERS", (8,) * 8)
        build_line_network().save(tmp_path / "reader.keras")
    (tmp_path / "history.json").write_text(json.dumps(asdict(State(lines=96))))
    with pytest.raises(ConfigError, match=r"reader\.keras is a network of another size, .*; set out to another folder"):
        train_reader(100, out=tmp_path)


class Lettered:
    """A source of lines with one text."""

    seed = 0

    def __init__(self, text: str) -> None:
        self.text = text

    def line(self, index: int) -> SyntheticLine:
        return SyntheticLine(np.full((32, 60), 255, np.uint8), self.text, ())


@pytest.mark.parametrize(
    ("text", "right"), [("7?", 1.0), ("7", 1.0), ("?7?", 1.0), ("77", 0.0), ("?", 0.0), ("7.", 0.0)]
)
def test_other_marks_do_not_count_in_validation(text: str, right: float):
    answer = np.eye(CLASSES, dtype=np.float32)[[0, ALPHABET.index("7") + 1, 0, CLASSES - 1]]
    network = SimpleNamespace(run=lambda fields: [np.repeat(answer[None], len(fields), axis=0)])
    assert validate(network, Lettered(text), 5) == right  # type: ignore[arg-type]


def real_lines(folder: Path) -> Path:
    """Two pictures of lines with their texts."""
    folder.mkdir()
    for number, text in enumerate(("305", "1.2")):
        Image.fromarray(drawn(text)).save(folder / f"{number}.png")
    (folder / "labels.csv").write_text("file,text\n0.png,305\n1.png,1.2\n")
    return folder


def test_a_tenth_of_all_lines_is_real_and_always_the_same_ones(tmp_path: Path):
    mixed = MixedLines(Lettered("7"), LineFolder(real_lines(tmp_path / "real")))  # type: ignore[arg-type]
    texts = [mixed.line(number).text for number in range(3000)]
    assert 250 < sum(text != "7" for text in texts) < 350 and {*texts} == {"7", "305", "1.2"}
    assert [mixed.line(number).text for number in range(2999, -1, -1)] == texts[::-1], "whatever was made before"


def test_real_lines_are_in_batches_without_known_columns(tmp_path: Path):
    mixed = MixedLines(Lettered("7"), LineFolder(real_lines(tmp_path / "real")))  # type: ignore[arg-type]
    seen: set[str] = set()
    for _, (fields, classes, columns) in itertools.islice(line_batches(mixed), 40):
        for field, row, of_columns in zip(fields, classes, columns, strict=True):
            text = "".join(ALPHABET[c - 1] for c in row if c)
            seen.add(text)
            if text != "7":
                assert (of_columns == -1).all() and field.max() > 128
    assert seen == {"7", "305", "1.2"}


@pytest.mark.slow
def test_a_reader_is_trained_with_corrections_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if not (fonts_folder() / "handwritten").is_dir():
        pytest.skip("fonts were not fetched (benchmarks/fetch_fonts.py)")
    monkeypatch.setattr("digitscope.training.line_fit.validate", lambda network, source: 0.5)
    real = real_lines(tmp_path / "real")
    first = train_reader(300, out=tmp_path / "run", corrections=real)
    assert train_reader(first.lines + 1, out=tmp_path / "run", corrections=real).lines > first.lines
    with pytest.raises(ConfigError, match="was started with real lines; resume it with the same corrections"):
        train_reader(1000, out=tmp_path / "run")
    (real / "1.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1\.png"):
        train_reader(100, out=tmp_path / "other", corrections=real)
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_a_reader_is_trained_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A few batches, stopped and gone on with: the lines add up, and the file can be opened."""
    if not (fonts_folder() / "handwritten").is_dir():
        pytest.skip("fonts were not fetched (benchmarks/fetch_fonts.py)")
    monkeypatch.setattr("digitscope.training.line_fit.validate", lambda network, source: 0.5)
    first = train_reader(300, out=tmp_path)
    state = State.read(tmp_path / "history.json")
    assert 300 <= first.lines == state.lines and state.next > 0
    again = train_reader(first.lines + 1, out=tmp_path)
    assert again.lines > first.lines and again.seconds > first.seconds
    assert (
        LineModel(tmp_path / "reader.onnx").probabilities([np.zeros((HEIGHT, 40), np.float32)])[0].shape[1] == CLASSES
    )


@pytest.mark.slow
def test_a_reader_is_trained_with_recorded_pens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is measured twice, the second time on lines by writers who wrote none of those that it learned from."""
    if not (fonts_folder() / "handwritten").is_dir():
        pytest.skip("fonts were not fetched (benchmarks/fetch_fonts.py)")
    sources: list[Lines] = []
    monkeypatch.setattr("digitscope.training.line_fit.validate", lambda network, source: sources.append(source) or 0.5)
    pens = write_files(tmp_path / "pens")
    run = train_reader(60, out=tmp_path / "run", trajectories=pens)
    assert run.unseen_writers == 0.5 and State.read(tmp_path / "run" / "history.json").trajectories
    usual, unseen = sources
    assert usual._recorded is None and unseen._recorded is not None
    assert all("?" not in usual.line(number).text for number in range(30))
    side = {sample.file.validation[sample.index] for own in unseen._recorded._people.values() for sample in own["4"]}
    assert side == {True}
    with pytest.raises(ConfigError, match="was started with pen trajectories"):
        train_reader(200, out=tmp_path / "run")
    (pens / "letters.npz").unlink()
    with pytest.raises(DataError, match=r"has no letters\.npz"):
        train_reader(200, out=tmp_path / "other", trajectories=pens)
    assert not (tmp_path / "other").exists()
