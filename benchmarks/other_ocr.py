"""RapidOCR and Tesseract as readers of digits, each in several ways, for `peers.py`.

Every program gets the picture as it came. A way may do what the program's users do to help it; `peers.py` takes the way
that reads a set best.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from careful_cnn import coloured, dark_ink, grey, in_lines
from PIL import Image
from sets import Picture

from digitscope.reading.engine_rapidocr import LOOKALIKES

if TYPE_CHECKING:
    from rapidocr import RapidOCR

FURTHER = {"0": "CUσ", "1": "([/", "2": "乙", "3": "了", "5": "J", "8": "E&"}
"""What RapidOCR also makes of digits on these very sets, beside ``LOOKALIKES``, which the engine ``ocr`` counts."""

LETTERS = str.maketrans({sign: digit for of in (LOOKALIKES, FURTHER) for digit, signs in of.items() for sign in signs})
"""The digit that each letter or other sign is taken for."""

TALL, BORDER = 64, 16
"""Pixels: to what height low pictures are enlarged for Tesseract, and how much paper they get around them."""

MARGIN = 0.2
"""Paper around a picture for RapidOCR, as a share of its height."""


def missing(programs: Sequence[str]) -> str | None:
    """A sentence about the first of the programs that is not installed; None if all are."""
    if {"RapidOCR", "ocr"} & set(programs) and find_spec("rapidocr") is None:
        return "RapidOCR is not installed; install it with: pip install rapidocr"
    if "Tesseract" in programs and shutil.which("tesseract") is None:
        return "Tesseract is not installed; install it, on Debian with: apt-get install -y tesseract-ocr"
    return None


def versions() -> dict[str, str]:
    """The version of each program, RapidOCR's with its networks."""
    folder = Path(find_spec("rapidocr").submodule_search_locations[0]) / "models"
    networks = ", ".join(sorted(path.stem for path in folder.glob("*.onnx")))
    told = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True).stdout
    return {"RapidOCR": f"{metadata.version('rapidocr')} ({networks})", "Tesseract": told.split()[1]}


def rapidocr_digits(pictures: Sequence[Picture]) -> dict[str, list[str]]:
    """What RapidOCR's recogniser alone reads, letters taken for digits."""
    ways = {
        "recogniser alone": [_recognised(pixels(picture)) for picture in pictures],
        "recogniser alone, with a margin": [_recognised(pixels(picture, MARGIN)) for picture in pictures],
    }
    return {way: [text.translate(LETTERS) for text in texts] for way, texts in ways.items()}


def rapidocr_numbers(pictures: Sequence[Picture]) -> dict[str, list[str]]:
    """What RapidOCR reads with and without detecting lines first, letters left out or taken for digits."""
    alone = [_recognised(pixels(picture)) for picture in pictures]
    margin = [_detected(pixels(picture, MARGIN), turn=False) for picture in pictures]
    ways = {
        "detection": [_detected(pixels(picture), turn=True) for picture in pictures],
        "detection with a margin": [found or text for found, text in zip(margin, alone, strict=True)],
        "recogniser alone": alone,
    }
    mapped = {f"{way}, letters as digits": [text.translate(LETTERS) for text in texts] for way, texts in ways.items()}
    return ways | mapped


def tesseract_digits(pictures: Sequence[Picture]) -> dict[str, list[str]]:
    """What Tesseract reads when each picture is a single character."""
    return _modes(pictures, (10,))


def tesseract_numbers(pictures: Sequence[Picture]) -> dict[str, list[str]]:
    """What Tesseract reads when each picture is one line of text, or one block of it."""
    return _modes(pictures, (7, 6))


@cache
def _rapidocr() -> RapidOCR:
    """RapidOCR with the networks of its package; on one thread, for no time is measured and the machine may be busy."""
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": 1})


def _recognised(picture: np.ndarray) -> str:
    """The picture as one line of text."""
    return "".join(_rapidocr()(picture, use_det=False, use_cls=False, use_rec=True).txts or ())


def _detected(picture: np.ndarray, turn: bool) -> str:
    """The lines that RapidOCR finds, set right if upside down and ``turn``; boxes side by side are one line."""
    found = _rapidocr()(picture, use_det=True, use_cls=turn, use_rec=True)
    boxes = [] if found.boxes is None else [cv2.boundingRect(box.astype(np.float32)) for box in found.boxes]
    return "\n".join(" ".join(found.txts[number] for number in line) for line in in_lines(boxes))


def _modes(pictures: Sequence[Picture], modes: Iterable[int]) -> dict[str, list[str]]:
    """Tesseract's texts for each page segmentation mode, of the pictures as they came and as its manual advises."""
    kinds = {"as it came": pictures, "prepared": [as_advised(picture) for picture in pictures]}
    return {f"psm {mode}, {kind}": _tesseract(shown, mode) for mode in modes for kind, shown in kinds.items()}


def _tesseract(pictures: Sequence[Picture], mode: int) -> list[str]:
    """The text of each picture; one process reads them all. A picture that it dies of counts as empty."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, picture in enumerate(pictures):
            paths.append(picture if isinstance(picture, Path) else Path(folder) / f"{number}.png")
            if isinstance(picture, np.ndarray):
                Image.fromarray(picture).save(paths[-1])
        names = Path(folder) / "names.txt"
        names.write_text("".join(f"{path.resolve()}\n" for path in paths), encoding="utf-8")
        command = ["tesseract", str(names), "stdout", "--psm", str(mode), "-c", "tessedit_char_whitelist=0123456789"]
        told = os.environ | {"OMP_THREAD_LIMIT": "1"}  # its threads cost more than they bring on small pictures
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=told)
    texts = done.stdout.split("\f")
    if done.returncode == 0 and len(texts) == len(pictures):
        return texts
    if done.returncode >= 0:
        raise SystemExit(f"Tesseract did not read all of {len(pictures)} pictures: {done.stderr.strip()[-300:]}")
    half = len(pictures) // 2  # it died of one of them: each half anew
    return _tesseract(pictures[:half], mode) + _tesseract(pictures[half:], mode) if half else [""]


def as_advised(picture: Picture) -> np.ndarray:
    """What Tesseract's manual, "Improving the quality of the output", advises: dark on light, large, with a border."""
    levels = grey(picture)
    levels = dark_ink(levels, levels)
    if levels.shape[0] < TALL:
        scale = TALL / levels.shape[0]
        levels = cv2.resize(levels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(levels, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)


def pixels(picture: Picture, margin: float = 0) -> np.ndarray:
    """The picture as BGR, with ``margin`` of its height around it in the colours of its edge.

    Pixels, for RapidOCR's own way to open a file turns some transparent drawings black.
    """
    bgr = np.ascontiguousarray(coloured(picture)[..., ::-1])
    edge = round(margin * bgr.shape[0])
    return cv2.copyMakeBorder(bgr, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
