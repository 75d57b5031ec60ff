"""Five folds of MNIST's training images by writer, on which recipes are chosen: no writer is in two of them.

`folds.npz` holds the fold 0..4 of every training image (`fold`, uint8 (60000,)) and nothing else. To make it, one needs
to know who wrote each image: an .npz with `writer` and `series` (60000,), the source of the image within NIST's
database, made from the QMNIST label files (Yadav and Bottou, 2019; BSD). That file does not ship; no writer can be told
from the folds, only that two images in different folds are by different people.

Usage: python benchmarks/folds.py WRITERS.npz
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np

from digitscope import files
from digitscope.datasets.mnist import load_mnist

FOLDS = 5
PATH = Path(__file__).parent / "folds.npz"


def folds() -> np.ndarray:
    """The fold 0..4 of every training image, uint8 (60000,)."""
    with np.load(PATH) as kept:
        return kept["fold"]


def counts_of(member: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """How many images of each kind each member has, float64 (members, kinds), from two numbers per image."""
    counts = np.zeros((member.max() + 1, kind.max() + 1))
    np.add.at(counts, (member, kind), 1)
    return counts


def balanced(counts: np.ndarray) -> np.ndarray:
    """The fold of every writer, uint8 (writers,), so that each fold has about the same number of images of each kind.

    Writers with many images come first, each into the fold that then has the least of what they wrote. Then two
    writers change places as long as that makes the folds more alike.

    Args:
        counts: float64 (writers, kinds), images.
    """
    scaled = counts / np.sqrt(counts.sum(axis=0) / FOLDS)  # a rare kind counts as much as a common one
    fold, totals = np.zeros(len(counts), np.uint8), np.zeros((FOLDS, counts.shape[1]))
    for writer in np.argsort(-counts.sum(axis=1), kind="stable"):
        fold[writer] = np.argmin(totals @ scaled[writer])
        totals[fold[writer]] += scaled[writer]
    while sum(_changed_places(writer, scaled, fold, totals) for writer in range(len(fold))):
        pass
    return fold


def _changed_places(writer: int, scaled: np.ndarray, fold: np.ndarray, totals: np.ndarray) -> bool:
    """Let a writer change places with the one for which that helps most; whether it helped at all."""
    change = scaled - scaled[writer]
    gain = -(change * (totals[fold[writer]] - totals[fold] + change)).sum(axis=1)
    gain[fold == fold[writer]] = 0
    other = int(gain.argmax())
    if gain[other] < 1e-9:
        return False
    totals[fold[writer]] += change[other]
    totals[fold[other]] -= change[other]
    fold[writer], fold[other] = fold[other], fold[writer]
    return True


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    labels = load_mnist()[0][1]
    with np.load(sys.argv[1]) as known:
        _, writer = np.unique(known["writer"], return_inverse=True)
        _, series = np.unique(known["series"], return_inverse=True)
    kind = 10 * series + labels
    fold = balanced(counts_of(writer, kind))[writer]
    if any(len(np.unique(fold[writer == one])) != 1 for one in range(writer.max() + 1)):
        raise SystemExit("a writer is in two folds")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, fold=fold)
    files.write_bytes(PATH, buffer.getvalue())
    for number in range(FOLDS):
        inside = fold == number
        print(
            f"fold {number}: {inside.sum():,} images by {len(np.unique(writer[inside]))} writers; "
            f"by series {np.bincount(series[inside]).tolist()}; by digit {np.bincount(labels[inside]).tolist()}"
        )


if __name__ == "__main__":
    main()
