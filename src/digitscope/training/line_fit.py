"""Training of the line reader: synthetic lines in, a folder with the network as ``.keras`` and ``.onnx`` out.

No real picture is seen unless corrections are given (``training.line_batches``). A training can be stopped and resumed.
Accuracy on real lines is measured by ``benchmarks/peers.py``.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitscope import files
from digitscope.arraytypes import Floats, Levels
from digitscope.backend import keras
from digitscope.datasets.line_folder import LineFolder
from digitscope.datasets.synthetic.glyphs import check_fonts
from digitscope.datasets.synthetic.lines import Lines
from digitscope.datasets.synthetic.recipe import LineRecipe
from digitscope.datasets.synthetic.recorded import RecordedWriters
from digitscope.environment import has_bfloat16
from digitscope.errors import ConfigError
from digitscope.models.keras_onnx import onnx_of
from digitscope.models.quantize import quantized
from digitscope.models.session import Session
from digitscope.preprocessing.line import ALPHABET, OTHER
from digitscope.progress import Progress
from digitscope.reading.ctc import best_path
from digitscope.training.line_batches import LONGEST_TEXT, batch_pool, first_batches
from digitscope.training.line_network import build_line_network
from digitscope.training.line_state import State, state_in
from digitscope.training.line_variation import varied

LINES = 2_600_000
"""Lines that the shipped network saw."""

PEAK, WARMUP, RAMP = 2.5e-3, 0.03, 100
"""The highest learning rate, the share of the lines before it is reached, and the steps of a ramp after every start."""

GUIDE = 0.3
"""Weight of the columns' own cross-entropy beside the CTC loss."""

SAVE_SECONDS = 60.0
"""Seconds between two saves."""

VALIDATION_SEED = 10_007
"""Seed of the lines that ``validate`` measures on."""

RANGES_SEED, RANGES_LINES = 10_009, 600
"""Seed and number of the lines on which the ranges of the activations are measured for the file in eight bits."""

UNSEEN = LineRecipe(recorded=1.0)
"""The lines on which a network that knows recorded writers is measured: all by such writers."""


@dataclass(frozen=True, eq=False)
class LineRun:
    """A finished training.

    Attributes:
        folder: holds ``reader.keras``, ``reader.onnx`` and ``history.json``.
        seconds: what the fit took, including the time before a resume.
        lines: that the network saw.
        accuracy: share of synthetic lines of another seed that it reads correctly, without recorded writers.
        unseen_writers: the same of lines by recorded writers whom no training sees; None without trajectories.
    """

    folder: Path
    seconds: float
    lines: int
    accuracy: float
    unseen_writers: float | None = None


def train_reader(
    lines: int = LINES,
    *,
    out: str | Path = "runs/reader",
    seed: int = 0,
    resume: bool = True,
    trajectories: str | Path | None = None,
    corrections: str | Path | None = None,
    progress: Progress | None = None,
) -> LineRun:
    """Train the line reader; Ctrl-C ends the training early and keeps what was learned, so that it can be resumed.

    Args:
        lines: of the whole training, those before a resume included.
        out: the folder.
        seed: of weights and lines.
        resume: whether to continue an unfinished training in the folder; otherwise it is replaced.
        trajectories: a folder of recorded pens, whose training writers write half of the lines (docs/data.md); None:
            there are none, and neither are other marks between digits.
        corrections: a folder of real lines with their texts (``datasets.line_folder``), of which a tenth of all lines
            are then drawn; None: there are none.
        progress: called with the lines seen, of all lines.

    Raises:
        ConfigError: the folder cannot be written, or its unfinished training was started with other trajectories,
            corrections or characters, or with an older version's network.
        DataError: fonts, trajectories or corrections are missing or damaged, or the state of the unfinished training.
        DigitscopeError: the process that makes lines has died.
    """
    recorded, real = (None if folder is None else Path(folder) for folder in (trajectories, corrections))
    # What is wrong with them is said here, not in the process that makes lines.
    if recorded is not None:
        RecordedWriters(recorded)
    table = "" if real is None else _checked(real)
    check_fonts()
    folder = Path(out)
    with files.sole_writer(folder):
        state = state_in(folder, recorded is not None, resume, table)
        keras.utils.set_random_seed(seed)
        bfloat16 = keras.backend.backend() == "tensorflow" and has_bfloat16()
        network = build_line_network("mixed_bfloat16" if bfloat16 else "float32")
        if state.lines:
            _restore(network, folder / "reader.keras")
        network.compile(
            optimizer=keras.optimizers.AdamW(PEAK, weight_decay=2e-3, clipnorm=5.0), loss=line_loss, jit_compile=False
        )
        with contextlib.suppress(KeyboardInterrupt):
            fit_lines(network, state, lines, folder, seed, recorded, real, progress)
        exact = _save(network, folder, state)
        written = export_reader(exact, folder / "reader.onnx", Lines(RANGES_SEED, None, None, recorded))
        accuracy = validate(written, Lines(VALIDATION_SEED))
        unseen = None if recorded is None else validate(written, Lines(VALIDATION_SEED, None, UNSEEN, recorded, True))
        files.write_json(folder / "history.json", asdict(state) | {"accuracy": accuracy, "unseen_writers": unseen})
        return LineRun(folder, state.seconds, state.lines, accuracy, unseen)


def _restore(network: keras.Model, path: Path) -> None:
    """Put the weights of an unfinished training into a network."""
    kept = keras.saving.load_model(path, compile=False).get_weights()
    if [weights.shape for weights in kept] != [weights.shape for weights in network.get_weights()]:
        raise ConfigError(f"{path} is a network of another size, of an older version; set out to another folder")
    network.set_weights(kept)


def _checked(real: Path) -> str:
    """The SHA-256 of the table of real lines, once all of them were opened."""
    lines = LineFolder(real)
    lines.check()
    return lines.sha256


def fit_lines(
    network: keras.Model,
    state: State,
    lines: int,
    folder: Path,
    seed: int,
    trajectories: Path | None = None,
    corrections: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Train a compiled network until it has seen ``lines`` lines, and save it every ``SAVE_SECONDS``.

    Args:
        network: a line network; it is changed.
        state: how far it is; it is changed.
        lines: of the whole training.
        folder: where it is saved.
        seed: of the lines.
        trajectories: as for ``train_reader``.
        corrections: as for ``train_reader``.
        progress: called at every save with the lines seen, of all lines.

    Raises:
        DigitscopeError: the process that makes lines has died.
    """
    rng = np.random.default_rng((seed, state.next))
    last = saved = time.monotonic()
    losses = [0.0]
    with batch_pool(seed, state.next, rng, trajectories, corrections) as pool:
        while state.lines < lines:
            batch = pool.take()
            state.next = pool.next_line
            ramp = min(1.0, len(losses) / RAMP)
            network.optimizer.learning_rate.assign(ramp * learning_rate(state.lines / lines))
            losses.append(float(network.train_on_batch(*varied(batch, rng))))
            state.lines += len(batch[0])
            now = time.monotonic()
            state.seconds += now - last
            last = now
            if now - saved > SAVE_SECONDS:
                saved, loss = now, float(np.mean(losses[-200:]))
                row = {"seconds": state.seconds, "lines": state.lines, "made": state.next, "loss": loss}
                state.history.append(row)
                _save(network, folder, state)
                if progress is not None:
                    progress("fit", state.lines, lines, {"loss": loss})


def learning_rate(done: float) -> float:
    """The learning rate after a share 0..1 of the lines: a short linear rise, then half a cosine."""
    return float(PEAK * min(1.0, (done + 1e-3) / WARMUP) * max(0.005, 0.5 * (1 + np.cos(np.pi * min(1.0, done)))))


def line_loss(targets: Any, logits: Any) -> Any:
    """The CTC loss, plus ``GUIDE`` times the cross-entropy of the columns with a known answer.

    CTC alone spends the first hundred thousand lines on finding where the characters are; in synthetic lines that is
    known.

    Args:
        targets: (n, LONGEST_TEXT + columns), the classes of the text and of the columns, see ``line_batches.Batch``.
        logits: (n, columns, CLASSES).
    """
    ops = keras.ops
    targets = ops.cast(targets, "int32")  # Keras passes targets as floats
    classes, columns = targets[:, :LONGEST_TEXT], targets[:, LONGEST_TEXT:]
    known = ops.cast(columns >= 0, "float32")
    guide = ops.sparse_categorical_crossentropy(ops.maximum(columns, 0), logits, from_logits=True)
    return ops.mean(_ctc(classes, logits)) + GUIDE * ops.mean(ops.sum(guide * known, axis=1))


def validate(network: Session, source: Lines, n: int = 2000) -> float:
    """The share 0..1 of at least ``n`` lines whose digits and separators are all read right, other marks left out."""
    right = total = 0
    for fields, classes, _ in first_batches(source, n):
        logits = network.run(_scaled(fields))[0]
        texts = ["".join(ALPHABET[c - 1] for c in row if c) for row in classes]
        right += sum(
            best_path(scores).replace(OTHER, "") == text.replace(OTHER, "")
            for scores, text in zip(logits, texts, strict=True)
        )
        total += len(texts)
    return right / total


def export_reader(network: keras.Model, path: str | Path, source: Lines) -> Session:
    """Write the network as ``.onnx``, in eight bits but for its last layer, and open what was written.

    Args:
        network: a line network.
        path: of the file: fields float32 (n, HEIGHT, w, 1) to logits float32 (n, w // 2, CLASSES).
        source: lines on which the ranges of the activations are measured.
    """
    batches = [_scaled(fields) for fields, _, _ in first_batches(source, RANGES_LINES)]
    content = quantized(onnx_of(network), batches, "logits")
    files.write_bytes(path, content)
    return Session(content, str(path))


def _scaled(fields: Levels) -> Floats:
    """Fields uint8 (n, HEIGHT, w) as the network takes them, float32 (n, HEIGHT, w, 1) 0..1."""
    return fields[..., None].astype(np.float32) / np.float32(255)


def _ctc(classes: Any, logits: Any) -> Any:
    """-log P(text) of every line; TensorFlow's own CPU kernel is several times faster than Keras' function."""
    ops = keras.ops
    lengths = ops.sum(ops.cast(classes > 0, "int32"), axis=-1)
    columns = ops.zeros_like(lengths) + ops.shape(logits)[1]
    if keras.backend.backend() != "tensorflow":
        return ops.ctc_loss(classes, logits, lengths, columns, mask_index=0)
    import tensorflow as tf  # extra train, and only where Keras runs on it

    empty = tf.equal(lengths, 0)
    # The kernel fails on an empty text, so it gets one character; its loss is replaced at the end.
    filled = tf.concat([tf.where(empty, 1, classes[:, 0])[:, None], classes[:, 1:]], axis=1)
    sparse = tf.sparse.from_dense(filled)
    losses = tf.nn.ctc_loss(sparse, logits, lengths, columns, logits_time_major=False, blank_index=0)
    return tf.where(empty, -tf.reduce_sum(tf.nn.log_softmax(logits)[..., 0], axis=1), losses)


def _save(network: keras.Model, folder: Path, state: State) -> keras.Model:
    """Write the network in float32, and how far it is; returns the network that was written."""
    exact = build_line_network("float32")
    exact.set_weights(network.get_weights())
    with files.atomic_path(folder / "reader.keras") as temporary:
        exact.save(temporary)
    files.write_json(folder / "history.json", asdict(state))
    return exact
