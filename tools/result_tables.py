"""The README's table of recipes and the page docs/results.md; every figure comes from a file in benchmarks/results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from digitscope.formatting import markdown_table, percent

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
RECIPES = (
    ("fast", "`fast`", "same layers with 16 and 48 filters, {epochs} epoch"),
    ("classic", "`classic`, default", "same network, {epochs} epochs, one-cycle learning rate"),
    ("robust", "`robust`, used for reading", "same network, {epochs} epochs, augmented, averaged weights"),
    (
        "strong",
        "`strong`",
        "five convolutions, {epochs} epochs, augmented, averaged weights, distilled from {teachers} "
        "networks of its kind",
    ),
)
"""The measured recipes: result file, name in the table, description."""

ACCURACY = "test accuracy, mean ± standard deviation"
SETS = {
    "kensanata_numbers": "kensanata: ballpoint digits of seven writers, photographed",
    "ardis_iv": "ARDIS IV: Swedish church records, 28x28",
    "usps": "USPS: post codes, 16x16",
    "self_drawn": "digits people drew to try their own models",
    "sudoku_scanner": "sudoku cells from phone photos, handwritten and printed",
    "orand_car_a_fzkuji": "ORAND-CAR-A: amounts cut from bank cheques, 40 to 60 px high",
    "string_photos": "photos of handwritten numbers",
    "checks_mock": "amounts on mock US cheques",
}
"""Description of each development set."""

INTRODUCTION = """\
# Results

Written by `make docs` from the files in `benchmarks/results`, which also record machine, versions and command. The
accuracy of the recipes is in the [README](../README.md#results); how they were chosen, and what failed, is in
[experiments.md](experiments.md)."""

DIGITS = """\
## Single digits from elsewhere

Digits that people wrote elsewhere, read with `robust` from the picture as it came. No network was trained or calibrated
on these sets, but they were used to compare ideas, so expect slightly lower scores on your own pictures. "Best guess
right" counts every digit, answered or refused (`benchmarks/reading.py`; the sets do not ship)."""

NUMBERS = """\
## Whole numbers

Read from the picture as it came, with both engines: `own` is the default; `ocr` also uses RapidOCR's network (extra
`ocr`). "Exact lines" counts best guesses, with the 95 % interval. "Answered" is the share of pages without a refusal;
the next column is the share of those that are right (`benchmarks/strings.py`). These sets, too, were used to compare
ideas."""


def recipe_table() -> str:
    """The README's table: every recipe with its test accuracy and the time of its fit, and the machine."""
    training = _result("training")
    plain = training["ways"]["plain_keras"]
    rows = [
        _recipe_row("`seed`, as plain Keras", "examples/plain_keras.py, 12 epochs", plain[:1], plain),
        *(
            _recipe_row(name, what.format(**result["recipe"]), _runs(result), training["ways"].get(recipe))
            for recipe, name, what in RECIPES
            for result in (_result(recipe),)
        ),
    ]
    head = ("recipe", "what it is", ACCURACY, "seeds", "misses of 10,000", "fit, median")
    machine = f"Machine: {training['machine']}. `robust` and `strong` were timed while it did other work."
    if training["execution"]["classic"]["precision"] == "mixed_bfloat16":
        machine += (
            " It multiplies in bfloat16, which many laptops cannot; without it a fit takes several times as long "
            "([measured](docs/experiments.md))."
        )
    return f"{markdown_table(head, rows)}\n\n{machine}"


def results_page() -> str:
    """docs/results.md: speed, backends, single digits, whole numbers."""
    return "\n\n".join([INTRODUCTION, *_speed(), *_backends(), *_digits(), *_numbers()]) + "\n"


def _speed() -> list[str]:
    """How long training, predicting, starting and augmenting take."""
    training, inference, startup, augment = map(_result, ("training", "inference", "startup", "augment"))
    classic, fast = (training["times_faster"][name]["median"] for name in ("classic", "fast"))
    precision = training["execution"]["classic"]["precision"].removeprefix("mixed_")
    rate, seconds = inference["images_per_second"]["digitscope"], startup["seconds"]
    lines = [
        f"- `classic` trains **{classic:.1f} times faster** than the twelve epochs of `examples/plain_keras.py`, "
        f"`fast` **{fast:.1f} times** (median ratio of {training['rounds']} rounds in which they took turns; "
        f"{precision} inside the fit; `benchmarks/training.py`).",
        f"- ONNX Runtime classifies **{rate:,.0f} images/s**, {inference['times_keras_default']:.1f} times as many as "
        f"Keras' `predict` in the same run ({inference['times_keras_best_batch']:.1f} times at Keras' best batch size; "
        "`benchmarks/inference.py`).",
        f"- `digitscope read digit.png --single` takes {seconds['read digit.png --single']['median']:.2f} s from a "
        f"cold start, `digitscope --help` {seconds['--help']['median']:.2f} s (median of 7; `benchmarks/startup.py`).",
        f"- The augmentation makes {augment['images_per_second']:,.0f} images/s on one core (`benchmarks/augment.py`).",
    ]
    return ["## Speed", "\n".join(lines), f"Machine: {training['machine']}."]


def _backends() -> list[str]:
    """The same recipes under each of Keras' backends."""
    rows = [
        [f"`{name}`", backend, f"{_with_spread(its['mean'], its['deviation'])}", f"{its['seeds']}",
         f"{its['fit_seconds']:.1f} s"]
        for name, found in _result("backends")["recipes"].items()
        for backend, its in found["backends"].items()
    ]  # fmt: skip
    head = ("recipe", "backend", ACCURACY, "seeds", "fit, median")
    note = "`classic` was timed while the machine did other work (`benchmarks/backends.py`)."
    return ["## Backends", markdown_table(head, rows), note]


def _digits() -> list[str]:
    """How well single digits from elsewhere are read, and how well non-digits are refused."""
    reading, peers = _result("reading"), _result("peers")["digits"]
    sets = reading["sets"]
    rows = [
        [SETS[name], f"{sets[name]['n']:,}", *_best_bold([sets[name]["best_guess_right"], *others.values()]),
         f"{sets[name]['accepted']:.1f} %", f"{sets[name]['right_of_accepted']:.1f} %"]
        for name, others in peers["right"].items()
    ]  # fmt: skip
    head = ("set", "n", "best guess right", "careful CNN", "RapidOCR", "answered", "right among answered")
    refused = {
        "clothing images (Fashion-MNIST)": sets["ood_fashion"],
        "letters A to H (notMNIST)": sets["ood_notmnist_AH"],
        "blank sudoku cells": sets["sudoku_scanner"],
    }
    shares = [f"{row['refused']:.1f} % of {row['n_without_digit']:,} {what}" for what, row in refused.items()]
    areas = [
        f"{reading['digit_probability'][kind]['auroc']:.4f} for {kind}"
        for kind in ("clothing", "empty cells", "letters A to H")
    ]
    return [
        DIGITS,
        markdown_table(head, rows),
        f"The other programs were measured once, not in the same run: {peers['how']}.",
        f"Non-digits: it refuses {_listed(shares)}. Separating digits from non-digits by `digit_probability`, the area "
        f"under the ROC curve is {_listed(areas)}.",
    ]


def _numbers() -> list[str]:
    """How well whole numbers are read, and what that costs beside RapidOCR."""
    peers, cost = _result("peers")["lines"], _result("reading_cost")
    rows = [
        _number_row(name, engine, sets[name], others)
        for name, others in peers["right"].items()
        for engine, sets in _result("strings")["engines"].items()
    ]
    head = ("set", "pages, lines", "engine", "exact lines", "answered", "right among answered", "RapidOCR", "Tesseract",
            "contours + CNN")  # fmt: skip
    crops, photos, memory = cost["crops"], cost["photos"], cost["memory_of_20_megapixels_mb"]
    return [
        NUMBERS,
        markdown_table(head, rows),
        f"The other programs were measured once, not in the same run: {peers['how']}. About 2 % of the labels of "
        "ORAND-CAR-A are wrong.",
        "## What reading costs",
        "Engine `own` and RapidOCR read the same pictures in one run (`benchmarks/reading_cost.py`). `own` takes "
        f"{crops['own_ms']:.1f} ms for a crop of a line, RapidOCR's recogniser alone {crops['rapidocr_ms']:.1f} ms; "
        f"for a photo, {photos['own_ms']:.0f} ms against {photos['rapidocr_ms']:.0f} ms. Picture by picture, `own` is "
        f"{crops['times_faster']:.1f} and {photos['times_faster']:.1f} times faster (medians).",
        f"`digitscope read photo.jpg` takes {cost['cold_read_seconds']:.2f} s from a cold start. A photo of "
        f"20 megapixels takes up to {max(memory.values())} MB of memory.",
    ]


def _number_row(name: str, engine: str, row: dict[str, Any], others: dict[str, float]) -> list[str]:
    """One set read with one engine."""
    low, high = row["interval"]
    exact = f"{row['best_guess_right']:.1f} % ({low:.0f} to {high:.0f})"
    answered = [f"{row['accepted']:.0f} %", f"{row['right_of_accepted']:.1f} %"]
    return [SETS[name], f"{row['n']}, {row['lines']}", f"`{engine}`", exact, *answered,
            *(f"{rate} %" for rate in others.values())]  # fmt: skip


def _recipe_row(
    name: str, what: str, runs: list[dict[str, float]], timed: list[dict[str, float]] | None = None
) -> list[str]:
    """One recipe's row: accuracy over ``runs``, median seconds of ``timed`` or else of ``runs``."""
    accuracy = np.array([run["accuracy"] for run in runs])
    mean = float((100 * accuracy).mean()) / 100
    shown = _with_spread(mean, float(accuracy.std(ddof=1))) if len(runs) > 1 else percent(mean)
    seconds = float(np.median([run["seconds"] for run in timed or runs]))
    return [name, what, shown, f"{len(runs)}", f"{10_000 * (1 - mean):.0f}", f"{seconds:.1f} s"]


def _with_spread(mean: float, deviation: float) -> str:
    """Mean and standard deviation of a share, in percent."""
    return f"{100 * mean:.2f} ± {percent(deviation)}"


def _best_bold(rates: list[float]) -> list[str]:
    """Rates in percent as cells of a table, the highest in bold."""
    shown = [f"{rate:.1f} %" for rate in rates]
    return [f"**{text}**" if rate == max(rates) else text for text, rate in zip(shown, rates, strict=True)]


def _listed(parts: list[str]) -> str:
    """Parts of a sentence, joined by commas and a last "and"."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _runs(result: dict[str, Any]) -> list[dict[str, float]]:
    """Accuracy and seconds of every run in a recipe's result file."""
    return [{"accuracy": run["accuracy"], "seconds": run["fit_seconds"]} for run in result["runs"]]


def _result(name: str) -> dict[str, Any]:
    """What is in benchmarks/results/NAME.json."""
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))
