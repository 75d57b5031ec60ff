"""Training of the line reader: a number of lines in, a folder with the network as ``.keras`` and ``.onnx`` out.

Lines are made up while it trains, by a process of their own (``datasets.synthetic.lines``); no real picture is seen.
Training can be stopped and taken up again. Measuring on real lines is the business of ``benchmarks/strings.py``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import os
import queue
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from digitscope import files
from digitscope.arraytypes import Floats
from digitscope.datasets.synthetic.glyphs import check_fonts
from digitscope.datasets.synthetic.lines import Lines
from digitscope.environment import has_bfloat16
from digitscope.errors import DigitscopeError
from digitscope.models.keras_onnx import onnx_of
from digitscope.preprocessing.line import ALPHABET, HEIGHT, line_field
from digitscope.progress import Progress
from digitscope.reading.ctc import best_path
from digitscope.training.line_network import build_line_network

Batch = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32], npt.NDArray[np.int32]]

WIDTHS = (48, 72, 96, 128, 168, 224, 304)
"""Pixels of width of the batches; a line goes into the narrowest it fits in, a wider one is left out."""

MARGIN = 4
"""Pixels of paper that are added left and right of every line at least."""

LINES_A_BATCH = 96
"""Lines in a batch of middle width; narrower batches hold more."""

LONGEST_TEXT = 24

GUIDE = 0.3
"""Weight of the columns' own cross-entropy beside the CTC loss."""

PEAK, WARMUP, RAMP = 2.5e-3, 0.03, 100
"""The highest learning rate, the share of the lines before it is reached, and the steps of a ramp after every start."""

LINES = 1_600_000
"""Lines that the shipped network saw."""

SAVE_SECONDS = 60.0

AHEAD = 24
"""Batches that are made before they are asked for."""

SEEN = 20
"""Batches from which on the training does not wait for a fresh one."""

VALIDATION_SEED = 10_007


@dataclass(eq=False)
class _Bucket:
    """Lines of about one width on their way into a batch."""

    width: int
    fields: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    columns: list[npt.NDArray[np.int32]] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.fields) * self.width >= LINES_A_BATCH * 128

    def batch(self) -> Batch:
        """The batch, and the bucket is empty again.

        Returns:
            uint8 (n, HEIGHT, width) fields; int32 (n, LONGEST_TEXT) classes of the text, 0 behind its end; int32
            (n, width // 2) class of each column, -1 where it does not matter.
        """
        made = np.stack(self.fields), np.stack([_classes(text) for text in self.texts]), np.stack(self.columns)
        self.fields, self.texts, self.columns = [], [], []
        return made


def _classes(text: str) -> npt.NDArray[np.int32]:
    classes = np.zeros(LONGEST_TEXT, np.int32)
    classes[: len(text)] = [ALPHABET.index(character) + 1 for character in text]
    return classes


def _columns(text: str, spans: Floats, columns: int) -> npt.NDArray[np.int32]:
    """What each column should answer: a character around its middle, nothing between characters, -1 = either way."""
    wanted = np.zeros(columns, np.int32)
    for left, right in spans:
        wanted[max(0, int(left)) : int(np.ceil(right))] = -1
    for (_, end), (start, _) in itertools.pairwise(spans):
        wanted[min(columns - 1, int((end + start) / 2))] = 0
    for character, (left, right) in zip(text, spans, strict=True):
        middle, reach = (left + right) / 2, 0.15 * (right - left)
        wanted[max(0, int(middle - reach)) : int(middle + reach) + 1] = ALPHABET.index(character) + 1
    return wanted


def _fits(text: str, columns: int) -> bool:
    """Whether so many columns can spell a text: one each, and a blank between two of the same."""
    repeats = sum(a == b for a, b in itertools.pairwise(text))
    return len(text) <= LONGEST_TEXT and len(text) + repeats <= 0.8 * columns


def batches(seed: int, first: int = 0) -> Any:
    """Batches of made-up lines, without end; the same seed, the same batches.

    Args:
        seed: of the lines.
        first: number of the first line.

    Yields:
        ``(number, batch)``: the number of the next line and a batch.
    """
    source, number = Lines(seed), first
    buckets = [_Bucket(width) for width in WIDTHS]
    while True:
        line, rng = source.line(number), np.random.default_rng((seed, number, 1))
        number += 1
        made = line_field(line.pixels)
        bucket = next((bucket for bucket in buckets if bucket.width >= made.shape[1] + 2 * MARGIN), None)
        if bucket is None or not _fits(line.text, made.shape[1] // 2):
            continue
        left = int(rng.integers(MARGIN, bucket.width - made.shape[1] - MARGIN + 1))
        padded = np.zeros((HEIGHT, bucket.width), np.uint8)
        padded[:, left : left + made.shape[1]] = np.rint(made * 255)
        bucket.fields.append(padded)
        bucket.texts.append(line.text)
        spans = np.array(line.spans, np.float32).reshape(-1, 2) * made.shape[1] + left
        bucket.columns.append(_columns(line.text, spans / 2, bucket.width // 2))
        if bucket.full:
            yield number, bucket.batch()


def _make(seed: int, first: int, made: Any) -> None:
    """The process that makes batches until it is ended, or the training that takes them is gone."""
    import cv2

    cv2.setNumThreads(1)
    ahead: queue.Queue[tuple[int, Batch]] = queue.Queue(AHEAD)

    def hand_over() -> None:
        with contextlib.suppress(OSError):
            while True:
                made.send(ahead.get())
        os._exit(0)  # nobody takes them any more

    threading.Thread(target=hand_over, daemon=True).start()
    for item in batches(seed, first):
        ahead.put(item)


def line_loss(targets: Any, logits: Any) -> Any:
    """CTC loss, and ``GUIDE`` times the cross-entropy of the columns whose answer is known.

    CTC alone spends its first hundred thousand lines on finding out where the characters are; made-up lines know it.

    Args:
        targets: (n, LONGEST_TEXT + columns): classes of the text, 0 behind its end; then those of the columns.
        logits: (n, columns, CLASSES).
    """
    ops = keras.ops
    targets = ops.cast(targets, "int32")  # Keras hands targets on as floats
    classes, columns = targets[:, :LONGEST_TEXT], targets[:, LONGEST_TEXT:]
    known = ops.cast(columns >= 0, "float32")
    guide = ops.sparse_categorical_crossentropy(ops.maximum(columns, 0), logits, from_logits=True)
    return ops.mean(_ctc(classes, logits)) + GUIDE * ops.mean(ops.sum(guide * known, axis=1))


def _ctc(classes: Any, logits: Any) -> Any:
    """-log P(text) of every line; on TensorFlow by its CPU kernel, which is several times faster than Keras' own."""
    ops = keras.ops
    lengths = ops.sum(ops.cast(classes > 0, "int32"), axis=-1)
    columns = ops.zeros_like(lengths) + ops.shape(logits)[1]
    if keras.backend.backend() != "tensorflow":
        return ops.ctc_loss(classes, logits, lengths, columns, mask_index=0)
    import tensorflow as tf

    empty = tf.equal(lengths, 0)
    filled = tf.concat([tf.where(empty, 1, classes[:, 0])[:, None], classes[:, 1:]], axis=1)  # the kernel wants a text
    sparse = tf.sparse.from_dense(filled)
    losses = tf.nn.ctc_loss(sparse, logits, lengths, columns, logits_time_major=False, blank_index=0)
    return tf.where(empty, -tf.reduce_sum(tf.nn.log_softmax(logits)[..., 0], axis=1), losses)


@dataclass(frozen=True, eq=False)
class LineRun:
    """What a training leaves: a folder with ``reader.keras``, ``reader.onnx``, ``history.json``."""

    folder: Path
    seconds: float
    lines: int
    accuracy: float


def train_reader(
    lines: int = LINES,
    *,
    out: str | Path = "runs/reader",
    seed: int = 0,
    resume: bool = True,
    progress: Progress | None = None,
) -> LineRun:
    """Train the line reader; Ctrl-C ends it early and keeps what was learned, for another time to go on with.

    Args:
        lines: of the whole training, those of an earlier part that is taken up again counted in.
        out: the folder; one that holds an unfinished training is gone on with.
        seed: of weights and lines.
        resume: whether to go on with what is there.
        progress: told about lines seen of all.

    Raises:
        DataError: the fonts are not there.
        DigitscopeError: the process that makes lines has ended.
    """
    check_fonts()
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(seed)
    bfloat16 = keras.backend.backend() == "tensorflow" and has_bfloat16()
    network = build_line_network("mixed_bfloat16" if bfloat16 else "float32")
    state: dict[str, Any] = {"seconds": 0.0, "lines": 0, "next": 0, "history": []}
    if resume and (folder / "history.json").is_file() and (folder / "reader.keras").is_file():
        state = json.loads((folder / "history.json").read_text(encoding="utf-8"))
        network.set_weights(keras.saving.load_model(folder / "reader.keras", compile=False).get_weights())
    network.compile(
        optimizer=keras.optimizers.AdamW(PEAK, weight_decay=2e-3, clipnorm=5.0), loss=line_loss, jit_compile=False
    )
    with contextlib.suppress(KeyboardInterrupt):
        _fit(network, state, lines, folder, seed, progress)
    exact = _save(network, folder, state)
    accuracy = validate(exact)
    state["accuracy"] = accuracy
    files.write_json(folder / "history.json", state)
    export_reader(exact, folder / "reader.onnx")
    return LineRun(folder, state["seconds"], state["lines"], accuracy)


def _fit(network: Any, state: dict[str, Any], lines: int, folder: Path, seed: int, progress: Progress | None) -> None:
    """Train until so many lines were seen: on a fresh batch where one is ready, else on one that was seen before."""
    context = multiprocessing.get_context("spawn")
    made, handed_over = context.Pipe(duplex=False)
    maker = context.Process(target=_make, args=(seed, state["next"], handed_over), daemon=True)
    maker.start()
    handed_over.close()  # so that the pipe ends with the maker
    rng = np.random.default_rng((seed, state["next"]))
    seen: list[Batch] = []
    last, saved, losses = time.monotonic(), time.monotonic(), [0.0]
    try:
        while state["lines"] < lines:
            batch = _next(made, seen, rng, state)
            ramp = min(1.0, len(losses) / RAMP)
            network.optimizer.learning_rate.assign(ramp * _rate(state["lines"] / lines))
            losses.append(float(network.train_on_batch(*_disturbed(batch, rng))))
            state["lines"] += len(batch[0])
            now = time.monotonic()
            state["seconds"] += now - last
            last = now
            if now - saved > SAVE_SECONDS:
                saved = now
                facts = {"lines": state["lines"], "made": state["next"], "loss": float(np.mean(losses[-200:]))}
                state["history"].append({"seconds": state["seconds"], **facts})
                _save(network, folder, state)
                if progress is not None:
                    progress("fit", state["lines"], lines, {"loss": facts["loss"]})
    finally:
        maker.terminate()
        maker.join()
        made.close()


def _next(made: Any, seen: list[Batch], rng: np.random.Generator, state: dict[str, Any]) -> Batch:
    """A fresh batch where one is ready (or few were seen yet), else one of a thousand that were seen."""
    try:
        if len(seen) >= SEEN and not made.poll():
            return seen[int(rng.integers(len(seen)))]
        fresh: tuple[int, Batch] = made.recv()
    except (EOFError, OSError) as error:
        raise DigitscopeError(
            "the process that makes lines has ended, perhaps for want of memory; start the training again, it goes on "
            "from what was last saved"
        ) from error
    state["next"], batch = fresh
    if len(seen) < 1000:
        seen.append(batch)
    else:
        seen[int(rng.integers(len(seen)))] = batch
    return batch


def _disturbed(batch: Batch, rng: np.random.Generator) -> tuple[Floats, npt.NDArray[np.int32]]:
    """A batch as the network takes it, its ink a little weaker or stronger: twice seen is not the same."""
    fields = batch[0].astype(np.float32) * np.float32(1 / 255)
    power = rng.uniform(0.75, 1.35, (len(fields), 1, 1)).astype(np.float32)
    return (fields**power)[..., None], np.concatenate(batch[1:], axis=1)


def _rate(done: float) -> float:
    """Learning rate when a share 0..1 of the lines was seen: a short climb, then half a cosine."""
    return float(PEAK * min(1.0, (done + 1e-3) / WARMUP) * max(0.005, 0.5 * (1 + np.cos(np.pi * min(1.0, done)))))


def _save(network: Any, folder: Path, state: dict[str, Any]) -> Any:
    """Write the network in float32, and how far it is; the network written."""
    exact = build_line_network("float32")
    exact.set_weights(network.get_weights())
    with files.atomic_path(folder / "reader.keras") as temporary:
        exact.save(temporary)
    files.write_json(folder / "history.json", state)
    return exact


def validate(network: Any, n: int = 2000) -> float:
    """Share of made-up lines of another seed that are read right."""
    right = total = 0
    for _, (fields, classes, _) in batches(VALIDATION_SEED):
        logits = np.asarray(network.predict_on_batch(fields[..., None].astype(np.float32) / 255))
        texts = ["".join(ALPHABET[c - 1] for c in row if c) for row in classes]
        right += sum(best_path(scores) == text for scores, text in zip(logits, texts, strict=True))
        total += len(texts)
        if total >= n:
            break
    return right / total


def export_reader(network: Any, path: str | Path) -> None:
    """Write the network as ``.onnx``: fields float32 (n, HEIGHT, w, 1) to logits float32 (n, w // 2, CLASSES)."""
    files.write_bytes(path, onnx_of(network))
