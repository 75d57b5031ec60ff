"""Draw the images from which the out-of-distribution detector learns, fit it, and measure it.

Writes `src/digitscope/shipped/known.npz`: fields that are not digits (`no_digits.py`, `made_up.py`), written and
printed digits drawn with the same pens, so that the pen gives nothing away, and which of MNIST's training digits to
learn from. Of all that is drawn it keeps what is hard to tell, and some of the rest: half as many images do as well.
Needs the fonts of `benchmarks/fetch_fonts.py`.

With --ship, writes `NAME.known.json` of every shipped model instead, with its card. With --measure, writes
`results/known.json`: digits kept and false accepts among drawings of kinds that no detector learned from
(`tests/odd_drawings.py`), at the threshold that keeps 99 % of the training digits set aside. It opens no test split.

Usage: python benchmarks/fit_known.py [--measure | --ship]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cards
import numpy as np
import results
from forms import DOODLES, LETTERS
from made_up import character, outline, row, turned_over, unlike_digits
from no_digits import SIGNS, Field, Random, blot, by_font, by_hand, figure, inked, scribble, shape, spoilt

from digitscope import files
from digitscope.datasets.mnist import load_mnist
from digitscope.datasets.synthetic.glyphs import font_files, fonts_folder
from digitscope.datasets.synthetic.handwriting import FORMS, curve
from digitscope.datasets.synthetic.lines import Lines
from digitscope.files import atomic_path
from digitscope.io.image import load_picture
from digitscope.models.model import Model, load
from digitscope.preprocessing import field, ink
from digitscope.reading import detector_fit
from digitscope.reading.detectors import judge_of
from digitscope.reading.digit import UPRIGHT
from digitscope.reading.out_of_distribution import Detector, digit_probability, inner_values, probability_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import odd_drawings
from stroke_models import digits as drawn_digits
from stroke_raster import raster

SHIPPED = Path(__file__).parent.parent / "src" / "digitscope" / "shipped"

ON_MNIST = ("classic", "robust", "strong")
"""The shipped networks that saw MNIST alone; `reader_digit.py` ships the fourth."""

SHIPPING_SEED = 30_011
"""Seed of the synthetic lines on which the reader's threshold was chosen."""

COUNTS = {
    "letters by hand": 2500, "letters of handwritten fonts": 2000, "letters of printed fonts": 1100, "doodles": 1200,
    "figures": 900, "shapes": 1400, "scribbles": 1100, "blots": 400, "spoilt digits": 900,
    "made-up characters": 3000, "letters turned over": 4000, "rows of characters": 1500, "outlines": 1000,
}  # fmt: skip
"""How many of each kind are drawn."""

KEPT_WHOLE = ("rows of characters", "outlines")
"""Kinds, the last ones, that are kept whole: one network tells all of them from digits, and another does not."""

LIKE_DIGITS, OTHERS = 8000, 2000
"""How many of the other kinds are kept: those most like digits, and any more."""

LEAST_TYPICAL, ANY = 10_000, 6000
"""How many of MNIST's training digits are chosen: those least like digits, and any others."""

DIGITS = {"by hand": 500, "of handwritten fonts": 500, "of printed fonts": 200}
"""How many digits of each kind are drawn."""

HELD_BACK = 4000
"""How many of MNIST's training digits, before those that set the threshold, no choice and no fit sees."""

WRITERS = 5000
"""How many of MNIST's training digits, from the first, are available for spoiling."""

UNTURNED = "ACFHKMRTUVWXYcfjkmnrtuvwxy"
"""Letters that do not look like a digit when turned over, as E and P do."""

LEARNED = "kinds it learned from, drawn anew"

MEASURED_SEED, MEASURED = 3000, 500
"""Seed and number of the drawings of each kind on which the detectors are measured."""


def others(rng: Random, counts: dict[str, int]) -> list[Field]:
    """Fields that are not digits, in the order of the counts."""
    (images, labels), _ = load_mnist()
    written, printed = (font_files(fonts_folder(), kind) for kind in ("handwritten", "printed"))
    letters, doodles = list(LETTERS.values()), list(DOODLES.values())

    def letter(rng: Random) -> Field:
        name = str(rng.choice(list(UNTURNED)))
        return by_hand(LETTERS[name], rng) if rng.random() < 0.5 else by_font(name, rng.choice(written + printed), rng)

    characters, rows, overturned, outlines = (
        unlike_digits(make, rng) for make in (character, row, turned_over(letter), outline)
    )
    makers: dict[str, Callable[[], Field]] = {
        "letters by hand": lambda: by_hand(rng.choice(letters), rng),
        "letters of handwritten fonts": lambda: by_font(rng.choice(list(SIGNS)), rng.choice(written), rng),
        "letters of printed fonts": lambda: by_font(rng.choice(list(SIGNS)), rng.choice(printed), rng),
        "doodles": lambda: by_hand(rng.choice(doodles), rng),
        "figures": lambda: figure(rng),
        "shapes": lambda: shape(rng),
        "scribbles": lambda: scribble(rng),
        "blots": lambda: blot(rng),
        "spoilt digits": lambda: spoilt(images[:WRITERS], labels[:WRITERS], rng),
        "made-up characters": lambda: next(characters),
        "letters turned over": lambda: next(overturned),
        "rows of characters": lambda: next(rows),
        "outlines": lambda: next(outlines),
    }
    return [makers[kind]() for kind, count in counts.items() for _ in range(count)]


def digits(rng: Random, counts: dict[str, int]) -> list[Field]:
    """Digits that are not from MNIST; those that any of the shipped networks misreads are left out."""
    written, printed = (font_files(fonts_folder(), kind) for kind in ("handwritten", "printed"))

    def by_pen(digit: str) -> Field:
        paths = curve(digit, int(rng.integers(len(FORMS[digit]))), rng, float(rng.uniform(0, 0.03)))
        return inked([path.astype(float) for path in paths], rng)

    makers: dict[str, Callable[[str], Field]] = {
        "by hand": by_pen,
        "of handwritten fonts": lambda digit: by_font(digit, rng.choice(written), rng),
        "of printed fonts": lambda digit: by_font(digit, rng.choice(printed), rng),
    }
    answers = [str(i % 10) for count in counts.values() for i in range(count)]
    field = np.stack([makers[kind](str(i % 10)) for kind, count in counts.items() for i in range(count)])
    read = [load(name).predict(field).argmax(axis=1) == np.array(answers, int) for name in ON_MNIST]
    return list(field[np.all(read, axis=0)])


def draw() -> None:
    """Write the file that ships: the fields, in sixteen levels of grey, and the chosen training digits."""
    rng = np.random.default_rng(21)
    drawn, more = np.stack(others(rng, COUNTS)), np.stack(digits(rng, DIGITS))
    written = load_mnist()[0][0][: -HELD_BACK - detector_fit.CALIBRATED_ON]
    print(f"{len(drawn):,} others and {len(more):,} digits drawn; now choosing", flush=True)
    images = np.concatenate([written, levels(more), levels(drawn)])
    sure = judged(load("robust"), images, len(images) - len(drawn), rng)
    chosen = hardest(sure[: len(written)], LEAST_TYPICAL, ANY, rng)
    sifted = len(drawn) - sum(COUNTS[kind] for kind in KEPT_WHOLE)
    alike = hardest(-sure[len(images) - len(drawn) :][:sifted], LIKE_DIGITS, OTHERS, rng)
    parts = {
        "others": levels(np.concatenate([drawn[alike], drawn[sifted:]])),
        "digits": levels(more),
        "chosen": chosen.astype(np.uint16),
    }
    with atomic_path(SHIPPED / detector_fit.FIT_DATA) as path:
        np.savez_compressed(path, **parts)
        print({name: len(part) for name, part in parts.items()}, f"{path.stat().st_size:,} bytes")


def levels(fields: np.ndarray) -> np.ndarray:
    """Fields 0..1 as uint8 0..255 in sixteen levels of grey."""
    return np.round(fields * 15).astype(np.uint8) * 17


def judged(model: Model, images: np.ndarray, count: int, rng: Random) -> np.ndarray:
    """The digit probability of every image, by a detector that has not seen it; the first ``count`` are digits."""
    layers, steps = detector_fit.values_taken(model)
    x = inner_values(model, layers, steps, images)
    answers, half = (np.arange(len(x)) < count).astype(np.float32), rng.permutation(len(x)) % 2
    sure = np.empty(len(x), np.float32)
    for part in (0, 1):
        weights = detector_fit.fitted_weights(x[half != part], answers[half != part], rng)
        sure[half == part] = probability_of(weights, x[half == part])
    return sure


def hardest(values: np.ndarray, count: int, more: int, rng: Random) -> np.ndarray:
    """Indices, in order, of the smallest values, and of some of the others."""
    order = np.argsort(values, kind="stable")
    return np.sort(np.concatenate([order[:count], rng.permutation(order[count:])[:more]]))


def measure() -> None:
    """Fit the detector of every shipped model, and count the digits it keeps and the other drawings it accepts."""
    kinds = {"digits": digits_to_measure(), "others": others_to_measure()}
    figures: dict[str, Any] = {}
    for name in ON_MNIST:
        model = load(name)
        start = time.process_time()
        detector = detector_fit.fit_detector(model)
        found: dict[str, Any] = {"fit_processor_seconds": round(time.process_time() - start, 2)}
        for group, drawings in kinds.items():
            found[group] = {
                kind: float((digit_probability(model, detector, fields) >= detector.threshold).mean())
                for kind, fields in drawings.items()
            }
        figures[name] = found
        print(name, found, flush=True)
    counts = {group: {kind: len(fields) for kind, fields in drawings.items()} for group, drawings in kinds.items()}
    results.write("known", {"kept": detector_fit.KEPT, "n": counts, "models": figures})


def digits_to_measure() -> dict[str, np.ndarray]:
    """Digits that no fit has seen, of three sources; none is a test image."""
    images, rng = load_mnist()[0][0][: -detector_fit.CALIBRATED_ON], np.random.default_rng(MEASURED_SEED)
    return {
        "MNIST's training digits held back": images[-HELD_BACK:],
        "written by hand and of fonts, drawn anew": np.stack(digits(rng, DIGITS)),
        "drawn on the page's pad": np.stack([raster(made).field for _, _, made in drawn_digits(15, MEASURED_SEED)]),
    }


def others_to_measure() -> dict[str, np.ndarray]:
    """Drawings that are not digits: kinds that no fit has seen, and those it has, drawn anew."""
    anew = others(np.random.default_rng(MEASURED_SEED), dict.fromkeys(COUNTS, MEASURED // 5))
    kinds = {kind: odd_drawings.fields(kind, MEASURED, MEASURED_SEED) for kind in odd_drawings.KINDS}
    return kinds | {LEARNED: np.stack(anew)}


def ship() -> None:
    """Fit and write the detector of every shipped model; print what the one that reads gives synthetic digits."""
    for name in ON_MNIST:
        detector = detector_fit.fit_detector(load(name))
        path = SHIPPED / "models" / f"{name}.known.json"
        files.write_json(path, asdict(detector))
        cards.write(path, cards.detector(name, detector))
        print(f"wrote {path.name}; threshold {detector.threshold:.3f}", flush=True)
    synthetic_digits(*judge_of(load("robust")))


def synthetic_digits(model: Model, detector: Detector) -> None:
    """Print quantiles of the digit probability of single digits on synthetic paper that are read correctly."""
    source, kept = Lines(SHIPPING_SEED), []
    number = 0
    while len(kept) < 500:
        line, number = source.line(number), number + 1
        if len(line.text) != 1 or not line.text.isdigit():
            continue
        found = ink.find_ink(load_picture(line.pixels, ink.LONGEST).pixels)
        if found.box is None or ink.is_several(found.ink, found.box):
            continue
        views = np.stack([field.field_of(found.ink, found.box, upright).pixels for upright in UPRIGHT])
        if model.predict(views).mean(axis=0).argmax() == int(line.text):
            kept.append(float(digit_probability(model, detector, views).mean()))
    print({share: round(float(np.quantile(kept, share)), 3) for share in (0.005, 0.01, 0.02, 0.05)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true", help="count digits kept and other drawings accepted")
    parser.add_argument("--ship", action="store_true", help="fit the detectors of the shipped models")
    arguments = parser.parse_args()
    if arguments.ship:
        ship()
    elif arguments.measure:
        measure()
    else:
        draw()


if __name__ == "__main__":
    main()
