"""The line network and its loss; the training itself is measured by ``benchmarks/strings.py``."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from digitscope.errors import DataError, DigitscopeError  # noqa: E402
from digitscope.preprocessing.line import (  # noqa: E402
    ALPHABET,
    CLASSES,
    HEIGHT,
)
from digitscope.reading.engine_own import LineModel  # noqa: E402
from digitscope.training.line_fit import (  # noqa: E402
    LONGEST_TEXT,
    SEEN,
    _classes,
    _columns,
    _fit,
    _fits,
    _next,
    _rate,
    export_reader,
    line_loss,
    train_reader,
)
from digitscope.training.line_network import build_line_network  # noqa: E402


def test_any_even_width_gives_half_as_many_columns():
    network = build_line_network()
    assert network.count_params() < 1_500_000
    for width in (8, 50, 306):
        assert network(np.zeros((2, HEIGHT, width, 1), np.float32)).shape == (2, width // 2, CLASSES)


def test_the_file_answers_as_the_network_does(tmp_path: Path):
    network = build_line_network()
    export_reader(network, tmp_path / "reader.onnx")
    assert (tmp_path / "reader.onnx").stat().st_size < 5_000_000
    fields = [np.random.default_rng(width).random((HEIGHT, width), np.float32) for width in (40, 200)]
    for field, found in zip(fields, LineModel(tmp_path / "reader.onnx").probabilities(fields), strict=True):
        padded = np.zeros((1, HEIGHT, 216, 1), np.float32)
        padded[0, :, 8 : 8 + field.shape[1], 0] = field
        expected = keras.ops.convert_to_numpy(keras.ops.softmax(network(padded)))[0, : len(found)]
        assert np.abs(found - expected).max() < 1e-4


def test_the_loss_is_small_where_the_columns_say_the_text():
    text = "70.7"
    wanted = _columns(text, np.array([[2, 6], [8, 12], [13, 14], [16, 20]], np.float32), 24)
    targets = np.concatenate([_classes(text), wanted])[None].astype(np.float32)
    good = 12 * np.eye(CLASSES, dtype=np.float32)[np.maximum(wanted, 0)][None]
    wrong = good[:, ::-1].copy()
    empty = np.zeros((1, LONGEST_TEXT + 24), np.float32)
    nothing = 12 * np.eye(CLASSES, dtype=np.float32)[np.zeros(24, int)][None]
    assert float(line_loss(targets, good)) < 0.1 < 5 < float(line_loss(targets, wrong))
    assert float(line_loss(empty, nothing)) < 0.01 < 5 < float(line_loss(empty, good))


def test_columns_part_what_touches():
    wanted = _columns("11", np.array([[2, 6], [6, 10]], np.float32), 14)
    one = ALPHABET.index("1") + 1
    assert wanted[4] == one and wanted[8] == one and 0 in wanted[5:8]
    assert wanted[0] == wanted[13] == 0 and -1 in wanted


def test_a_text_needs_room():
    assert _fits("123", 10) and not _fits("1111", 8) and not _fits("1" * (LONGEST_TEXT + 1), 1000)


def test_the_rate_climbs_and_falls():
    rates = [_rate(done) for done in np.linspace(0, 1, 50)]
    assert rates[0] < max(rates) > rates[-1] > 0 and rates.index(max(rates)) < 5


BATCH = (np.zeros((1, HEIGHT, 8), np.uint8), np.zeros((1, LONGEST_TEXT), np.int32), np.zeros((1, 4), np.int32))


@pytest.mark.parametrize("seen", [0, SEEN - 1, SEEN, 1000])
@pytest.mark.parametrize("half", [b"", (1000).to_bytes(4, "big") + b"half a batch"], ids=["between", "in the midst"])
def test_a_maker_that_ends_is_told(seen: int, half: bytes):
    made, maker = multiprocessing.Pipe(duplex=False)
    maker.send((7, BATCH))
    os.write(maker.fileno(), half)
    maker.close()
    known, state, rng = [BATCH] * seen, {"next": 0}, np.random.default_rng(0)
    assert _next(made, known, rng, state)[0].shape == BATCH[0].shape and state["next"] == 7
    with pytest.raises(DigitscopeError, match="process that makes lines has ended"):
        _next(made, known, rng, state)


def test_training_waits_for_the_first_batches_only():
    made, maker = multiprocessing.Pipe(duplex=False)
    state, rng = {"next": 0}, np.random.default_rng(0)
    known = [BATCH] * SEEN
    assert _next(made, known, rng, state) is BATCH and state["next"] == 0, "none is ready"
    maker.send((9, BATCH))
    assert _next(made, known, rng, state) is not BATCH and state["next"] == 9 and len(known) == SEEN + 1


def test_without_fonts_nothing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIGITSCOPE_FONTS", str(tmp_path / "fonts"))
    with pytest.raises(DataError, match="holds no fonts"):
        train_reader(100, out=tmp_path / "run")
    assert not list(tmp_path.iterdir())
    with pytest.raises(DigitscopeError, match="process that makes lines has ended"):
        _fit(None, {"seconds": 0.0, "lines": 0, "next": 0, "history": []}, 100, tmp_path, 0, None)
