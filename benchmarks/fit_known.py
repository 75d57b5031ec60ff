"""Draw the images from which the out-of-distribution detector learns, fit it, and measure it.

Writes `src/digitscope/shipped/known.npz`: fields that are not digits (`no_digits.py`), and written and printed digits
drawn with the same pens, so that the pen gives nothing away. Needs the fonts of `benchmarks/fetch_fonts.py`. With
--measure, writes `results/known.json` instead; with --ship, `robust.known.json`, by which single digits are refused.

Usage: python benchmarks/fit_known.py [--measure | --ship]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import results
from forms import DOODLES, LETTERS
from no_digits import SIGNS, Field, Random, blot, by_font, by_hand, figure, inked, scribble, shape, spoilt

from digitscope import files
from digitscope.datasets.mnist import load_mnist
from digitscope.datasets.synthetic.glyphs import font_files, fonts_folder
from digitscope.datasets.synthetic.handwriting import FORMS, curve
from digitscope.datasets.synthetic.lines import Lines
from digitscope.files import atomic_path
from digitscope.io.image import load_picture
from digitscope.models.model import load, shipped
from digitscope.preprocessing import field, ink
from digitscope.reading.digit import UPRIGHT
from digitscope.reading.out_of_distribution import FIT_DATA, digit_probability, fit_detector

SHIPPED = Path(__file__).parent.parent / "src" / "digitscope" / "shipped"

SHIPPING_SEED = 30_011
"""Seed of the synthetic lines on which the reader's threshold was chosen."""

COUNTS = {
    "letters by hand": 2500, "letters of handwritten fonts": 2000, "letters of printed fonts": 1100, "doodles": 1200,
    "figures": 900, "shapes": 1400, "scribbles": 1100, "blots": 400, "spoilt digits": 900,
}  # fmt: skip
"""How many of each kind are drawn."""

DIGITS = {"by hand": 500, "of handwritten fonts": 500, "of printed fonts": 200}
"""How many digits of each kind are drawn."""

WRITERS = 5000
"""How many of MNIST's training digits, from the first, are available for spoiling."""


def others(rng: Random) -> list[Field]:
    """Fields that are not digits, in the order of ``COUNTS``."""
    (images, labels), _ = load_mnist()
    written, printed = (font_files(fonts_folder(), kind) for kind in ("handwritten", "printed"))
    letters, doodles = list(LETTERS.values()), list(DOODLES.values())
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
    }
    return [makers[kind]() for kind, count in COUNTS.items() for _ in range(count)]


def digits(rng: Random) -> list[Field]:
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
    answers = [str(i % 10) for count in DIGITS.values() for i in range(count)]
    field = np.stack([makers[kind](str(i % 10)) for kind, count in DIGITS.items() for i in range(count)])
    read = [load(name).predict(field).argmax(axis=1) == np.array(answers, int) for name in shipped()]
    return list(field[np.all(read, axis=0)])


def draw() -> None:
    """Write the file of fields that ships; sixteen levels of grey are enough."""
    rng = np.random.default_rng(20)
    field = {"others": np.stack(others(rng)), "digits": np.stack(digits(rng))}
    with atomic_path(SHIPPED / FIT_DATA) as path:
        np.savez_compressed(path, **{name: np.round(part * 15).astype(np.uint8) * 17 for name, part in field.items()})
        print(f"{len(field['others']):,} others, {len(field['digits']):,} digits, {path.stat().st_size:,} bytes")


def measure() -> None:
    """Fit the detector for every shipped model and count the test images it keeps."""
    figures = {}
    _, (images, _) = load_mnist()
    for name in shipped():
        model = load(name)
        start = time.process_time()
        detector = fit_detector(model)
        seconds = time.process_time() - start
        kept = digit_probability(model, detector, images) >= detector["threshold"]
        figures[name] = {
            "fit_processor_seconds": round(seconds, 2),
            "test_images": len(images),
            "kept": float(kept.mean()),
        }
        print(name, figures[name])
    results.write("known", {"models": figures})


def ship() -> None:
    """Fit and write the detector of the model that reads; print the probabilities it gives synthetic digits."""
    model = load("robust")
    detector = fit_detector(model)
    files.write_json(SHIPPED / "models" / "robust.known.json", detector)
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
    parser.add_argument("--measure", action="store_true", help="count the test images that are kept")
    parser.add_argument("--ship", action="store_true", help="fit the detector of the model that reads")
    arguments = parser.parse_args()
    if arguments.ship:
        ship()
    elif arguments.measure:
        measure()
    else:
        draw()


if __name__ == "__main__":
    main()
